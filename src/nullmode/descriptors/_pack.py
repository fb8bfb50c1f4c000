"""Environments laid out as a kernel takes them."""

from collections.abc import Sequence

import numpy as np

from nullmode.basis.density import Batch
from nullmode.elements import atomic_number, symbol
from nullmode.environment import Environment
from nullmode.types import InputError


def species_of(environments: Sequence[Environment], *, with_centers: bool) -> tuple[str, ...]:
    """Symbols of all neighbours (and centres) in a set, by atomic number."""
    numbers = np.unique(np.concatenate([np.empty(0, np.int64), *(environment.species for environment in environments)]))
    if with_centers:
        numbers = np.union1d(numbers, [environment.center_species for environment in environments])
    return tuple(symbol(number) for number in numbers)


def most_neighbours(environments: Sequence[Environment], cutoff: float) -> int:
    """Count the neighbours nearer than the cutoff (Å) of the environment that has most of them."""
    counts = (int((np.sqrt((item.vectors**2).sum(axis=1)) < cutoff).sum()) for item in environments)
    return max(counts, default=0)


def pack(environments: Sequence[Environment], species: Sequence[str], *, with_centers: bool) -> Batch:
    """Lay environments out for a kernel.

    Raises
    ------
    InputError
        If a species is not among `species`.
    """
    place = np.full(120, -1)
    place[[atomic_number(name) for name in species]] = np.arange(len(species))
    numbers = np.concatenate([environment.species for environment in environments])
    centers = np.array([environment.center_species for environment in environments])
    unknown = set(numbers[place[numbers] < 0].tolist())
    if with_centers:
        unknown.update(centers[place[centers] < 0].tolist())
    if unknown:
        raise InputError(
            f"`species` must cover the environments, got {tuple(species)} without "
            f"{', '.join(symbol(number) for number in sorted(unknown))}. Add them, or pass species=None."
        )
    return Batch(
        vectors=np.concatenate([environment.vectors for environment in environments]),
        species=place[numbers],
        offsets=np.cumsum([0, *(len(environment) for environment in environments)]),
        center_species=place[centers],
    )
