"""Sorted eigenvalues of the Coulomb matrix."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Self, final

import numpy as np
from pydantic import model_validator

from nullmode._support._jit import allocating_kernel
from nullmode._support.elements import numbers_of
from nullmode._support.types import Floats, Integers, Parity
from nullmode._support.variants import variant
from nullmode.basis.density import Batch
from nullmode.descriptors._eigenvalues import EIGENVALUE_ROUNDING, group_end, mean_projector, padded_eigenvalues
from nullmode.descriptors._layout import Layout, pack
from nullmode.descriptors._neighbours import Inside, NeighbourDescriptor, copy, gather, inside, inverse_distance
from nullmode.descriptors._parameters import CutoffWidth, Degeneracy, MostNeighbours, check_smoothing
from nullmode.geometry.environment import Environment

BOHR = 0.529177210903
"""In Å; CODATA 2018."""


class Scratch(NamedTuple):
    """Atoms of one environment; matrix and projector of m² numbers; m eigenvalues, their indices among the features."""

    atoms: Inside
    matrix: Floats
    projector: Floats
    values: Floats
    indices: Integers


@allocating_kernel
def coulomb_matrix(
    batch: Batch,
    charge: Floats,
    cutoff: float,
    cutoff_width: float,
    degeneracy: float,
    scratch: Scratch,
    features: Floats,
    jacobian: Floats,
) -> None:
    """Fill the features, eigenvalues in Hartree, and add the Jacobian of a batch to zeros; lengths in Å."""
    atoms = scratch.atoms
    n_features = features.shape[1]
    for i in range(features.shape[0]):
        rows = gather(batch, i, cutoff, cutoff_width, atoms)
        matrix = scratch.matrix[: rows * rows].reshape(rows, rows)
        for a in range(rows):
            z = charge[atoms.species[a]]
            matrix[a, a] = 0.5 * z**2.4 * atoms.weight[a] ** 2
            for b in range(a):
                matrix[a, b] = BOHR * z * charge[atoms.species[b]] * inverse_distance(atoms, a, b)
                matrix[b, a] = matrix[a, b]
        values = scratch.values[:rows]
        vectors = padded_eigenvalues(matrix, values, features[i], scratch.indices)
        if jacobian.size == 0:
            continue
        gap = degeneracy * max(values[0], -values[rows - 1])
        projector = scratch.projector[: rows * rows].reshape(rows, rows)
        n = batch.offsets[i + 1] - batch.offsets[i]
        start = 3 * batch.offsets[i] * n_features
        first = 0
        while first < rows:
            last = group_end(values, first, gap)
            mean_projector(vectors, first, last, projector)
            row = start + 3 * n * scratch.indices[first]
            for a in range(1, rows):
                z = charge[atoms.species[a]]
                own = row + 3 * atoms.row[a]
                for x in range(3):
                    slope = atoms.weight[a] * atoms.slope[a] * atoms.direction[a, x]
                    jacobian[own + x] += z**2.4 * slope * projector[a, a]
                for b in range(a):
                    inverse_distance(atoms, a, b)
                    factor = 2.0 * BOHR * z * charge[atoms.species[b]] * projector[a, b]
                    for x in range(3):
                        jacobian[own + x] += factor * atoms.gradient[0, x]
                        if b > 0:
                            jacobian[row + 3 * atoms.row[b] + x] += factor * atoms.gradient[1, x]
            for other in range(first + 1, last):
                target = start + 3 * n * scratch.indices[other]
                copy(jacobian, row, target, 3 * n)
            first = last


class EigenvalueLabel(NamedTuple):
    """Name of one entry: its place among the descending eigenvalues."""

    place: int


@final
@variant
class CoulombMatrix(NeighbourDescriptor):
    """Eigenvalues of the Coulomb matrix of centre and neighbours, descending; invariant under O(3); F = 1 + N.

    M_aa = w_a² Z_a^2.4/2 and M_ab = w_a w_b Z_a Z_b/r_ab in atomic units, w = 1 for the centre, else a shifted cosine:
    as a neighbour leaves the cutoff its row and column vanish, which leaves an eigenvalue zero. The matrix is thought
    continued with zeros up to 1 + N rows, and these zeros are sorted with the others: between the positive and the
    negative eigenvalues (light atoms close together make negative ones). Rupp et al., Phys. Rev. Lett. 108, 058301
    (2012), sort by magnitude, which would jump where two eigenvalues are opposite.

    A sorted eigenvalue has a kink where it meets the next. Eigenvalues that are equal up to `degeneracy` are therefore
    each given their mean derivative, which is differentiable and invariant.

    Parameters
    ----------
    cutoff
        Radius of the environment, in Å.
    cutoff_width
        Range below the cutoff in which a shifted cosine takes neighbours to zero, in Å; 0 is a step.
    degeneracy
        Gap, relative to the largest eigenvalue, up to which neighbouring eigenvalues count as equal. Below about 1e-6
        the rounding of eigenvectors shows in the Jacobian of symmetric environments, unseen by the rotation floor.
    n_neighbours_max
        Number of neighbours N that features are laid out for; None takes the most that an environment of the set has.

    Raises
    ------
    InputError
        For a value out of range, or more neighbours than the layout was made for.
    """

    parity: ClassVar[Parity | None] = "O3"
    rounding: ClassVar[float] = EIGENVALUE_ROUNDING
    cutoff_width: CutoffWidth = 0.5
    degeneracy: Degeneracy = 1e-6
    n_neighbours_max: MostNeighbours = None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        check_smoothing(self.cutoff, self.cutoff_width)
        return self

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[EigenvalueLabel]:
        """Name every feature, in order; as in :meth:`Descriptor.feature_labels`."""
        return [EigenvalueLabel(place) for place in range(self._n_features(Layout.of(environments, self.cutoff)))]

    def _n_features(self, layout: Layout) -> int:
        return 1 + layout.n_neighbours_for(self)

    def _fill(self, items: list[Environment], layout: Layout, features: Floats, jacobian: Floats) -> None:
        species = layout.species_with_centers
        batch = pack(items, species, with_centers=True)
        atoms = inside(batch)
        m = len(atoms.row)
        scratch = Scratch(atoms, np.empty(m * m), np.empty(m * m), np.empty(m), np.empty(m, dtype=np.int64))
        charge = numbers_of(species).astype(np.float64)
        coulomb_matrix(batch, charge, self.cutoff, self.cutoff_width, self.degeneracy, scratch, features, jacobian)
