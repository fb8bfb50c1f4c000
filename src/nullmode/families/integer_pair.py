"""The pair with integer coordinates: correlations of two neighbours are equal exactly, without any rounding."""

import numpy as np

from nullmode._support.axes import Axis
from nullmode.families._base import EndLengths, Signs, Structures, grid, methane, on_grid


@on_grid
def structures(
    c: Axis = [0, 1, 2, 3, 4],
    scale: EndLengths = [0.25],
    signs: Signs = [-1, 1],
) -> Structures:
    """Place hydrogens at (5, 0, 5), (5, 5, 5), (-5, -5, 5) and (0, ±c, 5).

    A ``twofold_pair`` about z. With whole c and a scale that is a power of 2, all squared distances and dot products
    are exact in floating point.

    Parameters
    ----------
    c
        Coordinate of the fourth hydrogen. At 0 the two environments are one, singular for ν = 2 without symmetry.
    scale
        Unit of length, in Å.
    signs
        Signs of c.

    Yields
    ------
    ase.Atoms
        Coordinates: ``sign``, ``pair``, ``c``, ``scale``.
    """
    for sign in signs:
        for pair, point in enumerate(grid(c=c, scale=scale)):
            vectors = np.array([[5.0, 0, 5], [5, 5, 5], [-5, -5, 5], [0, sign * point["c"], 5]])
            yield methane(point["scale"] * vectors, sign=sign, pair=pair, **point)
