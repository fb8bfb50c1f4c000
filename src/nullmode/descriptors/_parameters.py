"""Parameters that descriptors share: their types, what must hold of them, and the layout of features they ask for."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from nullmode._support.arguments import listed
from nullmode._support.elements import atomic_number, symbol
from nullmode._support.types import InputError
from nullmode.descriptors._pack import most_neighbours, species_of
from nullmode.geometry.environment import Environment, check_environments


def _symbols(value: Any) -> Any:
    if value is None:
        return None
    names = tuple(symbol(atomic_number(item)) for item in listed(value))
    if len(set(names)) < len(names):
        raise InputError(f"`species` must be distinct, got {names}.")
    return names


Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]
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
    """Refuse environments that were cut nearer than a descriptor looks, and list them."""
    items = check_environments(environments)
    for environment in items:
        if environment.cutoff is not None and environment.cutoff < cutoff:
            raise InputError(
                f"`environment` must reach as far as the descriptor's cutoff ({cutoff} Å), got one cut at "
                f"{environment.cutoff} Å. Make it with nullmode.environments(..., cutoff={cutoff})."
            )
    return items


def species_layout(
    species: SpeciesChoice, environments: Sequence[Environment] | None, *, with_centers: bool = False
) -> tuple[str, ...]:
    """Give the species as asked for, else those of a set, else one named ``X``."""
    items = None if environments is None else check_environments(environments)
    if species is not None:
        return species
    return ("X",) if items is None else species_of(items, with_centers=with_centers)


def laid_out_for(n_neighbours_max: int | None, environments: Sequence[Environment] | None, cutoff: float) -> int:
    """Give the number of neighbours that features are laid out for: as asked for, else the most of a set, else 1.

    Raises
    ------
    InputError
        If an environment has more than asked for.
    """
    if environments is None:
        return 1 if n_neighbours_max is None else n_neighbours_max
    found = most_neighbours(check_environments(environments), cutoff)
    if n_neighbours_max is None:
        return found
    if found > n_neighbours_max:
        raise InputError(
            f"`n_neighbours_max` must be at least the number of neighbours inside the cutoff, got {n_neighbours_max} "
            f"for an environment with {found}. Raise it, or pass n_neighbours_max=None."
        )
    return n_neighbours_max
