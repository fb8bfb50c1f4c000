"""Samples that stand for a larger set: evenly spaced structures, and environments that differ as much as possible."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import Floats

if TYPE_CHECKING:
    from ase import Atoms

_SAME = 1e-9
"""Points that are nearer to a chosen one than this share of the largest distance say nothing new."""


def spaced(count: int, most: int, always: Iterable[int] = ()) -> list[int]:
    """Choose indices below `count`, ascending: at most so many, evenly spaced, and some that are always taken."""
    even = np.unique(np.linspace(0, count - 1, most).round().astype(int)).tolist()
    return sorted({*even, *always})


def small_enough(structures: "Iterable[Atoms]", atoms: int) -> "list[Atoms]":
    """Choose the structures, one after the other, that have at most so many atoms together."""
    chosen: list[Atoms] = []
    for each in structures:
        if len(each) <= atoms:
            chosen.append(each)
            atoms -= len(each)
    return chosen


def spread(points: Floats, most: int) -> list[int]:
    """Choose rows of `points`, shape (m, F), that lie far apart: farthest-point sampling, without random numbers.

    The first is the farthest from the mean, each other one the farthest from all chosen before; rows equal to a chosen
    one are left out. Up to ties, the order of the rows does not matter.
    """
    distances = np.linalg.norm(points - points.mean(axis=0), axis=1)
    chosen = [int(np.argmax(distances))]
    nearest = np.full(len(points), np.inf)
    largest = 0.0
    while len(chosen) < min(most, len(points)):
        nearest = np.minimum(nearest, np.linalg.norm(points - points[chosen[-1]], axis=1))
        farthest = int(np.argmax(nearest))
        largest = max(largest, float(nearest[farthest]))
        if nearest[farthest] <= _SAME * max(largest, float(np.linalg.norm(points[farthest]))):
            break
        chosen.append(farthest)
    return chosen
