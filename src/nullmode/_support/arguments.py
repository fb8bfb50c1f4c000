"""Checks of numbers and sequences, and the annotations of parameters that are checked on every call."""

from math import inf, nan
from numbers import Real
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from nullmode._support.types import Floats, InputError

SMALLEST_TOLERANCE = 1e-12
"""In Å; positions are not more precise than this."""
Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Tolerance = Annotated[float, Field(ge=SMALLEST_TOLERANCE, allow_inf_nan=False)]
"""A length in Å."""
RelativeTolerance = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
_KINDS = {"b": "truth values", "c": "complex numbers", "O": "objects", "S": "bytes", "U": "texts"}


def listed(value: Any) -> list[Any]:
    """List the items of a value; a value without items, such as a number or a text, is the only item."""
    if isinstance(value, str | bytes | dict):
        return [value]
    try:
        items = iter(value)
    except TypeError:
        return [value]
    return list(items)


def as_whole(value: Any) -> int | None:
    """Turn an integer of Python or NumPy into one of Python; None for anything else, also for bool and float."""
    return int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) else None


def as_real(value: Any) -> float:
    """Turn a real number into a float, and anything else into NaN, with which every comparison is false."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return nan
    try:
        return float(value)
    except OverflowError:
        return nan


def real_array(argument: str, values: Any) -> Floats:
    """Array of real numbers as float64; an array of float64 is not copied.

    Raises
    ------
    InputError
        For rows of different lengths and for anything but real numbers: nothing is parsed, rounded or cut off.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"`{argument}` must be an array with rows of one length, got a value that is none: {error}."
        ) from None
    if np.ma.is_masked(values):
        raise InputError(f"`{argument}` must hold real numbers, got masked entries.")
    if array.dtype.kind not in "fiu":
        got = _KINDS.get(array.dtype.kind, array.dtype.name)
        raise InputError(f"`{argument}` must hold real numbers, got {got}.")
    return array.astype(np.float64, copy=False)


def check_threads(threads: Any) -> None:
    """Refuse a number of threads below 1; None means as many as processors."""
    if threads is not None and (as_whole(threads) or 0) < 1:
        raise InputError(f"`threads` must be a whole number of at least 1, got {threads!r}. None uses all processors.")


def check_cutoff(cutoff: Any) -> float:
    """Refuse a cutoff that is no positive length."""
    if not 0 < as_real(cutoff) < inf:
        raise InputError(f"`cutoff` must be a positive length in Å, got {cutoff!r}.")
    return float(cutoff)


def check_tolerance(tolerance: Any) -> float:
    """Refuse a tolerance that is no length, or below the rounding of positions."""
    if not SMALLEST_TOLERANCE <= as_real(tolerance) < inf:
        raise InputError(f"`tolerance` must be a length of at least {SMALLEST_TOLERANCE} Å, got {tolerance!r}.")
    return float(tolerance)


def check_parity(parity: str) -> None:
    """Refuse a parity that is neither O3 nor SO3."""
    if parity not in ("O3", "SO3"):
        raise InputError(f"`parity` must be 'O3' or 'SO3', got {parity!r}.")
