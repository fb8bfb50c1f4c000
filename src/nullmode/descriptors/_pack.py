"""Environments laid out as a kernel takes them."""

from collections.abc import Sequence

import numpy as np

from nullmode._support.elements import atomic_number, symbol
from nullmode._support.types import Floats, InputError, Integers
from nullmode.basis.density import Batch
from nullmode.geometry.environment import Environment


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
    """Lay environments out for a kernel; errors as :func:`batch`."""
    return batch(
        np.concatenate([environment.vectors for environment in environments]),
        np.concatenate([environment.species for environment in environments]),
        np.cumsum([0, *(len(environment) for environment in environments)]),
        np.array([environment.center_species for environment in environments]),
        species,
        with_centers=with_centers,
    )


def batch(
    vectors: Floats,
    numbers: Integers,
    offsets: Integers,
    centers: Integers,
    species: Sequence[str],
    *,
    with_centers: bool,
) -> Batch:
    """Turn atomic numbers of neighbours and centres into places among the species.

    Raises
    ------
    InputError
        If a species is not among `species`.
    """
    place = np.full(120, -1)
    place[[atomic_number(name) for name in species]] = np.arange(len(species))
    unknown = set(numbers[place[numbers] < 0].tolist())
    if with_centers:
        unknown.update(centers[place[centers] < 0].tolist())
    if unknown:
        raise InputError(
            f"`species` must cover the environments, got {tuple(species)} without "
            f"{', '.join(symbol(number) for number in sorted(unknown))}. Add them, or pass species=None."
        )
    return Batch(vectors=vectors, species=place[numbers], offsets=offsets, center_species=place[centers])
