"""Closed formulas for what an item of the workflow takes, explained in ``docs/cost-model.md``; light to import."""

from collections.abc import Iterable, Sequence
from math import fsum
from typing import NamedTuple

from nullmode._support.types import Scope
from nullmode.attribution.completeness import LARGEST_ORDER, MOST_TUPLES
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import DensityDescriptor, Descriptor
from nullmode.descriptors.inverse_distances import InverseDistances
from nullmode.families._base import FamilySize
from nullmode.spectrum.truncations import sweeps

OPERATIONS_PER_SECOND = 5e9
"""Of one core of an idle machine of 2024; other machines differ by a factor that all jobs have in common."""
# What Python takes for a call of the analysis, for a question to geometry and for a row, in the same operations.
_CALL, _QUESTION, _ROW = 4e7, 2e6, 4e5
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
        products = _dot_products(first.correlation_order, n, environments if whole else 1.0)
        scratch = max(scratch, 32 * (features * columns + products))
        # All truncations share the answers of geometry; null values are explained at three tolerances.
        times = 3 if min(seen for _, _, seen in truncations) < 3 * n - 3 else 1
        geometry[first.cutoff] = max(geometry.get(first.cutoff, 0.0), times * environments * _geometry(n, products))
    seconds = fsum([*operations, *geometry.values()]) / OPERATIONS_PER_SECOND
    return Estimate(seconds, fsum(kept) + scratch / size.structures)


def _geometry(n: float, products: float) -> float:
    """Operations for the point group and, where there are dot products, for rank_complete."""
    complete = _QUESTION + 1200 * products + 9 * n**2 * min(products, n**2 / 2)
    return _QUESTION + 6e4 * n + (complete if products else 0.0)


def _dot_products(order: int | None, n: float, together: float) -> float:
    """Count the dot products in all tuples around a centre; 0 where rank_complete has no theory, or too many tuples.

    So many centres are judged `together`.
    """
    if order is None or order > LARGEST_ORDER or together * n**order > MOST_TUPLES:
        return 0.0
    return order * (order + 1) / 2 * float(n**order)


def _features(descriptor: Descriptor, n: float, species: int) -> tuple[float, float, float]:
    """Count features, operations for the Jacobian of each, and displacements that they see at most."""
    if isinstance(descriptor, DensityDescriptor):
        species = len(descriptor.species or ()) or species
        features, tuples = descriptor._n_features(species), float(n ** (descriptor.correlation_order or 1))
        return features, 16 * n, min(features / 2, tuples, species * descriptor.n_max * (descriptor.l_max + 1) ** 2)
    if isinstance(descriptor, InverseDistances):
        return n * (n + 1) / 2, 16 * n, n * (n + 1) / 2
    # Eigenvalues and symmetry functions: a few per neighbour, each from all pairs of neighbours.
    return 2 * n, 200 * n**2, 2 * n
