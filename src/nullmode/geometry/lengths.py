"""Which lengths are accepted: finite ones, and none beyond any environment."""

import numpy as np

from nullmode._support.types import Floats, InputError

FARTHEST = 1e6
"""Lengths above this, in Å, are refused: no environment is that wide, and squares of some overflow."""


def check_lengths(argument: str, array: Floats) -> None:
    """Refuse vectors, shape (n, 3), with a component that is not finite or too large; `argument` is their name."""
    # Written so that NaN is caught too.
    if (np.abs(array) <= FARTHEST).all():
        return
    for bad, what in ((~np.isfinite(array), "finite"), (np.abs(array) > FARTHEST, f"at most {FARTHEST:.0e} Å")):
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise InputError(
                f"`{argument}` must be {what}, got {array[row, column]} in row {row}, component {'xyz'[column]}."
            )
