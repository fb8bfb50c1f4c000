"""From structures and a descriptor to table rows: ``analyze`` for anybody's, ``run_cell`` for the workflow's."""

import json
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nullmode import tables
from nullmode._plugins import constructed, load, validated
from nullmode.decomposition import DegreesOfFreedom, check_rtol, decompose
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import Descriptor, with_species_of
from nullmode.environment import Centers, Environment, cut, environments, symbol
from nullmode.families import FAMILIES
from nullmode.types import JSON, Floats, InputError

if TYPE_CHECKING:
    from ase import Atoms

# What a chunk of Jacobians may take, so that a few of them stay in a core's share of the last cache.
_CHUNK_BYTES = 8 << 20
_CHUNK_MOST = 256


def analyze(
    what: "Atoms | Environment | Sequence[Atoms] | Sequence[Environment]",
    descriptor: Descriptor,
    rtol: float = 1e-9,
    *,
    centers: Centers = None,
    degrees_of_freedom: DegreesOfFreedom = "neighbours",
    threads: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Say of every environment what the descriptor sees of its displacements.

    Parameters
    ----------
    what
        Structures, of which every centre is analysed, or environments.
    descriptor
        One of nullmode's or your own.
    rtol
        Singular values up to rtol times the largest count as null.
    centers
        Symbols or indices of the centres, where structures are given; None for all.
    degrees_of_freedom
        As in :func:`nullmode.sensitivity`.
    threads
        How many to use; default all this process may.
    progress
        Show a progress bar on stderr.

    Returns
    -------
    pandas.DataFrame
        One row per environment, in input order; columns as in ``docs/tables.md``. An environment that cannot be
        analysed has its reason in ``status``; the others are not touched by it.

    Raises
    ------
    InputError
        For bad structures (see :func:`nullmode.environments`), rtol, or a descriptor that does not cover the species.
    """
    check_rtol(rtol)
    if not isinstance(descriptor, Descriptor):
        raise InputError(f"`descriptor` must be a nullmode.Descriptor, got {descriptor!r}. Make one: PowerSpectrum().")
    items = _environments(what, descriptor, centers)
    descriptor = with_species_of(descriptor, items)
    rows, _ = _measure(items, descriptor, rtol, degrees_of_freedom, threads, progress=progress)
    return rows


def _measure(
    items: list[Environment],
    descriptor: Descriptor,
    rtol: float,
    degrees_of_freedom: DegreesOfFreedom,
    threads: int | None,
    *,
    progress: bool,
    keep_features: bool = False,
) -> tuple[pd.DataFrame, list[Floats]]:
    rows: list[JSON] = []
    features: list[Floats] = []
    with _single_threaded_blas(), _progress(len(items), progress) as advance:
        first = descriptor.compute_batch_with_jacobian(items[:1])
        chunk = _chunk_length(len(first[0][0]), max(len(environment) for environment in items))
        parts = [items[start : start + chunk] for start in range(0, len(items), chunk)]

        def run(part: list[Environment]) -> tuple[list[JSON], list[Floats]]:
            results = descriptor.compute_batch_with_jacobian(part)
            part_rows = [
                _row(environment, jacobian, descriptor.cutoff, rtol, degrees_of_freedom)
                for environment, (_, jacobian) in zip(part, results, strict=True)
            ]
            return part_rows, [phi for phi, _ in results] if keep_features else []

        with ThreadPoolExecutor(max_workers=threads or _processors()) as pool:
            for part_rows, part_features in pool.map(run, parts):
                rows.extend(part_rows)
                features.extend(part_features)
                advance(len(part_rows))
    frame = pd.DataFrame(rows, columns=[column.name for column in tables.ANALYSIS])
    unnumbered = frame["structure"].isna()
    frame.loc[unnumbered, "structure"] = np.flatnonzero(unnumbered)
    return frame.astype({"structure": np.int64}), features


def make_structures(kind: str, parameters: JSON, name: str) -> pd.DataFrame:
    """Generate a family as rows of the structures table; coordinates become further columns.

    Raises
    ------
    InputError
        If the family yields nothing, or a structure with different coordinates than the first.
    """
    target = load(kind, FAMILIES, "family")
    rows: list[JSON] = []
    for index, atoms in enumerate(target(**validated(target, parameters, f"families.{name}.parameters"))):
        info = {key: value for key, value in atoms.info.items() if key != "centers"}
        row = {
            "structure": index,
            "numbers": atoms.numbers.tolist(),
            "positions": atoms.positions.ravel().tolist(),
            "cell": np.array(atoms.cell).ravel().tolist(),
            "pbc": atoms.pbc.astype(int).tolist(),
            "centers": list(map(int, atoms.info.get("centers", range(len(atoms))))),
            **info,
        }
        if rows and row.keys() != rows[0].keys():
            raise InputError(f"`families.{name}` must give every structure the same coordinates, got {sorted(info)}.")
        rows.append(row)
    if not rows:
        raise InputError(f"`families.{name}` must hold at least one structure, got none.")
    return pd.DataFrame(rows)


def run_cell(structures: pd.DataFrame, cell: JSON, threads: int | None = None, progress: bool = False) -> pd.DataFrame:
    """Analyse one family with one descriptor at every truncation of a job.

    Parameters
    ----------
    structures
        Rows of the structures table.
    cell
        ``family``, ``descriptor`` (names), ``kind``, ``points`` (parameters of each descriptor), ``rtol``.
    threads, progress
        As in :func:`analyze`.

    Returns
    -------
    pandas.DataFrame
        Rows of the sensitivity table: points in order, then environments.
    """
    place = {column: structures[column] for column in tables.coordinates(structures, "structures")}
    paired = "pair" in place
    check_rtol(cell["rtol"])
    target = load(cell["kind"], DESCRIPTORS, "descriptor")
    by_cutoff: dict[float, list[Environment]] = {}
    parts = []
    for parameters in cell["points"]:
        descriptor = constructed(target, parameters, f"descriptors.{cell['descriptor']}")
        if descriptor.cutoff not in by_cutoff:
            by_cutoff[descriptor.cutoff] = _from_rows(structures, descriptor.cutoff)
        items = by_cutoff[descriptor.cutoff]
        descriptor = with_species_of(descriptor, items)
        part, features = _measure(
            items, descriptor, cell["rtol"], "neighbours", threads, progress=progress, keep_features=paired
        )
        for position, (name, value) in enumerate(_description(cell, descriptor).items()):
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


def _environments(what: Any, descriptor: Descriptor, centers: Centers) -> list[Environment]:
    from ase import Atoms

    items: list[Any] = [what] if isinstance(what, Atoms | Environment) else list(what)
    kinds = {isinstance(item, Environment) for item in items}
    if kinds == {True}:
        if centers is not None:
            raise InputError(f"`centers` must be None where environments are given, got {centers!r}.")
        return items
    if True in kinds:
        raise InputError("`what` must hold either structures or environments, got both.")
    return environments(items, cutoff=descriptor.cutoff, centers=centers)


def _from_rows(structures: pd.DataFrame, cutoff: float) -> list[Environment]:
    from ase import Atoms

    atoms, centers = [], []
    rows: Iterator[Any] = structures.itertuples()
    for row in rows:
        cell = np.reshape(row.cell, (3, 3))
        atoms.append(Atoms(row.numbers, np.reshape(row.positions, (-1, 3)), cell=cell, pbc=row.pbc))
        centers.append(np.asarray(row.centers, dtype=np.int64))
    return cut(atoms, cutoff, centers)


def _row(environment: Environment, jacobian: Any, cutoff: float, rtol: float, dof: DegreesOfFreedom) -> JSON:
    row: JSON = {
        "structure": environment.structure,
        "center": environment.center,
        "center_species": symbol(environment.center_species),
        "n_neighbours": len(environment),
    }
    finite = bool(np.isfinite(jacobian).all())
    result = decompose(jacobian if finite else np.zeros_like(jacobian), environment, rtol, dof)
    row |= {
        "n_dof": result.n_dof,
        "rank": result.rank,
        "singular_values": result.singular_values if finite else np.full(result.n_dof, np.nan),
        "condition_number": result.condition_number,
        "inverse_condition_number": result.inverse_condition_number,
        "rotation_floor": result.rotation_floor,
        "status": "ok",
    }
    if not ((environment.vectors**2).sum(axis=1) < cutoff**2).any():
        row["status"] = "no_neighbours"
    elif not finite:
        row["status"] = "not_finite"
    elif rtol < result.rotation_floor:
        row["status"] = "rtol_below_floor"
    return row


def _description(cell: JSON, descriptor: Descriptor) -> JSON:
    anything: Any = descriptor
    parameters: JSON = asdict(anything) if hasattr(anything, "__dataclass_fields__") else {}
    return {
        "family": cell["family"],
        "descriptor": cell["descriptor"],
        "correlation_order": descriptor.correlation_order,
        **{name: getattr(descriptor, name, None) for name in ("n_max", "l_max", "cutoff", "cutoff_width", "width")},
        "parameters": json.dumps(parameters, sort_keys=True),
        "rtol": cell["rtol"],
    }


def _chunk_length(n_features: int, n_neighbours: int) -> int:
    return max(1, min(_CHUNK_MOST, _CHUNK_BYTES // (24 * max(1, n_features) * max(1, n_neighbours))))


def _single_threaded_blas() -> Any:
    # Kernels reach LAPACK through scipy; on matrices this small a threaded BLAS is many times slower.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")


@contextmanager
def _progress(total: int, wanted: bool) -> Iterator[Callable[[int], None]]:
    if not wanted:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("environments"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)
        yield lambda n: bar.advance(task, n)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
