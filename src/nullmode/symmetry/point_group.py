"""Point group of an environment, and the number of displacements that symmetry allows a descriptor to see."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from math import pi, sqrt

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.arguments import check_parity, check_tolerance
from nullmode._support.arrays import read_only
from nullmode._support.shown import Shown
from nullmode._support.types import Bools, Floats, InputError, Integers, Parity
from nullmode.geometry.environment import Environment, check_environment
from nullmode.linalg.rotations import axis_frame, line_axis
from nullmode.symmetry.operations import Operations, largest_group, multiplying, operations_within
from nullmode.symmetry.schoenflies import schoenflies

_FINEST = 1e7
"""Of the traces by which groups are told apart; those of turns by 1/199 and 1/200 of a circle differ by 5e-6."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PointGroup(Shown):
    """All orthogonal operations that permute neighbours of equal species.

    Attributes
    ----------
    name
        Schoenflies symbol; ``C∞v`` and ``D∞h`` for collinear environments, ``Kh`` without neighbours.
    operations, shape (g, 3, 3)
        Orthogonal matrices, which multiply as the permutations do, also where these hold within the tolerance only. A
        continuous group is represented by C3v or D3h: averages of vectors over them are equal.
    proper, shape (g,)
        Whether each operation is a rotation.
    permutations, shape (g, n)
        Operation k takes neighbour j to where neighbour permutations[k, j] is.
    deviation
        Largest distance between a moved neighbour and its image, in Å, each operation fitted to all neighbours; at most
        the tolerance.
    axis, shape (3,)
        Unit vector along a collinear environment; None for all other environments.
    tolerance
        In Å.
    """

    name: str
    operations: Floats
    proper: Bools
    permutations: Integers
    deviation: float
    axis: Floats | None
    tolerance: float

    def __len__(self) -> int:
        return len(self.operations)


def point_group(environment: Environment, tolerance: float = 1e-6) -> PointGroup:
    """Find the point group of an environment: operations that keep the centre and permute neighbours of equal species.

    Parameters
    ----------
    environment
        Any number of neighbours; the species of the centre does not matter.
    tolerance
        Largest distance between a moved neighbour and its image, in Å.

    Raises
    ------
    InputError
        For a tolerance that is not a positive length, or so large that it confuses neighbours.
    """
    check_environment(environment)
    tolerance = check_tolerance(tolerance)
    vectors, species = environment.vectors, environment.species
    if len(vectors) == 0:
        identity = np.array([np.eye(3), -np.eye(3)])
        none = np.zeros((2, 0), dtype=np.int64)
        return PointGroup(
            name="Kh",
            operations=identity,
            proper=np.array([True, False]),
            permutations=none,
            deviation=0.0,
            axis=None,
            tolerance=tolerance,
        )
    largest = largest_tolerance(vectors)
    if tolerance > largest:
        raise InputError(
            f"`tolerance` must be at most a quarter of the smallest distance, {largest:.2e} Å, got {tolerance}. "
            "Use a smaller one."
        )
    axis = line_axis(vectors, tolerance)
    if axis is not None:
        return _of_line(vectors, species, axis, tolerance)
    return _of(operations_within(vectors, species, tolerance), tolerance)


class PointGroups:
    """The point groups of an environment at all tolerances up to a largest one, in Å, from one search for operations.

    Between the deviations of two operations there is one group.
    """

    def __init__(self, environment: Environment, largest: float) -> None:
        self.environment, self.largest = environment, largest
        # Near a line, what holds depends on the tolerance in another way.
        self._is_bent = len(environment) > 1 and line_axis(environment.vectors, largest) is None
        self._operations: Operations | None = None
        self._deviations: list[float] = []
        self._known: dict[int, PointGroup] = {}

    def at(self, tolerance: float) -> PointGroup:
        """Give what :func:`point_group` gives, but its ``tolerance`` may be another one with the same operations."""
        if not self._is_bent or not tolerance <= self.largest:
            return point_group(self.environment, tolerance)
        if self._operations is None:
            self._operations = operations_within(self.environment.vectors, self.environment.species, self.largest)
            self._deviations = sorted(self._operations.deviations.tolist())
        count = bisect_right(self._deviations, tolerance)
        if count not in self._known:
            self._known[count] = _of(self._operations.within(tolerance), tolerance)
        return self._known[count]


def _of(accepted: Operations, tolerance: float) -> PointGroup:
    """Make a group of operations that may not all be closed under multiplication."""
    group = largest_group(accepted)
    group = group._replace(operations=multiplying(group))
    return _made(_named(group.operations, group.proper), group, None, tolerance)


def _made(name: str, group: Operations, axis: Floats | None, tolerance: float) -> PointGroup:
    return PointGroup(
        name=name,
        operations=group.operations,
        proper=group.proper,
        permutations=group.permutations,
        deviation=float(group.deviations.max()),
        axis=axis,
        tolerance=tolerance,
    )


def _of_line(vectors: Floats, species: Integers, axis: Floats, tolerance: float) -> PointGroup:
    """Find the operations of D3h that hold; what is called a line has all of one, whatever its deviations across it."""
    frame = axis_frame(axis)
    straight = np.outer(vectors @ axis, axis)
    candidates = frame.T @ line_operations() @ frame
    half_squares = np.where(species[:, None] == species, (straight**2).sum(axis=1) / 2, np.inf)
    moved = straight @ np.swapaxes(candidates, 1, 2)
    # The nearest b to a has the least b²/2 - a·b.
    images = (half_squares - moved @ straight.T).argmin(axis=2)
    missed = np.linalg.norm(moved - straight[images], axis=2).max(axis=1)
    held = (missed <= tolerance) & (np.sort(images, axis=1) == np.arange(len(vectors))).all(axis=1)
    candidates, images, missed = candidates[held], images[held], missed[held]
    candidates[0], missed[0] = np.eye(3), 0.0
    group = largest_group(Operations(candidates, np.linalg.det(candidates) > 0, images, missed))
    # With deviations near the tolerance, some operations of a line are missing; the others form a finite group.
    name = {6: "C∞v", 12: "D∞h"}.get(len(group.operations)) or schoenflies(group.operations)
    return _made(name, group, axis, tolerance)


def displacement_representation(group: PointGroup) -> Floats:
    """Matrices by which the operations move displacements of the neighbours, shape (g, 3 n, 3 n)."""
    g, n = group.permutations.shape
    result = np.zeros((g, n, 3, n, 3))
    for k in range(g):
        result[k, group.permutations[k], :, np.arange(n), :] = group.operations[k]
    return result.reshape(g, 3 * n, 3 * n)


def symmetric_projector(group: PointGroup) -> Floats:
    """Projector on the displacements that no operation changes, shape (3 n, 3 n)."""
    return np.asarray(displacement_representation(group).mean(axis=0), dtype=np.float64)


def proper(group: PointGroup) -> PointGroup:
    """Keep the rotations alone: features that include pseudoscalars are invariant under these only."""
    kept = group.proper
    return replace(group, operations=group.operations[kept], proper=kept[kept], permutations=group.permutations[kept])


def rank_symmetric(environment: Environment, parity: Parity = "O3", tolerance: float = 1e-6) -> int:
    """Count the displacements that symmetry allows features to see at first order.

    Totally symmetric displacements minus totally symmetric rotations, (1/|G|) sum_g [chi(g) - chi_rot(g)] with
    chi(g) = (neighbours left in place)·tr g and chi_rot(g) = det(g) tr g.

    Parameters
    ----------
    environment
        Any.
    parity
        ``O3`` for features that do not change under reflections; ``SO3`` for features that include pseudoscalars, for
        which only the proper operations count.
    tolerance
        Of the point group, in Å.
    """
    check_parity(parity)
    return count_symmetric(point_group(environment, tolerance), parity)


def count_symmetric(group: PointGroup, parity: Parity) -> int:
    """Do as :func:`rank_symmetric`, given the point group."""
    g, n = group.operations, group.permutations.shape[1]
    if n == 0:
        return 0
    fixed = (group.permutations == np.arange(n)).sum(axis=1)
    characters = fixed * np.trace(g, axis1=1, axis2=2) - rotation_characters(group)
    return mean_character(characters, group.proper, parity)


def rotation_characters(group: PointGroup) -> Floats:
    """Characters of the rigid rotations, det(g) tr g, shape (g,); on a line, without the rotation about its axis."""
    g = group.operations
    sign = np.where(group.proper, 1.0, -1.0)
    rotation: Floats = sign * np.trace(g, axis1=1, axis2=2)
    if group.axis is not None:
        rotation -= sign * np.einsum("i,gij,j->g", group.axis, g, group.axis)
    return rotation


def mean_character(characters: Floats, proper: Bools, parity: Parity) -> int:
    """Count the invariants of a representation, from the character of each operation of the group."""
    terms = characters if parity == "O3" else characters[proper]
    return round(float(terms.mean()))


def largest_tolerance(vectors: Floats) -> float:
    """Largest tolerance in Å at which atoms stay distinct: a quarter of the smallest distance, centre included."""
    return _closest(read_only(vectors)) / 4


@kernel
def _closest(vectors: Floats) -> float:
    """Smallest distance between two of the vectors, or of one from the origin; infinite without any."""
    least = np.inf
    for i in range(vectors.shape[0]):
        x, y, z = vectors[i, 0], vectors[i, 1], vectors[i, 2]
        least = min(least, x * x + y * y + z * z)
        for j in range(i):
            square = (x - vectors[j, 0]) ** 2 + (y - vectors[j, 1]) ** 2 + (z - vectors[j, 2]) ** 2
            least = min(least, square)
    return sqrt(least)


def line_operations() -> Floats:
    """Operations of D3h about z, which represents the continuous group of a line; shape (12, 3, 3)."""
    angle = 2 * pi / 3 * np.arange(3)
    turns = np.zeros((3, 3, 3))
    turns[:, 0, 0] = turns[:, 1, 1] = np.cos(angle)
    turns[:, 0, 1], turns[:, 1, 0] = -np.sin(angle), np.sin(angle)
    turns[:, 2, 2] = 1
    group = np.concatenate([turns, turns @ np.diag([1.0, -1, 1])])
    return np.concatenate([group, group @ np.diag([1.0, 1, -1])])


_NAMES: dict[bytes, str] = {}


def _named(operations: Floats, proper: Bools) -> str:
    """Name a group; that of the same rotation angles, with and without reflection, is remembered."""
    traces = np.rint(_FINEST * np.trace(operations, axis1=1, axis2=2)).astype(np.int64)
    key = np.sort(2 * traces + proper).tobytes()
    if key not in _NAMES:
        _NAMES[key] = schoenflies(operations)
    return _NAMES[key]
