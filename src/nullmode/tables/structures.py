"""Rows of the structures table from structures of ASE, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from nullmode._support.arguments import as_whole, listed
from nullmode._support.types import JSON, InputError, Integers
from nullmode.geometry.arrays import with_plain_arrays
from nullmode.geometry.forces import forces_of, stress_of
from nullmode.tables.columns import RESERVED, folded

if TYPE_CHECKING:
    from ase import Atoms

_LARGEST = 2**63 - 1


def row_of(atoms: "Atoms", index: int, where: str = "atoms") -> JSON:
    """Columns of the structures table for structure number `index` of a family; without central atoms, all are.

    What else stands in ``info`` are coordinates, which become further columns. `where` names the structure in messages.

    Raises
    ------
    InputError
        For central atoms that the structure does not have, forces or stress of another shape, and for a coordinate
        whose name or value no table can hold.
    """
    atoms = with_plain_arrays(atoms, where)
    forces, stress = forces_of(atoms, where), stress_of(atoms, where)
    return {
        "structure": index,
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.ravel().tolist(),
        "cell": np.array(atoms.cell).ravel().tolist(),
        "pbc": atoms.pbc.astype(int).tolist(),
        "centers": _centers(atoms, where),
        "forces": None if forces is None else forces.ravel().tolist(),
        "stress": None if stress is None else stress.ravel().tolist(),
        "defect": None,
        **_coordinates(atoms.info, where),
    }


def _centers(atoms: "Atoms", where: str) -> list[int]:
    given = listed(atoms.info.get("centers", range(len(atoms))))
    chosen = [as_whole(each) for each in given]
    known = [each for each in chosen if each is not None and 0 <= each < len(atoms)]
    if len(set(known)) < len(given):
        raise InputError(
            f"`{where}.info['centers']` must be distinct indices of its {len(atoms)} atoms, from 0, got {given}. "
            "Turn a mask into indices with numpy.flatnonzero."
        )
    return known


def _coordinates(info: Mapping[Any, Any], where: str) -> JSON:
    """Refuse names that another column has, or that differ from it only in what a reader of tables may not tell apart.

    DuckDB takes letters of either case as one, and Python's attributes do so with letters written in several ways.
    """
    result: JSON = {}
    taken = set(RESERVED)
    for name, value in info.items():
        if name == "centers" or (name == "stress" and np.ndim(value)):
            continue
        if not _is_name(name):
            raise InputError(
                f"`{where}.info` must have names for keys, of visible characters without spaces at the ends, none that "
                "begins with two underscores or ends in _of_start, "
                f"got {name!r}. Rename it."
            )
        plain = folded(name)
        if plain in taken:
            raise InputError(
                f"`{where}.info` must not give a coordinate the name of another column, got {name!r}. Rename it. "
                f"Reserved: {', '.join(RESERVED)}."
            )
        taken.add(plain)
        result[name] = _value(value, name, where)
    return result


def _is_name(name: Any) -> bool:
    if not isinstance(name, str) or not name or name != name.strip() or not name.isprintable():
        return False
    return not name.startswith("__") and not name.endswith("_of_start")


def _value(value: Any, name: str, where: str) -> float | str:
    """Refuse all but a number or a text, and give it as Python has it."""
    plain: Any = value.item() if isinstance(value, np.generic) else value
    number = isinstance(plain, float) or (isinstance(plain, int) and abs(plain) <= _LARGEST)
    if not number and not (isinstance(plain, str) and plain == plain.encode(errors="replace").decode()):
        raise InputError(
            f"`{where}.info[{name!r}]` must be a number of 64 bits or a text, got {value!r}. Leave it out, or split it "
            "into several coordinates."
        )
    if name == "pair" and as_whole(plain) is None:
        raise InputError(f"`{where}.info['pair']` must be an integer, equal for all members, got {plain!r}.")
    return cast("float | str", plain)


def sound(structures: pd.DataFrame) -> pd.DataFrame:
    """Rows of the structures that are not skipped."""
    return structures[structures["defect"].isna()]


def atoms_of_row(row: Any) -> "Atoms":
    """Structure of one row, whose columns are attributes."""
    from ase import Atoms

    atoms = Atoms(row.numbers, np.reshape(row.positions, (-1, 3)), cell=np.reshape(row.cell, (3, 3)), pbc=row.pbc)
    # Where pandas joins tables with and without forces, it fills in NaN.
    if np.ndim(row.forces):
        atoms.arrays["forces"] = np.reshape(row.forces, (-1, 3))
    if np.ndim(row.stress):
        atoms.info["stress"] = np.reshape(row.stress, (3, 3))
    return atoms


def atoms_of(structures: pd.DataFrame) -> "tuple[list[Atoms], list[Integers]]":
    """Structures of the rows of a table, and the indices of the central atoms of each."""
    atoms = [atoms_of_row(row) for row in structures.itertuples()]
    return atoms, [np.asarray(centers, dtype=np.int64) for centers in structures["centers"]]
