"""Orthogonal polynomials of a transformed distance, as in the atomic cluster expansion."""

from abc import abstractmethod
from math import ceil, exp, pi
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nullmode._support.types import InputError, Reals
from nullmode._support.variants import variant
from nullmode.basis.radial._base import RadialBasis, overlap_eigenvalue
from nullmode.basis.radial._quadrature import gaussian_integrals
from nullmode.basis.radial._series import exponential, product, series

_READ_BY = {"scale": "inverse", "power": "inverse", "decay": "exponential"}


@variant
class Polynomials(RadialBasis):
    """R_n(r) = p_n(x(r)), with polynomials p_n that are orthonormal in their own weight on x = -1 … 1 (abstract).

    x grows from -1 at r = 0 to 1 at the cutoff. Under r² dr the functions are not orthogonal, and nothing makes them
    so: they are the raw functions of the atomic cluster expansion (Drautz, Phys. Rev. B 99, 014104 (2019)). The same
    for every l.

    Parameters
    ----------
    transform
        ``linear``: x = 2 r/cutoff - 1. ``inverse``: x is linear in (1 + r/scale)^(-power) (ACE.jl's
        ``PolyTransform``, at a scale of 1 Å). ``exponential``: x = 1 - 2 (exp(-decay (r/cutoff - 1)) - 1) /
        (exp(decay) - 1) (Drautz 2019). The last two resolve near neighbours better than far ones.
    scale, power
        Of ``inverse``; scale in Å.
    decay
        Of ``exponential``; dimensionless.
    """

    nested: ClassVar[bool] = True
    transform: Literal["linear", "inverse", "exponential"] = "linear"
    scale: Annotated[float, Field(ge=0.1, le=100)] = 1.0
    power: Annotated[float, Field(gt=0, le=12)] = 2.0
    decay: Annotated[float, Field(gt=0, le=20)] = 5.0

    @model_validator(mode="after")
    def _check_read(self) -> Self:
        for name, transform in _READ_BY.items():
            default = type(self).__dataclass_fields__[name].default
            if transform != self.transform and getattr(self, name) != default:
                raise InputError(
                    f"`{name}` must be left out where it is not read, got {getattr(self, name)} with "
                    f"transform={self.transform!r}. Use transform={transform!r}."
                )
        return self

    @abstractmethod
    def _polynomials(self, x: Reals, n_max: int) -> Reals:
        """Series of p_0 … p_(n_max - 1) in r, given that of x; shapes (4, m) to (4, m, n_max)."""

    def smallest_eigenvalue(self, n_max: int, l_max: int, cutoff: float) -> float:  # noqa: ARG002
        """Smallest eigenvalue of the overlap on [0, cutoff] of the functions, each normalised."""
        return overlap_eigenvalue(self, ceil(self._phase(n_max, cutoff)) + 40, n_max, cutoff)

    def functions(self, distances: Reals, n_max: int, l_max: int, cutoff: float) -> Reals:
        """Taylor coefficients of the polynomials."""
        r = np.asarray(distances, dtype=np.longdouble)
        values = self._polynomials(self._transformed(r, cutoff), n_max)
        return np.repeat(np.moveaxis(values, 0, 1)[:, :, None], l_max + 1, axis=2)

    def integrals(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Reals:
        """Taylor coefficients of the integrals over [0, cutoff], by quadrature."""
        phase = self._phase(n_max, cutoff)
        return gaussian_integrals(
            lambda x: self.functions(x, n_max, l_max, cutoff)[:, 0], phase, distances, l_max, cutoff, width
        )

    def _phase(self, n_max: int, cutoff: float) -> float:
        # p_n is about cos(n arccos x). x is steepest at the centre, where the points are densest.
        steepest = self._transformed(np.zeros(1, dtype=np.longdouble), cutoff)[1, 0]
        return float(pi * n_max * np.sqrt(steepest * cutoff / 2))

    def _transformed(self, r: Reals, cutoff: float) -> Reals:
        if self.transform == "linear":
            return series(2 * r / cutoff - 1, 2 / cutoff, like=r)
        if self.transform == "inverse":
            p, s = self.power, self.scale
            base = 1 + r / s
            # Binomial series of (base + δ/s)^(-p).
            terms = [base**-p]
            for k in range(3):
                terms.append(terms[-1] * (-p - k) / ((k + 1) * base * s))
            last = (1 + cutoff / s) ** -p
            front, y = -2 / (1 - last), series(*terms, like=r)
        else:
            rate = -self.decay / cutoff
            y = np.exp(rate * r) * exponential(series(0.0, rate, like=r))
            last = exp(-self.decay)
            front = -2 / (1 - last)
        y[0] -= last
        result: Reals = front * y
        result[0] += 1
        return result


def recurrence(x: Reals, n_max: int, factors: Reals) -> Reals:
    """Series of p_0 = 1, p_1 = x and p_(n+1) = a_n x p_n - b_n p_(n-1), (a_n, b_n) the rows of `factors`."""
    values = [series(1.0, like=x[0]), x]
    for a, b in factors[1:]:
        values.append(a * product(x, values[-1]) - b * values[-2])
    return np.stack(values[:n_max], axis=-1)
