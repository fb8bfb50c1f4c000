"""Overlap-matrix fingerprint: eigenvalues of the overlaps of Gaussian-type orbitals."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple, final

import numpy as np
from pydantic import Field

from nullmode._support._jit import allocating_kernel, kernel
from nullmode._support.arguments import Length
from nullmode._support.types import Floats, Integers, Parity
from nullmode._support.variants import variant
from nullmode.basis.density import Batch
from nullmode.descriptors._eigenvalues import EIGENVALUE_ROUNDING, group_end, mean_projector, padded_eigenvalues
from nullmode.descriptors._layout import Layout, pack
from nullmode.descriptors._neighbours import Inside, NeighbourDescriptor, copy, gather, inside
from nullmode.descriptors._orbitals import Orbitals, overlaps, radii
from nullmode.descriptors._parameters import Degeneracy, MostNeighbours
from nullmode.geometry.environment import Environment


class Scratch(NamedTuple):
    """What is used again for each environment.

    Attributes
    ----------
    atoms
        The environment.
    matrix, projector, shape (m²,)
        For the largest environment.
    values, indices, shape (m,)
        Eigenvalues, and their indices among the features.
    block, slope, shape (o, o), (3, o, o)
        Overlaps, and their derivatives with respect to the first atom in 1/Å.
    """

    atoms: Inside
    matrix: Floats
    projector: Floats
    values: Floats
    indices: Integers
    block: Floats
    slope: Floats


@allocating_kernel
def overlap_matrix(
    batch: Batch, orbitals: Orbitals, degeneracy: float, scratch: Scratch, features: Floats, jacobian: Floats
) -> None:
    """Fill the features, eigenvalues of w_a w_b <phi_a|phi_b>, and add the Jacobian of a batch to zeros."""
    atoms, o = scratch.atoms, orbitals.per_atom
    n_features = features.shape[1]
    for i in range(features.shape[0]):
        rows = gather(batch, i, orbitals.cutoff, 0.0, atoms)
        for a in range(1, rows):
            x = 1.0 - (atoms.distance[a] / orbitals.cutoff) ** 2
            atoms.weight[a] = x**orbitals.cutoff_power
            power = x ** (orbitals.cutoff_power - 1)
            atoms.slope[a] = -2.0 * orbitals.cutoff_power * power * atoms.distance[a] / orbitals.cutoff**2
        size = rows * o
        matrix = scratch.matrix[: size * size].reshape(size, size)
        for a in range(rows):
            for b in range(a + 1):
                overlaps(atoms, a, b, orbitals, scratch.block, scratch.slope)
                weight = atoms.weight[a] * atoms.weight[b]
                for p in range(o):
                    for q in range(o):
                        matrix[a * o + p, b * o + q] = weight * scratch.block[p, q]
                        matrix[b * o + q, a * o + p] = weight * scratch.block[p, q]
        values = scratch.values[:size]
        vectors = padded_eigenvalues(matrix, values, features[i], scratch.indices)
        if jacobian.size == 0:
            continue
        projector = scratch.projector[: size * size].reshape(size, size)
        n = batch.offsets[i + 1] - batch.offsets[i]
        start = 3 * batch.offsets[i] * n_features
        first = 0
        while first < size:
            last = group_end(values, first, degeneracy * values[0])
            mean_projector(vectors, first, last, projector)
            row = start + 3 * n * scratch.indices[first]
            _add_gradient(atoms, rows, orbitals, projector, scratch, jacobian[row : row + 3 * n])
            for other in range(first + 1, last):
                target = start + 3 * n * scratch.indices[other]
                copy(jacobian, row, target, 3 * n)
            first = last


@kernel
def _add_gradient(
    atoms: Inside, rows: int, orbitals: Orbitals, projector: Floats, scratch: Scratch, gradient: Floats
) -> None:
    """Add sum_ab P_ab dM_ab to `gradient`, shape (3 n,)."""
    o = orbitals.per_atom
    for a in range(1, rows):
        own = 3 * atoms.row[a]
        trace = 0.0
        for p in range(o):
            trace += projector[a * o + p, a * o + p]
        for x in range(3):
            gradient[own + x] += 2.0 * trace * atoms.weight[a] * atoms.slope[a] * atoms.direction[a, x]
        for b in range(a):
            overlaps(atoms, a, b, orbitals, scratch.block, scratch.slope)
            total = 0.0
            for p in range(o):
                for q in range(o):
                    total += projector[a * o + p, b * o + q] * scratch.block[p, q]
            for x in range(3):
                along = 0.0
                for p in range(o):
                    for q in range(o):
                        along += projector[a * o + p, b * o + q] * scratch.slope[x, p, q]
                along *= 2.0 * atoms.weight[a] * atoms.weight[b]
                gradient[own + x] += along + 2.0 * total * atoms.slope[a] * atoms.weight[b] * atoms.direction[a, x]
                if b > 0:
                    gradient[3 * atoms.row[b] + x] += (
                        2.0 * total * atoms.slope[b] * atoms.weight[a] * atoms.direction[b, x] - along
                    )


class OrbitalLabel(NamedTuple):
    """Name of one entry: its place among the descending eigenvalues."""

    place: int


@final
@variant
class OverlapMatrix(NeighbourDescriptor):
    """Overlap-matrix fingerprint, invariant under O(3): eigenvalues of w_a w_b <phi_a|phi_b>, descending.

    The centre and each neighbour carry a normalised Gaussian-type s orbital, exp(-r²/2 s²) with s = `width_scale` times
    the covalent radius of the species, and for ``sp`` the three p orbitals of that width. The amplitude w is 1 at the
    centre and (1 - (r/cutoff)²)^cutoff_power at a neighbour. Sadeghi et al., J. Chem. Phys. 139, 184118 (2013); Zhu et
    al., J. Chem. Phys. 144, 034203 (2016); Parsaeifard and Goedecker, J. Chem. Phys. 156, 034302 (2022). Radii are
    those of Cordero et al., Dalton Trans. 2008, 2832, as in ``ase.data.covalent_radii``.

    F = 1 + N for s, 4 (1 + N) for sp: eigenvalues are filled up with zeros for environments of fewer neighbours, which
    is what a neighbour outside the cutoff leaves. Species act through their radii alone.

    A sorted eigenvalue has a kink where it meets the next. Eigenvalues that are equal up to `degeneracy` are therefore
    each given their mean derivative, which is differentiable and invariant.

    Parameters
    ----------
    cutoff
        Radius of the environment, in Å.
    orbitals
        ``s`` or ``sp``.
    width_scale
        Width of an orbital in covalent radii.
    cutoff_power
        Smoothness at the cutoff: 2 in the authors' codes, which write the cutoff as sqrt(2 cutoff_power) times a width.
    degeneracy
        Gap, relative to the largest eigenvalue, up to which neighbouring eigenvalues count as equal. Below about 1e-6
        the rounding of eigenvectors shows in the Jacobian of symmetric environments, unseen by the rotation floor.
    n_neighbours_max
        Number of neighbours N that features are laid out for; None takes the most that an environment of the set has.

    Raises
    ------
    InputError
        For a value out of range, an element without a covalent radius, or more neighbours than the layout is for.
    """

    parity: ClassVar[Parity | None] = "O3"
    rounding: ClassVar[float] = EIGENVALUE_ROUNDING
    orbitals: Annotated[Literal["s", "sp"], Field(description="s, or sp for p orbitals too")] = "sp"
    width_scale: Annotated[Length, Field(description="width of an orbital in covalent radii")] = 1.0
    cutoff_power: Annotated[int, Field(ge=2, description="smoothness at the cutoff")] = 2
    degeneracy: Degeneracy = 1e-6
    n_neighbours_max: MostNeighbours = None

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[OrbitalLabel]:
        """Name every feature, in order; as in :meth:`Descriptor.feature_labels`."""
        return [OrbitalLabel(place) for place in range(self._n_features(Layout.of(environments, self.cutoff)))]

    @property
    def _per_atom(self) -> int:
        return 1 if self.orbitals == "s" else 4

    def _n_features(self, layout: Layout) -> int:
        return self._per_atom * (1 + layout.n_neighbours_for(self))

    def _fill(self, items: list[Environment], layout: Layout, features: Floats, jacobian: Floats) -> None:
        species = layout.species_with_centers
        batch = pack(items, species, with_centers=True)
        o = self._per_atom
        orbitals = Orbitals(self.width_scale * radii(species), o, self.cutoff, self.cutoff_power)
        atoms = inside(batch)
        m = o * len(atoms.row)
        scratch = Scratch(
            atoms=atoms,
            matrix=np.empty(m * m),
            projector=np.empty(m * m),
            values=np.empty(m),
            indices=np.empty(m, dtype=np.int64),
            block=np.empty((o, o)),
            slope=np.empty((3, o, o)),
        )
        overlap_matrix(batch, orbitals, self.degeneracy, scratch, features, jacobian)
