"""Rows of the analysis table from environments and descriptors; many chunks at once."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, cast

import numpy as np
import pandas as pd

from nullmode._support.elements import symbol
from nullmode._support.threads import processors, progress_bar, single_threaded_blas
from nullmode._support.types import JSON, Floats
from nullmode.analysis.failed_rows import failed_environment, raise_if_all
from nullmode.analysis.resolution_columns import ResolutionColumns, completed
from nullmode.attribution.causes import attribution_columns
from nullmode.attribution.geometry_ranks import EnvironmentRanks
from nullmode.descriptors._base import Descriptor, evaluate
from nullmode.linalg.householder import complete_frame
from nullmode.linalg.rotations import LINEAR
from nullmode.spectrum.decomposition import DegreesOfFreedom, displacements, error_growth
from nullmode.spectrum.judgement import Judgement, coarseness, judge
from nullmode.spectrum.truncations import Plan, Sweep, plan, singular_values, sweeps
from nullmode.symmetry.nearby import generic_lengths
from nullmode.tables import columns

# Size of a chunk of Jacobians: a few of them fit into a core's share of the last-level cache.
_CHUNK_BYTES = 8 << 20
_CHUNK_MOST = 256
_KINDS = {"int64": "Int64", "bool": "boolean"}
# Counts are missing where an environment was not analysed, and where no theory knows the rank of an order.
_NULLABLE = {each.name: _KINDS[str(each.type)] for each in columns.ATTRIBUTION if str(each.type) in _KINDS}
_ENVIRONMENT = [column.name for column in columns.ENVIRONMENT]
_ATTRIBUTED = [column.name for column in columns.ATTRIBUTION]
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
    cases: Sequence[EnvironmentRanks],
    descriptors: Sequence[Descriptor],
    options: AnalysisOptions,
    *,
    threads: int | None = None,
    progress: bool = False,
    keep_features: bool = False,
    strict: bool = False,
) -> tuple[pd.DataFrame, list[list[Floats]]]:
    """Analyse environments by descriptors of one cutoff, beyond which the environments have no neighbours.

    Descriptors that differ in their truncation alone share Jacobians: see :mod:`nullmode.spectrum.truncations`. The
    table begins with ``point``, the index of the descriptor, and is ordered by it, then as the environments. For each
    descriptor, the features of every environment are given too; none unless `keep_features`.

    An error, also one of memory, stays in the row of its environment; if `strict`, the first is raised where all fail.
    """
    frames: list[pd.DataFrame] = []
    features: list[list[Floats]] = [[] for _ in descriptors]
    errors: list[Exception] = []
    limits = ResolutionColumns(options.rtol, options.degrees_of_freedom, options.tolerance)
    with single_threaded_blas(), progress_bar(len(cases) * len(descriptors), progress) as advance:
        for sweep in sweeps(descriptors):
            n_features = _n_features(cases, sweep.descriptor)
            layout = plan(sweep, [case.environment for case in cases], n_features)
            width = 3 * max(1, *(len(case.environment) for case in cases))
            bytes_each = 8 * width * (max(1, n_features) + (len(layout.first) - 1) * width)
            length = max(1, min(_CHUNK_MOST, _CHUNK_BYTES // bytes_each))
            chunks = [cases[start : start + length] for start in range(0, len(cases), length)]

            def run(chunk: Sequence[EnvironmentRanks], sweep: Sweep = sweep, layout: Plan = layout) -> Any:
                try:
                    return [tried(chunk, sweep, layout)]
                # Descriptors may be a user's own or another code, and raise anything: one row must not lose the table.
                except Exception as error:
                    half = len(chunk) // 2
                    if half:
                        return run(chunk[:half], sweep, layout) + run(chunk[half:], sweep, layout)
                    errors.append(error)
                    [case] = chunk
                    lost = [
                        {"point": point[0], **failed_environment(case.environment, error)} for point in sweep.points
                    ]
                    nothing = [np.full(len(layout.order), np.nan)] if keep_features else ()
                    return [(pd.DataFrame(lost, columns=["point", *_ENVIRONMENT]), nothing)]

            def tried(chunk: Sequence[EnvironmentRanks], sweep: Sweep, layout: Plan) -> Any:
                results = evaluate(sweep.descriptor, [case.environment for case in chunk])
                features, jacobians, errors = zip(*results, strict=True)
                frame = _rows(chunk, features, jacobians, np.array(errors), sweep, layout, descriptors, options)
                if options.resolution:
                    frame = frame.join(limits.of(chunk, jacobians, frame, sweep, layout))
                return frame, features if keep_features else ()

            with ThreadPoolExecutor(max_workers=threads or processors()) as pool:
                for frame, chunk_features in chain.from_iterable(pool.map(run, chunks)):
                    frames.append(frame)
                    for index, n, l in sweep.points if keep_features else ():
                        kept = layout.kept(n, l)
                        features[index].extend(phi[kept] for phi in chunk_features)
                    advance(len(frame))
    frame = pd.concat(frames).sort_values("point", kind="stable", ignore_index=True)
    raise_if_all(errors, frame, strict)
    unnumbered = frame["structure"].isna()
    frame.loc[unnumbered, "structure"] = np.tile(np.flatnonzero(unnumbered[: len(cases)]), len(descriptors))
    frame = completed(frame) if options.resolution else frame
    return frame.astype(nullable_types(options)), features


def _n_features(cases: Sequence[EnvironmentRanks], descriptor: Descriptor) -> int:
    """Count the features; 0 where those of no environment can be computed."""
    for case in cases:
        with suppress(Exception):
            return len(descriptor.compute_batch([case.environment])[0])
    return 0


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


def _rows(
    cases: Sequence[EnvironmentRanks],
    features: Sequence[Floats],
    jacobians: Sequence[Floats],
    errors: Floats,
    sweep: Sweep,
    layout: Plan,
    descriptors: Sequence[Descriptor],
    options: AnalysisOptions,
) -> pd.DataFrame:
    """Make the rows of a chunk of environments at each point of a sweep, the environment varying fastest."""
    points, n, l = (list(indices) for indices in zip(*sweep.points, strict=True))
    environments = [case.environment for case in cases] * len(points)
    shape = (len(points), len(cases))
    finite = np.array([bool(np.isfinite(jacobian).all()) for jacobian in jacobians])
    empty = np.array([len(case.environment) == 0 for case in cases])
    coarse = coarseness(np.array([case.environment.extent for case in cases]))
    errors = errors * [error_growth(case.environment, options.degrees_of_freedom) for case in cases]
    n_dof, none = np.zeros(len(cases), dtype=np.int64), np.zeros((layout.n_n, layout.n_l))
    spectra = np.empty(shape, dtype=object)
    judged = {name: np.empty(shape, dtype=kind) for name, kind in _JUDGED.items()}
    for members, matrices, frames, n_rigid in _alike(cases, jacobians, finite, options):
        values, response = singular_values(matrices, frames, n_rigid, layout)
        values, response = np.moveaxis(values[:, n, l], 0, 1), response[:, n, l].T
        values[:, ~finite[members]] = np.nan
        # Not from the matrices: where images move together, the terms are those of the single images.
        sizes = [np.fmax(layout.norms(jacobians[i]), layout.norms(features[i])) if finite[i] else none for i in members]
        known: Any = {"error": errors[members], "finite": finite[members], "empty": empty[members]}
        known |= {"terms": np.array(sizes)[:, n, l].T * coarse[members], "rounding": sweep.descriptor.rounding}
        judgement = judge(values, response if n_rigid else np.nan, rtol=options.rtol, **known)
        n_dof[members] = values.shape[-1]
        for name, column in judged.items():
            column[:, members] = getattr(judgement, name)
        for k in range(len(points)):
            for i, row in zip(members, values[k], strict=True):
                spectra[k, i] = row
    columns = {
        "point": np.repeat(points, len(cases)),
        "structure": [environment.structure for environment in environments],
        "center": [environment.center for environment in environments],
        "center_species": [symbol(environment.center_species) for environment in environments],
        "n_neighbours": [len(environment) for environment in environments],
        "n_at_cutoff": [environment.at_cutoff for environment in environments],
        "n_dof": np.tile(n_dof, len(points)),
        "singular_values": spectra.ravel(),
        **{name: column.ravel() for name, column in judged.items()},
        "message": "",
    }
    frame = pd.DataFrame(columns, columns=["point", *_ENVIRONMENT]).astype({"structure": object})
    if not options.attribution:
        return frame
    for case, length in zip(cases, generic_lengths([case.environment for case in cases]), strict=True):
        case.generic_length = float(length)
    explanations = [
        attribution_columns(case, int(rank), descriptors[point], options.rtol, options.tolerance)
        if status == "ok"
        else {}
        for (point, case), rank, status in zip(product(points, cases), frame["rank"], frame["status"], strict=True)
    ]
    for k, (found, explanation) in enumerate(zip(spectra.ravel(), explanations, strict=True)):
        if explanation.get("n_dof", len(found)) < len(found):
            bent = bent_line(found, cast("float", frame.at[k, "rounding_floor"]), options.rtol)
            for name, value in bent.items():
                frame.at[k, name] = value
    return frame.join(pd.DataFrame(explanations, columns=_ATTRIBUTED, index=frame.index))


def _alike(
    cases: Sequence[EnvironmentRanks], jacobians: Sequence[Floats], finite: Any, options: AnalysisOptions
) -> Iterator[tuple[list[int], list[Floats], list[Floats], int]]:
    """Group environments with equal numbers of degrees of freedom and of rotations; they are decomposed together."""
    groups: dict[tuple[int, int], tuple[list[int], list[Floats], list[Floats]]] = {}
    for i, (case, jacobian) in enumerate(zip(cases, jacobians, strict=True)):
        usable = jacobian if finite[i] else np.zeros_like(jacobian)
        matrix, rotations = displacements(usable, case.environment, options.degrees_of_freedom, options.tolerance)
        frame, n_rigid = complete_frame(rotations)
        members, matrices, frames = groups.setdefault((len(frame), n_rigid), ([], [], []))
        members.append(i)
        matrices.append(matrix)
        frames.append(frame)
    for (_, n_rigid), group in groups.items():
        yield *group, n_rigid
