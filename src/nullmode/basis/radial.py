"""Radial integrals of a Gaussian density with GTO functions, tabulated as septic Hermite splines.

The table is differentiated exactly, so that features and Jacobian belong to one smooth function: invariance, and with
it every exact null value, survives the tabulation.
"""

from functools import lru_cache
from math import ceil, factorial, pi, sqrt
from typing import NamedTuple

import numpy as np

from nullmode.basis.spline import TERMS, RadialTable, hermite
from nullmode.types import Floats, InputError, Integers, Reals

SMALLEST_EIGENVALUE = 1e-11
"""Where the overlap of the primitives has a smaller eigenvalue, the basis is refused."""
TABLE_ERROR = 1e-14
"""Aim of the tabulation: largest error of a value over the largest value of that radial function."""
MOST_INTERVALS = 4096
"""A table finer than this is refused: its density is too sharp for its cutoff."""
_ROWS = 16
# Between two nodes a septic's value deviates most at 1/2, its slope where t⁴(1-t)⁴ is steepest.
_STEEPEST = 0.5 - sqrt(7) / 14


class Basis(NamedTuple):
    """A radial basis: its table and how trustworthy it is.

    Attributes
    ----------
    table
        What the kernels read.
    smallest_eigenvalue
        Of the primitives' overlap matrix: the basis is taken to 40 digits, but functions this similar amplify whatever
        else is rounded, and codes that take S^(-1/2) in double precision differ by about 1e-16 over it.
    value_error, derivative_error
        Largest deviation of the spline from the closed form, over the largest value (slope) of each function, measured
        between the nodes where a septic deviates most.
    """

    table: RadialTable
    smallest_eigenvalue: float
    value_error: float
    derivative_error: float


def primitive_widths(n_max: int, cutoff: float) -> Reals:
    """Widths of the GTO primitives, s_n = cutoff·max(sqrt n, 1)/n_max in Å (featomic's choice), shape (n_max,)."""
    widths: Reals = cutoff * np.sqrt(np.maximum(np.arange(n_max), 1).astype(np.longdouble)) / n_max
    return widths


def smallest_eigenvalue(n_max: int) -> float:
    """Find the smallest eigenvalue of the overlap of the normalised primitives r^n exp(-r²/(2 s_n²)).

    Each digit that it lacks from 1 is a digit that features lose; it does not depend on the cutoff.

    Raises
    ------
    InputError
        Where it is below ``SMALLEST_EIGENVALUE``.
    """
    n = np.arange(n_max)
    exponent = 0.5 / primitive_widths(n_max, 1.0) ** 2
    norm = _half_gamma(2 * n + 3) * (2 * exponent) ** (-(n + 1.5))
    power = np.add.outer(n, n) + 3
    overlap = _half_gamma(power) * np.add.outer(exponent, exponent) ** (-power / 2)
    overlap /= np.sqrt(np.multiply.outer(norm, norm))
    smallest = float(np.linalg.eigvalsh(overlap.astype(np.float64))[0])
    if not smallest >= SMALLEST_EIGENVALUE:
        raise InputError(
            f"`n_max` must leave the GTO functions distinguishable, got n_max={n_max}: the smallest eigenvalue of "
            f"their overlap is {smallest:.1e}, below {SMALLEST_EIGENVALUE:.0e}. Use a smaller n_max."
        )
    return smallest


@lru_cache(maxsize=64)
def loewdin(n_max: int) -> Reals:
    """Symmetric orthonormalisation S^(-1/2) of the normalised primitives r^n exp(-r²/(2 s_n²)).

    In 40 digits, since in double precision its error is 1e-16 over the smallest eigenvalue of S.

    Returns
    -------
    ndarray, shape (n_max, n_max)
        Orthonormal functions (rows) in terms of normalised primitives, in extended precision.
    """
    from mpmath import mp

    with mp.workdps(40):
        exponent = [mp.mpf(n_max**2) / (2 * max(n, 1)) for n in range(n_max)]
        overlap = mp.matrix(n_max, n_max)
        for i in range(n_max):
            for j in range(n_max):
                power = mp.mpf(i + j + 3) / 2
                overlap[i, j] = mp.gamma(power) * (exponent[i] + exponent[j]) ** -power
        norm = mp.diag([1 / mp.sqrt(overlap[i, i]) for i in range(n_max)])
        eigenvalues, vectors = mp.eigsy(norm * overlap * norm)
        root = vectors * mp.diag([1 / mp.sqrt(value) for value in eigenvalues]) * vectors.T
        return np.array([[np.longdouble(mp.nstr(x, 25)) for x in row] for row in root.tolist()])


def _half_gamma(twice: Integers) -> Reals:
    """Γ(k/2) for whole k > 0, by its recursion in extended precision."""
    values = [np.longdouble(np.nan), np.sqrt(4 * np.arctan(np.longdouble(1))), np.longdouble(1)]
    for k in range(3, int(np.max(twice)) + 1):
        values.append(values[k - 2] * (k - 2) / 2)
    return np.array(values)[twice]


def gto_integrals(distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Floats:
    """Integrals of a normalised Gaussian at distance r with GTO functions, in closed form, with three derivatives.

    I_nl(r) = (pi width²)^(-3/4) pi^(3/2) N_n Γ((n+l+3)/2)/Γ(l+3/2) (r/(2 width²))^l p^(-(n+l+3)/2)
    exp(-r²/(2 width²)) 1F1((n+l+3)/2; l+3/2; r²/(4 width⁴ p)), p = 1/(2 s_n²) + 1/(2 width²)
    (featomic's definition of the Gaussian density and of the GTO basis).

    Parameters
    ----------
    distances, shape (m,)
        r in Å.
    n_max, l_max, cutoff, width
        Hyperparameters; lengths in Å.

    Returns
    -------
    ndarray, shape (m, 4, l_max + 1, n_max)
        Taylor coefficients in r (value, slope, half the second derivative, a sixth of the third) of the integrals with
        the orthonormal functions.
    """
    coefficients = loewdin(n_max)
    # Extended precision where the platform has it: rounding at the nodes comes back in slopes divided by the spacing.
    r = np.asarray(distances, dtype=np.longdouble)
    result = np.empty((TERMS, len(r), l_max + 1, n_max), dtype=np.longdouble)
    gammas = _half_gamma(np.arange(2 * max(n_max, l_max) + 4))
    powers = [_series(1.0, like=r)]
    for _ in range(l_max):
        powers.append(_product(powers[-1], _series(r, 1.0, like=r)))
    for n, s in enumerate(primitive_widths(n_max, cutoff)):
        p = 0.5 / s**2 + 0.5 / width**2
        kappa = 0.25 / (width**4 * p)
        decay = 0.5 / (s**2 + width**2)
        norm = np.sqrt(2 * s ** -(2 * n + 3) / gammas[2 * n + 3]) * (pi * width**2) ** -0.75 * pi**1.5
        gaussian = np.exp(-decay * r * r) * _exponential(_series(0.0, -2 * decay * r, -decay, like=r))
        step = _series(0.0, 2 * kappa * r, kappa, like=r)
        hyper = _scaled_1f1(n, l_max, kappa * r * r)
        for l in range(l_max + 1):
            front = norm * gammas[n + l + 3] / gammas[2 * l + 3] * (0.5 / width**2) ** l * p ** -((n + l + 3) / 2)
            shape = _product(gaussian, _compose(hyper[:, l], step))
            result[:, :, l, n] = front * _product(powers[l], shape)
    return np.ascontiguousarray(np.moveaxis(result @ coefficients.T, 0, 1), dtype=np.float64)


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


def _series(*coefficients: Reals | float, like: Reals) -> Reals:
    result = np.zeros((TERMS, *like.shape), dtype=like.dtype)
    for k, coefficient in enumerate(coefficients):
        result[k] = coefficient
    return result


def _product(left: Reals, right: Reals) -> Reals:
    return np.array([sum(left[i] * right[k - i] for i in range(k + 1)) for k in range(TERMS)])


def _compose(outer: Reals, inner: Reals) -> Reals:
    # Horner's scheme for series; the constant of `inner` is zero.
    result = _series(outer[-1], like=inner[0])
    for k in reversed(range(TERMS - 1)):
        result = _product(result, inner)
        result[0] += outer[k]
    return result


def _exponential(inner: Reals) -> Reals:
    one = np.ones_like(inner[0])
    return _compose(np.array([one / factorial(k) for k in range(TERMS)]), inner)


@lru_cache(maxsize=64)
def gto_basis(n_max: int, l_max: int, cutoff: float, width: float) -> Basis:
    """Tabulate :func:`gto_integrals` finely enough for ``TABLE_ERROR``; cached.

    Raises
    ------
    InputError
        Where the basis loses its digits (see :func:`smallest_eigenvalue`), or is too sharp to be tabulated.
    """
    smallest = smallest_eigenvalue(n_max)
    # Rounding in the closed form grows by the entries of S^(-1/2); finer nodes cannot go below it.
    aim = max(TABLE_ERROR, 20 * float(np.finfo(np.longdouble).eps) / sqrt(smallest))
    intervals = max(16, ceil(6 * cutoff / width))
    value_error = np.inf
    nodes = np.empty(0)
    while value_error > aim:
        if intervals > MOST_INTERVALS:
            raise InputError(
                f"`width` must be broad enough to be tabulated up to the cutoff, got width={width} at cutoff={cutoff}: "
                f"that takes more than {MOST_INTERVALS} intervals. Use a larger width or a smaller cutoff."
            )
        spacing = cutoff / intervals
        if nodes.size == 0:
            nodes = gto_integrals(np.arange(intervals + 1) * spacing, n_max, l_max, cutoff, width)
        middle = gto_integrals((np.arange(intervals) + 0.5) * spacing, n_max, l_max, cutoff, width)
        value_error = _deviation(nodes, middle, 0.5, spacing, 0)
        if value_error > aim:
            finer = np.empty((2 * intervals + 1, *nodes.shape[1:]))
            finer[::2], finer[1::2] = nodes, middle
            nodes, intervals = finer, 2 * intervals
    steep = gto_integrals((np.arange(intervals) + _STEEPEST) * spacing, n_max, l_max, cutoff, width)
    derivative_error = _deviation(nodes, steep, _STEEPEST, spacing, 1)
    table = nodes.reshape(intervals + 1, TERMS, -1) * (spacing ** np.arange(TERMS))[:, None]
    return Basis(RadialTable(table, 1.0 / spacing), smallest, value_error, derivative_error)


def _deviation(nodes: Floats, exact: Floats, t: float, spacing: float, order: int) -> float:
    weights = np.array(hermite.py_func(t)[order]).reshape(2, TERMS) * spacing ** (np.arange(TERMS) - order)
    spline = np.einsum("k,ikln->iln", weights[0], nodes[:-1]) + np.einsum("k,ikln->iln", weights[1], nodes[1:])
    return float((np.abs(spline - exact[:, order]).max(axis=0) / np.abs(nodes[:, order]).max(axis=0)).max())
