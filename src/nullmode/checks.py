"""Checks of arguments that several modules take."""

import numpy as np

from nullmode.types import InputError

SMALLEST_TOLERANCE = 1e-12
"""Below this length, in Å, positions themselves are rounded."""


def check_tolerance(tolerance: float) -> float:
    """Refuse a tolerance that is no length, or below the rounding of positions."""
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float | np.number):
        raise InputError(f"`tolerance` must be a length in Å, got {tolerance!r}.")
    if not SMALLEST_TOLERANCE <= tolerance < np.inf:
        raise InputError(f"`tolerance` must be a length of at least {SMALLEST_TOLERANCE} Å, got {tolerance}.")
    return float(tolerance)


def check_parity(parity: str) -> None:
    """Refuse a parity that is neither O3 nor SO3."""
    if parity not in ("O3", "SO3"):
        raise InputError(f"`parity` must be 'O3' or 'SO3', got {parity!r}.")
