"""Molecular dynamics of a water droplet of rigid TIP3P molecules."""

from typing import Annotated

import numpy as np
from pydantic import Field

from nullmode._support.arguments import Count, Length, Seed
from nullmode._support.types import Floats
from nullmode.families._base import FamilySize, Structures, sized

_SPACING = 3.1
"""Of the molecules at the start, Å: about that of the liquid."""
_BEYOND = 1e3
"""A cutoff that reaches every pair of a droplet, Å."""


@sized(lambda n_molecules, n_frames, **_: FamilySize(n_frames, 3 * n_molecules, 3 * n_molecules, species=2))
def structures(
    n_molecules: Annotated[int, Field(ge=2, le=1000)] = 16,
    temperature: Length = 250.0,
    n_frames: Count = 4,
    every: Count = 100,
    equilibration: Count = 500,
    time_step: Annotated[float, Field(gt=0, le=4)] = 2.0,
    seed: Seed = 0,
) -> Structures:
    """Run Langevin dynamics of a free droplet of rigid water; every O and H is a centre.

    The potential is TIP3P (Jorgensen et al., J. Chem. Phys. 79, 926 (1983)), as ``ase.calculators.tip3p`` has it,
    without cutoff. The start is a piece of a cubic lattice, in random orientations.

    Parameters
    ----------
    n_molecules
        Number of molecules.
    temperature
        In K. Droplets of about ten molecules lose some of them above 300 K.
    n_frames
        Number of structures taken from the trajectory.
    every
        Number of steps between two structures.
    equilibration
        Number of steps before the first structure.
    time_step
        In fs, at most 4.
    seed
        Seed of orientations, momenta and random forces.

    Yields
    ------
    ase.Atoms
        Coordinates: ``frame``, ``kinetic_temperature``. With the forces of TIP3P, without those that keep it rigid.
    """
    from ase import Atoms
    from ase.calculators.tip3p import TIP3P
    from scipy.spatial.transform import Rotation

    from nullmode.families._dynamics import RigidTriatomics, frames

    rng = np.random.default_rng(seed)
    molecule = _molecule()
    rotations = Rotation.random(n_molecules, rng=rng).as_matrix()
    positions = _lattice(n_molecules)[:, None] + np.einsum("mij,aj->mai", rotations, molecule)
    atoms = Atoms("OH2" * n_molecules, positions=positions.reshape(-1, 3), calculator=TIP3P(rc=_BEYOND))
    lengths = [np.linalg.norm(molecule[i] - molecule[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    atoms.set_constraint(RigidTriatomics(np.array(lengths)))
    yield from frames(atoms, rng, temperature, time_step, equilibration, n_frames, every)


def _molecule() -> Floats:
    """Positions of a TIP3P molecule, O first, shape (3, 3), Å."""
    from ase.calculators.tip3p import angleHOH, rOH

    angle = np.radians(angleHOH)
    return np.array([[0, 0, 0], [rOH, 0, 0], [rOH * np.cos(angle), rOH * np.sin(angle), 0]])


def _lattice(n: int) -> Floats:
    """Get the n points of a cubic lattice nearest to the centre of a cube, shape (n, 3), Å."""
    edge = int(np.ceil(np.cbrt(n)))
    points = np.stack(np.meshgrid(*3 * [np.arange(edge)], indexing="ij"), axis=-1).reshape(-1, 3)
    distances = np.linalg.norm(points - (edge - 1) / 2, axis=1)
    return np.asarray(_SPACING * points[np.argsort(distances, kind="stable")[:n]])
