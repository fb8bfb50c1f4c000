"""Reproducible molecular dynamics: Langevin frames from a seed, and rigid molecules of three atoms.

Families import this when they run: with ASE, it is too heavy for the check of a configuration.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import units
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixConstraint
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import thermalize_momenta

from nullmode._support.types import Floats, InputError

if TYPE_CHECKING:
    from ase import Atoms

_FRICTION = 0.02
"""Of the thermostat, 1/fs: temperatures settle within some 50 fs."""
_BOND_TOLERANCE = 1e-10
_ITERATIONS = 50
_PAIRS = np.array([[0, 1], [0, 2], [1, 2]])


def frames(
    atoms: "Atoms",
    rng: np.random.Generator,
    temperature: float,
    time_step: float,
    equilibration: int,
    n_frames: int,
    every: int,
) -> "Iterator[Atoms]":
    """Move atoms by Langevin dynamics at a temperature in K, in place, and yield copies with their forces.

    The time step is in fs; `equilibration` steps come before the first frame, and `every` between two. Coordinates:
    ``frame``, and ``kinetic_temperature``, which fluctuates about the temperature.
    """
    thermalize_momenta(atoms, temperature, rng=rng)
    dynamics = Langevin(
        atoms, time_step * units.fs, temperature_K=temperature, friction=_FRICTION / units.fs, rng=rng, fixcm=False
    )
    for frame in range(n_frames):
        dynamics.run(every if frame else equilibration)
        kept = atoms.__class__(atoms.numbers, atoms.positions)
        kept.calc = SinglePointCalculator(kept, forces=atoms.get_forces(apply_constraint=False))
        kept.info = {"frame": frame, "kinetic_temperature": float(atoms.get_temperature())}
        yield kept


class RigidTriatomics(FixConstraint):
    """Fix the three distances within each molecule of three atoms, for all molecules at once.

    Like ``ase.constraints.FixBondLengths``, which treats the bonds one by one and would take most of the time:
    Newton's method for the Lagrange multipliers of each molecule (Kräutler, van Gunsteren and Hünenberger,
    J. Comput. Chem. 22, 501 (2001)). `lengths` are the distances (0, 1), (0, 2), (1, 2) in every molecule, in Å.
    """

    def __init__(self, lengths: Floats) -> None:
        self.lengths = lengths

    def get_removed_dof(self, atoms: "Atoms") -> int:
        """Count the degrees of freedom that the constraints remove."""
        return len(atoms)

    def adjust_positions(self, atoms: "Atoms", new: Floats) -> None:
        """Correct new positions, shape (3 m, 3), along the old bonds."""
        inverse = _inverse_masses(atoms)
        before = _gradients(atoms.positions)
        moved = new.reshape(-1, 3, 3)
        for _ in range(_ITERATIONS):
            bonds = moved[:, _PAIRS[:, 0]] - moved[:, _PAIRS[:, 1]]
            excess = (np.sum(bonds**2, axis=2) - self.lengths**2) / 2
            if np.abs(excess).max() <= _BOND_TOLERANCE:
                return
            moved -= inverse * _applied(before, _solved(_gradients(moved), before, inverse, excess))
        raise InputError(
            f"`temperature` and `time_step` must let the molecules keep their shape, but {_ITERATIONS} iterations did "
            "not bring them back to it. Lower one of them."
        )

    def adjust_momenta(self, atoms: "Atoms", momenta: Floats) -> None:
        """Remove from momenta, shape (3 m, 3), what changes a distance."""
        inverse = _inverse_masses(atoms)
        gradients = _gradients(atoms.positions)
        flat = momenta.reshape(-1, 3, 3)
        rates = np.einsum("mcax,max->mc", gradients, inverse * flat)
        flat -= _applied(gradients, _solved(gradients, gradients, inverse, rates))

    def adjust_forces(self, atoms: "Atoms", forces: Floats) -> None:
        """Remove from forces, shape (3 m, 3), what changes a distance."""
        self.adjust_momenta(atoms, forces)

    def todict(self) -> dict[str, Any]:
        """Name the constraint for ASE's files and logs."""
        return {"name": "RigidTriatomics", "kwargs": {"lengths": self.lengths.tolist()}}


def _inverse_masses(atoms: "Atoms") -> Floats:
    return np.asarray(1 / atoms.get_masses().reshape(-1, 3, 1))


def _gradients(positions: Floats) -> Floats:
    """Differentiate half the squared distances with respect to the positions, shape (m, 3 distances, 3 atoms, 3)."""
    molecules = positions.reshape(-1, 3, 3)
    result = np.zeros((len(molecules), 3, 3, 3))
    for c, (i, j) in enumerate(_PAIRS):
        bond = molecules[:, i] - molecules[:, j]
        result[:, c, i], result[:, c, j] = bond, -bond
    return result


def _solved(left: Floats, right: Floats, inverse: Floats, values: Floats) -> Floats:
    """Multipliers, shape (m, 3), that change the constrained quantities by the given values."""
    matrix = np.einsum("mcax,max,mdax->mcd", left, np.broadcast_to(inverse, left[:, 0].shape), right)
    return np.asarray(np.linalg.solve(matrix, values[..., None])[..., 0])


def _applied(gradients: Floats, multipliers: Floats) -> Floats:
    return np.asarray(np.einsum("mcax,mc->max", gradients, multipliers))
