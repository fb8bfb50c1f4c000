"""How every kernel of nullmode is compiled, and where its machine code is cached: all Numba options stand here.

Numba takes a second to import, so a kernel is compiled, and Numba imported, on its first call: everything that only
declares or checks parameters (the Snakefile, ``--help``) stays light.
"""

import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property, update_wrapper
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, cast

from nullmode._support.code_hash import kernel_hash
from nullmode._support.disk_cache import seal, unsealed
from nullmode._support.files import cache_folder
from nullmode._support.types import InputError

P = ParamSpec("P")
R = TypeVar("R")

# Sums may be reordered and fused; NaN and infinity keep their meaning, which full fastmath would drop.
FASTMATH = frozenset({"contract", "reassoc", "nsz"})
_COMPILING = threading.RLock()
_UNWRITABLE: set[Path] = set()


def kernel_cache() -> Path:
    """Directory of the compiled kernels, keyed by their sources."""
    return cache_folder() / "kernels" / kernel_hash()


class Kernel(Generic[P, R]):
    """A function compiled by Numba on its first call; other kernels may call it."""

    def __init__(self, function: Callable[P, R], *, allocates: bool) -> None:
        update_wrapper(self, function)
        self.py_func = function
        self.allocates = allocates

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        # Numba has no types; the decorated function's are this kernel's.
        return self.dispatcher(*args, **kwargs)  # type: ignore[no-any-return]

    @cached_property
    def dispatcher(self) -> Any:
        """Numba's compiled function; made once, under a lock since threads may ask at the same time."""
        import numba

        with _COMPILING:
            if "dispatcher" in self.__dict__:
                return self.__dict__["dispatcher"]
            if cast("Any", numba.config).DISABLE_JIT:
                raise InputError(
                    "nullmode's kernels need Numba's compiler, which NUMBA_DISABLE_JIT switches off. Unset it: "
                    "unset NUMBA_DISABLE_JIT."
                )
            if sys.stderr is not None and sys.stderr.isatty():
                announce_compiling()
            # Inlined, a kernel that another one calls is the same machine code whether it was compiled or loaded.
            # Otherwise the compiling process takes the callee's own, optimised by itself, with other last bits.
            dispatcher = cast("Any", numba.njit)(
                self.py_func,
                error_model="numpy",
                nogil=True,
                fastmath=set(FASTMATH),
                forceinline=True,
                _nrt=self.allocates,
            )
            _enable_cache(dispatcher)
            return dispatcher

    @property
    def _numba_type_(self) -> Any:
        # The protocol by which Numba types an object that a kernel refers to: one kernel may call another.
        return self.dispatcher._numba_type_


def _enable_cache(dispatcher: Any) -> None:
    # Numba reads its global settings at this moment only; caches of other packages do not change.
    import numba

    directory = kernel_cache()
    config: Any = numba.config
    before = config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
        # In any other place Numba would look only at the file of the function, and load stale code.
        config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = str(directory), "UserProvidedCacheLocator"
        dispatcher.enable_caching()
        # A public way to another class of files does not exist.
        dispatcher._cache._cache_file.__class__ = _sealed_files()
    except (OSError, RuntimeError) as error:
        _warn_unwritable(directory, error)
    finally:
        config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = before


def _warn_unwritable(directory: Path, error: Exception) -> None:
    if directory not in _UNWRITABLE:
        _UNWRITABLE.add(directory)
        warnings.warn(
            f"compiled kernels cannot be kept in {directory} ({error}); every process compiles anew. "
            "Set NULLMODE_CACHE to a writable directory.",
            stacklevel=2,
        )


@cache
def _sealed_files() -> type:
    """Make Numba's class of the files of a kernel, but with a checksum in each file.

    What is damaged counts as missing and is made again: a disk may have been full, or a copy interrupted. What cannot
    be written stays in memory.
    """
    from numba.core import caching

    # Numba has no types.
    files: Any = cast("Any", caching).IndexDataCacheFile

    class SealedFiles(files):  # type: ignore[misc]
        def load(self, key: Any) -> Any:
            try:
                return super().load(key)
            # A file may say that it is whole and yet come from another version of Numba or of a library: reading it
            # may raise anything, and compiling anew is right whatever it is.
            except Exception:
                return None

        def save(self, key: Any, data: Any) -> None:
            try:
                super().save(key, data)
            except OSError as error:
                _warn_unwritable(Path(self._cache_path), error)

        def _load_index(self) -> Any:
            return super()._load_index() if _is_whole(self._index_path) else {}

        def _load_data(self, name: str) -> Any:
            if not _is_whole(self._data_path(name)):
                raise ValueError(name)
            return super()._load_data(name)

        @contextmanager
        def _open_for_write(self, path: str) -> Iterator[Any]:
            with super()._open_for_write(path) as file:
                yield file
                file.flush()
                # Numba reads up to the end of its own record, and nothing behind it.
                file.write(seal(Path(file.name).read_bytes()))

    return SealedFiles


def _is_whole(path: str) -> bool:
    return Path(path).is_file() and unsealed(Path(path).read_bytes()) is not None


@cache
def announce_compiling() -> None:
    """Let this process say on stderr, once, that it compiles: a new machine or version waits for that."""
    from numba.core import event

    class Notice(event.Listener):
        said = False

        def on_start(self, _: Any) -> None:
            if not self.said:
                self.said = True
                print("Compiling kernels: this takes up to a minute, once per machine.", file=sys.stderr, flush=True)

        def on_end(self, _: Any) -> None:
            pass

    cast("Any", event).register("numba:compile", Notice())


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Decorate a kernel that allocates nothing, so that Numba need not count references to its arrays.

    Counting costs an atomic instruction at each use of an array that a tuple holds: as much as a short loop.
    """
    return Kernel(function, allocates=False)


def allocating_kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Decorate a kernel that sorts, makes arrays or calls LAPACK."""
    return Kernel(function, allocates=True)
