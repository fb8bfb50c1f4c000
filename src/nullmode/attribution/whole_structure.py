"""Whole structures through a descriptor: rows of the analysis table."""

from dataclasses import replace

import numpy as np

from nullmode._support.types import JSON, Floats, Parity
from nullmode.attribution.causes import reasons
from nullmode.descriptors._base import Descriptor
from nullmode.spectrum.whole_structure import Structure, SummedJacobian, decompose_sum, sum_jacobians
from nullmode.symmetry.space_group import Isometries, isometries


class StructureRanks:
    """What symmetry says of one structure, remembered per tolerance; offers what ``attribution.GeometryRanks`` asks."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        centers = np.isin(np.arange(len(structure.numbers)), [item.center for item in structure.environments])
        # Only centres change places with centres.
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


def measure_structure(
    case: StructureRanks, descriptor: Descriptor, rtol: float, tolerance: float | None = None
) -> tuple[JSON, Floats]:
    """Analyse one structure, cut at the descriptor's cutoff.

    Parameters
    ----------
    case
        The structure.
    descriptor
        With a fixed species layout.
    rtol
        As in :func:`structure_sensitivity`.
    tolerance
        Length in Å for the attribution; None for none.

    Returns
    -------
    row
        Of the analysis table: its columns for environments, and, with status ``ok``, those of the attribution where it
        was asked for.
    features, shape (F,)
        As of :func:`structure_jacobian`.
    """
    total = sum_jacobians(case.structure, descriptor)
    return _row(case, total, descriptor, rtol, tolerance), total.features


def _row(
    case: StructureRanks, total: SummedJacobian, descriptor: Descriptor, rtol: float, tolerance: float | None
) -> JSON:
    result, status = decompose_sum(case.structure, total, rtol)
    row: JSON = {
        "structure": case.structure.index,
        "center": -1,
        "center_species": None,
        "n_neighbours": sum(len(environment) for environment in case.structure.environments),
        "n_dof": result.n_dof,
        "rank": result.rank,
        "singular_values": np.full(result.n_dof, np.nan) if status == "not_finite" else result.singular_values,
        "condition_number": result.condition_number,
        "inverse_condition_number": result.inverse_condition_number,
        "rotation_floor": result.rotation_floor,
        "status": status,
    }
    if tolerance is not None and status == "ok":
        row |= reasons(case, result.rank, result.n_dof, descriptor, rtol, tolerance)
    return row
