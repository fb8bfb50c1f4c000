"""What a search job does: environments of a family to rows of what a search from each found, and of its steps."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from nullmode._support.elements import symbol
from nullmode._support.failure import reason
from nullmode._support.threads import processors, progress_bar, single_threaded_blas
from nullmode._support.types import JSON, InputError
from nullmode._support.variants import load, validated
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment import Environment, within
from nullmode.search import GIVEN, SEARCHES
from nullmode.search._record import SearchRecord
from nullmode.spectrum.judgement import judge
from nullmode.sweep.descriptor import description, environments_in, fitted, made
from nullmode.sweep.tasks import SearchTask, as_json
from nullmode.tables import columns, parquet

_SHARED = {field.name for field in fields(SearchRecord)} | {"message"}
_NOTHING: JSON = dict.fromkeys(column.name for column in columns.ATTRIBUTION)


def write_search(
    task: SearchTask, structures: str, references: Sequence[str], found: str, steps: str, code: JSON, threads: int
) -> None:
    """Do a job: search from the structures of a family, and write what was `found` and the `steps` there.

    `references` are files of the families that contractions are fitted to; `code`, the origin of this code, is kept.
    """
    files = {**dict(zip(task.references, references, strict=True)), task.family: structures}
    frames = {name: parquet.read(path, "structures") for name, path in files.items()}
    tables = run_search(frames[task.family], task, frames, threads=threads)
    provenance = {**as_json(task), **code, "inputs": parquet.inputs(files)}
    for rows, path, table in zip(tables, (found, steps), ("search", "search_steps"), strict=True):
        parquet.write(rows, path, table, provenance)


def run_search(
    structures: pd.DataFrame,
    task: SearchTask,
    references: Mapping[str, pd.DataFrame] | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Search from every environment of a family.

    Parameters
    ----------
    structures
        Rows of the structures table.
    task
        The search.
    references
        Rows of the structures table of the family that a contraction is fitted to, by name.
    threads, progress
        As in :func:`nullmode.analyze`; a thread takes one environment at a time.

    Returns
    -------
    found, steps
        Rows of the search and search_steps tables, in order of the environments. Every start has a row, also one that
        the search refuses, whose status and message say so.
    """
    given = made(task, task.parameters)
    environments = environments_in(structures, given.cutoff)
    laid_out = with_layout_of(given, environments)
    where = description(task, task.parameters, laid_out, task.family)
    [descriptor] = fitted([laid_out], references or {})
    find = load(task.search_kind, SEARCHES, "search")
    options = validated(find, task.search_parameters, f"searches.{task.search}.parameters", skip=GIVEN)

    def run(environment: Environment) -> SearchRecord | str:
        try:
            record: SearchRecord = find(environment, descriptor, rtol=task.rtol, **options)
        except Exception as error:  # whatever a descriptor meets at one start, the others are searched from
            return reason(error)
        # No start's fault: every other one would give the same.
        if not isinstance(record, SearchRecord):
            raise InputError(
                f"`searches.{task.search}.kind` must name a function that returns a SearchRecord, got "
                f"{type(record).__name__} from {task.search_kind}. Return one, or a class derived from it."
            )
        return record

    found: list[JSON] = []
    steps: list[JSON] = []
    with (
        single_threaded_blas(),
        progress_bar(len(environments), progress) as advance,
        ThreadPoolExecutor(max_workers=threads or processors()) as pool,
    ):
        for environment, record in zip(environments, pool.map(run, environments), strict=True):
            start = {
                "search": task.search,
                **where,
                "structure": environment.structure,
                "center": environment.center,
            }
            inside = within(environment, given.cutoff)
            found.extend({**start, **row} for row in _rows(record, inside, task.rtol))
            history = () if isinstance(record, str) else record.history
            steps.extend({**start, "step": k, **step._asdict()} for k, step in enumerate(history))
            advance(1)
    coordinates = structures[["structure", *parquet.coordinates(structures, "structures")]]
    values = {name: [row.get(name) for row in found] for name in dict.fromkeys(chain.from_iterable(found))}
    # What a start lacks makes no fractions of the whole numbers of others.
    lacking = {name for name, column in values.items() if any(value is None for value in column)}
    rows = pd.DataFrame({k: pd.Series(v, dtype=object) if k in lacking else v for k, v in values.items()})
    frame = rows.merge(coordinates, on="structure", suffixes=("", "_of_start"))
    return frame, pd.DataFrame(steps, columns=[column.name for column in columns.SEARCH_STEPS])


def _rows(record: SearchRecord | str, start: Environment, rtol: float) -> list[JSON]:
    """One row per environment found, or one that says that nothing was, or why the start was refused."""
    common: JSON = {
        "center_species": symbol(start.center_species),
        "species": start.species.tolist(),
        "start_vectors": start.vectors.ravel().tolist(),
    }
    if isinstance(record, str):
        none = {"found": -1, "vectors": [], "singular_values": [], "n_dof": 0, "rank": 0}
        none |= {"converged": False, "status": "refused", "message": record, "inverse_condition_number": np.nan}
        return [common | none | _NOTHING]
    count = len(record.environments)
    own = [(field.name, getattr(record, field.name)) for field in fields(record) if field.name not in _SHARED]
    named = record.per_environment
    rows = []
    for k in range(count) or [-1]:
        values = record.singular_values[k] if count else np.empty(0)
        judgement = judge(values, np.nan, rtol=rtol, terms=float(np.linalg.norm(values))).of_one()
        row = common | {
            "found": k,
            "converged": record.converged,
            "status": record.status,
            "message": getattr(record, "message", ""),
            "vectors": record.environments[k].vectors.ravel().tolist() if count else [],
            "singular_values": values.tolist(),
            "n_dof": len(values),
            "rank": judgement["rank"],
            "inverse_condition_number": judgement["inverse_condition_number"],
        }
        row |= {name: _plain(value) for name, value in own if name not in named}
        row |= {named[name]: _plain(value[k]) if count else None for name, value in own if name in named}
        rows.append(row | (asdict(record.attribution[k]) if record.attribution and count else _NOTHING))
    return rows


def _plain(value: Any) -> Any:
    """Turn a record's entry into what a table holds: a number, a text, a list of numbers, or JSON."""
    if isinstance(value, np.ndarray | np.generic):
        return value.ravel().tolist() if value.ndim else value.item()
    return value if isinstance(value, bool | int | float | str) else json.dumps(value, sort_keys=True)
