"""The pair with integer coordinates: correlations of two neighbours are equal exactly, without any rounding."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from nullmode._support.axes import Axis, distinct
from nullmode.families._base import METHANE, GridEnd, Lengths, grid, methane, n_points, sized

if TYPE_CHECKING:
    from ase import Atoms


@sized(lambda signs, **axes: METHANE._replace(structures=len(signs) * n_points(axes)))
def structures(
    c: Axis = [0, 1, 2, 3, 4],  # noqa: B006
    scale: Annotated[Lengths, GridEnd, Field(validate_default=True)] = [0.25],  # noqa: B006
    signs: Annotated[list[Literal[-1, 1]], Field(min_length=1), AfterValidator(distinct)] = [-1, 1],  # noqa: B006
) -> "Iterator[Atoms]":
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
