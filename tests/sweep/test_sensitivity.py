from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.io import write
from cases import ENVIRONMENTS, SETTING, environment, rattled
from tasks import sensitivities

import nullmode as nm
from nullmode.descriptors import DESCRIPTORS
from nullmode.families import random_methane
from nullmode.sweep.jobs import plan as jobs
from nullmode.sweep.settings import check
from nullmode.sweep.structures import make_structures
from nullmode.sweep.tasks import as_json
from nullmode.tables import parquet
from nullmode.tables.structures import row_of

SOAP = nm.PowerSpectrum(n_max=4, l_max=3, **SETTING)
COLUMNS = [
    "structure",
    "center",
    "center_species",
    "n_neighbours",
    "n_at_cutoff",
    "n_dof",
    "rank",
    "singular_values",
    "condition_number",
    "inverse_condition_number",
    "rotation_floor",
    "rounding_floor",
    "status",
    "message",
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


@pytest.mark.parametrize("threads", [2, 5])
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
    with pytest.raises(nm.InputError, match=r"`atoms` must be ase.Atoms, got \w+ at index 0"):
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


EVERYTHING = {
    "radial": {"kind": "radial-spectrum", "grid": {"n_max": [2, 4], "radial_basis": ["gto", "chebyshev"]}},
    "soap": {
        "kind": "power-spectrum",
        "parameters": {"cutoff_width": 0.5},
        "grid": {"n_max": [2, 3], "l_max": [1, 2], "width": [0.3, 0.5], "cutoff": [3.5, 4.0]},
    },
    "bases": {
        "kind": "power-spectrum",
        "parameters": {"l_max": 2},
        "grid": {
            "n_max": [2, 3],
            "density": ["gaussian", "delta"],
            "radial_basis": ["laplacian-eigenstates", {"kind": "legendre", "transform": "exponential", "decay": 3.0}],
            "radial_scaling": [None, {"rate": 1.0, "scale": 2.0, "exponent": 7.0}],
        },
    },
    "contracted": {
        "kind": "power-spectrum",
        "parameters": {"l_max": 2},
        "grid": {
            "n_max": [1, 2],
            "radial_basis": [
                {"kind": "optimal-contraction", "n_primitives": n, "primitives": p, "reference": "reference"}
                for n in (4, 6)
                for p in ("gto", "dvr")
            ],
        },
    },
    "bispectrum": {"kind": "bispectrum", "grid": {"parity": ["O3", "SO3"], "n_max": [1, 2], "l_max": [1, 2]}},
    "trispectrum": {"kind": "trispectrum", "grid": {"n_max": [1, 2], "l_max": [1, 2]}},
    "acsf": {"kind": "acsf", "grid": {"cutoff": [4.0, 5.0]}},
    "overlap": {"kind": "overlap-matrix", "grid": {"orbitals": ["s", "sp"]}},
    "distances": {"kind": "inverse-distances"},
    "coulomb": {"kind": "coulomb-matrix"},
    "whole": {"kind": "power-spectrum", "scope": "structure", "grid": {"n_max": [2, 3], "l_max": [1]}},
}
SIZES = {"radial": 4, "soap": 16, "bases": 16, "contracted": 8, "bispectrum": 8, "trispectrum": 4}
SIZES |= dict.fromkeys(("acsf", "overlap", "whole"), 2)


def test_a_configuration_sweeps_every_kind_basis_density_width_cutoff_and_contraction():
    methane = {"kind": "random_methane", "parameters": {"n_structures": 3, "seed": 2}}
    config = {"families": {"methane": methane, "reference": methane}, "descriptors": EVERYTHING}
    settings = check(config)
    tables_of = {name: make_structures("random_methane", methane["parameters"], name) for name in config["families"]}
    assert {job.kind for job in jobs(settings)} == set(DESCRIPTORS)
    parts = {}
    for task in (task for job in jobs(settings) for task in job.tasks):
        assert task.references == (["reference"] if task.descriptor == "contracted" else [])
        if task.family == "methane":
            frame = sensitivities(tables_of["methane"], as_json(task), tables_of, threads=1)
            assert (frame["status"] == "ok").all()
            parts.setdefault(task.descriptor, []).append(frame)
    for name, frames in parts.items():
        rows = pd.concat(frames, ignore_index=True)
        points = rows.groupby("parameters").size()
        assert len(points) == SIZES.get(name, 1)
        # Three environments around C and twelve around H, or three structures.
        assert set(points) == {3}
    contracted = pd.concat(parts["contracted"])
    assert contracted["radial_basis"].nunique() == 4
    assert not contracted["parameters"].str.contains(r"\[\[").any(), "the fitted matrices are not repeated in every row"
    assert set(pd.concat(parts["whole"])["n_dof"]) == {9}


def test_a_contraction_in_a_workflow_is_the_one_that_python_fits():
    methane = {"n_structures": 5, "seed": 3}
    structures = make_structures("random_methane", methane, "methane")
    basis = {"kind": "optimal-contraction", "n_primitives": 6, "reference": "methane"}
    points = [{"n_max": n, "l_max": l, "radial_basis": basis} for n in (1, 3) for l in (0, 2)]
    task = {"family": "methane", "descriptor": "soap", "kind": "power-spectrum", "points": points}
    rows = sensitivities(structures, task, {"methane": structures})
    envs = nm.environments(list(random_methane.structures(**methane)), centers="C")
    largest = nm.fit_contraction(nm.PowerSpectrum(n_max=3, l_max=2, radial_basis=basis), envs)
    expected = nm.truncation_sweep(envs, largest, n_max=[1, 3], l_max=[0, 2])
    for got, want in zip(rows["singular_values"], expected["singular_values"], strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-13 * want[0])


def test_a_contraction_is_fitted_to_a_family_of_other_species_too():
    ethanol = [rattled(molecule("CH3CH2OH"), 0.1, seed) for seed in range(5)]
    rows = []
    for index, atoms in enumerate(ethanol):
        atoms.info = {"centers": [0, 1, 2]}
        rows.append(row_of(atoms, index))
    methane = {"n_structures": 3, "seed": 3}
    basis = {"kind": "optimal-contraction", "n_primitives": 6, "reference": "ethanol"}
    task = {"family": "methane", "descriptor": "soap", "kind": "power-spectrum"}
    task |= {"points": [{"n_max": 2, "l_max": 2, "radial_basis": basis}]}
    got = sensitivities(make_structures("random_methane", methane, "methane"), task, {"ethanol": pd.DataFrame(rows)})
    reference = nm.environments(ethanol, centers=[0, 1, 2])
    fitted = nm.fit_contraction(nm.PowerSpectrum(**task["points"][0]), reference)
    envs = nm.environments(list(random_methane.structures(**methane)), centers="C")
    expected = nm.analyze(envs, replace(fitted, species=None))
    for values, want in zip(got["singular_values"], expected["singular_values"], strict=True):
        np.testing.assert_allclose(values, want, rtol=0, atol=1e-13 * want[0])


def test_whole_structures_are_analysed():
    structures = [
        molecule("CH4"),
        bulk("NaCl", "rocksalt", 5.64),
        molecule("CO2"),
        Atoms("HeHe", [[0, 0, 0], [0, 0, 9]]),
    ]
    table = nm.analyze(structures, SOAP, scope="structure", attribution=True, threads=2)
    assert table["structure"].tolist() == [0, 1, 2, 3]
    assert table["n_dof"].tolist() == [9, 3, 4, 1]
    assert table["status"].tolist() == ["ok", "ok", "ok", "no_neighbours"]
    assert table["rank"].tolist()[:3] == table["rank_symmetric"].tolist()[:3] == [1, 0, 1]
    assert table["point_group"].tolist()[:3] == ["Td", "Oh", "D∞h"]
    for row, atoms in zip(table[:3].itertuples(), structures, strict=False):
        single = nm.structure_sensitivity(atoms, SOAP)
        np.testing.assert_allclose(row.singular_values, single.singular_values, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("what", "options", "message"),
    [
        (
            molecule("CH4"),
            {"scope": "molecule"},
            r"`scope` must be one of environment, structure, potential",
        ),
        (environment("methane"), {"scope": "structure"}, r"`atoms` must be ase.Atoms, got Environment at index 0"),
        (
            molecule("CH4"),
            {"scope": "structure", "degrees_of_freedom": "atoms"},
            r"`degrees_of_freedom` must be left out for scope 'structure'",
        ),
    ],
)
def test_a_scope_that_cannot_be_is_refused(what, options, message):
    with pytest.raises(nm.InputError, match=message):
        nm.analyze(what, SOAP, **options)


def test_whole_molecules_lift_the_spurious_zero_but_not_those_of_symmetry():
    # The family's centres are the carbons; a whole structure counts the hydrogens too.
    structures = make_structures("point_groups", {"names": ["Td", "X"]}, "groups")
    task = {"family": "groups", "descriptor": "soap", "kind": "power-spectrum", "scope": "structure"}
    rows = sensitivities(structures, task | {"points": [{"n_max": 6, "l_max": 6, "cutoff": 3.5, "width": 0.3}]})
    assert rows["rank"].tolist() == [1, 9]
    assert rows["n_neighbours"].tolist() == [20, 20]


def test_centres_of_whole_structures_are_chosen():
    structures = make_structures("point_groups", {"names": ["X"]}, "groups")
    point = {"n_max": 6, "l_max": 6, "cutoff": 3.5, "width": 0.3}
    task = {"family": "groups", "descriptor": "soap", "kind": "power-spectrum", "points": [point]}
    for scope, centers, rank in [("potential", ["C"], 8), ("potential", None, 9), ("structure", ["C", "H"], 9)]:
        [row] = sensitivities(structures, task | {"scope": scope, "centers": centers}).itertuples()
        assert (row.rank, row.scope, row.n_neighbours) == (rank, scope, 4 if centers == ["C"] else 20)
    with pytest.raises(nm.InputError, match="`centers` must occur in the structures, got O, which none"):
        sensitivities(structures, task | {"scope": "potential", "centers": ["O"]})


def test_forces_of_a_family_reach_its_rows(tmp_path):
    methane = molecule("CH4")
    methane.rattle(0.05, seed=0)
    methane.calc = EMT()
    methane.get_forces()
    write(tmp_path / "forces.extxyz", methane)
    made = make_structures("file", {"path": str(tmp_path / "forces.extxyz")}, "mine")
    parquet.write(made, tmp_path / "s.parquet", "structures", {})
    task = {"family": "mine", "descriptor": "soap", "kind": "power-spectrum", "points": [{"n_max": 4, "l_max": 3}]}
    rows = {}
    for scope in ("environment", "structure", "potential"):
        rows[scope] = sensitivities(parquet.read(tmp_path / "s.parquet"), task | {"scope": scope})
    assert "force_rms" not in rows["environment"]
    for scope in ("structure", "potential"):
        [row] = rows[scope].to_dict("records")
        assert row["force_status"] == "ok"
        assert row["force_rms"] == pytest.approx(np.sqrt(np.mean(methane.get_forces() ** 2)), rel=1e-6)
