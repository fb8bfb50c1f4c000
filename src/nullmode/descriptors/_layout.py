"""The layout of features: which species and how many neighbours a descriptor provides for, and how a kernel gets them.

Features of different environments can be compared only if they have one layout. A descriptor states its layout with its
parameters ``species`` and ``n_neighbours_max``, or leaves it open (None): then it follows from a set of environments.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import numpy as np

from nullmode._support.elements import atomic_number, symbol
from nullmode._support.types import InputError
from nullmode.basis.density import Batch
from nullmode.geometry.environment import Environment, check_environments
from nullmode.geometry.environment_set import EnvironmentSet

if TYPE_CHECKING:
    from nullmode.descriptors._base import Descriptor

D = TypeVar("D", bound="Descriptor")
Environments = Sequence[Environment] | EnvironmentSet
_PARAMETERS = ("species", "n_neighbours_max")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a set of environments holds; by default, one neighbour of one species named ``X``.

    ``dataclasses.asdict`` turns it into JSON and ``Layout(**values)`` back, for a job that gets a part of the set.

    Attributes
    ----------
    species
        Symbols of the neighbours, by atomic number.
    species_with_centers
        Symbols of the neighbours and the centres, by atomic number.
    n_neighbours_max
        Neighbours within the cutoff of the environment that has most of them.
    """

    species: Sequence[str] = ("X",)
    species_with_centers: Sequence[str] = ("X",)
    n_neighbours_max: int = 1

    @classmethod
    def of(cls, environments: Environments | None, cutoff: float) -> Self:
        """Find what a set holds within a cutoff in Å; the default without a set."""
        if environments is None:
            return cls()
        if not isinstance(environments, EnvironmentSet):
            environments = check_environments(environments)
        arrays = _arrays(environments)
        inside = np.sqrt((arrays.vectors**2).sum(axis=1)) < cutoff
        counts = np.diff(np.concatenate([[0], np.cumsum(inside)])[arrays.offsets])
        return cls(
            species=_symbols(arrays, with_centers=False),
            species_with_centers=_symbols(arrays, with_centers=True),
            n_neighbours_max=int(counts.max(initial=0)),
        )

    def species_for(self, descriptor: Any) -> tuple[str, ...]:
        """Species that a descriptor lays its features out for: its own, else those of the set."""
        if descriptor.species is not None:
            return tuple(descriptor.species)
        # A descriptor with a density on the centre has channels for the centres' species, too.
        with_centers = getattr(descriptor, "center_weight", 0.0) != 0.0
        return tuple(self.species_with_centers if with_centers else self.species)

    def n_neighbours_for(self, descriptor: Any) -> int:
        """Count the neighbours that a descriptor lays its features out for: its own number, else that of the set.

        Raises
        ------
        InputError
            If an environment of the set has more neighbours than the descriptor states.
        """
        stated: int | None = descriptor.n_neighbours_max
        if stated is not None and stated < self.n_neighbours_max:
            raise InputError(
                f"`n_neighbours_max` must be at least the number of neighbours inside the cutoff, got {stated} "
                f"for an environment with {self.n_neighbours_max}. Raise it."
            )
        return self.n_neighbours_max if stated is None else stated

    def joined(self, other: Self) -> Self:
        """Give the layout of two sets together."""
        return replace(
            self,
            species=_by_number({*self.species, *other.species}),
            species_with_centers=_by_number({*self.species_with_centers, *other.species_with_centers}),
            n_neighbours_max=max(self.n_neighbours_max, other.n_neighbours_max),
        )

    def values_for(self, descriptor: Any) -> dict[str, Any]:
        """Give the parameters that a descriptor leaves open."""
        return {
            name: self.species_for(descriptor) if name == "species" else self.n_neighbours_max
            for name in _open_parameters(descriptor)
        }

    def fix(self, descriptor: D) -> D:
        """Make the same descriptor with this layout where it leaves its own open."""
        values = self.values_for(descriptor)
        return cast("D", replace(cast("Any", descriptor), **values)) if values else descriptor


def species_of(environments: Environments, *, with_centers: bool) -> tuple[str, ...]:
    """Symbols of all neighbours (and centres) in a set, by atomic number."""
    return _symbols(_arrays(environments), with_centers=with_centers)


def is_open(descriptor: Any) -> bool:
    """Whether the layout of a descriptor's features depends on the set."""
    return bool(_open_parameters(descriptor))


def with_layout_of(descriptor: D, environments: Environments) -> D:
    """Fix an open layout to what a set holds, so that all parts of the set get the same features."""
    return Layout.of(environments, descriptor.cutoff).fix(descriptor) if is_open(descriptor) else descriptor


def pack(environments: Environments, species: Sequence[str], *, with_centers: bool) -> Batch:
    """Pack environments for a kernel, with species as indices into `species`.

    Raises
    ------
    InputError
        If the species of a neighbour (or of a centre, if these count) is not in `species`.
    """
    arrays = _arrays(environments)
    index = np.full(120, -1)
    index[[atomic_number(name) for name in species]] = np.arange(len(species))
    unknown = set(arrays.species[index[arrays.species] < 0].tolist())
    if with_centers:
        unknown.update(arrays.center_species[index[arrays.center_species] < 0].tolist())
    if unknown:
        raise InputError(
            f"`species` must cover the environments, got {tuple(species)} without "
            f"{', '.join(symbol(number) for number in sorted(unknown))}. Add them."
        )
    return arrays._replace(species=index[arrays.species], center_species=index[arrays.center_species])


def _open_parameters(descriptor: Any) -> list[str]:
    return [name for name in _PARAMETERS if getattr(descriptor, name, ()) is None]


def _arrays(environments: Environments) -> Batch:
    """Lay environments end to end; species are atomic numbers."""
    if isinstance(environments, EnvironmentSet):
        return Batch(environments.vectors, environments.species, environments.offsets, environments.center_species)
    return Batch(
        vectors=np.concatenate([np.empty((0, 3)), *(item.vectors for item in environments)]),
        species=np.concatenate([np.empty(0, np.int64), *(item.species for item in environments)]),
        offsets=np.cumsum([0, *(len(item) for item in environments)]),
        center_species=np.array([item.center_species for item in environments], dtype=np.int64),
    )


def _symbols(arrays: Batch, *, with_centers: bool) -> tuple[str, ...]:
    numbers = np.concatenate([arrays.species, arrays.center_species]) if with_centers else arrays.species
    return tuple(symbol(number) for number in np.unique(numbers))


def _by_number(symbols: set[str]) -> tuple[str, ...]:
    return tuple(sorted(symbols, key=atomic_number))
