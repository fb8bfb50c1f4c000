import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase.build import molecule
from ase.io import read, write

import nullmode as nm
from nullmode.tables import parquet

SEARCH = ["n_max=3,5", "l_max=2,4", "radial_basis=gto"]
SMALL = ["--no-progress", "--cutoff", "3.5", *(a for each in SEARCH for a in ("--search", each)), "--target", "0.3"]
GRID = {"n_max": [3, 5], "l_max": [2, 4], "radial_basis": "gto"}


@pytest.fixture(autouse=True)
def methanol(tmp_path):
    frames = [molecule("CH3OH") for _ in range(4)]
    for seed, atoms in enumerate(frames):
        atoms.rattle(0.05, seed=seed)
    write(tmp_path / "methanol.xyz", frames)


def without_time(table):
    return table.drop(columns="microseconds")


def test_it_prints_and_writes_what_the_function_returns(nullmode):
    """Frames have their numbers in the file."""
    files = ["--out", "t.parquet", "--figure", "front.svg", "--format", "json"]
    code, out, _ = nullmode("recommend", "methanol.xyz", "--index", "1::2", *SMALL, *files)
    assert code == 0
    expected = nm.recommend(read("methanol.xyz", "1::2"), nm.PowerSpectrum(cutoff=3.5), 0.3, **GRID)
    printed = json.loads(out)
    assert {each["frame"] for each in printed["sample"]} == {1, 3}
    assert printed["finding"] == expected.finding
    assert printed["lines"] == expected.lines
    rows = parquet.read("t.parquet", "recommendation")
    pd.testing.assert_frame_equal(without_time(rows), without_time(expected.table), check_dtype=False)
    kept = parquet.provenance("t.parquet")
    assert (kept["target"], kept["search"]) == (0.3, SEARCH)
    assert Path("front.svg").read_text().count("<svg") == 1


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_tables_for_other_programs(nullmode, ending):
    path = f"t.{ending}"
    for _ in range(2):
        # The second time, its own file is replaced.
        code, out, _ = nullmode("recommend", "methanol.xyz", *SMALL, "--index", "0", "--out", path)
        assert code == 0
    assert f"settings written to {path}" in out
    rows = pd.read_csv(path) if ending == "csv" else pd.read_json(path)
    assert len(rows) == 7
    assert np.isfinite(rows["resolution"]).all()


def test_a_target_out_of_reach_is_no_error(nullmode):
    code, out, _ = nullmode("recommend", "methanol.xyz", "--index", "0", *SMALL[:-1], "0.999")
    assert code == 0
    assert "None of" in out
    assert "nullmode:" not in out


BAD = {
    "target": (["--target", "1"], "`target` must be"),
    "name": (["--search", "nmax=2"], "`--search` must name what can be searched"),
    "no values": (["--search", "n_max"], "`--search` must have the form"),
    "twice": (["--search", "n_max=2", "--search", "n_max=3"], "`--search` must not give n_max twice"),
    "no number": (["--search", "n_max=a"], "`n_max` must be distinct whole numbers"),
    "functions": (["--search", "radial_basis=gtos"], "`kind` must be a known radial basis"),
    "table": (["--out", "t.txt"], "`--out` must end in"),
    "figure": (["--figure", "f.txt"], "`--figure` must end in"),
    "input": (["--out", "methanol.xyz"], "`--out` must not be a file that is read"),
    "foreign": (["--out", "other.csv"], "`--out` must"),
    "descriptor": (["--descriptor", "acsf"], "`descriptor` must be one of RadialSpectrum"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_ends_with_one_message_before_the_file_is_read(nullmode, monkeypatch, tmp_path, arguments, message):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    monkeypatch.setattr("nullmode.geometry.read.read_frames", None)
    code, _, err = nullmode("recommend", "methanol.xyz", *arguments)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
