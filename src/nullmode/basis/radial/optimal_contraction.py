"""Optimal contraction: the few combinations of many functions that describe most of the density of a reference set."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self, final

import numpy as np
from pydantic import Field, model_validator

from nullmode._support.types import Floats, InputError, Reals
from nullmode._support.variants import variant
from nullmode.basis.radial._base import AnyRadialBasis, FittedRadialBasis
from nullmode.basis.radial.gto import GTO

Matrix = tuple[tuple[float, ...], ...]
SMALLEST_SHARE = 1e-13
"""Of the amplitude of the largest component; a component below this share is rounding, not density."""


@final
@variant
class OptimalContraction(FittedRadialBasis):
    """R_nl = sum_k U^l_nk R_kl of primitives R_kl, in order of their share of a reference density; nested.

    U^l are the eigenvectors of the density's covariance (Goscinski, Musil, Pozdnyakov, Nigam and Ceriotti, J. Chem.
    Phys. 155, 104106 (2021)). :func:`nullmode.fit_contraction` computes them and returns a descriptor that holds them;
    its n_max and l_max may be reduced. Cutoff, width and density should stay those of the fit: with others the
    functions are still orthogonal, but no longer optimal.

    Parameters
    ----------
    n_primitives
        Number of primitives, at least n_max.
    primitives
        Their radial basis.
    reference
        In a configuration, the name of the family whose environments the functions are to be fitted to.
    matrices, shape (l_max + 1, n_primitives, n_primitives)
        U^l, one function a row; None before the fit.
    """

    nested: ClassVar[bool] = True
    title: ClassVar[str] = "contracted"
    kind: Literal["optimal-contraction"] = "optimal-contraction"
    n_primitives: Annotated[int, Field(ge=1)] = 12
    primitives: AnyRadialBasis = GTO()
    reference: str | None = None
    matrices: tuple[Matrix, ...] | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        if isinstance(self.primitives, FittedRadialBasis):
            raise InputError(
                f"`primitives` must be a radial basis that needs no fit, got {self.primitives}. Name the basis to be "
                "contracted."
            )
        if self.matrices is not None:
            shapes = {np.shape(matrix) if len({*map(len, matrix)}) == 1 else () for matrix in self.matrices}
            if shapes != {(self.n_primitives, self.n_primitives)}:
                raise InputError(
                    f"`matrices` must hold one of {self.n_primitives} rows and columns per l, got shapes "
                    f"{sorted(shapes)}. Make them with nullmode.fit_contraction."
                )
        return self

    @property
    def is_fitted(self) -> bool:
        """Whether there are matrices."""
        return self.matrices is not None

    def fitted(self, factors: Sequence[Floats], n_max: int) -> Self:
        """Take the eigenvectors of the covariance; the largest entry of each is made positive.

        The covariance itself is not formed: it would square the amplitudes, and with them the rounding.
        """
        matrices = []
        for l, factor in enumerate(factors):
            _, amplitudes, u = np.linalg.svd(factor)
            kept = int((amplitudes > SMALLEST_SHARE * amplitudes[0]).sum())
            if kept < n_max:
                raise InputError(
                    f"`environments` must tell {n_max} radial functions apart, got a set where {kept} hold all the "
                    f"density of l={l}. Use more environments or a smaller n_max."
                )
            signs = np.sign(u[np.arange(len(u)), np.abs(u).argmax(axis=1)])
            matrices.append(tuple(map(tuple, (u * signs[:, None]).tolist())))
        return replace(self, matrices=tuple(matrices))

    def smallest_eigenvalue(self, n_max: int, l_max: int, cutoff: float) -> float:
        """Return the eigenvalue of the primitives, of which the functions are orthogonal combinations."""
        if n_max > self.n_primitives:
            raise InputError(
                f"`n_max` must not exceed `n_primitives`, got {n_max} > {self.n_primitives}. Use more primitives."
            )
        if self.matrices is not None and l_max >= len(self.matrices):
            raise InputError(
                f"`l_max` must not exceed that of the fit, got {l_max} > {len(self.matrices) - 1}. Fit it again."
            )
        return self.primitives.smallest_eigenvalue(self.n_primitives, l_max, cutoff)

    def functions(self, distances: Reals, n_max: int, l_max: int, cutoff: float) -> Reals:
        """Taylor coefficients of the contracted functions."""
        return self._contracted(self.primitives.functions(distances, self.n_primitives, l_max, cutoff), n_max)

    def integrals(self, distances: Reals, n_max: int, l_max: int, cutoff: float, width: float) -> Reals:
        """Taylor coefficients of the integrals with the contracted functions."""
        return self._contracted(self.primitives.integrals(distances, self.n_primitives, l_max, cutoff, width), n_max)

    def _contracted(self, values: Reals, n_max: int) -> Reals:
        if self.matrices is None:
            raise InputError(
                "`radial_basis` must be fitted before it is used, got an optimal contraction without matrices. Call "
                "nullmode.fit_contraction(descriptor, environments) and use the descriptor that it returns."
            )
        u = np.array(self.matrices, dtype=values.dtype)[: values.shape[2], :n_max]
        contracted: Reals = np.einsum("mtlk,lnk->mtln", values, u)
        return contracted
