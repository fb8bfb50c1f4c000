"""Environments cut out of structures: many small ones in one pass, as arrays."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.arguments import as_whole, check_cutoff, listed
from nullmode._support.elements import LARGEST_NUMBER, known_number
from nullmode._support.types import Bools, Floats, InputError, Integers
from nullmode.geometry.arrays import with_plain_arrays
from nullmode.geometry.cutoff import AT_CUTOFF, inside
from nullmode.geometry.disorder import has_shares
from nullmode.geometry.environment import Centers, Environment
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.geometry.lengths import FARTHEST
from nullmode.geometry.neighbours import pairs_of_many, pairs_within
from nullmode.geometry.structure import check_apart, check_structure, coincide
from nullmode.geometry.units import warn_of_units

if TYPE_CHECKING:
    from ase import Atoms

_ATOMS_AT_ONCE = 1 << 13


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
    chosen = centers_of_many(structures, centers, range(len(structures)))
    if not any(len(indices) for indices in chosen):
        raise InputError(f"`centers` must occur in the structures, got {centers!r}, which none of them holds.")
    return structures, radius, chosen


def cut(structures: "Sequence[Atoms]", cutoff: float, centers: Sequence[Integers]) -> list[Environment]:
    """Do as :func:`environments`, given the indices of the centres of each structure."""
    sets = list(cut_sets(structures, cutoff, centers))
    if not any(len(each.vectors) for each in sets):
        raise InputError(f"`cutoff` must reach a neighbour, got {cutoff} Å, within which no centre has one.")
    return [environment for each in sets for environment in each]


def environments_of(
    atoms: "Atoms", index: int, cutoff: float, chosen: Integers, where: str | None = None
) -> list[Environment]:
    """Cut the environments of the chosen centres out of one structure; all of them may lack neighbours.

    `where` names the structure in messages; by default it is ``atoms[index]``.
    """
    return list(_cut([atoms], index, cutoff, [chosen], None if where is None else [where]))


def cut_sets(
    structures: "Sequence[Atoms]",
    cutoff: float,
    centers: Sequence[Integers],
    first: int = 0,
    names: Sequence[str] | None = None,
) -> Iterator[EnvironmentSet]:
    """Cut the environments of chosen centres out of structures that are counted from `first`; they may be none.

    The structures have plain arrays (:func:`with_plain_arrays`). Messages call them by their `names`, by default
    ``atoms[index]``. Each set is small, so that who keeps one environment keeps little else.
    """
    start = atoms = 0
    for stop, structure in enumerate(structures, 1):
        atoms += len(structure)
        if atoms >= _ATOMS_AT_ONCE or stop == len(structures):
            own = None if names is None else names[start:stop]
            yield _cut(structures[start:stop], first + start, cutoff, centers[start:stop], own)
            start, atoms = stop, 0


def _cut(
    structures: "Sequence[Atoms]",
    first: int,
    cutoff: float,
    centers: Sequence[Integers],
    names: Sequence[str] | None = None,
) -> EnvironmentSet:
    starts = np.cumsum([0, *(len(atoms) for atoms in structures)])
    positions = np.concatenate([atoms.positions for atoms in structures])
    numbers = np.concatenate([atoms.arrays["numbers"] for atoms in structures]).astype(np.int64)
    cells = np.array([atoms.cell.array for atoms in structures])
    pbc = np.array([atoms.pbc for atoms in structures])
    periodic = np.asarray(pbc.any(axis=1))
    pairs = None
    if _are_sound(structures, positions, numbers, cells, periodic):
        pairs = pairs_of_many(structures, positions, starts, periodic, cutoff + AT_CUTOFF)
    if pairs is None or coincide(pairs[3]).any():
        # Which structure it is, and what is wrong with it.
        for k, atoms in enumerate(structures):
            where = f"atoms[{first + k}]" if names is None else names[k]
            check_structure(atoms, where)
            i, j, _, vectors = pairs_within(atoms, cutoff + AT_CUTOFF)
            check_apart(i, j, vectors, where)
    assert pairs is not None
    extent = np.abs(np.where(pbc[:, :, None], cells, 0.0)).max(axis=(1, 2))
    owner = np.repeat(np.arange(len(structures)), np.diff(starts))
    np.maximum.at(extent, owner, np.abs(positions).max(axis=1))
    structure = np.repeat(np.arange(len(structures)), [len(indices) for indices in centers])
    center = np.concatenate(centers)
    atom = starts[structure] + center
    i, j, shift, vectors = pairs
    kept = inside(vectors, cutoff)
    at_cutoff = np.bincount(i[~kept], minlength=len(positions))
    is_center = np.zeros(len(positions), dtype=bool)
    is_center[atom] = True
    rows = np.flatnonzero(kept & is_center[i])
    rows = rows[_order(i[rows], j[rows], shift[rows])]
    i, j = i[rows], j[rows]
    length = np.bincount(i, minlength=len(positions))[atom]
    offsets = np.concatenate([[0], np.cumsum(length)])
    if (np.diff(atom) <= 0).any():
        first_row = np.searchsorted(i, atom)
        chosen = np.arange(offsets[-1]) + np.repeat(first_row - offsets[:-1], length)
        rows, j = rows[chosen], j[chosen]
    result = EnvironmentSet(
        vectors=vectors[rows],
        species=numbers[j],
        atoms=j - starts[owner[j]],
        offsets=offsets,
        center_species=numbers[atom],
        center=center,
        structure=first + structure,
        at_cutoff=at_cutoff[atom],
        extent=extent[structure],
        cutoff=cutoff,
    )
    for array in (result.vectors, result.species, result.atoms):
        array.setflags(write=False)
    return result


def _are_sound(
    structures: "Sequence[Atoms]", positions: Floats, numbers: Integers, cells: Floats, periodic: Bools
) -> bool:
    """Whether :func:`check_structure` refuses none of the structures."""
    # Written so that NaN is caught too.
    if not ((np.abs(positions) <= FARTHEST).all() and (np.abs(cells) <= FARTHEST).all()):
        return False
    if not ((numbers > 0) & (numbers <= LARGEST_NUMBER)).all():
        return False
    try:
        for k, (atoms, any_periodic) in enumerate(zip(structures, periodic.tolist(), strict=True)):
            if any_periodic or has_shares(atoms):
                check_structure(atoms, str(k))
    except InputError:
        return False
    return True


def _order(i: Integers, j: Integers, shift: Integers) -> Integers:
    """Order pairs by both atoms, then by cell."""
    return np.lexsort((*shift.T[::-1], j, i) if shift.any() else (j, i))


def centers_of_many(structures: "Sequence[Atoms]", centers: Centers, indices: Iterable[int]) -> list[Integers]:
    """Do as :func:`centers_of` for structures with these indices."""
    chosen = [] if centers is None else listed(centers)
    kinds = [known_number(center) for center in chosen if isinstance(center, str)]
    if len(kinds) < len(chosen) or not all(kinds) or (centers is not None and not chosen):
        return [centers_of(atoms, centers, index) for atoms, index in zip(structures, indices, strict=False)]
    sizes = [len(atoms) for atoms in structures]
    if centers is None:
        every = np.arange(max(sizes, default=0))
        return [every[:size] for size in sizes]
    if not structures:
        return []
    atom = np.flatnonzero(np.isin(np.concatenate([atoms.numbers for atoms in structures]), kinds))
    starts = np.cumsum([0, *sizes])
    bounds = np.searchsorted(atom, starts).tolist()
    local = atom - np.repeat(starts[:-1], np.diff(bounds))
    return [local[start:stop] for start, stop in pairwise(bounds)]


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
