"""Rows of the structures table from structures of ASE, and back."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nullmode._support.types import JSON, Integers
from nullmode.geometry.arrays import with_plain_arrays

if TYPE_CHECKING:
    from ase import Atoms


def row_of(atoms: "Atoms", index: int) -> JSON:
    """Columns of the structures table for structure number `index` of a family; without central atoms, all are."""
    atoms = with_plain_arrays(atoms, f"structures[{index}]")
    return {
        "structure": index,
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.ravel().tolist(),
        "cell": np.array(atoms.cell).ravel().tolist(),
        "pbc": atoms.pbc.astype(int).tolist(),
        "centers": list(map(int, atoms.info.get("centers", range(len(atoms))))),
    }


def atoms_of_row(row: Any) -> "Atoms":
    """Structure of one row, whose columns are attributes."""
    from ase import Atoms

    return Atoms(row.numbers, np.reshape(row.positions, (-1, 3)), cell=np.reshape(row.cell, (3, 3)), pbc=row.pbc)


def atoms_of(structures: pd.DataFrame) -> "tuple[list[Atoms], list[Integers]]":
    """Structures of the rows of a table, and the indices of the central atoms of each."""
    atoms = [atoms_of_row(row) for row in structures.itertuples()]
    return atoms, [np.asarray(centers, dtype=np.int64) for centers in structures["centers"]]
