"""The ranks that the symmetry of a whole structure allows: a molecule, rod, slab or crystal."""

from dataclasses import replace

import numpy as np

from nullmode._support.types import Parity
from nullmode.descriptors._base import Descriptor
from nullmode.spectrum.whole_structure import Structure, decompose_sum, sum_jacobians
from nullmode.symmetry.space_group import Isometries, isometries


class StructureRanks:
    """The ranks that symmetry allows for one structure, remembered for each tolerance: see :class:`GeometryRanks`."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        centers = np.isin(np.arange(len(structure.numbers)), [item.center for item in structure.environments])
        # A symmetry operation takes centres to centres.
        self._kinds = np.unique(2 * structure.numbers + centers, return_inverse=True)[1] + 1
        self._groups: dict[float, Isometries] = {}

    def group(self, tolerance: float) -> Isometries:
        """Isometries at a tolerance."""
        if tolerance not in self._groups:
            s = self.structure
            self._groups[tolerance] = isometries(s.positions, self._kinds, s.cell, s.pbc, s.closest, tolerance)
        return self._groups[tolerance]

    @property
    def largest_tolerance(self) -> float:
        """Length in Å above which atoms cannot be told apart."""
        return self.structure.closest / 8

    @property
    def farthest(self) -> float:
        """Distance of the farthest neighbour, in Å."""
        return max(float(np.linalg.norm(e.vectors, axis=1).max(initial=0.0)) for e in self.structure.environments)

    def name(self, tolerance: float) -> str:
        """Schoenflies symbol at a tolerance."""
        return self.group(tolerance).name

    def counts(self, order: int | None, parity: Parity, tolerance: float) -> tuple[None, int]:  # noqa: ARG002
        """Give rank_symmetric at a tolerance; for no order is there a theory of sums over centres."""
        return None, self.group(tolerance).rank_symmetric(parity)

    def rank_of(self, descriptor: Descriptor, rtol: float) -> int:
        """Measure the rank with these neighbours, even where the descriptor reaches further."""
        environments = [replace(environment, cutoff=None) for environment in self.structure.environments]
        alone = replace(self.structure, environments=environments)
        return decompose_sum(alone, sum_jacobians(alone, descriptor), rtol)[0].rank
