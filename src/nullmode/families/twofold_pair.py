"""The pair A+, A- with all its parameters: a twofold axis, which neither has, makes their power spectra equal."""

import numpy as np

from nullmode._support.axes import Axis
from nullmode._support.types import Floats
from nullmode.families._base import BOND, EndLengths, Lengths, Signs, Slant, Structures, grid, methane, on_grid, towards

_HALF_TURN = np.array([1.0, -1.0, -1.0])


@on_grid
def structures(
    gamma: Slant = [100, 110, 120, 130, 140, 150, 160, 170, 180],
    alpha: Slant = [112.5],
    theta: Slant = [45],
    phi: Axis = [45],
    r_a: Lengths = [BOND],
    r_b: Lengths = [BOND],
    r_c: EndLengths = [BOND],
    signs: Signs = [-1, 1],
) -> Structures:
    """Place hydrogens A, B, B' and C+ or C- around C.

    A half turn about x maps B and C+ onto B' and C-; A lies in the plane that is as far from C+ as from C-. Therefore
    C- has the same distances from A, B, B' as C+ from A, B', B, and correlations of two neighbours are equal.
    Generalised from Pozdnyakov et al., Phys. Rev. Lett. 125, 166001 (2020), whose X±(u, 0) are gamma = 180° u,
    alpha = 112.5°, theta = 45.52°, phi = 44.49°.

    Parameters
    ----------
    gamma, alpha, theta
        Angles of C±, A and B with x, in degrees. The two merge into one singular environment at gamma = 180; they are
        congruent if alpha is 180.
    phi
        Azimuth of B about x, from the plane of x and C±, in degrees. At multiples of 90 the two are mirror images.
    r_a, r_b, r_c
        Distances from the centre, in Å.
    signs
        1 for A+, -1 for A-.

    Yields
    ------
    ase.Atoms
        Coordinates: ``sign``, ``pair`` and all parameters.
    """
    for sign in signs:
        axes = {"gamma": gamma, "alpha": alpha, "theta": theta, "phi": phi, "r_a": r_a, "r_b": r_b, "r_c": r_c}
        for pair, point in enumerate(grid(**axes)):
            yield methane(hydrogens(sign=sign, **point), sign=sign, pair=pair, **point)


def hydrogens(
    *, gamma: float, alpha: float, theta: float, phi: float, r_a: float, r_b: float, r_c: float, sign: int
) -> Floats:
    """Positions of A, B, B', C+ or C- in Å; angles in degrees; shape (4, 3)."""
    b = r_b * towards(theta, phi)
    c = r_c * towards(gamma, 0.0)
    return np.stack([r_a * towards(alpha, 90.0), b, b * _HALF_TURN, c if sign > 0 else c * _HALF_TURN])
