"""Sums over classes of tuples of neighbours: tuples with equal keys, and the derivatives of their entries, compiled."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nullmode._support._jit import allocating_kernel, kernel
from nullmode._support.types import Floats, Integers

Numbers: TypeAlias = NDArray[np.integer[Any]]
"""Integers of any size."""


@allocating_kernel
def sorted_steps(vectors: Floats, species: Integers, lengths: Floats) -> tuple[Integers, Floats]:
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
def labelled(order: Integers, steps: Floats, tolerance: float) -> Integers:
    """Label the dot products, in the order of the pairs: equal within the tolerance, equal label."""
    labels = np.empty(order.size, dtype=np.int64)
    label = 0
    for k in range(order.size):
        if k and steps[k - 1] > tolerance:
            label += 1
        labels[order[k]] = label
    return labels


@allocating_kernel
def classified(labels: Integers, signs: Numbers, slots: Integers, weights: Numbers) -> tuple[Numbers, Numbers, int]:
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
    return classes, row, _distinct_rows(classes, weights, slots, keys, owners, digests, row)


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
def add_products(classes: Numbers, row: Numbers, vectors: Floats, slots: Integers, first: int, sums: Floats) -> None:
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
def measure_volumes(vectors: Floats, lengths: Floats, volumes: Floats, sizes: Floats) -> None:
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
def add_volumes(classes: Numbers, vectors: Floats, first: int, sums: Floats) -> None:
    """Add d(r_a·(r_b x r_c))/dr of each triple to the sum of its class, as :func:`add_products`."""
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
