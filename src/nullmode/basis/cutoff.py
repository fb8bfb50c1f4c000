"""Cutoff functions that take a neighbour's weight to zero at the edge of an environment."""

import math

from nullmode._support._jit import kernel


@kernel
def shifted_cosine(distance: float, cutoff: float, cutoff_width: float) -> tuple[float, float]:
    """Weight f(r) and df/dr in 1/Å: 1 | (1 + cos(pi (r - rc + w)/w))/2 | 0, once differentiable; a step for w = 0.

    Behler, J. Chem. Phys. 134, 074106 (2011), eq. 4, restricted to the outer shell of width w as in featomic.
    """
    if distance >= cutoff:
        return 0.0, 0.0
    inner = cutoff - cutoff_width
    if distance <= inner:
        return 1.0, 0.0
    phase = math.pi * (distance - inner) / cutoff_width
    return 0.5 * (1.0 + math.cos(phase)), -0.5 * math.pi / cutoff_width * math.sin(phase)
