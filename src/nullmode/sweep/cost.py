"""Closed formulas for what an item of the workflow takes, explained in ``docs/cost-model.md``; light to import."""

from collections.abc import Iterable, Sequence
from math import fsum
from typing import NamedTuple

from nullmode._support.types import Scope
from nullmode.attribution.completeness import LARGEST_ORDER, MOST_OF_STRUCTURE, MOST_TUPLES
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import DensityDescriptor, Descriptor
from nullmode.descriptors.inverse_distances import InverseDistances
from nullmode.families._base import FamilySize
from nullmode.spectrum.truncations import sweeps

OPERATIONS_PER_SECOND = 4e9
"""Of one core of an idle machine, between a faster and a slower one; the factor of a machine is common to all jobs."""
# What Python takes for a call of the analysis, for a row, for the causes of its null values, and to try larger
# truncations, in the same operations.
_CALL, _ROW, _CAUSES, _TRIAL = 1e7, 2e5, 1e6, 7e6
_ROW_BYTES = 700


class Estimate(NamedTuple):
    """What one structure of a family takes with all truncations of an item; estimates of items add up.

    Attributes
    ----------
    seconds
        Processor time on one thread.
    bytes
        Memory for its rows, and its share of the arrays that a job holds while it computes.
    """

    seconds: float
    bytes: float


def estimates(
    descriptors: Sequence[Descriptor], sizes: Iterable[FamilySize], scope: Scope = "environment"
) -> dict[FamilySize, Estimate]:
    """Estimate what one structure of each size takes with truncations in any order.

    There is no estimate where a descriptor is of no kind of the package.
    """
    known = DESCRIPTORS.values()
    if not all(f"{type(each).__module__}:{type(each).__name__}" in known for each in descriptors):
        return {}
    # Truncations of environments share their Jacobians, those of whole structures do not.
    groups = [[point[0] for point in sweep.points] for sweep in sweeps(descriptors)]
    if scope != "environment":
        groups = [[k] for k in range(len(descriptors))]
    return {size: _estimate(descriptors, groups, size, scope != "environment") for size in sizes}


def _estimate(
    descriptors: Sequence[Descriptor], groups: Sequence[Sequence[int]], size: FamilySize, whole: bool
) -> Estimate:
    environments, rows = (size.atoms, 1.0) if whole else (size.centers, size.centers)
    operations, kept, scratch = [_CALL / size.structures], [], 0.0
    geometry: dict[float, float] = {}
    for group in groups:
        first = descriptors[group[0]]
        n = max(1.0, size.neighbours(first.cutoff))
        columns = 3 * (size.atoms if whole else n)
        truncations = [_features(descriptors[k], n, size.species) for k in group]
        features, each, _ = max(truncations)
        operations.append(features * (each * environments + columns**2 * rows))
        operations.append(len(group) * rows * (2 * columns**3 + _ROW))
        kept.append(len(group) * rows * (8 * columns + _ROW_BYTES))
        products = _dot_products(first.correlation_order, n, size.atoms if whole else 0)
        scratch = max(scratch, 32 * (features * columns + products))
        # All truncations share the answers of geometry.
        asked = environments * _causes(n, products, min(seen for *_, seen in truncations), whole)
        geometry[first.cutoff] = max(geometry.get(first.cutoff, 0.0), asked)
    seconds = fsum([*operations, *geometry.values()]) / OPERATIONS_PER_SECOND
    return Estimate(seconds, fsum(kept) + scratch / size.structures)


def _causes(n: float, products: float, seen: tuple[float, float], whole: bool) -> float:
    """Operations for the causes of null values around a centre: of a whole structure, or where such are expected.

    Of environments, larger truncations are tried where the truncation may be the cause.
    """
    by_truncation, by_order = seen
    if not whole and min(seen) >= 3 * n - 3:
        return 0.0
    is_tried = products and not whole and by_truncation < min(by_order, 3 * n - 3)
    trial = _TRIAL + 12 * (3 * n) ** 3 if is_tried else 0.0
    return _CAUSES + 60 * products + 9 * n**2 * min(products, n**2 / 2) + trial


def _dot_products(order: int | None, n: float, atoms: float) -> float:
    """Count the dot products in all tuples around a centre; 0 where rank_complete has no theory, or too many tuples.

    Those around all atoms of a whole structure are counted together, if there are `atoms`.
    """
    most = MOST_OF_STRUCTURE if atoms else MOST_TUPLES
    if order is None or order > LARGEST_ORDER or max(1.0, atoms) * n**order > most:
        return 0.0
    return order * (order + 1) / 2 * float(n**order)


def _features(descriptor: Descriptor, n: float, species: int) -> tuple[float, float, tuple[float, float]]:
    """Count features, operations for the Jacobian of each, and what truncation and body order let be seen at most."""
    if isinstance(descriptor, DensityDescriptor):
        species = len(descriptor.species or ()) or species
        features, order = descriptor._n_features(species), descriptor.correlation_order or 1
        seen = features if order == 1 else min(features / 2, species * descriptor.n_max * (descriptor.l_max + 1) ** 2)
        return features, 16 * n, (seen, float(n**order))
    if isinstance(descriptor, InverseDistances):
        return n * (n + 1) / 2, 16 * n, (n * (n + 1) / 2,) * 2
    # Eigenvalues and symmetry functions: a few per neighbour, each from all pairs of neighbours.
    return 2 * n, 200 * n**2, (2 * n, 2 * n)
