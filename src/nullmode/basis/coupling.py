"""Coupling of three densities to a scalar, in the basis of real harmonics."""

from collections.abc import Iterable
from functools import cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from nullmode._support.types import Floats, Integers, Parity


class Coupling(NamedTuple):
    """Nonzero entries of the invariant tensors of all l1 <= l2 <= l3 that form a triangle.

    Attributes
    ----------
    l, shape (n_triples, 3)
        Angular momenta.
    first, shape (n_triples + 1,)
        Entries first[t] to first[t + 1] belong to triple t.
    lm, shape (n_entries, 3)
        Indices l² + l + m of the three harmonics.
    value, shape (n_entries,)
        Of the tensor, whose squares sum to 1 per triple.
    """

    l: Integers
    first: Integers
    lm: Integers
    value: Floats


@cache
def coupling(l_max: int, parity: Parity) -> Coupling:
    """Tabulate the 3j symbols in real harmonics; for O3 only those with even l1 + l2 + l3, else pseudoscalars too."""
    triples = [
        (l1, l2, l3)
        for l1, l2, l3 in combinations_with_replacement(range(l_max + 1), 3)
        if l3 <= l1 + l2 and (parity == "SO3" or (l1 + l2 + l3) % 2 == 0)
    ]
    return Coupling(np.array(triples), *nonzero((invariant(*l), np.square(l)) for l in triples))


def nonzero(tensors: Iterable[tuple[Floats, Integers]]) -> tuple[Integers, Integers, Floats]:
    """List the nonzero entries of tensors: where those of each begin, their indices plus offsets, and their values."""
    first, indices, values = [0], [], []
    for tensor, offsets in tensors:
        entries = np.argwhere(tensor)
        first.append(first[-1] + len(entries))
        indices.append(entries + offsets)
        values.append(tensor[tuple(entries.T)])
    # One order in memory, whatever NumPy makes of few entries: a kernel is compiled for each.
    return np.array(first), np.ascontiguousarray(np.concatenate(indices)), np.concatenate(values)


def invariant(l1: int, l2: int, l3: int) -> Floats:
    """Turn the 3j symbols of a triangle into the real basis, shape (2 l1 + 1, 2 l2 + 1, 2 l3 + 1); squares sum to 1.

    Complex 3j symbols (DLMF 34.2) come from the library wigners; for an odd sum the tensor is imaginary in the real
    basis and its imaginary part is taken.
    """
    import wigners

    tensor = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1), dtype=complex)
    for m1 in range(-l1, l1 + 1):
        for m2 in range(-l2, l2 + 1):
            if abs(m1 + m2) <= l3:
                symbol = wigners.wigner_3j(l1, l2, l3, m1, m2, -m1 - m2)
                tensor[m1 + l1, m2 + l2, l3 - m1 - m2] = symbol
    turn = [_real_from_complex(l).conj() for l in (l1, l2, l3)]
    real = np.einsum("abc,ia,jb,kc->ijk", tensor, *turn, optimize=True)
    result = real.imag if (l1 + l2 + l3) % 2 else real.real
    return np.where(np.abs(result) > 1e-14, result, 0.0)


@cache
def _real_from_complex(l: int) -> "np.ndarray[tuple[int, int], np.dtype[np.complex128]]":
    """Unitary matrix from complex harmonics (Condon–Shortley phase) to our real ones."""
    result = np.zeros((2 * l + 1, 2 * l + 1), dtype=complex)
    result[l, l] = 1
    for m in range(1, l + 1):
        result[l + m, [l - m, l + m]] = np.array([1, (-1) ** m]) / np.sqrt(2)
        result[l - m, [l - m, l + m]] = np.array([1j, -1j * (-1) ** m]) / np.sqrt(2)
    return result
