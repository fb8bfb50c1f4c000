"""dscribe's Gaussian-type orbitals, orthonormalised, with radial integrals in closed form."""

from functools import lru_cache
from math import pi
from typing import Annotated, Any, ClassVar, Literal, final

import numpy as np
from pydantic import Field

from nullmode._support.types import InputError, Reals
from nullmode._support.variants import variant
from nullmode.basis.radial._base import RadialBasis
from nullmode.basis.radial._series import exponential, product, series
from nullmode.basis.spline import TERMS

_THRESHOLD = "0.001"


@final
@variant
class DscribeGTO(RadialBasis):
    """Primitives r^l exp(-α_nl r²) that are 1e-3 at a_n = 1 … r_cut Å, evenly spaced, in Löwdin's combination.

    The functions of dscribe's SOAP with ``rbf="gto"``: Himanen et al., Comput. Phys. Commun. 247, 106949 (2020), eqs.
    14 and 15; α_nl = -ln(1e-3/a_n^l)/a_n². They are orthonormal on [0, ∞) and orthonormalised with 40 digits. They
    change with n_max, so the basis does not nest.

    Parameters
    ----------
    r_cut
        dscribe's cutoff in Å, above 1; None takes the descriptor's. Atoms of dscribe count beyond it.
    """

    nested: ClassVar[bool] = False
    orthonormal: ClassVar[bool] = True
    ends_at_cutoff: ClassVar[bool] = False
    title: ClassVar[str] = "dscribe GTO"
    kind: Literal["dscribe-gto"] = "dscribe-gto"
    r_cut: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None = None

    def smallest_eigenvalue(self, n_max: int, l_max: int, cutoff: float) -> float:
        """Smallest eigenvalue of the overlap of the primitives on [0, ∞), of any l."""
        reach = self._reach(cutoff)
        smallest = 1.0
        for l in range(l_max + 1):
            alpha = _exponents(_own_context(), n_max, l, reach)
            a = np.array([float(each) for each in alpha])
            overlap = (2 * np.sqrt(np.multiply.outer(a, a)) / np.add.outer(a, a)) ** (l + 1.5)
            smallest = min(smallest, float(np.linalg.eigvalsh(overlap)[0]))
        return smallest

    def functions(self, distances: Reals, n_max: int, l_max: int, cutoff: float) -> Reals:
        """Taylor coefficients of the orthonormal functions."""
        return self._combined(distances, n_max, l_max, cutoff, None)

    def integrals(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Reals:
        """Taylor coefficients of the integrals over [0, ∞), in closed form.

        r^l exp(-α r²) times a harmonic is a solid harmonic in a Gaussian: with a normalised Gaussian at distance r, of
        β = 1/(2 width²), it gives (pi width²)^(-3/4) (pi/(α+β))^(3/2) (β/(α+β))^l r^l exp(-α β/(α+β) r²).
        """
        return self._combined(distances, n_max, l_max, cutoff, width)

    def _combined(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float | None) -> Reals:
        reach = self._reach(cutoff)
        r = np.asarray(distances, dtype=np.longdouble)
        result = np.empty((len(r), TERMS, l_max + 1, n_max), dtype=np.longdouble)
        power = series(1.0, like=r)
        for l in range(l_max + 1):
            exponents, rows = orthonormalization(n_max, l, reach)
            primitives = np.empty((TERMS, len(r), n_max), dtype=np.longdouble)
            for n, alpha in enumerate(exponents):
                decay, front = alpha, np.longdouble(1)
                if width is not None:
                    own = np.longdouble(0.5) / np.longdouble(width) ** 2
                    decay = alpha * own / (alpha + own)
                    front = (pi * width**2) ** -0.75 * (pi / (alpha + own)) ** 1.5 * (own / (alpha + own)) ** l
                gaussian = np.exp(-decay * r * r) * exponential(series(0.0, -2 * decay * r, -decay, like=r))
                primitives[:, :, n] = front * product(power, gaussian)
            result[:, :, l] = np.moveaxis(primitives @ rows.T, 0, 1)
            power = product(power, series(r, 1.0, like=r))
        return result

    def _reach(self, cutoff: float) -> float:
        reach = cutoff if self.r_cut is None else self.r_cut
        if reach <= 1:
            raise InputError(f"`r_cut` must be above 1 Å for dscribe's functions, got {reach}. Use a larger cutoff.")
        return reach


@lru_cache(maxsize=256)
def orthonormalization(n_max: int, l: int, reach: float) -> tuple[Reals, Reals]:
    """Exponents α_nl in 1/Å², and orthonormal functions in terms of the primitives: S^(-1/2), one function a row.

    Computed in 40 digits: the primitives soon resemble each other.
    """
    mp = _own_context()
    alpha = _exponents(mp, n_max, l, reach)
    overlap = mp.matrix(n_max, n_max)
    for i in range(n_max):
        for j in range(n_max):
            overlap[i, j] = mp.gamma(mp.mpf(2 * l + 3) / 2) / 2 * (alpha[i] + alpha[j]) ** (-mp.mpf(2 * l + 3) / 2)
    values, vectors = mp.eigsy(overlap)
    root = vectors * mp.diag([1 / mp.sqrt(value) for value in values]) * vectors.T
    rows = [[np.longdouble(mp.nstr(x, 25)) for x in row] for row in root.tolist()]
    return np.array([np.longdouble(mp.nstr(x, 25)) for x in alpha]), np.array(rows)


def _exponents(mp: Any, n_max: int, l: int, reach: float) -> list[Any]:
    spacing = (mp.mpf(reach) - 1) / max(n_max - 1, 1)
    ends = [1 + n * spacing for n in range(n_max)]
    return [-mp.log(mp.mpf(_THRESHOLD) / end**l) / end**2 for end in ends]


def _own_context() -> Any:
    from mpmath import MPContext

    # Threads that change the precision of mpmath's shared context disturb each other.
    mp = MPContext()
    mp.dps = 40
    return mp
