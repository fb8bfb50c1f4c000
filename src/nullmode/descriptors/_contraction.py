"""Fit of radial functions to the neighbour density of a reference set."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from nullmode._support.types import Floats, InputError
from nullmode.basis.density import expand, expansion
from nullmode.basis.radial._base import FittedRadialBasis
from nullmode.descriptors._base import DensityDescriptor, changed
from nullmode.descriptors._layout import pack, with_layout_of
from nullmode.geometry.environment import Environment, check_environments

D = TypeVar("D", bound=DensityDescriptor)
_CHUNK = 256


def unfitted_basis(descriptor: Any) -> FittedRadialBasis | None:
    """Radial basis of a descriptor if it has yet to be fitted, else None."""
    basis = getattr(descriptor, "radial_basis", None)
    return basis if isinstance(basis, FittedRadialBasis) and not basis.is_fitted else None


def fit_contraction(descriptor: D, environments: Sequence[Environment]) -> D:
    """Fit the optimal contraction of a descriptor's radial functions to a set of environments.

    For each l, the covariance C_kk' of the primitives' coefficients, averaged over the environments and summed over m
    and over species (which share one contraction), has the eigenvectors U_nk: the first n functions hold the largest
    share of the density that n functions can (Goscinski, Musil, Pozdnyakov, Nigam and Ceriotti, J. Chem. Phys. 155,
    104106 (2021)).

    Parameters
    ----------
    descriptor
        With ``radial_basis=nm.OptimalContraction(...)``; its other parameters hold for the fit.
    environments
        The reference set.

    Returns
    -------
    DensityDescriptor
        The descriptor with the fitted functions.

    Raises
    ------
    InputError
        For another radial basis, or environments too few or too alike to tell n_max functions apart.
    """
    basis = descriptor.radial_basis
    if not isinstance(basis, FittedRadialBasis):
        raise InputError(
            f"`descriptor` must have a radial basis that is fitted to environments, got {basis}. Give it "
            "radial_basis=nm.OptimalContraction(...)."
        )
    environments = check_environments(environments)
    primitive = changed(descriptor, radial_basis=basis.primitives, n_max=basis.n_primitives)
    triangles = _triangles(with_layout_of(primitive, environments), environments)
    return changed(descriptor, radial_basis=basis.fitted(triangles, descriptor.n_max))


def _triangles(descriptor: DensityDescriptor, environments: Sequence[Environment]) -> list[Floats]:
    # For each l, the triangular factor of the matrix of coefficients, with one row per environment, species and m.
    density = descriptor._density()
    n, l_max = density.n_max, density.l_max
    triangles = [np.zeros((n, n)) for _ in range(l_max + 1)]
    species = descriptor.species or ()
    for start in range(0, len(environments) if species else 0, _CHUNK):
        chunk = environments[start : start + _CHUNK]
        batch = pack(chunk, species, with_centers=density.center_weight != 0.0)
        scratch = expansion(density, len(species), max(len(environment) for environment in chunk))
        coefficients = np.empty((len(chunk), len(species), n, (l_max + 1) ** 2))
        for i in range(len(chunk)):
            expand(batch, i, density, scratch)
            coefficients[i] = scratch.c[:, : (l_max + 1) ** 2].reshape(len(species), n, -1)
        for l in range(l_max + 1):
            rows = np.moveaxis(coefficients[..., l * l : (l + 1) ** 2], 2, 3).reshape(-1, n)
            _, triangles[l] = np.linalg.qr(np.vstack([triangles[l], rows]))
    return triangles
