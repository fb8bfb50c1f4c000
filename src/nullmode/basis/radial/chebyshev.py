"""Chebyshev polynomials of a transformed distance."""

from math import pi
from typing import ClassVar, Literal, final

import numpy as np

from nullmode._support.types import Reals
from nullmode._support.variants import variant
from nullmode.basis.radial._polynomials import Polynomials, recurrence


@final
@variant
class Chebyshev(Polynomials):
    """R_n(r) = T_n(x(r)) sqrt(2/pi), for n = 0 sqrt(1/pi): orthonormal in dx/sqrt(1 - x²), not in r² dr; nested.

    Drautz, Phys. Rev. B 99, 014104 (2019), without the cosine that is our cutoff function.

    Parameters
    ----------
    transform, scale, power, decay
        As in :class:`~nullmode.basis.radial._polynomials.Polynomials`.
    """

    title: ClassVar[str] = "Chebyshev"
    kind: Literal["chebyshev"] = "chebyshev"

    def _polynomials(self, x: Reals, n_max: int) -> Reals:
        # DLMF 18.9.1 with the coefficients of T_n; x T_0 alone has the factor 1.
        factors = np.tile(np.array([2.0, 1.0], dtype=x.dtype), (n_max, 1))
        norm = np.sqrt(np.where(np.arange(n_max) == 0, 1, 2) / np.longdouble(pi))
        values: Reals = norm * recurrence(x, n_max, factors)
        return values
