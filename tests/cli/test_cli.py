import json
import os
import re
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
import typer
from ase import Atoms
from ase.io import read, write
from cases import TD, pair
from configs import CHECKOUT

import nullmode as nm
from nullmode._support import code_hash
from nullmode._support.variants import load
from nullmode.cli import main
from nullmode.descriptors import DESCRIPTORS
from nullmode.tables import columns, parquet

SMALL = ["--n-max", "3", "--l-max", "2", "--no-progress"]
FILE = str(CHECKOUT / "tests/data/small.extxyz")
# Without the crystal, of which causes take long to find.
MOLECULES = [FILE, "--index", ":3"]


@pytest.fixture
def table(nullmode, tmp_path):
    path = tmp_path / "table.parquet"
    assert nullmode("analyze", *MOLECULES, "--out", path, *SMALL)[0] == 0
    return path


def test_analyze_writes_what_the_function_returns(table):
    rows = parquet.read(table, "analysis")
    expected = nm.analyze(list(nm_structures())[:3], nm.PowerSpectrum(n_max=3, l_max=2), attribution=True)
    pd.testing.assert_frame_equal(
        rows.drop(columns="singular_values"), expected.drop(columns="singular_values"), check_dtype=False
    )
    assert all(map(np.array_equal, rows["singular_values"], expected["singular_values"]))


def nm_structures():
    from nullmode.families.file import structures

    return structures(CHECKOUT / "tests/data/small.extxyz")


def test_analyze_says_what_it_wrote(nullmode, tmp_path):
    code, out, _ = nullmode("analyze", FILE, "--out", tmp_path / "a.parquet", "--centers", "O,N", *SMALL)
    assert code == 0
    assert f"2 rows written to {tmp_path / 'a.parquet'}" in out
    assert parquet.read(tmp_path / "a.parquet")["center_species"].tolist() == ["O", "N"]


def test_summary_is_printed_without_out(nullmode, tmp_path):
    code, out, _ = nullmode("analyze", FILE, "--centers", "O", *SMALL)
    assert code == 0
    assert out.splitlines()[3].split()[:2] == ["O", "1"]
    assert "What to do:" in out
    assert not list(tmp_path.iterdir())


def test_options_reach_the_descriptor(nullmode, tmp_path):
    options = ["--cutoff", "3.5", "--cutoff-width", "0.4", "--width", "0.25", "--center-weight", "0.5"]
    more = ["--species", "H,C,N,O,Na,Cl", "--rtol", "1e-8", "--threads", "1"]
    path = tmp_path / "a.parquet"
    assert nullmode("analyze", FILE, "--out", path, "--no-attribution", *SMALL, *options, *more)[0] == 0
    kept = parquet.provenance(path)
    species = ("H", "C", "N", "O", "Na", "Cl")
    lengths = {"cutoff": 3.5, "cutoff_width": 0.4, "width": 0.25}
    assert kept["descriptor"] == repr(nm.PowerSpectrum(n_max=3, l_max=2, **lengths, center_weight=0.5, species=species))
    assert kept["rtol"] == 1e-8


LIKE = "soap n_max=3 l_max=2 cutoff=3.5 atom_sigma=0.4"


def test_the_descriptor_may_be_like_that_of_another_code(nullmode, tmp_path):
    path = tmp_path / "a.parquet"
    text = f"distance_2b cutoff=4 delta=1 : {LIKE} zeta=4"
    code, _, err = nullmode(
        "analyze", *MOLECULES, "--out", path, "--like", text, "--l-max", "1", "--no-attribution", "--no-progress"
    )
    assert code == 0
    soap = nm.PowerSpectrum(
        n_max=3, l_max=1, cutoff=3.5, width=0.4, center_weight=1.0, radial_basis=nm.QuipGaussians(width=0.4)
    )
    expected = nm.analyze(list(nm_structures())[:3], soap)
    rows = parquet.read(path, "analysis")
    assert all(map(np.array_equal, rows["singular_values"], expected["singular_values"]))
    kept = parquet.provenance(path)
    assert (kept["descriptor"].partition(", species")[0], kept["like"]) == (repr(soap).partition(", species")[0], text)
    assert kept["parameters"]["radial_basis"] == {"kind": "quip-gaussians", "width": 0.4, "error_exponent": 10.0}
    for sentence in [sentence for each in nm.from_gap(text) for sentence in each.differences]:
        assert f"  {sentence}\n" in err
    assert err.startswith("Like distance_2b cutoff=4\n")


def test_what_another_code_alone_computes_is_its_own(nullmode, tmp_path):
    bad_files(tmp_path)
    path = tmp_path / "a.parquet"
    text = f"{LIKE} Z=6 n_species=1 species_Z={{1}} add_species=F nu_R=1"
    arguments = ["analyze", "methane.xyz", "--centers", "C", "--out", path, "--no-attribution", "--no-progress"]
    code, _, err = nullmode(*arguments, "--like", text)
    assert code == 0
    assert "  The descriptor is QUIP itself, by quippy, since nu_R=1" in err
    kept = parquet.provenance(path)
    assert kept["kind"] == "nullmode.adapters.quippy:FromQuippy"
    assert "FromQuippy" in kept["descriptor"]
    assert "nullmode.adapters.quippy" in kept["code"]


def test_hyperparameters_that_are_read_are_never_replaced(nullmode, tmp_path):
    bad_files(tmp_path)
    parquet_named = tmp_path / "hypers.parquet"
    parquet_named.write_text(LIKE)
    code, _, err = nullmode("analyze", "methane.xyz", "--like", parquet_named, "--out", parquet_named, "--force")
    assert code == 2
    assert "`--out` must not be a file that is read" in err
    assert parquet_named.read_text() == LIKE


def test_index_chooses_frames(nullmode, tmp_path):
    path = tmp_path / "a.parquet"
    assert nullmode("analyze", FILE, "--out", path, "--index", "1:3", *SMALL)[0] == 0
    assert parquet.read(path)["structure"].value_counts().to_dict() == {0: 4, 1: 6}


@pytest.mark.law(cases=1)
@pytest.mark.parametrize(("index", "frames"), [("0", [0]), ("-1", [-1]), ("-2:", [-2, -1])])
def test_index_may_be_a_number(nullmode, tmp_path, index, frames):
    path = tmp_path / "a.parquet"
    assert nullmode("analyze", FILE, "--out", path, "--index", index, "--no-attribution", *SMALL)[0] == 0
    sizes = [len(atoms) for atoms in nm_structures()]
    assert parquet.read(path)["structure"].value_counts(sort=False).tolist() == [sizes[k] for k in frames]


def test_attribution_may_be_left_out(nullmode, table, tmp_path):
    path = tmp_path / "a.parquet"
    code, out, _ = nullmode("analyze", *MOLECULES, "--out", path, "--no-attribution", *SMALL)
    assert code == 0
    assert "centre" in out
    rows, full = parquet.read(path, "analysis"), parquet.read(table, "analysis")
    assert list(rows) == list(full)
    why = [column.name for column in columns.ATTRIBUTION]
    assert rows[why].isna().all(axis=None)
    shared = [column.name for column in columns.ENVIRONMENT if column.name != "singular_values"]
    pd.testing.assert_frame_equal(rows[shared], full[shared])
    assert "tolerance" not in parquet.provenance(path)


def test_summary_counts_null_values_that_are_not_attributed(nullmode, tmp_path):
    bad_files(tmp_path)
    arguments = ["analyze", "methane.xyz", "--centers", "C", "--descriptor", "radial-spectrum", "--no-progress"]
    code, out, _ = nullmode(*arguments, "--no-attribution")
    assert code == 0
    assert out.splitlines()[2].split()[:5] == ["centre", "environments", "neighbours", "values", "null"]
    assert out.splitlines()[3].split()[:5] == ["C", "1", "4.0", "9", "8"]


def test_what_theory_cannot_judge_is_said(nullmode, tmp_path):
    write(tmp_path / "methane.xyz", Atoms("CH4", np.vstack([np.zeros(3), TD])))
    options = ["methane.xyz", "--centers", "C", *SMALL]
    assert nullmode("analyze", *options)[2] == ""
    code, out, _ = nullmode("analyze", *options, "--tolerance", 1)
    assert code == 0
    assert "1 rows were not explained, the first: `tolerance` must be at most a quarter of the smallest distance" in out
    failing = ["analyze", "methane.xyz", "--species", "H", *SMALL]
    code, out, _ = nullmode(*failing)
    assert code == 0
    assert "4 rows were not analysed, the first: `species` must cover" in out
    assert "4 of 5 rows were not analysed: 4 failed." in out
    assert nullmode(*failing, "--strict")[0] == 1
    assert nullmode("analyze", *options, "--no-attribution", "--strict")[::2] == (0, "")


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet"])
def test_tables_of_any_ending_hold_the_same(nullmode, table, tmp_path, ending):
    path = tmp_path / f"a{ending}"
    for _ in range(2):  # one's own table may be replaced
        assert nullmode("analyze", *MOLECULES, "--out", path, *SMALL)[0] == 0
    readers = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}
    rows, expected = readers[ending](path), parquet.read(table)
    assert list(rows) == list(expected)
    if ending == ".csv":
        rows["singular_values"] = rows["singular_values"].map(json.loads)
    for values, same in zip(rows["singular_values"], expected["singular_values"], strict=True):
        np.testing.assert_allclose(values, same, rtol=1e-13, atol=1e-15)
    for name in ("structure", "center_species", "rank", "null_symmetry", "point_group"):
        assert rows[name].tolist() == expected[name].tolist()
    for mine in ("mine", '[{"structure": {"@module": "pymatgen"}}]', '[{"structure":{"a":1},"center":0}]', "[]\n"):
        path.write_text(mine)
        code, _, err = nullmode("analyze", *MOLECULES, "--out", path, *SMALL)
        assert (code, path.read_text()) == (2, mine)
        assert "`--out` must not be a file of another kind" in err


def test_a_verdict_for_machines(nullmode):
    code, out, _ = nullmode("analyze", FILE, "--index", "1:3", "--format", "json", *SMALL)
    assert code == 0
    found = json.loads(out)
    expected = nm.verdict(list(nm_structures())[1:3], nm.PowerSpectrum(n_max=3, l_max=2))
    assert found["finding"] == expected.finding
    assert found["centers"] == expected.as_dict()["centers"]
    # Frames have the numbers of the file.
    assert found["sampled"] == [1, 2]
    assert [row["frame"] for row in found["worst"]] == [row + 1 for row in expected.worst["frame"]]


def test_whole_structures_have_their_own_verdict(nullmode):
    code, out, _ = nullmode("analyze", *MOLECULES, "--scope", "potential", *SMALL)
    assert code == 0
    assert "any potential" in out
    assert "Any potential on these features" in out


def test_users_own_descriptor_is_taken(nullmode, tmp_path):
    path, own = tmp_path / "a.parquet", CHECKOUT / "docs/examples/my_descriptor.py"
    assert nullmode("analyze", FILE, "--out", path, "--descriptor", f"{own}:InverseMoments", "--no-progress")[0] == 0
    assert len(parquet.read(path, "analysis")) == 15


def test_same_command_gives_the_same_bytes(nullmode, table, tmp_path):
    assert nullmode("analyze", *MOLECULES, "--out", tmp_path / "b.parquet", *SMALL)[0] == 0
    assert (tmp_path / "b.parquet").read_bytes() == table.read_bytes()


def test_provenance_prints_origin_and_columns(nullmode, table):
    code, out, _ = nullmode("provenance", table)
    assert code == 0
    assert "PowerSpectrum(n_max=3" in out
    assert code_hash.digest(FILE) in out
    for column in (*columns.ENVIRONMENT, *columns.ATTRIBUTION):
        assert column.name in out
        assert column.meaning in out


def test_find_writes_what_the_function_returns(nullmode, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    start = Atoms("CH4", positions=[[0, 0, 0], *pair(0.97, 0.005)])
    write("start.xyz", start)
    options = ["--parameter", "n_max=6", "--parameter", "l_max=6", "--fixed-radii", "--no-progress"]
    code, out, _ = nullmode("find", "start.xyz", "--centers", "C", "--out", "points.xyz", *options)
    assert code == 0
    heads, row = (re.split(r" *[┃│] *", line)[1:-1] for line in out.splitlines() if line[:1] in "┃│" and line)
    shown = dict(zip(heads, row, strict=True))
    (written,) = read("points.xyz", ":")
    starts = nm.environments(read("start.xyz"), centers="C")
    (point,) = nm.find_singular_points(starts, nm.PowerSpectrum(n_max=6, l_max=6), fixed_radii=True)
    assert (shown["rank"], shown["by symmetry"]) == ("8 of 9", "9")
    assert shown["dimensions"] == str(point.manifold_dimension)
    assert shown["moved / Å"] == f"{point.distance:.2f}"
    assert written.info["converged"]
    assert written.info["spurious"]
    np.testing.assert_allclose(np.linalg.norm(written.positions[1:], axis=1), 1.09, atol=1e-7)
    np.testing.assert_allclose(written.positions[1:], point.environments[0].vectors, atol=1e-7)
    np.testing.assert_allclose(np.abs(written.arrays["mode"][1:]), np.abs(point.mode), atol=1e-7)


SCANNED = ["--species", "H,C,N,O,Na,Cl", *SMALL]


def test_scan_writes_what_the_function_does(nullmode, tmp_path):
    path = tmp_path / "spectra.parquet"
    code, out, _ = nullmode("scan", FILE, "--out", path, "--cutoff", "3.5", "--centers", "H,O", *SCANNED)
    assert code == 0
    soap = nm.PowerSpectrum(n_max=3, l_max=2, cutoff=3.5, species=["H", "C", "N", "O", "Na", "Cl"])
    expected = nm.analyze(list(nm_structures()), soap, centers=["H", "O"])
    rows = parquet.read(path, "spectra")
    assert f"{len(expected)} rows written to {path}" in out
    for name in ("structure", "center", "center_species", "n_dof", "rank", "status"):
        assert rows[name].tolist() == expected[name].tolist()
    kept = parquet.provenance(path)
    assert kept["descriptor"] == repr(soap)
    assert (list(kept["inputs"]), kept["index"], kept["centers"]) == ([FILE], ":", ["H", "O"])


def test_scan_chooses_frames_and_shows_progress(nullmode, tmp_path):
    path = tmp_path / "spectra.parquet"
    options = [*SCANNED[:-1], "--index", "1:3", "--total", 10, "--threads", 1]
    code, _, err = nullmode("scan", FILE, "--out", path, *options)
    assert code == 0
    assert "10/10" in err
    assert parquet.read(path)["structure"].value_counts().to_dict() == {0: 4, 1: 6}


COMMANDS = [command.callback.__name__ for command in main.app.registered_commands]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help(nullmode, command):
    code, out, _ = nullmode(*command, "--help")
    assert code == 0
    assert "Usage: nullmode" in out
    assert nullmode(*command, "-h")[1] == out


@pytest.mark.parametrize("kind", DESCRIPTORS)
def test_help_gives_the_defaults_of_the_descriptor(kind):
    shown = {p.name: p.show_default for p in typer.main.get_command(main.app).commands["analyze"].params}
    for name in ("n_max", "l_max", "cutoff", "cutoff_width", "width", "center_weight"):
        for field in fields(load(kind, DESCRIPTORS, "descriptor")):
            if field.name == name:
                first, *others = shown[name].split("; ")
                own = {text.split(": ")[0]: text.split(": ")[1] for text in others}
                assert own.get(kind, first) == str(field.default)


def test_version_is_printed(nullmode):
    assert nullmode("--version")[:2] == (0, f"nullmode {nm.__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_gives_an_example_that_the_command_accepts(nullmode, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    [example] = [line.split() for line in nullmode(name, "--help")[1].splitlines() if line.startswith("  nullmode ")]
    _, called, file, *_ = example
    assert called == name
    # All of its options are known: the file alone is missing.
    code, _, err = nullmode(*example[1:])
    assert code == 2
    assert file in err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_option_whole_in_a_narrow_terminal(nullmode, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    words = nullmode(name, "--help")[1].split()
    options = typer.main.get_command(main.app).commands[name].params
    assert {flag for option in options for flag in [*option.opts, *option.secondary_opts]} <= {
        *words,
        *(option.name for option in options),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_and_option_has_a_help_text(name):
    command = typer.main.get_command(main.app).commands[name]
    assert [parameter.name for parameter in command.params if not getattr(parameter, "help", None)] == []


def bad_files(folder):
    (folder / "empty.xyz").touch()
    (folder / "text.xyz").write_text("no structure\n")
    (folder / "none.extxyz").write_text("0\nProperties=species:S:1:pos:R:3\n")
    write(folder / "same.xyz", Atoms("CH2", positions=[[0, 0, 0], [1, 0, 0], [1, 0, 0]]))
    write(folder / "nan.xyz", Atoms("CH", positions=[[0, 0, 0], [np.nan, 0, 0]]))
    write(folder / "far.xyz", Atoms("CH", positions=[[0, 0, 0], [50, 0, 0]]))
    write(folder / "methane.xyz", Atoms("CH4", positions=[[0, 0, 0], *TD]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["analyze", "missing.xyz"], "`path` must be an existing structure file, got missing.xyz"),
        (["analyze", "."], "`path` must be an existing structure file"),
        (["analyze", "text.xyz"], "`path` must be a structure file that ASE reads"),
        (["analyze", "empty.xyz"], "`path` must be a structure file that ASE reads, got empty.xyz"),
        (["analyze", "none.extxyz"], "`path` must contain at least one structure"),
        (["analyze", "same.xyz"], "atoms 1 and 2 at the same place"),
        (["analyze", "nan.xyz"], "must be finite"),
        (["analyze", "far.xyz"], "`cutoff` must reach a neighbour"),
        (["analyze", "methane.xyz", "--index", "9"], "must be the index of a frame of methane.xyz, got 9, which"),
        (["analyze", "methane.xyz", "--index", "-2"], "must be the index of a frame of methane.xyz, got -2, which"),
        (["analyze", "methane.xyz", "--index", "last"], "`index` must be a number or a slice such as ':100', got"),
        (["analyze", "methane.xyz", "--index", "::0"], "`index` must be a number or a slice such as ':100', got"),
        (["analyze", "methane.xyz", "--index", "3:"], "`path` must contain at least one structure"),
        (["analyze", "methane.xyz", "--parameter", "n_max"], "`--parameter` must have the form name=value, got"),
        (["analyze", "methane.xyz", "--parameter", "n_max=[1"], "`--parameter` must have a value that YAML reads, got"),
        (
            ["analyze", "methane.xyz", "--n-max", "3", "--parameter", "n_max=4"],
            "`--parameter` must not give n_max twice, got 'n_max=4' beside --n-max 3. Remove one.",
        ),
        (
            ["analyze", "methane.xyz", "--parameter", "n_max=3", "--parameter", "n_max=4"],
            "`--parameter` must not give n_max twice, got 'n_max=4' beside another --parameter",
        ),
        (
            ["analyze", "methane.xyz", "--parameter", "soap=1"],
            "`descriptor.soap` is not known. Known: n_max, radial_basis, density, cutoff,",
        ),
        (
            ["analyze", "methane.xyz", "--like", "soap n_mx=3"],
            "`n_mx` is not a key of QUIP's soap, nor of gap_fit, which",
        ),
        (["view", "methane.xyz", "--out", "a.html", "--like", "no.json"], "`source` must be hyperparameters or a file"),
        (
            ["find", "methane.xyz", "--like", "distance_2b cutoff=3"],
            "`--like` must hold one descriptor of centres, got 0",
        ),
        (["analyze", "methane.xyz", "--like", f"{LIKE}: {LIKE} l_max=3"], "`l_max` must be given once"),
        (
            ["analyze", "methane.xyz", "--like", f"{LIKE} : soap n_max=2 l_max=2 cutoff=3 atom_sigma=0.4"],
            "`--like` must hold one descriptor of centres, got 2: soap n_max=3",
        ),
        (
            ["analyze", "methane.xyz", "--like", LIKE, "--descriptor", "acsf"],
            "`--like` must not be given with --descriptor, got",
        ),
        (
            ["analyze", "methane.xyz", "--like", f"{LIKE} add_species=F nu_R=1", "--n-max", "3"],
            "`--n-max` must be left out where another code computes the features, got",
        ),
        (["analyze", "methane.xyz", "--centers", "Xe"], "`centers` must occur in methane.xyz"),
        (["analyze", "methane.xyz", "--centers", "9"], "`centers` must be atom indices of structure 0 (0 to 4)"),
        (["analyze", "methane.xyz", "--centers", "Qq"], "`centers` must be chemical symbols"),
        (
            ["analyze", "methane.xyz", "--descriptor", "soap"],
            "`--descriptor` must be a known descriptor, got 'soap'. Did you mean `power-spectrum`?",
        ),
        (
            ["analyze", "methane.xyz", "--parameter", "widht=1"],
            "`descriptor.widht` is not known. Did you mean `width`?",
        ),
        (["analyze", "methane.xyz", "--parameter", "atom_sigma=1"], "is not known. Did you mean `width`?"),
        (
            ["analyze", "methane.xyz", "--species", "8,9"],
            "`species` must cover the environments, got ('O', 'F') without H",
        ),
        (["analyze", "methane.xyz", "--descriptor", "no.py:A"], "`--descriptor` must name an existing descriptor file"),
        (["analyze", "methane.xyz", "--descriptor", "radial-spectrum", "--l-max", "3"], "`descriptor.l_max` is not"),
        (["analyze", "methane.xyz", "--n-max", "0"], "`descriptor.n_max`"),
        (["analyze", "methane.xyz", "--l-max", "-1"], "`descriptor.l_max`"),
        (["analyze", "methane.xyz", "--cutoff", "0"], "`descriptor.cutoff`"),
        (["analyze", "methane.xyz", "--width", "nan"], "`descriptor.width`"),
        (["analyze", "methane.xyz", "--cutoff-width", "9"], "`cutoff_width` must not exceed `cutoff`"),
        (["analyze", "methane.xyz", "--species", "O"], "`species`"),
        (["analyze", "methane.xyz", "--rtol", "2"], "`rtol` must"),
        (["analyze", "methane.xyz", "--threads", "0"], "Invalid value for '--threads'"),
        (["analyze", "methane.xyz", "--out", "no/where.parquet"], "`--out` must lie in an existing folder"),
        (["analyze", "methane.xyz", "--n-max", "many"], "Invalid value for '--n-max'"),
        (["analyze", "methane.xyz", "--sigma", "1"], "No such option: --sigma. Did you mean --width?"),
        (["analyze", "methane.xyz", "--n_max=3"], "No such option: --n_max. Did you mean --n-max?"),
        (["view", "methane.xyz", "--parity", "O3"], "--parity. Did you mean --parameter parity=...?"),
        (["find", "methane.xyz", "--xyz"], "No such option: --xyz"),
        (["analyze"], "Missing argument"),
        (["find", "missing.xyz"], "`path` must be an existing structure file, got missing.xyz"),
        (["find", "methane.xyz", "--out", "no/where.xyz"], "`--out` must lie in an existing folder"),
        (["find", "methane.xyz", "--attempts", "0"], "`attempts` must be greater than or equal to 1"),
        (["find", "methane.xyz", "--descriptor", "soap"], "`--descriptor` must be a known descriptor, got 'soap'"),
        (["provenance", "missing.parquet"], "`path` must be an existing Parquet file"),
        (
            ["provenance", "methane.xyz"],
            "`path` must be a table (Parquet) or figure (PNG, PDF, SVG, HTML) written by nullmode",
        ),
        (["scan", "methane.xyz"], "Missing option '--out'"),
        (
            ["scan", "methane.xyz", "--out", "a.parquet"],
            "`--species` must name all elements that may be neighbours, since",
        ),
        (
            ["scan", "methane.xyz", "--out", "a.parquet", "--species", "O"],
            "`species` must cover the environments, got ('O',)",
        ),
        (["scan", "methane.xyz", "--out", "no/a.parquet", "--species", "H"], "`--out` must lie in an existing folder"),
        (["scan", "missing.xyz", "--out", "a.parquet", "--species", "H"], "`path` must be an existing structure file"),
        (
            ["scan", "text.xyz", "--out", "a.parquet", "--species", "H"],
            "`path` must be a structure file that ASE reads",
        ),
        (
            ["scan", "methane.xyz", "--out", "a.parquet", "--species", "H", "--index", "3"],
            "`index` must be the index of a frame",
        ),
        (["scan", "methane.xyz", "--out", "a.parquet", "--species", "H", "--centers", "Xe"], "`centers` must occur in"),
        (["scan", "methane.xyz", "--out", "a.parquet", "--species", "H", "--rtol", "2"], "`rtol` must"),
        (["explain"], "No such command"),
    ],
)
def test_bad_input_ends_with_one_message(nullmode, tmp_path, arguments, message):
    bad_files(tmp_path)
    before = sorted(tmp_path.iterdir())
    more = ["--no-progress"] if arguments[0] in ("analyze", "find", "scan") else []
    code, _, err = nullmode(*arguments, *more)
    assert code == 2
    assert message in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
    assert sorted(tmp_path.iterdir()) == before


MODULE = pytest.param([sys.executable, "-m", "nullmode"], marks=pytest.mark.slow)


@pytest.mark.parametrize("command", [["nullmode"], MODULE])
def test_installed_command(command, tmp_path):
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])  # noqa: PTH120
    done = subprocess.run(
        [*command, "analyze", "missing.xyz"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("nullmode: `path` must be an existing structure file")


def test_resolution_may_be_asked_for(nullmode, table, tmp_path):
    path = tmp_path / "a.parquet"
    code, out, _ = nullmode("analyze", *MOLECULES, "--out", path, "--resolution", *SMALL)
    assert code == 0
    assert "in 13 environments" in out
    rows, without = parquet.read(path, "analysis"), parquet.read(table, "analysis")
    assert rows["resolution"].between(0, 1 + 1e-10).all()
    assert set(rows) - set(without) == {column.name for column in columns.RESOLUTION}
    pd.testing.assert_frame_equal(rows[list(without)], without)
