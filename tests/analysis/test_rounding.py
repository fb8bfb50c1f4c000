"""Ranks where the terms of the Jacobian cancel: what is left is their rounding, in every scope."""

import numpy as np
import pytest
from ase.build import bulk
from cases import rng

import nullmode as nm

SMOOTH = {"cutoff": 4.0, "width": 0.4}
DESCRIPTORS = {
    "power": nm.PowerSpectrum(n_max=8, l_max=8, **SMOOTH),
    "radial": nm.RadialSpectrum(n_max=8, **SMOOTH),
    "laplacian": nm.PowerSpectrum(n_max=6, l_max=6, radial_basis="laplacian-eigenstates", **SMOOTH),
    "small": nm.PowerSpectrum(n_max=2, l_max=2, **SMOOTH),
    "coulomb": nm.CoulombMatrix(cutoff=4.0),
    "overlap": nm.OverlapMatrix(cutoff=4.0),
}
TURNED = bulk("MgO", "rocksalt", 4.21, cubic=True)
TURNED.rotate(33, (1, 2, 3), rotate_cell=True)
FAR = TURNED.copy()
FAR.positions += [300.0, -800.0, 500.0]
CRYSTALS = {
    "diamond": bulk("C", "diamond", 3.57),
    "turned rocksalt": TURNED,
    "far away": FAR,
    "Al": bulk("Al", cubic=True),
}


@pytest.mark.law(cases=4)
@pytest.mark.parametrize("where", CRYSTALS)
@pytest.mark.parametrize("name", DESCRIPTORS)
def test_nothing_is_seen_of_the_atoms_of_a_perfect_crystal(name, where):
    descriptor, atoms = DESCRIPTORS[name], CRYSTALS[where]
    together = {"centers": [0], "degrees_of_freedom": "atoms"}
    rows = [nm.analyze(atoms, descriptor, **together).iloc[0]]
    if len(atoms) <= 8:
        rows.append(nm.analyze(atoms, descriptor, scope="structure").iloc[0])
    assert nm.spectra(nm.environments(atoms, 4.0, [0]), descriptor).rounding_floor == pytest.approx(
        rows[0]["rounding_floor"]
    )
    if name == "power":
        rows += [row for _, row in nm.truncation_sweep(atoms, descriptor, [2, 8], [2, 8], **together).iterrows()]
    for row in rows:
        seen = row["n_dof"] - len(row["singular_values"])
        assert (row["rank"], row["status"], seen) == (0, "ok", 0)
        assert row["singular_values"].max() <= row["rounding_floor"]


@pytest.mark.parametrize("scope", ["environment", "structure"])
def test_small_values_that_are_true_count(scope):
    atoms = bulk("C", "diamond", 3.57)
    atoms.positions[1] += 1e-7 * np.array([0.4, 0.7, 1.1])
    chosen = {"centers": [0], "degrees_of_freedom": "atoms"} if scope == "environment" else {"scope": scope}
    row = nm.analyze(atoms, DESCRIPTORS["power"], **chosen).iloc[0]
    assert row["rank"] == 2
    assert row["singular_values"][1] < 1e-11


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("basis", ["chebyshev", "legendre"])
@pytest.mark.parametrize("kind", [nm.RadialSpectrum, nm.PowerSpectrum])
def test_features_that_are_constant_but_for_rounding_see_nothing(kind, basis):
    angular = {"l_max": 0} if kind is nm.PowerSpectrum else {}
    descriptor = kind(n_max=1, radial_basis=basis, species=("H",), **angular)
    vectors = rng(2).normal(size=(5, 3))
    env = nm.Environment.from_vectors(1.5 * vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    features, jacobian = descriptor.compute_with_jacobian(env)
    assert nm.analyze(env, descriptor)["rank"].tolist() == [0]
    assert nm.spectra([env], descriptor).rank.tolist() == [0]
    assert nm.sensitivity(jacobian, env, features=features).rank == nm.attribute(env, descriptor).rank == 0
    with pytest.raises(nm.InputError, match="`descriptor` must change with some displacement"):
        nm.find_singular(env, descriptor)
