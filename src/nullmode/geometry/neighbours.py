"""Pairs of atoms within a cutoff, periodic images included, whatever the shape of the structure."""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import Bools, Floats, Integers

if TYPE_CHECKING:
    from ase import Atoms

    Pairs = tuple[Integers, Integers, Integers, Floats]

# vesin 0.6 sorts atoms into boxes as wide as the cutoff, and makes wider ones where these are more than so many. Then a
# flat or long structure has none along some direction, and the process ends: a division by zero, no exception.
_MOST_BOXES = 1e5
_FEWEST_ALONG = 4
_FEW_ATOMS = 64
_PAIRS_AT_ONCE = 1 << 15


def pairs_within(atoms: "Atoms", cutoff: float) -> "Pairs":
    """Find all pairs of atoms nearer than a cutoff (Å), each in both orders.

    Returns
    -------
    i, j, shape (p,)
        Indices of both atoms, in no order.
    shift, shape (p, 3)
        Cell of the image of j, in numbers of cell vectors.
    vectors, shape (p, 3)
        From i to the image of j, in Å.
    """
    positions = np.asarray(atoms.positions, dtype=np.float64)
    if len(positions) <= _FEW_ATOMS and not atoms.pbc.any():
        return _in_molecules(positions[None], cutoff)
    import vesin

    cell, pbc = np.array(atoms.cell, dtype=np.float64), np.array(atoms.pbc)
    heights, across = _spans(positions, cell[pbc])
    boxes = np.maximum(np.trunc(np.concatenate([heights, across]) / cutoff), 1.0)
    if boxes.prod() > _MOST_BOXES / 2 and boxes.min() * np.cbrt(_MOST_BOXES / boxes.prod()) < _FEWEST_ALONG:
        return _in_vacuum(positions, cell, pbc, cutoff, np.ceil(cutoff / heights).astype(int))
    search = vesin.NeighborList(cutoff=cutoff, full_list=True)
    i, j, shift, vectors = search.compute(points=positions, box=cell, periodic=pbc, quantities="ijSD", copy=True)
    return i.astype(np.int64), j.astype(np.int64), shift.astype(np.int64), vectors


def pairs_of_many(
    structures: "Sequence[Atoms]", positions: Floats, starts: Integers, periodic: Bools, cutoff: float
) -> "Pairs":
    """Do as :func:`pairs_within` for structures end to end; small molecules with equally many atoms at once.

    Parameters
    ----------
    positions, shape (n_total, 3)
        Of the atoms of all structures, in Å: those from starts[k] to starts[k + 1] belong to structure k.
    periodic, shape (m,)
        Whether each structure is, in any direction.
    """
    sizes = np.diff(starts)
    small = ~periodic & (sizes <= _FEW_ATOMS)
    found = []
    for n in np.unique(sizes[small]):
        first = starts[:-1][small & (sizes == n)]
        for chunk in np.array_split(first, -(-len(first) * int(n) ** 2 // _PAIRS_AT_ONCE) or 1):
            i, j, shift, vectors = _in_molecules(positions[chunk[:, None] + np.arange(n)], cutoff)
            # These are counted in the chunk, of which each structure has n.
            moved = np.repeat(chunk - n * np.arange(len(chunk)), n)
            found.append((i + moved[i], j + moved[j], shift, vectors))
    for k in np.flatnonzero(~small).tolist():
        i, j, shift, vectors = pairs_within(structures[k], cutoff)
        found.append((i + starts[k], j + starts[k], shift, vectors))
    i, j, shift, vectors = (np.concatenate(each) for each in zip(*found, strict=True))
    return i, j, shift, vectors


def _in_molecules(positions: Floats, cutoff: float) -> "Pairs":
    """Compare all pairs of atoms of each molecule, (m, n, 3), which takes less time than to sort few into boxes."""
    n = positions.shape[1]
    away = positions[:, None] - positions[:, :, None]
    near = (away**2).sum(axis=3) <= cutoff**2
    near[:, np.arange(n), np.arange(n)] = False
    molecule, i, j = np.nonzero(near)
    return molecule * n + i, molecule * n + j, np.zeros((len(i), 3), dtype=np.int64), away[molecule, i, j]


def _spans(positions: Floats, periodic: Floats) -> tuple[Floats, Floats]:
    """Give the heights of the cell along its p periodic vectors, (p,), and what the atoms span besides, (3 - p,)."""
    across = np.linalg.svd(periodic)[2][len(periodic) :] if len(periodic) else np.eye(3)
    heights = 1 / np.linalg.norm(np.linalg.inv(np.concatenate([periodic, across])), axis=0)
    return heights[: len(periodic)], np.ptp(positions @ across.T, axis=0) if len(positions) else np.zeros(len(across))


def _in_vacuum(positions: Floats, cell: Floats, pbc: Bools, cutoff: float, reach: Integers) -> "Pairs":
    """Do so with a tree of all images in reach: few, in a cell that is mostly empty."""
    from scipy.spatial import KDTree

    n = len(positions)
    home = np.zeros((n, 3), dtype=np.int64)
    if pbc.any():
        home[:, pbc] = np.floor(positions @ np.linalg.pinv(cell[pbc]))
    inside = positions - home @ cell
    cells = np.zeros((int(np.prod(2 * reach + 1)), 3), dtype=np.int64)
    cells[:, pbc] = list(product(*(range(-most, most + 1) for most in reach.tolist())))
    images = (inside + (cells @ cell)[:, None]).reshape(-1, 3)
    near = KDTree(inside).sparse_distance_matrix(KDTree(images), cutoff, output_type="ndarray")
    i, j = near["i"], near["j"] % n
    shift = cells[near["j"] // n] + home[i] - home[j]
    vectors = positions[j] - positions[i] + shift @ cell
    kept = ((vectors**2).sum(axis=1) < cutoff**2) & ((i != j) | shift.any(axis=1))
    return i[kept], j[kept], shift[kept], vectors[kept]
