"""Methanes of every symmetry from Td to C1, one that is singular without symmetry, and other small molecules."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from nullmode._support.axes import distinct
from nullmode._support.types import Floats
from nullmode.families._base import BOND, METHANE, TETRAHEDRON, methane, sized
from nullmode.families.degenerate_pair import hydrogens

if TYPE_CHECKING:
    from ase import Atoms

Name = Literal[
    "Td", "D4h", "D2d", "D2h", "D2", "C3v", "C2v", "C2", "Cs", "0134", "0125", "planar", "C1", "X", "NH3", "H2O", "CH6"
]
NAMES: tuple[Name, ...] = (
    "Td", "D4h", "D2d", "D2h", "D2", "C3v", "C2v", "C2", "Cs", "0134", "0125", "planar", "C1", "X",
)  # fmt: skip


@sized(lambda names, **_: METHANE._replace(structures=len(names or NAMES)))
def structures(
    names: Annotated[list[Name], Field(min_length=1), AfterValidator(distinct)] | None = None,
    bond: Annotated[float, Field(gt=0, allow_inf_nan=False)] = BOND,
) -> "Iterator[Atoms]":
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

    Yields
    ------
    ase.Atoms
        Coordinate: ``name``.
    """
    for name in names or NAMES:
        atoms = methane(bond * _shape(name), name=name)
        atoms.symbols[0] = {"NH3": "N", "H2O": "O"}.get(name, "C")
        yield atoms


def _shape(name: Name) -> Floats:
    """Positions of the hydrogens over the bond length, shape (4, 3), or fewer or more hydrogens."""
    if name == "D4h":
        return _directions([0, 0, 0, 0], [0, 90, 180, 270])
    if name == "D2d":
        flat = TETRAHEDRON * [1, 1, 0.6]
        return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True), dtype=np.float64)
    if name == "D2h":
        return _directions([0, 0, 0, 0], [25, 155, 205, 335])
    if name == "D2":
        latitude = np.degrees(np.arcsin(1 / np.sqrt(3)))
        return _directions([latitude, latitude, -latitude, -latitude], [20, 200, 115, 295])
    if name == "C2":
        return np.asarray(_directions([35, 35, -20, -20], [0, 180, 50, 230]) * np.array([[1.0], [1.0], [1.2], [1.2]]))
    if name in ("0134", "0125"):
        return _directions([0, 0, 0, 0], [45 * int(digit) for digit in name])
    if name == "NH3":
        return _directions([-22, -22, -22], [0, 120, 240])
    if name == "H2O":
        return _directions([0, 0], [-52.25, 52.25])
    if name == "CH6":
        return np.concatenate([np.eye(3), -np.eye(3)])
    if name == "planar":
        return np.array([[1.0, 0.1, 0], [-0.3, 1.1, 0], [-1.2, -0.2, 0], [0.2, -0.9, 0]])
    if name == "C1":
        return np.array([[0.9, 0.3, 0.4], [-0.7, 0.8, -0.2], [0.1, -1.1, 0.5], [-0.3, -0.4, -0.8]])
    if name == "X":
        return hydrogens(np.pi, 0.0, 1)
    stretched = {"C3v": [1.15, 1, 1, 1], "C2v": [1.15, 1.15, 1, 1], "Cs": [1.15, 0.9, 1, 1]}
    return np.asarray(TETRAHEDRON * np.array(stretched.get(name, [1, 1, 1, 1]))[:, None])


def _directions(latitudes: list[float], azimuths: list[float]) -> Floats:
    """Turn angles in degrees into unit vectors."""
    latitude, azimuth = np.radians(latitudes), np.radians(azimuths)
    return np.stack([np.cos(latitude) * np.cos(azimuth), np.cos(latitude) * np.sin(azimuth), np.sin(latitude)], axis=1)
