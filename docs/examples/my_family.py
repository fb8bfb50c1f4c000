"""A family of one's own: water, opened from a right angle to a straight line."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from ase import Atoms
from pydantic import Field


def structures(
    angles: list[Annotated[float, Field(gt=0, le=180)]],
    bond: Annotated[float, Field(gt=0)] = 0.96,
) -> Iterator[Atoms]:
    """Place two hydrogens around an oxygen.

    Parameters
    ----------
    angles
        H–O–H angles, in degrees.
    bond
        O–H distance, in Å.

    Yields
    ------
    ase.Atoms
        Coordinate: ``angle``. The only centre is the oxygen.
    """
    for angle in angles:
        half = np.radians(angle) / 2
        hydrogens = [[bond * np.sin(half), 0, bond * np.cos(half)], [-bond * np.sin(half), 0, bond * np.cos(half)]]
        # Every number or text in `info` becomes a column of the tables; `centers` says which atoms are analysed.
        yield Atoms("OH2", positions=[[0, 0, 0], *hydrogens], info={"centers": [0], "angle": angle})
