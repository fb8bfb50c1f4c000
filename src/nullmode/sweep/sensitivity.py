"""What a sensitivity job does: families under descriptors of one kind to rows of the sensitivity table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from nullmode._support.arguments import check_tolerance
from nullmode._support.elements import known_number, symbol
from nullmode._support.files import written
from nullmode._support.types import JSON, Floats, InputError, Integers, Scope
from nullmode.analysis.rows import AnalysisOptions, measure
from nullmode.analysis.whole_rows import measure_whole
from nullmode.attribution.geometry_ranks import Cases
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._layout import Layout
from nullmode.geometry.cut import cut, environments_of
from nullmode.geometry.environment import Environment
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.spectrum.decomposition import check_rtol
from nullmode.sweep.descriptor import description, fitted, made
from nullmode.sweep.tasks import SensitivityTask, as_json, families_of, references_of
from nullmode.sweep.wholes import Question, wholes
from nullmode.tables import columns, parquet
from nullmode.tables.identity import identified
from nullmode.tables.structures import atoms_of, sound

_COUNTS = {column.name: 0 for column in columns.ENVIRONMENT if str(column.type) == "int64"}
_MEASURED = [column.name for column in columns.SENSITIVITY if column not in (*columns.WHERE, *columns.OPTIONAL)]


def write_sensitivity(
    tasks: Sequence[SensitivityTask],
    structures: Sequence[str],
    references: Sequence[str],
    layouts: Sequence[str],
    output: str,
    code: JSON,
    threads: int,
) -> None:
    """Do a job: write the rows of tasks of one kind of descriptor, a row group for each family and descriptor.

    The files are the structures of :func:`~.tasks.families_of` and :func:`~.tasks.references_of` the tasks, in order,
    and the `layouts` of the only task where that holds a part of a family. `code`, the origin of this code, is kept.
    """
    families = dict(zip(families_of(tasks), structures, strict=True))
    fits = dict(zip(references_of(tasks), references, strict=True))
    whole_layouts = map(read_layout, layouts)
    rows = run_tasks(
        tasks,
        {task.family: read_structures(families[task.family], task) for task in tasks},
        {name: parquet.read(path, "structures") for name, path in fits.items()},
        dict(zip(tasks[0].layouts, whole_layouts, strict=True)),
        threads,
    )
    provenance = {"tasks": [as_json(task) for task in tasks], **code, "inputs": parquet.inputs(families | fits)}
    parquet.write_groups(rows, output, "sensitivity", provenance)


def run_tasks(
    tasks: Sequence[SensitivityTask],
    structures: Mapping[str, pd.DataFrame],
    references: Mapping[str, pd.DataFrame] | None = None,
    layouts: Mapping[float, JSON] | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> list[pd.DataFrame]:
    """Analyse families with descriptors, every task at every truncation that it names.

    Parameters
    ----------
    tasks
        What is to be analysed. Those of one family, question and cutoff share its environments and what geometry says
        of them.
    structures
        Rows of the structures table of each family, by name; of a part, those that :func:`read_structures` reads.
    references
        Rows of the structures table of each family that a contraction is fitted to, by name.
    layouts
        Of the whole family, by cutoff, where `structures` are a part: see :func:`layout`.
    threads, progress
        As in :func:`analyze`.

    Returns
    -------
    list of pandas.DataFrame
        Rows of the sensitivity table, a frame for each family and descriptor: points in order, then environments, or
        structures. They are the same, bit by bit, in whatever jobs the points and the structures are.
    """
    result: dict[tuple[str, str], list[pd.DataFrame]] = {(task.family, task.descriptor): [] for task in tasks}
    asked = [(task.family, _question(task)) for task in tasks]
    for family, question in dict.fromkeys(asked):
        members = [task for task, each in zip(tasks, asked, strict=True) if each == (family, question)]
        descriptors = [[made(task, point) for point in task.points] for task in members]
        frames: list[list[pd.DataFrame]] = [[] for _ in members]
        for cutoff in dict.fromkeys(each.cutoff for listed in descriptors for each in listed):
            geometry = _geometry(structures[family], cutoff, question, part=members[0].structures is not None)
            skipped = _skipped(structures[family], question.scope)
            for task, listed, own in zip(members, descriptors, frames, strict=True):
                chosen = {k: each for k, each in enumerate(listed) if each.cutoff == cutoff}
                if chosen and (geometry.ranks or len(skipped)):
                    options = references or {}, layouts or {}, threads, progress
                    own.append(_rows(task, chosen, geometry, skipped, *options))
        for task, own in zip(members, frames, strict=True):
            result[task.family, task.descriptor].append(_in_order(task, own, structures[family]))
    # A part of a family may hold no centre; without rows, columns have no types.
    kept = ([frame for frame in frames if len(frame)] or frames[:1] for frames in result.values())
    return [pd.concat(frames, ignore_index=True) for frames in kept]


def read_structures(path: str | Path, task: SensitivityTask) -> pd.DataFrame:
    """Read the structures that a task needs: its own, and the first of each pair that they belong to."""
    if task.structures is None:
        return parquet.read(path, "structures")
    known = parquet.read(path, "structures", columns=["structure", "defect", "pair"])
    own = known[_within(known["structure"], task.structures)]
    needed = set(own["structure"])
    if "pair" in known:
        needed.update(sound(known[known["pair"].isin(own["pair"])]).groupby("pair")["structure"].min())
    return parquet.read(path, "structures", filters=[("structure", "in", needed)])


def write_layout(family: str, structures: str, scope: Scope, cutoff: float, output: str, code: JSON) -> None:
    """Do the job that finds a family's layout: read the family and write what :func:`layout` says, and its origin."""
    whole = layout(parquet.read(structures, "structures"), scope, cutoff)
    inputs = parquet.inputs({family: structures})
    provenance = identified({"family": family, "scope": scope, "cutoff": cutoff, **code, "inputs": inputs})
    with written(output) as temporary:
        temporary.write_text(json.dumps({"layout": whole, "provenance": provenance}), encoding="utf-8")


def read_layout(path: str | Path) -> JSON:
    """Read what :func:`write_layout` wrote.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    try:
        content: JSON = json.loads(Path(path).read_text(encoding="utf-8"))["layout"]
        Layout(**content)
    except (ValueError, LookupError, TypeError):
        raise InputError(
            f"{path} must hold the layout of a family, and is damaged. Delete it, and run the workflow again."
        ) from None
    return content


def layout(structures: pd.DataFrame, scope: Scope, cutoff: float) -> JSON:
    """Find what a whole family holds within a cutoff (Å): its parts give their features a common layout by it.

    Raises
    ------
    InputError
        If no centre of the family has a neighbour.
    """
    return asdict(Layout.of(_geometry(structures, cutoff, Question(scope)).environments, cutoff))


def _question(task: SensitivityTask) -> Question:
    return Question(task.scope, None if task.centers is None else tuple(task.centers), task.feature_tolerance)


class _Geometry(NamedTuple):
    """Environments of the sound structures of a family within a cutoff, and what geometry says of each, or each whole.

    The environments count these structures, the rows of ``structures``.
    """

    structures: pd.DataFrame
    environments: list[Environment]
    ranks: Any


def _geometry(structures: pd.DataFrame, cutoff: float, question: Question, *, part: bool = False) -> _Geometry:
    """Cut the environments out, and whole structures if the scope asks for them; of a part, there may be none."""
    structures = sound(structures)
    atoms, centers = atoms_of(structures)
    if question.scope != "environment":
        return _Geometry(structures, *wholes(atoms, cutoff, question, part=part))
    if part:
        numbered = enumerate(zip(atoms, centers, strict=True))
        environments = [each for k, (one, chosen) in numbered for each in environments_of(one, k, cutoff, chosen)]
    else:
        environments = cut(atoms, cutoff, centers)
    return _Geometry(structures, environments, Cases(EnvironmentSet.from_environments(environments)))


def _skipped(structures: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Rows, with few columns, of the centres of skipped structures, or of these as wholes."""
    rows: list[JSON] = []
    for structure in structures[structures["defect"].notna()].itertuples():
        row: JSON = _COUNTS | {"structure": structure.structure, "center": -1, "center_species": None}
        row |= {"singular_values": [], "status": "bad_structure"}
        if scope != "environment":
            rows.append(row)
            continue
        numbers: Any = structure.numbers
        for center in cast("Any", structure.centers):
            species = symbol(numbers[center]) if known_number(numbers[center]) else None
            rows.append({**row, "center": center, "center_species": species})
    return pd.DataFrame(rows)


def _rows(
    task: SensitivityTask,
    chosen: Mapping[int, Descriptor],
    geometry: _Geometry,
    skipped: pd.DataFrame,
    references: Mapping[str, pd.DataFrame],
    layouts: Mapping[float, JSON],
    threads: int | None,
    progress: bool,
) -> pd.DataFrame:
    """Rows of a task at those of its points that have one cutoff; `point` is the index among all of them."""
    cutoff = next(iter(chosen.values())).cutoff
    descriptors = list(chosen.values())
    if whole_family := layouts.get(cutoff):
        descriptors = [Layout(**whole_family).fix(descriptor) for descriptor in descriptors]
    elif geometry.environments:
        shared = Layout.of(geometry.environments, cutoff)
        descriptors = [shared.fix(descriptor) for descriptor in descriptors]
    described = [
        description(task, task.points[k], each, task.family) for k, each in zip(chosen, descriptors, strict=True)
    ]
    numbers = geometry.structures["structure"].to_numpy()
    frames: list[pd.DataFrame] = []
    if len(geometry.ranks):
        paired = "pair" in geometry.structures
        options = AnalysisOptions(
            rtol=check_rtol(task.rtol), tolerance=check_tolerance(task.tolerance), resolution=task.resolution
        )
        answer: Any = measure if task.scope == "environment" else measure_whole
        frame, features = answer(
            geometry.ranks,
            fitted(descriptors, references),
            options,
            threads=threads,
            progress=progress,
            keep_features=paired,
        )
        pairs = geometry.structures["pair"].to_numpy()[frame["structure"]] if paired else None
        frame["structure"] = numbers[frame["structure"]]
        frame["pair_distance"] = np.nan if pairs is None else _pair_distances(frame, pairs, features)
        frames.append(frame)
    if len(skipped):
        points = range(len(descriptors))
        left_out = pd.concat([skipped.assign(point=point) for point in points], ignore_index=True)
        left_out = left_out.reindex(columns=frames[0].columns if frames else ["point", *_MEASURED])
        frames.append(
            left_out.astype(frames[0].dtypes) if frames else left_out.astype(object).where(left_out.notna(), None)
        )
    frame = pd.concat(frames, ignore_index=True)
    rows: pd.DataFrame = pd.DataFrame(described).loc[frame["point"]].reset_index(drop=True).join(frame)
    rows["point"] = np.array(list(chosen))[rows["point"]]
    return rows


def _in_order(task: SensitivityTask, frames: list[pd.DataFrame], structures: pd.DataFrame) -> pd.DataFrame:
    """Put the rows of a task in order of its points, leave out structures that it does not hold, add coordinates."""
    coordinates = parquet.coordinates(structures, "structures")
    if not frames:
        return pd.DataFrame(columns=[*(column.name for column in columns.WHERE), *_MEASURED, *coordinates])
    rows = pd.concat(frames).sort_values(["point", "structure"], kind="stable").drop(columns="point")
    if task.structures is not None:
        rows = rows[_within(rows["structure"], task.structures)]
    rows.index = pd.RangeIndex(len(rows))
    known = structures.set_index("structure")[coordinates].loc[rows["structure"]].reset_index(drop=True)
    return pd.concat([rows, known], axis=1)


def _within(numbers: "pd.Series[Any]", structures: Sequence[int | None]) -> "pd.Series[bool]":
    start, stop = structures
    return (numbers >= start) & (numbers < (np.inf if stop is None else stop))


def _pair_distances(frame: pd.DataFrame, pairs: Integers, features: list[list[Floats]]) -> list[float]:
    """Distance of each row's features from those of the first row with its point, pair and centre, over their norm.

    It is NaN where the two have different numbers of features, or the first has none but zeros.
    """
    first: dict[tuple[int, int, int], Floats] = {}
    result = []
    every = (phi for point in features for phi in point)
    for point, pair, center, phi in zip(frame["point"], pairs, frame["center"], every, strict=True):
        partner = first.setdefault((point, pair, center), phi)
        norm = np.linalg.norm(partner)
        comparable = phi.shape == partner.shape and norm > 0
        result.append(float(np.linalg.norm(phi - partner) / norm) if comparable else np.nan)
    return result
