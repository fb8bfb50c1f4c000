"""Superposition of two environments: the best rotation and assignment of neighbours, the distance that remains."""

from dataclasses import dataclass
from itertools import permutations, product
from math import factorial, prod, sqrt

import numpy as np

from nullmode._support.arguments import check_tolerance
from nullmode._support.shown import Shown
from nullmode._support.types import Floats, InputError, Integers
from nullmode.geometry.environment import Environment, check_environment
from nullmode.linalg.rotations import closest_operation, pair_operations

# Up to this many assignments, all are tried: six neighbours of one species.
_MOST_ASSIGNMENTS = 720
_SOURCES = 4
_REFINED = 60
_AT_ONCE = 512
_ROUNDS = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Superposition(Shown):
    """The map that takes one environment closest to another: x -> operation @ x.

    Attributes
    ----------
    distance
        Root of the mean squared distance between moved neighbours and their partners, in Å.
    deviation
        Largest of these distances, in Å.
    operation, shape (3, 3)
        Orthogonal matrix.
    permutation, shape (n,)
        Neighbour j of the first goes to neighbour permutation[j] of the second.
    exhaustive
        Whether every assignment of neighbours was tried, so that no closer superposition exists. Otherwise the distance
        is the smallest of those tried; it is exact for congruent environments.
    """

    distance: float
    deviation: float
    operation: Floats
    permutation: Integers
    exhaustive: bool


def superpose(first: Environment, second: Environment, *, reflections: bool = True) -> Superposition:
    """Superpose two environments: centre on centre, each neighbour on one of equal species.

    Rotation and assignment are optimised together. With at most 720 assignments all are tried, each with its best
    rotation (Kabsch, Acta Cryst. A 32, 922 (1976)). With more, the search starts from rotations that take one pair of
    neighbours to another, and alternates between the best assignment and the best rotation; the best result counts.

    Parameters
    ----------
    first, second
        With the same species, centres included. To compare structures without a centre, take vectors from their
        centroids: the best map keeps the centroid.
    reflections
        Whether improper operations are allowed.

    Raises
    ------
    InputError
        For environments of different composition.
    """
    check_environment(first)
    check_environment(second)
    if _composition(first) != _composition(second):
        raise InputError(
            f"`second` must have the composition of `first`, got {second!r} and {first!r}. "
            "Use congruent to ask whether they are equal."
        )
    return _closest(first, second, reflections=reflections, slack=np.inf)


def congruent(first: Environment, second: Environment, tolerance: float = 1e-6, *, reflections: bool = True) -> bool:
    """Tell whether an orthogonal map and a permutation of neighbours take one environment to the other.

    Parameters
    ----------
    first, second
        Any; environments of different composition are not congruent.
    tolerance
        Largest root mean square distance after the best map, in Å; it should be small against distances of neighbours.
    reflections
        Whether mirror images count as congruent.
    """
    check_environment(first)
    check_environment(second)
    return congruence(first, second, check_tolerance(tolerance), reflections=reflections) is not None


def congruence(
    first: Environment, second: Environment, tolerance: float, *, reflections: bool = True
) -> Superposition | None:
    """Find a map as :func:`congruent` does; None if there is none."""
    if _composition(first) != _composition(second) or distance_bound(first, second) > tolerance:
        return None
    slack = sqrt(len(first)) * tolerance
    result = _closest(first, second, reflections=reflections, slack=slack)
    return result if result.distance <= tolerance else None


def distance_bound(first: Environment, second: Environment) -> float:
    """Lower bound of the distance of two environments, in Å, from the lengths of their vectors alone."""
    lengths = [np.linalg.norm(e.vectors, axis=1)[_by_species_and_length(e)] for e in (first, second)]
    return float(np.sqrt(np.mean((lengths[0] - lengths[1]) ** 2))) if len(first) else 0.0


def _composition(environment: Environment) -> tuple[int, ...]:
    return (environment.center_species, *np.sort(environment.species).tolist())


def _by_species_and_length(environment: Environment) -> Integers:
    return np.lexsort((np.linalg.norm(environment.vectors, axis=1), environment.species))


def _closest(first: Environment, second: Environment, *, reflections: bool, slack: float) -> Superposition:
    """Find the best map; a finite slack, in Å, restricts how much maps may change lengths and dot products."""
    a, b = first.vectors, second.vectors
    _, counts = np.unique(first.species, return_counts=True)
    exhaustive = prod(factorial(k) for k in counts.tolist()) <= _MOST_ASSIGNMENTS
    if exhaustive:
        assignments = _all_assignments(first.species, second.species)
    else:
        unlike = np.where(first.species[:, None] == second.species, 0.0, np.inf)
        starts = _starts(a, b, unlike, slack, reflections=reflections)
        assignments = _alternated(a, b, unlike, starts, reflections=reflections)
    if not len(assignments):
        nothing = np.arange(len(a))
        return Superposition(
            distance=np.inf, deviation=np.inf, operation=np.eye(3), permutation=nothing, exhaustive=False
        )
    operations = closest_operation(a, b[assignments], None if reflections else 1)
    apart = np.linalg.norm(a @ np.swapaxes(operations, 1, 2) - b[assignments], axis=2)
    distances = np.sqrt((apart**2).sum(axis=1) / max(len(a), 1))
    best = int(distances.argmin())
    return Superposition(
        distance=float(distances[best]),
        deviation=float(apart[best].max(initial=0.0)),
        operation=operations[best],
        permutation=assignments[best],
        exhaustive=exhaustive,
    )


def _all_assignments(species: Integers, others: Integers) -> Integers:
    """Every bijection that keeps species, shape (m, n)."""
    sources = [np.flatnonzero(species == kind) for kind in np.unique(species)]
    images = [permutations(np.flatnonzero(others == kind)) for kind in np.unique(species)]
    result = [np.concatenate([np.empty(0, dtype=np.int64), *indices]) for indices in product(*images)]
    order = np.concatenate([np.empty(0, dtype=np.int64), *sources])
    return np.array(result, dtype=np.int64)[:, np.argsort(order)]


def _starts(a: Floats, b: Floats, unlike: Floats, slack: float, *, reflections: bool) -> Floats:
    """Operations that take one pair of first neighbours to similar second ones, the most promising first; (m, 3, 3)."""
    length_a, length_b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    # Rounding must not exclude the exact image.
    slack += 1e-12 * length_a.max()
    like = np.isfinite(unlike) & (np.abs(length_a[:, None] - length_b) <= slack)
    gram_a, gram_b = a @ a.T, b @ b.T
    candidates = []
    for i in np.argsort(like.sum(axis=1), kind="stable")[: _SOURCES if np.isinf(slack) else 1]:
        # With a wide angle, errors of the pair are not enlarged at other neighbours; with few like it, there are few.
        sine = np.linalg.norm(np.cross(a[i], a), axis=1) / length_a
        wide = sine >= 0.5 * sine.max()
        wide[i] = False
        j = int(np.argmin(np.where(wide, like.sum(axis=1), len(a) + 1)))
        allowed = np.abs(gram_b - gram_a[i, j]) <= slack * (length_a[i] + length_a[j])
        k, l = np.nonzero(like[i][:, None] & like[j] & allowed & ~np.eye(len(b), dtype=bool))
        candidates.append(pair_operations((a[[i]], a[[j]]), (b[k], b[l]), reflections=reflections))
    starts = np.concatenate(candidates)
    cost = np.concatenate(
        [_cost_bound(a, b, unlike, starts[k : k + _AT_ONCE]) for k in range(0, len(starts), _AT_ONCE)] or [np.empty(0)]
    )
    return np.asarray(starts[np.argsort(cost, kind="stable")[:_REFINED]])


def _squares(a: Floats, b: Floats, unlike: Floats, operations: Floats) -> Floats:
    """Squared distances between moved neighbours and others, infinite between species; shape (m, n, n)."""
    moved = a @ np.swapaxes(operations, 1, 2)
    return np.asarray(((moved[:, :, None] - b) ** 2).sum(axis=-1) + unlike)


def _cost_bound(a: Floats, b: Floats, unlike: Floats, operations: Floats) -> Floats:
    squares = _squares(a, b, unlike, operations)
    return np.asarray(np.maximum(squares.min(axis=2).sum(axis=1), squares.min(axis=1).sum(axis=1)))


def _alternated(a: Floats, b: Floats, unlike: Floats, starts: Floats, *, reflections: bool) -> Integers:
    """Alternate best assignment and best operation from each start; the distinct results, shape (m, n)."""
    from scipy.optimize import linear_sum_assignment

    results: dict[bytes, Integers] = {}
    for start in starts:
        operation, last = start, b""
        for _ in range(_ROUNDS):
            assignment = linear_sum_assignment(_squares(a, b, unlike, operation[None])[0])[1].astype(np.int64)
            key = assignment.tobytes()
            if key in (last, *results):
                break
            last = key
            operation = closest_operation(a, b[assignment], None if reflections else 1)
        results[key] = assignment
    return np.array(list(results.values()), dtype=np.int64).reshape(len(results), len(a))
