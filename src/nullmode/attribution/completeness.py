"""The rank of all correlations of nu neighbours, from geometry alone: the most that any truncation can reach."""

from bisect import bisect_right
from functools import cache, cached_property, lru_cache
from itertools import combinations
from typing import TypeAlias

import numpy as np

from nullmode._support.arguments import check_parity, check_tolerance
from nullmode._support.arrays import read_only
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import Floats, InputError, Integers, Parity
from nullmode.attribution._class_sums import (
    Numbers,
    add_products,
    add_volumes,
    classified,
    labelled,
    measure_volumes,
    sorted_steps,
)
from nullmode.geometry.environment import Environment, check_environment

Order: TypeAlias = int
LARGEST_ORDER = 4
LARGEST_HANDED = 3
"""Order at which features that include pseudoscalars can be counted."""
_ROUNDING = 1e-12
_CERTAIN = 100.0
"""Times the noise."""
MOST_TUPLES, MOST_OF_STRUCTURE = 10_000_000, 1_000_000
"""Of one environment, about 40 bytes each; of all environments of a whole structure, which are sorted at once."""
_MOST_ROWS = 4
"""Times the number of columns: so many sums are reduced to a triangle at once."""


@on_one_blas_thread
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
        self._vectors, self._order = read_only(environment.vectors), order
        lengths = np.sqrt(np.einsum("ix,ix->i", self._vectors, self._vectors))
        self._shortest = lengths.min(initial=np.inf)
        self._sorted, self._steps = sorted_steps(self._vectors, read_only(environment.species), lengths)
        self._volumes = self._sizes = np.empty(0)
        if parity == "SO3" and order == LARGEST_HANDED:
            self._volumes, self._sizes = np.empty(len(lengths) ** order), np.empty(len(lengths) ** order)
            measure_volumes(self._vectors, lengths, self._volumes, self._sizes)
        self._increasing = np.sort(self._steps).tolist()
        # The products of a and b and of b and a are one.
        _, alike = np.unique(environment.species, return_counts=True)
        self._mirrored = int((alike * (alike - 1) // 2).sum())
        self._values: dict[tuple[int, int], list[float]] = {}

    @cached_property
    def _least(self) -> float:
        """Smallest over largest singular value, rotations apart, of the derivatives of all products, if none are equal.

        It is that of the vectors over the square root of two, but for how often each product is counted.
        """
        sizes = np.linalg.svd(self._vectors, compute_uv=False)
        return float(sizes[2] / sizes[0]) if self._order > 1 and len(sizes) == 3 else 0.0

    def at(self, tolerance: float) -> int:
        """Count the values above what sums of terms that are equal within the tolerance only may be wrong by."""
        flat = np.abs(self._volumes) <= tolerance * self._sizes if self._volumes.size else self._volumes
        key = bisect_right(self._increasing, tolerance), int(np.count_nonzero(flat))
        noise = max(tolerance / self._shortest, _ROUNDING)
        if key[0] == self._mirrored and self._least > _CERTAIN * noise:
            return 3 * len(self._vectors) - 3
        if key not in self._values:
            signs = np.sign(np.where(flat, 0.0, self._volumes)).astype(np.int8)
            labels = labelled(self._sorted, self._steps, tolerance)
            self._values[key] = _values(labels, signs, self._vectors, self._order)[::-1].tolist()
        increasing = self._values[key]
        return len(increasing) - bisect_right(increasing, noise * increasing[-1]) if increasing else 0


def _values(labels: Integers, signs: Numbers, vectors: Floats, order: Order) -> Floats:
    """Singular values of the derivatives of each entry of the keys, summed over each class of equal keys."""
    n = len(vectors)
    if n == 0:
        return np.empty(0)
    slots = _slots(order)
    classes, row, n_rows = classified(labels.reshape(n, n), signs, slots, _weights(n))
    most = _MOST_ROWS * 3 * n
    triangle = np.empty((0, 3 * n))
    for first in range(0, n_rows, most):
        sums = np.zeros((min(most, n_rows - first), n, 3))
        add_products(classes, row, vectors, slots, first, sums)
        triangle = _triangle(triangle, sums)
    n_classes = row.shape[1] if signs.size else 0
    for first in range(0, n_classes, most):
        sums = np.zeros((min(most, n_classes - first), n, 3))
        add_volumes(classes, vectors, first, sums)
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
