"""The pair X+, X- of methane environments, which have equal power spectra if v = 0."""

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo

from nullmode._support.axes import MOST_POINTS, Axis, Range, axis_values, distinct, values
from nullmode._support.types import Floats, InputError
from nullmode.families._base import BOND, METHANE, methane, sized

if TYPE_CHECKING:
    from ase import Atoms


def _check_size(v: Axis, info: ValidationInfo) -> Axis:
    # If u itself is invalid, it is missing here.
    if "u" in info.data and (size := len(values(info.data["u"])) * len(values(v))) > MOST_POINTS:
        raise InputError(f"`u` and `v` must span at most {MOST_POINTS} points, got {size}. Use larger steps.")
    return v


@sized(lambda u, v, signs, **_: METHANE._replace(structures=len(values(u)) * len(values(v)) * len(signs)))
def structures(
    u: Axis = Range(start=0.7, stop=0.9, step=0.025),  # noqa: B008
    v: Annotated[Axis, AfterValidator(_check_size)] = Range(start=-0.1, stop=0.1, step=0.025),  # noqa: B008
    signs: Annotated[list[Literal[-1, 1]], Field(min_length=1), AfterValidator(distinct)] = [-1, 1],  # noqa: B006
    bond: Annotated[float, Field(gt=0, allow_inf_nan=False)] = BOND,
) -> "Iterator[Atoms]":
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
