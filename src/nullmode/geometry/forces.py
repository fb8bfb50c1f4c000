"""Reference forces, stress and energies of atoms that a structure brings with it; none are computed."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode._support.arguments import real_array
from nullmode._support.types import Floats, InputError

if TYPE_CHECKING:
    from ase import Atoms

_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def forces_of(atoms: "Atoms", where: str = "atoms") -> Floats | None:
    """Give the forces on the atoms, shape (N, 3) in eV/Å, that a file or a calculator left with a structure.

    They are results of its calculator for the structure as it is now, or else its array ``forces``, which some files
    have; None if there are neither. They may be NaN. `where` names the structure in messages.

    Raises
    ------
    InputError
        If they are no real numbers, or do not have this shape.
    """
    given = _result_of(atoms, "forces")
    given = atoms.arrays.get("forces") if given is None else given
    if given is None:
        return None
    forces = real_array(f"{where}.forces", given)
    if forces.shape != (len(atoms), 3):
        raise InputError(f"`{where}.forces` must have shape ({len(atoms)}, 3), got {forces.shape}; in eV/Å.")
    return forces.copy()


def stress_of(atoms: "Atoms", where: str = "atoms") -> Floats | None:
    """Give the stress, shape (3, 3) in eV/Å³, that a file or a calculator left with a periodic structure.

    It is a result of the calculator as for :func:`forces_of`, or else ``info["stress"]``: a symmetric matrix, or ASE's
    six components xx, yy, zz, yz, xz, xy. None if there is neither, for a molecule, and for a cell without a volume.

    Raises
    ------
    InputError
        If it is no real numbers, or does not have one of these shapes.
    """
    if not (atoms.pbc.any() and abs(np.linalg.det(atoms.cell.array)) > 0):
        return None
    given = _result_of(atoms, "stress")
    given = atoms.info.get("stress") if given is None else given
    if given is None:
        return None
    stress = real_array(f"{where}.stress", given)
    if stress.shape == (6,):
        full = np.empty((3, 3))
        for (a, b), value in zip(_VOIGT, stress, strict=True):
            full[a, b] = full[b, a] = value
        return full
    if stress.size != 9:
        raise InputError(f"`{where}.stress` must have shape (6,) or (3, 3), got {stress.shape}; in eV/Å³.")
    stress = stress.reshape(3, 3)
    return np.asarray((stress + stress.T) / 2)


def energies_of(atoms: "Atoms", where: str = "atoms") -> Floats | None:
    """Give the energies of the single atoms, shape (N,) in eV, that a structure brings as it does forces; else None.

    Raises
    ------
    InputError
        If they are no real numbers, or do not have this shape.
    """
    given = _result_of(atoms, "energies")
    given = atoms.arrays.get("energies") if given is None else given
    if given is None:
        return None
    energies = real_array(f"{where}.energies", given)
    if energies.shape != (len(atoms),):
        raise InputError(f"`{where}.energies` must have shape ({len(atoms)},), got {energies.shape}; in eV.")
    return energies.copy()


def _result_of(atoms: "Atoms", name: str) -> Any:
    """Look a result up in the calculator; those of other positions are none of this structure."""
    calculator: Any = atoms.calc
    results = getattr(calculator, "results", None)
    known = isinstance(results, dict) and name in results and not calculator.check_state(atoms)
    return results[name] if known and results else None
