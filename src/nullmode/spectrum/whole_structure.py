"""Features of a whole structure, summed over the centres of each species, their Jacobian and its singular values."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nullmode._support.status import Status
from nullmode._support.types import Floats, Integers
from nullmode.descriptors._base import Descriptor, check_descriptor, evaluate
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.cut import checked_structures, environments_of
from nullmode.geometry.environment import Centers, Environment, at_origin
from nullmode.geometry.forces import forces_of, stress_of
from nullmode.linalg.rotations import LINEAR, infinitesimal_rotations, rotation_basis, rotations_of
from nullmode.spectrum.decomposition import Sensitivity, decompose_matrix
from nullmode.spectrum.judgement import coarseness, norm, size_of_terms

if TYPE_CHECKING:
    from ase import Atoms

# Environments whose Jacobians are in memory at a time, before they are added to those of their class.
_AT_ONCE = 16
NO_STRAINS = np.empty((0, 3, 3))


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
    forces, shape (N, 3)
        Reference forces in eV/Å, which may be NaN; None if the structure brings none.
    stress, shape (3, 3)
        Reference stress in eV/Å³ likewise.
    """

    environments: list[Environment]
    positions: Floats
    numbers: Integers
    cell: Floats
    pbc: Integers
    closest: float
    index: int
    forces: Floats | None = None
    stress: Floats | None = None


class SummedJacobian(NamedTuple):
    """Features (F,) and Jacobian (F, N, 3) of a structure, as sums over its centres, with the errors of the Jacobian.

    `terms` is the sum of the sizes of the centres' own terms, `noise` their largest response to rotations, in 1/Å;
    `error` bounds the error of the Jacobian, in 1/Å, if the descriptor estimates that of each term, and else is 0.
    `strain` (F, m) holds the derivatives with respect to the strains (m, 3, 3) of :func:`strains`; m is 0 for a
    structure without stress.
    """

    features: Floats
    jacobian: Floats
    strain: Floats
    terms: float
    noise: float
    error: float


class ClassSum(NamedTuple):
    """Features (F,) and Jacobian (F, a, 3) of some centres, summed, for the atoms (a,) that they depend on, ascending.

    The errors, and derivatives with respect to given strains, are those of :class:`SummedJacobian`.
    """

    features: Floats
    atoms: Integers
    jacobian: Floats
    strain: Floats
    terms: float
    noise: float
    error: float


def whole_structures(
    structures: Sequence["Atoms"],
    cutoff: float,
    centers: Sequence[Integers],
    first: int = 0,
    names: Sequence[str] | None = None,
) -> list[Structure]:
    """Check structures and cut out the environments of given centres; structures without centres are left out.

    They are counted from `first`. Messages call them by their `names`, by default ``atoms[index]``.
    """
    result = []
    for index, (atoms, chosen) in enumerate(zip(structures, centers, strict=True), first):
        where = f"atoms[{index}]" if names is None else names[index - first]
        everyone = environments_of(atoms, index, cutoff, np.arange(len(atoms)), where)
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
                    forces=forces_of(atoms, where),
                    stress=stress_of(atoms, where),
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
    total = sum_jacobians(*checked_structure(atoms, descriptor, centers))
    return total.features, total.jacobian


def checked_structure(atoms: "Atoms", descriptor: Descriptor, centers: Centers) -> tuple[Structure, Descriptor]:
    """Check a structure, and fix the layout of a descriptor to its centres."""
    check_descriptor(descriptor)
    structure = whole_structures(*checked_structures([atoms], descriptor.cutoff, centers))[0]
    return structure, with_layout_of(descriptor, structure.environments)


def sum_jacobians(structure: Structure, descriptor: Descriptor) -> SummedJacobian:
    """Do as :func:`structure_jacobian`, for a descriptor with a fixed species layout."""
    numbers = [environment.center_species for environment in structure.environments]
    n_atoms = len(structure.positions)
    features, jacobians, strained = [], [], []
    terms = noise = error = 0.0
    labels = np.unique(numbers, return_inverse=True)[1]
    for each in class_sums(structure.environments, labels, descriptor, strains(structure)):
        jacobian = np.zeros((len(each.features), n_atoms, 3))
        jacobian[:, each.atoms] = each.jacobian
        features.append(each.features)
        jacobians.append(jacobian)
        strained.append(each.strain)
        terms, noise, error = terms + each.terms, max(noise, each.noise), error + each.error
    phi, jacobian, strain = map(np.concatenate, (features, jacobians, strained))
    return SummedJacobian(phi, jacobian, strain, terms, noise, error)


def class_sums(
    environments: Sequence[Environment], labels: Integers, descriptor: Descriptor, strained: Floats = NO_STRAINS
) -> Iterator[ClassSum]:
    """Sum the features and Jacobians of the centres of each class, classes ascending; few centres are in memory.

    `strained` are the strains (m, 3, 3) with respect to which the features are differentiated, too.
    """
    ordered = [environments[k] for k in np.argsort(labels, kind="stable")]
    chunks = (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))
    results = (pair for chunk in chunks for pair in zip(chunk, evaluate(descriptor, chunk), strict=True))
    first = 0
    for count in np.bincount(labels).tolist():
        yield _class_sum(ordered[first : first + count], islice(results, count), strained)
        first += count


def _class_sum(members: list[Environment], results: Iterable[Any], strained: Floats) -> ClassSum:
    atoms = np.unique(np.concatenate([np.append(each.atoms, each.center) for each in members]))
    features = jacobian = strain = np.empty(0)
    terms = noise = bound = 0.0
    for environment, (phi, jac, error) in results:
        if not len(features):
            features, jacobian = np.zeros(len(phi)), np.zeros((len(phi), len(atoms), 3))
            strain = np.zeros((len(phi), len(strained)))
        features += phi
        np.add.at(jacobian.swapaxes(0, 1), np.searchsorted(atoms, environment.atoms), jac.swapaxes(0, 1))
        jacobian[:, np.searchsorted(atoms, environment.center)] -= jac.sum(axis=1)
        if len(strained):
            moved = np.einsum("mab,jb->jam", strained, environment.vectors)
            strain += jac.reshape(len(jac), -1) @ moved.reshape(-1, len(strained))
        terms += size_of_terms(phi, jac) * coarseness(environment.extent)
        if len(environment):
            rotations = rotation_basis(environment.vectors, LINEAR)
            noise = max(noise, norm(np.einsum("qk,km->qm", jac.reshape(len(jac), len(rotations)), rotations)))
        # Displacements relative to the centre are at most sqrt(2 n) times as long as those of the atoms.
        bound += error * np.sqrt(2.0 * len(environment))
    return ClassSum(features, atoms, jacobian, strain, terms, noise, bound)


def decompose_sum(
    structure: Structure, total: SummedJacobian, descriptor: Descriptor, rtol: float, tolerance: float = LINEAR
) -> tuple[Sensitivity, Status]:
    """Analyse a structure's Jacobian, and judge it; one that is not finite counts as zero."""
    finite = bool(np.isfinite(total.jacobian).all())
    matrix = total.jacobian.reshape(len(total.jacobian), 3 * len(structure.positions))
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


def strains(structure: Structure) -> Floats:
    """Strains of a periodic structure with a stress: orthonormal symmetric matrices, shape (m, 3, 3).

    m is 6, 3 or 1 where 3, 2 or 1 directions are periodic: others strain no cell, and what they do to the atoms are
    displacements. A strain e takes a vector r to (1 + e) r. m is 0 without a stress.
    """
    axes = structure.cell[structure.pbc.astype(bool)]
    if structure.stress is None or not len(axes):
        return NO_STRAINS
    directions = np.linalg.qr(axes.T)[0].T
    result = []
    for a, b in zip(*np.triu_indices(len(directions)), strict=True):
        pair = np.outer(directions[a], directions[b])
        result.append((pair + pair.T) / (2.0 if a == b else np.sqrt(2.0)))
    return np.array(result)
