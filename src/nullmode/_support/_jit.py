"""How every kernel of nullmode is compiled, and where its machine code is cached: all Numba options stand here.

Numba takes a second to import, so a kernel is compiled, and Numba imported, on its first call: everything that only
declares or checks parameters (the Snakefile, ``--help``) stays light.
"""

import threading
import warnings
from collections.abc import Callable
from functools import cached_property, update_wrapper
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, cast

from nullmode._support.code_hash import kernel_hash
from nullmode._support.files import cache_folder

P = ParamSpec("P")
R = TypeVar("R")

# Sums may be reordered and fused; NaN and infinity keep their meaning, which full fastmath would drop.
FASTMATH = frozenset({"contract", "reassoc", "nsz"})
_COMPILING = threading.RLock()


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
    # Numba reads the directory from its global settings at this moment only; caches of other packages do not change.
    import numba

    directory = kernel_cache()
    config: Any = numba.config
    before = config.CACHE_DIR
    try:
        directory.mkdir(parents=True, exist_ok=True)
        config.CACHE_DIR = str(directory)
        dispatcher.enable_caching()
    except (OSError, RuntimeError) as error:
        warnings.warn(
            f"compiled kernels cannot be kept in {directory} ({error}); every process compiles anew. "
            "Set NULLMODE_CACHE to a writable directory.",
            stacklevel=2,
        )
    finally:
        config.CACHE_DIR = before


def kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Decorate a kernel that allocates nothing, so that Numba need not count references to its arrays.

    Counting costs an atomic instruction at each use of an array that a tuple holds: as much as a short loop.
    """
    return Kernel(function, allocates=False)


def allocating_kernel(function: Callable[P, R]) -> Kernel[P, R]:
    """Decorate a kernel that sorts, makes arrays or calls LAPACK."""
    return Kernel(function, allocates=True)
