"""What linear models lose of the forces of a set, one for each structure and one for all."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from cases import SETTING, rattled

import nullmode as nm

SMALL = nm.PowerSpectrum(n_max=2, l_max=1, species=("H", "C", "O", "Cu"), **SETTING)


def forced(atoms, amplitude=0.05, seed=0):
    atoms = rattled(atoms, amplitude, seed)
    atoms.calc = EMT()
    atoms.get_forces()
    return atoms


ETHANOLS = [forced(molecule("CH3CH2OH"), seed=k) for k in range(6)]
MIXED = [forced(molecule(name), seed=k) for k, name in enumerate(["CH4", "H2O", "C2H6", "CH3OH", "CO2"])]
CRYSTALS = [forced(bulk("Cu", cubic=True), 0.1, k) for k in range(5)]


def by_least_squares(structures):
    """Residual of the fit of all weights to all forces."""
    blocks = {number: k for k, number in enumerate(sorted({z for atoms in structures for z in atoms.numbers}))}
    size = len(SMALL.feature_labels())
    rows, targets = [], []
    for atoms in structures:
        matrix = np.zeros((len(blocks), size, 3 * len(atoms)))
        _, jacobian = nm.structure_jacobian(atoms, SMALL)
        for k, number in enumerate(sorted(set(atoms.numbers))):
            matrix[blocks[number]] = jacobian[k * size : (k + 1) * size].reshape(size, -1)
        rows.append(matrix.reshape(-1, 3 * len(atoms)).T)
        targets.append(atoms.get_forces().ravel())
    matrix, target = np.concatenate(rows), np.concatenate(targets)
    weights = np.linalg.lstsq(matrix, target, rcond=1e-9)[0]
    return np.sqrt(np.mean((matrix @ weights - target) ** 2))


@pytest.mark.parametrize("structures", [ETHANOLS, MIXED, CRYSTALS], ids=["ethanol", "molecules", "crystals"])
def test_bounds_are_those_of_fits(structures):
    bound = nm.linear_force_bound(structures, SMALL)
    assert bound.one_for_all == pytest.approx(by_least_squares(structures), rel=1e-6, abs=1e-9)
    rows = nm.analyze(structures, SMALL, scope="structure")
    sizes = np.array([len(atoms) for atoms in structures])
    assert bound.one_each == pytest.approx(np.sqrt(np.average(rows["unseen_force"] ** 2, weights=sizes)), abs=1e-12)
    assert bound.force_rms == pytest.approx(np.sqrt(np.average(rows["force_rms"] ** 2, weights=sizes)))
    assert bound.one_each <= bound.one_for_all + 1e-12 <= bound.force_rms + 2e-12
    assert bound.n_structures == len(structures)


def test_one_structure_has_one_bound_and_more_structures_lose_more():
    lost = []
    for count in range(1, 7):
        bound = nm.linear_force_bound(ETHANOLS[:count], SMALL)
        lost.append(bound.one_for_all**2 * count)
        if count == 1:
            assert bound.one_for_all == pytest.approx(bound.one_each, abs=1e-10)
    assert (np.diff(lost) > -1e-12).all()
    assert lost[-1] > lost[0] + 1e-6


def test_structures_without_forces_do_not_count():
    alone = molecule("CH4")
    assert nm.linear_force_bound([alone, *MIXED], SMALL) == nm.linear_force_bound(MIXED, SMALL)
    with pytest.raises(nm.InputError, match="`structures` must have reference forces, got none that has"):
        nm.linear_force_bound(alone, SMALL)
    spoilt = Atoms("H2", [[0, 0, 0], [0, 0, 0.8]])
    spoilt.arrays["forces"] = np.full((2, 3), np.nan)
    with pytest.raises(nm.InputError, match=r"`structures\[1\]` must have finite forces"):
        nm.linear_force_bound([*MIXED[:1], spoilt], SMALL)
