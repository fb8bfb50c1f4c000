"""Molecular dynamics of a metal cluster with effective medium theory."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from nullmode._support.arguments import Count, Length, Seed
from nullmode.families._base import FamilySize, Structures, sized


def _n_atoms(shells: int) -> int:
    """Mackay icosahedra and cuboctahedra of k shells around an atom hold 1, 13, 55, 147, … atoms."""
    k = shells - 1
    return (10 * k**3 + 15 * k**2 + 11 * k + 3) // 3


@sized(lambda shells, n_frames, **_: FamilySize(n_frames, _n_atoms(shells), _n_atoms(shells)))
def structures(
    element: Literal["Al", "Cu", "Ag", "Au", "Ni", "Pd", "Pt"] = "Cu",
    shape: Literal["icosahedron", "cuboctahedron"] = "icosahedron",
    shells: Annotated[int, Field(ge=2, le=8)] = 3,
    temperature: Length = 300.0,
    n_frames: Count = 10,
    every: Count = 50,
    equilibration: Count = 200,
    time_step: Annotated[float, Field(gt=0, le=10)] = 5.0,
    seed: Seed = 0,
) -> Structures:
    """Run Langevin dynamics of a cluster with ASE's EMT; every atom is a centre.

    The potential is that of Jacobsen, Stoltze and Nørskov, Surf. Sci. 366, 394 (1996), as ``ase.calculators.emt`` has
    it. The start is the ideal shape at the bulk lattice constant.

    Parameters
    ----------
    element
        Chemical symbol of all atoms.
    shape
        ``icosahedron`` (Mackay) or ``cuboctahedron``, which is a piece of the fcc crystal.
    shells
        Number of shells, including the central atom: 2, 3, 4 give 13, 55, 147 atoms for either shape.
    temperature
        In K.
    n_frames
        Number of structures taken from the trajectory.
    every
        Number of steps between two structures.
    equilibration
        Number of steps before the first structure.
    time_step
        In fs, at most 10.
    seed
        Seed of momenta and random forces.

    Yields
    ------
    ase.Atoms
        Coordinates: ``frame``, ``kinetic_temperature``. With the forces of EMT.
    """
    from ase import Atoms
    from ase.calculators.emt import EMT
    from ase.cluster import Icosahedron, Octahedron

    from nullmode.families._dynamics import frames

    made = Icosahedron(element, shells) if shape == "icosahedron" else Octahedron(element, 2 * shells - 1, shells - 1)
    atoms = Atoms(made.numbers, made.positions, calculator=EMT())
    rng = np.random.default_rng(seed)
    yield from frames(atoms, rng, temperature, time_step, equilibration, n_frames, every)
