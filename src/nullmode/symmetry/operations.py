"""Orthogonal operations that hold in an environment, each with its deviation: found once, for every tolerance."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.arrays import read_only
from nullmode._support.types import Bools, Floats, Integers
from nullmode.linalg.rotations import closest_operation, line_axis
from nullmode.symmetry._operation_search import search

_FEW = 128
_NEARLY_LINEAR = 10.0  # times the tolerance
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

    def chosen(self, kept: Bools | slice) -> "Operations":
        """Keep some operations."""
        return Operations(self.operations[kept], self.proper[kept], self.permutations[kept], self.deviations[kept])


def operations_within(vectors: Floats, species: Integers, tolerance: float) -> Operations:
    """Find every operation that permutes neighbours of equal species, none of which it misses by more than a tolerance.

    Each is the one that fits best to all neighbours, given their permutation and whether it is a rotation. The vectors
    are on no line. Those that hold within a smaller tolerance are among them.
    """
    n = len(vectors)
    vectors, species = read_only(vectors), read_only(species)
    lengths = np.sqrt(np.einsum("jx,jx->j", vectors, vectors))
    # An operation keeps lengths, so that those of a neighbour and of its image differ by the tolerance at most.
    slack = 1.001 * tolerance + _EXACT * float(lengths.max())
    work = np.empty((14, 3))
    room = _FEW
    while True:
        found = Operations(
            np.empty((room + 1, 3, 3)),
            np.empty(room + 1, dtype=np.bool_),
            np.empty((room + 1, n), dtype=np.int64),
            np.empty(room + 1),
        )
        count = search(vectors, species, lengths, tolerance, slack, *found, work)
        if count <= room:
            break
        room = 2 * count
    found = found.chosen(slice(count))
    if line_axis(vectors, _NEARLY_LINEAR * tolerance) is not None:
        _improve(found, vectors)
    return found.within(tolerance)


def _improve(found: Operations, vectors: Floats) -> None:
    """Take the best operations of all where vectors are nearly on a line: steps from near ones may go astray.

    Theirs in turn lose to rounding what is a small part of the vectors.
    """
    targets = vectors[found.permutations]
    others = closest_operation(vectors, targets, np.where(found.proper, 1, -1))
    missed, missed_by_others = (
        ((vectors @ np.swapaxes(each, 1, 2) - targets) ** 2).sum(axis=2) for each in (found.operations, others)
    )
    better = missed_by_others.sum(axis=1) < missed.sum(axis=1)
    found.operations[better] = others[better]
    found.deviations[better] = np.sqrt(missed_by_others[better].max(axis=1))


def largest_group(accepted: Operations) -> Operations:
    """Drop the operations of largest deviation, but never the first, until the rest form a group."""
    while _table(accepted) is None:
        # With deviations near the tolerance, the product of two accepted operations may have been refused.
        keep = accepted.deviations < accepted.deviations.max()
        keep[0] = True
        accepted = accepted.chosen(keep)
    return accepted


def multiplying(group: Operations) -> Floats:
    """Operations near those of a group that multiply as their permutations and determinants do.

    Each is replaced by the orthogonal matrix closest to the mean of all products that should equal it, until all do.
    """
    operations = group.operations
    table = _table(group)
    if table is None or len(operations) == 1:
        return operations
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


def _table(accepted: Operations) -> Integers | None:
    """Index of the product of each two operations, shape (g, g); None if one is not among them."""
    return _products(accepted.permutations.tobytes(), accepted.proper.tobytes())


@lru_cache(maxsize=64)
def _products(permutations: bytes, proper: bytes) -> Integers | None:
    """Compare products by permutation and determinant; environments of one kind have the same."""
    signs = np.where(np.frombuffer(proper, dtype=np.bool_), 1, -1)
    images = np.frombuffer(permutations, dtype=np.int64).reshape(len(signs), -1)
    # One number for each operation: the sum of the images with random weights, negative if it is improper.
    weights = _weights(images.shape[1])
    keys = images @ weights * signs
    products = images[:, images] @ weights * signs[:, None] * signs
    order = np.argsort(keys)
    table = order[np.searchsorted(keys, products, sorter=order).clip(max=len(keys) - 1)]
    return table if (keys[table] == products).all() else None


@lru_cache(maxsize=64)
def _weights(n: int) -> Integers:
    return np.random.default_rng(0).integers(1, 2**40, size=n)
