"""Radial functions fitted to a reference set: principal components of its neighbour density."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from nullmode._support.types import Floats, InputError
from nullmode.basis.density import expand, expansion
from nullmode.basis.radial.optimal_contraction import OptimalContraction
from nullmode.descriptors._base import DensityDescriptor, changed, with_species_of
from nullmode.descriptors._pack import pack
from nullmode.geometry.environment import Environment, check_environments

D = TypeVar("D", bound=DensityDescriptor)
SMALLEST_SHARE = 1e-13
"""Of the largest component's amplitude: a component below it is rounding, not density."""
_CHUNK = 256


def reference_of(descriptor: DensityDescriptor) -> str | None:
    """Name the family that a contraction is still to be fitted to; None where nothing is."""
    basis = descriptor.radial_basis
    return basis.reference if isinstance(basis, OptimalContraction) and basis.matrices is None else None


def fit_contraction(descriptor: D, environments: Sequence[Environment]) -> D:
    """Fit the optimal contraction of a descriptor's radial functions to a set of environments.

    For each l, the covariance C_kk' of the primitives' coefficients, averaged over the environments and summed over m
    and over species (which share one contraction), has the eigenvectors U_nk: the first n functions hold the largest
    share of the density that n functions can (Goscinski, Musil, Pozdnyakov, Nigam and Ceriotti, J. Chem. Phys. 155,
    104106 (2021)). The largest entry of each eigenvector is positive. C itself is not formed: it would square the
    amplitudes, and with them the rounding.

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
    if not isinstance(basis, OptimalContraction):
        raise InputError(
            f"`descriptor` must have an optimal contraction as radial basis, got {basis}. Give it "
            "radial_basis=nm.OptimalContraction(...)."
        )
    environments = check_environments(environments)
    primitive = changed(descriptor, radial_basis=basis.primitives, n_max=basis.n_primitives)
    triangles = _triangles(with_species_of(primitive, environments), environments)
    matrices = []
    for l, triangle in enumerate(triangles):
        _, amplitudes, u = np.linalg.svd(triangle)
        kept = int((amplitudes > SMALLEST_SHARE * amplitudes[0]).sum())
        if kept < descriptor.n_max:
            raise InputError(
                f"`environments` must tell {descriptor.n_max} radial functions apart, got a set where {kept} hold all "
                f"the density of l={l}. Use more environments or a smaller n_max."
            )
        signs = np.sign(u[np.arange(len(u)), np.abs(u).argmax(axis=1)])
        matrices.append(tuple(map(tuple, (u * signs[:, None]).tolist())))
    return changed(descriptor, radial_basis=replace(basis, matrices=tuple(matrices)))


def _triangles(descriptor: DensityDescriptor, environments: Sequence[Environment]) -> list[Floats]:
    # Triangular factors of the coefficients of each l: one row per environment, species and m, updated chunk by chunk.
    density = descriptor._density()
    n, l_max = density.n_max, density.l_max
    triangles = [np.zeros((n, n)) for _ in range(l_max + 1)]
    species = descriptor.species or ()
    for start in range(0, len(environments) if species else 0, _CHUNK):
        part = environments[start : start + _CHUNK]
        batch = pack(part, species, with_centers=density.center_weight != 0.0)
        scratch = expansion(density, len(species), max(len(environment) for environment in part))
        coefficients = np.empty((len(part), len(species), n, (l_max + 1) ** 2))
        for i in range(len(part)):
            expand(batch, i, density, scratch)
            coefficients[i] = scratch.c[:, : (l_max + 1) ** 2].reshape(len(species), n, -1)
        for l in range(l_max + 1):
            rows = np.moveaxis(coefficients[..., l * l : (l + 1) ** 2], 2, 3).reshape(-1, n)
            _, triangles[l] = np.linalg.qr(np.vstack([triangles[l], rows]))
    return triangles
