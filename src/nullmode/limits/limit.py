"""The limit of a descriptor: what its density, width and body order see in a complete radial and angular basis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nullmode._support.arguments import check_tolerance
from nullmode._support.shown import Plotted
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import Floats, InputError
from nullmode.descriptors._base import DensityDescriptor, check_descriptor
from nullmode.descriptors._layout import pack
from nullmode.descriptors._parameters import check_reach
from nullmode.descriptors._selected import whole_of
from nullmode.geometry.environment import Environment, check_environment, within
from nullmode.linalg.rotations import LINEAR
from nullmode.spectrum.complete import decompose_complete
from nullmode.spectrum.decomposition import check_rtol, check_status


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Limit(Plotted):
    """What a descriptor's density, width and body order see of an environment in a complete basis.

    Attributes
    ----------
    jacobian, shape (rows, n, 3)
        Derivatives in 1/Å of the features of the complete basis: of all radial functions that the densities of these
        neighbours span, and of angular momenta up to `l_max`. Of a power spectrum or bispectrum, the triangular factor
        of these rows, 3 n of them: they are reduced as they are computed. Features of functions orthonormal under r² dr
        are orthogonal projections of them, so no displacement moves those further than these.
    singular_values, modes, rank, n_dof, rotation_floor, rounding_floor, rtol
        As in :class:`nullmode.Sensitivity`.
    l_max
        Largest angular momentum: beyond, the densities have less than 1e-13 of their squared norm, unless it is 200, or
        80 for a bispectrum.
    remainder
        Norm of the rows at `l_max`, in 1/Å; those beyond shrink faster than geometrically. Of a bispectrum, norm of the
        rows whose three densities have a product of 1e-10 to 1e-9 of the largest; those below are left out. 0 for the
        radial spectrum.
    """

    jacobian: Floats
    singular_values: Floats
    modes: Floats
    rank: int
    n_dof: int
    rotation_floor: float
    rounding_floor: float
    rtol: float
    l_max: int
    remainder: float


@on_one_blas_thread
def limit(environment: Environment, descriptor: Any, rtol: float = 1e-9, tolerance: float = LINEAR) -> Limit:
    """Find what a descriptor would see of an environment with a complete radial and angular basis.

    The density, its width, the cutoff and its smoothing, radial scaling, centre weight, species and correlation order
    are those of the descriptor; n_max, l_max and radial basis do not matter. The neighbours' Gaussians and their
    derivatives span at most 2 n radial functions for each l: the limit is exact in n_max, and converged in l.

    Parameters
    ----------
    environment
        Neighbours beyond the descriptor's cutoff are left out.
    descriptor
        A radial spectrum, power spectrum or bispectrum of a Gaussian density; a bispectrum for some six neighbours. Of
        selected features, the limit is that of all.
    rtol, tolerance
        As in :func:`nullmode.sensitivity`.

    Raises
    ------
    InputError
        For a descriptor that has no limit, or one that is not known; for an environment that is too large; and as
        :func:`nullmode.sensitivity`.
    """
    check_environment(environment)
    check_rtol(rtol)
    check_tolerance(tolerance)
    [inside] = checked([environment], descriptor)
    whole: Any = whole_of(descriptor)
    result, status, found = decompose_complete(inside, whole, rtol, tolerance)
    check_status(status, result, 0.0, result.singular_values.max(initial=0.0))
    return Limit(
        jacobian=found.jacobians[0] if found else np.zeros((0, 0, 3)),
        singular_values=result.singular_values,
        modes=result.modes,
        rank=result.rank,
        n_dof=result.n_dof,
        rotation_floor=result.rotation_floor,
        rounding_floor=result.rounding_floor,
        rtol=rtol,
        l_max=found.l_max if found else 0,
        remainder=float(found.last[0]) if found and found.l_max else 0.0,
    )


def checked(environments: Sequence[Environment], descriptor: Any) -> list[Environment]:
    """Refuse a descriptor without a limit, and environments that it does not cover; leave out what is beyond it."""
    check_limited(descriptor)
    descriptor = whole_of(descriptor)
    inside = [within(each, descriptor.cutoff) for each in check_reach(environments, descriptor.cutoff)]
    if descriptor.species is not None:
        pack(inside, descriptor.species, with_centers=descriptor.center_weight != 0.0)
    return inside


def check_limited(descriptor: Any) -> None:
    """Refuse a descriptor that has no limit, or none that is known, and say why."""
    check_descriptor(descriptor)
    descriptor = whole_of(descriptor)
    if not isinstance(descriptor, DensityDescriptor):
        raise InputError(
            f"`descriptor` must expand a density in a basis that can be completed, got {descriptor!r}, which has no "
            "limit. Use nullmode.PowerSpectrum or nullmode.RadialSpectrum."
        )
    if descriptor.density == "delta":
        raise InputError(
            "`descriptor` must have a Gaussian density, got density='delta': with more functions its features grow "
            "without bound, so there is no limit. Use density='gaussian'."
        )
    if descriptor.correlation_order not in (1, 2, 3):
        raise InputError(
            f"`descriptor` must have a correlation order up to 3, got {type(descriptor).__name__}: its limit is not "
            "computed, for its size. Use nullmode.PowerSpectrum or nullmode.Bispectrum."
        )
