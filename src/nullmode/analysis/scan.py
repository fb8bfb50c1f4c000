"""The analysis of sets of environments that are larger than memory, streamed into a file."""

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from inspect import getfile
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from nullmode._support.arguments import check_threads
from nullmode._support.code_hash import origin
from nullmode._support.elements import symbol
from nullmode._support.output import check_output, files_behind
from nullmode._support.threads import processors, progress_bar, single_threaded_blas
from nullmode._support.types import JSON, InputError
from nullmode.analysis.chunks import ROW_GROUP, divided
from nullmode.analysis.failed_rows import failed_environment
from nullmode.descriptors._base import Descriptor, check_descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.descriptors._selected import whole_of
from nullmode.geometry.environment import Environment
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.spectrum.batch import spectra
from nullmode.spectrum.decomposition import check_rtol
from nullmode.tables import parquet
from nullmode.tables.columns import SPECTRA


def scan(
    environments: EnvironmentSet | Iterable[EnvironmentSet | Sequence[Environment]],
    descriptor: Descriptor,
    path: str | Path,
    rtol: float = 1e-9,
    *,
    total: int | None = None,
    provenance: JSON | None = None,
    threads: int | None = None,
    progress: bool = False,
    force: bool = False,
) -> int:
    """Write singular values, ranks and noise of a stream of environments to a Parquet file.

    For each thread, 16 384 environments are in memory at a time, and for the stream twice as many. The file does not
    depend on the number of threads, nor on how the stream is divided. It appears when it is complete. An environment
    that cannot be analysed has a row with the status ``failed`` and a message.

    Parameters
    ----------
    environments
        A set, or an iterable, such as a generator, of sets or of sequences of environments. Environments that have no
        index of a structure are numbered in the order of the stream. To read files: :func:`nullmode.read_environments`.
    descriptor
        One of nullmode's or your own. Its species must be given, unless all occur in the first 16 384 environments.
    path
        Of the file with the table ``spectra`` (docs/tables.md), ending in ``.parquet``; an older table is
        replaced at the end.
    rtol
        Singular values up to rtol times the largest count as null.
    total
        How many environments there will be, for the progress bar.
    provenance
        Where the environments come from; kept in the file.
    threads, progress
        As in :func:`nullmode.analyze`.
    force
        Replace a file that is no such table, too.

    Returns
    -------
    int
        Number of environments in the file.

    Raises
    ------
    InputError
        As :func:`nullmode.spectra` if that refuses every environment, for an empty stream, and before any work for a
        path that cannot be written, that is read, or that holds something else.
    OSError
        If the file cannot be written; an older one is left as it was.
    """
    check_rtol(rtol)
    check_descriptor(descriptor)
    check_threads(threads)
    reads = [*files_behind(whole_of(descriptor)), *getattr(environments, "files", ())]
    check_output(path, (".parquet",), is_spectra, inputs=reads, force=force)
    chunks = divided(environments, ROW_GROUP)
    first = next(chunks, None)
    if first is None:
        raise InputError("`environments` must hold at least one environment, got none.")
    fixed = with_layout_of(descriptor, first.within(descriptor.cutoff))
    code = origin("nullmode.analysis.scan", *_files(descriptor))
    content = {"descriptor": repr(fixed), "rtol": rtol} | code | (provenance or {})
    workers = threads or processors()
    waiting: deque[Future[list[Any]]] = deque()
    count = 0
    failures: list[str] = []
    hint = f" The layout is that of the first {len(first)} environments: give the descriptor its own."
    hint = "" if fixed is descriptor else hint
    with (
        single_threaded_blas(),
        progress_bar(total, progress) as advance,
        parquet.streamed(path, "spectra", content) as write,
        ThreadPoolExecutor(max_workers=workers) as pool,
    ):

        def finish_one() -> None:
            rows = waiting.popleft().result()
            write(rows)
            failures.extend(message for message in rows[-1].to_pylist() if message)
            advance(len(rows[0]))

        for chunk in chain([first], chunks):
            waiting.append(pool.submit(_rows_apart, chunk, count, fixed, rtol, hint))
            count += len(chunk)
            if len(waiting) > workers:
                finish_one()
        while waiting:
            finish_one()
        if len(failures) == count:
            raise InputError(failures[0])
    return count


def is_spectra(path: Path) -> bool:
    """Whether a file is a table that :func:`scan` wrote."""
    return parquet.is_table(path, "spectra")


def _files(descriptor: Descriptor) -> list[str]:
    """Source files of a descriptor's class, and of that which features were selected from; none of a shell."""
    result = []
    for kind in {type(descriptor), type(whole_of(descriptor))}:
        with suppress(OSError, TypeError):
            result.append(getfile(kind))
    return sorted(result)


def _rows_apart(chunk: EnvironmentSet, first: int, descriptor: Descriptor, rtol: float, hint: str) -> list[Any]:
    """Do as :func:`_rows`; where that fails, halve the chunk until the error is in the row of one environment."""
    try:
        return _rows(chunk, first, descriptor, rtol)
    # As in `analyze`, whose failed rows these are: a descriptor may raise anything.
    except Exception as error:
        if chunk.cutoff < descriptor.cutoff:
            # A set has one cutoff: no row of it can be analysed.
            raise
        half = len(chunk) // 2
        if half:
            parts = [
                _rows_apart(chunk.take(np.arange(start, stop)), first + start, descriptor, rtol, hint)
                for start, stop in ((0, half), (half, len(chunk)))
            ]
            return [pa.concat_arrays(columns) for columns in zip(*parts, strict=True)]
        [environment] = chunk.within(descriptor.cutoff)
        row = failed_environment(environment, error)
        if environment.structure is None:
            row["structure"] = first
        if isinstance(error, InputError):
            row["message"] += hint
        return [pa.array([row.get(column.name)], type=column.type) for column in SPECTRA]


def _rows(chunk: EnvironmentSet, first: int, descriptor: Descriptor, rtol: float) -> list[Any]:
    """Columns of the table ``spectra``."""
    items = chunk.within(descriptor.cutoff)
    result = spectra(items, descriptor, rtol=rtol, threads=1)
    known = np.arange(result.singular_values.shape[1]) < result.n_dof[:, None]
    structure = np.where(items.structure < 0, first + np.arange(len(items)), items.structure)
    numbers, inverse = np.unique(items.center_species, return_inverse=True)
    ends = np.concatenate([[0], np.cumsum(result.n_dof)])
    return [
        pa.array(structure),
        pa.array(items.center),
        pa.array([symbol(int(number)) for number in numbers]).take(pa.array(inverse)),
        pa.array(np.diff(items.offsets)),
        pa.array(items.at_cutoff),
        pa.array(result.n_dof),
        pa.array(result.rank),
        pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), pa.array(result.singular_values[known])),
        pa.array(result.inverse_condition_number, from_pandas=True),
        pa.array(result.rotation_floor, from_pandas=True),
        pa.array(result.rounding_floor, from_pandas=True),
        pa.array(result.status),
        pa.array(np.full(len(items), "", dtype=object)),
    ]
