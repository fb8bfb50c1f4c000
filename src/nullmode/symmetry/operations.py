"""Orthogonal operations that hold in an environment, each with its deviation: found once, for every tolerance."""

from functools import lru_cache
from math import sqrt
from typing import NamedTuple

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.types import Bools, Floats, Integers
from nullmode.linalg.rotations import closest_operation

# A candidate operation comes from two vectors alone, so it may miss by this multiple of the tolerance before it is
# refined on all vectors.
_LOOSE = 50.0
_ROUNDING = 1e-9
_FEW = 128
# Operations that multiply this well are a group to rounding.
_EXACT = 1e-13
_ROUNDS = 20


class Operations(NamedTuple):
    """Operations, shape (g, 3, 3), whether each is a rotation, their permutations (g, n), and deviations (g,) in Å.

    Operation k takes neighbour j to where neighbour permutations[k, j] is; the identity is the first.
    """

    operations: Floats
    proper: Bools
    permutations: Integers
    deviations: Floats

    def within(self, tolerance: float) -> "Operations":
        """Keep the operations whose deviation is at most a tolerance in Å."""
        kept = self.deviations <= tolerance
        return self if kept.all() else self.chosen(kept)

    def chosen(self, kept: Bools) -> "Operations":
        """Keep some operations."""
        return Operations(self.operations[kept], self.proper[kept], self.permutations[kept], self.deviations[kept])


def operations_within(vectors: Floats, species: Integers, tolerance: float) -> Operations:
    """Find every operation that permutes neighbours of equal species, none of which it misses by more than a tolerance.

    Each is the one that fits best to all neighbours, given their permutation and whether it is a rotation. The vectors
    are on no line. Those that hold within a smaller tolerance are among them.
    """
    n = len(vectors)
    pair = np.empty(2, dtype=np.int64)
    _choose(vectors, species, _LOOSE * tolerance, pair)
    room = _FEW
    while True:
        # The last row is for one that may be known already.
        permutations, proper = np.empty((room + 1, n), dtype=np.int64), np.empty(room + 1, dtype=np.bool_)
        count = _search(vectors, species, tolerance, pair, permutations, proper)
        if count <= room:
            break
        room = 2 * count
    permutations, proper = permutations[:count], proper[:count]
    if count == 1:
        return Operations(np.eye(3)[None], proper, permutations, np.zeros(1))
    operations = closest_operation(vectors, vectors[permutations], np.where(proper, 1, -1))
    missed = vectors @ np.swapaxes(operations, 1, 2) - vectors[permutations]
    deviations = np.sqrt(np.einsum("gjx,gjx->gj", missed, missed).max(axis=1))
    # The identity comes first, exact and whatever the tolerance.
    operations[0], deviations[0] = np.eye(3), 0.0
    return Operations(operations, proper, permutations, deviations).within(tolerance)


@kernel
def _like(vectors: Floats, species: Integers, slack: float, i: int, j: int) -> bool:
    """Whether two neighbours have equal species and, nearly, distances."""
    if species[i] != species[j]:
        return False
    return abs(_length(vectors, i) - _length(vectors, j)) <= slack


@kernel
def _length(vectors: Floats, i: int) -> float:
    return sqrt(vectors[i, 0] ** 2 + vectors[i, 1] ** 2 + vectors[i, 2] ** 2)


@kernel
def _dot(vectors: Floats, i: int, j: int) -> float:
    total: float = vectors[i, 0] * vectors[j, 0] + vectors[i, 1] * vectors[j, 1] + vectors[i, 2] * vectors[j, 2]
    return total


@kernel
def _across(vectors: Floats, i: int, j: int) -> float:
    """Length of the cross product of two neighbours."""
    a, b = vectors[i], vectors[j]
    return sqrt((a[1] * b[2] - a[2] * b[1]) ** 2 + (a[2] * b[0] - a[0] * b[2]) ** 2 + (a[0] * b[1] - a[1] * b[0]) ** 2)


@kernel
def _choose(vectors: Floats, species: Integers, slack: float, pair: Integers) -> None:
    """Choose two neighbours, each with few like it, at a wide angle: errors are not enlarged at other neighbours."""
    n = vectors.shape[0]
    least = n + 1
    for i in range(n):
        alike = 0
        for j in range(n):
            alike += _like(vectors, species, slack, i, j)
        if alike < least:
            least, pair[0] = alike, i
    widest = 0.0
    for j in range(n):
        widest = max(widest, _across(vectors, pair[0], j) / _length(vectors, j))
    least = n + 1
    for j in range(n):
        if _across(vectors, pair[0], j) / _length(vectors, j) < 0.5 * widest:
            continue
        alike = 0
        for i in range(n):
            alike += _like(vectors, species, slack, i, j)
        if alike < least:
            least, pair[1] = alike, j


@kernel
def _search(
    vectors: Floats, species: Integers, tolerance: float, pair: Integers, permutations: Integers, proper: Bools
) -> int:
    """Fill the permutation of each operation that takes a pair to one like it, and say how many there are."""
    n = vectors.shape[0]
    first, second = pair[0], pair[1]
    slack, spread = _LOOSE * tolerance, _LOOSE * tolerance + _ROUNDING
    angle = _dot(vectors, first, second)
    reach = slack * (_length(vectors, first) + _length(vectors, second))
    room = permutations.shape[0] - 1
    for j in range(n):
        permutations[0, j] = j
    proper[0] = True
    count = 1
    for sign in (1.0, -1.0):
        for a in range(n):
            if not _like(vectors, species, slack, first, a):
                continue
            for b in range(n):
                if b == a or not _like(vectors, species, slack, second, b):
                    continue
                if abs(_dot(vectors, a, b) - angle) > reach or _across(vectors, a, b) <= min(tolerance, _ROUNDING):
                    continue
                place = min(count, room)
                if not _permute(vectors, species, pair, a, b, sign, spread, permutations[place]):
                    continue
                known = False
                for k in range(min(count, room)):
                    if proper[k] == (sign > 0):
                        known = True
                        for j in range(n):
                            if permutations[k, j] != permutations[place, j]:
                                known = False
                                break
                    if known:
                        break
                if not known:
                    proper[place] = sign > 0
                    count += 1
    return count


@kernel
def _permute(
    vectors: Floats, species: Integers, pair: Integers, a: int, b: int, sign: float, spread: float, images: Integers
) -> bool:
    """Fill the image of each neighbour under the operation that takes a pair to a and b; whether it is a permutation.

    The coordinates in the frame of one pair are those of the image in the frame of the other.
    """
    n = vectors.shape[0]
    first, second = pair[0], pair[1]
    size, other = _length(vectors, first), _length(vectors, a)
    along, beside = _dot(vectors, first, second) / size**2, _dot(vectors, a, b) / other**2
    s, t = vectors[first], vectors[a]
    p0, p1, p2 = vectors[second, 0] - along * s[0], vectors[second, 1] - along * s[1], vectors[second, 2] - along * s[2]
    q0, q1, q2 = vectors[b, 0] - beside * t[0], vectors[b, 1] - beside * t[1], vectors[b, 2] - beside * t[2]
    wide, broad = sqrt(p0**2 + p1**2 + p2**2), sqrt(q0**2 + q1**2 + q2**2)
    u0, u1, u2 = s[0] / size, s[1] / size, s[2] / size
    v0, v1, v2 = t[0] / other, t[1] / other, t[2] / other
    p0, p1, p2 = p0 / wide, p1 / wide, p2 / wide
    q0, q1, q2 = q0 / broad, q1 / broad, q2 / broad
    w0, w1, w2 = u1 * p2 - u2 * p1, u2 * p0 - u0 * p2, u0 * p1 - u1 * p0
    x0, x1, x2 = sign * (v1 * q2 - v2 * q1), sign * (v2 * q0 - v0 * q2), sign * (v0 * q1 - v1 * q0)
    for j in range(n):
        r = vectors[j]
        c = r[0] * u0 + r[1] * u1 + r[2] * u2
        d = r[0] * p0 + r[1] * p1 + r[2] * p2
        e = r[0] * w0 + r[1] * w1 + r[2] * w2
        m0, m1, m2 = c * v0 + d * q0 + e * x0, c * v1 + d * q1 + e * x1, c * v2 + d * q2 + e * x2
        nearest = np.inf
        for k in range(n):
            if species[k] == species[j]:
                square = (vectors[k, 0] - m0) ** 2 + (vectors[k, 1] - m1) ** 2 + (vectors[k, 2] - m2) ** 2
                if square < nearest:
                    nearest, images[j] = square, k
        if nearest > spread**2:
            return False
        for k in range(j):
            if images[k] == images[j]:
                return False
    return True


def largest_group(accepted: Operations) -> Operations:
    """Drop the operations of largest deviation, but never the first, until the rest form a group."""
    while not _closed(accepted.permutations, accepted.proper):
        # With deviations near the tolerance, the product of two accepted operations may have been refused.
        keep = accepted.deviations < accepted.deviations.max()
        keep[0] = True
        accepted = accepted.chosen(keep)
    return accepted


def multiplying(operations: Floats, proper: Bools, permutations: Integers) -> Floats:
    """Operations near the given ones that multiply as their permutations and determinants do.

    Each is replaced by the orthogonal matrix closest to the mean of all products that should equal it, until all do.
    """
    if len(operations) == 1:
        return operations
    keys, products = _keys(permutations, proper)
    order = np.argsort(keys)
    # operations[table[a, b]] should be operations[a] @ operations[b].
    table = order[np.searchsorted(keys, products, sorter=order)]
    for _ in range(_ROUNDS):
        if _misfit(np.ascontiguousarray(operations), table) < _EXACT:
            break
        u, _, v = np.linalg.svd((operations[table] @ np.swapaxes(operations, 1, 2)).mean(axis=1))
        operations = u @ v
    return operations


@kernel
def _misfit(operations: Floats, table: Integers) -> float:
    """Largest difference between the entries of a product and of the operation that it should be."""
    worst = 0.0
    for a in range(table.shape[0]):
        for b in range(table.shape[1]):
            for x in range(3):
                for y in range(3):
                    product = 0.0
                    for z in range(3):
                        product += operations[a, x, z] * operations[b, z, y]
                    worst = max(worst, abs(product - operations[table[a, b], x, y]))
    return worst


def _closed(permutations: Integers, proper: Bools) -> bool:
    """Whether every product of two operations is among them; compared by permutation and determinant."""
    if len(proper) == 1:
        return True
    keys, products = _keys(permutations, proper)
    return bool(np.isin(products, keys).all())


def _keys(permutations: Integers, proper: Bools) -> tuple[Integers, Integers]:
    """One number for each operation, and for each product of two, shapes (g,) and (g, g).

    It is the sum of the images with random weights, negative for improper operations.
    """
    weights = _weights(permutations.shape[1])
    products = permutations[:, permutations] @ weights * np.where(proper[:, None] == proper, 1, -1)
    return np.asarray(permutations @ weights * np.where(proper, 1, -1)), np.asarray(products)


@lru_cache(maxsize=64)
def _weights(n: int) -> Integers:
    return np.random.default_rng(0).integers(1, 2**40, size=n)
