"""What descriptors share that take the neighbours' places as they are, without a density."""

from abc import abstractmethod
from collections.abc import Sequence
from math import sqrt
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field

from nullmode._jit import kernel
from nullmode._plugins import variant
from nullmode.arguments import listed
from nullmode.basis.cutoff import shifted_cosine
from nullmode.basis.density import Batch
from nullmode.descriptors._base import Descriptor, Length
from nullmode.descriptors._pack import most_neighbours, species_of
from nullmode.elements import atomic_number, symbol
from nullmode.environment import Environment, check_environments
from nullmode.types import Floats, InputError, Integers


def _symbols(value: Any) -> Any:
    if value is None:
        return None
    names = tuple(symbol(atomic_number(item)) for item in listed(value))
    if len(set(names)) < len(names):
        raise InputError(f"`species` must be distinct, got {names}.")
    return names


SpeciesChoice = Annotated[
    tuple[str, ...] | None,
    BeforeValidator(_symbols),
    Field(description="chemical symbols of the channels; default: those of the set"),
]
MostNeighbours = Annotated[
    int | None, Field(ge=0, description="neighbours to lay features out for; default: the most of the set")
]
Degeneracy = Annotated[float, Field(ge=0, lt=1, description="relative gap up to which sorted values count as equal")]
CutoffWidth = Annotated[float, Field(ge=0, allow_inf_nan=False, description="smoothing range, Å")]


# Of the cutoff. Kernels round distances otherwise than numpy does: never may they find a neighbour more than
# `most_neighbours` has made room for.
_EDGE = 1 - 1e-14


class Inside(NamedTuple):
    """One environment's centre (row 0) and the neighbours nearer than the cutoff; scratch, sized for the largest one.

    Attributes
    ----------
    row, shape (1 + n,)
        Row of each in the environment; -1 for the centre.
    species, shape (1 + n,)
        Place of each in the species of the batch.
    position, direction, shape (1 + n, 3)
        Places relative to the centre, in Å, and unit vectors; 0 for the centre.
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
    whole, vector, number = np.empty(rows, dtype=np.int64), np.empty((rows, 3)), np.empty(rows)
    return Inside(
        whole, whole.copy(), vector, vector.copy(), number, number.copy(), number.copy(), gradient=np.empty((2, 3))
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


@variant
class NeighbourDescriptor(Descriptor):
    """A function of the neighbours' places themselves (abstract).

    Parameters
    ----------
    cutoff
        Radius of the environment, in Å.
    """

    cutoff: Annotated[Length, Field(description="radius of the environment, Å")] = 4.0

    @abstractmethod
    def _n_features(self, environments: Sequence[Environment]) -> int: ...

    @abstractmethod
    def _evaluate(self, environments: Sequence[Environment], features: Floats, jacobian: Floats) -> None: ...

    def compute_batch(self, environments: Sequence[Environment]) -> list[Floats]:
        """Features of each environment, shape (F,), in input order; one layout for all."""
        environments = self._checked(environments)
        features = self._empty(environments)
        if features.size:
            self._evaluate(environments, features, np.empty(0))
        return list(features)

    def compute_batch_with_jacobian(self, environments: Sequence[Environment]) -> list[tuple[Floats, Floats]]:
        """Features (F,) and Jacobian (F, n, 3) of each environment, in input order; one layout for all.

        The arrays of one call share memory: copy one that is to outlive the others.
        """
        environments = self._checked(environments)
        features = self._empty(environments)
        lengths = [len(environment) for environment in environments]
        n_features = features.shape[1]
        jacobian = np.zeros(3 * n_features * sum(lengths))
        if features.size:
            self._evaluate(environments, features, jacobian)
        parts = np.split(jacobian, 3 * n_features * np.cumsum(lengths, dtype=np.int64)[:-1]) if lengths else []
        return [(row, part.reshape(n_features, n, 3)) for row, part, n in zip(features, parts, lengths, strict=True)]

    def _checked(self, environments: Sequence[Environment]) -> list[Environment]:
        environments = check_environments(environments)
        for environment in environments:
            if environment.cutoff is not None and environment.cutoff < self.cutoff:
                raise InputError(
                    f"`environment` must reach as far as the descriptor's cutoff ({self.cutoff} Å), got one cut at "
                    f"{environment.cutoff} Å. Make it with nullmode.environments(..., cutoff={self.cutoff})."
                )
        return environments

    def _empty(self, environments: Sequence[Environment]) -> Floats:
        return np.zeros((len(environments), self._n_features(environments) if environments else 0))


def species_layout(species: SpeciesChoice, environments: Sequence[Environment] | None) -> tuple[str, ...]:
    """Give the species as asked for, else those of a set, else one named ``X``."""
    if species is not None:
        return species
    return ("X",) if environments is None else species_of(check_environments(environments), with_centers=False)


def laid_out_for(n_neighbours_max: int | None, environments: Sequence[Environment] | None, cutoff: float) -> int:
    """Give the number of neighbours that features are laid out for: as asked for, else the most of a set, else 1.

    Raises
    ------
    InputError
        If an environment has more than asked for.
    """
    if environments is None:
        return 1 if n_neighbours_max is None else n_neighbours_max
    found = most_neighbours(check_environments(environments), cutoff)
    if n_neighbours_max is None:
        return found
    if found > n_neighbours_max:
        raise InputError(
            f"`n_neighbours_max` must be at least the number of neighbours inside the cutoff, got {n_neighbours_max} "
            f"for an environment with {found}. Raise it, or pass n_neighbours_max=None."
        )
    return n_neighbours_max


def check_smoothing(cutoff: float, cutoff_width: float) -> None:
    """Refuse a smoothing range that is wider than the environment."""
    if cutoff_width > cutoff:
        raise InputError(
            f"`cutoff_width` must not exceed `cutoff`, got {cutoff_width} Å > {cutoff} Å. Use a narrower one."
        )
