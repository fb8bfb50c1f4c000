"""Pairs of atoms, in structures of any shape: against a tree of images, and without a crash."""

import numpy as np
import pytest
from ase import Atoms

from nullmode.geometry import neighbours

FAR = 1e6
NEAR = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
# Positions, lengths of the cell, periodic directions, and the number of pairs nearer than 4 Å.
FLAT = {
    "far along x": ([*NEAR, [FAR, 0, 0]], [0, 0, 0], False, 2),
    "far along z": ([*NEAR, [0, 0, -FAR]], [0, 0, 0], False, 2),
    "far along two": ([*NEAR, [0, FAR, FAR]], [0, 0, 0], False, 2),
    "far along all": ([*NEAR, [FAR, FAR, FAR]], [0, 0, 0], False, 2),
    "far of a slab": ([*NEAR, [1, 1, FAR]], [4, 4, 4], [True, True, False], 4),
    "far of a rod": ([*NEAR, [FAR, FAR, 1]], [4.5, 0, 0], [True, False, False], 4),
    "long cell": (NEAR, [FAR, 4, 4], True, 2),
    "flat cell": (NEAR, [4, 1e4, 1e4], True, 4),
    "flat large cell": (NEAR, [3, FAR, FAR], True, 8),
}


@pytest.mark.parametrize("name", FLAT)
def test_flat_and_long_structures_have_their_pairs(name):
    positions, cell, pbc, count = FLAT[name]
    atoms = Atoms("H" * len(positions), positions, cell=cell, pbc=pbc)
    i, j, shift, vectors = neighbours.pairs_within(atoms, 4.0)
    assert len(i) == count
    np.testing.assert_allclose(vectors, atoms.positions[j] - atoms.positions[i] + shift @ np.array(atoms.cell))
    assert neighbours.pairs_within(atoms, 0.1)[0].size == 0


@pytest.mark.parametrize("seed", range(8))
def test_both_ways_find_the_same_pairs(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(3, 9, 3)) + rng.normal(size=(3, 3)) / 2
    atoms = Atoms("H12", rng.normal(scale=6, size=(12, 3)), cell=cell, pbc=[seed & 1, seed & 2, seed & 4])

    def pairs():
        i, j, shift, vectors = neighbours.pairs_within(atoms, 4.0)
        order = np.lexsort((*shift.T, j, i))
        return np.column_stack([i, j, shift])[order], vectors[order]

    found, vectors = pairs()
    monkeypatch.setattr(neighbours, "_MOST_BOXES", 0)
    again, others = pairs()
    np.testing.assert_array_equal(found, again)
    np.testing.assert_allclose(vectors, others, atol=1e-12)
