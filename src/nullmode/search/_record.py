"""The result of every search: the environments found, the steps, and why values are null there."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from nullmode._support.shown import Shown
from nullmode._support.types import Floats
from nullmode.attribution.causes import Attribution
from nullmode.geometry.environment import Environment

SearchStatus = Literal["found", "not_found", "refused"]
"""How the search from one start ended."""


class Step(NamedTuple):
    """One step of a search: the name of its part, and the number of Jacobians computed up to here.

    The residual is the quantity that the search minimises, see the record of the search; the length is the displacement
    of all neighbours by this step, sqrt(sum |dr_j|²), in Å.
    """

    phase: str
    evaluations: int
    residual: float
    length: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SearchRecord(Shown, ABC):
    """The result of a search (abstract).

    Attributes
    ----------
    environments
        The environments found, in order.
    singular_values, shape (k, d)
        Of each environment, descending, in 1/Å.
    converged
        Whether the search reached its goal.
    history
        The steps of the search.
    attribution
        Why values are null in each environment; empty if not requested.
    status
        ``found``; ``not_found``; or ``refused``, where the start allows no search.
    per_environment
        The attributes that hold one entry per environment, with their names in tables.
    """

    per_environment: ClassVar[Mapping[str, str]] = {}

    environments: tuple[Environment, ...]
    singular_values: Floats
    converged: bool
    history: tuple[Step, ...] = field(repr=False)
    attribution: tuple[Attribution, ...] = field(repr=False)

    @property
    def status(self) -> SearchStatus:
        """How the search ended."""
        return "found" if self.converged else "not_found" if self.history or self.environments else "refused"
