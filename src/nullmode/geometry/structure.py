"""The checks of a whole structure: what environments can be cut out of."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.elements import LARGEST_NUMBER, numbers_of
from nullmode._support.types import Bools, Floats, InputError, Integers
from nullmode.geometry.arrays import with_plain_arrays
from nullmode.geometry.cell import check_cell
from nullmode.geometry.disorder import check_ordered
from nullmode.geometry.lengths import check_lengths
from nullmode.geometry.neighbours import pairs_within

if TYPE_CHECKING:
    from ase import Atoms

CLOSEST = 1e-6
"""Atoms nearer than this, in Å, coincide: there a direction, and with it a derivative, has no meaning."""
# Radius, in Å, within which coinciding atoms are looked for: a smaller one takes no less time.
_NEAR = 0.1


def check_sound(atoms: "Atoms", where: str) -> None:
    """Refuse a structure that no environment can be cut out of, as :func:`nullmode.environments` does; `where` it is.

    Raises
    ------
    InputError
        For a non-finite or coincident position, an unknown element, a cell that does not span space, or partly occupied
        sites.
    """
    atoms = with_plain_arrays(atoms, where)
    check_structure(atoms, where)
    i, j, _, vectors = pairs_within(atoms, _NEAR)
    check_apart(i, j, vectors, where)


def check_structure(atoms: "Atoms", where: str) -> Integers:
    """Do so for all but coincident positions; give the atomic numbers."""
    check_lengths(f"{where}.positions", atoms.positions)
    check_lengths(f"{where}.cell", np.array(atoms.cell))
    numbers: Integers = atoms.numbers.astype(np.int64)
    if not ((numbers > 0) & (numbers <= LARGEST_NUMBER)).all():
        numbers = numbers_of(atoms.numbers.tolist(), f"{where}.numbers")
    check_cell(atoms, where)
    check_ordered(atoms, where)
    return numbers


def check_apart(i: Integers, j: Integers, vectors: Floats, where: str) -> None:
    """Refuse coincident atoms among all near pairs."""
    same = coincide(vectors)
    if same.any():
        raise InputError(
            f"`{where}.positions` must be distinct, got atoms {i[same][0]} and {j[same][0]} at the same place. "
            "Remove one of them."
        )


def coincide(vectors: Floats) -> Bools:
    """Whether the two atoms of each pair are at the same place; vectors from one to the other, (p, 3), in Å."""
    return np.asarray((vectors**2).sum(axis=1) < CLOSEST**2)
