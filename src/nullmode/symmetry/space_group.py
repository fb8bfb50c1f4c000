"""Symmetry of a whole structure: a molecule, rod, slab or crystal, and its rigid motions."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nullmode._support.arguments import check_tolerance
from nullmode._support.types import Floats, InputError, Integers, Parity
from nullmode.geometry.environment import Environment, at_origin
from nullmode.linalg.rotations import axis_frame
from nullmode.symmetry.operations import Operations, largest_group
from nullmode.symmetry.point_group import (
    line_operations,
    mean_character,
    point_group,
    rotation_characters,
)
from nullmode.symmetry.schoenflies import schoenflies

# At smaller tolerances, in Å, spglib 2.8 finds no group of some crystals, or does not return: the operations are found
# at this one, and those kept that hold within the smaller.
_SURE = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Isometries:
    """All isometries of space that take a structure to itself; those that differ by a lattice vector count once.

    Those of a slab or crystal refer to its primitive cell.

    Attributes
    ----------
    name
        Schoenflies symbol of the orthogonal parts: the point group of a molecule, the class of a crystal.
    operations, shape (g, 3, 3)
        Orthogonal parts. A line of atoms is represented by C3v or D3h: averages of vectors over them are equal.
    permutations, shape (g, n)
        Operation k takes site j to where site permutations[k, j] is, or an image of it.
    sites, shape (N,)
        The site of each atom. Atoms that a translation of the lattice takes to each other share one.
    rigid, shape (g,)
        Character of each operation on the rigid motions.
    """

    name: str
    operations: Floats
    permutations: Integers
    sites: Integers
    rigid: Floats

    def rank_symmetric(self, parity: Parity = "O3") -> int:
        """Count the totally symmetric displacements that are no rigid motion.

        (1/|G|) sum_g [chi(g) - chi_rigid(g)] with chi(g) = (atoms left in place)·tr g; over the proper operations alone
        for features that include pseudoscalars (``SO3``).
        """
        g = self.operations
        fixed = (self.permutations == np.arange(self.permutations.shape[1])).sum(axis=1)
        return mean_character(fixed * np.trace(g, axis1=1, axis2=2) - self.rigid, np.linalg.det(g) > 0, parity)

    def symmetric_part(self, vectors: Floats, parity: Parity = "O3") -> Floats:
        """Average vectors on the atoms, shape (N, 3), over all operations, or the proper ones for parity ``SO3``."""
        kept = np.flatnonzero((np.linalg.det(self.operations) > 0) | (parity == "O3"))
        n = self.permutations.shape[1]
        count = np.bincount(self.sites, minlength=n)
        mean = np.stack([np.bincount(self.sites, column, n) / count for column in vectors.T], axis=1)
        total = np.zeros((n, 3))
        for operation, permutation in zip(self.operations[kept], self.permutations[kept], strict=True):
            total[permutation] += mean @ operation.T
        return np.asarray(total[self.sites] / len(kept))


def isometries(
    positions: Floats, kinds: Integers, cell: Floats, pbc: Integers, closest: float, tolerance: float = 1e-6
) -> Isometries:
    """Find the symmetry of a structure, periodic in any number of directions.

    Parameters
    ----------
    positions, cell, pbc, closest
        As in :class:`nullmode.spectrum.whole_structure.Structure`.
    kinds, shape (N,)
        Positive integers; operations take atoms to atoms of the same kind.
    tolerance
        Largest distance between a moved atom and its image, in Å.

    Raises
    ------
    InputError
        For a tolerance that is not a length, is above an eighth of `closest`, or at which spglib finds no group.
    """
    tolerance = check_tolerance(tolerance)
    if tolerance > closest / 8:
        raise InputError(
            f"`tolerance` must be at most an eighth of the smallest distance, {closest / 8:.2e} Å, got {tolerance}. "
            "Use a smaller one."
        )
    periodic = cell[np.asarray(pbc, dtype=bool)]
    if len(periodic) == 0:
        return _of_molecule(positions, kinds, tolerance)
    if len(periodic) == 1:
        return _of_rod(positions, kinds, periodic[0], tolerance)
    if len(periodic) == 2:
        # A cell vector normal to the slab, longer than its thickness and its cell: no operation mixes the images.
        normal = np.cross(periodic[0], periodic[1])
        normal /= np.linalg.norm(normal)
        reach = 2 * (np.ptp(positions @ normal) + np.linalg.norm(periodic, axis=1).sum())
        periodic = np.vstack([periodic, reach * normal])
    return _of_crystal(positions, kinds, periodic, tolerance)


def _of_molecule(positions: Floats, kinds: Integers, tolerance: float) -> Isometries:
    # Every isometry keeps the centroid, and with it an atom at the centroid.
    vectors = positions - positions.mean(axis=0)
    apart = np.linalg.norm(vectors, axis=1) >= at_origin(tolerance)
    group = point_group(Environment.from_vectors(vectors[apart], kinds[apart].tolist()), tolerance)
    permutations = np.tile(np.arange(len(kinds)), (len(group), 1))
    permutations[:, apart] = np.flatnonzero(apart)[group.permutations]
    translation = np.trace(group.operations, axis1=1, axis2=2)
    return Isometries(
        name=group.name,
        operations=group.operations,
        permutations=permutations,
        sites=np.arange(len(kinds)),
        rigid=translation + (rotation_characters(group) if apart.any() else 0.0),
    )


def _of_crystal(positions: Floats, kinds: Integers, cell: Floats, tolerance: float) -> Isometries:
    import spglib

    # Errors as exceptions, as spglib's documentation asks from 2.7 on.
    spglib.error.OLD_ERROR_HANDLING = False
    # In the primitive cell: a supercell has fewer operations than the crystal, and what features see at first order has
    # the period of the crystal.
    # Reduced, and with its first vector along x: where the metric of a cell is rounded by more than the square of a
    # small tolerance, spglib 2.8 reduces without end.
    symprec = max(tolerance, _SURE)
    try:
        reduced = np.array(spglib.niggli_reduce(cell.tolist(), eps=1e-5))
        upright = np.linalg.cholesky(reduced @ reduced.T)
        turn = np.linalg.solve(upright, reduced)
        given = upright.tolist(), (positions @ np.linalg.inv(reduced)).tolist(), kinds.tolist()
        primitive: Any = spglib.standardize_cell(given, to_primitive=True, no_idealize=True, symprec=symprec)
        # A standard cell is rounded once more.
        if len(primitive[2]) == len(kinds) or _missed(given, primitive) > tolerance:
            primitive = given
        symmetry: Any = spglib.get_symmetry(primitive, symprec=symprec)
    except spglib.SpglibError as error:
        raise InputError(f"`tolerance` must let spglib find the space group, got {tolerance} ({error}).") from None
    cell, scaled = np.array(primitive[0]) @ turn, np.array(primitive[1])
    to_cell = np.linalg.inv(cell)
    turns, shifts = np.array(symmetry["rotations"], dtype=np.float64), np.array(symmetry["translations"])
    found = _fitted(turns, shifts, scaled, cell)
    if symprec > tolerance:
        found = largest_group(found.within(tolerance))
    operations = found.operations
    return Isometries(
        name=schoenflies(_distinct(operations)),
        operations=operations,
        permutations=found.permutations[:, : len(scaled)],
        sites=_nearest(positions @ to_cell, scaled, cell),
        rigid=np.trace(operations, axis1=1, axis2=2),
    )


def _missed(given: tuple[Any, Any, Any], primitive: tuple[Any, Any, Any]) -> float:
    """Largest distance between an atom of a cell and the nearest one of a smaller cell, in Å."""
    cell = np.array(primitive[0])
    away = (np.array(given[1]) @ given[0] @ np.linalg.inv(cell))[:, None] - np.array(primitive[1])
    away -= np.round(away)
    return float(np.sqrt(((away @ cell) ** 2).sum(axis=2).min(axis=1).max()))


def _fitted(turns: Floats, shifts: Floats, scaled: Floats, cell: Floats) -> Operations:
    """Fit the translation of each operation of a crystal, given in units of the cell, and measure by what it misses.

    It misses atoms, and lattice vectors by the amount by which it changes their lengths and angles. The permutations
    are those of the atoms, and behind them those of the vectors of the lattice modulo 3: two operations of a group that
    permute these alike are equal, but for a translation (Minkowski, J. reine angew. Math. 1887, 101, 196).
    """
    operations = cell.T @ turns @ np.linalg.inv(cell).T
    u, _, v = np.linalg.svd(operations)
    bent = np.linalg.norm((operations - u @ v) @ cell.T, axis=1).max(axis=1)
    permutations = np.empty((len(turns), len(scaled)), dtype=np.int64)
    missed = np.empty(len(turns))
    for k, (turn, shift) in enumerate(zip(turns, shifts, strict=True)):
        moved = scaled @ turn.T + shift
        permutations[k] = _nearest(moved, scaled, cell)
        away = moved - scaled[permutations[k]]
        away = (away - np.round(away)) @ cell
        missed[k] = np.linalg.norm(away - away.mean(axis=0), axis=1).max()
    digits = np.array([1, 3, 9])
    thirds = np.arange(27)[:, None] // digits % 3
    lattice = (thirds @ np.swapaxes(turns, 1, 2)).astype(np.int64) % 3 @ digits
    images = np.hstack([permutations, len(scaled) + lattice])
    return Operations(operations, np.linalg.det(turns) > 0, images, np.maximum(bent, missed))


def _nearest(moved: Floats, scaled: Floats, cell: Floats) -> Integers:
    """Index of the position of a crystal that each of others is at; both in units of the cell."""
    away = moved[:, None] - scaled
    away -= np.round(away)
    return np.asarray(((away @ cell) ** 2).sum(axis=2).argmin(axis=1))


def _of_rod(positions: Floats, kinds: Integers, axis: Floats, tolerance: float) -> Isometries:
    """Find the rod group: rotations of any order about the axis, mirrors, twofold axes across it, screws and glides."""
    period = float(np.linalg.norm(axis))
    frame = axis_frame(axis)
    # Every isometry keeps the centroid across the axis, but not along it.
    coordinates = (positions - positions.mean(axis=0)) @ frame.T
    radius = np.linalg.norm(coordinates[:, :2], axis=1)
    is_line = bool(radius.max() <= tolerance)
    if is_line:
        # It has all operations of a line, whatever its deviations across it.
        coordinates[:, :2] = radius[:] = 0.0
    like = (kinds[:, None] == kinds) & (is_line | (np.abs(radius[:, None] - radius) <= 2 * tolerance))
    # Far from the axis, errors of an atom are not enlarged at the others; with few like it, candidates are few.
    wide = radius >= 0.5 * radius.max()
    pivot = int(np.argmin(np.where(wide, like.sum(axis=1), len(kinds) + 1)))
    identity = np.eye(3), np.arange(len(kinds)), 0.0
    accepted = [identity]
    unlike = np.where(kinds[:, None] == kinds, 0.0, np.inf)
    for image in np.flatnonzero(like[pivot]):
        candidates = line_operations() if is_line else _rod_candidates(coordinates[pivot], coordinates[image])
        for operation in candidates:
            moved = coordinates @ operation.T
            moved[:, 2] += coordinates[image, 2] - moved[pivot, 2]
            away = moved[:, None] - coordinates
            away[..., 2] -= period * np.round(away[..., 2] / period)
            distance = np.linalg.norm(away, axis=2) + unlike
            permutation, deviation = distance.argmin(axis=1), distance.min(axis=1).max()
            is_identity = image == pivot and np.trace(operation) > 2.99
            if deviation <= tolerance and len(set(permutation.tolist())) == len(kinds) and not is_identity:
                accepted.append((operation, permutation, float(deviation)))
    each, images, deviations = (np.array(column) for column in zip(*accepted, strict=True))
    operations, _, permutations, _ = largest_group(Operations(each, np.linalg.det(each) > 0, images, deviations))
    name = schoenflies(_distinct(operations))
    if is_line:
        name = {"C3v": "C∞v", "D3h": "D∞h"}.get(name, name)
    # Character of the rotation about the axis: an axial vector along z.
    about = np.linalg.det(operations) * operations[:, 2, 2]
    return Isometries(
        name=name,
        operations=frame.T @ operations @ frame,
        permutations=permutations,
        sites=np.arange(len(kinds)),
        rigid=np.trace(operations, axis1=1, axis2=2) + (0.0 if is_line else about),
    )


def _rod_candidates(source: Floats, target: Floats) -> Floats:
    """Orthogonal matrices that keep the axis z and take one atom's direction across it to another's; (m, 3, 3)."""
    first, second = np.arctan2(source[1], source[0]), np.arctan2(target[1], target[0])
    angle = np.array([second - first, second + first])
    sign = np.array([1.0, -1.0])
    result = np.zeros((2, 3, 3))
    result[:, 0, 0], result[:, 1, 0] = np.cos(angle), np.sin(angle)
    result[:, 0, 1], result[:, 1, 1] = -sign * np.sin(angle), sign * np.cos(angle)
    result[:, 2, 2] = 1.0
    return np.concatenate([result, result * np.array([1.0, 1.0, -1.0])])


def _distinct(operations: Floats) -> Floats:
    """Drop operations whose orthogonal part occurs before: they differ in the translation alone."""
    _, first = np.unique(np.round(operations, 3) + 0.0, axis=0, return_index=True)
    return operations[first]
