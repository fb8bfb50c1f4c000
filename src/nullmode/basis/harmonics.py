"""Real spherical harmonics and their gradients, without a singular direction.

Orthonormal, no Condon–Shortley phase, index l² + l + m; l = 1 is ordered (y, z, x).
"""

from functools import cache
from math import factorial, pi, sqrt

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.types import Floats


@cache
def norms(l_max: int) -> Floats:
    """Normalisation F_lm = sqrt((2l+1)/(4 pi) (2 - δ_m0) (l-m)!/(l+m)!) of harmonics, index l(l+1)/2 + m, m >= 0."""
    values = [
        sqrt((2 * l + 1) / (4 * pi) * (1 if m == 0 else 2) * (factorial(l - m) / factorial(l + m)))
        for l in range(l_max + 1)
        for m in range(l + 1)
    ]
    return np.array(values)


@kernel
def harmonics(
    x: float,
    y: float,
    z: float,
    l_max: int,
    norm: Floats,
    work: Floats,
    once: Floats,
    values: Floats,
    gradients: Floats,
    j: int,
) -> None:
    """Fill columns 3j to 3j + 2 with Y_lm (three times, and once by itself) and its gradient at (x, y, z).

    Cartesian recursion of Bigi et al., J. Chem. Phys. 159, 064802 (2023), eqs. 9–19 (sphericart), signs without
    the Condon–Shortley phase. The gradient is that of the function on the sphere, continued with degree 0: divide
    by r for the derivative with respect to a vector of length r.

    Parameters
    ----------
    x, y, z
        Unit vector.
    norm
        From :func:`norms`.
    work, shape (>= norm.size + 2 (l_max + 1),)
        Scratch.
    once, shape (n, >= (l_max + 1)²)
        Column l² + l + m.
    values, gradients, shape ((l_max + 1)², >= 3 n)
        Row l² + l + m.
    j
        Which neighbour.
    """
    size = norm.size
    q = work[:size]
    cosine = work[size : size + l_max + 1]
    sine = work[size + l_max + 1 : size + 2 * l_max + 2]
    cosine[0] = 1.0
    sine[0] = 0.0
    for m in range(1, l_max + 1):
        cosine[m] = x * cosine[m - 1] - y * sine[m - 1]
        sine[m] = x * sine[m - 1] + y * cosine[m - 1]
    q[0] = 1.0
    for l in range(1, l_max + 1):
        here = l * (l + 1) // 2
        above = here - l
        q[here + l] = (2 * l - 1) * q[above + l - 1]
        q[here + l - 1] = (2 * l - 1) * z * q[above + l - 1]
        for m in range(l - 1):
            q[here + m] = ((2 * l - 1) * z * q[above + m] - (l + m - 1) * q[above - l + 1 + m]) / (l - m)
    for l in range(l_max + 1):
        here = l * (l + 1) // 2
        above = here - l
        center = l * l + l
        for m in range(l + 1):
            f = norm[here + m]
            value = f * q[here + m]
            # Without l, m in range these neighbours of the recursion are zero.
            below = f * (l + m) * q[above + m] if m < l else 0.0
            side = f * q[above + m + 1] if m + 1 < l else 0.0
            c = cosine[m]
            s = sine[m]
            c1 = m * value * cosine[m - 1] if m > 0 else 0.0
            s1 = m * value * sine[m - 1] if m > 0 else 0.0
            # The radial part l·Y of the solid harmonic's gradient is taken off.
            radial = l * value
            row = center + m
            once[j, row] = value * c
            values[row, 3 * j : 3 * j + 3] = value * c
            gradients[row, 3 * j] = c1 - x * (side + radial) * c
            gradients[row, 3 * j + 1] = -s1 - y * (side + radial) * c
            gradients[row, 3 * j + 2] = (below - z * radial) * c
            if m > 0:
                row = center - m
                once[j, row] = value * s
                values[row, 3 * j : 3 * j + 3] = value * s
                gradients[row, 3 * j] = s1 - x * (side + radial) * s
                gradients[row, 3 * j + 1] = c1 - y * (side + radial) * s
                gradients[row, 3 * j + 2] = (below - z * radial) * s
