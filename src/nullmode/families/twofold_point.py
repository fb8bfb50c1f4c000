"""Singular environments F1: a half turn about the axis of one neighbour exchanges two others, but moves the fourth."""

import numpy as np

from nullmode._support.axes import Axis
from nullmode._support.types import Floats
from nullmode.families._base import BOND, EndLengths, Lengths, Slant, Structures, grid, methane, on_grid, towards


@on_grid
def structures(
    theta: Slant = [40, 50, 60, 70, 80, 100, 110, 120, 130],
    alpha: Slant = [112.5],
    phi: Axis = [30],
    r_a: Lengths = [BOND],
    r_b: Lengths = [BOND],
    r_c: EndLengths = [BOND],
) -> Structures:
    """Place hydrogens A, B, B' and C around C, with C on the axis x, and B' the image of B under a half turn about x.

    Correlations of two neighbours do not change to first order when C moves at right angles to x and to A: C moved one
    way and the other are the two of a ``twofold_pair``. In general, one null singular value of ν = 2 is therefore
    spurious.

    Parameters
    ----------
    theta, alpha
        Angles of B and A with x, in degrees.
    phi
        Azimuth of A about x, from the plane of x and B, in degrees; at multiples of 90 there is a mirror.
    r_a, r_b, r_c
        Distances from the centre, in Å.

    Yields
    ------
    ase.Atoms
        Coordinates: all parameters.
    """
    for point in grid(theta=theta, alpha=alpha, phi=phi, r_a=r_a, r_b=r_b, r_c=r_c):
        yield methane(hydrogens(**point), **point)


def hydrogens(*, theta: float, alpha: float, phi: float, r_a: float, r_b: float, r_c: float) -> Floats:
    """Positions of A, B, B', C in Å; angles in degrees; shape (4, 3)."""
    b = r_b * towards(theta, 0.0)
    return np.stack([r_a * towards(alpha, phi), b, b * [1, -1, -1], [r_c, 0.0, 0.0]])
