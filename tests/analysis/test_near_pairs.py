"""Pairs that a descriptor hardly tells apart: the nearest in feature space, against all distances."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from cases import BOND, SETTING, pair, polar, rattled, rng
from scipy.spatial.transform import Rotation

import nullmode as nm
from nullmode.analysis import near_pairs
from nullmode.tables import columns, parquet

SOAP = nm.PowerSpectrum(n_max=5, l_max=4, **SETTING)
PLANTED = ((0.72, 0.0), (0.78, 0.0), (0.83, 0.0))


def methanes(n, generator):
    vectors = generator.normal(size=(n, 4, 3))
    lengths = generator.uniform(0.9, 1.5, size=(n, 4, 1))
    return [nm.Environment.from_vectors(v) for v in vectors / np.linalg.norm(vectors, axis=2, keepdims=True) * lengths]


def turned(environment, generator):
    vectors = environment.vectors @ Rotation.random(rng=generator).as_matrix().T
    return nm.Environment.from_vectors(vectors[generator.permutation(len(vectors))])


def test_planted_pairs_are_found_and_no_others():
    generator = rng(0)
    members = [nm.Environment.from_vectors(pair(u, v, sign)) for u, v in PLANTED for sign in (1, -1)]
    envs = [*methanes(200, generator), *(turned(each, generator) for each in members)]
    table = nm.near_pairs(envs, SOAP)
    near = table.index[table["relative_distance"] < 1e-6].tolist()
    assert near == list(range(200, 206))
    assert table.loc[near, "other"].tolist() == [201, 200, 203, 202, 205, 204]
    for k in near:
        expected = nm.superpose(envs[k], envs[table.at[k, "other"]]).distance
        assert table.at[k, "structural_distance"] == pytest.approx(expected)
        assert expected > 0.1
    assert table["certain"].all()
    # nu = 3 tells all of them apart.
    assert nm.near_pairs(envs, nm.Bispectrum(n_max=2, l_max=3, **SETTING))["relative_distance"].min() > 1e-4


def test_distances_are_the_smallest_of_all_and_copies_do_not_count():
    generator = rng(1)
    envs = methanes(150, generator)
    copies = [turned(envs[k], generator) for k in (3, 3, 40)]
    table = nm.near_pairs([*envs, *copies], SOAP)
    features = np.array(SOAP.compute_batch([*envs, *copies]))
    apart = np.linalg.norm(features[:, None] - features, axis=2)
    kind = np.array([*range(150), 3, 3, 40])
    apart[kind[:, None] == kind] = np.inf
    np.testing.assert_allclose(table["feature_distance"], apart.min(axis=1), rtol=1e-9)
    np.testing.assert_array_equal(kind[table["other"]], kind[apart.argmin(axis=1)])
    lengths = np.linalg.norm(features, axis=1)
    larger = np.maximum(lengths, lengths[table["other"]])
    np.testing.assert_allclose(table["relative_distance"], table["feature_distance"] / larger)


def test_structures_are_searched_by_the_species_of_their_centres(tmp_path):
    ring = Atoms("CH4", np.vstack([np.zeros(3), BOND * polar(0.1, np.arange(4.0))]))
    table = nm.near_pairs([molecule("CH4"), rattled(molecule("CH4"), 0.05), ring], SOAP)
    assert table["center_species"].tolist() == ["C", "H", "H", "H", "H"] * 3
    assert table["n_searched"].tolist() == [3, 12, 12, 12, 12] * 3
    own = table["center_species"].to_numpy()
    assert (own[table["other"]] == own).all()
    # The four hydrogens of methane are one environment.
    assert (table["other_structure"][1:5] > 0).all()
    parquet.write(table, tmp_path / "pairs.parquet", "near_pairs", {})
    assert list(parquet.read(tmp_path / "pairs.parquet")) == [column.name for column in columns.NEAR_PAIRS]


def test_energies_and_forces_are_compared_after_superposition():
    generator = rng(5)
    # Centre and neighbours move by an operation and by little more; improper ones count, too.
    first = [rattled(molecule("CH4"), 0.2, k) for k in range(3)]
    change, energy_change = generator.normal(size=(3, 3)), generator.normal(size=3)
    second = []
    for k, (atoms, proper) in enumerate(zip(first, (True, False, True), strict=True)):
        turn = Rotation.random(rng=generator).as_matrix() * (1 if proper else -1)
        other = Atoms(atoms.numbers, atoms.positions @ turn.T)
        other.positions[2] += 1e-4
        for one in (atoms, other):
            one.arrays["energies"], one.arrays["forces"] = generator.normal(size=5), generator.normal(size=(5, 3))
        other.arrays["energies"][0] = atoms.arrays["energies"][0] + energy_change[k]
        other.arrays["forces"][0] = turn @ atoms.arrays["forces"][0] + change[k]
        second.append(other)
    table = nm.near_pairs([*first, *second], SOAP, centers="C")
    assert table["other_structure"].tolist() == [3, 4, 5, 0, 1, 2]
    np.testing.assert_allclose(table["energy_difference"], np.tile(np.abs(energy_change), 2))
    np.testing.assert_allclose(table["force_difference"], np.tile(np.linalg.norm(change, axis=1), 2), atol=1e-3)
    # No superposition, no difference of forces.
    apart = nm.near_pairs([*first, *second], SOAP, centers="C", superpose_below=0)
    assert apart["force_difference"].isna().all()
    np.testing.assert_array_equal(apart["energy_difference"], table["energy_difference"])


def test_energies_and_forces_are_those_that_structures_bring():
    atoms, other = rattled(molecule("CH4"), 0.1, 0), rattled(molecule("CH4"), 0.1, 1)
    atoms.calc = SinglePointCalculator(atoms, energies=np.arange(5.0))
    other.arrays["energies"] = np.full(5, 7.0)
    bare = rattled(molecule("CH4"), 0.1, 2)
    table = nm.near_pairs([bare, atoms, other], SOAP, superpose_below=1)
    energies = np.concatenate([np.full(5, np.nan), np.arange(5.0), np.full(5, 7.0)])
    expected = np.abs(energies - energies[table["other"]])
    assert 0 < np.isfinite(expected).sum() < 15
    np.testing.assert_array_equal(table["energy_difference"], expected)
    assert table["force_difference"].isna().all()
    environments = nm.environments([bare, atoms, other], SOAP.cutoff, "C")
    assert nm.near_pairs(environments[1:], SOAP)["energy_difference"].isna().all()
    other.arrays["energies"] = np.zeros((5, 2))
    with pytest.raises(nm.InputError, match=r"`what\[1\].energies` must have shape \(5,\), got \(5, 2\); in eV"):
        nm.near_pairs([atoms, other], SOAP)


def test_many_features_in_a_file_give_the_same(monkeypatch):
    envs = methanes(40, rng(2))
    expected = nm.near_pairs(envs, SOAP)
    monkeypatch.setattr(near_pairs, "_IN_MEMORY", 0)
    monkeypatch.setattr(near_pairs, "_AT_ONCE", 16)
    pd.testing.assert_frame_equal(nm.near_pairs(envs, SOAP), expected)


def test_a_crystal_of_equal_atoms_has_no_pair():
    table = nm.near_pairs(bulk("Cu", cubic=True) * (2, 2, 2), nm.PowerSpectrum(n_max=4, l_max=2, **SETTING))
    assert (table["other"] == -1).all()
    assert table["feature_distance"].isna().all()


def test_bad_input_is_refused():
    with pytest.raises(nm.InputError, match="`superpose_below` must be a number from 0 on, got -1"):
        nm.near_pairs(molecule("CH4"), SOAP, superpose_below=-1)
