"""Radial integrals of a Gaussian density with any functions, by Gauss–Legendre quadrature in extended precision.

Extended where the platform has it: rounding at the nodes of a table comes back in slopes divided by their spacing.
"""

from collections.abc import Callable
from functools import lru_cache
from math import ceil, factorial, pi, sqrt

import numpy as np

from nullmode._support.types import Reals
from nullmode.basis.radial._series import exponential, product, series
from nullmode.basis.spline import TERMS

_ROWS = 16
# In widths: beyond, a Gaussian is below 1e-31 of its height.
_REACH = 12.0
# Bandwidth of a Gaussian times its width: beyond, its transform is below the rounding of extended precision.
_BANDWIDTH = 9.5


@lru_cache(maxsize=64)
def gauss_legendre(n: int) -> tuple[Reals, Reals]:
    """Points, ascending in (-1, 1), and weights of the rule with n points, by Newton's method (DLMF 3.5(v))."""
    t = -np.cos(pi * (np.arange(1, n + 1, dtype=np.longdouble) - 0.25) / (n + 0.5))
    for _ in range(6):
        before, last = legendre(n, t)
        slope = n * (t * last - before) / (t * t - 1)
        t = t - last / slope
    return t, 2 / ((1 - t * t) * slope**2)


def legendre(l: int, t: Reals) -> tuple[Reals, Reals]:
    """Legendre polynomials P_(l-1), for l = 0 zero, and P_l at t, by recurrence (DLMF 14.10.3)."""
    before, last = np.zeros_like(t), np.ones_like(t)
    for k in range(l):
        before, last = last, ((2 * k + 1) * t * last - k * before) / (k + 1)
    return before, last


def interval(n: int, length: float) -> tuple[Reals, Reals]:
    """Points and weights of the rule with n points on [0, length]."""
    t, weights = gauss_legendre(n)
    return length * (1 + t) / 2, length * weights / 2


def gaussian_integrals(
    functions: Callable[[Reals], Reals], phase: float, distances: Reals, l_max: int, cutoff: float, width: float
) -> Reals:
    """Integrals of a normalised Gaussian at distance r with radial functions on [0, cutoff], with three derivatives.

    I_nl(r) = 4 pi (pi width²)^(-3/4) ∫ R_nl(x) x² exp(-(r² + x²)/(2 width²)) i_l(r x/width²) dx, with the modified
    spherical Bessel functions i_l: the l-th projection of the Gaussian (Bartók, Kondor and Csányi, Phys. Rev. B 87,
    184115 (2013), eq. 31).

    Parameters
    ----------
    functions
        Radial functions (m, l_max + 1, n_max) at distances (m,).
    phase
        Most radians that a function turns through while θ goes from 0 to pi, at its steepest in θ, where
        x = cutoff (1 - cos θ)/2: in θ the points are evenly spaced.
    distances, shape (m,)
        r in Å, ascending.
    l_max, cutoff, width
        Lengths in Å.

    Returns
    -------
    ndarray, shape (m, 4, l_max + 1, n_max)
        Taylor coefficients in r.
    """
    # Two points per wavelength of the product of both, where an integral needs one; beyond, convergence is geometric.
    x, weights = interval(ceil((_BANDWIDTH * cutoff / width + phase) / 2) + 40, cutoff)
    weighted = np.moveaxis(functions(x) * (weights * x * x)[:, None, None], 1, 0)

    def summed(r: Reals) -> Reals:
        near = slice(*np.searchsorted(x, (r[0] - _REACH * width, r[-1] + _REACH * width)))
        return projections(r, x[near], l_max, width) @ weighted[:, near]

    return _shifted(distances, width, summed)


def point_integrals(distances: Reals, points: Reals, l_max: int, width: float) -> Reals:
    """Project a normalised Gaussian at r on points x instead of integrating; shape (m, 4, l_max + 1, n_points)."""
    return _shifted(distances, width, lambda r: projections(r, points, l_max, width))


def _shifted(distances: Reals, width: float, projected: Callable[[Reals], Reals]) -> Reals:
    """Give series in δ, (4, l_max + 1, m, n), the Gaussian's own part exp(-(r + δ)²/(2 width²)) over that at δ = 0."""
    r = np.asarray(distances, dtype=np.longdouble)
    chunks = []
    for rows in (r[start : start + _ROWS] for start in range(0, len(r), _ROWS)):
        shift = exponential(series(0.0, -rows / width**2, -0.5 / width**2, like=rows))
        chunks.append(product(shift[..., None, None], np.moveaxis(projected(rows), 1, 2)))
    return np.moveaxis(np.concatenate(chunks, axis=1), 0, 1)


def projections(r: Reals, x: Reals, l_max: int, width: float) -> Reals:
    """Taylor coefficients in δ of 4 pi (pi width²)^(-3/4) exp(-(r² + x²)/(2 width²)) i_l((r + δ) x/width²).

    Shape (4, l_max + 1, len(r), len(x)).
    """
    z = np.multiply.outer(r, x / width**2)
    front = 4 * pi * (pi * width**2) ** -0.75 * np.exp(-((r[:, None] - x) ** 2) / (2 * width**2))
    bessel = front * scaled_i(l_max + TERMS - 1, z)
    result = np.empty((TERMS, l_max + 1, *z.shape), dtype=z.dtype)
    for k in range(TERMS):
        result[k] = bessel[: l_max + 1] * (x / width**2) ** k / factorial(k)
        # DLMF 10.51.4: i_l' = (l i_(l-1) + (l+1) i_(l+1))/(2l+1).
        l = np.arange(len(bessel) - 1)[:, None, None]
        bessel = (l * np.concatenate([bessel[:1], bessel[:-2]]) + (l + 1) * bessel[1:]) / (2 * l + 1)
    return result


def scaled_i(l_max: int, z: Reals) -> Reals:
    """Evaluate modified spherical Bessel functions exp(-z) i_l(z), l = 0 … l_max > 0; shape (l_max + 1, *z.shape)."""
    result = np.empty((l_max + 1, *z.shape), dtype=z.dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        result[0] = np.where(z > 0, -np.expm1(-2 * z) / (2 * z), 1)
        if z.min() > 4 * (l_max + 1) ** 2:
            # Upward (DLMF 10.51.4): errors grow by exp(l²/z) only.
            result[1] = (1 + np.exp(-2 * z)) / (2 * z) - result[0] / z
            for l in range(1, l_max):
                result[l + 1] = result[l - 1] - (2 * l + 1) / z * result[l]
            return result
        # Downward, in ratios of neighbours: an error of the first decays as exp(-l²/z).
        start = l_max + ceil(sqrt(45 * float(z.max()))) + 30
        ratio = z / (start + 0.5 + np.hypot(start + 0.5, z))
        for l in range(start, 0, -1):
            ratio = 1 / ((2 * l + 1) / z + ratio)
            if l <= l_max:
                result[l] = ratio
    return np.multiply.accumulate(result, axis=0)
