"""Reference forces: what share of them models on some features can give at all, and whether they obey symmetry."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.cluster import Icosahedron
from ase.io import read, write
from cases import SETTING, pair, rattled, rng
from naive import potential_rows

import nullmode as nm
from nullmode.learning.four_body import four_body_energy
from nullmode.tables import columns

FORCES = [column.name for column in columns.WHOLE if "force" in column.name or "share" in column.name]
SHARES = ["unseen_share", "soft_share_1e-3", "soft_share_1e-2"]
SOAP = nm.PowerSpectrum(n_max=3, l_max=2, **SETTING)


def with_forces(atoms, forces=None):
    atoms = atoms.copy()
    if forces is None:
        atoms.calc = EMT()
        forces = atoms.get_forces()
    atoms.calc = SinglePointCalculator(atoms, energy=0.0, forces=forces)
    return atoms


def shaken(atoms, amplitude, seed):
    atoms = atoms.copy()
    atoms.rattle(amplitude, seed=seed)
    return with_forces(atoms)


def row_of(atoms, descriptor=SOAP, scope="potential", **options):
    return nm.analyze(atoms, descriptor, scope=scope, **options).iloc[0]


CLUSTER, ETHANE = shaken(Icosahedron("Cu", 3), 0.08, 2), shaken(molecule("C2H6"), 0.05, 1)
# Structure, n_max, l_max, lengths, scope, shares as the prototype printed them; None where it printed none.
PUBLISHED = [
    (CLUSTER, (2, 2), (5.0, 1.0, 0.5), "structure", (0.446, None, 0.478)),
    (CLUSTER, (4, 4), (5.0, 1.0, 0.5), "structure", (0.027, None, 0.176)),
    (CLUSTER, (8, 6), (5.0, 1.0, 0.5), "structure", (0, None, 0.094)),
    (CLUSTER, (2, 2), (5.0, 1.0, 0.5), "potential", (0, None, 0.095)),
    (CLUSTER, (4, 4), (5.0, 1.0, 0.5), "potential", (0, None, 0)),
    (CLUSTER, (8, 6), (5.0, 1.0, 0.5), "potential", (0, None, 0)),
    (ETHANE, (1, 1), (4.0, 0.5, 0.3), "structure", (0.094, None, 0.444)),
    (ETHANE, (1, 1), (4.0, 0.5, 0.3), "potential", (0, None, 0.001)),
]


@pytest.mark.parametrize(("atoms", "size", "lengths", "scope", "shares"), PUBLISHED)
def test_shares_are_those_of_the_prototype(atoms, size, lengths, scope, shares):
    soap = nm.PowerSpectrum(n_max=size[0], l_max=size[1], **dict(zip(SETTING, lengths, strict=True)))
    row = row_of(atoms, soap, scope)
    assert row["force_status"] == "ok"
    for name, share in zip(SHARES, shares, strict=True):
        assert share is None or round(row[name], 3) == share


FORCED = {
    "water": shaken(molecule("H2O"), 0.1, 0),
    "ethene": with_forces(molecule("C2H4")),
    "ethanol": shaken(molecule("CH3CH2OH"), 0.05, 3),
    "copper": shaken(bulk("Cu", cubic=True), 0.1, 0),
    "carbon dioxide": with_forces(molecule("CO2")),
    "gold and copper": shaken(bulk("CuAu", "rocksalt", a=5.0), 0.05, 1),
}


@pytest.mark.parametrize("scope", ["structure", "potential"])
@pytest.mark.parametrize("where", FORCED)
def test_unseen_force_is_the_residual_of_the_best_model_at_this_structure(where, scope):
    # The best weights by least squares, one gradient for each class of centres.
    atoms, small = FORCED[where], nm.PowerSpectrum(n_max=1, l_max=1, **SETTING)
    if scope == "structure":
        rows = nm.structure_jacobian(atoms, small)[1]
        rows = rows.reshape(len(rows), -1)
    else:
        envs = nm.environments(atoms, small.cutoff)
        rows, _ = potential_rows(envs, small.compute_batch_with_jacobian(envs), len(atoms))
    forces = atoms.calc.results["forces"]
    gradient = np.linalg.lstsq(rows.T, forces.ravel(), rcond=1e-9)[0]
    residual = forces.ravel() - rows.T @ gradient
    row = row_of(atoms, small, scope)
    assert row["unseen_force"] == pytest.approx(np.sqrt(np.mean(residual**2)), abs=1e-9)
    assert row["force_rms"] == pytest.approx(np.sqrt(np.mean(forces**2)), rel=1e-9)
    assert row["unseen_share"] == pytest.approx(row["unseen_force"] / row["force_rms"])
    assert row["unseen_force"] <= row["soft_force_1e-3"] <= row["soft_force_1e-2"] <= row["force_rms"] * (1 + 1e-12)
    # The selection rule: EMT obeys symmetry.
    assert row["symmetry_null_force"] < 1e-9


def test_what_forces_must_not_have_is_told():
    calm = with_forces(rattled(molecule("CH4"), 0.1), rng(0).normal(size=(5, 3)))
    assert row_of(calm)["force_status"] == "net_force"
    methane = molecule("CH4")
    # A force along a displacement that breaks symmetry: two hydrogens apart, without net force or torque.
    apart = np.zeros((5, 3))
    line = methane.positions[2] - methane.positions[1]
    apart[1], apart[2] = -line, line
    row = row_of(with_forces(methane, apart))
    assert row["force_status"] == "breaks_symmetry"
    assert row["net_force"] < 1e-12
    assert row["unseen_force"] == pytest.approx(row["symmetry_null_force"], rel=1e-9)
    breathing = methane.positions - methane.positions[0]
    row = row_of(with_forces(methane, breathing))
    assert row["force_status"] == "ok"
    assert row["unseen_share"] < 1e-9


@pytest.mark.parametrize("repeat", [1, 2])
def test_a_crystal_has_the_symmetry_of_its_primitive_cell(repeat):
    # All atoms of the zinc sublattice along the axis: allowed in wurtzite, in any cell of it.
    crystal = bulk("ZnO", "wurtzite", a=3.25, c=5.2) * (repeat, 1, 1)
    forces = np.where(crystal.numbers[:, None] == 30, 1.0, -1.0) * [0, 0, 0.2]
    assert row_of(with_forces(crystal, forces))["symmetry_null_force"] < 1e-12
    forces[0] *= 2
    assert row_of(with_forces(crystal, forces))["symmetry_null_force"] > 0.01


def test_a_spurious_null_value_costs_force_and_one_of_symmetry_does_not():
    # X(pi, 0) has no symmetry, yet its carbon sees 8 of 9; the four-body energy has a force along the ninth.
    hydrogens = pair(1.0, 0.0)
    forces = np.vstack([np.zeros(3), four_body_energy(hydrogens)[1]])
    atoms = with_forces(Atoms("CH4", np.vstack([np.zeros(3), hydrogens])), forces)
    soap = nm.PowerSpectrum(n_max=6, l_max=6, width=0.3, cutoff=3.5)
    alone, together = row_of(atoms, soap, centers="C"), row_of(atoms, soap)
    assert (alone["rank"], together["rank"], together["n_dof"]) == (8, 9, 9)
    assert alone["unseen_share"] > 0.1
    assert together["unseen_share"] < 1e-9
    # The square plane sees few displacements, and has no force along the others.
    plane = 1.09 * np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]])
    plane = plane + np.array([[0, 0, 0.3], [0, 0, -0.3]] * 2)
    forces = np.vstack([np.zeros(3), four_body_energy(plane)[1]])
    row = row_of(with_forces(Atoms("CH4", np.vstack([np.zeros(3), plane])), forces), soap, centers="C")
    assert row["rank"] < row["n_dof"]
    assert row["force_rms"] > 0.01
    assert max(row["unseen_force"], row["symmetry_null_force"]) < 1e-9


def test_absent_and_spoilt_forces():
    atoms = rattled(molecule("CH4"), 0.1)
    spoilt = with_forces(atoms, np.full((5, 3), np.nan))
    # Forces of other positions are none.
    moved = with_forces(atoms)
    moved.positions[0] += 0.01
    in_arrays = atoms.copy()
    in_arrays.arrays["forces"] = with_forces(atoms).calc.results["forces"]
    running = atoms.copy()
    running.calc = EMT()
    table = nm.analyze([atoms, spoilt, moved, with_forces(atoms), in_arrays, running], SOAP, scope="structure")
    assert table["force_status"].isna().tolist() == [True, False, True, False, False, True]
    assert table["force_status"].tolist()[1] == "not_finite"
    assert table[FORCES[1:]].isna().all(axis=1).tolist() == [True, True, True, False, False, True]
    pd.testing.assert_series_equal(table.loc[3, FORCES], table.loc[4, FORCES], check_names=False)
    assert running.calc.results == {}


def test_forces_of_files_are_taken(tmp_path):
    atoms = shaken(molecule("CH3CH2OH"), 0.05, 3)
    write(tmp_path / "a.extxyz", [atoms, atoms])
    write(tmp_path / "a.traj", atoms)
    for path in ("a.extxyz", "a.traj"):
        row = row_of(read(tmp_path / path, 0))
        assert row["force_rms"] == pytest.approx(row_of(atoms)["force_rms"], rel=1e-6)


def test_forces_of_a_wrong_shape_are_refused():
    atoms = Atoms("H2", [[0, 0, 0], [0, 0, 0.8]])
    atoms.arrays["forces"] = np.zeros((2, 2))
    with pytest.raises(nm.InputError, match=r"`atoms\[0\].forces` must have shape \(2, 3\), got \(2, 2\)"):
        row_of(atoms)


def test_forces_are_of_whole_structures_alone():
    assert not set(FORCES) & set(nm.analyze(ETHANE, SOAP))
