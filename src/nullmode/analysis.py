"""One environment after the other through a descriptor: rows of the analysis table."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nullmode import tables
from nullmode.arguments import check_threads, check_tolerance, listed
from nullmode.attribution import Theory, explain_rank
from nullmode.decomposition import DegreesOfFreedom, check_rtol, decompose
from nullmode.descriptors._base import Descriptor, evaluate, with_species_of
from nullmode.elements import symbol
from nullmode.environment import Centers, Environment, environments, within
from nullmode.types import JSON, Floats, InputError

if TYPE_CHECKING:
    from ase import Atoms

# What a chunk of Jacobians may take, so that a few of them stay in a core's share of the last cache.
_CHUNK_BYTES = 8 << 20
_CHUNK_MOST = 256
# Counts may be missing: where an environment was not analysed, and where an order has no theory.
_NULLABLE = {
    column.name: {"int64": "Int64", "bool": "boolean"}[str(column.type)]
    for column in tables.ATTRIBUTION
    if str(column.type) in ("int64", "bool")
}
_ATTRIBUTED = [column.name for column in tables.ATTRIBUTION]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of every environment; without a tolerance, not why values are null."""

    rtol: float
    degrees_of_freedom: DegreesOfFreedom = "neighbours"
    tolerance: float | None = None


def analyze(
    what: "Atoms | Environment | Sequence[Atoms] | Sequence[Environment]",
    descriptor: Descriptor,
    rtol: float = 1e-9,
    *,
    centers: Centers = None,
    degrees_of_freedom: DegreesOfFreedom = "neighbours",
    attribution: bool = False,
    tolerance: float = 1e-6,
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
    attribution, tolerance
        Whether to say why values are null, in the columns of :class:`nullmode.Attribution`, and the length in Å for it.
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
    check_tolerance(tolerance)
    check_threads(threads)
    if attribution and degrees_of_freedom != "neighbours":
        raise InputError(f"`degrees_of_freedom` must be 'neighbours' for attribution, got {degrees_of_freedom!r}.")
    items = _environments(what, descriptor, centers)
    descriptor = with_species_of(descriptor, items)
    question = Question(rtol=rtol, degrees_of_freedom=degrees_of_freedom, tolerance=tolerance if attribution else None)
    return measure([Theory(item) for item in items], descriptor, question, threads=threads, progress=progress)[0]


def measure(
    cases: Sequence[Theory],
    descriptor: Descriptor,
    question: Question,
    *,
    threads: int | None = None,
    progress: bool = False,
    keep_features: bool = False,
) -> tuple[pd.DataFrame, list[Floats]]:
    """Answer a question for environments that lie within the descriptor's cutoff.

    Returns
    -------
    frame
        Columns of the analysis table, and of the attribution where it was asked for; in input order.
    features
        Of each environment, if they are to be kept; else empty.
    """
    rows: list[JSON] = []
    features: list[Floats] = []
    with _single_threaded_blas(), _progress(len(cases), progress) as advance:
        first = descriptor.compute_batch_with_jacobian([cases[0].environment])
        chunk = _chunk_length(len(first[0][0]), max(len(case.environment) for case in cases))
        parts = [cases[start : start + chunk] for start in range(0, len(cases), chunk)]

        def run(part: Sequence[Theory]) -> tuple[list[JSON], list[Floats]]:
            results = evaluate(descriptor, [case.environment for case in part])
            part_rows = [
                _row(case, jac, error, descriptor, question)
                for case, (_, jac, error) in zip(part, results, strict=True)
            ]
            return part_rows, [phi for phi, _, _ in results] if keep_features else []

        with ThreadPoolExecutor(max_workers=threads or _processors()) as pool:
            for part_rows, part_features in pool.map(run, parts):
                rows.extend(part_rows)
                features.extend(part_features)
                advance(len(part_rows))
    attributed = question.tolerance is not None
    columns = tables.ANALYSIS if attributed else tables.ENVIRONMENT
    frame = pd.DataFrame(rows, columns=[column.name for column in columns])
    unnumbered = frame["structure"].isna()
    frame.loc[unnumbered, "structure"] = np.flatnonzero(unnumbered)
    return frame.astype({"structure": "int64"} | (_NULLABLE if attributed else {})), features


def _environments(what: Any, descriptor: Descriptor, centers: Centers) -> list[Environment]:
    from ase import Atoms

    items: list[Any] = [what] if isinstance(what, Atoms | Environment) else listed(what)
    kinds = {isinstance(item, Environment) for item in items}
    if kinds == {True}:
        if centers is not None:
            raise InputError(f"`centers` must be None where environments are given, got {centers!r}.")
        return [within(item, descriptor.cutoff) for item in items]
    if True in kinds:
        raise InputError("`what` must hold either structures or environments, got both.")
    return environments(items, cutoff=descriptor.cutoff, centers=centers)


def _row(case: Theory, jacobian: Floats, jacobian_error: float, descriptor: Descriptor, question: Question) -> JSON:
    environment = case.environment
    finite = bool(np.isfinite(jacobian).all())
    seen = jacobian if finite else np.zeros_like(jacobian)
    result = decompose(seen, environment, question.rtol, question.degrees_of_freedom)
    status = "ok"
    if len(environment) == 0:
        status = "no_neighbours"
    elif not finite:
        status = "not_finite"
    elif question.rtol < result.rotation_floor:
        status = "rtol_below_floor"
    elif question.rtol * result.singular_values.max(initial=0.0) < jacobian_error:
        status = "rtol_below_error"
    row: JSON = {
        "structure": environment.structure,
        "center": environment.center,
        "center_species": symbol(environment.center_species),
        "n_neighbours": len(environment),
        "n_dof": result.n_dof,
        "rank": result.rank,
        "singular_values": result.singular_values if finite else np.full(result.n_dof, np.nan),
        "condition_number": result.condition_number,
        "inverse_condition_number": result.inverse_condition_number,
        "rotation_floor": result.rotation_floor,
        "status": status,
    }
    if question.tolerance is not None and status == "ok":
        try:
            why = explain_rank(case, result.rank, result.n_dof, descriptor, question.rtol, question.tolerance)
            row |= {name: asdict(why)[name] for name in _ATTRIBUTED}
        except InputError as error:
            # One environment that theory cannot judge must not take the others with it.
            row["diagnostic"] = str(error)
    return row


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
