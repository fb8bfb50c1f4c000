"""Threads and progress of long runs: number of processors, BLAS on one thread, a progress bar."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar, cast

from nullmode._support._jit import announce_compiling

P = ParamSpec("P")
T = TypeVar("T")


def single_threaded_blas() -> Any:
    """Context in which BLAS uses one thread."""
    return _blas().limit(limits=1, user_api="blas")


def on_one_blas_thread(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function in which BLAS uses one thread: on a busy machine, several are a hundred times slower."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> T:
        with single_threaded_blas():
            return function(*args, **kwargs)

    return limited


@cache
def _blas() -> Any:
    # Kernels call LAPACK through SciPy; a threaded BLAS is many times slower on such small matrices. Cached, since the
    # search for the loaded libraries takes milliseconds.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """Give the items of an iterator, which a thread makes before they are asked for, at most `count` of them."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        end = object()
        waiting = deque(pool.submit(next, items, end) for _ in range(count))
        try:
            while (item := waiting.popleft().result()) is not end:
                waiting.append(pool.submit(next, items, end))
                yield cast("T", item)
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def progress_bar(total: int | None, wanted: bool, what: str = "environments") -> Iterator[Callable[[int], None]]:
    """Context with a function that advances a bar on stderr; without a bar, it does nothing.

    Without a total, as of a file that is still read, it counts. While kernels compile, it stands still; a line says so.
    """
    if not wanted:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    announce_compiling()
    known: tuple[ProgressColumn, ...] = (MofNCompleteColumn(), TimeRemainingColumn())
    if total is None:
        known = (TextColumn("{task.completed:.0f}"), TimeElapsedColumn())
    columns = (TextColumn(what), BarColumn(), *known)
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)
        yield lambda n: bar.advance(task, n)
