"""More symmetric environments close to a given one: the symmetry that it nearly has, and the distance to it."""

from dataclasses import dataclass, replace

import numpy as np

from nullmode._support.shown import Shown
from nullmode._support.types import Bools, Floats, Integers
from nullmode.geometry.environment import Environment
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.linalg.rotations import closest_operation
from nullmode.symmetry.operations import operations_within
from nullmode.symmetry.point_group import PointGroup, largest_tolerance, point_group, symmetric_projector

_STEP = 1.5
_ROUNDS = 100
_EXACT = 1e-13
# Smallest over largest singular value of all vectors.
_FLAT = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Symmetrized(Shown):
    """A more symmetric environment, rotated to be as close to the original as possible, and its exact point group.

    `distance` is the displacement of all neighbours from the original to it, sqrt(sum |dr_j|²), in Å.
    """

    group: PointGroup
    environment: Environment
    distance: float

    def broken(self, modes: Floats) -> Floats:
        """Share of each mode's square that is not totally symmetric here; shape (k,) for modes (k, n, 3)."""
        flat = modes.reshape(len(modes), -1)
        kept = flat @ symmetric_projector(self.group)
        return np.asarray(1 - (kept**2).sum(axis=1) / (flat**2).sum(axis=1))


def are_generic(environments: EnvironmentSet, length: float, without_operations: float) -> Bools:
    """Find, of environments with equally many neighbours, those in which nothing is equivalent; shape (m,).

    Within `length`, in Å, no operation but the identity holds, the distances of no two neighbours of a species are
    equal, and the neighbours are in no plane. Nor does an operation hold within `without_operations`, in Å.
    """
    m = len(environments)
    n = len(environments.vectors) // m
    if n < 3:
        return np.zeros(m, dtype=bool)
    lengths = generic_lengths(environments.vectors.reshape(m, n, 3), environments.species.reshape(m, n))
    result = np.asarray(lengths > length)
    for i in np.flatnonzero(result & (lengths <= without_operations)):
        rows = slice(i * n, (i + 1) * n)
        vectors, species = environments.vectors[rows], environments.species[rows]
        most = min(without_operations, largest_tolerance(vectors))
        result[i] = len(operations_within(vectors, species, most).proper) == 1
    return result


def generic_lengths(vectors: Floats, species: Integers) -> Floats:
    """Find up to which length, in Å, m environments (m, n, 3) are generic, shape (m,); 0 where that is not certain.

    No operation but the identity holds within it, and no two neighbours of a species, shape (m, n), are at distances
    that differ by less.
    """
    n = vectors.shape[1]
    gram = vectors @ np.swapaxes(vectors, 1, 2)
    squares = np.diagonal(gram, axis1=1, axis2=2)
    radius = np.sqrt(squares)
    order = np.lexsort((radius, species))
    steps = np.diff(np.take_along_axis(radius, order, 1))
    same = np.diff(np.take_along_axis(species, order, 1)) == 0
    gap = np.where(same, steps, np.inf).min(axis=1)
    apart = squares[:, :, None] + squares[:, None] - 2 * gram + np.where(np.eye(n), np.inf, 0.0)
    closest = np.minimum(np.sqrt(np.maximum(apart.min(axis=(1, 2)), 0.0)), radius.min(axis=1))
    values = np.linalg.svd(vectors, compute_uv=False)
    turned = values[:, -1] / np.sqrt(n) * np.minimum(1.0, closest / 2 / radius.max(axis=1))
    # Of a flat environment, what geometry lets be seen is a question of rounding.
    flat = values[:, -1] < _FLAT * values[:, 0]
    return np.where(flat, 0.0, np.minimum(np.minimum(gap, turned), closest / 4))


def nearly_symmetric(environment: Environment, tolerance: float = 1e-6) -> list[Symmetrized]:
    """Find the more symmetric environments near a given one, nearest first.

    The tolerance of the point group is raised by factors of 1.5 up to a quarter of the smallest distance. Where the
    group grows, each neighbour is replaced by the mean of its images under the operations, until these hold exactly.

    One is given for each number of operations. Deviations within the tolerance, in Å, count as the symmetry that the
    environment already has.
    """
    own = len(point_group(environment, tolerance))
    most = largest_tolerance(environment.vectors)
    nearest: dict[int, Symmetrized] = {}
    length = tolerance
    while length < most:
        length = min(length * _STEP, most)
        group = point_group(environment, length)
        # With deviations near the tolerance, some operations of a line are missing.
        whole = group.axis is None or "∞" in group.name
        if len(group) > own and whole and len(group) not in nearest:
            made = _symmetrized(environment, group)
            if made is not None:
                nearest[len(group)] = made
    return sorted(nearest.values(), key=lambda symmetrized: symmetrized.distance)


def _symmetrized(environment: Environment, group: PointGroup) -> Symmetrized | None:
    vectors, operations = environment.vectors, group.operations
    for _ in range(_ROUNDS):
        # Operation g takes neighbour j to its image; the inverse of g takes the image to where j should be.
        back = np.einsum("gnx,gxy->gny", vectors[group.permutations], operations)
        vectors = back.mean(axis=0)
        deviation = np.abs(back - vectors).max()
        if group.axis is not None or deviation < _EXACT * np.abs(vectors).max():
            break
        signs = np.where(np.linalg.det(operations) > 0, 1, -1)
        operations = closest_operation(vectors, vectors[group.permutations], signs)
    else:
        return None
    turn = closest_operation(vectors, environment.vectors, 1)
    turned = vectors @ turn.T
    turned.setflags(write=False)
    exact = replace(group, operations=turn @ operations @ turn.T, deviation=0.0)
    return Symmetrized(
        group=exact,
        environment=replace(environment, vectors=turned),
        distance=float(np.linalg.norm(turned - environment.vectors)),
    )
