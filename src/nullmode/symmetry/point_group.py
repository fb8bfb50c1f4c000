"""Point group of an environment, and the number of displacements that symmetry allows a descriptor to see."""

from dataclasses import dataclass, replace
from math import pi

import numpy as np

from nullmode._support.arguments import check_parity, check_tolerance
from nullmode._support.types import Floats, InputError, Integers, Parity
from nullmode.geometry.environment import Environment, check_environment
from nullmode.linalg.rotations import axis_frame, closest_operation, line_axis, pair_operations
from nullmode.symmetry.schoenflies import schoenflies

# A candidate operation comes from two vectors alone, so it may miss by this multiple of the tolerance before it is
# refined on all vectors.
_LOOSE = 50.0
_CANDIDATES_AT_ONCE = 512
# Operations that multiply this well are a group to rounding.
_EXACT = 1e-13
_ROUNDS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointGroup:
    """All orthogonal operations that permute neighbours of equal species.

    Attributes
    ----------
    name
        Schoenflies symbol; ``C∞v`` and ``D∞h`` for collinear environments, ``Kh`` without neighbours.
    operations, shape (g, 3, 3)
        Orthogonal matrices, which multiply as the permutations do, also where these hold within the tolerance only. A
        continuous group is represented by C3v or D3h: averages of vectors over them are equal.
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
            name="Kh", operations=identity, permutations=none, deviation=0.0, axis=None, tolerance=tolerance
        )
    largest = largest_tolerance(vectors)
    if tolerance > largest:
        raise InputError(
            f"`tolerance` must be at most a quarter of the smallest distance, {largest:.2e} Å, got {tolerance}. "
            "Use a smaller one."
        )
    axis = line_axis(vectors, tolerance)
    # What is called a line has all operations of one, whatever its deviations across it.
    straight = vectors if axis is None else np.outer(vectors @ axis, axis)
    if axis is None:
        candidates = _candidates(vectors, species, tolerance)
    else:
        frame = axis_frame(axis)
        candidates = frame.T @ line_operations() @ frame
    operations, permutations, deviations = largest_group(
        *_accepted(candidates, straight, species, tolerance, fixed=axis is not None)
    )
    # With deviations near the tolerance, some operations of a line are missing; the others form a finite group.
    line = {6: "C∞v", 12: "D∞h"}.get(len(operations)) if axis is not None else None
    if axis is None:
        operations = _multiplying(operations, permutations)
    return PointGroup(
        name=line or schoenflies(operations),
        operations=operations,
        permutations=permutations,
        deviation=float(deviations.max()),
        axis=axis,
        tolerance=tolerance,
    )


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
    kept = np.linalg.det(group.operations) > 0
    return replace(group, operations=group.operations[kept], permutations=group.permutations[kept])


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
    return mean_character(g, fixed * np.trace(g, axis1=1, axis2=2) - rotation_characters(group), parity)


def rotation_characters(group: PointGroup) -> Floats:
    """Characters of the rigid rotations, det(g) tr g, shape (g,); on a line, without the rotation about its axis."""
    g = group.operations
    sign = np.sign(np.linalg.det(g))
    rotation: Floats = sign * np.trace(g, axis1=1, axis2=2)
    if group.axis is not None:
        rotation -= sign * np.einsum("i,gij,j->g", group.axis, g, group.axis)
    return rotation


def mean_character(operations: Floats, characters: Floats, parity: Parity) -> int:
    """Count the invariants of a representation, from the character of each operation of the group."""
    terms = characters if parity == "O3" else characters[np.linalg.det(operations) > 0]
    return round(float(terms.mean()))


def largest_tolerance(vectors: Floats) -> float:
    """Largest tolerance in Å at which atoms stay distinct: a quarter of the smallest distance, centre included."""
    from scipy.spatial.distance import pdist

    closest = min(pdist(vectors).min(initial=np.inf), np.linalg.norm(vectors, axis=1).min(initial=np.inf))
    return float(closest) / 4


def line_operations() -> Floats:
    """Operations of D3h about z, which represents the continuous group of a line; shape (12, 3, 3)."""
    angle = 2 * pi / 3 * np.arange(3)
    turns = np.zeros((3, 3, 3))
    turns[:, 0, 0] = turns[:, 1, 1] = np.cos(angle)
    turns[:, 0, 1], turns[:, 1, 0] = -np.sin(angle), np.sin(angle)
    turns[:, 2, 2] = 1
    group = np.concatenate([turns, turns @ np.diag([1.0, -1, 1])])
    return np.concatenate([group, group @ np.diag([1.0, 1, -1])])


def _candidates(vectors: Floats, species: Integers, tolerance: float) -> Floats:
    """Every orthogonal matrix that takes one chosen pair of neighbours to an equivalent pair; shape (m, 3, 3)."""
    gram = vectors @ vectors.T
    length = np.sqrt(np.diag(gram))
    slack = _LOOSE * tolerance
    like = (species[:, None] == species) & (np.abs(length[:, None] - length) <= slack)
    first = int(np.argmin(like.sum(axis=1)))
    sine = np.linalg.norm(np.cross(vectors[first], vectors), axis=1) / length
    # With a wide angle, errors of the pair are not enlarged at other neighbours; with few like it, candidates are few.
    wide = sine >= 0.5 * sine.max()
    second = int(np.argmin(np.where(wide, like.sum(axis=1), len(vectors) + 1)))
    images = np.argwhere(
        like[first][:, None]
        & like[second]
        & (np.abs(gram - gram[first, second]) <= slack * (length[first] + length[second]))
    )
    apart = np.linalg.norm(np.cross(vectors[images[:, 0]], vectors[images[:, 1]]), axis=1) > tolerance
    images = images[apart]
    pair = vectors[None, first], vectors[None, second]
    return pair_operations(pair, (vectors[images[:, 0]], vectors[images[:, 1]]))


def _accepted(
    candidates: Floats, vectors: Floats, species: Integers, tolerance: float, *, fixed: bool
) -> tuple[Floats, Integers, Floats]:
    """Operations that permute the neighbours, each refined on all neighbours unless `fixed`, and deviations in Å."""
    n = len(vectors)
    accepted: dict[bytes, tuple[Floats, Integers, float]] = {}
    half_squares = np.where(species[:, None] == species, (vectors**2).sum(axis=1) / 2, np.inf)
    spread = _LOOSE * tolerance + 1e-9
    for start in range(0, len(candidates), _CANDIDATES_AT_ONCE):
        chunk = candidates[start : start + _CANDIDATES_AT_ONCE]
        moved = vectors @ np.swapaxes(chunk, 1, 2)
        # The nearest b to a has the least b²/2 - a·b.
        permutation = (half_squares - moved @ vectors.T).argmin(axis=2)
        near = np.linalg.norm(moved - vectors[permutation], axis=2).max(axis=1) <= spread
        bijective = (np.sort(permutation, axis=1) == np.arange(n)).all(axis=1)
        for k in np.flatnonzero(near & bijective):
            operation = chunk[k] if fixed else closest_like(vectors, vectors[permutation[k]], chunk[k])
            deviation = np.linalg.norm(vectors @ operation.T - vectors[permutation[k]], axis=1).max()
            if deviation <= tolerance:
                key = permutation[k].tobytes() + np.round(operation, 3).tobytes() * fixed
                key += bytes([bool(np.linalg.det(operation) > 0)])
                accepted.setdefault(key, (operation, permutation[k], float(deviation)))
    # The identity comes first, exact and whatever the tolerance.
    identity = (np.eye(3), np.arange(n), 0.0)
    others = [each for each in accepted.values() if not ((each[1] == identity[1]).all() and np.trace(each[0]) > 2.99)]
    operations, permutations, deviations = zip(identity, *others, strict=True)
    return np.array(operations), np.array(permutations), np.array(deviations)


def closest_like(source: Floats, target: Floats, operation: Floats) -> Floats:
    """Operation that takes source closest to target, with the determinant of a given one."""
    return closest_operation(source, target, 1 if np.linalg.det(operation) > 0 else -1)


def largest_group(operations: Floats, permutations: Integers, deviations: Floats) -> tuple[Floats, Integers, Floats]:
    """Drop the operations of largest deviation, but never the first, until the rest form a group."""
    while not _closed(permutations, operations):
        # With deviations near the tolerance, the product of two accepted operations may have been refused.
        keep = deviations < deviations.max()
        keep[0] = True
        operations, permutations, deviations = operations[keep], permutations[keep], deviations[keep]
    return operations, permutations, deviations


def _multiplying(operations: Floats, permutations: Integers) -> Floats:
    """Operations near the given ones that multiply as their permutations and determinants do.

    Each is replaced by the orthogonal matrix closest to the mean of all products that should equal it, until all do.
    """
    keys, products = _keys(permutations, operations)
    order = np.argsort(keys)
    # operations[table[a, b]] should be operations[a] @ operations[b].
    table = order[np.searchsorted(keys, products, sorter=order)]
    for _ in range(_ROUNDS):
        if np.abs(operations[:, None] @ operations - operations[table]).max() < _EXACT:
            break
        u, _, v = np.linalg.svd((operations[table] @ np.swapaxes(operations, 1, 2)).mean(axis=1))
        operations = u @ v
    return operations


def _closed(permutations: Integers, operations: Floats) -> bool:
    """Whether every product of two operations is among them; compared by permutation and determinant."""
    keys, products = _keys(permutations, operations)
    return bool(np.isin(products, keys).all())


def _keys(permutations: Integers, operations: Floats) -> tuple[Integers, Integers]:
    """One number for each operation, and for each product of two, shapes (g,) and (g, g).

    It is the sum of the images with random weights, negative for improper operations.
    """
    weights = np.random.default_rng(0).integers(1, 2**40, size=permutations.shape[1])
    proper = np.linalg.det(operations) > 0
    products = permutations[:, permutations] @ weights * np.where(proper[:, None] == proper, 1, -1)
    return np.asarray(permutations @ weights * np.where(proper, 1, -1)), np.asarray(products)
