"""Rows of the analysis table from whole structures and descriptors."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from nullmode._support.threads import processors, progress_bar, single_threaded_blas
from nullmode._support.types import JSON, Floats, InputError
from nullmode.analysis.failed_rows import failed_structure
from nullmode.analysis.rows import AnalysisOptions, bent_line, nullable_types
from nullmode.attribution.causes import attribution_columns
from nullmode.attribution.whole_structure import StructureRanks
from nullmode.descriptors._base import Descriptor
from nullmode.spectrum.decomposition import Sensitivity
from nullmode.spectrum.forces import force_columns
from nullmode.spectrum.judgement import Judgement
from nullmode.spectrum.scopes import jacobian_of
from nullmode.spectrum.stress import stress_columns
from nullmode.spectrum.whole_structure import SummedJacobian, decompose_sum, rigid_motions
from nullmode.tables import columns


def measure_whole(
    cases: Sequence[StructureRanks],
    descriptors: Sequence[Descriptor],
    options: AnalysisOptions,
    *,
    threads: int | None = None,
    progress: bool = False,
    keep_features: bool = False,
    errors: list[Exception] | None = None,
) -> tuple[pd.DataFrame, list[list[Floats]]]:
    """Do as :func:`measure` for whole structures."""
    pairs = [(point, descriptor, case) for point, descriptor in enumerate(descriptors) for case in cases]

    def run(pair: tuple[int, Descriptor, StructureRanks]) -> tuple[JSON, Floats]:
        point, descriptor, case = pair
        try:
            row, phi = structure_row(case, descriptor, options)
        except Exception as error:  # a descriptor may raise anything: one row must not lose the table
            if errors is not None:
                errors.append(error)
            row, phi = failed_structure(case, error), np.full(1, np.nan)
        return {"point": point, **row}, phi

    rows: list[JSON] = []
    features: list[list[Floats]] = [[] for _ in descriptors]
    with (
        single_threaded_blas(),
        progress_bar(len(pairs), progress, "structures") as advance,
        ThreadPoolExecutor(max_workers=threads or processors()) as pool,
    ):
        for row, phi in pool.map(run, pairs):
            rows.append(row)
            if keep_features:
                features[row["point"]].append(phi)
            advance(1)
    wanted = (*columns.ENVIRONMENT, *columns.WHOLE, *(columns.ATTRIBUTION if options.attribution else ()))
    frame = pd.DataFrame(rows, columns=["point", *(column.name for column in wanted)])
    return frame.astype(nullable_types(options) | {"n_classes": "Int64"}), features


def structure_row(case: StructureRanks, descriptor: Descriptor, options: AnalysisOptions) -> tuple[JSON, Floats]:
    """Give the row of one structure, cut at the cutoff of a descriptor with a fixed layout, and its features (F,).

    The row has the columns of the attribution if these are asked for and the status is ``ok``. Of scope ``potential``,
    the features are NaN: there is no one vector of them.
    """
    total, classes = jacobian_of(case.structure, descriptor, case.scope, case.feature_tolerance)
    result, status = decompose_sum(case.structure, total, descriptor, options.rtol, options.tolerance)
    row: JSON = {
        "structure": case.structure.index,
        "center": -1,
        "center_species": None,
        "n_neighbours": sum(len(environment) for environment in case.structure.environments),
        "n_at_cutoff": sum(environment.at_cutoff for environment in case.structure.environments),
        "n_dof": result.n_dof,
        "singular_values": np.full(result.n_dof, np.nan) if status == "not_finite" else result.singular_values,
        **{name: getattr(result, name) for name in Judgement._fields if name != "status"},
        "status": status,
        "message": "",
    }
    if classes is not None:
        row |= {"n_classes": int(classes.labels.max()) + 1, "feature_gap": classes.gap}
    if status == "ok":
        row |= _forces(case, total, result, descriptor, options)
    if options.attribution and status == "ok":
        row |= attribution_columns(case.having(result.rank), result.rank, descriptor, options.rtol, options.tolerance)
        if row["n_dof"] < result.n_dof:
            row |= bent_line(result.singular_values, result.rounding_floor, options.rtol)
        if classes is not None and "ambiguous" in row:
            row["ambiguous"] |= classes.ambiguous
    return row, total.features if classes is None else np.full(1, np.nan)


def _forces(
    case: StructureRanks, total: SummedJacobian, result: Sensitivity, descriptor: Descriptor, options: AnalysisOptions
) -> JSON:
    """Columns of the reference forces, and of the stress with them; none where there are no forces."""
    structure = case.structure
    if structure.forces is None:
        return {}
    try:
        group = case.group(options.tolerance)
    except InputError:
        group = None
    rigid = rigid_motions(structure, options.tolerance)
    symmetric = None if group is None else group.symmetric_part(structure.forces)
    row = force_columns(structure.forces, rigid, symmetric, result)
    if structure.stress is not None and row["force_status"] != "not_finite":
        operations = None if group is None else group.operations
        row |= stress_columns(structure, total, descriptor, rigid, operations, options.rtol)
    return row
