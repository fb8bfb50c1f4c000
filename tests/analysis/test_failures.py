"""An error in one row stays in that row, whatever it is, in every analysis of many."""

import numpy as np
import pandas as pd
import pytest
from ase.build import molecule
from cases import SETTING
from tasks import sensitivities

import nullmode as nm
from nullmode.tables import parquet
from nullmode.tables.structures import row_of

SMALL = nm.PowerSpectrum(n_max=3, l_max=2, **SETTING)
GOOD = [molecule("CH4"), molecule("C2H6"), molecule("CH4")]
GOOD[2].positions[1] *= 1.1
MIXED = [GOOD[0], molecule("H2O"), *GOOD[1:]]
ERRORS = {
    "memory": (MemoryError("Unable to allocate 9 TiB"), "MemoryError: Unable to allocate 9 TiB"),
    "a refusal": (nm.InputError("`x` must be y, got z. Remedy."), "`x` must be y, got z. Remedy."),
    "a value": (ValueError("odd\n thing"), "ValueError: odd thing"),
    "algebra": (np.linalg.LinAlgError("SVD did not converge"), "LinAlgError: SVD did not converge"),
    "no text": (KeyError(), "KeyError"),
}


def failing(error):
    def function(vectors, species):
        if len(species) == 2:
            raise error
        return SMALL.compute(nm.Environment.from_vectors(vectors))

    return nm.FromCallable(function, cutoff=4.0)


def differing(one, other):
    """Rows, without the place of the structures, of which there is one more in the mixed set."""
    kept = one[one["structure"] != 1].drop(columns="structure").reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, other.drop(columns="structure"), check_dtype=False)


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("attribution", [False, True])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_stays_in_its_row(name, attribution):
    error, message = ERRORS[name]
    options = {"centers": ["C", "O"], "attribution": attribution}
    mixed = nm.analyze(MIXED, failing(error), **options)
    differing(mixed, nm.analyze(GOOD, failing(error), **options))
    [lost] = mixed[mixed["status"] == "failed"].to_dict("records")
    assert (lost["structure"], lost["center_species"], lost["n_neighbours"]) == (1, "O", 2)
    assert lost["message"] == message
    assert (mixed["message"] != "").sum() == 1


@pytest.mark.slow
def test_so_it_does_for_truncations_and_whole_structures():
    known = nm.PowerSpectrum(n_max=3, l_max=2, species=("H", "C"), **SETTING)
    for scope in ("environment", "structure"):
        mixed, good = (nm.analyze(each, known, scope=scope, attribution=True) for each in (MIXED, GOOD))
        differing(mixed, good)
        assert mixed.loc[mixed["status"] == "failed", "message"].str.contains("without O").all()
    mixed, good = (nm.truncation_sweep(each, known, n_max=[2, 3], l_max=[1, 2]) for each in (MIXED, GOOD))
    differing(mixed, good)
    assert (mixed["status"] == "failed").sum() == 4 * 2


def test_a_sweep_keeps_every_row(tmp_path):
    rows = pd.DataFrame([row_of(each, k) for k, each in enumerate(MIXED)])
    task = {"family": "f", "descriptor": "s", "kind": "power-spectrum"}
    task |= {"points": [{"n_max": 2, "l_max": 2, "species": ["H", "C"]}]}
    for scope in ("environment", "structure"):
        table = sensitivities(rows, task | {"scope": scope})
        parquet.write(table, tmp_path / "t.parquet", "sensitivity", {})
        read = parquet.read(tmp_path / "t.parquet", "sensitivity")
        assert set(read["structure"]) == {0, 1, 2, 3}
        assert set(read.loc[read["status"] == "failed", "structure"]) == {1}


def test_where_all_rows_fail_the_arguments_are_wrong():
    with pytest.raises(ValueError, match="odd"):
        nm.analyze(molecule("H2O"), failing(ERRORS["a value"][0]), centers="O")
    table = nm.analyze(molecule("H2O"), failing(ERRORS["memory"][0]), centers="O")
    assert table["status"].tolist() == ["failed"]
