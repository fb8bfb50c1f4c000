"""Environments, checked where they are made. All other code trusts their read-only arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np

from nullmode._support.arguments import as_whole, listed, real_array
from nullmode._support.elements import atomic_number, numbers_of, symbol
from nullmode._support.types import Floats, InputError, Integers
from nullmode.geometry.cutoff import at_cutoff, inside
from nullmode.geometry.lengths import check_lengths
from nullmode.geometry.structure import CLOSEST

Species: TypeAlias = int | str
Centers: TypeAlias = Species | Sequence[Species] | None


def at_origin(tolerance: float) -> float:
    """Length in Å below which an atom of a molecule is at the centroid, as its direction has no meaning."""
    return max(4 * tolerance, CLOSEST)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Environment:
    """A centre and its neighbours; made by :meth:`Environment.from_vectors` or :func:`nullmode.environments`.

    Attributes
    ----------
    vectors, shape (n, 3)
        Neighbours relative to the centre, in Å.
    species, shape (n,)
        Atomic numbers of the neighbours.
    center_species
        Atomic number of the centre.
    cutoff
        Radius in Å up to which neighbours were looked for; None if there are no others at any distance.
    atoms, shape (n,)
        Index of each neighbour's atom in its structure; equal for periodic images of one atom.
    structure
        Index of the structure in the set that was given; None if made from vectors.
    center
        Index of the central atom; -1 if made from vectors.
    at_cutoff
        Number of atoms within 5e-8 Å of the cutoff; they are left out.
    extent
        Largest coordinate of an atom or a cell vector in its structure, in Å: the larger, the more coarsely vectors
        are rounded. 0 if made from vectors.
    """

    vectors: Floats
    species: Integers
    center_species: int
    cutoff: float | None
    atoms: Integers
    structure: int | None = None
    center: int = -1
    at_cutoff: int = 0
    extent: float = 0.0

    @classmethod
    def from_vectors(
        cls,
        vectors: Any,
        species: Species | Sequence[Species] | None = None,
        center_species: Species | None = None,
    ) -> Self:
        """Make an environment from neighbour vectors; by default hydrogen around carbon.

        Parameters
        ----------
        vectors, shape (n, 3)
            Neighbours relative to the centre, in Å.
        species
            Symbol or atomic number of each neighbour, or one for all; default H.
        center_species
            Symbol or atomic number of the centre; default C.

        Raises
        ------
        InputError
            For a wrong shape, anything but real numbers, a non-finite component, a neighbour on the centre or on
            another neighbour, an unknown element.
        """
        array = np.array(real_array("vectors", vectors), order="C")
        array = array.reshape(0, 3) if array.shape == (0,) else array
        if array.ndim != 2 or array.shape[1] != 3:
            raise InputError(f"`vectors` must have shape (n, 3), got {array.shape}; one row per neighbour, in Å.")
        check_lengths("vectors", array)
        _check_distinct(array)
        n = len(array)
        kinds: Any = "H" if species is None else species
        alone = isinstance(kinds, str) or as_whole(kinds) is not None
        numbers = numbers_of([kinds] * n if alone else kinds)
        if len(numbers) != n:
            raise InputError(f"`species` must name each of the {n} neighbours, got {len(numbers)} entries.")
        return cls(
            vectors=_final(array),
            species=_final(numbers),
            center_species=6 if center_species is None else atomic_number(center_species, "center_species"),
            cutoff=None,
            atoms=_final(np.arange(n)),
        )

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        from ase.formula import Formula

        neighbours = Formula.from_list([symbol(number) for number in self.species]).format("hill")
        where = "" if self.structure is None else f", structure={self.structure}, center={self.center}"
        return f"Environment({symbol(self.center_species)} | {neighbours or 'no neighbours'}{where})"


def within(environment: Environment, cutoff: float) -> Environment:
    """Leave out the neighbours that are not nearer than `cutoff` (Å), or at it."""
    keep = inside(environment.vectors, cutoff)
    narrower = environment.cutoff is None or cutoff < environment.cutoff
    if keep.all():
        return replace(environment, at_cutoff=0) if narrower and environment.at_cutoff else environment
    count = int(np.count_nonzero(at_cutoff(environment.vectors, cutoff)))
    kept = {name: _final(getattr(environment, name)[keep]) for name in ("vectors", "species", "atoms")}
    return replace(environment, **kept, cutoff=cutoff if narrower else environment.cutoff, at_cutoff=count)


def check_environment(environment: Any) -> None:
    """Refuse anything but an Environment."""
    if not isinstance(environment, Environment):
        raise InputError(
            f"`environment` must be a nullmode.Environment, got {type(environment).__name__}. "
            "Cut one out of ase.Atoms with nullmode.environments, or use Environment.from_vectors."
        )


def check_environments(environments: Any) -> list[Environment]:
    """Refuse anything but a sequence of Environments, and list them."""
    if isinstance(environments, Environment):
        raise InputError("`environments` must be a sequence, got a single Environment. Pass a list: [environment].")
    result = listed(environments)
    for environment in result:
        check_environment(environment)
    return result


def _final(array: Any) -> Any:
    array.setflags(write=False)
    return array


def _check_distinct(vectors: Floats) -> None:
    distance = np.linalg.norm(vectors, axis=1)
    if (distance < CLOSEST).any():
        raise InputError(
            f"`vectors` must lie off the centre, got a length of {distance.min():.1e} Å in row {distance.argmin()}. "
            "The centre itself is no neighbour."
        )
    from scipy.spatial import KDTree

    pairs = KDTree(vectors).query_pairs(CLOSEST, output_type="ndarray")
    if len(pairs):
        first, second = pairs[0]
        raise InputError(f"`vectors` must be distinct, got rows {first} and {second} at the same place.")
