"""Parameters that descriptors share: their types, and what must hold of them."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from nullmode._support.arguments import Length, listed
from nullmode._support.elements import atomic_number, symbol
from nullmode._support.types import InputError
from nullmode.geometry.environment import Environment, check_environments


def _symbols(value: Any) -> Any:
    if value is None:
        return None
    names = tuple(symbol(atomic_number(item)) for item in listed(value))
    if len(set(names)) < len(names):
        raise InputError(f"`species` must be distinct, got {names}.")
    return names


Cutoff = Annotated[Length, Field(description="radius of the environment, Å")]
CutoffWidth = Annotated[float, Field(ge=0, allow_inf_nan=False, description="smoothing range, Å")]
SpeciesChoice = Annotated[
    tuple[str, ...] | None,
    BeforeValidator(_symbols),
    Field(description="chemical symbols of the channels; default: those of the set"),
]
MostNeighbours = Annotated[
    int | None, Field(ge=0, description="neighbours to lay features out for; default: the most of the set")
]
Degeneracy = Annotated[float, Field(ge=0, lt=1, description="relative gap up to which sorted values count as equal")]


def check_smoothing(cutoff: float, cutoff_width: float) -> None:
    """Refuse a smoothing range that is wider than the environment."""
    if cutoff_width > cutoff:
        raise InputError(
            f"`cutoff_width` must not exceed `cutoff`, got {cutoff_width} Å > {cutoff} Å. Use a narrower one."
        )


def check_reach(environments: Any, cutoff: float) -> list[Environment]:
    """List environments; refuse those whose own cutoff is smaller than that of the descriptor."""
    items = check_environments(environments)
    for environment in items:
        if environment.cutoff is not None and environment.cutoff < cutoff:
            raise InputError(
                f"`environment` must reach as far as the descriptor's cutoff ({cutoff} Å), got one cut at "
                f"{environment.cutoff} Å. Make it with nullmode.environments(..., cutoff={cutoff})."
            )
    return items
