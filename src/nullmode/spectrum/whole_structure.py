"""Features of a whole structure, summed over the centres of each species, their Jacobian and its singular values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nullmode._support.status import Status
from nullmode._support.types import Floats, InputError, Integers
from nullmode.descriptors._base import Descriptor, check_descriptor, evaluate
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment import Centers, Environment, at_origin, checked_structures, environments_of
from nullmode.linalg.rotations import LINEAR, infinitesimal_rotations, rotation_basis, rotations_of
from nullmode.spectrum.decomposition import Sensitivity, check_rtol, check_status, decompose_matrix
from nullmode.spectrum.judgement import coarseness, norm, size_of_terms

if TYPE_CHECKING:
    from ase import Atoms

# Environments whose Jacobians are in memory at a time, before they are added to that of the structure.
_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Structure:
    """A checked structure, with the environments of its centres; made by :func:`whole_structures`.

    Attributes
    ----------
    environments
        One per centre, centres ascending.
    positions, shape (N, 3); numbers, shape (N,)
        In Å; atomic numbers.
    cell, shape (3, 3); pbc, shape (3,)
        Cell vectors as rows, in Å; whether each direction is periodic.
    closest
        Smallest distance of two atoms, images included, in Å; at most the cutoff.
    index
        Index of the structure in the set that was given.
    """

    environments: list[Environment]
    positions: Floats
    numbers: Integers
    cell: Floats
    pbc: Integers
    closest: float
    index: int


class SummedJacobian(NamedTuple):
    """Features (F,) and Jacobian (F, N, 3) of a structure, as sums over its centres, with the errors of the Jacobian.

    `terms` is the sum of the sizes of the centres' own terms, `noise` their largest response to rotations, in 1/Å;
    `error` bounds the error of the Jacobian, in 1/Å, if the descriptor estimates that of each term, and else is 0.
    """

    features: Floats
    jacobian: Floats
    terms: float
    noise: float
    error: float


def whole_structures(structures: Sequence["Atoms"], cutoff: float, centers: Sequence[Integers]) -> list[Structure]:
    """Check structures and cut out the environments of given centres; structures without centres are left out."""
    result = []
    for index, (atoms, chosen) in enumerate(zip(structures, centers, strict=True)):
        everyone = list(environments_of(atoms, index, cutoff, np.arange(len(atoms))))
        if len(chosen):
            result.append(
                Structure(
                    environments=[everyone[center] for center in chosen],
                    positions=atoms.get_positions(),
                    numbers=atoms.numbers.astype(np.int64),
                    cell=np.array(atoms.cell),
                    pbc=np.array(atoms.pbc),
                    closest=min(np.linalg.norm(item.vectors, axis=1).min(initial=cutoff) for item in everyone),
                    index=index,
                )
            )
    return result


def structure_jacobian(atoms: "Atoms", descriptor: Descriptor, centers: Centers = None) -> tuple[Floats, Floats]:
    """Sum features over the centres of each species, with their derivatives with respect to every atom.

    Parameters
    ----------
    atoms
        A molecule, or periodic in any number of directions; all images of an atom move together.
    descriptor
        One of nullmode's or your own.
    centers
        Symbols or indices of the centres; None for every atom.

    Returns
    -------
    features, shape (F,)
        One block per species of the centres, by atomic number. Each holds the features of the descriptor; all have the
        species layout of the whole structure.
    jacobian, shape (F, N, 3)
        In 1/Å. The derivative with respect to a neighbour is added to its atom, and subtracted from the centre.

    Raises
    ------
    InputError
        As :func:`nullmode.environments`; but a structure without any neighbours is allowed, with a rank of 0.
    """
    total = sum_jacobians(*_checked_structure(atoms, descriptor, centers))
    return total.features, total.jacobian


def structure_sensitivity(
    atoms: "Atoms", descriptor: Descriptor, rtol: float = 1e-9, centers: Centers = None
) -> Sensitivity:
    """Analyse the Jacobian of a whole structure on the complement of its rigid motions.

    Rigid motions are three translations, and the rotations that keep the lattice: three for a molecule (two if it is
    linear), one for a rod (none for a line of atoms), none for slabs and crystals.

    Parameters
    ----------
    atoms, descriptor, centers
        As in :func:`structure_jacobian`.
    rtol
        Singular values up to rtol times the largest count as null, and so do those up to the rounding floor: in a
        crystal the contributions of centres may cancel down to rounding.

    Raises
    ------
    InputError
        As :func:`structure_jacobian`; for a Jacobian that is not finite, or an rtol below the rotation floor or the
        relative error.
    """
    check_rtol(rtol)
    structure, descriptor = _checked_structure(atoms, descriptor, centers)
    total = sum_jacobians(structure, descriptor)
    if not np.isfinite(total.jacobian).all():
        raise InputError("`descriptor` must give a finite Jacobian, got NaN or infinity.")
    result, status = decompose_sum(structure, total, descriptor, rtol)
    check_status(status, result, total.error, result.singular_values.max(initial=0.0))
    return result


def _checked_structure(atoms: "Atoms", descriptor: Descriptor, centers: Centers) -> tuple[Structure, Descriptor]:
    check_descriptor(descriptor)
    structure = whole_structures(*checked_structures([atoms], descriptor.cutoff, centers))[0]
    return structure, with_layout_of(descriptor, structure.environments)


def sum_jacobians(structure: Structure, descriptor: Descriptor) -> SummedJacobian:
    """Do as :func:`structure_jacobian`, for a descriptor with a fixed species layout."""
    numbers = [environment.center_species for environment in structure.environments]
    blocks = np.unique(numbers, return_inverse=True)[1]
    features = jacobian = np.empty(0)
    terms = noise = bound = 0.0
    for start in range(0, len(blocks), _AT_ONCE):
        chunk = structure.environments[start : start + _AT_ONCE]
        results = evaluate(descriptor, chunk)
        if start == 0:
            features = np.zeros((blocks.max() + 1, len(results[0][0])))
            jacobian = np.zeros((*features.shape, len(structure.positions), 3))
        for block, environment, (phi, jac, error) in zip(blocks[start:], chunk, results, strict=False):
            features[block] += phi
            np.add.at(jacobian[block].swapaxes(0, 1), environment.atoms, jac.swapaxes(0, 1))
            jacobian[block, :, environment.center] -= jac.sum(axis=1)
            terms += size_of_terms(phi, jac) * coarseness(environment.extent)
            if len(environment):
                rotations = rotation_basis(environment.vectors, LINEAR)
                noise = max(noise, norm(np.einsum("qk,km->qm", jac.reshape(len(jac), -1), rotations)))
            # Displacements relative to the centre are at most sqrt(2 n) times as long as those of the atoms.
            bound += error * np.sqrt(2.0 * len(environment))
    return SummedJacobian(
        features.ravel(), jacobian.reshape(features.size, len(structure.positions), 3), terms, noise, bound
    )


def decompose_sum(
    structure: Structure, total: SummedJacobian, descriptor: Descriptor, rtol: float, tolerance: float = LINEAR
) -> tuple[Sensitivity, Status]:
    """Analyse a structure's Jacobian, and judge it; one that is not finite counts as zero."""
    finite = bool(np.isfinite(total.jacobian).all())
    matrix = total.jacobian.reshape(len(total.features), 3 * len(structure.positions))
    return decompose_matrix(
        matrix if finite else np.zeros_like(matrix),
        rigid_motions(structure, tolerance),
        rtol,
        terms=total.terms if finite else 0.0,
        rounding=descriptor.rounding,
        noise=total.noise if finite else 0.0,
        error=total.error,
        finite=finite,
        empty=not any(len(environment) for environment in structure.environments),
    )


def rigid_motions(structure: Structure, tolerance: float = LINEAR) -> Floats:
    """Displacements by translations, and by the rotations that keep the lattice; shape (3 N, 3 to 6), independent.

    Atoms within the tolerance of a line, in Å, are on it, as for :func:`nullmode.symmetry.space_group.isometries`.
    """
    positions, axes = structure.positions, structure.cell[structure.pbc.astype(bool)]
    translations = np.tile(np.eye(3), (len(positions), 1))
    if len(axes) > 1:
        return translations
    vectors = positions - positions.mean(axis=0)
    if len(axes):
        period = float(np.linalg.norm(axes[0]))
        is_line = bool(np.linalg.norm(np.cross(vectors, axes[0] / period), axis=1).max() <= tolerance)
        rotations = infinitesimal_rotations(vectors) @ (axes[: 1 - is_line].T / period)
    else:
        rotations = rotations_of(vectors, tolerance, at_origin(tolerance))
    return np.hstack([translations, rotations])
