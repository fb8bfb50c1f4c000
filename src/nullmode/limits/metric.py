"""Features measured under r² dr: the same span of radial functions, orthonormalised."""

from functools import lru_cache
from typing import Any

import numpy as np

from nullmode._support.types import InputError, Reals
from nullmode.basis.radial._base import FittedRadialBasis, RadialBasis, resolved
from nullmode.basis.radial._quadrature import interval
from nullmode.descriptors._base import D, Descriptor, changed
from nullmode.descriptors._selected import whole_of

_POINTS = 400
_ORTHOGONAL = 1e-10


def primitives(basis: RadialBasis) -> RadialBasis:
    """Give the functions that a contraction contracts; any other basis as it is."""
    return basis.primitives if isinstance(basis, FittedRadialBasis) else basis


def is_projection(descriptor: Descriptor) -> bool:
    """Whether the features are a projection of the complete basis' ones, once the functions are orthonormalised."""
    whole: Any = whole_of(descriptor)
    return not primitives(whole.radial_basis).sampled


def is_projection_as_stored(descriptor: Descriptor) -> bool:
    """Whether each feature is one of a projection of the complete basis' ones, without orthonormalising functions."""
    whole = whole_of(descriptor)
    return is_projection(whole) and with_orthonormal_functions(whole) is whole


def with_orthonormal_functions(descriptor: D) -> D:
    """Orthonormalise a descriptor's radial functions under r² dr for each l, each against those before it.

    Its features are then an orthogonal projection of those of the complete basis. A basis that is orthonormal stays,
    and so does one whose integrals are sums over points, to which no metric belongs.

    Raises
    ------
    InputError
        Where features are selected that would have to be mixed with others.
    """
    if not is_projection(descriptor):
        return descriptor
    whole: Any = whole_of(descriptor)
    basis = _orthonormal(whole.radial_basis, whole.n_max, whole.l_max, whole.cutoff)
    if basis == whole.radial_basis:
        return descriptor
    if whole is not descriptor:
        raise InputError(
            "`descriptor` must have radial functions that are orthonormal under r² dr where features are selected, got "
            f"{whole.radial_basis}: each feature would be mixed with others, which were not. Use radial_basis='gto' or "
            "'laplacian-eigenstates', or nullmode.resolution(..., reference='full')."
        )
    return changed(descriptor, radial_basis=basis)


@lru_cache(maxsize=256)
def _orthonormal(basis: RadialBasis, n_max: int, l_max: int, cutoff: float) -> RadialBasis:
    contraction: Any = basis if isinstance(basis, FittedRadialBasis) else None
    raw = primitives(basis)
    if raw.orthonormal and contraction is None:
        return basis
    n = contraction.n_primitives if contraction else n_max
    turns = np.broadcast_to(np.eye(n), (l_max + 1, n, n))
    if contraction:
        turns = np.array(contraction.matrices)[: l_max + 1]
    if raw.orthonormal:
        samples = np.broadcast_to(np.eye(n), turns.shape)
        if np.abs(turns @ turns.swapaxes(1, 2) - np.eye(n)).max() < _ORTHOGONAL:
            return basis
    else:
        x, weights = interval(_POINTS, cutoff)
        samples = np.moveaxis(raw.functions(x, n, l_max, cutoff)[:, 0], 1, 0) * (x * np.sqrt(weights))[:, None]
    matrices: list[Any] = []
    for l, (values, turn) in enumerate(zip(samples, turns, strict=True)):
        if l and (values == samples[0]).all() and (turn == turns[0]).all():
            matrices.append(matrices[0])
            continue
        rows = _gram_schmidt((values @ turn.T.astype(values.dtype)).T) @ turn
        matrices.append(tuple(map(tuple, rows.astype(np.float64).tolist())))
    # By its name, so that jobs without contractions do not depend on its code.
    kind = "optimal-contraction"
    result: RadialBasis = resolved({"kind": kind, "n_primitives": n, "primitives": raw, "matrices": tuple(matrices)})
    return result


def _gram_schmidt(functions: Reals) -> Reals:
    """Coefficients, shape (n, n), of functions, shape (n, p), that are orthonormal; each twice, against rounding."""
    n = len(functions)
    found, rows = np.zeros_like(functions), np.zeros((n, n), dtype=functions.dtype)
    for k, function in enumerate(functions):
        rest, row = function, np.eye(n, dtype=functions.dtype)[k]
        for _ in range(2):
            overlap = found[:k] @ rest
            rest, row = rest - overlap @ found[:k], row - overlap @ rows[:k]
        size = np.sqrt(rest @ rest)
        found[k], rows[k] = rest / size, row / size
    return rows
