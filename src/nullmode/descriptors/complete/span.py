"""The radial functions that neighbours' Gaussians span: a complete radial basis for one set of distances."""

from math import ceil, pi, sqrt

import numpy as np

from nullmode._support.types import Floats
from nullmode.basis.radial._quadrature import interval, scaled_i

LARGEST_L = 200
"""Largest angular momentum: the limit is tested up to it against independent implementations of its functions."""
_SHARE = 1e-13
"""Share of an angular momentum in the squared norm of a density that counts as nothing."""
# In widths: beyond, a Gaussian is below 1e-17 of its height, and below 1e-17 of its squared norm.
_REACH, _REACH_OF_SQUARE = 9.0, 6.0
# Bandwidth of a product of two Gaussians times the width: beyond, its transform is below the rounding.
_BANDWIDTH = 12.5
_SPARE_POINTS = 10


def converged_l(reach: float, width: float) -> int:
    """Angular momentum beyond which Gaussians up to `reach` (Å) have no share that counts, at most ``LARGEST_L``.

    The share of l in the squared norm of a Gaussian at r is (2l+1) exp(-z) i_l(z), z = r²/(2 width²); these sum to 1
    (DLMF 10.60.9).
    """
    z = np.atleast_1d(0.5 * (reach / width) ** 2)
    share = (2 * np.arange(LARGEST_L + 1) + 1) * scaled_i(LARGEST_L, z)[:, 0]
    return min(LARGEST_L, int(np.flatnonzero(share > _SHARE).max(initial=0)) + 1)


def projected(distances: Floats, x: Floats, l_max: int, width: float) -> tuple[Floats, Floats]:
    """Project normalised Gaussians at distances r on angular momenta: functions of x, and their derivatives by r.

    g_l(x; r) = 4 pi (pi width²)^(-3/4) exp(-(r² + x²)/(2 width²)) i_l(r x/width²), with the modified spherical Bessel
    functions i_l (Bartók, Kondor and Csányi, Phys. Rev. B 87, 184115 (2013), eq. 31).

    Parameters
    ----------
    distances, shape (..., n); x, shape (p,)
        In Å, from 0 on.

    Returns
    -------
    value, slope, shape (l_max + 1, ..., p, n)
        In Å^(-3/2), and this over Å.
    """
    r, x = distances[..., None, :], x[:, None]
    bessel = scaled_i(l_max + 1, r * (x / width**2)).astype(np.float64, copy=False)
    bessel *= 4 * pi * (pi * width**2) ** -0.75 * np.exp(-((r - x) ** 2) / (2 * width**2))
    value: Floats = bessel[:-1]
    l = np.arange(l_max + 1).reshape(-1, *[1] * r.ndim)
    # DLMF 10.51.4: (2l+1) i_l' = l i_(l-1) + (l+1) i_(l+1).
    slope: Floats = (l + 1) / (2 * l + 1) * bessel[1:]
    slope[1:] += (l / (2 * l + 1))[1:] * value[:-1]
    slope *= x / width**2
    slope -= r / width**2 * value
    return value, slope


def points(reach: float, width: float) -> tuple[Floats, Floats]:
    """Points x in Å that integrate products of Gaussians up to `reach` over [0, ∞), and x times roots of the weights.

    x² times such a product is an even function of x that vanishes at both ends of the line: equal weights are exact up
    to its bandwidth (Trefethen and Weideman, SIAM Review 56, 385 (2014)).
    """
    spacing = 2 * pi * width / _BANDWIDTH
    x = spacing * np.arange(1, ceil((reach + _REACH * width) / spacing) + 1, dtype=np.float64)
    return x, x * sqrt(spacing)


def points_within(cutoff: float, width: float) -> tuple[Floats, Floats]:
    """Do as :func:`points` for integrals over [0, cutoff]."""
    x, weights = interval(ceil(_BANDWIDTH * cutoff / (4 * width)) + _SPARE_POINTS, cutoff)
    return x.astype(np.float64), (x * np.sqrt(weights)).astype(np.float64)


def reaches_past(distance: float, width: float, cutoff: float) -> bool:
    """Whether a Gaussian at a distance in Å has more than rounding of its squared norm beyond the cutoff."""
    return distance + _REACH_OF_SQUARE * width > cutoff


def coefficients(samples: Floats) -> Floats:
    """Expand functions, given by samples, in orthonormal functions that span them.

    By QR of the samples, never by the Gram matrix, which loses what functions differ by below 1e-8.

    Parameters
    ----------
    samples, shape (..., n_points, n_functions)
        Values times the roots of the weights.

    Returns
    -------
    ndarray, shape (..., K, n_functions)
        K is the smaller number of the two. Of fewer points than functions the samples serve themselves.
    """
    n_points, n_functions = samples.shape[-2:]
    return samples if n_points <= n_functions else np.asarray(np.linalg.qr(samples, mode="r"))
