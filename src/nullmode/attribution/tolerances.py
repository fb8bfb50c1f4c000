"""Lengths at which symmetry, and with it the counts of null values, changes."""

from collections.abc import Callable
from math import sqrt

import numpy as np

from nullmode._support.types import Parity
from nullmode.attribution.geometry_ranks import GeometryRanks

GROWTH_WITHIN = 1e-2
"""Å; coordinates in files have errors up to this."""


def nearest_change(
    geometry: GeometryRanks,
    of: tuple[int | None, Parity],
    lengths: tuple[float, float],
    tolerance: float,
    seen: int,
) -> float:
    """Length in a range, nearest to the tolerance, at which the counts change; NaN if they do not.

    Counts fall as the tolerance grows, so that equal counts at two lengths hold between them too. Lengths at which
    fewer displacements are allowed than are `seen` do not matter: the environment is not what it is at these.
    """

    def counts(length: float) -> tuple[int | None, int, str]:
        return *geometry.counts(*of, length), geometry.group(length).name

    def allows(length: float) -> bool:
        complete, symmetric = geometry.counts(*of, length)
        return seen <= (symmetric if complete is None else complete)

    low, high = lengths
    middle = min(max(tolerance, low), high)
    if allows(middle) and not allows(high):
        high = _boundary(allows, middle, high)[0]
    here = counts(middle)
    ends = [_boundary(lambda length: counts(length) == here, middle, end) for end in (low, high) if counts(end) != here]
    changes = [sqrt(same * other) for same, other in ends]
    return min(changes, key=lambda length: abs(np.log(length / tolerance)), default=float("nan"))


def growth(geometry: GeometryRanks, used: float) -> float:
    """Smallest length up to ``GROWTH_WITHIN`` at which there is more symmetry than at a tolerance; else NaN."""
    most = min(GROWTH_WITHIN, geometry.largest_tolerance())
    if used >= most:
        return float("nan")

    def symmetry(length: float) -> tuple[str, int, int]:
        group = geometry.group(length)
        return group.name, len(group.operations), geometry.counts(None, "O3", length)[1]

    here = symmetry(used)
    if symmetry(most) == here:
        return float("nan")
    return _boundary(lambda length: symmetry(length) == here, used, most, 1.02)[1]


def _boundary(holds: Callable[[float], bool], same: float, other: float, factor: float = 1.1) -> tuple[float, float]:
    """Bring two lengths, at the first of which something holds and at the second not, to within a factor."""
    while max(same, other) > factor * min(same, other):
        between = sqrt(same * other)
        same, other = (between, other) if holds(between) else (same, between)
    return same, other
