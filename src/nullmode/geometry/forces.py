"""Reference forces that a structure brings with it; none are computed."""

from typing import TYPE_CHECKING, Any

from nullmode._support.arguments import real_array
from nullmode._support.types import Floats, InputError

if TYPE_CHECKING:
    from ase import Atoms


def forces_of(atoms: "Atoms", where: str = "atoms") -> Floats | None:
    """Give the forces on the atoms, shape (N, 3) in eV/Å, that a file or a calculator left with a structure.

    They are results of its calculator for the structure as it is now, or else its array ``forces``, which some files
    have; None if there are neither. They may be NaN. `where` names the structure in messages.

    Raises
    ------
    InputError
        If they are no real numbers, or do not have this shape.
    """
    calculator: Any = atoms.calc
    results = getattr(calculator, "results", None)
    given = None
    # Forces of other positions are none of this structure.
    if isinstance(results, dict) and "forces" in results and not calculator.check_state(atoms):
        given = results["forces"]
    given = atoms.arrays.get("forces") if given is None else given
    if given is None:
        return None
    forces = real_array(f"{where}.forces", given)
    if forces.shape != (len(atoms), 3):
        raise InputError(f"`{where}.forces` must have shape ({len(atoms)}, 3), got {forces.shape}; in eV/Å.")
    return forces.copy()
