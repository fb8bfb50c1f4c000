"""Point group of an environment, and how many displacements keep it: what symmetry allows a descriptor to see."""

from dataclasses import dataclass, replace
from math import pi

import numpy as np

from nullmode._support.arguments import check_parity, check_tolerance
from nullmode._support.types import Floats, InputError, Integers, Parity
from nullmode.geometry.environment import Environment, check_environment
from nullmode.linalg.householder import COLLINEAR
from nullmode.linalg.rotations import axis_frame, closest_operation, pair_operations
from nullmode.symmetry.schoenflies import schoenflies

# Candidates are made from two vectors alone; what passes within this multiple of the tolerance is refined on all.
_LOOSE = 50.0
_CANDIDATES_AT_ONCE = 512


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointGroup:
    """All orthogonal operations that permute neighbours of equal species.

    Attributes
    ----------
    name
        Schoenflies symbol; ``C∞v`` and ``D∞h`` for collinear environments, ``Kh`` without neighbours.
    operations, shape (g, 3, 3)
        Orthogonal matrices; of a continuous group, those of C3v or D3h, over which vectors average alike.
    permutations, shape (g, n)
        Operation k takes neighbour j to where neighbour permutations[k, j] is.
    deviation
        Largest distance between a moved neighbour and its image, in Å; at most the tolerance.
    axis, shape (3,)
        Unit vector along a collinear environment; None for others.
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
    """Find the point group of an environment: the centre stays, neighbours may change places with their like.

    Parameters
    ----------
    environment
        Any number of neighbours; the centre's species plays no part.
    tolerance
        Largest distance between a moved neighbour and its image, in Å.

    Raises
    ------
    InputError
        For a tolerance that is no positive length, or so large that neighbours cannot be told apart.
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
    _check_apart(vectors, tolerance)
    axis = _line(vectors, tolerance)
    candidates = _candidates(vectors, species, tolerance) if axis is None else _line_candidates(axis)
    operations, permutations, deviations = largest_group(
        *_accepted(candidates, vectors, species, tolerance, fixed=axis is not None)
    )
    # Near the tolerance a line may lack part of its operations; what is left has a finite name.
    line = {6: "C∞v", 12: "D∞h"}.get(len(operations)) if axis is not None else None
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
    """Projector on the displacements that every operation leaves as they are, shape (3 n, 3 n)."""
    return np.asarray(displacement_representation(group).mean(axis=0), dtype=np.float64)


def proper(group: PointGroup) -> PointGroup:
    """Keep the rotations: what features that keep pseudoscalars are invariant under."""
    kept = np.linalg.det(group.operations) > 0
    return replace(group, operations=group.operations[kept], permutations=group.permutations[kept])


def rank_symmetric(environment: Environment, parity: Parity = "O3", tolerance: float = 1e-6) -> int:
    """Count the displacements that features may see to first order without breaking a selection rule.

    Totally symmetric displacements minus totally symmetric rotations, (1/|G|) sum_g [chi(g) - chi_rot(g)] with
    chi(g) = (neighbours left in place)·tr g and chi_rot(g) = det(g) tr g.

    Parameters
    ----------
    environment
        Any.
    parity
        ``O3`` for features that reflections leave as they are; ``SO3`` for those that keep pseudoscalars, where only
        the proper operations count.
    tolerance
        Of the point group, in Å.
    """
    check_parity(parity)
    return count_symmetric(point_group(environment, tolerance), environment.vectors, parity)


def count_symmetric(group: PointGroup, vectors: Floats, parity: Parity) -> int:
    """Do as :func:`rank_symmetric` for a group that is known already."""
    if len(vectors) == 0:
        return 0
    g = group.operations
    fixed = (group.permutations == np.arange(group.permutations.shape[1])).sum(axis=1)
    return mean_character(g, fixed * np.trace(g, axis1=1, axis2=2) - rotation_characters(group), parity)


def rotation_characters(group: PointGroup) -> Floats:
    """Characters of the rigid rotations that move something, det(g) tr g or less on a line, shape (g,)."""
    g = group.operations
    sign = np.sign(np.linalg.det(g))
    rotation: Floats = sign * np.trace(g, axis1=1, axis2=2)
    if group.axis is not None:
        rotation -= sign * np.einsum("i,gij,j->g", group.axis, g, group.axis)
    return rotation


def mean_character(operations: Floats, characters: Floats, parity: Parity) -> int:
    """Count the invariants of a representation, given the character of each operation of a group."""
    terms = characters if parity == "O3" else characters[np.linalg.det(operations) > 0]
    return round(float(terms.mean()))


def largest_tolerance(vectors: Floats) -> float:
    """Length in Å above which neighbours, or one and the centre, cannot be told apart; a quarter of their distance."""
    from scipy.spatial.distance import pdist

    closest = min(pdist(vectors).min(initial=np.inf), np.linalg.norm(vectors, axis=1).min(initial=np.inf))
    return float(closest) / 4


def _check_apart(vectors: Floats, tolerance: float) -> None:
    largest = largest_tolerance(vectors)
    if tolerance > largest:
        raise InputError(
            f"`tolerance` must be at most a quarter of the smallest distance, {largest:.2e} Å, got {tolerance}. "
            "Use a smaller one."
        )


def _line(vectors: Floats, tolerance: float) -> Floats | None:
    """Direction of a collinear environment, or None."""
    farthest = vectors[np.argmax((vectors**2).sum(axis=1))]
    axis: Floats = farthest / np.linalg.norm(farthest)
    away = np.linalg.norm(np.cross(vectors, axis), axis=1)
    return axis if away.max() <= max(tolerance, COLLINEAR * np.linalg.norm(farthest)) else None


def _line_candidates(axis: Floats) -> Floats:
    frame = axis_frame(axis)
    angle = 2 * pi / 3 * np.arange(3)
    turns = np.zeros((3, 3, 3))
    turns[:, 0, 0] = turns[:, 1, 1] = np.cos(angle)
    turns[:, 0, 1], turns[:, 1, 0] = -np.sin(angle), np.sin(angle)
    turns[:, 2, 2] = 1
    group = np.concatenate([turns, turns @ np.diag([1.0, -1, 1])])
    group = np.concatenate([group, group @ np.diag([1.0, 1, -1])])
    return np.asarray(frame.T @ group @ frame)


def _candidates(vectors: Floats, species: Integers, tolerance: float) -> Floats:
    """Every orthogonal matrix that takes one chosen pair of neighbours to a pair like it; shape (m, 3, 3)."""
    gram = vectors @ vectors.T
    length = np.sqrt(np.diag(gram))
    slack = _LOOSE * tolerance
    like = (species[:, None] == species) & (np.abs(length[:, None] - length) <= slack)
    first = int(np.argmin(like.sum(axis=1)))
    sine = np.linalg.norm(np.cross(vectors[first], vectors), axis=1) / length
    # A wide angle carries the tolerance to the other neighbours without enlarging it; few alike, few candidates.
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
    """Operations that permute the neighbours, refined on all of them unless fixed, and their deviations in Å."""
    n = len(vectors)
    found: dict[bytes, tuple[Floats, Integers, float]] = {}
    half_squares = np.where(species[:, None] == species, (vectors**2).sum(axis=1) / 2, np.inf)
    spread = _LOOSE * tolerance + 1e-9
    for start in range(0, len(candidates), _CANDIDATES_AT_ONCE):
        part = candidates[start : start + _CANDIDATES_AT_ONCE]
        moved = vectors @ np.swapaxes(part, 1, 2)
        # The nearest b to a has the least b²/2 - a·b.
        permutation = (half_squares - moved @ vectors.T).argmin(axis=2)
        near = np.linalg.norm(moved - vectors[permutation], axis=2).max(axis=1) <= spread
        bijective = (np.sort(permutation, axis=1) == np.arange(n)).all(axis=1)
        for k in np.flatnonzero(near & bijective):
            operation = part[k] if fixed else closest_like(vectors, vectors[permutation[k]], part[k])
            deviation = np.linalg.norm(vectors @ operation.T - vectors[permutation[k]], axis=1).max()
            if deviation <= tolerance:
                key = permutation[k].tobytes() + np.round(operation, 3).tobytes() * fixed
                key += bytes([bool(np.linalg.det(operation) > 0)])
                found.setdefault(key, (operation, permutation[k], float(deviation)))
    # First comes the identity, whatever the tolerance.
    same = (np.eye(3), np.arange(n), 0.0)
    rest = [item for item in found.values() if not ((item[1] == same[1]).all() and np.trace(item[0]) > 2.99)]
    operations, permutations, deviations = zip(same, *rest, strict=True)
    return np.array(operations), np.array(permutations), np.array(deviations)


def closest_like(source: Floats, target: Floats, operation: Floats) -> Floats:
    """Operation that takes source closest to target, with the determinant of a given one."""
    return closest_operation(source, target, 1 if np.linalg.det(operation) > 0 else -1)


def largest_group(operations: Floats, permutations: Integers, deviations: Floats) -> tuple[Floats, Integers, Floats]:
    """Drop the worst operations, but never the first, until every product of two is among them."""
    while not _closed(permutations, operations):
        # Near the tolerance some products of accepted operations are not; below the worst of them, all are.
        keep = deviations < deviations.max()
        keep[0] = True
        operations, permutations, deviations = operations[keep], permutations[keep], deviations[keep]
    return operations, permutations, deviations


def _closed(permutations: Integers, operations: Floats) -> bool:
    """Whether every product of two operations is among them, told by what it does to the neighbours and its sign."""
    signs = np.linalg.det(operations) > 0
    # Each permutation is told by one number, a random weighted sum of its images.
    weights = np.random.default_rng(0).integers(1, 2**40, size=permutations.shape[1])
    products = permutations[:, permutations] @ weights * np.where(signs[:, None] == signs, 1, -1)
    return bool(np.isin(products, permutations @ weights * np.where(signs, 1, -1)).all())
