"""Singular values, ranks and modes of many environments, computed in tiles, so that no Jacobian is kept."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from nullmode._support.arguments import check_threads
from nullmode._support.threads import processors, single_threaded_blas
from nullmode._support.types import Bools, Floats, InputError, Integers
from nullmode.descriptors._base import DensityDescriptor, Descriptor, check_descriptor, evaluate
from nullmode.descriptors._layout import pack, with_layout_of
from nullmode.geometry.environment import Environment
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.linalg.batched_svd import decompose_many, rotation_frames
from nullmode.spectrum.decomposition import check_rtol
from nullmode.spectrum.judgement import coarseness, judge, norm

# Size of the Jacobians that are reduced before the next ones are computed: they stay in a second-level cache.
_TILE_BYTES = 1 << 21
# Environments in a tile.
_MOST = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpectrumSet:
    """What a descriptor sees of the displacements of m environments.

    Attributes
    ----------
    singular_values, shape (m, d); modes, shape (m, d, n, 3) or None
        As in :class:`nullmode.Sensitivity`. Beyond the n_dof and neighbours of an environment, values are NaN and
        displacements zero.
    n_dof, rank, inverse_condition_number, rotation_floor, rounding_floor, shape (m,); rtol
        As in :class:`nullmode.Sensitivity`.
    error, shape (m,)
        Estimated error of the Jacobian over its largest singular value; zero for derivatives in closed form.
    status, shape (m,)
        Whether each rank can be trusted, as in the column of the tables.
    """

    singular_values: Floats
    modes: Floats | None
    n_dof: Integers
    rank: Integers
    inverse_condition_number: Floats
    rotation_floor: Floats
    rounding_floor: Floats
    error: Floats
    status: Any
    rtol: float

    @property
    def trustworthy(self) -> Bools:
        """Whether each spectrum is finite, and rtol at least the noise and the error of its Jacobian."""
        return np.asarray((self.status == "ok") | (self.status == "no_neighbours"))


def spectra(
    environments: EnvironmentSet | Sequence[Environment],
    descriptor: Descriptor,
    *,
    rtol: float = 1e-9,
    modes: bool = False,
    threads: int | None = None,
) -> SpectrumSet:
    """Find singular values, ranks and, if asked for, modes of many environments.

    The results are those of :func:`nullmode.sensitivity`, at a fraction of its cost: no memory is allocated for single
    environments, and no Jacobian is kept. For sets that do not fit into memory: :func:`nullmode.scan`.

    Parameters
    ----------
    environments
        A set, or a sequence of environments. Neighbours beyond the descriptor's cutoff are kept, as displacements that
        it cannot see; :func:`nullmode.analyze` and :func:`nullmode.scan` leave them out.
    descriptor
        One of nullmode's or your own.
    rtol
        Singular values up to rtol times the largest count as null.
    modes
        Whether to give the displacement modes.
    threads
        As in :func:`nullmode.analyze`; the results do not depend on the number.

    Raises
    ------
    InputError
        For a bad rtol, environments with a smaller cutoff than the descriptor, or a species outside its layout.
    """
    check_rtol(rtol)
    check_descriptor(descriptor)
    check_threads(threads)
    items = environments if isinstance(environments, EnvironmentSet) else EnvironmentSet.from_environments(environments)
    if items.cutoff < descriptor.cutoff:
        raise InputError(
            f"`environments` must reach as far as the descriptor's cutoff ({descriptor.cutoff} Å), got some cut at "
            f"{items.cutoff} Å. Make them with nullmode.environments(..., cutoff={descriptor.cutoff})."
        )
    counts = np.diff(items.offsets)
    m, n_most = len(items), int(counts.max(initial=0))
    result = SpectrumSet(
        singular_values=np.full((m, 3 * n_most), np.nan),
        modes=np.zeros((m, 3 * n_most, n_most, 3)) if modes else None,
        n_dof=np.zeros(m, dtype=np.int64),
        rank=np.zeros(m, dtype=np.int64),
        inverse_condition_number=np.full(m, np.nan),
        rotation_floor=np.full(m, np.nan),
        rounding_floor=np.full(m, np.nan),
        error=np.zeros(m),
        status=np.full(m, "no_neighbours", dtype=object),
        rtol=rtol,
    )
    fixed = with_layout_of(descriptor, items)
    workers = threads or processors()

    def fill(indices: Integers) -> None:
        chunk = items if len(indices) == m else items.take(indices)
        n = int(counts[indices[0]])
        for start, tile in _tiles(chunk, n, fixed):
            rows = indices[start : start + len(tile.errors)]
            _reduce(chunk.vectors[n * start :], tile, n, rows, fixed.rounding, result)

    alike = [np.flatnonzero(counts == n) for n in np.unique(counts[counts > 0])]
    shares = [share for group in alike for share in np.array_split(group, min(workers, -(-len(group) // _MOST)))]
    with single_threaded_blas():
        if workers == 1 or len(shares) == 1:
            for share in shares:
                fill(share)
        else:
            with ThreadPoolExecutor(max_workers=workers) as pool:
                list(pool.map(fill, shares))
    d = int(result.n_dof.max(initial=0))
    shorter = None if result.modes is None else result.modes[:, :d]
    return replace(result, singular_values=result.singular_values[:, :d], modes=shorter)


class _Tile(NamedTuple):
    """Jacobians end to end, their errors, in 1/Å, and norms of features; the next tile overwrites them."""

    jacobians: Floats
    errors: Floats
    features: Floats
    coarseness: Floats


def _tiles(items: EnvironmentSet, n: int, descriptor: Descriptor) -> Iterator[tuple[int, _Tile]]:
    """Index of the first environment of each tile, and the tile."""
    if not isinstance(descriptor, DensityDescriptor):
        for start in range(0, len(items), _MOST):
            indices = np.arange(start, min(start + _MOST, len(items)))
            phi, each, errors = zip(*evaluate(descriptor, list(items.take(indices))), strict=True)
            norms = np.array([norm(one) for one in phi])
            yield start, _Tile(_laid_out(each, n), np.array(errors), norms, coarseness(items.extent[indices]))
        return
    species = descriptor.species or ()
    n_features = descriptor._n_features(len(species))
    size = 3 * n * n_features
    length = max(1, min(_MOST, len(items), _TILE_BYTES // (8 * max(1, size))))
    features, jacobians = np.empty((length, n_features)), np.empty(length * size)
    for start in range(0, len(items), length):
        count = min(length, len(items) - start)
        chunk = items.take(np.arange(start, start + count))
        packed = pack(chunk, species, with_centers=descriptor.center_weight != 0.0)
        tile = jacobians[: count * size]
        if size:
            descriptor._evaluate(packed, len(species), features[:count], tile)
        norms = np.linalg.norm(features[:count], axis=1)
        yield start, _Tile(tile, np.zeros(count), norms, coarseness(chunk.extent))


def _laid_out(jacobians: Sequence[Floats], n: int) -> Floats:
    """Join Jacobians end to end, of environments of n neighbours."""
    counts = {len(jacobian) for jacobian in jacobians}
    if len(counts) > 1:
        raise InputError(
            f"`descriptor` must give as many features for all environments of {n} neighbours, "
            f"got {', '.join(map(str, sorted(counts)))}."
        )
    return np.concatenate(jacobians, axis=None)


def _reduce(vectors: Floats, tile: _Tile, n: int, indices: Integers, rounding: float, result: SpectrumSet) -> None:
    """Decompose and judge one tile, and write the outcome to the rows `indices` of the result."""
    jacobians, errors, features, coarse = tile
    count = len(indices)
    length = jacobians.size // count
    frames, n_rigid = rotation_frames(vectors, n * np.arange(count), n)
    for rigid in np.unique(n_rigid):
        alike = np.flatnonzero(n_rigid == rigid)
        spectra = decompose_many(
            jacobians, length * alike, length // (3 * n), frames[alike], int(rigid), modes=result.modes is not None
        )
        rows, d = indices[alike], 3 * n - int(rigid)
        finite = np.asarray(np.isfinite(spectra.values).all(axis=1))
        values = np.where(finite[:, None], spectra.values, np.nan)
        # The norm of the Jacobian is that of its values and of its response to rotations.
        size = np.hypot(np.linalg.norm(values, axis=1), spectra.response)
        known = {"terms": np.fmax(size, features[alike]) * coarse[alike], "rounding": rounding}
        judgement = judge(values, spectra.response, rtol=result.rtol, error=errors[alike], finite=finite, **known)
        result.singular_values[rows, :d] = values
        result.n_dof[rows] = d
        if result.modes is not None:
            result.modes[rows, :d, :n] = spectra.modes.reshape(len(alike), d, n, 3)
        for name in ("rank", "inverse_condition_number", "rotation_floor", "rounding_floor", "status"):
            getattr(result, name)[rows] = getattr(judgement, name)
        with np.errstate(divide="ignore", invalid="ignore"):
            result.error[rows] = np.where(errors[alike] > 0, errors[alike] / values[:, 0], 0.0)
