"""What complete bases see of a whole structure, from geometry alone: of one correlation order, and of all together."""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from nullmode._support.types import Floats, Integers, Parity, WholeScope
from nullmode.geometry.environment import Environment
from nullmode.linalg.stacked import StackedFactor

_ROWS = 512
"""Rows of sums that are in memory at a time."""
_ROUNDING = 1e-12


class _Tuples(NamedTuple):
    """All ordered nu-tuples of neighbours around all centres.

    The neighbours of all centres are numbered one after the other, those of centre c from ``first[c]`` on. `members`
    (t, nu) are numbers of neighbours, `center` (t,) is that of each tuple, `keys` (t,) are equal for equal keys.
    """

    vectors: Floats
    atoms: Integers
    first: Integers
    members: Integers
    center: Integers
    keys: Integers
    handedness: bool


def count_tuples(environments: list[Environment], order: int) -> int:
    """Count the tuples of neighbours around all centres."""
    return sum(len(environment) ** order for environment in environments)


def rank_complete_whole(
    environments: list[Environment],
    n_atoms: int,
    order: int,
    parity: Parity,
    tolerance: float,
    scope: WholeScope,
) -> int:
    """Count the displacements of a structure that all correlations of nu neighbours around its centres see.

    As for :func:`nullmode.rank_complete`, but features of centres are summed: for scope ``structure`` over those of one
    species, so that tuples around all of them with equal keys have equal terms; for scope ``potential`` over those of
    one species whose multisets of keys are equal, since no feature of this order tells them apart.

    Parameters
    ----------
    environments
        Of the centres of one structure of `n_atoms` atoms.
    order, parity, tolerance
        As for :func:`nullmode.rank_complete`.
    """
    filled = [environment for environment in environments if len(environment)]
    if not filled:
        return 0
    tuples = _tuples(filled, order, parity, tolerance)
    kinds = np.array([environment.center_species for environment in filled], dtype=np.int64)
    if scope == "potential":
        kinds = _with_equal_keys(tuples, kinds)
    classes = _numbered(np.stack([kinds[tuples.center], tuples.keys], axis=1))
    factor = StackedFactor(3 * n_atoms)
    centers = np.array([environment.center for environment in filled])
    for block in _sums(tuples, classes, centers, n_atoms):
        seen = np.flatnonzero(np.diff(block.tocsc().indptr))
        factor.add(block[:, seen].toarray(), seen)
    return rank_of(factor.triangle(), min(np.linalg.norm(tuples.vectors, axis=1)), tolerance)


def rank_of(matrix: Floats, shortest: float, tolerance: float) -> int:
    """Rank of sums of terms of about unit length, which are equal within a tolerance, over the `shortest` distance."""
    values = np.linalg.svd(matrix, compute_uv=False)
    # Terms are equal within the tolerance only: what is left where they cancel means nothing.
    noise = max(tolerance / shortest, _ROUNDING)
    return int(np.count_nonzero(values > noise * max(values[0], 1.0)))


def _tuples(environments: list[Environment], order: int, parity: Parity, tolerance: float) -> _Tuples:
    vectors = np.concatenate([environment.vectors for environment in environments])
    species = np.concatenate([environment.species for environment in environments])
    counts = np.array([len(environment) for environment in environments])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    labels = _labels(vectors, species, first, counts, tolerance)
    members, keys, center = [], [], []
    slots = [(i, i) for i in range(order)] + list(combinations(range(order), 2))
    for c, (start, n) in enumerate(zip(first.tolist(), counts.tolist(), strict=True)):
        own = np.stack(np.unravel_index(np.arange(n**order), (n,) * order), axis=1)
        members.append(own + start)
        keys.append(np.stack([labels[c][own[:, i], own[:, j]] for i, j in slots], axis=1))
        center.append(np.full(len(own), c))
    every, key = np.concatenate(members), np.concatenate(keys)
    with_handedness = parity == "SO3" and order == 3
    if with_handedness:
        a, b, c3 = (vectors[every[:, i]] for i in range(3))
        volume = np.einsum("ij,ij->i", a, np.cross(b, c3))
        sizes = np.prod(np.linalg.norm(vectors, axis=1)[every], axis=1) ** (2 / 3)
        sign = np.sign(np.where(np.abs(volume) <= tolerance * sizes, 0.0, volume)).astype(np.int64)
        key = np.column_stack([key, sign])
    return _Tuples(
        vectors=vectors,
        atoms=np.concatenate([environment.atoms for environment in environments]),
        first=first,
        members=every,
        center=np.concatenate(center),
        keys=_numbered(key),
        handedness=with_handedness,
    )


def _labels(vectors: Floats, species: Integers, first: Integers, counts: Integers, tolerance: float) -> list[Integers]:
    """Label the dot products around each centre, shape (n, n): equal within the tolerance, equal label."""
    length = np.linalg.norm(vectors, axis=1)
    values, growth, kinds = [], [], []
    for start, n in zip(first.tolist(), counts.tolist(), strict=True):
        own = slice(start, start + n)
        values.append((vectors[own] @ vectors[own].T).ravel())
        growth.append((length[own, None] + length[own]).ravel())
        # Squares of lengths and other products never share a label.
        pairs = 1000 * species[own, None] + species[own] + 1_000_000 * np.eye(n, dtype=np.int64)
        kinds.append(pairs.ravel())
    value, reach, kind = (np.concatenate(column) for column in (values, growth, kinds))
    order = np.lexsort((value, kind))
    # A difference of dot products, as the displacement that makes it.
    step = np.diff(value[order]) / np.minimum(reach[order][1:], reach[order][:-1])
    labels = np.empty(len(order), dtype=np.int64)
    labels[order] = np.concatenate([[0], np.cumsum((step > tolerance) | (np.diff(kind[order]) != 0))])
    ends = np.cumsum(counts**2)[:-1]
    return [part.reshape(n, n) for part, n in zip(np.split(labels, ends), counts.tolist(), strict=True)]


def _numbered(rows: Integers) -> Integers:
    """Give each row (t, k) a number from 0: equal rows, equal number."""
    result = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T:
        # Both are numbers below 2^31.
        result = np.unique(result * (int(column.max()) + 2) + column + 1, return_inverse=True)[1]
    return result


def _with_equal_keys(tuples: _Tuples, kinds: Integers) -> Integers:
    """Give each centre a number: those of one kind whose multisets of keys are equal have equal ones."""
    ends = np.cumsum(np.bincount(tuples.center, minlength=len(kinds)))[:-1]
    own = [np.sort(keys).tobytes() for keys in np.split(tuples.keys, ends)]
    numbers: dict[tuple[int, bytes], int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in zip(kinds.tolist(), own, strict=True)])


def _sums(tuples: _Tuples, classes: Integers, centers: Integers, n_atoms: int) -> Iterator[csr_array]:
    """Sum derivatives of each entry of the keys over each class, in blocks (m, 3 N) of rows of about unit length."""
    order = tuples.members.shape[1]
    n = len(tuples.vectors)
    # A row depends on how often its class contains each pair. One number stands for that: a sum of random weights.
    weights = np.random.default_rng(0).integers(0, 2**63, size=(2, n), dtype=np.uint64)
    seen: set[int] = set()
    for i, j in [(i, i) for i in range(order)] + list(combinations(range(order), 2)):
        a, b = tuples.members[:, i], tuples.members[:, j]
        # Symmetric in the two, and unlike for all pairs.
        pair = weights[0, a] * weights[0, b] + weights[1, a] * weights[1, b] + weights[0, a] + weights[0, b]
        digests = np.zeros(classes.max() + 1, dtype=np.uint64)
        np.add.at(digests, classes, pair)
        _, earliest = np.unique(digests, return_index=True)
        fresh = [int(k) for k in np.sort(earliest) if int(digests[k]) not in seen]
        seen.update(int(digests[k]) for k in fresh)
        terms = [(a, tuples.vectors[b]), (b, tuples.vectors[a])]
        yield from _blocks(tuples, classes, np.array(fresh, dtype=np.int64), terms, centers, n_atoms)
    if tuples.handedness:
        a, b, c = tuples.members.T
        v = tuples.vectors
        terms = [(a, np.cross(v[b], v[c])), (b, np.cross(v[c], v[a])), (c, np.cross(v[a], v[b]))]
        yield from _blocks(tuples, classes, np.arange(classes.max() + 1), terms, centers, n_atoms)


def _blocks(
    tuples: _Tuples,
    classes: Integers,
    rows: Integers,
    terms: list[tuple[Integers, Floats]],
    centers: Integers,
    n_atoms: int,
) -> Iterator[csr_array]:
    """Sum terms (neighbour, derivative) over those classes that are rows; each is subtracted from the centre."""
    index = np.full(classes.max() + 1, -1)
    index[rows] = np.arange(len(rows))
    row = index[classes]
    kept = row >= 0
    row, center = row[kept], centers[tuples.center[kept]]
    atoms = np.concatenate([each for neighbour, _ in terms for each in (tuples.atoms[neighbour[kept]], center)])
    entries = np.concatenate([each for _, vector in terms for each in (vector[kept], -vector[kept])])
    many = np.tile(row, 2 * len(terms))
    squares = np.bincount(many, (entries**2).sum(axis=1), minlength=len(rows))
    scale = 1 / np.sqrt(np.where(squares > 0, squares, 1.0))
    columns = (3 * atoms[:, None] + np.arange(3)).ravel()
    values = (entries * scale[many][:, None]).ravel()
    matrix = csr_array((values, (np.repeat(many, 3), columns)), shape=(len(rows), 3 * n_atoms))
    for start in range(0, len(rows), _ROWS):
        yield matrix[start : start + _ROWS]
