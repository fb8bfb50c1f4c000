"""Rows of the analysis table from environments and descriptors: many at once, as arrays, by several threads."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from nullmode._support.elements import symbol
from nullmode._support.failure import reason
from nullmode._support.threads import processors, progress_bar, single_threaded_blas
from nullmode._support.types import JSON, Floats, Integers
from nullmode.analysis.cause_columns import CauseColumns
from nullmode.analysis.groups import grouped
from nullmode.analysis.resolution_columns import ResolutionColumns
from nullmode.attribution.geometry_ranks import Cases
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._parameters import check_reach
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.linalg.rotations import LINEAR
from nullmode.spectrum.batch import Scratch, computed
from nullmode.spectrum.decomposition import DegreesOfFreedom
from nullmode.spectrum.judgement import Judgement, coarseness, judge, norms
from nullmode.spectrum.truncations import Plan, Sweep, factors, plan, singular_values, sweeps
from nullmode.tables import columns

# Size of a tile of Jacobians and triangles: a few of them fit into a core's share of the last-level cache.
_TILE_BYTES = 8 << 20
_MOST = 256
_KINDS = {"int64": "Int64", "bool": "boolean"}
# Counts are missing where an environment was not analysed, and where no theory knows the rank of an order.
_NULLABLE = {each.name: _KINDS[str(each.type)] for each in columns.ATTRIBUTION if str(each.type) in _KINDS}
_JUDGED = {name: object if name == "status" else np.float64 for name in Judgement._fields} | {"rank": np.int64}


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """What is computed for every environment; within the tolerance, in Å, positions are symmetric or linear."""

    rtol: float
    degrees_of_freedom: DegreesOfFreedom = "neighbours"
    attribution: bool = True
    resolution: bool = False
    tolerance: float = LINEAR


def measure(
    cases: Cases,
    descriptors: Sequence[Descriptor],
    options: AnalysisOptions,
    *,
    threads: int | None = None,
    progress: bool = False,
    keep_features: bool = False,
    errors: list[Exception] | None = None,
) -> tuple[pd.DataFrame, list[list[Floats]]]:
    """Analyse environments by descriptors of one cutoff, beyond which the environments have no neighbours.

    Descriptors that differ in their truncation alone share Jacobians: see :mod:`nullmode.spectrum.truncations`. The
    table begins with ``point``, the index of the descriptor, and is ordered by it, then as the environments. For each
    descriptor, the features of every environment are given too; none unless `keep_features`.

    An error, also one of memory, stays in the row of its environment, and is appended to `errors`.
    """
    results = _Results(cases, descriptors, options, [] if errors is None else errors, keep_features=keep_features)
    counts = np.diff(cases.environments.offsets)
    alike = [np.flatnonzero(counts == n) for n in np.unique(counts)]
    with (
        single_threaded_blas(),
        progress_bar(len(cases) * len(descriptors), progress) as advance,
        ThreadPoolExecutor(max_workers=threads or processors()) as pool,
    ):
        for sweep in sweeps(descriptors):
            n_features = _n_features(cases.environments, sweep.descriptor)
            layout = plan(sweep, cases.environments, n_features)
            tiles = [tile for group in alike for tile in _tiles(group, int(counts[group[0]]), n_features, layout)]
            for done in pool.map(partial(results.fill, sweep, layout), tiles):
                advance(done * len(sweep.points))
    return results.frame(), results.features


def nullable_types(options: AnalysisOptions) -> dict[str, str]:
    """Types of the columns that pandas would take for others."""
    return {"structure": "int64"} | (_NULLABLE if options.attribution else {})


def bent_line(values: Floats, rounding_floor: float, rtol: float) -> JSON:
    """Columns of what is a line within the tolerance, but has a rank that no line has: it turns about its axis too.

    Nothing sees this rotation, which was counted as a displacement: the last value is its zero.
    """
    judgement = judge(values[:-1], np.nan, rtol=rtol, terms=rounding_floor, rounding=1.0).of_one()
    kept = ("condition_number", "inverse_condition_number")
    return {"n_dof": len(values) - 1, "singular_values": values[:-1]} | {name: judgement[name] for name in kept}


def _n_features(environments: EnvironmentSet, descriptor: Descriptor) -> int:
    """Count the features; 0 where those of no environment can be computed."""
    for environment in environments:
        with suppress(Exception):
            return len(descriptor.compute_batch([environment])[0])
    return 0


def _tiles(members: Integers, n: int, n_features: int, layout: Plan) -> Iterator[Integers]:
    """Divide environments of n neighbours into tiles."""
    width = 3 * max(1, n)
    bytes_each = 8 * width * (max(1, n_features) + (len(layout.first) - 1) * width)
    length = max(1, min(_MOST, _TILE_BYTES // bytes_each))
    return (members[start : start + length] for start in range(0, len(members), length))


class _Results:
    """Columns of the table as arrays (points, environments); each thread fills those of its own environments."""

    def __init__(
        self,
        cases: Cases,
        descriptors: Sequence[Descriptor],
        options: AnalysisOptions,
        errors: list[Exception],
        *,
        keep_features: bool,
    ) -> None:
        shape = (len(descriptors), len(cases))
        self.cases, self.descriptors, self.options = cases, descriptors, options
        self.errors = errors
        self.features: list[list[Floats]] = [[np.empty(0)] * len(cases) * keep_features for _ in descriptors]
        self._judged = {name: np.zeros(shape, dtype=kind) for name, kind in _JUDGED.items()}
        self._n_dof = np.zeros(shape, dtype=np.int64)
        self._values = np.empty(shape, dtype=object)
        self._message = np.full(len(cases), "", dtype=object)
        self._scratch = Scratch()
        self._causes = CauseColumns(shape) if options.attribution else None
        self._resolutions = (
            ResolutionColumns(shape, options.rtol, options.degrees_of_freedom, options.tolerance)
            if options.resolution
            else None
        )

    def fill(self, sweep: Sweep, layout: Plan, members: Integers) -> int:
        """Analyse some environments with equally many neighbours; where that fails, one after the other."""
        try:
            self._fill(sweep, layout, members)
        # Descriptors may be a user's own or another code, and raise anything: one row must not lose the table.
        except Exception as error:
            if len(members) > 1:
                for half in np.array_split(members, 2):
                    self.fill(sweep, layout, half)
            else:
                self._fail(sweep, layout, int(members[0]), error)
        return len(members)

    def _fail(self, sweep: Sweep, layout: Plan, member: int, error: Exception) -> None:
        self.errors.append(error)
        self._message[member] = reason(error)
        for point, *_ in sweep.points:
            for name, column in self._judged.items():
                column[point, member] = {"rank": 0, "status": "failed"}.get(name, np.nan)
            self._values[point, member] = np.empty(0)
            if self.features[point]:
                self.features[point][member] = np.full(len(layout.order), np.nan)

    def _fill(self, sweep: Sweep, layout: Plan, members: Integers) -> None:
        options = self.options
        short = members[self.cases.reach[members] < sweep.descriptor.cutoff]
        if len(short):
            first = self.cases.environments[int(short[0])]
            check_reach([replace(first, cutoff=float(self.cases.reach[short[0]]))], sweep.descriptor.cutoff)
        part = self.cases.environments.take(members)
        result = computed(sweep.descriptor, part, self._scratch)
        coarse = coarseness(part.extent)
        features = layout.norms(result.features)
        points, n, l = (list(indices) for indices in zip(*sweep.points, strict=True))
        reduced = []
        for group in grouped(part, result, layout, options.degrees_of_freedom, options.tolerance):
            matrices = group.flat, group.n_features, group.frames, group.n_rigid
            if layout.n_n * layout.n_l == 1:
                values, response = singular_values(*matrices)
            else:
                triangular = factors(*matrices, layout)
                reduced.append((group, triangular))
                values, response = triangular.singular_values(), triangular.response
            values, response = np.moveaxis(values[:, n, l], 0, 1), response[:, n, l].T
            finite = result.finite[group.members]
            values[:, ~finite] = np.nan
            # The norm of a Jacobian is that of its values and of its response to rotations.
            sizes = np.hypot(norms(values), response) if group.sizes is None else group.sizes[:, n, l].T
            terms = np.fmax(np.where(finite, sizes, 0.0), np.where(finite, features[group.members][:, n, l].T, 0.0))
            judgement = judge(
                values,
                response if group.n_rigid else np.nan,
                rtol=options.rtol,
                terms=terms * coarse[group.members],
                rounding=sweep.descriptor.rounding,
                error=result.errors[group.members] * group.growth,
                finite=finite,
                empty=np.full(len(finite), len(part.vectors) == 0),
            )
            where = np.ix_(points, members[group.members])
            self._n_dof[where] = values.shape[-1]
            for name, column in self._judged.items():
                column[where] = getattr(judgement, name)
            for point, rows in zip(points, values, strict=True):
                for member, row in zip(members[group.members], rows, strict=True):
                    self._values[point, member] = row
        for point, index, jndex in sweep.points:
            if self.features[point]:
                kept = layout.kept(index, jndex)
                for member, phi in zip(members, result.features, strict=True):
                    self.features[point][member] = phi[kept]
        if self._causes is not None:
            self._explain(self._causes, points, members, part)
        if self._resolutions is not None:
            where = np.ix_(points, members)
            known = self._judged["rank"][where], self._judged["rounding_floor"][where]
            environments = [self.cases[int(member)].environment for member in members]
            self._resolutions.fill(members, environments, part, result, reduced, *known, sweep, layout)

    def _explain(self, causes: CauseColumns, points: list[int], members: Integers, part: EnvironmentSet) -> None:
        options = self.options
        rank, status = self._judged["rank"], self._judged["status"]
        descriptors = [(point, self.descriptors[point]) for point in points]
        known = {"rtol": options.rtol, "tolerance": options.tolerance}
        for point, member, n_dof in causes.fill(descriptors, members, part, self.cases, rank, status, **known):
            values = self._values[point, member]
            if n_dof < len(values):
                bent = bent_line(values, self._judged["rounding_floor"][point, member], options.rtol)
                self._n_dof[point, member], self._values[point, member] = bent["n_dof"], bent["singular_values"]
                for name in ("condition_number", "inverse_condition_number"):
                    self._judged[name][point, member] = bent[name]

    def frame(self) -> pd.DataFrame:
        """Make the table."""
        environments, count = self.cases.environments, len(self.descriptors)
        numbers, inverse = np.unique(environments.center_species, return_inverse=True)
        symbols = np.array([symbol(int(number)) for number in numbers], dtype=object)[inverse]
        structure = np.where(environments.structure < 0, np.arange(len(self.cases)), environments.structure)
        repeated = {
            "structure": structure,
            "center": environments.center,
            "center_species": symbols,
            "n_neighbours": np.diff(environments.offsets),
            "n_at_cutoff": environments.at_cutoff,
        }
        table: JSON = {
            "point": np.repeat(np.arange(count), len(self.cases)),
            **{name: np.tile(column, count) for name, column in repeated.items()},
            "n_dof": self._n_dof.ravel(),
            "rank": self._judged["rank"].ravel(),
            "singular_values": self._values.ravel(),
            **{name: column.ravel() for name, column in self._judged.items() if name != "rank"},
            "message": np.tile(self._message, count),
        }
        for further in (self._causes, self._resolutions):
            table |= {} if further is None else further.columns()
        return pd.DataFrame(table)
