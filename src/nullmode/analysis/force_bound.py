"""What one linear model for many structures loses of their forces, at best."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.threads import single_threaded_blas
from nullmode._support.types import Floats, InputError, Integers
from nullmode.descriptors._base import Descriptor, check_descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.cut import checked_structures
from nullmode.geometry.environment import Centers
from nullmode.linalg.householder import complete_frame
from nullmode.linalg.stacked import StackedFactor
from nullmode.spectrum.decomposition import check_rtol
from nullmode.spectrum.whole_structure import (
    Structure,
    class_sums,
    decompose_sum,
    rigid_motions,
    sum_jacobians,
    whole_structures,
)

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceBound:
    """Least errors of the forces of linear models, root mean squares per component in eV/Å.

    Attributes
    ----------
    n_structures
        Number of structures that have forces.
    rank
        Number of independent weights that the forces of all of them determine.
    force_rms
        The forces, net force and torque of each structure taken out.
    one_each
        Least error of models of their own, one for each structure: what is unseen (`unseen_force` in the tables).
    one_for_all
        Least error of one model for all structures; it is the residual of a least-squares fit to the forces.
    """

    n_structures: int
    rank: int
    force_rms: float
    one_each: float
    one_for_all: float


def linear_force_bound(
    structures: "Atoms | Sequence[Atoms]", descriptor: Descriptor, rtol: float = 1e-9, centers: Centers = None
) -> ForceBound:
    """Find the least error that linear models on some features leave in the reference forces of a set.

    A linear model sums features over the centres of each species, with the same weights in all structures. What one
    model for all of them loses beyond models of their own is the price of being one model.

    Parameters
    ----------
    structures
        Those without reference forces are left out.
    descriptor, centers
        As in :func:`nullmode.structure_jacobian`.
    rtol
        Combinations of weights count that change the forces by more than rtol times what the largest one does.

    Raises
    ------
    InputError
        As :func:`nullmode.structure_jacobian`; if no structure has forces, or forces or Jacobians are not finite.
    """
    check_rtol(rtol)
    check_descriptor(descriptor)
    every = whole_structures(*checked_structures(structures, descriptor.cutoff, centers))
    descriptor = with_layout_of(descriptor, [item for structure in every for item in structure.environments])
    forced = [structure for structure in every if structure.forces is not None]
    if not forced:
        raise InputError("`structures` must have reference forces, got none that has. See docs/tables.md.")
    kinds = np.unique([item.center_species for structure in forced for item in structure.environments])
    factor: StackedFactor | None = None
    squares = own = 0.0
    with single_threaded_blas():
        for structure in forced:
            forces = _internal_forces(structure)
            matrix = _by_weights(structure, descriptor, kinds)
            if not (np.isfinite(matrix).all() and np.isfinite(forces).all()):
                raise InputError(f"`structures[{structure.index}]` must have finite forces and Jacobians, got others.")
            factor = factor or StackedFactor(matrix.shape[1] + 1)
            factor.add(np.column_stack([matrix, forces]), np.arange(factor.columns))
            squares += float(forces @ forces)
            result, _ = decompose_sum(structure, sum_jacobians(structure, descriptor), descriptor, rtol)
            unseen = result.modes[result.rank :].reshape(-1, len(forces)) @ forces
            own += float(unseen @ unseen)
        assert factor is not None
        triangle = factor.triangle()
        left, values, _ = np.linalg.svd(triangle[:, :-1], full_matrices=False)
    target, kept = triangle[:, -1], values > rtol * values.max(initial=0.0)
    missed = target - left[:, kept] @ (left[:, kept].T @ target)
    count = sum(structure.positions.size for structure in forced)
    return ForceBound(
        n_structures=len(forced),
        rank=int(np.count_nonzero(kept)),
        force_rms=sqrt(squares / count),
        one_each=sqrt(own / count),
        one_for_all=float(np.linalg.norm(missed)) / sqrt(count),
    )


def _internal_forces(structure: Structure) -> Floats:
    """Take net force and torque out of the forces of a structure; (3 N,)."""
    frame, n_rigid = complete_frame(rigid_motions(structure))
    forces = np.asarray(structure.forces, dtype=np.float64).ravel()
    return np.asarray(forces - frame[:, :n_rigid] @ (frame[:, :n_rigid].T @ forces))


def _by_weights(structure: Structure, descriptor: Descriptor, kinds: Integers) -> Floats:
    """Differentiate summed features by positions, (3 N, S F), with a block of features for each species of the set."""
    labels = np.searchsorted(kinds, [item.center_species for item in structure.environments])
    present = np.unique(labels)
    blocks: list[Floats] = []
    for each in class_sums(structure.environments, np.searchsorted(present, labels), descriptor):
        block = np.zeros((len(structure.positions), 3, len(each.features)))
        block[each.atoms] = each.jacobian.transpose(1, 2, 0)
        blocks.append(block.reshape(-1, len(each.features)))
    empty = np.zeros_like(blocks[0])
    found = dict(zip(present.tolist(), blocks, strict=True))
    return np.column_stack([found.get(kind, empty) for kind in range(len(kinds))])
