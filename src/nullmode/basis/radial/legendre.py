"""Legendre polynomials of a transformed distance."""

from typing import ClassVar, Literal, final

import numpy as np

from nullmode._support.types import Reals
from nullmode._support.variants import variant
from nullmode.basis.radial._polynomials import Polynomials, recurrence


@final
@variant
class Legendre(Polynomials):
    """R_n(r) = P_n(x(r)) sqrt(n + 1/2): orthonormal in dx, not in r² dr; nested.

    Parameters
    ----------
    transform, scale, power, decay
        As in :class:`~nullmode.basis.radial._polynomials.Polynomials`.
    """

    title: ClassVar[str] = "Legendre"
    kind: Literal["legendre"] = "legendre"

    def _polynomials(self, x: Reals, n_max: int) -> Reals:
        # DLMF 18.9.1 with the coefficients of P_n.
        n = np.arange(n_max, dtype=x.dtype)
        factors = np.stack([(2 * n + 1) / (n + 1), n / (n + 1)], axis=1)
        values: Reals = np.sqrt(n + 0.5) * recurrence(x, n_max, factors)
        return values
