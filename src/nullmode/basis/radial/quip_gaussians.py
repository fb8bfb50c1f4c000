"""QUIP's equispaced Gaussians: the density on points, interpolated."""

import math
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, final

import numpy as np
from pydantic import Field

from nullmode._support.arguments import Length
from nullmode._support.types import Reals
from nullmode._support.variants import variant
from nullmode.basis.radial._base import RadialBasis
from nullmode.basis.radial._quadrature import point_integrals
from nullmode.basis.radial._series import exponential, series
from nullmode.basis.spline import TERMS


@final
@variant
class QuipGaussians(RadialBasis):
    """Gaussians φ_a(r) = exp(-(r - r_a)²/(2 width²)) at n_max equispaced r_a, orthonormalised on [0, ∞) by Cholesky.

    r_a = a (cutoff + margin)/n_max with margin = width sqrt(2 error_exponent ln 10). As QUIP does for ``soap``,
    integrals with a Gaussian density are no integrals: the density is interpolated by the φ_a from its values at the
    r_a, c = L^T C^(-1) ρ(r_a) with C_ab = φ_a(r_b) and the overlap L L^T (``radial_basis=EQUISPACED_GAUSS`` of QUIP's
    descriptors.F90). The points change with n_max, so the basis does not nest.

    Parameters
    ----------
    width
        Of the φ_a in Å. QUIP's basis is the one with the width of the density.
    error_exponent
        QUIP's ``basis_error_exponent``.
    """

    nested: ClassVar[bool] = False
    orthonormal: ClassVar[bool] = True
    ends_at_cutoff: ClassVar[bool] = False
    sampled: ClassVar[bool] = True
    title: ClassVar[str] = "QUIP"
    kind: Literal["quip-gaussians"] = "quip-gaussians"
    width: Length
    error_exponent: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0

    def smallest_eigenvalue(self, n_max: int, l_max: int, cutoff: float) -> float:  # noqa: ARG002
        """Smallest eigenvalue of the overlap of the Gaussians on [0, ∞), each normalised."""
        _, overlap = _matrices(math, n_max, cutoff, self.width, self.error_exponent)
        matrix = np.array(overlap)
        norm = np.sqrt(np.diag(matrix))
        return float(np.linalg.eigvalsh(matrix / np.multiply.outer(norm, norm))[0])

    def functions(self, distances: Reals, n_max: int, l_max: int, cutoff: float) -> Reals:
        """Taylor coefficients of the orthonormal functions, the same for every l."""
        r = np.asarray(distances, dtype=np.longdouble)
        points, rows, _ = interpolation(n_max, cutoff, self.width, self.error_exponent)
        result = np.empty((TERMS, len(r), n_max), dtype=np.longdouble)
        square = np.longdouble(self.width) ** 2
        for a, point in enumerate(points):
            step = series(0.0, (point - r) / square, float(-0.5 / square), like=r)
            result[:, :, a] = np.exp(-((r - point) ** 2) / (2 * square)) * exponential(step)
        return np.repeat(np.moveaxis(result @ rows.T, 0, 1)[:, :, None], l_max + 1, axis=2)

    def integrals(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Reals:
        """Taylor coefficients of the interpolated density's components."""
        points, _, transform = interpolation(n_max, cutoff, self.width, self.error_exponent)
        return point_integrals(distances, points, l_max, width) @ transform.T


@lru_cache(maxsize=64)
def interpolation(n_max: int, cutoff: float, width: float, error_exponent: float) -> tuple[Reals, Reals, Reals]:
    """Points r_a in Å, L^(-1) and L^T C^(-1), computed in 40 digits."""
    from mpmath import MPContext

    # A context of its own: threads that change the precision of mpmath's shared one disturb each other.
    mp = MPContext()
    mp.dps = 40
    points, rows = _matrices(mp, n_max, cutoff, width, error_exponent)
    root = mp.cholesky(mp.matrix(rows))
    values = mp.matrix([[mp.exp(-(((a - b) / mp.mpf(width)) ** 2) / 2) for a in points] for b in points])

    def extended(matrix: Any) -> Reals:
        return np.array([[np.longdouble(mp.nstr(x, 25)) for x in row] for row in matrix.tolist()])

    return extended(mp.matrix(points))[:, 0], extended(root**-1), extended(root.T * values**-1)


def _matrices(by: Any, n_max: int, cutoff: float, width: float, error_exponent: float) -> tuple[list[Any], Any]:
    """Points and overlap on [0, ∞), by the functions of mpmath or of math.

    The product of two Gaussians is one at their middle, whose second moment on [0, ∞) is known.
    """
    number = getattr(by, "mpf", float)
    w, one = number(width), number(1)
    spacing = (number(cutoff) + w * by.sqrt(2 * number(error_exponent) * by.log(number(10)))) / n_max
    points = [a * spacing for a in range(n_max)]

    def overlap(a: Any, b: Any) -> Any:
        x = (a + b) / (2 * w)
        moment = by.sqrt(one * by.pi) / 2 * (1 + by.erf(x)) * (x**2 + one / 2) + x / 2 * by.exp(-(x**2))
        return w**3 * by.exp(-(((a - b) / (2 * w)) ** 2)) * moment

    return points, [[overlap(a, b) for b in points] for a in points]
