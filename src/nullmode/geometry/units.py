"""Whether coordinates can be in Å: a warning where the shortest distances are beyond any chemistry."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.elements import symbol
from nullmode._support.types import Floats, InputError, Integers
from nullmode.geometry.cell import check_cell
from nullmode.geometry.disorder import check_ordered
from nullmode.geometry.neighbours import pairs_within

if TYPE_CHECKING:
    from ase import Atoms

_NANOMETRES, _BOHR = 0.3, (1.6, 2.6)
"""Of the nearest pair of all structures, the distance over the sum of covalent radii, which is 0.9 to 1.3 for bonds:
below the first, it may be in nanometres; between the others, in bohr."""
MOST_STRUCTURES = 8
_NEAREST = 4  # neighbours: the nearest one may be of another element than the nearest for its radius
_MOST_WITH_IMAGES = 200  # atoms; in a larger structure, most nearest neighbours are in the same cell
_LEAST_VOLUME = 1.0
"""Å³ per atom; hydrogen in the middle of Jupiter has more."""
_NOBLE = (2, 10, 18, 36, 54, 86)
_UNKNOWN_RADIUS = 0.2
_FARTHEST = 1e6


def warn_of_units(structures: Sequence["Atoms"]) -> None:
    """Warn if the first structures hold no distance that a bond has, since their coordinates are hardly in Å."""
    found = [pair for atoms in structures[:MOST_STRUCTURES] if (pair := _nearest(atoms)) is not None]
    if not found:
        return
    ratio, distance, first, second = min(found)
    in_bohr = _BOHR[0] < ratio < _BOHR[1] and not {first, second} & {*_NOBLE}
    if ratio >= _NANOMETRES and not in_bohr:
        return
    names = f"{symbol(first)}-{symbol(second)}"
    nanometres = "nanometres: multiply them by 10; or one atom is listed at two places (disorder): keep one of them"
    looks = "bohr: multiply them by 0.529177" if in_bohr else nanometres
    warnings.warn(
        f"coordinates must be in Å, but their shortest distance is {distance:.2g} Å ({names}), {ratio:.2g} times the "
        f"sum of the covalent radii. They may be in {looks}.",
        stacklevel=1,  # so that it appears once, wherever structures come from
    )


def _nearest(atoms: "Atoms") -> tuple[float, float, int, int] | None:
    """Find the pair nearest to each other for their radii: ratio, distance in Å, atomic numbers; None if there is none.

    None also where atoms coincide, or elements have no radius: what is wrong there, others say.
    """
    from ase.data import covalent_radii

    try:
        check_cell(atoms, "atoms")
        check_ordered(atoms, "atoms")
    except InputError:
        return None
    numbers: Integers = atoms.numbers
    positions = np.asarray(atoms.positions, dtype=np.float64)
    if not len(atoms) or not (np.abs(positions) < _FARTHEST).all() or not ((numbers > 0) & (numbers < 119)).all():
        return None
    radii: Floats = covalent_radii[numbers]
    if (radii <= _UNKNOWN_RADIUS).any():
        return None
    volume = abs(np.linalg.det(atoms.cell)) / len(atoms)
    if atoms.pbc.all() and volume < _LEAST_VOLUME:
        length = float(np.cbrt(volume))
        return length / (2 * radii[0]), length, int(numbers[0]), int(numbers[0])
    i, j, distance = _pairs(atoms, positions, 2 * _BOHR[1] * float(radii.max()))
    if not len(i) or not distance.min():
        return None
    ratio = distance / (radii[i] + radii[j])
    least = int(ratio.argmin())
    return float(ratio[least]), float(distance[least]), int(numbers[i[least]]), int(numbers[j[least]])


def _pairs(atoms: "Atoms", positions: Floats, cutoff: float) -> tuple[Integers, Integers, Floats]:
    """Find both atoms and the distance of near pairs; of periodic ones, those within `cutoff`."""
    from scipy.spatial import KDTree

    if len(atoms) > _MOST_WITH_IMAGES or not atoms.pbc.any():
        near = range(2, min(len(atoms), _NEAREST) + 1)
        if not near:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        found, index = map(np.asarray, KDTree(positions).query(positions, k=list(near)))
        return np.repeat(np.arange(len(atoms)), len(near)), index.ravel().astype(np.int64), found.ravel()
    i, j, _, vectors = pairs_within(atoms, cutoff)
    return i, j, np.linalg.norm(vectors, axis=1)
