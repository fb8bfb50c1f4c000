"""Whether a cell can be repeated along its periodic directions."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import InputError

if TYPE_CHECKING:
    from ase import Atoms

_LOWEST = 0.1
"""Å; less than half the smallest distance of atoms in any matter."""


def check_cell(atoms: "Atoms", where: str) -> None:
    """Refuse a cell that does not span its periodic directions, or that is too flat to hold an atom; `where` it is."""
    if not atoms.pbc.any():
        return
    cell = np.array(atoms.cell)
    periodic = cell[atoms.pbc]
    missing = [axis for axis, row, along in zip("abc", cell, atoms.pbc, strict=True) if along and not row.any()]
    if missing:
        raise InputError(
            f"`{where}.cell` must have a vector along each periodic direction, got none along {', '.join(missing)}. "
            'Give the cell, or set pbc to false there (atoms.pbc = False; pbc="F F F" in extended XYZ).'
        )
    if np.linalg.matrix_rank(periodic) < len(periodic):
        raise InputError(
            f"`{where}.cell` must have independent vectors along its periodic directions, got {cell.tolist()}. Mend "
            "the cell, or set pbc to false."
        )
    if (height := 1 / np.linalg.norm(np.linalg.pinv(periodic), axis=0).max()) < _LOWEST:
        raise InputError(
            f"`{where}.cell` must be at least {_LOWEST} Å high along its periodic directions, got {height:.1e} Å. "
            "Give it in Å, or set pbc to false."
        )
