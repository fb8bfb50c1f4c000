"""Sorted inverse distances, to the centre and between neighbours."""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import ClassVar, NamedTuple, Self, final

import numpy as np
from pydantic import model_validator

from nullmode._support._jit import allocating_kernel
from nullmode._support.types import Floats, Integers, Parity
from nullmode._support.variants import variant
from nullmode.basis.density import Batch
from nullmode.descriptors._eigenvalues import group_end
from nullmode.descriptors._layout import Layout, pack
from nullmode.descriptors._neighbours import Inside, NeighbourDescriptor, copy, gather, inside, inverse_distance
from nullmode.descriptors._parameters import CutoffWidth, Degeneracy, MostNeighbours, SpeciesChoice, check_smoothing
from nullmode.geometry.environment import Environment


class Lists(NamedTuple):
    """Where the sorted lists lie among the features, and scratch to fill them.

    Attributes
    ----------
    start, shape (n_lists + 1,)
        List k has the features start[k] to start[k + 1]: one list per species, then one per pair of species.
    end, shape (n_lists,)
        Where the next value goes.
    value, shape (F,)
        Values in 1/Å, unsorted.
    first, second, shape (F,)
        The atoms that each value belongs to, as rows of Inside.
    """

    start: Integers
    end: Integers
    value: Floats
    first: Integers
    second: Integers


@allocating_kernel
def inverse_distances(
    batch: Batch,
    n_species: int,
    cutoff: float,
    cutoff_width: float,
    degeneracy: float,
    lists: Lists,
    atoms: Inside,
    features: Floats,
    jacobian: Floats,
) -> None:
    """Fill the features, one list after the other, and add the Jacobian of a batch to zeros; lengths in Å."""
    n_features = features.shape[1]
    for i in range(features.shape[0]):
        rows = gather(batch, i, cutoff, cutoff_width, atoms)
        for block in range(len(lists.end)):
            lists.end[block] = lists.start[block]
        largest = 0.0
        for a in range(1, rows):
            for b in range(a):
                low = min(atoms.species[a], atoms.species[b])
                high = max(atoms.species[a], atoms.species[b])
                pair = n_species + low * n_species - low * (low - 1) // 2 + high - low
                block = atoms.species[a] if b == 0 else pair
                slot = lists.end[block]
                lists.value[slot] = inverse_distance(atoms, a, b)
                largest = max(largest, lists.value[slot])
                lists.first[slot] = a
                lists.second[slot] = b
                lists.end[block] += 1
        gap = degeneracy * largest
        n = batch.offsets[i + 1] - batch.offsets[i]
        start = 3 * batch.offsets[i] * n_features
        for block in range(len(lists.end)):  # what follows a list's last value stays zero
            begin = lists.start[block]
            order = begin + np.argsort(-lists.value[begin : lists.end[block]])
            ordered = features[i, begin : lists.end[block]]
            for k in range(len(order)):
                ordered[k] = lists.value[order[k]]
            if jacobian.size == 0:
                continue
            k = 0
            while k < len(order):
                end = group_end(ordered, k, gap)
                row = start + 3 * n * (begin + k)
                for member in order[k:end]:
                    inverse_distance(atoms, lists.first[member], lists.second[member])
                    for x in range(3):
                        jacobian[row + 3 * atoms.row[lists.first[member]] + x] += atoms.gradient[0, x] / (end - k)
                        if lists.second[member] > 0:
                            jacobian[row + 3 * atoms.row[lists.second[member]] + x] += atoms.gradient[1, x] / (end - k)
                for other in range(k + 1, end):
                    target = start + 3 * n * (begin + other)
                    copy(jacobian, row, target, 3 * n)
                k = end


class InverseDistanceLabel(NamedTuple):
    """Name of one entry: between which species, and its place in the sorted list.

    ``species_1`` is None for distances to the centre.
    """

    species_1: str | None
    species_2: str
    place: int


@final
@variant
class InverseDistances(NeighbourDescriptor):
    """Inverse distances, to the centre per species, then between neighbours per pair of species, each list sorted.

    Entries are f(r_j)/r_j and f(r_j) f(r_k)/r_jk in 1/Å, descending and filled up with zeros, where f is a shifted
    cosine: an entry falls to zero as either neighbour leaves. The lists of S species for N neighbours have N entries,
    N(N - 1)/2 for a pair of equal species and floor(N²/4) for one of different species. Sorting as in the sorted
    Coulomb matrix (Rupp et al., Phys. Rev. Lett. 108, 058301 (2012)) and in the "bag of bonds" (Hansen et al., J. Phys.
    Chem. Lett. 6, 2326 (2015)).

    A sorted entry has a kink where it meets the next. Entries that are equal up to `degeneracy` are therefore
    each given their mean derivative, which is differentiable and invariant: of equal distances, the Jacobian sees the
    sum alone.

    Parameters
    ----------
    cutoff
        Radius of the environment, in Å.
    cutoff_width
        Range below the cutoff in which a shifted cosine takes neighbours to zero, in Å; 0 is a step.
    species
        Symbols or atomic numbers of the neighbours, in order; None takes them from the set, by atomic number.
    degeneracy
        Gap, relative to the largest entry, up to which neighbouring entries of a list count as equal.
    n_neighbours_max
        Number of neighbours N that the lists are laid out for; None takes the most that an environment of the set has.

    Raises
    ------
    InputError
        For a value out of range, a species that is not in the layout, or more neighbours than it was made for.
    """

    parity: ClassVar[Parity | None] = "O3"
    cutoff_width: CutoffWidth = 0.5
    species: SpeciesChoice = None
    degeneracy: Degeneracy = 1e-10
    n_neighbours_max: MostNeighbours = None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        check_smoothing(self.cutoff, self.cutoff_width)
        return self

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[InverseDistanceLabel]:
        """Name every feature, in order; as in :meth:`Descriptor.feature_labels`."""
        layout = Layout.of(environments, self.cutoff)
        species = layout.species_for(self)
        pairs = [*((None, name) for name in species), *combinations_with_replacement(species, 2)]
        return [
            InverseDistanceLabel(one, two, place)
            for (one, two), length in zip(pairs, self._lengths(layout), strict=True)
            for place in range(length)
        ]

    def _lengths(self, layout: Layout) -> list[int]:
        n = layout.n_neighbours_for(self)
        species = range(len(layout.species_for(self)))
        pairs = combinations_with_replacement(species, 2)
        return [n for _ in species] + [n * (n - 1) // 2 if one == two else n * n // 4 for one, two in pairs]

    def _n_features(self, layout: Layout) -> int:
        return sum(self._lengths(layout))

    def _fill(self, items: list[Environment], layout: Layout, features: Floats, jacobian: Floats) -> None:
        species = layout.species_for(self)
        batch = pack(items, species, with_centers=False)
        start = np.cumsum([0, *self._lengths(layout)])
        value = np.empty(features.shape[1])
        atom = np.empty(features.shape[1], dtype=np.int64)
        lists = Lists(start, start[:-1].copy(), value, atom, atom.copy())
        inverse_distances(
            batch,
            len(species),
            self.cutoff,
            self.cutoff_width,
            self.degeneracy,
            lists,
            inside(batch),
            features,
            jacobian,
        )
