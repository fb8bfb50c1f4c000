"""Values of a swept parameter: a list, or a range written out."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Self, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nullmode.types import InputError


class Range(BaseModel):
    """Evenly spaced values from start to stop, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: int | float
    stop: int | float
    step: Annotated[int | float, Field(gt=0)] = 1

    @model_validator(mode="after")
    def _check_divides(self) -> Self:
        steps = (self.stop - self.start) / self.step
        if steps < 0 or abs(steps - round(steps)) > 1e-6:
            raise InputError(
                f"`stop` must be `start` plus a whole number of steps, got start={self.start}, stop={self.stop}, "
                f"step={self.step}."
            )
        return self

    def values(self) -> list[int] | list[float]:
        """Write the range out; fractions are rounded at the 12th digit, so that steps of 0.1 read 0.3, not 0.30…04.

        What remains where a range crosses zero is rounded against the step: 0.0, not 2.8e-17.
        """
        n = round((self.stop - self.start) / self.step)
        steps = [self.start + k * self.step for k in range(n + 1)]
        if isinstance(self.start, int) and isinstance(self.step, int):
            return [int(value) for value in steps]
        decimals = 12 - math.floor(math.log10(self.step))
        return [float(f"{round(value, decimals) + 0.0:.12g}") for value in steps]


Axis: TypeAlias = Range | Annotated[list[float], Field(min_length=1)]


def values(axis: Range | Sequence[Any] | dict[str, Any]) -> list[Any]:
    """Values of an axis, as written or as a range."""
    if isinstance(axis, dict):
        axis = Range(**axis)
    return axis.values() if isinstance(axis, Range) else list(axis)


def array(axis: Axis | Sequence[float]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Values of an axis as an array."""
    return np.array(values(axis), dtype=np.float64)
