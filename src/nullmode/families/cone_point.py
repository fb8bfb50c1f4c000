"""Singular environments F2: three neighbours on a circle about the direction of the fourth."""

import numpy as np

from nullmode._support.axes import Axis
from nullmode._support.types import Floats
from nullmode.families._base import BOND, EndLengths, Lengths, Slant, Structures, grid, methane, on_grid, towards


@on_grid
def structures(
    theta: Slant = [60, 70, 80, 90, 100, 110, 120, 130],
    phi_2: Axis = [75],
    phi_3: Axis = [180],
    r: Lengths = [BOND],
    r_axis: EndLengths = [BOND],
) -> Structures:
    """Place three hydrogens at one distance from C and at one angle with x, and a fourth on x.

    The fourth makes the same angle with each of the three, so correlations of two neighbours see only the sum of the
    changes of three dot products: one number for the two directions in which the fourth may turn. In general, one null
    value of ν = 2 is therefore spurious. The point from which the Comment (J. Chem. Phys. 157, 177101 (2022))
    starts is one of these.

    Parameters
    ----------
    theta
        Angle of the three with x, in degrees.
    phi_2, phi_3
        Azimuths of the second and third about x, from the first, in degrees.
    r, r_axis
        Distances of the three and of the fourth from the centre, in Å.

    Yields
    ------
    ase.Atoms
        Coordinates: all parameters.
    """
    for point in grid(theta=theta, phi_2=phi_2, phi_3=phi_3, r=r, r_axis=r_axis):
        yield methane(hydrogens(**point), **point)


def hydrogens(*, theta: float, phi_2: float, phi_3: float, r: float, r_axis: float) -> Floats:
    """Positions of the three and of the fourth in Å; angles in degrees; shape (4, 3)."""
    return np.stack([*(r * towards(theta, azimuth) for azimuth in (0.0, phi_2, phi_3)), [r_axis, 0.0, 0.0]])
