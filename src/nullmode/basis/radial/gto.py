"""Gaussian-type orbitals, orthonormalised, with radial integrals in closed form."""

from functools import lru_cache
from math import pi, sqrt
from typing import ClassVar, Literal, final

import numpy as np

from nullmode._support.types import Integers, Reals
from nullmode._support.variants import variant
from nullmode.basis.radial._base import RadialBasis
from nullmode.basis.radial._series import compose, exponential, product, series
from nullmode.basis.spline import TERMS

_ROWS = 16


@final
@variant
class GTO(RadialBasis):
    """Primitives r^n exp(-r²/(2 s_n²)), s_n = cutoff·max(sqrt n, 1)/n_max, normalised, then orthonormalised on [0, ∞).

    featomic's choice of widths. They change with n_max, so the basis does not nest. It is orthonormalised with 40
    digits: the primitives soon resemble each other, and n_max is at most 17.

    Parameters
    ----------
    orthonormalization
        ``loewdin`` (symmetric, S^(-1/2), as featomic) or ``cholesky`` (each primitive against those before it). The two
        differ by a rotation of the functions alone.
    """

    nested: ClassVar[bool] = False
    orthonormal: ClassVar[bool] = True
    ends_at_cutoff: ClassVar[bool] = False
    title: ClassVar[str] = "GTO"
    kind: Literal["gto"] = "gto"
    orthonormalization: Literal["loewdin", "cholesky"] = "loewdin"

    def smallest_eigenvalue(self, n_max: int, l_max: int, cutoff: float) -> float:  # noqa: ARG002
        """Smallest eigenvalue of the overlap of the primitives on [0, ∞); it does not depend on the cutoff."""
        n = np.arange(n_max)
        exponent = 0.5 / primitive_widths(n_max, 1.0) ** 2
        norm = _half_gamma(2 * n + 3) * (2 * exponent) ** (-(n + 1.5))
        power = np.add.outer(n, n) + 3
        overlap = _half_gamma(power) * np.add.outer(exponent, exponent) ** (-power / 2)
        overlap /= np.sqrt(np.multiply.outer(norm, norm))
        return float(np.linalg.eigvalsh(overlap.astype(np.float64))[0])

    def functions(self, distances: Reals, n_max: int, l_max: int, cutoff: float) -> Reals:
        """Taylor coefficients of the orthonormal functions, the same for every l."""
        r = np.asarray(distances, dtype=np.longdouble)
        result = np.empty((TERMS, len(r), n_max), dtype=np.longdouble)
        power = series(1.0, like=r)
        for n, s in enumerate(primitive_widths(n_max, cutoff)):
            decay = 0.5 / s**2
            norm = np.sqrt(2 * s ** -(2 * n + 3) / _half_gamma(np.array([2 * n + 3]))[0])
            gaussian = np.exp(-decay * r * r) * exponential(series(0.0, -2 * decay * r, -decay, like=r))
            result[:, :, n] = norm * product(power, gaussian)
            power = product(power, series(r, 1.0, like=r))
        result = result @ orthonormalization(n_max, self.orthonormalization).T
        return np.repeat(np.moveaxis(result, 0, 1)[:, :, None], l_max + 1, axis=2)

    def integrals(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Reals:
        """Taylor coefficients of the integrals over [0, ∞), in closed form.

        I_nl(r) = (pi width²)^(-3/4) pi^(3/2) N_n Γ((n+l+3)/2)/Γ(l+3/2) (r/(2 width²))^l p^(-(n+l+3)/2)
        exp(-r²/(2 width²)) 1F1((n+l+3)/2; l+3/2; r²/(4 width⁴ p)), p = 1/(2 s_n²) + 1/(2 width²)
        (featomic's definition of the Gaussian density and of the GTO basis).
        """
        coefficients = orthonormalization(n_max, self.orthonormalization)
        r = np.asarray(distances, dtype=np.longdouble)
        result = np.empty((TERMS, len(r), l_max + 1, n_max), dtype=np.longdouble)
        gammas = _half_gamma(np.arange(2 * max(n_max, l_max) + 4))
        powers = [series(1.0, like=r)]
        for _ in range(l_max):
            powers.append(product(powers[-1], series(r, 1.0, like=r)))
        for n, s in enumerate(primitive_widths(n_max, cutoff)):
            p = 0.5 / s**2 + 0.5 / width**2
            kappa = 0.25 / (width**4 * p)
            decay = 0.5 / (s**2 + width**2)
            norm = np.sqrt(2 * s ** -(2 * n + 3) / gammas[2 * n + 3]) * (pi * width**2) ** -0.75 * pi**1.5
            gaussian = np.exp(-decay * r * r) * exponential(series(0.0, -2 * decay * r, -decay, like=r))
            step = series(0.0, 2 * kappa * r, kappa, like=r)
            hyper = _scaled_1f1(n, l_max, kappa * r * r)
            for l in range(l_max + 1):
                front = norm * gammas[n + l + 3] / gammas[2 * l + 3] * (0.5 / width**2) ** l * p ** -((n + l + 3) / 2)
                shape = product(gaussian, compose(hyper[:, l], step))
                result[:, :, l, n] = front * product(powers[l], shape)
        return np.moveaxis(result @ coefficients.T, 0, 1)


def primitive_widths(n_max: int, cutoff: float) -> Reals:
    """Widths of the primitives in Å, shape (n_max,)."""
    widths: Reals = cutoff * np.sqrt(np.maximum(np.arange(n_max), 1).astype(np.longdouble)) / n_max
    return widths


@lru_cache(maxsize=64)
def orthonormalization(n_max: int, kind: str) -> Reals:
    """Orthonormal functions in terms of the normalised primitives: S^(-1/2), or the inverse of S's Cholesky factor.

    Shape (n_max, n_max), one function a row, in extended precision. It is computed in 40 digits, since in double
    precision its error is 1e-16 over the smallest eigenvalue of S.
    """
    from mpmath import MPContext

    # A context of its own: threads that change the precision of mpmath's shared one disturb each other.
    mp = MPContext()
    mp.dps = 40
    exponent = [mp.mpf(n_max**2) / (2 * max(n, 1)) for n in range(n_max)]
    overlap = mp.matrix(n_max, n_max)
    for i in range(n_max):
        for j in range(n_max):
            power = mp.mpf(i + j + 3) / 2
            overlap[i, j] = mp.gamma(power) * (exponent[i] + exponent[j]) ** -power
    norm = mp.diag([1 / mp.sqrt(overlap[i, i]) for i in range(n_max)])
    normalised = norm * overlap * norm
    if kind == "cholesky":
        root = mp.cholesky(normalised) ** -1
    else:
        eigenvalues, vectors = mp.eigsy(normalised)
        root = vectors * mp.diag([1 / mp.sqrt(value) for value in eigenvalues]) * vectors.T
    return np.array([[np.longdouble(mp.nstr(x, 25)) for x in row] for row in root.tolist()])


def _half_gamma(twice: Integers) -> Reals:
    """Γ(k/2) for whole k > 0, by its recursion in extended precision."""
    values = [np.longdouble(np.nan), np.sqrt(4 * np.arctan(np.longdouble(1))), np.longdouble(1)]
    for k in range(3, int(np.max(twice)) + 1):
        values.append(values[k - 2] * (k - 2) / 2)
    return np.array(values)[twice]


def _scaled_1f1(n: int, l_max: int, z: Reals) -> Reals:
    """Taylor coefficients in z of exp(-z) 1F1((n+l+3)/2; l+3/2; z), shape (4, l_max + 1, z.size).

    DLMF 13.3.20 gives the derivatives as the same function with b + k; each is an average of (a)_j/(b)_j over the
    Poisson distribution of mean z (DLMF 13.2.2): sums of positive terms, without cancellation or overflow.
    """
    j = np.arange(_reach(z.max(), 1)).astype(z.dtype)
    log_factorial = np.concatenate([[0], np.cumsum(np.log(j[1:]))])
    l = np.arange(l_max + 1).astype(z.dtype)
    a = np.broadcast_to((n + l + 3) / 2, (TERMS, l_max + 1))
    b = np.add.outer(np.arange(TERMS), l + 1.5)
    ratio = np.cumprod((a + j[:-1, None, None]) / (b + j[:-1, None, None]), axis=0)
    ratio = np.concatenate([np.ones((1, *ratio.shape[1:]), dtype=z.dtype), ratio])
    average = np.empty((TERMS, l_max + 1, z.size), dtype=z.dtype)
    for start in range(0, z.size, _ROWS):
        rows = slice(start, start + _ROWS)
        terms = slice(_reach(z[rows].min(), -1), _reach(z[rows].max(), 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            log_weight = np.where(j[terms] == 0, 0, j[terms] * np.log(z[rows])[:, None])
        weight = np.exp(log_weight - log_factorial[terms] - z[rows][:, None])
        weight /= weight.sum(axis=1, keepdims=True)
        average[:, :, rows] = np.moveaxis(np.tensordot(weight, ratio[terms], axes=1), 0, -1)
    factor = np.ones(l_max + 1, dtype=z.dtype)
    for k in range(1, TERMS):
        factor *= -(b[0] - a[0] + k - 1) / (b[0] + k - 1) / k
        average[k] *= factor[:, None]
    return average


def _reach(mean: float, sign: int) -> int:
    # Where a Poisson distribution's tail is below the rounding of extended precision.
    return max(0, int(mean + sign * (12 * sqrt(mean) + 60)))
