"""Sets of environments larger than memory, streamed into a table."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from nullmode import tables
from nullmode.arguments import check_threads
from nullmode.decomposition import check_rtol
from nullmode.descriptors._base import Descriptor, check_descriptor
from nullmode.elements import symbol
from nullmode.environment import Environment
from nullmode.environment_set import EnvironmentSet
from nullmode.fingerprint import origin
from nullmode.running import processors, progress_bar, single_threaded_blas
from nullmode.spectrum_set import fixed_layout, spectra
from nullmode.types import JSON, InputError

_ROW_GROUP = 1 << 16
"""Environments that are written at once: a few of these are in memory for each thread."""


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
) -> int:
    """Write singular values, ranks and noise of a stream of environments to a Parquet file.

    Only a few parts of the stream are in memory at a time. The file does not depend on the number of threads, and
    appears when it is complete.

    Parameters
    ----------
    environments
        A set, or an iterable, such as a generator, of sets or of sequences of environments: parts of a few hundred or
        more. A structure's place is counted through where the parts do not name it.
    descriptor
        One of nullmode's or your own. Its species must be given, unless the first part holds them all.
    path
        Of the table ``spectra`` (docs/tables.md); an older file is replaced at the end.
    rtol
        Singular values up to rtol times the largest count as null.
    total
        How many environments there will be, for the progress bar.
    provenance
        What the environments follow from; kept in the file.
    threads
        How many to use; default all this process may.
    progress
        Show a progress bar on stderr.

    Returns
    -------
    int
        Environments written.

    Raises
    ------
    InputError
        As :func:`nullmode.spectra`, and for an empty stream.
    OSError
        If the file cannot be written; an older one is left as it was.
    """
    check_rtol(rtol)
    check_descriptor(descriptor)
    check_threads(threads)
    parts = _parts(environments)
    first = next(parts, None)
    if first is None:
        raise InputError("`environments` must hold at least one environment, got none.")
    fixed = fixed_layout(descriptor, first)
    kind = type(fixed).__module__
    roots = ["nullmode.scanning", *([kind] if kind.startswith("nullmode.") else [])]
    content = {"descriptor": repr(fixed), "rtol": rtol} | origin(*roots) | (provenance or {})
    workers = threads or processors()
    waiting: deque[Future[list[Any]]] = deque()
    count = 0
    with (
        single_threaded_blas(),
        progress_bar(total, progress) as advance,
        tables.streamed(path, "spectra", content) as write,
        ThreadPoolExecutor(max_workers=workers) as pool,
    ):

        def finish_one() -> None:
            rows = waiting.popleft().result()
            write(rows)
            advance(len(rows[0]))

        for part in chain([first], parts):
            waiting.append(pool.submit(_rows, part, count, fixed, rtol))
            count += len(part)
            if len(waiting) > workers:
                finish_one()
        while waiting:
            finish_one()
    return count


def _parts(environments: Any) -> Iterator[EnvironmentSet]:
    """Gather sets, large enough that writing them one by one costs nothing."""
    sets: Iterable[Any] = [environments] if isinstance(environments, EnvironmentSet) else environments
    waiting: list[EnvironmentSet] = []
    for item in sets:
        waiting.append(item if isinstance(item, EnvironmentSet) else EnvironmentSet.from_environments(item))
        if sum(map(len, waiting)) >= _ROW_GROUP:
            yield EnvironmentSet.joined(waiting)
            waiting = []
    if any(map(len, waiting)):
        yield EnvironmentSet.joined(waiting)


def _rows(part: EnvironmentSet, first: int, descriptor: Descriptor, rtol: float) -> list[Any]:
    """Columns of the table ``spectra``."""
    items = part.within(descriptor.cutoff)
    found = spectra(items, descriptor, rtol=rtol, threads=1)
    n_neighbours = np.diff(items.offsets)
    status = np.full(len(items), "ok", dtype=object)
    status[found.error > rtol] = "rtol_below_error"
    status[found.rotation_floor > rtol] = "rtol_below_floor"
    known = np.arange(found.singular_values.shape[1]) < found.n_dof[:, None]
    status[(np.isnan(found.singular_values) & known).any(axis=1)] = "not_finite"
    status[n_neighbours == 0] = "no_neighbours"
    structure = np.where(items.structure < 0, first + np.arange(len(items)), items.structure)
    numbers, inverse = np.unique(items.center_species, return_inverse=True)
    ends = np.concatenate([[0], np.cumsum(found.n_dof)])
    return [
        pa.array(structure),
        pa.array(items.center),
        pa.array([symbol(int(number)) for number in numbers]).take(pa.array(inverse)),
        pa.array(n_neighbours),
        pa.array(found.n_dof),
        pa.array(found.rank),
        pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), pa.array(found.singular_values[known])),
        pa.array(found.inverse_condition_number),
        pa.array(found.rotation_floor),
        pa.array(status),
    ]
