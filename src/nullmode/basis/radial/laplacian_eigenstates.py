"""Eigenfunctions of the Laplacian in a sphere: spherical Bessel functions with a zero at the cutoff."""

from functools import lru_cache
from math import ceil, factorial
from typing import ClassVar, Literal, final

import numpy as np

from nullmode._support.types import Reals
from nullmode._support.variants import variant
from nullmode.basis.radial._base import RadialBasis
from nullmode.basis.radial._quadrature import gauss_legendre, gaussian_integrals, legendre
from nullmode.basis.spline import TERMS

_BISECTIONS = 66


@final
@variant
class LaplacianEigenstates(RadialBasis):
    """R_nl(r) = N_nl j_l(z_ln r/cutoff), z_ln the n-th zero of j_l, orthonormal under r² dr on [0, cutoff]; nested.

    N_nl = sqrt(2/cutoff³)/|j_(l+1)(z_ln)|. The functions of smallest kinetic energy (Bigi, Huguenin-Dumittan, Ceriotti
    and Manolopoulos, J. Chem. Phys. 157, 234101 (2022)), here n_max of them for every l instead of all below an energy.
    """

    nested: ClassVar[bool] = True
    orthonormal: ClassVar[bool] = True
    title: ClassVar[str] = "Laplacian"
    kind: Literal["laplacian-eigenstates"] = "laplacian-eigenstates"

    def smallest_eigenvalue(self, n_max: int, l_max: int, cutoff: float) -> float:  # noqa: ARG002
        """1: the functions are orthonormal."""
        return 1.0

    def functions(self, distances: Reals, n_max: int, l_max: int, cutoff: float) -> Reals:
        """Taylor coefficients of the eigenfunctions."""
        r = np.asarray(distances, dtype=np.longdouble)
        z = zeros(n_max, l_max)
        result = np.empty((len(r), TERMS, l_max + 1, n_max), dtype=np.longdouble)
        orders = np.array([factorial(k) for k in range(TERMS)])
        for l in range(l_max + 1):
            # At a zero, j_(l+1) is minus the slope (DLMF 10.51.2).
            norm = np.sqrt(2 / np.longdouble(cutoff) ** 3) / np.abs(spherical_bessel(l, z[l])[1])
            scale = (z[l] / cutoff) ** np.arange(TERMS)[:, None] / orders[:, None]
            result[:, :, l] = np.moveaxis(spherical_bessel(l, np.multiply.outer(r, z[l] / cutoff)), 0, 1) * scale * norm
        return result

    def integrals(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Reals:
        """Taylor coefficients of the integrals over [0, cutoff], by quadrature."""
        phase = float(zeros(n_max, l_max)[-1, -1])
        return gaussian_integrals(
            lambda x: self.functions(x, n_max, l_max, cutoff)[:, 0], phase, distances, l_max, cutoff, width
        )


@lru_cache(maxsize=64)
def zeros(n_max: int, l_max: int) -> Reals:
    """First positive zeros z_ln of j_l, shape (l_max + 1, n_max): those of j_l lie between those of j_(l-1)."""
    result = np.empty((l_max + 1, n_max), dtype=np.longdouble)
    roots = 4 * np.arctan(np.longdouble(1)) * np.arange(1, n_max + l_max + 1)
    for l in range(l_max + 1):
        if l > 0:
            low, high = roots[:-1], roots[1:]
            sign = np.sign(spherical_bessel(l, low)[0])
            for _ in range(_BISECTIONS):
                middle = (low + high) / 2
                left = np.sign(spherical_bessel(l, middle)[0]) == sign
                low, high = np.where(left, middle, low), np.where(left, high, middle)
            roots = (low + high) / 2
        result[l] = roots[:n_max]
    return result


def spherical_bessel(l: int, x: Reals) -> Reals:
    """j_l and its first three derivatives at x >= 0, shape (4, *x.shape).

    j_l(x) = (-i)^l/2 ∫ exp(i x t) P_l(t) dt over [-1, 1] (DLMF 10.54.2), by quadrature: exact to rounding of the
    largest value, without the recurrences that lose digits at small x.
    """
    # Half of an even number of points: the integrand is even.
    t, weights = (array[array.size // 2 :] for array in gauss_legendre(2 * ceil((x.max() + l) / 4 + 20)))
    weighted = legendre(l, t)[1] * weights * t ** np.arange(TERMS)[:, None]
    phase = np.multiply.outer(x, t)
    waves = np.cos(phase), np.sin(phase)
    # cos(x t + (k - l) pi/2) for derivative k.
    turned = [waves[(k - l) % 2] * (1, -1, -1, 1)[(k - l) % 4] for k in range(TERMS)]
    return np.array([turned[k] @ weighted[k] for k in range(TERMS)])
