"""The arrays of a structure as the rest of the package takes them, whatever its maker put into ASE's object."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.arguments import real_array
from nullmode._support.types import InputError

if TYPE_CHECKING:
    from ase import Atoms

# Comparing with the type itself takes longer than all other checks together.
_FLOAT = np.dtype(np.float64)


def with_plain_arrays(atoms: "Atoms", where: str) -> "Atoms":
    """Give a structure with positions (n, 3) and cell (3, 3) as float64 in native byte order, and whole numbers (n,).

    ASE checks none of these when they are written to ``atoms.arrays``. The structure itself is given back if it is so
    already, else a copy; `where` names it.

    Raises
    ------
    InputError
        For another shape, and for anything but real positions and whole atomic numbers.
    """
    if _are_plain(atoms):
        return atoms
    positions = real_array(f"{where}.positions", atoms.arrays["positions"])
    numbers = real_array(f"{where}.numbers", atoms.arrays["numbers"])
    cell = real_array(f"{where}.cell", atoms.cell.array)
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise InputError(f"`{where}.positions` must have shape (n, 3), got {positions.shape}; one row per atom, in Å.")
    if numbers.shape != (len(positions),):
        raise InputError(
            f"`{where}.numbers` must be one atomic number for each of the {len(positions)} positions, got an array of "
            f"shape {numbers.shape}."
        )
    if (numbers != np.trunc(numbers)).any():
        raise InputError(f"`{where}.numbers` must be whole numbers, got {numbers[numbers != np.trunc(numbers)][0]}.")
    result: Atoms = atoms.copy()
    result.calc = atoms.calc
    result.arrays["positions"], result.arrays["numbers"] = positions.copy(), numbers.astype(np.int64)
    result.cell = cell
    return result


def _are_plain(atoms: "Atoms") -> bool:
    positions, numbers, cell = atoms.arrays["positions"], atoms.arrays["numbers"], atoms.cell.array
    return bool(
        type(positions) is type(cell) is np.ndarray
        and positions.dtype == cell.dtype == _FLOAT
        and positions.ndim == 2
        and positions.shape[1] == 3
        and type(numbers) is np.ndarray
        and numbers.dtype.kind in "iu"
        and numbers.shape == positions.shape[:1]
    )
