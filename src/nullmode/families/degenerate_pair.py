"""The pair X+, X- of methane environments, which have equal power spectra if v = 0."""

from itertools import product

import numpy as np

from nullmode._support.arguments import Length
from nullmode._support.axes import Axis, Range, axis_values
from nullmode._support.types import Floats
from nullmode.families._base import BOND, EndAxis, Signs, Structures, grid_size, methane, sized


@sized(lambda bond, **axes: grid_size(**axes))  # noqa: ARG005
def structures(
    u: Axis = Range(start=0.7, stop=0.9, step=0.025),
    v: EndAxis = Range(start=-0.1, stop=0.1, step=0.025),
    signs: Signs = [-1, 1],
    bond: Length = BOND,
) -> Structures:
    """Place X-(u, v) and X+(u, v) on a grid; by default the published 9 x 9 grid, in its order.

    Pozdnyakov et al., Phys. Rev. Lett. 125, 166001 (2020). The environments of a pair have equal two-neighbour
    correlations if and only if v = 0, and merge at u = pi.

    Parameters
    ----------
    u, v
        Angles in units of pi; v varies fastest, from its last value to its first.
    signs
        -1 for X-, 1 for X+.
    bond
        C–H distance in Å.

    Yields
    ------
    ase.Atoms
        Coordinates: ``sign``, ``u``, ``v`` (units of pi), ``pair``.
    """
    grid = list(product(axis_values(u).tolist(), reversed(axis_values(v).tolist())))
    for sign in signs:
        for pair, (x, y) in enumerate(grid):
            yield methane(bond * hydrogens(x * np.pi, y * np.pi, sign), sign=sign, u=x, v=y, pair=pair)


def hydrogens(u: float, v: float, sign: int) -> Floats:
    """Directions of the four hydrogens A, B, B', C±; angles in radians; shape (4, 3)."""
    pi = np.pi
    latitude = np.array([3 * pi / 8, pi / 6, -pi / 6, v])
    azimuth = np.array([pi, pi / 5, -pi / 5, sign * u])
    return np.stack([np.cos(latitude) * np.cos(azimuth), np.cos(latitude) * np.sin(azimuth), np.sin(latitude)], axis=1)
