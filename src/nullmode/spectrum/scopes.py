"""The two questions about a whole structure: what linear models see of it, and what any potential does."""

from typing import TYPE_CHECKING, get_args

import numpy as np

from nullmode._support.types import InputError, WholeScope
from nullmode.descriptors._base import Descriptor
from nullmode.geometry.environment import Centers
from nullmode.spectrum.decomposition import Sensitivity, check_rtol, check_status
from nullmode.spectrum.potential import EQUAL, FeatureClasses, check_feature_tolerance, classes_of, potential_jacobian
from nullmode.spectrum.whole_structure import (
    Structure,
    SummedJacobian,
    checked_structure,
    decompose_sum,
    sum_jacobians,
)

if TYPE_CHECKING:
    from ase import Atoms


def structure_sensitivity(
    atoms: "Atoms",
    descriptor: Descriptor,
    rtol: float = 1e-9,
    centers: Centers = None,
    *,
    scope: WholeScope = "structure",
    feature_tolerance: float = EQUAL,
) -> Sensitivity:
    """Analyse the Jacobian of a whole structure on the complement of its rigid motions.

    Rigid motions are three translations, and the rotations that keep the lattice: three for a molecule (two if it is
    linear), one for a rod (none for a line of atoms), none for slabs and crystals.

    Parameters
    ----------
    atoms, descriptor, centers
        As in :func:`nullmode.structure_jacobian`.
    rtol
        Singular values up to rtol times the largest count as null, and so do those up to the rounding floor: in a
        crystal the contributions of centres may cancel down to rounding.
    scope
        ``structure``: features are summed over the centres of each species, which is all that a linear model sees.
        ``potential``: they are summed over the centres of one species with equal features, and the sums are below each
        other. Their row space holds all forces that a smooth potential on these features can give at this structure.
    feature_tolerance
        Features are equal if their distance, over the larger norm, is up to this; only for scope ``potential``.

    Raises
    ------
    InputError
        As :func:`nullmode.structure_jacobian`; for a Jacobian that is not finite, or an rtol below the rotation floor
        or the relative error.
    """
    check_rtol(rtol)
    check_feature_tolerance(feature_tolerance)
    if scope not in get_args(WholeScope):
        raise InputError(f"`scope` must be one of {', '.join(get_args(WholeScope))}, got {scope!r}.")
    structure, descriptor = checked_structure(atoms, descriptor, centers)
    total, _ = jacobian_of(structure, descriptor, scope, feature_tolerance)
    if not np.isfinite(total.jacobian).all():
        raise InputError("`descriptor` must give a finite Jacobian, got NaN or infinity.")
    result, status = decompose_sum(structure, total, descriptor, rtol)
    check_status(status, result, total.error, result.singular_values.max(initial=0.0))
    return result


def feature_classes(
    atoms: "Atoms", descriptor: Descriptor, centers: Centers = None, tolerance: float = EQUAL
) -> FeatureClasses:
    """Find the centres of a structure that no potential on these features tells apart.

    Parameters
    ----------
    atoms, descriptor, centers
        As in :func:`nullmode.structure_jacobian`.
    tolerance
        Features are equal if their distance, over the larger norm, is up to this; those in a chain of equal ones are
        equal too.

    Raises
    ------
    InputError
        As :func:`nullmode.structure_jacobian`; for a tolerance that is not between 0 and 1.
    """
    check_feature_tolerance(tolerance, "tolerance")
    return classes_of(*checked_structure(atoms, descriptor, centers), tolerance)


def jacobian_of(
    structure: Structure, descriptor: Descriptor, scope: WholeScope, feature_tolerance: float
) -> tuple[SummedJacobian, FeatureClasses | None]:
    """Give the Jacobian of a structure for a scope, by a descriptor with a fixed layout, and a potential's classes."""
    if scope == "structure":
        return sum_jacobians(structure, descriptor), None
    classes = classes_of(structure, descriptor, feature_tolerance)
    return potential_jacobian(structure, descriptor, classes), classes
