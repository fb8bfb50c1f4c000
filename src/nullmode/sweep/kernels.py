"""Compiled kernels, made by one job where several start together."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock

from nullmode._support._jit import announce_compiling, kernel_cache
from nullmode._support.variants import load
from nullmode.analysis.analyze import analyze
from nullmode.descriptors import DESCRIPTORS
from nullmode.geometry.environment import Environment

_PATIENCE = 600
"""Seconds that a job waits for another one's kernels."""


def compile_kernels(*kinds: str) -> None:
    """Compile the kernels of some kinds of descriptor, or load them from the cache.

    Of jobs that start together, one compiles and the others wait for it. Kernels of a user's own file are compiled by
    each job when it calls them.
    """
    announce_compiling()
    for kind in sorted({*kinds} & DESCRIPTORS.keys()):
        with _locked(kind):
            environment = Environment.from_vectors([[1.0, 0.0, 0.0], [0.0, 1.1, 0.2]])
            analyze(environment, load(kind, DESCRIPTORS, "descriptor")(), threads=1)


@contextmanager
def _locked(kind: str) -> Iterator[None]:
    """Context that one process at a time is in; without a lock where the cache does not give one."""
    lock = None
    try:
        folder = kernel_cache()
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{kind}.lock", timeout=_PATIENCE)
        lock.acquire()
    except (OSError, NotImplementedError) as error:  # not writable, no locks in this file system, or waited too long
        print(f"Kernels are compiled without a lock: {error}")
    try:
        yield
    finally:
        if lock is not None:
            lock.release()
