"""Discrete variable representation: the density on Gauss–Legendre points."""

from typing import ClassVar, Literal, final

import numpy as np

from nullmode._support.types import Reals
from nullmode._support.variants import variant
from nullmode.basis.radial._base import RadialBasis, overlap_eigenvalue
from nullmode.basis.radial._quadrature import interval, point_integrals
from nullmode.basis.radial._series import product, series


@final
@variant
class DVR(RadialBasis):
    """Values of the density at the n_max Gauss–Legendre points r_n of [0, cutoff], weighted by sqrt(w_n) r_n.

    R_n(r) = C_n(r)/(sqrt(w_n) r_n) with the cardinal polynomials C_n(r_m) = δ_nm, the same for every l. By the rule
    with these points they are orthonormal, but it is exact only up to r^(2 n_max - 1), one power short of the overlaps.
    Integrals with a Gaussian are taken by the same rule, sqrt(w_n) r_n ρ_l(r_n), as is the custom of such
    representations (Light, Hamilton and Lill, J. Chem. Phys. 82, 1400 (1985)): a width below the spacing of the points
    falls between them. The points change with n_max, so the basis does not nest.
    """

    nested: ClassVar[bool] = False
    sampled: ClassVar[bool] = True
    title: ClassVar[str] = "DVR"
    kind: Literal["dvr"] = "dvr"

    def smallest_eigenvalue(self, n_max: int, l_max: int, cutoff: float) -> float:  # noqa: ARG002
        """Smallest eigenvalue of the overlap on [0, cutoff] of the functions, each normalised."""
        return overlap_eigenvalue(self, n_max + 2, n_max, cutoff)

    def functions(self, distances: Reals, n_max: int, l_max: int, cutoff: float) -> Reals:
        """Taylor coefficients of the cardinal polynomials."""
        r = np.asarray(distances, dtype=np.longdouble)
        points, weights = interval(n_max, cutoff)
        values = []
        for n, point in enumerate(points):
            cardinal = series(1 / (np.sqrt(weights[n]) * point), like=r)
            for other in np.delete(points, n):
                cardinal = product(cardinal, series((r - other) / (point - other), 1 / (point - other), like=r))
            values.append(cardinal)
        return np.repeat(np.moveaxis(np.stack(values, axis=-1), 0, 1)[:, :, None], l_max + 1, axis=2)

    def integrals(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Reals:
        """Taylor coefficients of sqrt(w_n) r_n times the Gaussian's l-th projection at r_n."""
        points, weights = interval(n_max, cutoff)
        return point_integrals(distances, points, l_max, width) * np.sqrt(weights) * points
