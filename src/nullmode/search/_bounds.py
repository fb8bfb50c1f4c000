"""Limits of a search, as residuals that are zero inside: they do not shift a solution that lies inside."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from nullmode._support.types import Floats
from nullmode.linalg.rotations import closest_operation
from nullmode.symmetry.point_group import PointGroup

Operation = tuple[tuple[int, ...], Literal[1, -1]]
"""A permutation of the neighbours, and +1 for a rotation or -1 for an operation that changes handedness."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounds:
    """Limits of a search from `start`, shape (n, 3), in Å; all but `farthest`, shape (n,), are as in find_singular.

    `closest` is its min_distance, `farthest` its max_radius for each neighbour, `displacement` its max_displacement.
    """

    start: Floats
    closest: float
    farthest: Floats
    displacement: float
    asymmetry: float

    def crossed(self, vectors: Floats, avoided: set[Operation]) -> tuple[Floats, Floats]:
        """How far each limit is crossed, in Å (0 inside), and its derivative: shapes (m,) and (m, 3 n)."""
        n = len(vectors)
        atoms = np.concatenate([vectors, np.zeros((1, 3))])
        first, second = np.triu_indices(n + 1, 1)
        difference = atoms[first] - atoms[second]
        distance = np.linalg.norm(difference, axis=1)
        direction = difference / np.maximum(distance, np.finfo(float).tiny)[:, None]
        pairs = np.arange(len(first))
        near = np.zeros((len(first), n + 1, 3))
        near[pairs, first], near[pairs, second] = -direction, direction
        radius = np.linalg.norm(vectors, axis=1)
        far = np.zeros((n, n, 3))
        far[np.arange(n), np.arange(n)] = vectors / radius[:, None]
        displaced = vectors - self.start
        length = np.linalg.norm(displaced)
        too_symmetric, slope = _symmetry(vectors, avoided, self.asymmetry)
        excess = np.concatenate(
            [self.closest - distance, radius - self.farthest, [length - self.displacement], [too_symmetric]]
        )
        slopes = np.concatenate(
            [
                near[:, :n].reshape(-1, 3 * n),
                far.reshape(-1, 3 * n),
                (displaced / max(length, np.finfo(float).tiny)).reshape(1, -1),
                slope.reshape(1, -1),
            ]
        )
        inside = excess <= 0
        excess[inside], slopes[inside] = 0.0, 0.0
        return excess, slopes


def operations(group: PointGroup) -> set[Operation]:
    """List the operations of a group except the identity, which, for a line, stands for rotations about its axis."""
    proper = np.linalg.det(group.operations) > 0
    named: set[Operation] = {
        (tuple(p), 1 if r else -1) for p, r in zip(group.permutations.tolist(), proper, strict=True)
    }
    return named if group.axis is not None else named - {_turn(group.permutations.shape[1])}


def remainder(vectors: Floats, operation: Operation) -> tuple[float, Floats]:
    """Distance, in Å, from having an operation g with this permutation σ and handedness, and its derivative (n, 3).

    The distance is sqrt(sum |g r_j - r_σ(j)|²) at its least over g (Kabsch, Acta Cryst. A32, 922 (1976)); there its
    derivative is that for constant g. For rotations of a line, g is a third of a turn about the line of best fit.
    """
    permutation, sign = operation
    if operation == _turn(len(vectors)):
        axis = np.linalg.svd(vectors)[2][0]
        aside = vectors - np.outer(vectors @ axis, axis)
        size = float(np.linalg.norm(aside))
        return sqrt(3) * size, sqrt(3) * aside / max(size, np.finfo(float).tiny)
    images = list(permutation)
    g = closest_operation(vectors, vectors[images], sign)
    difference = vectors @ g.T - vectors[images]
    distance = float(np.linalg.norm(difference))
    slope = difference @ g
    np.subtract.at(slope, images, difference)
    return distance, slope / max(distance, np.finfo(float).tiny)


def _turn(n: int) -> Operation:
    return tuple(range(n)), 1


def _symmetry(vectors: Floats, avoided: set[Operation], least: float) -> tuple[float, Floats]:
    """Norm of the amounts that the distances from avoided operations lack, and its derivative (n, 3)."""
    total, slope = 0.0, np.zeros_like(vectors)
    for operation in sorted(avoided):
        distance, change = remainder(vectors, operation)
        lack = max(0.0, least - distance)
        total += lack**2
        slope -= lack * change
    size = sqrt(total)
    return size, slope / max(size, np.finfo(float).tiny)
