"""Values of a swept parameter: a list, or a range written out."""

import math
import operator
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Self, TypeAlias, TypeVar

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from nullmode._support.types import Floats, InputError

MOST_VALUES = 100_000
"""Largest number of values of one axis: more is probably a mistake, and would take too long to list."""
MOST_POINTS = 100_000
"""Largest number of points of all axes together."""
T = TypeVar("T")


def distinct(items: list[T]) -> list[T]:
    """Refuse a list that contains a value twice: it would be computed, and counted, twice."""
    seen = set()
    for item in items:
        key = repr(item) if isinstance(item, list | dict) else item
        if key in seen:
            raise InputError(f"values must be distinct, got {item!r} twice. Remove one.")
        seen.add(key)
    return items


def no_booleans(value: T) -> T:
    """Refuse true and false, in lists too: Python would count them as 1 and 0."""
    if isinstance(value, bool):
        raise InputError(f"must not be true or false, got {str(value).lower()}. Put it in quotes if a text is meant.")
    if isinstance(value, list | tuple):
        for each in value:
            no_booleans(each)
    return value


def _alike(items: list[Any]) -> list[Any]:
    """Read numbers that YAML takes for texts, such as 3e-1, and refuse texts or truth values among numbers."""
    items = [float(item) if isinstance(item, str) and _WITHOUT_POINT.fullmatch(item) else item for item in items]
    numbers = [item for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
    others = [item for item in items if isinstance(item, str | bool)]
    if numbers and others:
        raise InputError(f"values must be all numbers or all texts, got {numbers[0]!r} and {others[0]!r}.")
    return items


_Number: TypeAlias = Annotated[int | float, BeforeValidator(no_booleans)]
_WITHOUT_POINT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")


class Range(BaseModel):
    """Evenly spaced values from start to stop, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: _Number
    stop: _Number
    step: Annotated[_Number, Field(gt=0)] = 1

    @model_validator(mode="after")
    def _check_divides(self) -> Self:
        try:
            start, stop, step = float(self.start), float(self.stop), float(self.step)
        except OverflowError:
            raise InputError("`start`, `stop` and `step` must be finite, got an integer beyond all floats.") from None
        if not all(map(math.isfinite, (start, stop, step))):
            raise InputError(f"`start`, `stop` and `step` must be finite, got start={start}, stop={stop}, step={step}.")
        steps = (stop - start) / step
        if steps >= MOST_VALUES:
            raise InputError(
                f"a range must have at most {MOST_VALUES} values, got start={self.start}, stop={self.stop}, "
                f"step={self.step}. Use a larger step."
            )
        if steps < 0 or abs(steps - round(steps)) > 1e-6:
            raise InputError(
                f"`stop` must be `start` plus a whole number of steps, got start={self.start}, stop={self.stop}, "
                f"step={self.step}."
            )
        return self

    def values(self) -> list[int] | list[float]:
        """List the values; fractions are rounded to the 12th digit, so that steps of 0.1 give 0.3, not 0.30…04.

        Rounding is relative to the step, so that a range that crosses zero contains 0.0, not 2.8e-17.
        """
        n = round((self.stop - self.start) / self.step)
        steps = [self.start + k * self.step for k in range(n + 1)]
        if isinstance(self.start, int) and isinstance(self.step, int):
            return [int(value) for value in steps]
        decimals = 12 - math.floor(math.log10(self.step))
        return [float(f"{round(value, decimals) + 0.0:.12g}") for value in steps]


def _form(value: Any) -> str:
    # Only the form that was meant reports its errors.
    return "Range" if isinstance(value, dict | Range) else "List"


_Listed = Field(min_length=1, max_length=MOST_VALUES)
_Finite = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(no_booleans)]
Axis: TypeAlias = Annotated[
    Annotated[Range, Tag("Range")] | Annotated[list[_Finite], _Listed, AfterValidator(distinct), Tag("List")],
    Discriminator(_form),
]
"""An axis of numbers, as the annotation of a family's parameter: a list, or ``{start, stop, step}`` with both ends."""
AnyAxis: TypeAlias = Annotated[
    Annotated[Range, Tag("Range")]
    | Annotated[list[Any], _Listed, AfterValidator(_alike), AfterValidator(distinct), Tag("List")],
    Discriminator(_form),
]
"""An axis with values of any type."""


def above(limit: float) -> AfterValidator:
    """Demand that all values of an axis exceed a limit."""
    return _bounded(min, operator.gt, f"greater than {limit:g}", limit)


def at_least(limit: float) -> AfterValidator:
    """Demand that no value of an axis is below a limit."""
    return _bounded(min, operator.ge, f"at least {limit:g}", limit)


def at_most(limit: float) -> AfterValidator:
    """Demand that no value of an axis exceeds a limit."""
    return _bounded(max, operator.le, f"at most {limit:g}", limit)


def _bounded(extreme: Callable[..., Any], holds: Callable[..., bool], rule: str, limit: float) -> AfterValidator:
    def check(axis: Axis) -> Axis:
        if not holds(value := extreme(values(axis)), limit):
            raise InputError(f"values must be {rule}, got {value:g}.")
        return axis

    return AfterValidator(check)


def values(axis: Range | Sequence[Any] | dict[str, Any]) -> list[Any]:
    """Values of an axis, as written or as a range."""
    if isinstance(axis, dict):
        axis = Range(**axis)
    return axis.values() if isinstance(axis, Range) else list(axis)


def axis_values(axis: Axis | Sequence[float]) -> Floats:
    """Values of an axis, as written or as a range, in an array of shape (m,)."""
    return np.array(values(axis), dtype=np.float64)
