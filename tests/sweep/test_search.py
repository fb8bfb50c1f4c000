"""Searches in a workflow: what a table holds is what the function returned, whatever the kind."""

import inspect
import json

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import molecule
from cases import pair
from tasks import searched
from variant_cases import SEARCHES as OPTIONS

import nullmode as nm
from nullmode._support.variants import load
from nullmode.search import SEARCHES
from nullmode.sweep import search
from nullmode.sweep.structures import make_structures
from nullmode.tables import parquet
from nullmode.tables.structures import row_of

each_kind = pytest.mark.parametrize("kind", SEARCHES)
SOAP = {"n_max": 4, "l_max": 6, "cutoff": 4.0, "width": 0.5}


def starts():
    return make_structures("degenerate_pair", {"u": [0.9, 0.95], "v": [0.03], "signs": [1]}, "pair")


def task(kind, **changes):
    return {
        **{"search": "s", "search_kind": kind, "search_parameters": OPTIONS[kind][0], "family": "pair"},
        **{"descriptor": "soap", "kind": "power-spectrum", "parameters": SOAP},
        **changes,
    }


@each_kind
def test_tables_hold_what_the_function_returns(kind, tmp_path, monkeypatch):
    records = []

    def kept(environment, descriptor, **options):
        records.append((environment, load(kind, SEARCHES, "search")(environment, descriptor, **options)))
        return records[-1][1]

    kept.__signature__ = inspect.signature(load(kind, SEARCHES, "search"))
    monkeypatch.setattr(search, "load", lambda name, table, what: kept if what == "search" else load(name, table, what))
    found, steps = searched(starts(), task(kind), threads=1)
    parquet.write(found, tmp_path / "found", "search", {})
    parquet.write(steps, tmp_path / "steps", "search_steps", {})
    found, steps = parquet.read(tmp_path / "found", "search"), parquet.read(tmp_path / "steps", "search_steps")
    assert OPTIONS[kind][1] | {"u", "v", "sign"} <= set(found.columns)
    assert len(records) == 2
    for structure, (u, (start, record)) in enumerate(zip([0.9, 0.95], records, strict=True)):
        rows = found[found["structure"] == structure]
        assert (rows["u"] == u).all()
        assert (rows["converged"] == record.converged).all()
        assert rows["found"].tolist() == (list(range(len(record.environments))) or [-1])
        for k, environment in enumerate(record.environments):
            row = rows.iloc[k]
            np.testing.assert_array_equal(np.reshape(row["vectors"], (-1, 3)), environment.vectors)
            np.testing.assert_array_equal(row["singular_values"], record.singular_values[k])
            np.testing.assert_array_equal(np.reshape(row["start_vectors"], (-1, 3)), start.vectors)
            assert row["n_dof"] == 9
            for name, column in record.per_environment.items():
                value = getattr(record, name)[k]
                expected = np.ravel(value).tolist() if isinstance(value, np.ndarray) else value
                got = json.loads(row[column]) if isinstance(row[column], str) else row[column]
                assert np.array_equal(got, expected) or got == {str(key): item for key, item in expected.items()}
        mine = steps[steps["structure"] == structure]
        assert mine["phase"].tolist() == [step.phase for step in record.history]
        np.testing.assert_array_equal(mine["residual"], [step.residual for step in record.history])
        assert mine["evaluations"].is_monotonic_increasing


# Not of singular points: where the search moves at random, what it finds hangs on the last bit.
@pytest.mark.parametrize("kind", ["orbit", "partners"])
def test_threads_change_nothing(kind):
    one, many = (searched(starts(), task(kind), threads=threads) for threads in (1, 3))
    for first, second in zip(one, many, strict=True):
        pd.testing.assert_frame_equal(first, second)


def test_a_row_says_that_nothing_was_found():
    random = make_structures("random_methane", {"n_structures": 1, "seed": 1}, "a")
    found, steps = searched(random, task("partners", search_parameters={"n_starts": 1}), threads=1)
    assert found["found"].tolist() == [-1]
    assert found["vectors"].tolist() == [[]]
    assert not found["converged"].any()
    assert len(steps)


def test_why_values_are_null_is_told_where_asked():
    asked = {"length": 0.02, "attribution": True}
    found, _ = searched(starts(), task("orbit", search_parameters=asked), threads=1)
    assert (found["null_symmetry"] == 0).all()
    assert (found["rank"] + found["null_truncation"] + found["null_incompleteness"] == found["n_dof"]).all()


def test_searches_use_a_fitted_contraction():
    basis = {"kind": "optimal-contraction", "n_primitives": 8, "reference": "random"}
    random = make_structures("random_methane", {"n_structures": 20, "seed": 2}, "random")
    parameters = {**SOAP, "radial_basis": basis}
    found, _ = searched(starts(), task("orbit", parameters=parameters), {"random": random}, threads=1)
    other, _ = searched(starts(), task("orbit"), threads=1)
    assert "optimal-contraction" in found["radial_basis"][0]
    assert not np.allclose(found["singular_values"][0], other["singular_values"][0])


# Symmetric, to rounding and to 1e-9 Å; without a neighbour; of one and of two.
HOSTILE = ["CH4", "NH3", "CO2", "N2", "far"]


@pytest.mark.law(cases=2)
@each_kind
def test_every_start_has_a_row_and_a_bad_one_loses_nothing(kind, tmp_path):
    atoms = [*map(molecule, HOSTILE[:-1]), Atoms("C2", positions=[[0, 0, 0], [9, 0, 0]])]
    atoms.append(Atoms("CH4", positions=[[0, 0, 0], *pair(0.9, 0.03)]))
    rows = pd.DataFrame([{**row_of(each, k), "centers": [0]} for k, each in enumerate(atoms)])
    found, steps = searched(rows, task(kind), threads=1)
    parquet.write(found, tmp_path / "found", "search", {})
    parquet.write(steps, tmp_path / "steps", "search_steps", {})
    found = parquet.read(tmp_path / "found", "search")
    assert set(found["structure"]) == set(range(len(atoms)))
    by_start = found.groupby("structure")
    assert (by_start["status"].nunique() == 1).all()
    status, message = by_start["status"].first(), by_start["message"].first()
    assert (message[status == "refused"] != "").all()
    assert status[4] == "refused"
    assert "must have a neighbour" in message[4]
    assert status[5] == ("not_found" if kind == "partners" else "found")


def test_a_progress_bar_is_shown_where_wanted(capsys):
    searched(starts(), task("orbit"), threads=1, progress=True)
    assert "2/2" in capsys.readouterr().err
    searched(starts(), task("orbit"), threads=1)
    assert not capsys.readouterr().err


def test_tables_of_all_kinds_are_read_together(tmp_path):
    for kind in SEARCHES:
        made = task(kind, search=kind)
        for table, rows in zip(("found", "steps"), searched(starts(), made, threads=1), strict=True):
            of = {"found": "search", "steps": "search_steps"}[table]
            parquet.write(rows, tmp_path / f"searches/{kind}/{table}.parquet", of, made)
    for table in ("search", "search_steps"):
        assert set(nm.load(tmp_path, table)["search"]) == set(SEARCHES)
