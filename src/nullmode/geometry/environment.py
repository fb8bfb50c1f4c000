"""Environments, checked where they are made. All other code trusts their read-only arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from nullmode._support.arguments import as_whole, check_cutoff, listed, real_array
from nullmode._support.elements import atomic_number, known_number, numbers_of, symbol
from nullmode._support.types import Floats, InputError, Integers
from nullmode.geometry.arrays import with_plain_arrays
from nullmode.geometry.cutoff import AT_CUTOFF, at_cutoff, inside
from nullmode.geometry.lengths import check_lengths
from nullmode.geometry.neighbours import pairs_within
from nullmode.geometry.structure import CLOSEST, check_apart, check_structure
from nullmode.geometry.units import warn_of_units

if TYPE_CHECKING:
    from ase import Atoms

Species: TypeAlias = int | str
Centers: TypeAlias = Species | Sequence[Species] | None


def at_origin(tolerance: float) -> float:
    """Length in Å below which an atom of a molecule is at the centroid, as its direction has no meaning."""
    return max(4 * tolerance, CLOSEST)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Environment:
    """A centre and its neighbours; made by :meth:`from_vectors` or :func:`environments`.

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


def environments(atoms: "Atoms | Sequence[Atoms]", cutoff: float = 4.0, centers: Centers = None) -> list[Environment]:
    """Cut the environments of all or chosen atoms out of one structure or many.

    Each periodic image of a neighbour is a neighbour of its own; images of one atom have equal indices in
    ``Environment.atoms``, and ``sensitivity(..., degrees_of_freedom="atoms")`` moves them together.

    Parameters
    ----------
    atoms
        One structure or several, molecules or periodic.
    cutoff
        Neighbours with |r| < cutoff belong to the environment, in Å; atoms less than 5e-8 Å inside the cutoff are at
        it, and do not.
    centers
        Chemical symbols or atom indices of the centres; None for every atom. Structures without the chosen species
        are left out.

    Returns
    -------
    list of Environment
        Ordered by structure, then by centre; neighbours ordered by atom index, then by cell.

    Raises
    ------
    InputError
        For positions that are no real numbers, not finite or coincident, an unknown element or index, a partly occupied
        site, a cell that does not span space, or if no centre has a neighbour. Single ones may have none.

    Warns
    -----
    UserWarning
        If the shortest distance of the first structures is beyond any chemistry: coordinates may not be in Å.
    """
    return cut(*checked_structures(atoms, cutoff, centers))


def checked_structures(
    atoms: "Atoms | Sequence[Atoms]", cutoff: float, centers: Centers
) -> tuple[list["Atoms"], float, list[Integers]]:
    """List structures, their cutoff, and the indices of the chosen centres of each; errors as :func:`environments`."""
    from ase import Atoms

    structures = [atoms] if isinstance(atoms, Atoms) else listed(atoms)
    radius = check_cutoff(cutoff)
    if not structures:
        raise InputError("`atoms` must hold at least one structure, got none.")
    for index, structure in enumerate(structures):
        if not isinstance(structure, Atoms):
            raise InputError(f"`atoms` must be ase.Atoms, got {type(structure).__name__} at index {index}.")
    structures = [with_plain_arrays(structure, f"atoms[{index}]") for index, structure in enumerate(structures)]
    warn_of_units(structures)
    chosen = [centers_of(structure, centers, index) for index, structure in enumerate(structures)]
    if not any(len(indices) for indices in chosen):
        raise InputError(f"`centers` must occur in the structures, got {centers!r}, which none of them holds.")
    return structures, radius, chosen


def cut(structures: "Sequence[Atoms]", cutoff: float, centers: Sequence[Integers]) -> list[Environment]:
    """Do as :func:`environments`, given the indices of the centres of each structure."""
    numbered = enumerate(zip(structures, centers, strict=True))
    result = [each for k, (structure, chosen) in numbered for each in environments_of(structure, k, cutoff, chosen)]
    if not any(len(environment) for environment in result):
        raise InputError(f"`cutoff` must reach a neighbour, got {cutoff} Å, within which no centre has one.")
    return result


def environments_of(
    atoms: "Atoms", index: int, cutoff: float, chosen: Integers, where: str | None = None
) -> Iterator[Environment]:
    """Cut the environments of the chosen centres out of one structure; all of them may lack neighbours.

    `where` names the structure in messages; by default it is ``atoms[index]``.
    """
    where = where or f"atoms[{index}]"
    atoms = with_plain_arrays(atoms, where)
    numbers = check_structure(atoms, where)
    i, j, shift, vectors = pairs_within(atoms, cutoff + AT_CUTOFF)
    check_apart(i, j, vectors, where)
    kept = inside(vectors, cutoff)
    count = np.bincount(i[~kept], minlength=len(atoms))
    i, j, shift, vectors = i[kept], j[kept], shift[kept], vectors[kept]
    order = np.lexsort((shift[:, 2], shift[:, 1], shift[:, 0], j, i))
    i, j, vectors = i[order], _final(j[order]), _final(np.ascontiguousarray(vectors[order]))
    first = np.searchsorted(i, np.arange(len(atoms) + 1))
    species = _final(numbers[j])
    extent = float(max(np.abs(atoms.positions).max(initial=0.0), np.abs(atoms.cell[atoms.pbc]).max(initial=0.0)))
    for center in chosen.tolist():
        rows = slice(first[center], first[center + 1])
        yield Environment(
            vectors=vectors[rows],
            species=species[rows],
            center_species=int(numbers[center]),
            cutoff=cutoff,
            atoms=j[rows],
            structure=index,
            center=center,
            at_cutoff=int(count[center]),
            extent=extent,
        )


def centers_of(atoms: "Atoms", centers: Centers = None, index: int = 0) -> Integers:
    """Find the chosen central atoms of one structure, ascending; `index` is that of the structure, for messages."""
    if centers is None:
        return np.arange(len(atoms))
    chosen = listed(centers)
    if not chosen:
        raise InputError("`centers` must name at least one species or index, got none. None takes every atom.")
    mask = np.zeros(len(atoms), dtype=bool)
    for center in chosen:
        position = as_whole(center)
        if position is None:
            number = known_number(center) if isinstance(center, str) else None
            if not number:
                remedy = (
                    " Turn a mask into indices with numpy.flatnonzero." if isinstance(center, bool | np.bool) else ""
                )
                raise InputError(f"`centers` must be chemical symbols or atom indices, got {center!r}.{remedy}")
            mask |= atoms.numbers == number
        elif 0 <= position < len(atoms):
            mask[position] = True
        else:
            raise InputError(
                f"`centers` must be atom indices of structure {index} (0 to {len(atoms) - 1}), got {center}."
            )
    return np.flatnonzero(mask)


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
