"""Coupling of four densities to a scalar, two pairs at a time, in the basis of real harmonics."""

from functools import cache
from itertools import permutations
from typing import NamedTuple

import numpy as np

from nullmode._support.types import Floats, Integers
from nullmode.basis.coupling import invariant, nonzero


class PairCoupling(NamedTuple):
    """Nonzero entries of the orthonormal coupling of all l1 <= l2 to every L from l2 - l1 to l1 + l2.

    Attributes
    ----------
    first, shape ((l_max + 1)(l_max + 2)/2 + 1,)
        Entries first[t] to first[t + 1] belong to (l1, l2), t = l2 (l2 + 1)/2 + l1.
    indices, shape (n_entries, 3)
        Indices l² + l + m of the two harmonics, and the row L² + L + M - (l2 - l1)² of what they couple to.
    value, shape (n_entries,)
        C^(L M)_(l1 m1, l2 m2).
    """

    first: Integers
    indices: Integers
    value: Floats


@cache
def coupled(l1: int, l2: int) -> Floats:
    """Clebsch–Gordan coefficients in real harmonics, an orthogonal matrix over (m1, m2) and (L, M).

    For odd l1 + l2 + L the result is a pseudotensor (see :func:`~nullmode.basis.coupling.invariant`). Its shape is
    (2 l1 + 1, 2 l2 + 1, (2 l1 + 1)(2 l2 + 1)); the last index is L² + L + M - (l1 - l2)².
    """
    blocks = [np.sqrt(2 * L + 1) * invariant(l1, l2, L) for L in range(abs(l1 - l2), l1 + l2 + 1)]
    return np.concatenate(blocks, axis=2)


@cache
def pair_coupling(l_max: int) -> PairCoupling:
    """Tabulate :func:`coupled` for all pairs."""
    pairs = [(l1, l2) for l2 in range(l_max + 1) for l1 in range(l2 + 1)]
    return PairCoupling(*nonzero((coupled(l1, l2), np.array([l1 * l1, l2 * l2, 0])) for l1, l2 in pairs))


@cache
def independent(l: tuple[int, ...], same: tuple[int, ...]) -> Floats:
    """Independent couplings ((l1 l2) L, (l3 l4) L) 0 of four densities of which some are equal.

    The couplings of all L are orthonormal. Equal densities leave of them what is symmetric in their exchange: a
    subspace, whose orthonormal basis Gram and Schmidt make of the symmetrised couplings in ascending order of L.

    Of the four numbers `same`, equal ones stand for equal densities. Returns an array of shape (n_independent, n_L):
    each coupling in terms of those of all L, ascending.
    """
    lowest, highest = max(abs(l[0] - l[1]), abs(l[2] - l[3])), min(l[0] + l[1], l[2] + l[3])
    size = max(highest - lowest + 1, 0)
    symmetry = [p for p in permutations(range(4)) if all(same[p[k]] == same[k] for k in range(4))]
    if len(symmetry) == 1:
        return np.eye(size)
    left, right = coupled(l[0], l[1]), coupled(l[2], l[3])
    tensors = np.empty((size, *(2 * value + 1 for value in l)))
    for k, L in enumerate(range(lowest, highest + 1)):
        one, two = (L * L - (l[i] - l[i + 1]) ** 2 for i in (0, 2))
        both = left[:, :, one : one + 2 * L + 1], right[:, :, two : two + 2 * L + 1]
        tensors[k] = np.einsum("abm,cdm->abcd", *both, optimize=True) / np.sqrt(2 * L + 1)
    symmetrised = sum(np.transpose(tensors, (0, *(1 + k for k in p))) for p in symmetry) / len(symmetry)
    projector = np.tensordot(symmetrised, tensors, axes=([1, 2, 3, 4], [1, 2, 3, 4]))
    basis = np.empty((0, size))
    for row in projector:
        rest = row
        for _ in range(2):  # once more for what rounding left
            rest = rest - basis.T @ (basis @ rest)
        norm = np.linalg.norm(rest)
        if norm > 1e-6:
            basis = np.vstack([basis, rest / norm])
    return np.where(np.abs(basis) > 1e-14, basis, 0.0)


@cache
def count_scalars(n_channels: int, l_max: int) -> int:
    """Count the independent scalars under O(3) of fourth degree in n_channels densities of each l = 0 … l_max.

    The mean over the group of the character of the symmetric fourth power: a trigonometric polynomial in the angle of
    rotation, so that a sum over equidistant angles is exact.
    """
    points = 4 * l_max + 4
    angle = np.pi * (np.arange(points) + 0.5) / points
    total = 0.0
    for sign in (1, -1):
        p1, p2, p3, p4 = (
            n_channels
            * sum(sign ** (k * l) * np.sin((l + 0.5) * k * angle) / np.sin(k * angle / 2) for l in range(l_max + 1))
            for k in (1, 2, 3, 4)
        )
        quartic = (p1**4 + 6 * p1**2 * p2 + 3 * p2**2 + 8 * p1 * p3 + 6 * p4) / 24
        total += np.mean(quartic * (1 - np.cos(angle))) / 2
    return round(total)
