"""Singular values and displacement modes of a Jacobian, rigid motions taken out analytically."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from nullmode._support.arguments import as_real, real_array
from nullmode._support.types import Floats, InputError, Integers
from nullmode.geometry.environment import Environment, check_environment
from nullmode.linalg.batched_svd import decompose_many
from nullmode.linalg.householder import COLLINEAR, complete_frame
from nullmode.linalg.rotations import infinitesimal_rotations

_START: Integers = np.zeros(1, dtype=np.int64)
DegreesOfFreedom = Literal["neighbours", "atoms"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensitivity:
    """What a descriptor sees of the displacements of an environment, or of a whole structure.

    Attributes
    ----------
    singular_values, shape (d,)
        Of the Jacobian on the complement of rigid motions, descending, in 1/Å; exact zeros where F < d.
    modes, shape (d, n, 3)
        Orthonormal displacements that belong to them; the last are the softest.
    rank
        Number of singular values above rtol times the largest; 0 if all vanish. Of a structure: times the norm of the
        largest Jacobian of a single centre, if that is larger, since centres may cancel.
    n_dof
        d = 3 n minus the rotations (3, or 2 where centre and neighbours are collinear); of a structure, minus all rigid
        motions.
    condition_number
        s_1/s_d: infinite if s_d = 0, NaN if nothing is seen (rank 0) or nothing can move.
    inverse_condition_number
        s_d/s_1, 0 where singular; NaN if nothing is seen or nothing can move.
    rotation_floor
        Norm of the response to orthonormal rigid motions over what the rank is relative to: the noise of this Jacobian;
        NaN without rigid motions or response. Of a structure also that of each centre to a rotation of its environment.
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
    rtol: float


def check_rtol(rtol: float) -> float:
    """Refuse a relative tolerance outside (0, 1), and what is no number."""
    if not 0 < as_real(rtol) < 1:
        raise InputError(f"`rtol` must be between 0 and 1, got {rtol!r}.")
    return float(rtol)


def check_floor(result: Sensitivity) -> None:
    """Refuse a relative tolerance below the noise of the Jacobian that it was taken for."""
    if result.rtol < result.rotation_floor:
        raise InputError(
            f"`rtol` must be at least the rotation floor {result.rotation_floor:.1e}, the noise of this Jacobian, got "
            f"{result.rtol:.1e}. Use a larger rtol or a more accurate Jacobian."
        )


def sensitivity(
    jacobian: Floats,
    environment: Environment,
    rtol: float = 1e-9,
    degrees_of_freedom: DegreesOfFreedom = "neighbours",
    *,
    jacobian_error: float = 0.0,
) -> Sensitivity:
    """Analyse a Jacobian: singular values, modes, rank, condition number and noise floor.

    Householder QR of the Jacobian, then SVD of the small triangle on the complement of the rotations; never through
    the Gram matrix, which loses every singular value below 1e-8 of the largest.

    Parameters
    ----------
    jacobian, shape (F, n, 3)
        Derivatives of the features with respect to the neighbours, the centre fixed, in 1/Å.
    environment
        The environment it belongs to.
    rtol
        Singular values up to rtol times the largest count as null.
    degrees_of_freedom
        ``neighbours``: every neighbour moves by itself, periodic images included. ``atoms``: images of one atom move
        together, those of the centre not at all; modes then have shape (d, n_atoms, 3), atoms in ascending index.
    jacobian_error
        What is known of the Jacobian's error besides, in 1/Å: the estimate that comes with finite differences.

    Raises
    ------
    InputError
        For a shape that does not fit the environment, a non-finite entry, or an rtol below the rotation floor or the
        relative error.
    """
    check_rtol(rtol)
    result = decompose(jacobian, environment, rtol, degrees_of_freedom)
    check_floor(result)
    largest = result.singular_values.max(initial=0.0)
    if rtol * largest < (jacobian_error := jacobian_error * error_growth(environment, degrees_of_freedom)):
        raise InputError(
            f"`rtol` must be at least the error of the Jacobian over its largest singular value, {jacobian_error:.1e} "
            f"over {largest:.1e}, got {rtol:.1e}. Use a larger rtol or a more accurate Jacobian."
        )
    return result


def decompose(
    jacobian: Floats,
    environment: Environment,
    rtol: float,
    degrees_of_freedom: DegreesOfFreedom = "neighbours",
) -> Sensitivity:
    """Do as :func:`sensitivity`, but leave the judgement of the rotation floor to the caller."""
    check_environment(environment)
    jacobian = real_array("jacobian", jacobian)
    n = len(environment)
    if jacobian.ndim != 3 or jacobian.shape[1:] != (n, 3):
        raise InputError(f"`jacobian` must have shape (F, {n}, 3) for this environment, got {jacobian.shape}.")
    if not np.isfinite(jacobian).all():
        raise InputError(
            f"`jacobian` must be finite, got {np.count_nonzero(~np.isfinite(jacobian))} entries that are not."
        )
    matrix, rotations = displacements(jacobian, environment, degrees_of_freedom)
    return resolve(matrix, rotations, rtol)


def resolve(matrix: Floats, rigid: Floats, rtol: float, scale: float = 0.0, noise: float = 0.0) -> Sensitivity:
    """Analyse a Jacobian on the complement of given rigid motions.

    Parameters
    ----------
    matrix, shape (F, 3 n)
        The Jacobian, in 1/Å.
    rigid, shape (3 n, m)
        Displacements that no feature can see; linearly dependent ones count once.
    rtol
        Values up to rtol times the largest, or times `scale` if that is larger, count as null.
    scale, noise
        Size and error, in 1/Å, of the terms whose sum the matrix is: what is left where they cancel is no response.
    """
    frame, n_rigid = complete_frame(rigid)
    spectra = decompose_many(np.ravel(matrix), _START, len(matrix), frame[None], n_rigid, modes=True)
    values, modes, response = spectra.values[0], spectra.modes[0], spectra.response[0]
    d = len(values)
    largest, smallest = (values[0], values[-1]) if d else (0.0, 0.0)
    scale = max(scale, largest)
    rank = int(np.count_nonzero(values > rtol * scale))
    return Sensitivity(
        singular_values=values,
        modes=modes.reshape(d, matrix.shape[1] // 3, 3),
        rank=rank,
        n_dof=d,
        condition_number=(float(largest / smallest) if smallest > 0 else np.inf) if rank else np.nan,
        inverse_condition_number=float(smallest / largest) if rank else np.nan,
        rotation_floor=float(max(response, noise) / scale) if scale > 0 and rigid.shape[1] else np.nan,
        rtol=rtol,
    )


def displacements(
    jacobian: Floats, environment: Environment, degrees_of_freedom: DegreesOfFreedom = "neighbours"
) -> tuple[Floats, Floats]:
    """Write a Jacobian as a matrix over the degrees of freedom, shape (F, c), and the rotations among these, (c, 3).

    The displacements omega x r_j are those for unit omega along x, y, z.
    """
    rotations = infinitesimal_rotations(environment.vectors)
    matrix = jacobian.reshape(len(jacobian), 3 * len(environment))
    if degrees_of_freedom == "atoms":
        return _move_together(matrix, rotations, environment.atoms, environment.center)
    if degrees_of_freedom != "neighbours":
        raise InputError(f"`degrees_of_freedom` must be 'neighbours' or 'atoms', got {degrees_of_freedom!r}.")
    return matrix, rotations


def error_growth(environment: Environment, degrees_of_freedom: DegreesOfFreedom) -> float:
    """How much longer neighbours' displacements are than those of the degrees of freedom, and with it their errors."""
    if degrees_of_freedom == "neighbours" or len(environment) == 0:
        return 1.0
    return sqrt(np.unique(environment.atoms, return_counts=True)[1].max())


def _move_together(matrix: Floats, rotations: Floats, atoms: Integers, center: int) -> tuple[Floats, Floats]:
    # A rotation survives where it asks the same of all images of an atom, and nothing of the centre's.
    free = np.unique(atoms[atoms != center])
    place = np.searchsorted(free, atoms)
    spread = np.zeros((len(atoms), len(free)))
    own = np.flatnonzero(atoms != center)
    spread[own, place[own]] = 1.0
    spread = np.kron(spread, np.eye(3)).astype(np.float64)
    count = np.maximum(spread.sum(axis=0), 1.0)
    together = spread.T @ rotations / count[:, None]
    torn = rotations - spread @ together
    _, size, axes = np.linalg.svd(torn, full_matrices=False) if len(torn) else (None, np.zeros(3), np.eye(3))
    return matrix @ spread, np.ascontiguousarray(
        together @ axes[size <= COLLINEAR * np.abs(rotations).max(initial=1)].T
    )
