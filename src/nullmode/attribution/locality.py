"""What environments of one cutoff see of a whole structure, whatever the body order."""

import numpy as np

from nullmode._support.types import Floats, Parity
from nullmode.attribution.structure_completeness import rank_of
from nullmode.geometry.environment import Environment
from nullmode.linalg.rotations import rotation_basis
from nullmode.linalg.stacked import StackedFactor
from nullmode.symmetry.point_group import point_group, proper, symmetric_projector
from nullmode.symmetry.superposition import congruence

_ALONG = 0.5
"""A projector has eigenvalues 0 and 1."""


def rank_local(environments: list[Environment], n_atoms: int, parity: Parity, tolerance: float) -> int:
    """Count the displacements of a structure that features of all body orders of its environments see together.

    Such features tell environments apart unless they are congruent. Around one centre they see every displacement that
    is symmetric under its point group and is no rotation; around congruent centres they see the sum. What they do not
    see, beyond what the symmetry of the whole structure hides, is hidden by the cutoff: atoms that no environment
    links, and environments that are more alike than their surroundings.

    Parameters
    ----------
    environments
        Of the centres of one structure of `n_atoms` atoms.
    parity, tolerance
        As for :func:`nullmode.rank_symmetric`.
    """
    mirrored = parity == "O3"
    alike: list[tuple[Environment, Floats]] = []
    sums: list[Floats] = []
    for environment in environments:
        if not len(environment):
            continue
        for k, (first, basis) in enumerate(alike):
            found = congruence(first, environment, tolerance, reflections=mirrored)
            if found is not None:
                moved = np.zeros_like(basis)
                moved[:, found.permutation] = basis @ found.operation.T
                sums[k] += _of_atoms(moved, environment, n_atoms)
                break
        else:
            basis = _seen(environment, parity, tolerance)
            alike.append((environment, basis))
            sums.append(_of_atoms(basis, environment, n_atoms))
    if not sums:
        return 0
    factor = StackedFactor(3 * n_atoms)
    for each in sums:
        factor.add(each, np.arange(3 * n_atoms))
    shortest = min(float(np.linalg.norm(environment.vectors, axis=1).min()) for environment, _ in alike)
    return rank_of(factor.triangle(), shortest, tolerance)


def _seen(environment: Environment, parity: Parity, tolerance: float) -> Floats:
    """Orthonormal displacements of the neighbours, the centre fixed, that all features together see; (m, n, 3)."""
    group = point_group(environment, tolerance)
    projector = symmetric_projector(group if parity == "O3" else proper(group))
    rotations = rotation_basis(environment.vectors, tolerance)
    projector = projector - projector @ rotations @ rotations.T
    directions, sizes, _ = np.linalg.svd(projector)
    return np.ascontiguousarray(directions[:, sizes > _ALONG].T).reshape(-1, len(environment), 3)


def _of_atoms(displacements: Floats, environment: Environment, n_atoms: int) -> Floats:
    """Express displacements (m, n, 3) of neighbours, relative to the centre, by those of all atoms; (m, 3 N)."""
    result = np.zeros((len(displacements), n_atoms, 3))
    np.add.at(result.swapaxes(0, 1), environment.atoms, displacements.swapaxes(0, 1))
    result[:, environment.center] -= displacements.sum(axis=1)
    return result.reshape(len(displacements), 3 * n_atoms)
