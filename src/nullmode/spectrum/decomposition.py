"""Singular values and modes of a Jacobian without its rigid motions."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

import numpy as np

from nullmode._support.arguments import as_real, check_tolerance, real_array
from nullmode._support.shown import Plotted
from nullmode._support.status import Status
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import Floats, InputError, Integers
from nullmode.descriptors._base import ROUNDING, Descriptor, evaluate
from nullmode.geometry.environment import Environment, check_environment
from nullmode.linalg.batched_svd import decompose_many
from nullmode.linalg.householder import complete_frame
from nullmode.linalg.rotations import LINEAR, rotations_of
from nullmode.spectrum.judgement import coarseness, judge, size_of_terms

DegreesOfFreedom = Literal["neighbours", "atoms"]
_ALIKE = 1e-6
"""Images of an atom that a rotation moves apart by no more than this, over its largest displacement, move alike."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sensitivity(Plotted):
    """What a descriptor sees of the displacements of an environment, or of a whole structure.

    Attributes
    ----------
    singular_values, shape (d,)
        Of the Jacobian on the complement of rigid motions, descending, in 1/Å; exact zeros where F < d.
    modes, shape (d, n, 3)
        Orthonormal displacements that belong to the singular values; the last are the softest.
    rank
        Number of singular values above rtol times the largest and above `rounding_floor`; 0 if there is none.
    n_dof
        d = 3 n minus the rotations (3, or 2 where centre and neighbours are collinear); for a structure, minus all
        rigid motions.
    condition_number, inverse_condition_number
        s_1/s_d, infinite if s_d = 0, and s_d/s_1; NaN if nothing is seen (rank 0) or nothing can move.
    rotation_floor
        Norm of the response to orthonormal rigid motions over the largest singular value. It measures the noise of the
        Jacobian; NaN without rigid motions, or if nothing is seen. For a structure, the response of each centre to a
        rotation of its environment counts too.
    rounding_floor
        Values up to this, in 1/Å, are rounding, whatever rtol (see docs/theory.md).
    rtol
        Relative tolerance of the rank.
    """

    singular_values: Floats
    modes: Floats
    rank: int
    n_dof: int
    condition_number: float
    inverse_condition_number: float
    rotation_floor: float
    rounding_floor: float
    rtol: float


def check_rtol(rtol: float) -> float:
    """Refuse anything but a number between 0 and 1 as a relative tolerance."""
    if not 0 < as_real(rtol) < 1:
        raise InputError(f"`rtol` must be between 0 and 1, got {rtol!r}.")
    return float(rtol)


def check_status(status: Status, result: Sensitivity, error: float, size: float) -> None:
    """Refuse a relative tolerance below the noise, or below the error, of the Jacobian; `size` is what it refers to."""
    least = {
        "rtol_below_floor": f"rotation floor {result.rotation_floor:.1e}, the noise of this Jacobian",
        "rtol_below_error": f"error of the Jacobian over its size, {error:.1e} over {size:.1e}",
    }.get(status)
    if least:
        remedy = "Use a larger rtol or a more accurate Jacobian."
        raise InputError(f"`rtol` must be at least the {least}, got {result.rtol:.1e}. {remedy}")


@on_one_blas_thread
def sensitivity(
    jacobian: Floats,
    environment: Environment,
    rtol: float = 1e-9,
    degrees_of_freedom: DegreesOfFreedom = "neighbours",
    *,
    features: Floats | None = None,
    jacobian_error: float = 0.0,
    rounding: float = ROUNDING,
    tolerance: float = LINEAR,
) -> Sensitivity:
    """Analyse a Jacobian: singular values, modes, rank, condition number and noise floor.

    Householder QR of the Jacobian, then SVD of the small triangle on the complement of the rotations; never through
    the Gram matrix, which loses every singular value below 1e-8 of the largest.

    Parameters
    ----------
    jacobian, shape (F, n, 3)
        Derivatives of the features with respect to the neighbours, the centre fixed, in 1/Å.
    environment
        The environment that the Jacobian belongs to.
    rtol
        Singular values up to rtol times the largest count as null, and so do those up to the rounding floor.
    degrees_of_freedom
        ``neighbours``: every neighbour moves by itself, periodic images included. ``atoms``: images of one atom move
        together, images of the centre do not move; modes then have shape (d, n_atoms, 3), atoms by ascending index.
    features, shape (F,)
        Those that are differentiated: a Jacobian as small as their rounding, over 1 Å, is none.
    jacobian_error
        Estimated error of the Jacobian, in 1/Å, as finite differences supply it.
    rounding
        Relative rounding of the Jacobian, as ``descriptor.rounding`` states it.
    tolerance
        Length in Å: neighbours that are no farther from a line through the centre are on it, and have a rotation less.

    Raises
    ------
    InputError
        For a shape that does not fit the environment, a non-finite entry, or an rtol below the rotation floor or the
        relative error.
    """
    check_rtol(rtol)
    matrix, rotations = _checked(jacobian, environment, degrees_of_freedom, check_tolerance(tolerance))
    error = jacobian_error * error_growth(environment, degrees_of_freedom)
    terms = size_of_terms(None if features is None else real_array("features", features), jacobian)
    terms *= coarseness(environment.extent)
    result, status = decompose_matrix(matrix, rotations, rtol, terms=terms, rounding=rounding, error=error)
    check_status(status, result, error, result.singular_values.max(initial=0.0))
    return result


def measured(descriptor: Descriptor, environment: Environment, rtol: float, tolerance: float = LINEAR) -> Sensitivity:
    """Do as :func:`sensitivity` for a descriptor, with all that is known of its features and errors."""
    features, jacobian, error = evaluate(descriptor, [environment])[0]
    known: Any = {"jacobian_error": error, "rounding": descriptor.rounding, "tolerance": tolerance}
    return sensitivity(jacobian, environment, rtol, features=features, **known)


def decompose(descriptor: Descriptor, environment: Environment, rtol: float, tolerance: float = LINEAR) -> Sensitivity:
    """Do as :func:`sensitivity` for a descriptor, but accept an rtol below the noise of its Jacobian."""
    features, jacobian, error = evaluate(descriptor, [environment])[0]
    terms = size_of_terms(features, jacobian) * coarseness(environment.extent)
    matrix = _checked(jacobian, environment, "neighbours", tolerance)
    return decompose_matrix(*matrix, rtol, terms=terms, rounding=descriptor.rounding, error=error)[0]


def decompose_matrix(
    matrix: Floats, rigid: Floats, rtol: float, *, noise: float = 0.0, **known: Any
) -> tuple[Sensitivity, Status]:
    """Analyse a Jacobian on the complement of given rigid motions.

    Parameters
    ----------
    matrix, shape (F, 3 n)
        The Jacobian, in 1/Å.
    rigid, shape (3 n, m)
        Displacements that no feature can see; linearly dependent ones count once.
    noise
        Response to rigid motions, in 1/Å, of the terms whose sum the matrix is.
    rtol, **known
        As in :func:`judge`; **known are ``terms``, ``rounding``, ``error``, ``finite`` and ``empty``.
    """
    frame, n_rigid = complete_frame(rigid)
    start = np.zeros(1, dtype=np.int64)
    spectra = decompose_many(np.ravel(matrix), start, len(matrix), frame[None], n_rigid, modes=True)
    values, modes = spectra.values[0], spectra.modes[0]
    response = max(float(spectra.response[0]), noise) if rigid.shape[1] else np.nan
    judgement = judge(values, response, rtol=rtol, **known).of_one()
    status: Status = judgement.pop("status")
    result = Sensitivity(
        singular_values=values,
        modes=modes.reshape(len(values), matrix.shape[1] // 3, 3),
        n_dof=len(values),
        rtol=rtol,
        **judgement,
    )
    return result, status


def _checked(
    jacobian: Floats, environment: Environment, degrees_of_freedom: DegreesOfFreedom, tolerance: float
) -> tuple[Floats, Floats]:
    """Check a Jacobian against its environment, and give what :func:`displacements` does."""
    check_environment(environment)
    jacobian = real_array("jacobian", jacobian)
    n = len(environment)
    if jacobian.ndim != 3 or jacobian.shape[1:] != (n, 3):
        raise InputError(f"`jacobian` must have shape (F, {n}, 3) for this environment, got {jacobian.shape}.")
    if not np.isfinite(jacobian).all():
        raise InputError(
            f"`jacobian` must be finite, got {np.count_nonzero(~np.isfinite(jacobian))} entries that are not."
        )
    return displacements(jacobian, environment, degrees_of_freedom, tolerance)


def displacements(
    jacobian: Floats,
    environment: Environment,
    degrees_of_freedom: DegreesOfFreedom = "neighbours",
    tolerance: float = LINEAR,
) -> tuple[Floats, Floats]:
    """Express a Jacobian as a matrix over c degrees of freedom, shape (F, c), and the rotations, shape (c, 0 to 3)."""
    rotations = rotations_of(environment.vectors, tolerance)
    matrix = jacobian.reshape(len(jacobian), 3 * len(environment))
    if degrees_of_freedom == "atoms":
        return _move_together(matrix, rotations, environment.atoms, environment.center)
    if degrees_of_freedom != "neighbours":
        raise InputError(f"`degrees_of_freedom` must be 'neighbours' or 'atoms', got {degrees_of_freedom!r}.")
    return matrix, rotations


def error_growth(environment: Environment, degrees_of_freedom: DegreesOfFreedom) -> float:
    """Largest length of the neighbours' displacements for a unit degree of freedom: errors grow by the same factor."""
    if degrees_of_freedom == "neighbours" or len(environment) == 0:
        return 1.0
    return sqrt(np.unique(environment.atoms, return_counts=True)[1].max())


def _move_together(matrix: Floats, rotations: Floats, atoms: Integers, center: int) -> tuple[Floats, Floats]:
    # A rotation counts where it moves all images of an atom alike, and no image of the centre.
    free = np.unique(atoms[atoms != center])
    spread: Floats = np.kron(atoms[:, None] == free, np.eye(3))
    count = np.maximum(spread.sum(axis=0), 1.0)
    together = spread.T @ rotations / count[:, None]
    apart = rotations - spread @ together
    _, size, axes = np.linalg.svd(apart, full_matrices=False) if apart.size else (None, np.zeros(0), apart.T)
    return matrix @ spread, np.ascontiguousarray(together @ axes[size <= _ALIKE * np.abs(rotations).max(initial=1)].T)
