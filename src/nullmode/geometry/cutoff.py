"""Which neighbours are inside a cutoff: one decision for all directions, whatever the rounding of positions."""

import numpy as np

from nullmode._support.types import Bools, Floats

AT_CUTOFF = 5e-8
"""Atoms this close to a cutoff, in Å, are at it, and left out: rounding, also to the eight digits of a file, would keep
a part of a shell. Out rather than in, since features that end smoothly do not see what is there."""


def inside(vectors: Floats, cutoff: float) -> Bools:
    """Whether neighbours, shape (n, 3), are nearer than `cutoff` (Å) and not at it."""
    return np.asarray(np.sqrt((vectors**2).sum(axis=1)) < cutoff - AT_CUTOFF)


def at_cutoff(vectors: Floats, cutoff: float) -> Bools:
    """Whether neighbours, shape (n, 3), are at `cutoff` (Å)."""
    return ~inside(vectors, cutoff) & inside(vectors, cutoff + 2 * AT_CUTOFF)
