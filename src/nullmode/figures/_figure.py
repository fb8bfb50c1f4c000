"""What a figure is: a function that draws, and what its parameters may name."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from nullmode._support.types import JSON
from nullmode._support.variants import load
from nullmode.figures import FIGURES
from nullmode.figures._base import style

GIVEN = ("table", "structures", "searches", "predictions", "explanations")
"""Parameters of a figure's function that the workflow fills; all others stand in the configuration.

They are the sensitivity table, the tables of structures, searches and regressions by name, and the explanations table.
A function is given those that it has a parameter for.
"""
NAMING = {"families": "family", "descriptors": "descriptor", "searches": "search", "regressions": "regression"}
"""Of each section of the configuration, the parameter that names one entry; a list is named as the section."""


@dataclass(frozen=True)
class Figure:
    """A figure: how it is drawn, and what its parameters may name.

    Attributes
    ----------
    draw
        Function from tables and parameters to a matplotlib figure, or to a ``Drawing``.
    truncations
        ``one``: every descriptor must have one truncation. ``swept``: it may have several. ``all``: the same, and it is
        drawn on those families that it is run on, where otherwise it must be run on all. ``unknown``: nothing of this
        is checked.
    paired
        Whether each descriptor is drawn on the family at the same position alone, and not on all families.
    search
        The kind that the searches must have; empty for any.
    explanation
        What computes the explanations table: a name of ``nullmode.analysis.explanations.EXPLANATIONS``, or
        ``path/to/file.py:function``. Its parameters are ``table``, ``structures``, ``kinds`` (of descriptors, by name),
        and some of the figure's. Empty where the figure draws from other tables alone.
    """

    draw: Callable[..., Any]
    truncations: Literal["one", "swept", "all", "unknown"] = "one"
    paired: bool = False
    search: str = ""
    explanation: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Draw."""
        return self.draw(*args, **kwargs)

    @property
    def given(self) -> list[str]:
        """Parameters of ``GIVEN`` that the function has."""
        parameters = inspect.signature(self.draw).parameters
        return [name for name in GIVEN if name in parameters]


def figure(**options: Any) -> Callable[[Callable[..., Any]], Figure]:
    """Decorate a function that draws: it becomes a figure with these options, and draws in the house's style."""
    return lambda draw: Figure(style()(draw), **options)


def load_figure(kind: str, where: str = "kind") -> Figure:
    """Load a figure as :func:`nullmode._support.variants.load` does; a user's plain function becomes a record."""
    target = load(kind, FIGURES, "figure", where)
    return target if isinstance(target, Figure) else Figure(target, truncations="unknown")


def named(parameters: JSON) -> dict[str, list[str]]:
    """List the entries of the configuration that parameters of a figure name, by section."""
    return {
        section: [*([parameters[one]] if one in parameters else []), *parameters.get(section, [])]
        for section, one in NAMING.items()
    }
