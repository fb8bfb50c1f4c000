"""Singular values at many truncations of one descriptor, from one Jacobian: its triangular factor grows by blocks."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise
from math import sqrt
from typing import Any, NamedTuple, Self, cast

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH
from nullmode._support.types import Floats, Integers
from nullmode.descriptors._base import DensityDescriptor, Descriptor, changed
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.linalg import batched_svd
from nullmode.linalg.householder import SMALLEST, block_of, insert, largest


class Sweep(NamedTuple):
    """Truncations whose features are among those of a largest one, which `descriptor` has.

    `n_max` and `l_max` are the values that occur, ascending. `points` holds, for each truncation asked for, its index
    in the list of descriptors and its indices in `n_max` and `l_max`.
    """

    descriptor: Descriptor
    n_max: list[int]
    l_max: list[int]
    points: list[tuple[int, int, int]]


class Plan(NamedTuple):
    """The features of a sweep, grouped into cells by the smallest truncation that has them.

    `cell`, shape (F,), holds (index in l_max) · n_n + (index in n_max) for each feature; `n_n` and `n_l` are the
    numbers of values. Entries first[cell] to first[cell + 1] of `order`, shape (F,), are the features of a cell.
    """

    order: Integers
    first: Integers
    cell: Integers
    n_n: int
    n_l: int

    def kept(self, n: int, l: int) -> Integers:
        """Give the indices of the features that a truncation has, in the order of the descriptor."""
        return np.flatnonzero((self.cell % self.n_n <= n) & (self.cell // self.n_n <= l))

    def norms(self, rows: Floats) -> Floats:
        """Frobenius norms, at each truncation, of arrays (m, F, ...) with one row per feature; shape (m, n_n, n_l)."""
        m, count = rows.shape[:2]
        flat = rows.reshape(m, count, rows[0, 0].size if rows.size else 0)
        # Scaled, so that squares neither overflow nor vanish.
        scale = np.maximum(SMALLEST, np.abs(flat).max(axis=(1, 2), initial=0.0))
        squares = np.square(flat / scale[:, None, None]).sum(axis=2)
        if self.n_n * self.n_l == 1:
            each = squares.sum(axis=1)[:, None, None]
        else:
            places = self.cell + self.n_n * self.n_l * np.arange(m)[:, None]
            each = np.bincount(places.ravel(), squares.ravel(), self.n_n * self.n_l * m)
            each = each.reshape(m, self.n_l, self.n_n).cumsum(axis=1).cumsum(axis=2).swapaxes(1, 2)
        return np.asarray(scale[:, None, None] * np.sqrt(each))


def sweeps(descriptors: Sequence[Descriptor]) -> list[Sweep]:
    """Group descriptors that differ in l_max alone, or in n_max too if the radial functions do not depend on n_max."""
    groups: dict[Any, list[int]] = {}
    for index, descriptor in enumerate(descriptors):
        groups.setdefault(_key(descriptor, index), []).append(index)
    result = []
    for members in groups.values():
        largest = descriptors[members[0]]
        n, l = ([getattr(descriptors[i], name, 0) for i in members] for name in ("n_max", "l_max"))
        n_max, l_max = sorted(set(n)), sorted(set(l))
        if len(members) > 1:
            wider = {name: top for name, top in (("n_max", n_max[-1]), ("l_max", l_max[-1])) if name in _names(largest)}
            largest = changed(largest, **wider)
        points = [(i, n_max.index(n[k]), l_max.index(l[k])) for k, i in enumerate(members)]
        result.append(Sweep(largest, n_max, l_max, points))
    return result


def plan(sweep: Sweep, environments: EnvironmentSet, n_features: int) -> Plan:
    """Find the smallest truncation of each feature: all n of its label are below n_max, all l at most l_max."""
    n_n, n_l = len(sweep.n_max), len(sweep.l_max)
    cell = np.zeros(n_features, dtype=np.int64)
    if n_n * n_l > 1 and n_features:
        labels: list[Any] = sweep.descriptor.feature_labels(list(environments))
        positions = {
            name: [k for k, field in enumerate(labels[0]._fields) if field[:2] in (name, f"{name}_")] for name in "nl"
        }
        n = [max((label[k] for k in positions["n"]), default=0) + 1 for label in labels]
        l = [max((label[k] for k in positions["l"]), default=0) for label in labels]
        cell = np.searchsorted(sweep.l_max, l) * n_n + np.searchsorted(sweep.n_max, n)
    order = np.argsort(cell, kind="stable")
    return Plan(order, np.searchsorted(cell[order], np.arange(n_n * n_l + 1)), cell, n_n, n_l)


def _names(descriptor: Descriptor) -> list[str]:
    return [field.name for field in fields(cast("Any", descriptor))]


def _key(descriptor: Descriptor, index: int) -> Any:
    if not isinstance(descriptor, DensityDescriptor):
        return index
    free = {"l_max", "n_max"} if descriptor.nested else {"l_max"}
    return type(descriptor), *(getattr(descriptor, name) for name in _names(descriptor) if name not in free)


class Factors(NamedTuple):
    """Triangular factors of m Jacobians at each truncation, on the complement of the rigid motions.

    Attributes
    ----------
    triangles, shape (m, n_n, n_l, d, d)
        Over `scale`.
    response, shape (m, n_n, n_l)
        Norm of the response to rigid motions, in 1/Å.
    scale, shape (m,)
        In 1/Å.
    counts, shape (n_n, n_l)
        How many features each truncation has.
    """

    triangles: Floats
    response: Floats
    scale: Floats
    counts: Integers

    def take(self, which: Integers) -> Self:
        """Give those of some Jacobians."""
        if len(which) == len(self.scale):
            return self
        return self._replace(triangles=self.triangles[which], response=self.response[which], scale=self.scale[which])

    def singular_values(self) -> Floats:
        """Give them in 1/Å, descending, shape (m, n_n, n_l, d); exact zeros where there are fewer features."""
        *shape, _, d = self.triangles.shape
        values = batched_svd.singular_values(self.triangles.reshape(self.response.size, d, d)).reshape(*shape, d)
        values[:, np.arange(d) >= self.counts[:, :, None]] = 0.0
        return np.asarray(values * self.scale[:, None, None, None])

    def singular_values_on(self, displacements: Floats) -> Floats:
        """Give those of the products with displacements, shape (m, d, k) with k <= d, over the complement."""
        m, n_n, n_l, d, _ = self.triangles.shape
        k = displacements.shape[-1]
        products = np.zeros((m, n_n * n_l * d, d))
        np.matmul(self.triangles.reshape(m, n_n * n_l * d, d), displacements, out=products[:, :, :k])
        return self._replace(triangles=products.reshape(self.triangles.shape)).singular_values()[..., :k]


def factors(flat: Floats, n_features: int, frames: Floats, n_rigid: int, plan: Plan) -> Factors:
    """Reduce each Jacobian at each truncation.

    Parameters
    ----------
    flat
        m Jacobians (F, c) at the largest truncation, end to end, in 1/Å.
    n_features
        F.
    frames, shape (m, c, c)
        Orthogonal matrices; the first `n_rigid` columns of each span the rigid motions.
    """
    m, columns, _ = frames.shape
    d = columns - n_rigid
    shape = (m, plan.n_n, plan.n_l)
    counts = np.cumsum(np.cumsum(np.diff(plan.first).reshape(plan.n_l, plan.n_n), axis=0), axis=1).T
    triangles, response = np.zeros((*shape, d, d)), np.zeros(shape)
    if d == 0:
        return Factors(triangles, response, np.ones(m), counts)
    matrices = flat[: m * n_features * columns].reshape(m, n_features, columns)
    # Scaled, since squares of very small or large entries would overflow or vanish.
    ends = n_features * columns * np.arange(m + 1)
    scale = np.array([max(SMALLEST, largest(flat, *pair)) for pair in pairwise(ends.tolist())])
    turns = np.concatenate([frames[:, :, n_rigid:], frames[:, :, :n_rigid]], axis=2) / scale[:, None, None]
    longest = max(columns, int(np.diff(plan.first).max()))
    scratch = block_of(longest, columns), np.empty((columns, columns)), np.empty((plan.n_n, columns, columns))
    turned = np.empty((n_features, columns))
    for i, (matrix, turn) in enumerate(zip(matrices, turns, strict=True)):
        np.matmul(matrix, turn, out=turned)
        _triangles(turned, plan.order, plan.first, *scratch, triangles[i], response[i])
    return Factors(triangles, response * scale[:, None, None], scale, counts)


def singular_values(flat: Floats, n_features: int, frames: Floats, n_rigid: int) -> tuple[Floats, Floats]:
    """Find the singular values of Jacobians at one truncation, in 1/Å, descending, and norms of responses to rotations.

    Shapes are those of many truncations, (m, 1, 1, d) and (m, 1, 1); parameters those of :func:`factors`.
    """
    m, columns, _ = frames.shape
    start = n_features * columns * np.arange(m)
    spectra = batched_svd.decompose_many(flat, start, n_features, frames, n_rigid, modes=False)
    return spectra.values[:, None, None], spectra.response[:, None, None]


@kernel
def _triangles(
    turned: Floats,
    order: Integers,
    first: Integers,
    block: Floats,
    partial: Floats,
    running: Floats,
    triangles: Floats,
    response: Floats,
) -> None:
    """Compute the triangular factor of each truncation, and the norm of its last columns.

    For each l, `partial` collects the rows of one radial function after the other. It is then added to the factor of
    all smaller l, so that every row of the Jacobian is reduced once.
    """
    columns = turned.shape[1]
    n_n, n_l = response.shape
    d = triangles.shape[-1]
    running[:] = 0.0
    for l in range(n_l):
        partial[:] = 0.0
        for n in range(n_n):
            start, stop = first[l * n_n + n], first[l * n_n + n + 1]
            for k in range(start, stop):
                for x in range(columns):
                    block[x, k - start] = turned[order[k], x]
            for k in range(stop - start, (stop - start + WIDTH - 1) // WIDTH * WIDTH):
                for x in range(columns):
                    block[x, k] = 0.0
            triangle = running[n]
            if n_n == 1:
                insert(triangle, block, stop - start, False)
            else:
                insert(partial, block, stop - start, False)
                # All rows, even if fewer were inserted: if columns are zero, later columns have entries below them.
                for x in range(columns):
                    for k in range((columns + WIDTH - 1) // WIDTH * WIDTH):
                        block[x, k] = partial[k, x] if k <= x else 0.0
                insert(triangle, block, columns, True)
            total = 0.0
            for k in range(columns):
                for x in range(max(k, d), columns):
                    total += triangle[k, x] ** 2
                for x in range(k, d):
                    triangles[n, l, k, x] = triangle[k, x]
            response[n, l] = sqrt(total)
