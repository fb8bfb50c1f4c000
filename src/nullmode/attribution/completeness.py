"""The rank of all correlations of nu neighbours, from geometry alone: the most that any truncation can reach."""

from itertools import combinations
from typing import TypeAlias

import numpy as np

from nullmode._support.arguments import check_parity, check_tolerance
from nullmode._support.types import Floats, InputError, Integers, Parity
from nullmode.geometry.environment import Environment, check_environment

Order: TypeAlias = int
LARGEST_ORDER = 4
MOST_TUPLES = 1_000_000


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
    vectors, species = environment.vectors, environment.species
    n = len(vectors)
    if n == 0:
        return 0
    labels = _labels(vectors, species, tolerance)
    tuples = np.stack(np.unravel_index(np.arange(n**correlation_order), (n,) * correlation_order), axis=1)
    slots = [(i, i) for i in range(correlation_order)] + list(combinations(range(correlation_order), 2))
    keys = [labels[tuples[:, i], tuples[:, j]] for i, j in slots]
    with_handedness = parity == "SO3" and correlation_order == 3
    if with_handedness:
        volume = np.einsum("ij,ij->i", vectors[tuples[:, 0]], np.cross(vectors[tuples[:, 1]], vectors[tuples[:, 2]]))
        sizes = np.prod(np.linalg.norm(vectors, axis=1)[tuples], axis=1) ** (2 / 3)
        keys.append(np.sign(np.where(np.abs(volume) <= tolerance * sizes, 0.0, volume)).astype(np.int64))
    _, classes = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    rows = [_dot_product_sums(classes, [(tuples[:, i], tuples[:, j]) for i, j in slots], vectors)]
    if with_handedness:
        rows.append(_volume_sums(classes, tuples, vectors))
    matrix = np.concatenate(rows)
    if len(matrix) > matrix.shape[1]:
        matrix = np.asarray(np.linalg.qr(matrix, mode="r"))
    values = np.linalg.svd(matrix, compute_uv=False)
    # Keys in a class are equal within the tolerance only, and so are the sums: smaller singular values mean nothing.
    noise = max(tolerance / np.linalg.norm(vectors, axis=1).min(), 1e-12)
    return int(np.count_nonzero(values > noise * values[0]))


def _check(environment: Environment, order: Order, parity: str, tolerance: float) -> None:
    check_environment(environment)
    if isinstance(order, bool | float) or order not in range(1, LARGEST_ORDER + 1):
        raise InputError(f"`correlation_order` must be 1, 2, 3 or 4, got {order!r}.")
    check_parity(parity)
    if parity == "SO3" and order == LARGEST_ORDER:
        raise InputError("`parity` must be 'O3' for correlation_order=4, got 'SO3'.")
    check_tolerance(tolerance)
    if len(environment) ** order > MOST_TUPLES:
        raise InputError(
            f"`correlation_order` must leave at most {MOST_TUPLES} tuples, got {len(environment)}^{order}. "
            "Use a lower order or a smaller cutoff."
        )


def _labels(vectors: Floats, species: Integers, tolerance: float) -> Integers:
    """Label the dot products of each pair of species: equal within the tolerance, equal label; shape (n, n)."""
    n = len(vectors)
    gram = vectors @ vectors.T
    length = np.linalg.norm(vectors, axis=1)
    growth = length[:, None] + length
    labels = np.zeros((n, n), dtype=np.int64)
    first = 0
    kind = species[:, None] * 1000 + species
    for pair in np.unique(kind):
        # Diagonal and off-diagonal values never share a label, since no two neighbours coincide.
        for diagonal in (True, False):
            where = np.nonzero((kind == pair) & (np.eye(n, dtype=bool) == diagonal))
            if not len(where[0]):
                continue
            value = gram[where]
            order = np.argsort(value, kind="stable")
            # A difference of dot products, as the displacement that makes it.
            step = np.diff(value[order]) / np.minimum(growth[where][order][1:], growth[where][order][:-1])
            numbers = np.empty(len(order), dtype=np.int64)
            numbers[order] = np.concatenate([[0], np.cumsum(step > tolerance)])
            labels[where] = numbers + first
            first += numbers.max() + 1
    return labels


def _dot_product_sums(classes: Integers, slots: list[tuple[Integers, Integers]], vectors: Floats) -> Floats:
    """Sum d(r_a·r_b)/dr over each class, for each entry of the key; equal rows once; shape (m, 3 n)."""
    n = len(vectors)
    # A row depends on how often its class contains each pair. One number stands for that: a sum of random weights.
    weights = np.random.default_rng(0).integers(0, 2**63, size=(n, n), dtype=np.uint64)
    weights = np.triu(weights) + np.triu(weights, 1).T
    seen: set[int] = set()
    rows = []
    for a, b in slots:
        digests = np.zeros(classes.max() + 1, dtype=np.uint64)
        np.add.at(digests, classes, weights[a, b])
        first = {int(digest): index for index, digest in reversed(list(enumerate(digests)))}
        new = np.full(len(digests), -1)
        fresh = sorted(index for digest, index in first.items() if digest not in seen)
        new[fresh] = np.arange(len(fresh))
        seen.update(first)
        row = new[classes]
        kept = row >= 0
        sums = np.zeros((len(fresh), n, 3))
        np.add.at(sums, (row[kept], a[kept]), vectors[b[kept]])
        np.add.at(sums, (row[kept], b[kept]), vectors[a[kept]])
        rows.append(sums.reshape(len(fresh), 3 * n))
    return np.concatenate(rows)


def _volume_sums(classes: Integers, tuples: Integers, vectors: Floats) -> Floats:
    """Sum of d(r_a·(r_b x r_c))/dr over each class; shape (n_classes, 3 n)."""
    n = len(vectors)
    result = np.zeros((classes.max() + 1, n, 3))
    for i in range(3):
        a, b, c = (tuples[:, (i + k) % 3] for k in range(3))
        np.add.at(result, (classes, a), np.cross(vectors[b], vectors[c]))
    return result.reshape(len(result), 3 * n)
