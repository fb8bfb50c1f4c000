"""Jacobians in the complete radial and angular basis of a descriptor, many environments at once."""

from collections.abc import Iterator, Sequence
from math import ceil, pi, sqrt
from typing import NamedTuple

import numpy as np

from nullmode._support.types import Floats, InputError, Parity
from nullmode.descriptors._base import DensityDescriptor, changed
from nullmode.descriptors.complete.densities import Densities, expanded
from nullmode.descriptors.complete.rows import reduce_rows, scratch
from nullmode.descriptors.complete.span import converged_l, points, points_within, reaches_past
from nullmode.descriptors.complete.triples import LARGEST_L_OF_TRIPLES, reduced_rows, triples_of
from nullmode.geometry.environment import Environment
from nullmode.linalg.householder import rows_at_once

MOST_ENTRIES = 200_000_000
"""Of the Jacobian of a power spectrum, which is reduced as it is computed: a minute or so."""
MOST_ENTRIES_OF_TRIPLES = 2_000_000_000
"""Of that of a bispectrum, of fewer neighbours: some minutes."""
# Of coefficients.
_CHUNK_ENTRIES = 1 << 17
# In widths. Environments that reach equally far are computed together, by rules that depend on no environment.
_STEP = 1.0


class Complete(NamedTuple):
    """What the complete basis sees of m environments.

    Attributes
    ----------
    indices
        Which environments.
    jacobians, shape (m, rows, n, 3)
        In 1/Å; of power spectra and bispectra, the triangular factors.
    features, last, shape (m,)
        Norm of the features, and of the Jacobian's rows at the largest l (of a bispectrum, its weakest), in 1/Å.
    within, shape (m, rows', n, 3)
        The Jacobians of the densities' part within the cutoff; None if that is all of them, or they were not asked for.
    l_max
        Largest angular momentum.
    """

    indices: list[int]
    jacobians: Floats
    features: Floats
    last: Floats
    within: Floats | None
    l_max: int


def smallest(descriptor: DensityDescriptor, radial_basis: str = "gto") -> DensityDescriptor:
    """Give the same density and body order in the smallest basis: what a complete one sees does not depend on it."""
    angular = {"l_max": 0} if descriptor.correlation_order != 1 else {}
    return changed(descriptor, n_max=1, radial_basis=radial_basis, **angular)


def complete(
    environments: Sequence[Environment], descriptor: DensityDescriptor, *, within: bool = False
) -> Iterator[Complete]:
    """Compute Jacobians in the complete basis of a radial spectrum, power spectrum or bispectrum.

    The functions that span the densities are found for each environment. What it gets does not depend on the others.

    Parameters
    ----------
    environments
        Within the cutoff, none without neighbours.
    within
        Whether to compute Jacobians within the cutoff too.

    Raises
    ------
    InputError
        For Jacobians too large for the memory.
    """
    groups: dict[tuple[float, int, bytes], list[int]] = {}
    for i, environment in enumerate(environments):
        reach = float(np.linalg.norm(environment.vectors, axis=1).max())
        step = _STEP * descriptor.width
        center = environment.center_species if descriptor.center_weight != 0.0 else 0
        key = ceil(reach / step) * step, center, np.sort(environment.species).tobytes()
        groups.setdefault(key, []).append(i)
    for (reach, center, _), members in groups.items():
        l_max = 0 if descriptor.correlation_order == 1 else converged_l(reach, descriptor.width)
        l_max = min(l_max, LARGEST_L_OF_TRIPLES) if descriptor.correlation_order == 3 else l_max
        x, _ = points(reach, descriptor.width)
        n = len(environments[members[0]])
        length = max(1, _CHUNK_ENTRIES // (n * min(len(x), 2 * n) * (l_max + 1)))
        for start in range(0, len(members), length):
            chunk = members[start : start + length]
            yield _computed(chunk, [environments[i] for i in chunk], center, descriptor, reach, l_max, within)


def _computed(
    indices: list[int],
    environments: Sequence[Environment],
    center: int,
    descriptor: DensityDescriptor,
    reach: float,
    l_max: int,
    within: bool,
) -> Complete:
    orders = [np.argsort(each.species, kind="stable") for each in environments]
    vectors = np.stack([each.vectors[order] for each, order in zip(environments, orders, strict=True)])
    species = environments[0].species[orders[0]]
    features, last = np.empty((2, len(vectors)))

    def jacobians(quadrature: tuple[Floats, Floats]) -> Floats:
        densities = expanded(vectors, species, center, descriptor, quadrature, l_max)
        nu = descriptor.correlation_order
        result = (
            _rows_of_one(densities, features, last)
            if nu == 1
            else _rows_of_two(densities, features, last)
            if nu == 2
            else _rows_of_three(densities, descriptor.parity or "O3", features, last)
        )
        for each, order in zip(result, orders, strict=True):
            if (np.diff(order) < 0).any():
                each[:, order] = each.copy()
        return result

    inner = None
    if within and reaches_past(reach, descriptor.width, descriptor.cutoff):
        inner = jacobians(points_within(descriptor.cutoff, descriptor.width))
    return Complete(indices, jacobians(points(reach, descriptor.width)), features, last, inner, l_max)


def _rows_of_one(densities: Densities, features: Floats, last: Floats) -> Floats:
    """Differentiate c_q00, shape (m, K, n, 3); fill the norms of c_q00 and of these derivatives."""
    vectors, value, slope, center = densities.vectors, *(each[0] for each in densities[1:4])
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    used = int(densities.channels[1, 0].max())
    result: Floats = slope.swapaxes(1, 2)[:, :used, :, None] * unit[:, None] / sqrt(4 * pi)
    features[:] = np.linalg.norm(value.sum(axis=1) + center, axis=1) / sqrt(4 * pi)
    last[:] = np.linalg.norm(result.reshape(len(result), -1), axis=1)
    return result


def _rows_of_two(densities: Densities, features: Floats, last: Floats) -> Floats:
    """Reduce the Jacobians of power spectra, shape (m, 3 n, n, 3); fill the norms of :func:`reduce_rows`."""
    _, m, n, channels = densities.value.shape
    dense, all_channels = densities.channels
    _check_entries(int((dense * all_channels - dense * (dense - 1) // 2).sum(axis=0).max()), n, MOST_ENTRIES)
    result = np.empty((m, 3 * n, 3 * n))
    reduce_rows(densities, scratch(n, channels), rows_at_once(3 * n), features, last, result)
    return result.reshape(m, 3 * n, n, 3)


def _rows_of_three(densities: Densities, parity: Parity, features: Floats, last: Floats) -> Floats:
    """Reduce the Jacobians of bispectra, shape (m, 3 n, n, 3); fill the norms of :func:`reduced_rows`."""
    _, m, n, _ = densities.value.shape
    result = np.empty((m, 3 * n, n, 3))
    for i in range(m):
        value, slope, center = (each[:, i : i + 1] for each in densities[1:4])
        one = Densities(densities.vectors[i : i + 1], value, slope, center, densities.channels[..., i : i + 1])
        _check_entries(
            sum(int(one.channels[1, l, 0].prod()) for _, l in triples_of(one, parity)), n, MOST_ENTRIES_OF_TRIPLES
        )
        triangle, features[i], last[i] = reduced_rows(one, parity)
        result[i] = triangle.reshape(result.shape[1:])
    return result


def _check_entries(rows: int, n: int, most: int) -> None:
    if rows * 3 * n > most:
        raise InputError(
            f"`environment` must leave a limit of at most {most} entries, got {rows} rows and {3 * n} columns for {n} "
            "neighbours. Use a smaller cutoff, a larger width or a lower correlation order."
        )
