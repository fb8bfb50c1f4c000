"""Sets of environments larger than memory, streamed into a table."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
from nullmode.fingerprint import code_hash
from nullmode.progress import processors, progress_bar, single_threaded_blas
from nullmode.spectrum_set import spectra
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
    content = {"descriptor": repr(fixed), "rtol": rtol, "code": code_hash("nullmode.scanning")} | (provenance or {})
    count = 0
    workers = threads or processors()
    with (
        single_threaded_blas(),
        progress_bar(total, progress) as advance,
        tables.streamed(path, "spectra", content) as write,
        ThreadPoolExecutor(max_workers=workers) as pool,
    ):
        waiting: deque[Future[pa.Table]] = deque()

        def finish_one() -> int:
            rows = waiting.popleft().result()
            write(rows)
            advance(len(rows))
            return len(rows)

        for part in _before(first, parts):
            waiting.append(pool.submit(_rows, part, fixed, rtol))
            if len(waiting) > workers:
                count += finish_one()
        while waiting:
            count += finish_one()
    return count
