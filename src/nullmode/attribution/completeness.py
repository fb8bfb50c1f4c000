"""The rank of all correlations of nu neighbours, from geometry alone: the most that any truncation can reach."""

from functools import cache, lru_cache
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nullmode._support._jit import allocating_kernel, kernel
from nullmode._support.arguments import check_parity, check_tolerance
from nullmode._support.types import Floats, InputError, Integers, Parity
from nullmode.geometry.environment import Environment, check_environment

Order: TypeAlias = int
Numbers: TypeAlias = NDArray[np.integer[Any]]
"""Integers of any size."""
LARGEST_ORDER = 4
LARGEST_HANDED = 3
"""Order at which features that include pseudoscalars can be counted."""
_ROUNDING = 1e-12
MOST_TUPLES = 10_000_000
"""They take about 40 bytes each."""
_MOST_ROWS = 4
"""Times the number of columns: so many sums are reduced to a triangle at once."""


def rank_complete(
    environment: Environment, correlation_order: Order, parity: Parity = "O3", tolerance: float = 1e-6
) -> int:
    """Count the displacements that all correlations of nu neighbours together see at first order.

    Every ordered nu-tuple of neighbours has a key: their species and all their dot products (for SO(3) at nu = 3 the
    sign of the triple product too). A descriptor of order nu is a sum over tuples, in which tuples with equal keys have
    equal terms. It therefore sees the derivative of each entry of the key, summed over each class of equal keys. The
    rank of these sums is the largest that any truncation can reach (a constructive form of Pozdnyakov et al., Open Res.
    Europe 2021, 1:126).

    Parameters
    ----------
    environment
        Any environment.
    correlation_order
        nu, 1 to 4.
    parity
        ``O3``, or ``SO3`` for features that include pseudoscalars, which exist from nu = 3 on; not available at nu = 4.
    tolerance
        Length in Å: dot products that smaller displacements can make equal count as equal.

    Raises
    ------
    InputError
        For an order or a parity out of range, or more tuples than fit into memory.
    """
    _check(environment, correlation_order, parity, tolerance)
    return CompleteRank(environment, correlation_order, parity).at(tolerance)


def _check(environment: Environment, order: Order, parity: str, tolerance: float) -> None:
    check_environment(environment)
    if isinstance(order, bool | float) or order not in range(1, LARGEST_ORDER + 1):
        raise InputError(f"`correlation_order` must be 1, 2, 3 or 4, got {order!r}.")
    check_parity(parity)
    if parity == "SO3" and order == LARGEST_ORDER:
        raise InputError("`parity` must be 'O3' for correlation_order=4, got 'SO3'.")
    check_tolerance(tolerance)
    if too_large(len(environment), order):
        raise InputError(
            f"`correlation_order` must leave at most {MOST_TUPLES} tuples, got {len(environment)}^{order}. "
            "Use a lower order or a smaller cutoff."
        )


def too_large(n_neighbours: int, order: Order) -> str:
    """Say why the rank of an order cannot be counted; empty if it can."""
    count = n_neighbours**order
    return "" if count <= MOST_TUPLES else f"rank_complete is not counted: {count} tuples, of at most {MOST_TUPLES}"


class CompleteRank:
    """What :func:`rank_complete` gives, at any tolerance; it is computed once where the same dot products are equal."""

    def __init__(self, environment: Environment, order: Order, parity: Parity) -> None:
        self._vectors, self._order = np.ascontiguousarray(environment.vectors), order
        lengths = np.sqrt(np.einsum("ix,ix->i", self._vectors, self._vectors))
        self._shortest = lengths.min(initial=np.inf)
        self._sorted, self._steps = _steps(self._vectors, np.ascontiguousarray(environment.species), lengths)
        self._volumes = self._sizes = np.empty(0)
        if parity == "SO3" and order == LARGEST_HANDED:
            self._volumes, self._sizes = np.empty(len(lengths) ** order), np.empty(len(lengths) ** order)
            _measure_volumes(self._vectors, lengths, self._volumes, self._sizes)
        self._values: dict[tuple[int, int], Floats] = {}

    def at(self, tolerance: float) -> int:
        """Count the values above what sums of terms that are equal within the tolerance only may be wrong by."""
        flat = np.abs(self._volumes) <= tolerance * self._sizes
        key = int(np.count_nonzero(self._steps <= tolerance)), int(np.count_nonzero(flat))
        if key not in self._values:
            signs = np.sign(np.where(flat, 0.0, self._volumes)).astype(np.int8)
            self._values[key] = _values(
                _labels(self._sorted, self._steps, tolerance), signs, self._vectors, self._order
            )
        values = self._values[key]
        noise = max(tolerance / self._shortest, _ROUNDING)
        return int(np.count_nonzero(values > noise * values.max(initial=0.0)))


def _values(labels: Integers, signs: Numbers, vectors: Floats, order: Order) -> Floats:
    """Singular values of the derivatives of each entry of the keys, summed over each class of equal keys."""
    n = len(vectors)
    if n == 0:
        return np.empty(0)
    slots = _slots(order)
    classes, row, n_rows = _classified(labels.reshape(n, n), signs, slots, _weights(n))
    most = _MOST_ROWS * 3 * n
    triangle = np.empty((0, 3 * n))
    for first in range(0, n_rows, most):
        sums = np.zeros((min(most, n_rows - first), n, 3))
        _add_products(classes, row, vectors, slots, first, sums)
        triangle = _triangle(triangle, sums)
    n_classes = row.shape[1] if signs.size else 0
    for first in range(0, n_classes, most):
        sums = np.zeros((min(most, n_classes - first), n, 3))
        _add_volumes(classes, vectors, first, sums)
        triangle = _triangle(triangle, sums)
    return np.asarray(np.linalg.svd(triangle, compute_uv=False))


def _triangle(above: Floats, sums: Floats) -> Floats:
    flat = sums.reshape(len(sums), -1)
    rows = np.concatenate([above, flat]) if len(above) else flat
    return np.asarray(np.linalg.qr(rows, mode="r")) if len(rows) > rows.shape[1] else rows


@cache
def _slots(order: Order) -> Integers:
    """Give the pairs of entries of a tuple whose dot products make its key; shape (k, 2)."""
    return np.array([(i, i) for i in range(order)] + list(combinations(range(order), 2)))


@lru_cache(maxsize=64)
def _weights(n: int) -> Numbers:
    """Draw a number for each pair of neighbours, in any order; shape (n, n).

    A sum depends on how often its class contains each pair: the sum of these numbers stands for that.
    """
    weights = np.random.default_rng(0).integers(0, 2**63, size=(n, n), dtype=np.uint64)
    return np.triu(weights) + np.triu(weights, 1).T


@allocating_kernel
def _steps(vectors: Floats, species: Integers, lengths: Floats) -> tuple[Integers, Floats]:
    """Sort the dot products of all pairs by species and size, and give the steps between them, as displacements in Å.

    Diagonal and off-diagonal values are kept apart, since no two neighbours coincide; a step between kinds is infinite.
    """
    n = lengths.size
    kind, product, growth = np.empty(n * n, dtype=np.int64), np.empty(n * n), np.empty(n * n)
    for i in range(n):
        for j in range(n):
            kind[i * n + j] = 2 * (1000 * species[i] + species[j]) + (i == j)
            # Equal, to the last bit, in either order.
            a, b = min(i, j), max(i, j)
            product[i * n + j] = (
                vectors[a, 0] * vectors[b, 0] + vectors[a, 1] * vectors[b, 1] + vectors[a, 2] * vectors[b, 2]
            )
            growth[i * n + j] = lengths[i] + lengths[j]
    by_size = np.argsort(product)
    order = by_size[np.argsort(kind[by_size], kind="mergesort")]
    steps = np.empty(max(n * n - 1, 0))
    for k in range(steps.size):
        a, b = order[k], order[k + 1]
        # A difference of dot products, as the displacement that makes it.
        steps[k] = (product[b] - product[a]) / min(growth[a], growth[b]) if kind[a] == kind[b] else np.inf
    return order, steps


@allocating_kernel
def _labels(order: Integers, steps: Floats, tolerance: float) -> Integers:
    """Label the dot products, in the order of the pairs: equal within the tolerance, equal label."""
    labels = np.empty(order.size, dtype=np.int64)
    label = 0
    for k in range(order.size):
        if k and steps[k - 1] > tolerance:
            label += 1
        labels[order[k]] = label
    return labels


@allocating_kernel
def _classified(labels: Integers, signs: Numbers, slots: Integers, weights: Numbers) -> tuple[Numbers, Numbers, int]:
    """Give the class of each tuple, the row of each sum (slots, classes), and how many rows there are."""
    count = labels.shape[0] ** (slots[-1, 1] + 1)
    places = 16
    while places < 2 * count:
        places *= 2
    classes = np.empty(count, dtype=np.int32)
    n_classes = _classify(labels, signs, slots, np.empty(places, np.uint64), np.empty(places, np.int32), classes)
    row = np.empty((slots.shape[0], n_classes), dtype=np.int32)
    places = 16
    while places < 2 * row.size:
        places *= 2
    keys, owners, digests = np.empty(places, np.uint64), np.empty(places, np.int32), np.empty(n_classes, np.uint64)
    n_rows = _distinct_rows(classes, weights, slots, keys, owners, digests, row)
    return classes, row, n_rows


@kernel
def _entry(tuple_index: int, slot: int, n: int) -> int:
    """Neighbour in one slot of the tuple with an index."""
    neighbour: int = (tuple_index // n**slot) % n
    return neighbour


@kernel
def _place(key: Any, keys: Numbers, owners: Numbers, owner: int) -> int:
    """Find the owner of a key in a table of a power of two entries; an unknown key becomes that of `owner`."""
    size = keys.shape[0]
    index = np.int64((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(1)) & (size - 1)
    while owners[index] >= 0 and keys[index] != key:
        index = (index + 1) & (size - 1)
    if owners[index] < 0:
        keys[index], owners[index] = key, owner
    found: int = owners[index]
    return found


@kernel
def _classify(
    labels: Integers, signs: Numbers, slots: Integers, keys: Numbers, owners: Numbers, classes: Numbers
) -> int:
    """Fill the number of the class of each tuple, those with equal keys, and return how many classes there are."""
    n = labels.shape[0]
    owners[:] = -1
    count = 0
    for index in range(classes.size):
        key = np.uint64(signs[index] + 2 if signs.size else 1)
        for s in range(slots.shape[0]):
            label = labels[_entry(index, slots[s, 0], n), _entry(index, slots[s, 1], n)]
            key = (key ^ np.uint64(label)) * np.uint64(0xD6E8FEB86659FD93)
            key ^= key >> np.uint64(32)
        classes[index] = _place(key, keys, owners, count)
        count = max(count, classes[index] + 1)
    return count


@kernel
def _distinct_rows(
    classes: Numbers,
    weights: Numbers,
    slots: Integers,
    keys: Numbers,
    owners: Numbers,
    digests: Numbers,
    row: Numbers,
) -> int:
    """Fill the row of each sum, -1 for one that is equal to an earlier one, and return how many rows there are."""
    n = weights.shape[0]
    owners[:] = -1
    count = 0
    for s in range(slots.shape[0]):
        digests[:] = np.uint64(0)
        for index in range(classes.size):
            digests[classes[index]] += weights[_entry(index, slots[s, 0], n), _entry(index, slots[s, 1], n)]
        for c in range(digests.size):
            is_new = _place(digests[c], keys, owners, count) == count
            row[s, c] = count if is_new else -1
            count += is_new
    return count


@kernel
def _add_products(classes: Numbers, row: Numbers, vectors: Floats, slots: Integers, first: int, sums: Floats) -> None:
    """Add d(r_a·r_b)/dr of each tuple to the sum of its class, for the rows from `first` on that fit into `sums`."""
    n = vectors.shape[0]
    for index in range(classes.size):
        for s in range(slots.shape[0]):
            k = row[s, classes[index]] - first
            if 0 <= k < sums.shape[0]:
                a, b = _entry(index, slots[s, 0], n), _entry(index, slots[s, 1], n)
                for x in range(3):
                    sums[k, a, x] += vectors[b, x]
                    sums[k, b, x] += vectors[a, x]


@kernel
def _measure_volumes(vectors: Floats, lengths: Floats, volumes: Floats, sizes: Floats) -> None:
    """Fill the triple product r_a·(r_b x r_c) of each triple, and the square of its mean length."""
    n = vectors.shape[0]
    for index in range(volumes.size):
        a, b, c = _entry(index, 0, n), _entry(index, 1, n), _entry(index, 2, n)
        total = 0.0
        for x in range(3):
            y, z = (x + 1) % 3, (x + 2) % 3
            total += vectors[a, x] * (vectors[b, y] * vectors[c, z] - vectors[b, z] * vectors[c, y])
        volumes[index] = total
        sizes[index] = (lengths[a] * lengths[b] * lengths[c]) ** (2 / 3)


@kernel
def _add_volumes(classes: Numbers, vectors: Floats, first: int, sums: Floats) -> None:
    """Add d(r_a·(r_b x r_c))/dr of each triple to the sum of its class, as :func:`_add_products`."""
    n = vectors.shape[0]
    for index in range(classes.size):
        k = classes[index] - first
        if not 0 <= k < sums.shape[0]:
            continue
        for i in range(3):
            a, b, c = _entry(index, i, n), _entry(index, (i + 1) % 3, n), _entry(index, (i + 2) % 3, n)
            for x in range(3):
                y, z = (x + 1) % 3, (x + 2) % 3
                sums[k, a, x] += vectors[b, y] * vectors[c, z] - vectors[b, z] * vectors[c, y]
