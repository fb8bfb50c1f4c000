"""Reference stress: what of it no model on some features gives together with the forces."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from cases import rng

import nullmode as nm
from nullmode.geometry.forces import stress_of
from nullmode.spectrum.whole_structure import checked_structure, strains, sum_jacobians
from nullmode.tables.structures import atoms_of_row, row_of

SMALL = nm.PowerSpectrum(n_max=2, l_max=2, width=0.5, cutoff=4.5, cutoff_width=1.0)
COLUMNS = ["stress_status", "stress_rms", "unseen_stress", "symmetry_null_stress"]


def given(atoms, forces, stress):
    atoms.calc = SinglePointCalculator(atoms, forces=forces, stress=stress)
    return atoms


def with_emt(atoms, amplitude=0.1, seed=0):
    atoms = atoms.copy()
    atoms.rattle(amplitude, seed=seed)
    atoms.calc = EMT()
    return given(atoms.copy(), atoms.get_forces(), atoms.get_stress())


def rod():
    return Atoms("CuAu2", [[0, 0, 0], [1.7, 0.2, 1.3], [-0.4, 1.9, 2.5]], cell=[12, 11, 4.0], pbc=[False, False, True])


PERIODIC = {
    "crystal": with_emt(bulk("Cu", cubic=True)),
    "alloy": with_emt(bulk("CuAu", "rocksalt", a=5.0), 0.2),
    "primitive": with_emt(bulk("Cu", a=3.7), 0.0),
    "slab": with_emt(fcc111("Al", (1, 2, 3), vacuum=6.0)),
    "rod": with_emt(rod()),
}


def row_of_one(atoms, scope="structure", descriptor=SMALL):
    return nm.analyze(atoms, descriptor, scope=scope).iloc[0]


def strained(atoms, strain):
    result = atoms.copy()
    result.set_cell(atoms.cell @ (np.eye(3) + strain), scale_atoms=False)
    result.positions = atoms.positions @ (np.eye(3) + strain)
    return result


def basis_of(atoms):
    return strains(checked_structure(atoms, SMALL, None)[0])


@pytest.mark.parametrize("where", PERIODIC)
def test_derivatives_by_strain_are_those_of_strained_structures(where):
    atoms = PERIODIC[where]
    structure, descriptor = checked_structure(atoms, SMALL, None)
    basis = strains(structure)
    assert len(basis) == {3: 6, 2: 3, 1: 1}[atoms.pbc.sum()]
    np.testing.assert_allclose(np.tensordot(basis, basis, ([1, 2], [1, 2])), np.eye(len(basis)), atol=1e-14)
    analytic = sum_jacobians(structure, descriptor).strain
    step = 1e-5
    for strain, column in zip(basis, analytic.T, strict=True):
        plus, minus = (nm.structure_jacobian(strained(atoms, h * strain), SMALL)[0] for h in (step, -step))
        np.testing.assert_allclose((plus - minus) / (2 * step), column, atol=1e-7 * np.abs(analytic).max())


def weights_and_rows(atoms, scope):
    """Rows (f, 3 N) and (f, m) whose combinations are the forces and stresses of all models of a scope."""
    labels = np.array(atoms.numbers)
    if scope == "potential":
        labels = nm.feature_classes(atoms, SMALL).labels
    environments = nm.environments(atoms, SMALL.cutoff)
    basis = basis_of(atoms)
    total = {}
    for label, env, (_, jac) in zip(labels, environments, SMALL.compute_batch_with_jacobian(environments), strict=True):
        moved = np.zeros((len(jac), len(atoms), 3))
        virial = np.zeros((len(jac), len(basis)))
        for k, atom in enumerate(env.atoms):
            moved[:, atom] += jac[:, k]
            moved[:, env.center] -= jac[:, k]
            virial += jac[:, k] @ (basis @ env.vectors[k]).T
        before = total.get(label, (0.0, 0.0))
        total[label] = before[0] + moved.reshape(len(jac), -1), before[1] + virial
    return (np.concatenate(parts) for parts in zip(*total.values(), strict=True))


@pytest.mark.parametrize("scope", ["structure", "potential"])
@pytest.mark.parametrize("where", PERIODIC)
def test_unseen_stress_is_what_the_best_fit_to_forces_and_stress_leaves(where, scope):
    atoms = PERIODIC[where]
    moved, virial = weights_and_rows(atoms, scope)
    axes, n, volume = atoms.cell[atoms.pbc], len(atoms), atoms.get_volume()
    content = np.sqrt(np.linalg.det(axes @ axes.T))
    length = np.sqrt(n) * (content / n) ** (1 / len(axes))
    forces = atoms.calc.results["forces"].ravel()
    along = np.tensordot(basis_of(atoms), stress_of(atoms), 2)
    rows = np.hstack([-moved, virial / length])
    target = np.append(forces, volume / length * along)
    weights = np.linalg.lstsq(rows.T, target, rcond=1e-9)[0]
    left = (along * volume - weights @ virial) / volume
    row = row_of_one(atoms, scope)
    assert row["stress_status"] == "ok"
    assert row["unseen_stress"] == pytest.approx(np.linalg.norm(left) / len(axes), rel=1e-6, abs=1e-10)
    assert row["stress_rms"] == pytest.approx(np.linalg.norm(along) / len(axes))
    # EMT obeys symmetry.
    assert row["symmetry_null_stress"] < 1e-9


def test_a_model_on_the_features_leaves_nothing():
    atoms = PERIODIC["alloy"].copy()
    moved, virial = weights_and_rows(PERIODIC["alloy"], "structure")
    weights = rng(3).normal(size=len(moved))
    stress = np.tensordot(weights @ virial, basis_of(PERIODIC["alloy"]), 1) / atoms.get_volume()
    row = row_of_one(given(atoms, -(weights @ moved).reshape(-1, 3), stress))
    assert row["stress_rms"] > 1e-3
    assert row["unseen_stress"] < 1e-9 * row["stress_rms"]
    assert row["unseen_share"] < 1e-9


def test_forces_or_stress_alone_are_seen_and_both_are_not():
    # Nine features; of twelve coordinates and six strains, nine and six count.
    row = row_of_one(PERIODIC["crystal"])
    assert row["rank"] == row["n_dof"] == 9
    assert row["unseen_force"] < 1e-9
    assert row["unseen_stress"] > 1e-4


@pytest.mark.parametrize("where", ["crystal", "alloy", "slab", "rod"])
def test_the_choice_of_cell_changes_nothing(where):
    atoms = PERIODIC[where]
    expected = row_of_one(atoms)[COLUMNS[1:]].astype(float)
    repeated = atoms.repeat(np.where(atoms.pbc, (1, 1, 2), 1) if atoms.pbc.all() else np.where(atoms.pbc, 2, 1))
    count = len(repeated) // len(atoms)
    repeated = given(repeated, np.tile(atoms.calc.results["forces"], (count, 1)), atoms.calc.results["stress"])
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
    turned = atoms.copy()
    turned.set_cell(atoms.cell @ turn.T)
    turned.positions = atoms.positions @ turn.T
    turned = given(turned, atoms.calc.results["forces"] @ turn.T, turn @ stress_of(atoms) @ turn.T)
    for other in (repeated, turned):
        np.testing.assert_allclose(row_of_one(other)[COLUMNS[1:]].astype(float), expected, rtol=1e-7, atol=1e-12)


def test_a_stress_that_symmetry_forbids_is_told():
    crystal = bulk("Cu", cubic=True)
    row = row_of_one(given(crystal, np.zeros((4, 3)), np.diag([0.01, 0.01, -0.02])))
    assert row["stress_status"] == "breaks_symmetry"
    assert row["symmetry_null_stress"] == pytest.approx(row["stress_rms"])
    assert row["unseen_stress"] == pytest.approx(row["stress_rms"])
    row = row_of_one(given(crystal, np.zeros((4, 3)), 0.01 * np.eye(3)))
    assert row["stress_status"] == "ok"
    assert row["unseen_stress"] < 1e-12


def test_stress_comes_from_results_or_from_info(tmp_path):
    atoms = PERIODIC["alloy"]
    results = atoms.calc.results
    write(tmp_path / "a.extxyz", atoms)
    in_info, alone = atoms.copy(), atoms.copy()
    in_info.arrays["forces"], in_info.info["stress"] = results["forces"], results["stress"]
    alone.info["stress"] = results["stress"]
    spoilt = given(atoms.copy(), results["forces"], np.full(6, np.nan))
    molecule = Atoms("Cu2", [[0, 0, 0], [0, 0, 2.5]])
    molecule.info["stress"] = np.zeros(6)
    every = [atoms, read(tmp_path / "a.extxyz"), in_info, atoms_of_row(row_as_object(in_info)), alone, spoilt, molecule]
    table = nm.analyze(every, SMALL, scope="structure")
    for k in (1, 2, 3):
        np.testing.assert_allclose(
            table.loc[k, COLUMNS[1:]].astype(float), table.loc[0, COLUMNS[1:]].astype(float), rtol=1e-5
        )
    assert table.loc[5, "stress_status"] == "not_finite"
    assert table.loc[[4, 6], "stress_status"].isna().all()
    assert table.loc[4:, COLUMNS[1:]].isna().all(axis=None)


def row_as_object(atoms):
    return type("Row", (), row_of(atoms, 0))


@pytest.mark.parametrize("stress", [np.zeros(5), np.zeros((2, 3)), 0.3])
def test_stress_of_a_wrong_shape_is_refused(stress):
    atoms = bulk("Cu", cubic=True)
    atoms.info["stress"] = stress
    with pytest.raises(nm.InputError, match=r"`atoms\[0\].stress` must have shape \(6,\) or \(3, 3\)"):
        row_of_one(atoms)
