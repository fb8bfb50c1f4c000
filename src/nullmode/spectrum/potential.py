"""What any potential sees of a structure: sums of Jacobians over the centres whose features are equal.

A potential is E = sum_i g_s(phi_i) with a smooth function g for each species s of the centre. Centres of one species
with equal features have one gradient of g; of distinct features, the gradients can be anything. So the forces that some
potential on these features gives are the row space of the sums of J_i over such classes of centres, below each other.
"""

from dataclasses import dataclass

import numpy as np

from nullmode._support.arguments import as_real
from nullmode._support.shown import Shown
from nullmode._support.types import Floats, InputError, Integers
from nullmode.descriptors._base import Descriptor
from nullmode.linalg.stacked import StackedFactor
from nullmode.spectrum.whole_structure import Structure, SummedJacobian, class_sums, strains

EQUAL = 1e-6
"""Features whose distance, over the larger norm, is up to this are equal, where no other tolerance is given."""
_UNSURE = 100.0
# Environments whose Jacobians are in memory at a time.
_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FeatureClasses(Shown):
    """The centres of a structure, by species and equal features.

    Attributes
    ----------
    labels, shape (m,)
        Class of each centre, from 0; classes are ordered by their first centre.
    spread, gap
        Relative feature distances, of centres of one species: the classes are the same for all tolerances from `spread`
        up to `gap`. 0 and infinity where no distance says so.
    tolerance
        The relative feature distance up to which features are equal.
    """

    labels: Integers
    spread: float
    gap: float
    tolerance: float

    @property
    def ambiguous(self) -> bool:
        """Whether another tolerance, at most a hundred times larger or smaller, gives other classes.

        Features that are nearly equal, with different Jacobians, demand a steep potential.
        """
        return self.gap < _UNSURE * self.tolerance or self.spread > self.tolerance / _UNSURE


def equal_features(features: list[Floats], species: Integers, tolerance: float = EQUAL) -> FeatureClasses:
    """Find the centres of one species with equal features; those in a chain of equal ones count as equal.

    Parameters
    ----------
    features
        Of each centre, shape (F,).
    species, shape (m,)
        Atomic number of each centre.
    tolerance
        Features are equal if their distance, over the larger of their norms, is up to this.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    labels = np.empty(len(species), dtype=np.int64)
    first, spread, gap = 0, 0.0, np.inf
    for number in np.unique(species):
        members = np.flatnonzero(species == number)
        if len(members) == 1:
            labels[members] = first
            first += 1
            continue
        table = np.array([features[k] for k in members])
        lengths = np.linalg.norm(table, axis=1)
        i, j = np.triu_indices(len(members), 1)
        distances = pdist(table) / np.maximum(np.maximum(lengths[i], lengths[j]), np.finfo(np.float64).tiny)
        # No distance is larger than 2; where features are not finite, nothing is equal.
        tree = linkage(np.where(np.isfinite(distances), distances, 2.0), "single")
        joined = tree[:, 2]
        spread = max(spread, joined[joined <= tolerance].max(initial=0.0))
        gap = min(gap, joined[joined > tolerance].min(initial=np.inf))
        labels[members] = first + fcluster(tree, tolerance, "distance") - 1
        first = labels[members].max() + 1
    _, earliest, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return FeatureClasses(
        labels=np.argsort(np.argsort(earliest))[inverse], spread=float(spread), gap=float(gap), tolerance=tolerance
    )


def check_feature_tolerance(tolerance: float, name: str = "feature_tolerance") -> None:
    """Refuse anything but a number between 0 and 1."""
    if not 0 < as_real(tolerance) < 1:
        raise InputError(f"`{name}` must be between 0 and 1, got {tolerance!r}.")


def classes_of(structure: Structure, descriptor: Descriptor, tolerance: float = EQUAL) -> FeatureClasses:
    """Do as :func:`equal_features` for the centres of a structure, by a descriptor with a fixed layout."""
    environments = structure.environments
    features = [
        phi
        for start in range(0, len(environments), _AT_ONCE)
        for phi in descriptor.compute_batch(environments[start : start + _AT_ONCE])
    ]
    species = np.array([environment.center_species for environment in environments], dtype=np.int64)
    return equal_features(features, species, tolerance)


def potential_jacobian(structure: Structure, descriptor: Descriptor, classes: FeatureClasses) -> SummedJacobian:
    """Reduce the sums of the Jacobians over the classes, below each other, to their triangular factor.

    Its shape is (f, N, 3), f at most 3 N and the number of strains; memory is O((3 N)²), for any number of centres and
    features. The features are left out.
    """
    n_atoms, strained = len(structure.positions), strains(structure)
    stack = StackedFactor(3 * n_atoms + len(strained))
    last = 3 * n_atoms + np.arange(len(strained))
    terms = noise = error = 0.0
    for each in class_sums(structure.environments, classes.labels, descriptor, strained):
        columns = np.append((3 * each.atoms[:, None] + np.arange(3)).ravel(), last)
        stack.add(np.column_stack([each.jacobian.reshape(len(each.jacobian), -1), each.strain]), columns)
        # Rows below each other: squares add up.
        terms, error, noise = np.hypot(terms, each.terms), np.hypot(error, each.error), max(noise, each.noise)
    triangle = stack.triangle()
    jacobian = np.ascontiguousarray(triangle[:, : 3 * n_atoms]).reshape(len(triangle), n_atoms, 3)
    return SummedJacobian(np.empty(0), jacobian, triangle[:, 3 * n_atoms :], terms, noise, error)
