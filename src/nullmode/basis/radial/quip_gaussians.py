"""QUIP's equispaced Gaussians: the density on points, interpolated."""

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
        return interpolation(n_max, cutoff, self.width, self.error_exponent)[3]

    def functions(self, distances: Reals, n_max: int, l_max: int, cutoff: float) -> Reals:
        """Taylor coefficients of the orthonormal functions, the same for every l."""
        r = np.asarray(distances, dtype=np.longdouble)
        points, rows, _, _ = interpolation(n_max, cutoff, self.width, self.error_exponent)
        result = np.empty((TERMS, len(r), n_max), dtype=np.longdouble)
        square = np.longdouble(self.width) ** 2
        for a, point in enumerate(points):
            step = series(0.0, (point - r) / square, float(-0.5 / square), like=r)
            result[:, :, a] = np.exp(-((r - point) ** 2) / (2 * square)) * exponential(step)
        return np.repeat(np.moveaxis(result @ rows.T, 0, 1)[:, :, None], l_max + 1, axis=2)

    def integrals(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Reals:
        """Taylor coefficients of the interpolated density's components."""
        points, _, transform, _ = interpolation(n_max, cutoff, self.width, self.error_exponent)
        return point_integrals(distances, points, l_max, width) @ transform.T


@lru_cache(maxsize=64)
def interpolation(n_max: int, cutoff: float, width: float, error_exponent: float) -> tuple[Reals, Reals, Reals, float]:
    """Points r_a in Å, L^(-1), L^T C^(-1), and the smallest eigenvalue of the normalised overlap; in 40 digits."""
    from mpmath import MPContext

    # A context of its own: threads that change the precision of mpmath's shared one disturb each other.
    mp = MPContext()
    mp.dps = 40
    w, half = mp.mpf(width), mp.mpf(1) / 2
    spacing = (mp.mpf(cutoff) + w * mp.sqrt(2 * mp.mpf(error_exponent) * mp.log(10))) / n_max
    points = [a * spacing for a in range(n_max)]
    values, overlap = mp.matrix(n_max, n_max), mp.matrix(n_max, n_max)
    for a in range(n_max):
        for b in range(n_max):
            # The product of two is a Gaussian at their middle, whose second moment on [0, ∞) is known.
            x = (points[a] + points[b]) / (2 * w)
            apart = mp.exp(-(((points[a] - points[b]) / (2 * w)) ** 2))
            moment = mp.sqrt(mp.pi) / 2 * (1 + mp.erf(x)) * (x**2 + half) + x / 2 * mp.exp(-(x**2))
            overlap[a, b] = w**3 * apart * moment
            values[a, b] = apart**2
    norm = mp.diag([1 / mp.sqrt(overlap[a, a]) for a in range(n_max)])
    smallest = float(min(mp.eigsy(norm * overlap * norm, eigvals_only=True)))
    root = mp.cholesky(overlap) if smallest > 0 else mp.eye(n_max)

    def extended(matrix: Any) -> Reals:
        return np.array([[np.longdouble(mp.nstr(x, 25)) for x in row] for row in matrix.tolist()])

    return (
        np.array([np.longdouble(mp.nstr(x, 25)) for x in points]),
        extended(root**-1),
        extended(root.T * values**-1),
        smallest,
    )
