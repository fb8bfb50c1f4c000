"""Methanes of every symmetry from Td to C1, one that is singular without symmetry, and other small molecules."""

from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import AfterValidator, Field

from nullmode._support.arguments import Length
from nullmode._support.axes import distinct
from nullmode._support.types import Floats
from nullmode.families._base import BOND, METHANE, TETRAHEDRON, Structures, methane, sized
from nullmode.families.degenerate_pair import hydrogens
from nullmode.learning.four_body import four_body_energy

Name = Literal[
    "Td", "D4h", "D2d", "D2h", "D2", "C3v", "C2v", "C2", "Cs", "0134", "0125", "planar", "C1", "X", "NH3", "H2O", "CH6"
]
NAMES: tuple[Name, ...] = get_args(Name)[:-3]
"""Those of methane."""


def _directions(latitudes: list[float], azimuths: list[float]) -> Floats:
    """Turn angles in degrees into unit vectors."""
    latitude, azimuth = np.radians(latitudes), np.radians(azimuths)
    return np.stack([np.cos(latitude) * np.cos(azimuth), np.cos(latitude) * np.sin(azimuth), np.sin(latitude)], axis=1)


_FLAT = TETRAHEDRON * [1, 1, 0.6]
_LATITUDE = np.degrees(np.arcsin(1 / np.sqrt(3)))
# Positions of the hydrogens over the bond length, shape (n, 3).
_SHAPES: dict[Name, Floats] = {
    "Td": TETRAHEDRON,
    "D4h": _directions([0, 0, 0, 0], [0, 90, 180, 270]),
    "D2d": _FLAT / np.linalg.norm(_FLAT, axis=1, keepdims=True),
    "D2h": _directions([0, 0, 0, 0], [25, 155, 205, 335]),
    "D2": _directions([_LATITUDE, _LATITUDE, -_LATITUDE, -_LATITUDE], [20, 200, 115, 295]),
    "C3v": TETRAHEDRON * np.array([[1.15], [1], [1], [1]]),
    "C2v": TETRAHEDRON * np.array([[1.15], [1.15], [1], [1]]),
    "C2": _directions([35, 35, -20, -20], [0, 180, 50, 230]) * np.array([[1.0], [1.0], [1.2], [1.2]]),
    "Cs": TETRAHEDRON * np.array([[1.15], [0.9], [1], [1]]),
    "0134": _directions([0, 0, 0, 0], [0, 45, 135, 180]),
    "0125": _directions([0, 0, 0, 0], [0, 45, 90, 225]),
    "planar": np.array([[1.0, 0.1, 0], [-0.3, 1.1, 0], [-1.2, -0.2, 0], [0.2, -0.9, 0]]),
    "C1": np.array([[0.9, 0.3, 0.4], [-0.7, 0.8, -0.2], [0.1, -1.1, 0.5], [-0.3, -0.4, -0.8]]),
    "X": hydrogens(np.pi, 0.0, 1),
    "NH3": _directions([-22, -22, -22], [0, 120, 240]),
    "H2O": _directions([0, 0], [-52.25, 52.25]),
    "CH6": np.concatenate([np.eye(3), -np.eye(3)]),
}


@sized(lambda names, **_: METHANE._replace(structures=len(names or NAMES)))
def structures(
    names: Annotated[list[Name], Field(min_length=1), AfterValidator(distinct)] | None = None,
    bond: Length = BOND,
    four_body_forces: bool = False,
) -> Structures:
    """Place four hydrogens around C so that the environment has a given symmetry.

    Parameters
    ----------
    names
        Names of the environments, in order; default all of methane. ``Td``, ``D4h``, ``D2d``, ``D2h``, ``D2``, ``C3v``,
        ``C2v``, ``C2``, ``Cs``, ``C1``: one environment with that point group each. ``0134``, ``0125``: hydrogens in a
        plane at these multiples of 45° (C2v; their rank for ν = 3 depends on parity). ``planar``: no symmetry but
        the plane. ``X``: X(π, 0) of the degenerate pair, without symmetry and singular for ν = 2. ``NH3``, ``H2O``:
        ammonia and water, about N and O. ``CH6``: a regular octahedron.
    bond
        Distance to H in Å; stretched bonds are multiples of it.
    four_body_forces
        Whether methanes bring the forces of a four-body energy, 1 eV times that of Parsaeifard and Goedecker, J. Chem.
        Phys. 156, 034302 (2022); it depends on the hydrogens alone.

    Yields
    ------
    ase.Atoms
        Coordinate: ``name``.
    """
    for name in names or NAMES:
        atoms = methane(bond * _SHAPES[name], name=name)
        atoms.symbols[0] = {"NH3": "N", "H2O": "O"}.get(name, "C")
        if four_body_forces and name in NAMES:
            atoms.arrays["forces"] = np.concatenate([np.zeros((1, 3)), four_body_energy(atoms.positions[1:])[1]])
        yield atoms
