"""Singular values, ranks and modes of many environments, computed in tiles, so that no Jacobian is kept."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from nullmode._support.arguments import check_threads
from nullmode._support.shown import Shown
from nullmode._support.threads import processors, single_threaded_blas
from nullmode._support.types import Bools, Floats, InputError, Integers
from nullmode.descriptors._base import DensityDescriptor, Descriptor, check_descriptor, evaluate
from nullmode.descriptors._layout import pack, species_of, with_layout_of
from nullmode.geometry.environment import Environment
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.linalg.batched_svd import decompose_many, rotation_frames
from nullmode.spectrum.decomposition import check_rtol
from nullmode.spectrum.judgement import coarseness, judge, norms

# Size of the Jacobians that are reduced before the next ones are computed: they stay in a second-level cache.
_TILE_BYTES = 1 << 21
# Environments in a tile.
_MOST = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SpectrumSet(Shown):
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
    n_features = fixed._n_features(len(fixed.species or ())) if isinstance(fixed, DensityDescriptor) else None

    def fill(indices: Integers) -> None:
        n = int(counts[indices[0]])
        length = _MOST if n_features is None else max(1, min(_MOST, _TILE_BYTES // (24 * n * max(1, n_features))))
        scratch = Scratch()
        for start in range(0, len(indices), length):
            rows = indices[start : start + length]
            part = items.take(rows)
            _reduce(part, computed(fixed, part, scratch), rows, fixed.rounding, result)

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


class Computed(NamedTuple):
    """Features (m, F) of m environments of n neighbours, Jacobians (F, n, 3) end to end, and their errors, in 1/Å.

    A Jacobian that is not `finite` is zero here.
    """

    features: Floats
    jacobians: Floats
    errors: Floats
    finite: Bools


class Scratch(threading.local):
    """Memory for Jacobians, which each thread uses again."""

    jacobians = np.empty(0)

    def of(self, size: int) -> Floats:
        """Give `size` numbers; the next call overwrites them."""
        if self.jacobians.size < size:
            self.jacobians = np.empty(size)
        return self.jacobians[:size]


def computed(descriptor: Descriptor, items: EnvironmentSet, scratch: Scratch) -> Computed:
    """Compute features and Jacobians of environments with equally many neighbours; the next call overwrites them."""
    m = len(items)
    if isinstance(descriptor, DensityDescriptor):
        species = descriptor.species or species_of(items, with_centers=descriptor.center_weight != 0.0)
        features = np.empty((m, descriptor._checked_size(len(species))))
        jacobians = scratch.of(3 * len(items.vectors) * features.shape[1])
        packed = pack(items, species, with_centers=descriptor.center_weight != 0.0)
        if features.size:
            descriptor._evaluate(packed, len(species), features, jacobians)
        errors = np.zeros(m)
    else:
        each, matrices, known = zip(*evaluate(descriptor, list(items)), strict=True)
        sizes = sorted({len(phi) for phi in each})
        if len(sizes) > 1:
            raise InputError(
                f"`descriptor` must give as many features for all environments of {len(items.vectors) // m} "
                f"neighbours, got {', '.join(map(str, sizes))}."
            )
        features, jacobians, errors = np.array(each), np.concatenate(matrices, axis=None), np.array(known)
    finite = np.asarray(np.isfinite(jacobians.reshape(m, jacobians.size // m)).all(axis=1))
    if not finite.all():
        jacobians.reshape(m, jacobians.size // m)[~finite] = 0.0
    return Computed(features, jacobians, errors, finite)


def _reduce(part: EnvironmentSet, each: Computed, rows: Integers, rounding: float, result: SpectrumSet) -> None:
    """Decompose and judge environments with equally many neighbours, and write the outcome to `rows` of the result."""
    n, n_features = len(part.vectors) // len(part), each.features.shape[1]
    frames, n_rigid = rotation_frames(part.vectors, n * np.arange(len(part)), n)
    terms = norms(each.features)
    for rigid in np.unique(n_rigid):
        alike = np.flatnonzero(n_rigid == rigid)
        start, modes = 3 * n * n_features * alike, result.modes is not None
        spectra = decompose_many(each.jacobians, start, n_features, frames[alike], int(rigid), modes=modes)
        chosen, d, finite = rows[alike], 3 * n - int(rigid), each.finite[alike]
        values = np.where(finite[:, None], spectra.values, np.nan)
        # The norm of the Jacobian is that of its values and of its response to rotations.
        size = np.where(finite, np.hypot(norms(spectra.values), spectra.response), 0.0)
        judgement = judge(
            values,
            spectra.response,
            rtol=result.rtol,
            terms=np.fmax(size, np.where(finite, terms[alike], 0.0)) * coarseness(part.extent[alike]),
            rounding=rounding,
            error=each.errors[alike],
            finite=finite,
        )
        result.singular_values[chosen, :d] = values
        result.n_dof[chosen] = d
        if result.modes is not None:
            result.modes[chosen, :d, :n] = spectra.modes.reshape(len(alike), d, n, 3)
        for name in ("rank", "inverse_condition_number", "rotation_floor", "rounding_floor", "status"):
            getattr(result, name)[chosen] = getattr(judgement, name)
        with np.errstate(divide="ignore", invalid="ignore"):
            result.error[chosen] = np.where(each.errors[alike] > 0, each.errors[alike] / values[:, 0], 0.0)
