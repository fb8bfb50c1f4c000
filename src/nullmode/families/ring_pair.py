"""The pair with equal bispectrum: two rings and a cap on one side or on the other."""

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from nullmode._support.axes import Axis, distinct
from nullmode._support.types import Floats
from nullmode.families._base import EndLengths, Lengths, Signs, Structures, grid, grid_size, methane, sized


@sized(lambda azimuths, **axes: grid_size(**axes)._replace(atoms=2 * len(azimuths) + 2))
def structures(
    psi: Axis = [10, 20, 30, 40, 50, 60, 70, 80, 90],
    shift: Axis = [0],
    radius: Lengths = [1.0],
    height: Lengths = [0.5],
    cap: EndLengths = [1.2],
    azimuths: Annotated[list[float], Field(min_length=3), AfterValidator(distinct)] = [0, 115, 212],
    signs: Signs = [1, -1],
) -> Structures:
    """Place a ring of hydrogens above C, the same ring turned by psi below, and one more on the axis.

    Correlations of one, two and three neighbours, pseudoscalars included, are the same with the cap above and below;
    those of four differ (Nigam, Pozdnyakov, Huguenin-Dumittan, Ceriotti, APL Mach. Learn. 2, 016110 (2024)). Any number
    of atoms makes a ring; the published one has three.

    Parameters
    ----------
    psi
        Turn of the lower ring, in degrees.
    shift
        Turn of the last atom of either ring away from its azimuth, in degrees: takes a ring through special shapes.
    radius, height, cap
        Radius of the rings, height of the upper ring, distance of the cap from the centre, in Å.
    azimuths
        Azimuths of the atoms of the upper ring, in degrees. If one of them halves the angle of the others (isosceles),
        the two are congruent, and singular for ν = 3; at psi = 0 and 180 they are mirror images, singular for O(3)
        features.
    signs
        1 for the cap above, -1 for below.

    Yields
    ------
    ase.Atoms
        Coordinates: ``sign``, ``pair``, ``psi``, ``shift``, ``radius``, ``height``, ``cap``.
    """
    for sign in signs:
        for pair, point in enumerate(grid(psi=psi, shift=shift, radius=radius, height=height, cap=cap)):
            yield methane(hydrogens(azimuths=azimuths, sign=sign, **point), sign=sign, pair=pair, **point)


def hydrogens(
    *, azimuths: list[float], psi: float, shift: float, radius: float, height: float, cap: float, sign: int
) -> Floats:
    """Positions of the upper ring, the lower ring and the cap in Å; angles in degrees; shape (2 m + 1, 3)."""
    ring = np.radians([*azimuths[:-1], azimuths[-1] + shift])
    rings = [
        np.stack([radius * np.cos(turn), radius * np.sin(turn), np.full(len(ring), z)], axis=1)
        for turn, z in ((ring, height), (ring + np.radians(psi), -height))
    ]
    return np.vstack([*rings, [[0, 0, sign * cap]]])
