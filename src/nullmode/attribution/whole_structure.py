"""The ranks that geometry allows for a whole structure: a molecule, rod, slab or crystal."""

from copy import copy
from dataclasses import replace
from typing import Self

import numpy as np

from nullmode._support.types import Parity, WholeScope
from nullmode.attribution.completeness import MOST_OF_STRUCTURE
from nullmode.attribution.geometry_ranks import GeometryRanks
from nullmode.attribution.locality import rank_local
from nullmode.attribution.structure_completeness import count_tuples, rank_complete_whole
from nullmode.attribution.truncation_limit import has_limit, larger_truncations
from nullmode.descriptors._base import Descriptor, changed
from nullmode.descriptors._layout import with_layout_of
from nullmode.spectrum.potential import EQUAL
from nullmode.spectrum.scopes import jacobian_of
from nullmode.spectrum.whole_structure import Structure, decompose_sum, rigid_motions
from nullmode.symmetry.space_group import Isometries, isometries


class StructureRanks(GeometryRanks):
    """The ranks that geometry allows for one structure, and the question about it: scope and tolerance of features.

    Attributes
    ----------
    seen
        Rank that was measured, with which :meth:`having` this is asked.
    """

    seen: int = 0

    def __init__(self, structure: Structure, scope: WholeScope = "structure", feature_tolerance: float = EQUAL) -> None:
        super().__init__(structure.environments)
        self.structure, self.scope, self.feature_tolerance = structure, scope, feature_tolerance
        centers = np.isin(np.arange(len(structure.numbers)), [item.center for item in structure.environments])
        # A symmetry operation takes centres to centres.
        self._kinds = np.unique(2 * structure.numbers + centers, return_inverse=True)[1] + 1
        self._complete: dict[tuple[int, Parity, float], int] = {}
        self._local: dict[tuple[Parity, float], int] = {}

    def having(self, rank: int) -> Self:
        """Ask about a measured rank: where it is all that symmetry allows, no tuples are counted. Shares answers."""
        result = copy(self)
        result.seen = rank
        return result

    def _group(self, tolerance: float) -> Isometries:
        s = self.structure
        return isometries(s.positions, self._kinds, s.cell, s.pbc, s.closest, tolerance)

    def largest_tolerance(self) -> float:  # noqa: D102
        return self.structure.closest / 8

    def too_large_for(self, order: int) -> str:  # noqa: D102
        count = count_tuples(self.structure.environments, order)
        most = MOST_OF_STRUCTURE
        return "" if count <= most else f"rank_complete is not counted: {count} tuples, of at most {most}"

    def counts(self, order: int | None, parity: Parity, tolerance: float) -> tuple[int | None, int]:  # noqa: D102
        symmetric = self.group(tolerance).rank_symmetric(parity)
        if order is None:
            return None, symmetric
        if self.seen >= symmetric:
            # What is seen, a complete basis sees too, and nothing sees more than symmetry allows.
            return symmetric, symmetric
        if self.too_large_for(order):
            return None, symmetric
        key = order, parity, tolerance
        if key not in self._complete:
            s = self.structure
            self._complete[key] = rank_complete_whole(
                s.environments, len(s.positions), order, parity, tolerance, self.scope
            )
        # At a tolerance that ties what is seen apart, what is seen counts.
        return max(self._complete[key], self.seen), symmetric

    def beyond_cutoff(self, order: int | None, parity: Parity, tolerance: float) -> int:  # noqa: D102
        complete, symmetric = self.counts(order, parity, tolerance)
        most = max(complete or 0, self.seen)
        if most >= symmetric:
            return 0
        key = parity, tolerance
        if key not in self._local:
            s = self.structure
            self._local[key] = rank_local(s.environments, len(s.positions), parity, tolerance)
        return max(0, symmetric - max(self._local[key], most))

    def n_dof(self, tolerance: float) -> int:  # noqa: D102
        return 3 * len(self.structure.positions) - int(rigid_motions(self.structure, tolerance).shape[1])

    def rank_reached(self, descriptor: Descriptor, rtol: float, most: int) -> int | None:  # noqa: D102
        if not has_limit(descriptor):
            return None
        best = 0
        own = with_layout_of(changed(descriptor, species=None), self.structure.environments)
        for larger in larger_truncations(own, sum(map(len, self.structure.environments))):
            best = max(best, self.rank_of(larger, rtol))
            if best >= most:
                break
        return best

    def rank_of(self, descriptor: Descriptor, rtol: float) -> int:  # noqa: D102
        environments = [replace(environment, cutoff=None) for environment in self.structure.environments]
        alone = replace(self.structure, environments=environments, stress=None)
        total, _ = jacobian_of(alone, descriptor, self.scope, self.feature_tolerance)
        return decompose_sum(alone, total, descriptor, rtol)[0].rank
