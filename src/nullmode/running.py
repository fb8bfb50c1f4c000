"""What long runs share: BLAS on one thread, a progress bar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def single_threaded_blas() -> Any:
    """Context in which BLAS uses one thread."""
    # Kernels reach LAPACK through scipy; on matrices this small a threaded BLAS is many times slower.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")


@contextmanager
def progress_bar(total: int, wanted: bool, what: str = "environments") -> Iterator[Callable[[int], None]]:
    """Context with a function that advances a bar on stderr; it does nothing where no bar is wanted."""
    if not wanted:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)
        yield lambda n: bar.advance(task, n)
