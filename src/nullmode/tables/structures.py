"""Rows of the structures table as structures of ASE."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nullmode._support.types import Integers

if TYPE_CHECKING:
    from ase import Atoms


def atoms_of(structures: pd.DataFrame) -> "tuple[list[Atoms], list[Integers]]":
    """Structures and the indices of their centres, of rows of the structures table."""
    from ase import Atoms

    atoms, centers = [], []
    rows: Iterator[Any] = structures.itertuples()
    for row in rows:
        cell = np.reshape(row.cell, (3, 3))
        atoms.append(Atoms(row.numbers, np.reshape(row.positions, (-1, 3)), cell=cell, pbc=row.pbc))
        centers.append(np.asarray(row.centers, dtype=np.int64))
    return atoms, centers
