"""Many environments in a few arrays, without the cost of an object for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from nullmode._support.arguments import real_array
from nullmode._support.elements import atomic_number
from nullmode._support.shown import Shown
from nullmode._support.types import Floats, InputError, Integers
from nullmode.geometry.cutoff import at_cutoff, inside
from nullmode.geometry.environment import Environment, Species, check_environments
from nullmode.geometry.lengths import FARTHEST
from nullmode.geometry.structure import CLOSEST


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class EnvironmentSet(Shown):
    """Environments, joined end to end; made by its ``from_vectors`` or ``from_environments``.

    Attributes
    ----------
    vectors, shape (n_total, 3)
        Neighbours of all environments relative to their centres, in Å.
    species, shape (n_total,)
        Their atomic numbers.
    atoms, shape (n_total,)
        Index of each neighbour's atom in its structure.
    offsets, shape (m + 1,)
        Neighbours offsets[i] to offsets[i + 1] belong to environment i.
    center_species, center, structure, shape (m,)
        Atomic number and index of each central atom, and the index of its structure in its set; -1 where there is none.
    at_cutoff, shape (m,)
        Number of atoms within 5e-8 Å of the cutoff; they are left out.
    extent, shape (m,)
        As in :class:`Environment`, in Å.
    cutoff
        Radius in Å up to which neighbours were looked for; infinite if there are no others at any distance.
    """

    vectors: Floats
    species: Integers
    atoms: Integers
    offsets: Integers
    center_species: Integers
    center: Integers
    structure: Integers
    at_cutoff: Integers
    extent: Floats
    cutoff: float

    def __len__(self) -> int:
        return len(self.center)

    def __getitem__(self, index: int) -> Environment:
        i = range(len(self))[index]
        (environment,) = self._listed(slice(i, i + 1))
        return environment

    def __iter__(self) -> Iterator[Environment]:
        return self._listed(slice(len(self)))

    def _listed(self, rows: slice) -> Iterator[Environment]:
        cutoff = None if np.isinf(self.cutoff) else self.cutoff
        columns = (self.offsets[:-1], self.offsets[1:], self.structure, self.center_species, self.center)
        lists = [column[rows].tolist() for column in (*columns, self.at_cutoff, self.extent)]
        for start, stop, structure, center_species, center, n_at_cutoff, extent in zip(*lists, strict=True):
            yield Environment(
                vectors=self.vectors[start:stop],
                species=self.species[start:stop],
                center_species=center_species,
                cutoff=cutoff,
                atoms=self.atoms[start:stop],
                structure=None if structure < 0 else structure,
                center=center,
                at_cutoff=n_at_cutoff,
                extent=extent,
            )

    @classmethod
    def from_vectors(cls, vectors: Any, species: Species = "H", center_species: Species = "C") -> Self:
        """Make a set whose environments have equally many neighbours of one species; by default hydrogen around carbon.

        Parameters
        ----------
        vectors, shape (m, n, 3)
            Neighbours relative to their centres, in Å.
        species, center_species
            Symbol or atomic number.

        Raises
        ------
        InputError
            For a wrong shape, anything but real numbers, a component that is not finite or above 1e6 Å, a neighbour on
            the centre or on another neighbour, an unknown element.
        """
        array = np.array(real_array("vectors", vectors), order="C")
        if array.ndim != 3 or array.shape[2] != 3:
            raise InputError(f"`vectors` must have shape (m, n, 3), got {array.shape}; one row per neighbour, in Å.")
        m, n, _ = array.shape
        # Written so that NaN is caught too.
        bad = np.flatnonzero(~(np.abs(array) <= FARTHEST).all(axis=(1, 2)))
        if len(bad):
            raise InputError(
                f"`vectors` must be finite and at most {FARTHEST:.0e} Å, got others in environment {bad[0]}."
            )
        with_center = np.concatenate([np.zeros((m, 1, 3)), array], axis=1)
        for first in range(n):
            apart = with_center[:, first + 1 :] - with_center[:, first, None]
            near = np.flatnonzero((np.einsum("mnx,mnx->mn", apart, apart) < CLOSEST**2).any(axis=1))
            if len(near):
                raise InputError(
                    f"`vectors` must be distinct and off the centre, got two coincident atoms in environment {near[0]}."
                )
        none = np.full(m, -1)
        return cls(
            vectors=array.reshape(-1, 3),
            species=np.full(m * n, atomic_number(species, "species")),
            atoms=np.tile(np.arange(n), m),
            offsets=n * np.arange(m + 1),
            center_species=np.full(m, atomic_number(center_species, "center_species")),
            center=none,
            structure=none,
            at_cutoff=np.zeros(m, dtype=np.int64),
            extent=np.zeros(m),
            cutoff=np.inf,
        )

    @classmethod
    def from_environments(cls, environments: Sequence[Environment]) -> Self:
        """Join environments end to end."""
        items = check_environments(environments)
        return cls(
            vectors=np.concatenate([np.empty((0, 3)), *(item.vectors for item in items)]),
            species=np.concatenate([np.empty(0, np.int64), *(item.species for item in items)]),
            atoms=np.concatenate([np.empty(0, np.int64), *(item.atoms for item in items)]),
            offsets=np.cumsum([0, *(len(item) for item in items)]),
            center_species=np.array([item.center_species for item in items], dtype=np.int64),
            center=np.array([item.center for item in items], dtype=np.int64),
            structure=np.array([-1 if item.structure is None else item.structure for item in items], dtype=np.int64),
            at_cutoff=np.array([item.at_cutoff for item in items], dtype=np.int64),
            extent=np.array([item.extent for item in items], dtype=np.float64),
            cutoff=min((np.inf if item.cutoff is None else item.cutoff for item in items), default=np.inf),
        )

    @classmethod
    def joined(cls, sets: Sequence[Self]) -> Self:
        """Join sets end to end."""
        if len(sets) == 1:
            return sets[0]
        ends = np.cumsum([0, *(len(item.vectors) for item in sets)])
        arrays = {
            name: np.concatenate([getattr(item, name) for item in sets])
            for name in ("vectors", "species", "atoms", "center_species", "center", "structure", "at_cutoff", "extent")
        }
        offsets = [item.offsets[:-1] + end for item, end in zip(sets, ends[:-1], strict=True)]
        return cls(**arrays, offsets=np.concatenate([*offsets, ends[-1:]]), cutoff=min(item.cutoff for item in sets))

    def within(self, cutoff: float) -> Self:
        """Leave out the neighbours that are not nearer than `cutoff` (Å), or at it."""
        keep = inside(self.vectors, cutoff)
        if keep.all():
            return replace(self, at_cutoff=np.zeros_like(self.at_cutoff)) if cutoff < self.cutoff else self
        before = np.concatenate([[0], np.cumsum(keep)])
        out = at_cutoff(self.vectors, cutoff)
        return replace(
            self,
            vectors=self.vectors[keep],
            species=self.species[keep],
            atoms=self.atoms[keep],
            offsets=before[self.offsets],
            at_cutoff=np.diff(np.concatenate([[0], np.cumsum(out)])[self.offsets]),
            cutoff=min(cutoff, self.cutoff),
        )

    def take(self, indices: Integers) -> Self:
        """Choose environments, in the order given."""
        # Offsets have one entry more than there are environments: an index from the end would mean another one.
        indices = np.arange(len(self))[indices]
        lengths = np.diff(self.offsets)[indices]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[indices] - offsets[:-1], lengths)
        return replace(
            self,
            vectors=self.vectors[rows],
            species=self.species[rows],
            atoms=self.atoms[rows],
            offsets=offsets,
            center_species=self.center_species[indices],
            center=self.center[indices],
            structure=self.structure[indices],
            at_cutoff=self.at_cutoff[indices],
            extent=self.extent[indices],
        )
