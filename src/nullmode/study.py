"""What the workflow's jobs do: a job's cell to table rows, rows to a summary."""

import inspect
import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nullmode import tables
from nullmode._plugins import constructed, load
from nullmode.analysis import Question, analyze, measure
from nullmode.arguments import check_tolerance
from nullmode.attribution import Theory
from nullmode.decomposition import check_rtol
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import Descriptor, with_species_of
from nullmode.environment import Environment, cut
from nullmode.types import JSON, Floats, InputError


def run_cell(structures: pd.DataFrame, cell: JSON, threads: int | None = None, progress: bool = False) -> pd.DataFrame:
    """Analyse one family with one descriptor at every truncation of a job.

    Parameters
    ----------
    structures
        Rows of the structures table.
    cell
        ``family``, ``descriptor`` (names), ``kind``, ``points`` (parameters of each descriptor), ``rtol``,
        ``tolerance``.
    threads, progress
        As in :func:`analyze`.

    Returns
    -------
    pandas.DataFrame
        Rows of the sensitivity table: points in order, then environments.
    """
    place = {column: structures[column] for column in tables.coordinates(structures, "structures")}
    paired = "pair" in place
    question = Question(rtol=check_rtol(cell["rtol"]), tolerance=check_tolerance(cell["tolerance"]))
    target = load(cell["kind"], DESCRIPTORS, "descriptor")
    by_cutoff: dict[float, list[Theory]] = {}
    parts = []
    for parameters in cell["points"]:
        descriptor = constructed(target, parameters, f"descriptors.{cell['descriptor']}")
        if descriptor.cutoff not in by_cutoff:
            by_cutoff[descriptor.cutoff] = [Theory(item) for item in _environments_of(structures, descriptor.cutoff)]
        cases = by_cutoff[descriptor.cutoff]
        descriptor = with_species_of(descriptor, [case.environment for case in cases])
        part, features = measure(cases, descriptor, question, threads=threads, progress=progress, keep_features=paired)
        given = _parameters(target, parameters, descriptor)
        for position, (name, value) in enumerate(_description(cell, descriptor, given).items()):
            part.insert(position, name, value)
        for name, values in place.items():
            part[name] = values.to_numpy()[part["structure"]]
        part["pair_distance"] = _pair_distances(part, features) if paired else np.nan
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def summarize(frame: pd.DataFrame) -> pd.DataFrame:
    """Statistics per family, descriptor, truncation and text coordinate (such as a path): rows of the summary table."""
    texts = [name for name in tables.coordinates(frame, "sensitivity") if pd.api.types.is_string_dtype(frame[name])]
    where = [column.name for column in tables.SENSITIVITY[:10]]
    rows = []
    for key, group in frame.groupby([*where, *texts], dropna=False, sort=False):
        ok = group[group["status"] == "ok"]
        row = dict(zip([*where, *texts], key, strict=True))
        percentiles = {f"inverse_condition_number_p{str(p).replace('.', '_')}": p for p in (0.5, 5, 25, 50, 75, 95)}
        row |= {"n_environments": len(group), "n_ok": len(ok)}
        row |= {f"rank_{name}": ok["rank"].agg(name) for name in ("min", "median", "max")}
        row["fraction_deficient"] = (ok["rank"] < ok["n_dof"]).mean()
        row |= {name: ok["inverse_condition_number"].quantile(p / 100) for name, p in percentiles.items()}
        row["rotation_floor_max"] = ok["rotation_floor"].max()
        rows.append(row)
    return pd.DataFrame(rows)


def _pair_distances(part: pd.DataFrame, features: list[Floats]) -> list[float]:
    first: dict[tuple[int, int], Floats] = {}
    result = []
    for pair, center, phi in zip(part["pair"], part["center"], features, strict=True):
        partner = first.setdefault((pair, center), phi)
        result.append(float(np.linalg.norm(phi - partner) / np.linalg.norm(partner)))
    return result


def _environments_of(structures: pd.DataFrame, cutoff: float) -> list[Environment]:
    """Cut the environments out of rows of the structures table, with neighbours up to `cutoff` (Å)."""
    from ase import Atoms

    atoms, centers = [], []
    rows: Iterator[Any] = structures.itertuples()
    for row in rows:
        cell = np.reshape(row.cell, (3, 3))
        atoms.append(Atoms(row.numbers, np.reshape(row.positions, (-1, 3)), cell=cell, pbc=row.pbc))
        centers.append(np.asarray(row.centers, dtype=np.int64))
    return cut(atoms, cutoff, centers)


def _parameters(target: Any, given: JSON, descriptor: Any) -> JSON:
    """All parameters, defaults included, of a descriptor class or of a function that makes a descriptor."""
    if isinstance(target, type):
        return asdict(descriptor) if hasattr(descriptor, "__dataclass_fields__") else {}
    bound = inspect.signature(target).bind(**given)
    bound.apply_defaults()
    return bound.arguments


def _description(cell: JSON, descriptor: Descriptor, parameters: JSON) -> JSON:
    columns = ("n_max", "l_max", "cutoff", "cutoff_width", "width")
    return {
        "family": cell["family"],
        "descriptor": cell["descriptor"],
        "correlation_order": descriptor.correlation_order,
        **{name: getattr(descriptor, name, parameters.get(name)) for name in columns},
        "parameters": json.dumps(parameters, sort_keys=True),
        "rtol": cell["rtol"],
    }


def warm_kernels(kind: str) -> None:
    """Compile the kernels of one of the package's descriptors, on an environment of two neighbours."""
    environment = Environment.from_vectors([[1.0, 0.0, 0.0], [0.0, 1.1, 0.2]])
    analyze(environment, load(kind, DESCRIPTORS, "descriptor")(), threads=1)


@contextmanager
def job_log(path: str) -> Iterator[None]:
    """Send what a workflow job prints to its log; an InputError ends the job with its message alone."""
    with (
        Path(path).open("w", encoding="utf-8", buffering=1) as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        try:
            yield
        except InputError as error:
            print(f"nullmode: {error}", file=log)
            raise SystemExit(1) from None
        except BaseException:
            traceback.print_exc(file=log)
            raise
