"""The interface of radial bases, and how a name, a mapping or an instance becomes one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self, TypeAlias, cast

import numpy as np
from pydantic import BeforeValidator, InstanceOf, WithJsonSchema

from nullmode._support.types import Floats, InputError, Reals
from nullmode._support.variants import constructed, load, suggest
from nullmode.basis.radial import RADIAL_BASES
from nullmode.basis.radial._quadrature import interval

SMALLEST_EIGENVALUE = 1e-11
"""A basis is refused if the overlap of its functions has a smaller eigenvalue than this."""
LARGEST_N = 50
"""Largest number of functions: zeros, quadrature and tables are tested up to it."""


class RadialBasis(ABC):
    """Radial functions R_nl(r), n = 0 … n_max - 1, on [0, cutoff].

    Attributes
    ----------
    nested
        Whether the first functions of a larger basis are those of a smaller one.
    title
        Name of the functions in messages.
    kind
        Its name in a configuration.
    orthonormal
        Whether the functions are orthonormal under r² dr, over the range of the integrals.
    ends_at_cutoff
        Whether integrals with a density leave out what is beyond the cutoff.
    sampled
        Whether the integrals are sums over a few points, so that features are no projection of the density.
    """

    nested: ClassVar[bool]
    orthonormal: ClassVar[bool] = False
    ends_at_cutoff: ClassVar[bool] = True
    sampled: ClassVar[bool] = False
    title: ClassVar[str]
    kind: str

    @abstractmethod
    def smallest_eigenvalue(self, n_max: int, l_max: int, cutoff: float) -> float:
        """Smallest eigenvalue of the overlap of the normalised functions, under r² dr; 1 if orthonormal.

        For a basis that is orthonormalised, the eigenvalue is that of the functions before. Features and their
        smallest singular values lose as many digits as it is powers of ten below 1.

        Raises
        ------
        InputError
            If the basis does not exist for this n_max or l_max.
        """

    @abstractmethod
    def functions(self, distances: Reals, n_max: int, l_max: int, cutoff: float) -> Reals:
        """Taylor coefficients in r (value to a sixth of the third derivative) of R_nl.

        Parameters
        ----------
        distances, shape (m,)
            r in Å, ascending.
        n_max, l_max, cutoff
            Cutoff in Å.

        Returns
        -------
        ndarray, shape (m, 4, l_max + 1, n_max)
        """

    @abstractmethod
    def integrals(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Reals:
        """Taylor coefficients in r of the integrals I_nl of R_nl with a normalised Gaussian at r; as `functions`."""

    def check(self, n_max: int, l_max: int, cutoff: float) -> None:
        """Refuse functions that do not exist or cannot be told apart, before any work starts.

        Raises
        ------
        InputError
            If the smallest eigenvalue of the overlap is below ``SMALLEST_EIGENVALUE``, or n_max above ``LARGEST_N``.
        """
        if n_max > LARGEST_N:
            raise InputError(f"`n_max` must be at most {LARGEST_N}, got {n_max}. Use a smaller n_max.")
        smallest = _smallest_eigenvalue(self, n_max, l_max, cutoff)
        if not smallest >= SMALLEST_EIGENVALUE:
            raise InputError(
                f"`n_max` must leave the {self.title} functions distinguishable, got n_max={n_max}: the smallest "
                f"eigenvalue of their overlap is {smallest:.1e}, below {SMALLEST_EIGENVALUE:.0e}. Use a smaller n_max."
            )

    def __str__(self) -> str:
        """Name the kind and the parameters that differ from their defaults: a label for tables."""
        parameters = []
        for field in fields(cast("Any", self)):
            value = getattr(self, field.name)
            if field.repr and field.name != "kind" and value != field.default:
                parameters.append(str(value) if isinstance(value, str) else f"{field.name}={value}")
        return f"{self.kind}({', '.join(parameters)})" if parameters else self.kind


class FittedRadialBasis(RadialBasis):
    """Radial functions that are fitted to the density of a reference set before they can be used (abstract).

    Attributes
    ----------
    reference
        Name of the family, in a configuration, whose environments the functions are to be fitted to.
    primitives, n_primitives
        Basis that the density of the reference set is expanded in for the fit, and how many functions of it.
    """

    reference: str | None
    primitives: RadialBasis
    n_primitives: int

    @property
    @abstractmethod
    def is_fitted(self) -> bool:
        """Whether the functions can be used."""

    @abstractmethod
    def fitted(self, factors: Sequence[Floats], n_max: int) -> Self:
        """Fit the functions.

        Parameters
        ----------
        factors, of each l an array of shape (n_primitives, n_primitives)
            R with R^T R the covariance of the reference set's coefficients, up to a factor.
        n_max
            How many functions the set must tell apart.
        """


@lru_cache(maxsize=1024)
def _smallest_eigenvalue(basis: RadialBasis, n_max: int, l_max: int, cutoff: float) -> float:
    return basis.smallest_eigenvalue(n_max, l_max, cutoff)


def overlap_eigenvalue(basis: RadialBasis, n_points: int, n_max: int, cutoff: float) -> float:
    """Smallest eigenvalue of the overlap, on [0, cutoff], of functions that are equal for every l."""
    r, weights = interval(n_points, cutoff)
    values = basis.functions(r, n_max, 0, cutoff)[:, 0, 0] * (np.sqrt(weights) * r)[:, None]
    values /= np.sqrt((values**2).sum(axis=0))
    # Singular values of the functions, since eigenvalues of the overlap would lose digits.
    return float(np.linalg.svd(values.astype(np.float64), compute_uv=False)[-1]) ** 2


def resolved(value: Any) -> Any:
    """Make a radial basis of a name, or of a mapping with `kind` and parameters; return an instance as it is.

    Raises
    ------
    InputError
        For an unknown kind or parameter, or anything else.
    """
    if isinstance(value, RadialBasis):
        return value
    mapping = {"kind": value} if isinstance(value, str) else value
    if not isinstance(mapping, Mapping):
        raise InputError(f"`radial_basis` must be a name, a mapping with `kind`, or a radial basis, got {value!r}.")
    kind = mapping.get("kind")
    if kind not in RADIAL_BASES:
        raise InputError(f"`kind` must be a known radial basis, got {kind!r}. {suggest(str(kind), list(RADIAL_BASES))}")
    return constructed(load(kind, RADIAL_BASES, "radial basis"), mapping, "radial_basis")


_KIND = {"enum": list(RADIAL_BASES)}
AnyRadialBasis: TypeAlias = Annotated[
    InstanceOf[RadialBasis],
    BeforeValidator(resolved),
    WithJsonSchema({"anyOf": [_KIND, {"type": "object", "properties": {"kind": _KIND}, "required": ["kind"]}]}),
]
"""A radial basis, given as an instance, a name or a mapping."""
