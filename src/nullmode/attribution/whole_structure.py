"""The ranks that the symmetry of a whole structure allows: a molecule, rod, slab or crystal."""

from dataclasses import replace

import numpy as np

from nullmode._support.types import Parity, WholeScope
from nullmode.attribution.geometry_ranks import GeometryRanks
from nullmode.descriptors._base import Descriptor
from nullmode.spectrum.potential import EQUAL
from nullmode.spectrum.scopes import jacobian_of
from nullmode.spectrum.whole_structure import Structure, decompose_sum, rigid_motions
from nullmode.symmetry.space_group import Isometries, isometries


class StructureRanks(GeometryRanks):
    """The ranks that geometry allows for one structure, and the question about it: scope and tolerance of features."""

    def __init__(self, structure: Structure, scope: WholeScope = "structure", feature_tolerance: float = EQUAL) -> None:
        super().__init__(structure.environments)
        self.structure, self.scope, self.feature_tolerance = structure, scope, feature_tolerance
        centers = np.isin(np.arange(len(structure.numbers)), [item.center for item in structure.environments])
        # A symmetry operation takes centres to centres.
        self._kinds = np.unique(2 * structure.numbers + centers, return_inverse=True)[1] + 1

    def _group(self, tolerance: float) -> Isometries:
        s = self.structure
        return isometries(s.positions, self._kinds, s.cell, s.pbc, s.closest, tolerance)

    def largest_tolerance(self) -> float:  # noqa: D102
        return self.structure.closest / 8

    def counts(self, order: int | None, parity: Parity, tolerance: float) -> tuple[None, int]:  # noqa: ARG002
        """Give rank_symmetric alone: for no order is there a theory of sums over centres."""
        return None, self.group(tolerance).rank_symmetric(parity)

    def n_dof(self, tolerance: float) -> int:  # noqa: D102
        return 3 * len(self.structure.positions) - int(rigid_motions(self.structure, tolerance).shape[1])

    def rank_of(self, descriptor: Descriptor, rtol: float) -> int:  # noqa: D102
        environments = [replace(environment, cutoff=None) for environment in self.structure.environments]
        alone = replace(self.structure, environments=environments)
        total, _ = jacobian_of(alone, descriptor, self.scope, self.feature_tolerance)
        return decompose_sum(alone, total, descriptor, rtol)[0].rank
