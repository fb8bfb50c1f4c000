"""What a view draws: an environment or a whole structure, its atoms, bonds and modes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nullmode._support.types import JSON, Floats, InputError, Integers, WholeScope
from nullmode.analysis.explanations._cases import null_modes_of
from nullmode.attribution.causes import Attribution
from nullmode.attribution.near_null import SOFT, NearNull, explain_near_null
from nullmode.attribution.null_modes import split_structure_modes
from nullmode.attribution.whole_structure import StructureRanks
from nullmode.descriptors._base import Descriptor
from nullmode.figures._base import by_cause
from nullmode.geometry.environment import Environment, within
from nullmode.linalg.rotations import LINEAR
from nullmode.spectrum.decomposition import Sensitivity, decompose
from nullmode.spectrum.potential import EQUAL
from nullmode.spectrum.scopes import jacobian_of
from nullmode.spectrum.whole_structure import Structure, decompose_sum

if TYPE_CHECKING:
    from ase import Atoms

SOFT_MODE, SOFTEST = "soft", "softest"
# With few features there may be hundreds of null modes.
MOST_NULL, MOST_SOFT = 12, 6
_BONDING = (1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 33, 34, 35, 53)
"""Atomic numbers of the elements that molecules are made of. Among metals and in salts, lines would be no bonds."""
_FLAT = 1e-2
"""Least height of a box along a direction that is not periodic, Å: without one, there would be no box."""
_OTHER_CAUSES = ("incompleteness", "truncation", "cutoff", "width")
_STRETCHED = 1.2
"""Times the sum of two covalent radii: up to this distance there is a bond."""


class DisplayedMode(NamedTuple):
    """A mode drawn as arrows.

    Its cause if it is null, or else ``soft`` or ``softest``; in words what is known of it: cause and irrep; s_k/s_1,
    NaN for null modes; and displacements of all atoms that are drawn, shape (n, 3).
    """

    kind: str
    label: str
    ratio: float
    displacements: Floats


class Displayed(ABC):
    """An environment or a structure, with the descriptor by which it is shown; rows are those of a table about it."""

    has_center = False
    """Whether the atom at the origin is marked as the centre."""
    descriptor: Descriptor
    soft = SOFT
    """Values that are seen and below this share of the largest are soft."""

    @property
    @abstractmethod
    def caption(self) -> str:
        """Say what is shown and who sees it so, with a place for a description of the descriptor."""

    @abstractmethod
    def atoms(self) -> "Atoms":
        """Atoms as they are drawn, with a cell if one is drawn."""

    @abstractmethod
    def sensitivity(self, row: Any) -> Sensitivity:
        """Decompose the Jacobian again, with modes."""

    @abstractmethod
    def null_modes(self, row: Any, result: Sensitivity) -> list[tuple[str, str, Floats]]:
        """Give cause, irrep (or an empty text) and displacements of each null mode."""

    def soft_causes(self, row: Any, count: int) -> list[str]:  # noqa: ARG002
        """Say in words why each of the softest modes is soft, the softest first; empty where that is not known."""
        return [""] * count

    def modes(self, row: Any) -> dict[str, DisplayedMode]:
        """Give null modes, then soft ones, the softest first, by the names of their shapes.

        Where no mode is null or soft, the softest is given all the same, as ``soft_1``.
        """
        if not row.n_dof or not np.isfinite(row.singular_values).all():
            return {}
        result = self.sensitivity(row)
        named: dict[str, DisplayedMode] = {}
        for k, (cause, irrep, mode) in enumerate(self.null_modes(row, result)[:MOST_NULL], 1):
            # Of C1, the symbol says nothing.
            label = f"{_named(cause, row)} {irrep if row.point_group != 'C1' else ''}".strip()
            named[f"null_{k}"] = DisplayedMode(cause, label, np.nan, self._of_all_atoms(mode))
        seen = slice(result.rank - 1, None, -1) if result.rank else slice(0)
        ratios, modes = result.singular_values[seen] / (result.singular_values[0] or 1.0), result.modes[seen]
        count = min(int((ratios < self.soft).sum()), MOST_SOFT)
        for k, cause in enumerate(self.soft_causes(row, count)):
            label = f"{SOFT_MODE}: {cause}" if cause else SOFT_MODE
            named[f"soft_{k + 1}"] = DisplayedMode(SOFT_MODE, label, float(ratios[k]), self._of_all_atoms(modes[k]))
        if not named and len(ratios):
            named["soft_1"] = DisplayedMode(SOFTEST, SOFTEST, float(ratios[0]), self._of_all_atoms(modes[0]))
        return named

    def _of_all_atoms(self, displacements: Floats) -> Floats:
        return displacements


class DisplayedEnvironment(Displayed):
    """An environment as the descriptor gets it: the centre at the origin, then its neighbours, each image an atom."""

    has_center = True
    caption = "Environments as {} sees them."

    def __init__(self, environment: Environment, descriptor: Descriptor, soft: float = SOFT) -> None:
        self.environment, self.descriptor, self.soft = within(environment, descriptor.cutoff), descriptor, soft

    def atoms(self) -> "Atoms":  # noqa: D102
        from ase import Atoms

        each = self.environment
        return Atoms([each.center_species, *each.species], np.concatenate([np.zeros((1, 3)), each.vectors]))

    def sensitivity(self, row: Any) -> Sensitivity:  # noqa: D102
        return decompose(self.descriptor, self.environment, row.rtol, _tolerance(row))

    def null_modes(self, row: Any, result: Sensitivity) -> list[tuple[str, str, Floats]]:  # noqa: D102
        return null_modes_of(self.environment, self.descriptor, result, row.rtol, _tolerance(row))

    def soft_causes(self, row: Any, count: int) -> list[str]:  # noqa: D102
        if not count:
            return []
        try:
            found = explain_near_null(self.environment, self.descriptor, self.soft, row.rtol, _tolerance(row))
        # Noise above rtol: the row's status says so.
        except InputError:
            return [""] * count
        return [_why(mode) for mode in found[::-1][:count]]

    def _of_all_atoms(self, displacements: Floats) -> Floats:
        return np.concatenate([np.zeros((1, 3)), displacements])


@dataclass
class DisplayedStructure(Displayed):
    """A whole structure, with its cell if it is periodic, by a descriptor that has the layout of all that are shown.

    It is moved along directions that are not periodic, so that the atoms lie in the box that is drawn.
    """

    structure: Structure
    descriptor: Descriptor
    scope: WholeScope
    feature_tolerance: float = EQUAL
    soft: float = SOFT

    @property
    def caption(self) -> str:  # noqa: D102
        who = {"structure": "linear models on the features of {} see", "potential": "any potential on {} sees"}
        return f"Whole structures as {who[self.scope]} them."

    def atoms(self) -> "Atoms":  # noqa: D102
        from ase import Atoms
        from ase.geometry import complete_cell

        each, periodic = self.structure, self.structure.pbc.astype(bool)
        if not periodic.any():
            return Atoms(each.numbers, each.positions)
        # Along directions that are not periodic, the box ends where the atoms do, whatever vacuum the file has there.
        cell = complete_cell(np.where(periodic[:, None], each.cell, 0.0))
        scaled = each.positions @ np.linalg.inv(cell)
        low, high = scaled.min(axis=0), np.maximum(np.ptp(scaled, axis=0), _FLAT)
        low[periodic], high[periodic] = 0.0, 1.0
        return Atoms(each.numbers, (scaled - low) @ cell, cell=high[:, None] * cell, pbc=each.pbc)

    @cached_property
    def _ranks(self) -> StructureRanks:
        return StructureRanks(self.structure, self.scope, self.feature_tolerance)

    def sensitivity(self, row: Any) -> Sensitivity:  # noqa: D102
        total, _ = jacobian_of(self.structure, self.descriptor, self.scope, self.feature_tolerance)
        return decompose_sum(self.structure, total, self.descriptor, row.rtol, _tolerance(row))[0]

    def null_modes(self, row: Any, result: Sensitivity) -> list[tuple[str, str, Floats]]:  # noqa: D102
        if not pd.isna(row.null_symmetry):
            values: JSON = {field.name: getattr(row, field.name) for field in fields(Attribution)}
            # In a table in which others are missing, pandas makes them floats.
            values |= {name: int(value) for name, value in values.items() if name.startswith("null_")}
            counts = Attribution(**values)
            try:
                groups = split_structure_modes(self._ranks, result, counts, self.descriptor.parity or "O3", MOST_NULL)
                return [(group.cause, group.irrep, mode) for group in groups for mode in group.modes]
            # Symmetry within the tolerance is not precise enough.
            except InputError:
                pass
        return [("unresolved", "", mode) for mode in result.modes[result.rank :]]


def bonds(positions: Floats, numbers: Sequence[int] | Integers) -> list[list[int]]:
    """List the covalent bonds among the elements of molecules, as pairs of indices and an order of 1."""
    from ase.data import covalent_radii
    from scipy.spatial import KDTree

    members = np.flatnonzero(np.isin(numbers, _BONDING))
    if len(members) < 2:
        return []
    radii = covalent_radii[np.asarray(numbers)[members]]
    pairs = KDTree(positions[members]).query_pairs(2 * _STRETCHED * radii.max(), output_type="ndarray")
    first, second = pairs.T
    lengths = np.linalg.norm(positions[members[first]] - positions[members[second]], axis=1)
    near = lengths <= _STRETCHED * (radii[first] + radii[second])
    return [[int(members[i]), int(members[j]), 1] for i, j in sorted(pairs[near].tolist())]


def _named(cause: str, row: Any) -> str:
    """Name a cause in words; of modes that are not told apart, all that the row counts beyond symmetry."""
    counted = [name for name in _OTHER_CAUSES if not pd.isna(count := getattr(row, f"null_{name}")) and count > 0]
    return " or ".join(map(by_cause, counted if cause == "unresolved" and len(counted) > 1 else [cause]))


def _why(mode: NearNull) -> str:
    causes = mode.strongest if mode.cause != "none" else ()
    near = {"symmetry": f"near {mode.symmetric_group}"}
    return " or ".join(near.get(cause, by_cause(cause)) for cause in causes)


def _tolerance(row: Any) -> float:
    return LINEAR if pd.isna(row.tolerance) else float(row.tolerance)
