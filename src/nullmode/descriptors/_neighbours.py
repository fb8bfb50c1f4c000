"""What the descriptors share that use the neighbours' positions directly, without a density."""

from abc import abstractmethod
from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.types import Floats, Integers
from nullmode._support.variants import variant
from nullmode.basis.cutoff import shifted_cosine
from nullmode.basis.density import Batch
from nullmode.descriptors._base import BatchDescriptor, allocated
from nullmode.descriptors._layout import Layout
from nullmode.descriptors._parameters import Cutoff, check_reach
from nullmode.geometry.environment import Environment

# Of the cutoff. Kernels and NumPy round distances differently: a kernel must never find more neighbours inside the
# cutoff than `Layout.of` has counted.
_EDGE = 1 - 1e-14


class Inside(NamedTuple):
    """One environment's centre (row 0) and the neighbours nearer than the cutoff; scratch, sized for the largest one.

    Attributes
    ----------
    row, shape (1 + n,)
        Row of each in the environment; -1 for the centre.
    species, shape (1 + n,)
        Index of each in the species of the batch.
    position, direction, shape (1 + n, 3)
        Relative to the centre, in Å, and unit vectors; 0 for the centre.
    distance, shape (1 + n,)
        From the centre, in Å.
    weight, slope, shape (1 + n,)
        Cutoff function and its derivative in 1/Å; 1 and 0 for the centre.
    gradient, shape (2, 3)
        Scratch of :func:`inverse_distance`.
    """

    row: Integers
    species: Integers
    position: Floats
    direction: Floats
    distance: Floats
    weight: Floats
    slope: Floats
    gradient: Floats


def inside(batch: Batch) -> Inside:
    """Allocate the scratch for the largest environment of a batch."""
    rows = 1 + int(np.diff(batch.offsets).max())
    integer, vector, number = np.empty(rows, dtype=np.int64), np.empty((rows, 3)), np.empty(rows)
    return Inside(
        integer, integer.copy(), vector, vector.copy(), number, number.copy(), number.copy(), gradient=np.empty((2, 3))
    )


@kernel
def gather(batch: Batch, environment: int, cutoff: float, cutoff_width: float, out: Inside) -> int:
    """Fill `out` for one environment, with a shifted cosine as weight; return its number of rows, centre included."""
    out.row[0] = -1
    out.species[0] = batch.center_species[environment]
    out.position[0] = 0.0
    out.direction[0] = 0.0
    out.distance[0] = 0.0
    out.weight[0] = 1.0
    out.slope[0] = 0.0
    first = batch.offsets[environment]
    rows = 1
    for j in range(batch.offsets[environment + 1] - first):
        r = batch.vectors[first + j]
        distance = sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2])
        if distance >= _EDGE * cutoff:
            continue
        out.row[rows] = j
        out.species[rows] = batch.species[first + j]
        out.distance[rows] = distance
        for x in range(3):
            out.position[rows, x] = r[x]
            out.direction[rows, x] = r[x] / distance
        out.weight[rows], out.slope[rows] = shifted_cosine(distance, cutoff, cutoff_width)
        rows += 1
    return rows


@kernel
def inverse_distance(atoms: Inside, a: int, b: int) -> float:
    """Weighted inverse distance w_a w_b/r_ab in 1/Å; its derivatives with respect to a and b go to `gradient`."""
    square = 0.0
    for x in range(3):
        square += (atoms.position[a, x] - atoms.position[b, x]) ** 2
    inverse = 1.0 / sqrt(square)
    value = float(atoms.weight[a] * atoms.weight[b] * inverse)
    for x in range(3):
        along = value * (atoms.position[a, x] - atoms.position[b, x]) / square
        atoms.gradient[0, x] = atoms.slope[a] * atoms.weight[b] * inverse * atoms.direction[a, x] - along
        atoms.gradient[1, x] = atoms.slope[b] * atoms.weight[a] * inverse * atoms.direction[b, x] + along
    return value


@kernel
def copy(values: Floats, start: int, target: int, count: int) -> None:
    """Copy `count` values from `start` on to `target` on."""
    # To assign a slice takes 6 s more to compile: Numba makes the text of an error for shapes that differ.
    for k in range(count):
        values[target + k] = values[start + k]


@variant
class NeighbourDescriptor(BatchDescriptor):
    """A function of the neighbours' positions themselves (abstract).

    Parameters
    ----------
    cutoff
        Radius of the environment, in Å.
    """

    cutoff: Cutoff = 4.0

    @abstractmethod
    def _n_features(self, layout: Layout) -> int: ...

    @abstractmethod
    def _fill(self, items: list[Environment], layout: Layout, features: Floats, jacobian: Floats) -> None:
        """Add to features (n_environments, F) and, unless it is empty, to each (F, n, 3) laid end to end; all are 0."""

    def _run(self, environments: Sequence[Environment], *, with_jacobian: bool) -> tuple[Floats, list[Floats]]:
        items = check_reach(environments, self.cutoff)
        if not items:
            return np.empty((0, 0)), []
        layout = Layout.of(items, self.cutoff)
        features, jacobian, views = allocated(items, self._n_features(layout), with_jacobian=with_jacobian)
        features[:], jacobian[:] = 0.0, 0.0
        self._fill(items, layout, features, jacobian)
        return features, views
