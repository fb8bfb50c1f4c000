"""Arrays in the one form that a kernel is compiled for."""

from typing import Any, TypeVar, cast

import numpy as np

T = TypeVar("T", bound="np.ndarray[Any, Any]")


def read_only(array: T) -> T:
    """Give a contiguous view that is not written to, as the arrays of environments are.

    Numba compiles a kernel once more for arrays that may be written to, and once more for each order in memory.
    """
    result = np.ascontiguousarray(array).view()
    result.setflags(write=False)
    return cast("T", result)
