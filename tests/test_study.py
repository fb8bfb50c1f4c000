import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from cases import ENVIRONMENTS, SETTING, environment

import nullmode as nm

SOAP = nm.PowerSpectrum(n_max=4, l_max=3, **SETTING)
COLUMNS = [
    "structure",
    "center",
    "center_species",
    "n_neighbours",
    "n_dof",
    "rank",
    "singular_values",
    "condition_number",
    "inverse_condition_number",
    "rotation_floor",
    "status",
]


def test_rows_are_the_single_analyses():
    structures = [molecule("CH3CH2OH"), bulk("NaCl", "rocksalt", 5.64), molecule("H2O")]
    table = nm.analyze(structures, SOAP)
    assert list(table.columns) == COLUMNS
    envs = nm.environments(structures)
    assert len(table) == len(envs)
    for row, env in zip(table.itertuples(), envs, strict=True):
        single = nm.sensitivity(SOAP.compute_with_jacobian(env)[1], env)
        assert (row.structure, row.center, row.n_neighbours) == (env.structure, env.center, len(env))
        assert row.center_species == structures[row.structure].symbols[row.center]
        assert (row.rank, row.n_dof, row.status) == (single.rank, single.n_dof, "ok")
        np.testing.assert_allclose(
            row.singular_values, single.singular_values, rtol=0, atol=1e-14 * single.singular_values[0]
        )


def test_environments_and_single_structures_are_taken_too():
    envs = [environment(name) for name in ENVIRONMENTS]
    assert nm.analyze(envs, SOAP)["structure"].tolist() == list(range(len(envs)))
    assert len(nm.analyze(envs[0], SOAP)) == 1
    assert nm.analyze(molecule("CH4"), SOAP, centers="H")["center"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_nothing(threads):
    structures = [molecule(name) for name in ("CH4", "C6H6", "CH3CH2OH", "H2O", "NH3")] * 20
    expected = nm.analyze(structures, SOAP, threads=1)
    table = nm.analyze(structures, SOAP, threads=threads)
    pd.testing.assert_frame_equal(table.drop(columns="singular_values"), expected.drop(columns="singular_values"))
    for got, want in zip(table["singular_values"], expected["singular_values"], strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_lonely_atom_is_reported_and_the_rest_analysed():
    table = nm.analyze([molecule("CH4"), Atoms("He"), molecule("H2O")], SOAP)
    assert table["status"].tolist() == 5 * ["ok"] + ["no_neighbours"] + 3 * ["ok"]
    lonely = table.iloc[5]
    assert (lonely["n_dof"], lonely["rank"], lonely["n_neighbours"]) == (0, 0, 0)
    assert np.isnan(lonely["inverse_condition_number"])
    alone = nm.analyze([molecule("CH4"), molecule("H2O")], SOAP)
    assert table["rank"].tolist()[:5] == alone["rank"].tolist()[:5]


def test_an_environment_beyond_the_cutoff_is_reported():
    table = nm.analyze([nm.Environment.from_vectors([[4.1, 0, 0]]), environment("methane")], SOAP)
    assert table["status"].tolist() == ["no_neighbours", "ok"]


def test_an_rtol_below_the_noise_is_reported():
    table = nm.analyze([environment("methane")], SOAP, rtol=1e-18)
    assert table["status"].tolist() == ["rtol_below_floor"]
    assert table["rotation_floor"][0] > 1e-18


class Broken(nm.Descriptor):
    cutoff = 4.0

    def feature_labels(self, environments=None):  # noqa: ARG002
        return ["x"]

    def compute_batch(self, environments):
        return [np.ones(1) for _ in environments]

    def compute_batch_with_jacobian(self, environments):
        return [(np.ones(1), e.vectors[None] * (np.nan if len(e) == 2 else 1.0)) for e in environments]


def test_a_jacobian_that_is_not_finite_is_reported():
    table = nm.analyze([environment("two"), nm.Environment.from_vectors([[0, 0, 1.0]])], Broken())
    assert table["status"].tolist() == ["not_finite", "ok"]
    assert np.isnan(table["singular_values"][0]).all()


BAD = {
    "rtol": ({"rtol": 2.0}, r"`rtol` must be between 0 and 1, got 2.0"),
    "rtol, text": ({"rtol": "a"}, r"`rtol` must be between 0 and 1, got 'a'"),
    "rtol, none": ({"rtol": None}, r"`rtol` must be between 0 and 1, got None"),
    "rtol, list": ({"rtol": [1e-9]}, r"`rtol` must be between 0 and 1, got \[1e-09\]"),
    "rtol, truth": ({"rtol": True}, r"`rtol` must be between 0 and 1, got True"),
    "threads": ({"threads": 0}, r"`threads` must be a whole number of at least 1, got 0"),
    "threads, negative": ({"threads": -1}, r"`threads` must be a whole number of at least 1, got -1"),
    "threads, float": ({"threads": 1.5}, r"`threads` must be a whole number of at least 1, got 1.5"),
    "threads, truth": ({"threads": True}, r"`threads` must be a whole number of at least 1, got True"),
    "centers": ({"centers": "C"}, r"`centers` must be None where environments are given, got 'C'"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(options, message):
    with pytest.raises(nm.InputError, match=message):
        nm.analyze([environment("methane")], SOAP, **options)


def test_a_mixture_of_structures_and_environments_is_refused():
    with pytest.raises(nm.InputError, match=r"`what` must hold either structures or environments, got both"):
        nm.analyze([environment("methane"), molecule("CH4")], SOAP)


@pytest.mark.parametrize("what", [None, 5, "methane.xyz", [None]])
def test_what_is_neither_is_refused(what):
    with pytest.raises(nm.InputError, match=r"`atoms` must be ase.Atoms, got \w+ at place 0"):
        nm.analyze(what, SOAP)


def test_what_is_no_descriptor_is_refused():
    with pytest.raises(nm.InputError, match=r"`descriptor` must be a nullmode.Descriptor, got 'soap'"):
        nm.analyze(molecule("CH4"), "soap")


def test_nothing_to_analyse_is_refused():
    with pytest.raises(nm.InputError, match=r"must hold at least one"):
        nm.analyze([], SOAP)


def test_the_bar_goes_to_stderr(capsys):
    nm.analyze([environment("methane")], SOAP, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "1/1" in captured.err
