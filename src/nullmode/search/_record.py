"""What every search hands back: where it got to, how, and why values are null there."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from nullmode._support.types import Floats
from nullmode.attribution.causes import Attribution
from nullmode.geometry.environment import Environment


class Step(NamedTuple):
    """One step of a search.

    Attributes
    ----------
    phase
        Which part of the search took it.
    evaluations
        Environments whose Jacobian was computed, up to here.
    residual
        What the search drives to zero, as the record that holds this history says.
    length
        Displacement of all neighbours by this step, sqrt(sum |dr_j|²), in Å.
    """

    phase: str
    evaluations: int
    residual: float
    length: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchRecord(ABC):
    """What every search hands back (abstract).

    Attributes
    ----------
    environments
        What was found, in order.
    singular_values, shape (k, d)
        Of each of them, descending, in 1/Å.
    converged
        Whether the search got where it was meant to.
    history
        Its steps.
    attribution
        Why values are null in each environment; empty where that was not asked for.
    per_environment
        Further attributes that hold one entry per environment, each with its name in tables.
    """

    per_environment: ClassVar[Mapping[str, str]] = {}

    environments: tuple[Environment, ...]
    singular_values: Floats
    converged: bool
    history: tuple[Step, ...] = field(repr=False)
    attribution: tuple[Attribution, ...] = field(repr=False)
