"""Laws of nullmode.load: all parts and nothing else, pushed down, and nothing mixed without a word."""

import copy

import duckdb
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from frames import FRAMES, damaged_rows, foreign, missing, no_parquet, of_another_version, truncated

import nullmode as nm
from nullmode._support import code_hash
from nullmode.tables import agreement, parquet

SHARED = ["structure", "n_max", "rank", "singular_values", "status", "point_group"]
# Names that a reader could take for numbers.
PARTS = [("007", "soap", 2), ("007", "soap", 3), ("water", "soap", 2), ("water", "radial", 2)]
INPUT = {
    "sha256": "0" * 64,
    "code": {"nullmode.sweep.structures": "3" * 12},
    "versions": {"ase": "3.29.0", "pandas": "3.1.1"},
}


def task(family, descriptor, n_max=3):
    return {
        "family": family,
        "descriptor": descriptor,
        "kind": descriptor,
        "scope": "environment",
        "parameters": {"cutoff": 4.0},
        "points": [{"n_max": n_max}],
        "rtol": 1e-9,
        "tolerance": 1e-6,
    }


def content(family, descriptor, n_max=3):
    """What a part follows from, as the workflow writes it."""
    root = {"soap": "nullmode.descriptors.power_spectrum", "radial": "nullmode.descriptors.radial_spectrum"}[descriptor]
    return {
        "tasks": [task(family, descriptor, n_max)],
        "inputs": {family: copy.deepcopy(INPUT)},
        "code": {"nullmode.sweep.sensitivity": "1" * 12, root: "2" * 12},
        "versions": {"numpy": "2.4.6", "numba": "0.68.1"},
    }


def part(family, descriptor, n_max):
    """Rows of one part; only one family has the coordinate `angle`; `t` is whole in one, a fraction in the other."""
    frame = FRAMES["sensitivity"].assign(family=family, descriptor=descriptor, n_max=n_max)
    if family == "water":
        return frame.drop(columns="path").assign(t=[0.25, 0.5], angle=[90.0, 104.5])
    return frame.assign(t=[1, 2])


def place(results, family, descriptor, n_max):
    return results / f"sensitivity/{family}_{descriptor}_{n_max}.parquet"


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    for key in PARTS:
        parquet.write(part(*key), place(folder, *key), "sensitivity", content(*key))
    # What a killed job leaves is no part.
    (folder / "sensitivity/.x.parquet").write_bytes(b"half")
    (folder / "sensitivity/.x.parquet.1.part").write_bytes(b"half")
    return folder


def expected():
    return pd.concat([part(*key) for key in [*PARTS[:2], PARTS[3], PARTS[2]]], ignore_index=True)


def plain(frame):
    """Values of a frame, whatever their types: None where there is none."""
    return [
        [None if np.ndim(value) == 0 and pd.isna(value) else np.asarray(value).tolist() for value in frame[name]]
        for name in frame
    ]


def test_all_parts_are_one_table(results):
    frame = nm.load(results)
    assert sorted(frame.columns) == sorted(expected().columns)
    assert plain(frame) == plain(expected()[list(frame.columns)])


def several(results):
    return [place(results, *key) for key in [*PARTS[:2], PARTS[3], PARTS[2]]]


@pytest.mark.parametrize(
    "where",
    [str, lambda results: results / "sensitivity", several, lambda results: map(str, several(results))],
    ids=["text", "folder of parts", "files", "names of files"],
)
def test_folders_and_files_are_read_alike(results, where):
    pd.testing.assert_frame_equal(nm.load(where(results)), nm.load(results))


def test_files_keep_their_order(results):
    assert nm.load(several(results)[::-1])["descriptor"].tolist() == ["soap"] * 2 + ["radial"] * 2 + ["soap"] * 4


def test_one_file_is_read_on_its_own(results):
    assert nm.load(place(results, *PARTS[1]))["n_max"].tolist() == [3, 3]


def test_without_parts_the_merged_table_is_read(results, tmp_path):
    merged = nm.load(results)
    parquet.write(merged, tmp_path / "copy/tables/sensitivity.parquet", "sensitivity", {})
    pd.testing.assert_frame_equal(nm.load(tmp_path / "copy"), merged)


PLACES = {
    "structures": "structures/a.parquet",
    "sensitivity": "sensitivity/all.parquet",
    "summary": "tables/summary.parquet",
    "search": "searches/a/found.parquet",
    "search_steps": "searches/a/steps.parquet",
    "regression": "regressions/a.parquet",
}


@pytest.mark.parametrize("table", PLACES)
def test_every_table_is_read(tmp_path, table):
    for other, path in PLACES.items():
        parquet.write(FRAMES[other], tmp_path / path, other, {})
    written = parquet.read(tmp_path / PLACES[table])
    assert plain(nm.load(tmp_path, table)) == plain(FRAMES[table][list(written.columns)])


def test_a_table_of_analyze_is_read(tmp_path):
    parquet.write(FRAMES["analysis"], tmp_path / "a.parquet", "analysis", {})
    assert len(nm.load(tmp_path, "analysis")) == len(FRAMES["analysis"])


@pytest.mark.parametrize(("key", "value"), [("search_kind", "partners"), ("search_parameters", {"length": 0.03})])
def test_searches_of_one_name_are_mixed_on_demand_alone(tmp_path, key, value):
    made = {"search": "a", "search_kind": "orbit", "search_parameters": {"length": 0.02}}
    for folder, content in (("one", made), ("other", made | {key: value}), ("third", {**made, "search": key})):
        parquet.write(FRAMES["search"], tmp_path / f"searches/{folder}/found.parquet", "search", content)
    with pytest.raises(nm.InputError, match=rf"must be of one origin, got `{key}` of search a"):
        nm.load(tmp_path, "search")
    for chosen in ("one", "third"), ("other", "third"):
        files = [tmp_path / f"searches/{folder}/found.parquet" for folder in chosen]
        assert len(nm.load(files, "search")) == 2 * len(FRAMES["search"])


FILTERS = {
    "family": ([("family", "==", "007")], lambda f: f["family"] == "007"),
    "not that family": ([("family", "!=", "007")], lambda f: f["family"] != "007"),
    "one of families": ([("family", "in", ["007", "air"])], lambda f: f["family"] == "007"),
    "number": ([("n_max", ">", 2)], lambda f: f["n_max"] > 2),
    "both": ([("family", "==", "007"), ("n_max", "<", 3)], lambda f: (f["family"] == "007") & (f["n_max"] < 3)),
    "either": (
        [[("descriptor", "==", "radial")], [("n_max", "==", 3)]],
        lambda f: (f["descriptor"] == "radial") | (f["n_max"] == 3),
    ),
    "either of families": (
        [[("family", "==", "007"), ("n_max", "==", 3)], [("descriptor", "==", "radial")]],
        lambda f: (f["descriptor"] == "radial") | (f["n_max"] == 3),
    ),
    "coordinate of one family": ([("angle", ">", 100)], lambda f: f["angle"] > 100),
    "coordinate of two types": ([("t", "<", 1.5)], lambda f: f["t"] < 1.5),
    "expression": (pc.field("t") * 2 < 1.5, lambda f: f["t"] * 2 < 1.5),
}


@pytest.mark.law(cases=5)
@pytest.mark.parametrize("columns", [None, ["rank"], ["t", "family", "singular_values"]])
@pytest.mark.parametrize(("filters", "rows"), FILTERS.values(), ids=FILTERS)
def test_filters_and_columns_choose(results, filters, rows, columns):
    whole = expected()
    wanted = whole[rows(whole)]
    assert 0 < len(wanted) < len(whole)
    frame = nm.load(results, filters=filters, columns=columns)
    if columns is not None:
        assert list(frame.columns) == columns
    assert plain(frame) == plain(wanted[list(frame.columns)])


PUSHED = [
    [("family", "==", "007")],
    [("family", "in", ["007"]), ("n_max", ">", 0)],
    [[("descriptor", "==", "soap"), ("family", "!=", "water")], [("family", "<", "1")]],
]


@pytest.mark.parametrize("filters", PUSHED)
def test_rows_of_files_that_cannot_match_are_not_read(results, filters):
    for key in PARTS[2:]:
        damaged_rows(place(results, *key))
    assert set(nm.load(results, filters=filters)["family"]) == {"007"}
    with pytest.raises(nm.InputError, match="undamaged"):
        nm.load(results)


@pytest.mark.parametrize("filters", PUSHED)
def test_row_groups_that_cannot_match_are_not_read(tmp_path, filters):
    """A job's file has a row group for each family and descriptor."""
    file = tmp_path / "job.parquet"
    groups = {key[:2]: pd.concat([part(*other) for other in PARTS if other[:2] == key[:2]]) for key in PARTS}
    tasks = {"tasks": [task(*key) for key in PARTS]}
    parquet.write_groups(list(groups.values()), file, "sensitivity", content("007", "soap") | tasks)
    whole = nm.load(file)
    assert plain(whole[whole["family"] == "007"]) == plain(nm.load(file, filters=filters))
    metadata = pq.read_metadata(file)
    assert metadata.num_row_groups == len(groups)
    damaged = bytearray(file.read_bytes())
    for group, (family, _) in enumerate(groups):
        for column in range(metadata.num_columns if family == "water" else 0):
            chunk = metadata.row_group(group).column(column)
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            damaged[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    file.write_bytes(damaged)
    assert plain(nm.load(file, filters=filters)) == plain(whole[whole["family"] == "007"])
    with pytest.raises(nm.InputError, match="undamaged"):
        nm.load(file)


def test_row_groups_have_the_coordinates_of_all(tmp_path):
    parquet.write_groups([part(*PARTS[0]), part(*PARTS[2])], tmp_path / "a.parquet", "sensitivity", {})
    rows = parquet.read(tmp_path / "a.parquet")
    assert plain(rows) == plain(pd.concat([part(*PARTS[0]), part(*PARTS[2])])[list(rows.columns)])
    text = part(*PARTS[2]).assign(t=["near", "far"])
    with pytest.raises(nm.InputError, match="A coordinate must have one type in all families"):
        parquet.write_groups([part(*PARTS[0]), text], tmp_path / "b.parquet", "sensitivity", {})
    assert not (tmp_path / "b.parquet").exists()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (missing, "must be an existing Parquet file"),
        (truncated, "undamaged Parquet file.*delete it"),
        (no_parquet, "undamaged Parquet file"),
        (damaged_rows, "undamaged Parquet file"),
        (foreign, "written by nullmode, got the foreign file"),
        (of_another_version, "must have schema version"),
    ],
)
def test_the_bad_part_is_named(results, spoil, message):
    bad, paths = place(results, *PARTS[2]), several(results)
    spoil(bad)
    with pytest.raises(nm.InputError, match=message) as refused:
        nm.load(paths)
    assert str(bad) in str(refused.value)


@pytest.mark.law(cases=9)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"where": "nowhere"}, "`where` must be an existing folder or Parquet file, got nowhere"),
        ({"where": []}, "`where` must name at least one file"),
        ({"where": "{empty}"}, "`where` must hold the sensitivity table, got .* Run the workflow"),
        ({"table": "summary"}, "`where` must hold the summary table, got .* Run the workflow"),
        ({"table": "sensitivty"}, "`table` must be a known one, got 'sensitivty'. Did you mean `sensitivity`"),
        ({"where": "{part}", "table": "summary"}, "must be a summary table, got the sensitivity table"),
        ({"columns": ["ranks"]}, "must name columns, got 'ranks'. Did you mean `rank`"),
        ({"filters": [("ranks", ">", 1)]}, "must name columns, got 'ranks'. Did you mean `rank`"),
        ({"filters": [("family", "==", "air")]}, "let a row pass, .* `family` holds 007, water."),
        ({"filters": [("status", "==", "bad")]}, "let a row pass, .* `status` holds ok."),
        ({"filters": [("n_max", ">", 9)]}, "let a row pass, .* Widen them."),
        ({"filters": pc.field("ranks") > 1}, "`filters` must fit the columns"),
        ({"filters": [("n_max", ">", "many")]}, "`filters` must fit the columns and their types"),
        ({"filters": [("n_max", "~", 1)]}, "`filters` must be conditions that pyarrow takes"),
        ({"filters": ("n_max", ">", 1)}, "`filters` must be a list of"),
        ({"filters": "n_max > 1"}, "`filters` must be a list of"),
        ({"filters": []}, "`filters` must be a list of"),
    ],
)
def test_bad_requests_are_refused_with_a_remedy(results, tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    arguments = {"where": results, **arguments}
    if isinstance(arguments["where"], str):
        arguments["where"] = arguments["where"].format(empty=tmp_path / "empty", part=place(results, *PARTS[0]))
    with pytest.raises(nm.InputError, match=message):
        nm.load(**arguments)


def test_coordinates_that_differ_in_case_are_named(results):
    frame = part(*PARTS[2]).rename(columns={"t": "T"}).assign(T=1.0)
    parquet.write(frame, place(results, *PARTS[2]), "sensitivity", content(*PARTS[2]))
    with pytest.raises(nm.InputError, match=r"Coordinates must differ by more than case in all families, got T in"):
        nm.load(results)


def test_coordinates_of_two_types_are_named(results):
    frame = part(*PARTS[2]).assign(t=["near", "far"])
    parquet.write(frame, place(results, *PARTS[2]), "sensitivity", content(*PARTS[2]))
    with pytest.raises(nm.InputError, match=r"A coordinate must have one type in all families.*with a filter"):
        nm.load(results)
    assert set(nm.load(results, filters=[("family", "==", "007")])["t"]) == {1, 2}


# Parts of several origins: a place in what a part follows from, its new value, and what the message names.
OTHER = {
    "library": ("versions.numba", "0.69.0", "numba 0.68.1 in .* and 0.69.0 in"),
    "code of all": ("code.nullmode/sweep/sensitivity", "9" * 12, "code nullmode.sweep.sensitivity 1{12} in .* and 9"),
    "code of a descriptor": ("code.nullmode/descriptors/power_spectrum", "9" * 12, "code nullmode.*power_spectrum"),
    "fixed parameter": ("tasks.0.parameters", {"cutoff": 5.0}, "`parameters` of descriptor soap"),
    "kind": ("tasks.0.kind", "bispectrum", "`kind` of descriptor soap"),
    "scope": ("tasks.0.scope", "structure", "`scope` of descriptor soap"),
    "rtol": ("tasks.0.rtol", 1e-8, "`rtol` 1e-09 in"),
    "tolerance": ("tasks.0.tolerance", 1e-3, "`tolerance` 1e-06 in"),
    "structures": ("inputs.007.sha256", "f" * 64, "input 007 0{64} in"),
    "code of the structures": (
        "inputs.007.code.nullmode/sweep/structures",
        "9" * 12,
        "code nullmode.sweep.structures 3{12} in",
    ),
    "library of the structures": ("inputs.007.versions.ase", "3.30.0", "ase 3.29.0 in"),
    "library of structures and part": ("inputs.007.versions.numpy", "2.4.5", "numpy 2.4.6 in .* and 2.4.5 in"),
}
# What may differ from part to part.
SAME = {
    "truncations": ("tasks.0.points", [{"n_max": 4}]),
    "library that computes nothing": ("versions.pandas", "3.2.0"),
    "nullmode with the same code": ("versions.nullmode", "0.2.0"),
    "library of another kind's": ("versions.dscribe", "2.1.2"),
}


def rewrite(results, where, value):
    """Write one part of soap on 007 as if it had another origin."""
    changed = inner = content("007", "soap")
    *parents, last = (name.replace("/", ".") for name in where.split("."))
    for name in parents:
        inner = inner[int(name) if isinstance(inner, list) else name]
    inner[last] = value
    parquet.write(part(*PARTS[1]), place(results, *PARTS[1]), "sensitivity", changed)


@pytest.mark.law(cases=6)
@pytest.mark.parametrize(("where", "value", "message"), OTHER.values(), ids=OTHER)
def test_parts_of_several_origins_are_mixed_on_demand_alone(results, where, value, message):
    rewrite(results, where, value)
    with pytest.raises(nm.InputError, match=rf"must be of one origin, got {message}.*mixed=True") as refused:
        nm.load(results)
    assert str(place(results, *PARTS[1])) in str(refused.value)
    with pytest.raises(nm.InputError, match="must be of one origin"):
        agreement.merged(several(results), {})
    assert len(nm.load(results, mixed=True)) == 8
    # What is left out by a filter is not mixed.
    if "inputs" not in where or "sha256" in where:
        assert len(nm.load(results, filters=[("descriptor", "==", "radial")])) == 2


@pytest.mark.parametrize(("where", "value"), SAME.values(), ids=SAME)
def test_what_changes_no_number_may_differ(results, where, value):
    rewrite(results, where, value)
    assert len(nm.load(results)) == 8
    agreement.merged(several(results), {})


def test_rows_of_two_descriptors_are_mixed_only_where_they_name_them(tmp_path):
    for name in ("a", "b"):
        parquet.write(FRAMES["analysis"], tmp_path / f"{name}.parquet", "analysis", {"descriptor": name, "scope": "x"})
    with pytest.raises(nm.InputError, match=r"got `descriptor` a in .* and b in"):
        nm.load(tmp_path, "analysis")


def test_merged_table_says_what_all_parts_say(results):
    own = {
        "code": {"nullmode.sweep.sensitivity": "1" * 12, "nullmode.tables.dataset": "4" * 12},
        "versions": {"numpy": "2.4.6"},
    }
    result = agreement.merged(several(results), own)
    for key in PARTS:
        kept = parquet.provenance(place(results, *key))
        for name in ("code", "versions", "inputs"):
            assert kept[name].items() <= result[name].items()
    assert result["code"]["nullmode.tables.dataset"] == "4" * 12
    names = [(item["family"], item["descriptor"]) for item in result["tasks"]]
    assert names == [("007", "soap"), ("water", "radial"), ("water", "soap")]
    assert not {"points", "table", "code"} & set(result["tasks"][0])
    # A merged table is held to the same law as its parts.
    path = results / "tables/sensitivity.parquet"
    parquet.write(nm.load(results), path, "sensitivity", result)
    rewrite(results, "tasks.0.rtol", 1e-8)
    with pytest.raises(nm.InputError, match="got `rtol` 1e-09 in"):
        nm.load([path, place(results, *PARTS[1])])


def test_parts_are_not_merged_by_other_code(results):
    own = {"code": {"nullmode.sweep.sensitivity": "5" * 12}, "versions": {}}
    with pytest.raises(nm.InputError, match=r"got code nullmode.sweep.sensitivity 1{12} in .* and 5{12} in this run"):
        agreement.merged(several(results), own)


# Other readers of the same files.


def test_pyarrow_reads_the_same_rows(results):
    dataset = ds.dataset(results / "sensitivity")
    rows = dataset.to_table(columns=SHARED, filter=ds.field("family") == "007").to_pandas()
    assert plain(rows) == plain(nm.load(results, columns=SHARED, filters=[("family", "==", "007")]))


def test_duckdb_reads_the_same_rows(results):
    pattern = results / "sensitivity/*_*.parquet"
    found = duckdb.sql(
        f"select family, descriptor, n_max, t, angle from read_parquet('{pattern}', union_by_name = true) "
        "where family = '007' or angle > 100 order by all"
    ).fetchall()
    rows = nm.load(results, columns=["family", "descriptor", "n_max", "t", "angle"])
    rows = rows[(rows["family"] == "007") | (rows["angle"] > 100)]
    assert found == sorted(map(tuple, np.array(plain(rows), dtype=object).T.tolist()), key=str)
    assert len(found) == 6


def test_pandas_reads_a_part(results):
    path = place(results, *PARTS[0])
    assert plain(pd.read_parquet(path, partitioning=None)) == plain(parquet.read(path))
    assert pq.read_metadata(path).num_rows == 2


# What a part follows from, at its source.


def test_origin_names_what_computes_and_nothing_else():
    found = code_hash.origin("nullmode.sweep.sensitivity", "nullmode.descriptors.power_spectrum")
    assert list(found["code"]) == ["nullmode.sweep.sensitivity", "nullmode.descriptors.power_spectrum"]
    assert {"python", "numpy", "scipy", "numba", "ase", "spglib", "vesin"} <= found["versions"].keys()
    assert not found["versions"].keys() & {"pandas", "pyarrow", "matplotlib", "pydantic", "rich", "nullmode"}
    assert found["versions"]["numpy"] == np.__version__
    assert "matplotlib" in code_hash.origin("nullmode.figures.paths")["versions"]


def test_origin_of_a_users_file_names_its_libraries(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("import quippy.descriptors\nimport my_helper\n\n\ndef f():\n    import jacobi\n")
    assert code_hash.origin(str(own))["versions"].keys() == {"python", "quippy", "jacobi"}


@pytest.mark.parametrize("changed", ["code", "versions"])
def test_code_that_changed_since_the_plan_is_refused(changed):
    planned = code_hash.origin("nullmode.sweep.sensitivity")
    code_hash.check_unchanged(planned)
    name = next(iter(planned[changed]))
    planned[changed][name] = "other"
    with pytest.raises(nm.InputError, match=f"between the plan and a job, got changes in {name}. Start the workflow"):
        code_hash.check_unchanged(planned)


OVERLAPS = {
    "the same": (None, None, True),
    "all and a part": (None, [0, 8], True),
    "an open end": ([0, None], [100, 108], True),
    "neighbouring parts": ([0, 8], [8, 16], False),
    "parts one of which is open": ([0, 8], [8, None], False),
}


@pytest.mark.parametrize(("one", "other", "overlap"), OVERLAPS.values(), ids=OVERLAPS)
def test_parts_left_from_an_earlier_plan_are_refused(tmp_path, one, other, overlap):
    for name, structures in (("a", one), ("b", other)):
        origin = content("water", "soap") | {"tasks": [task("water", "soap") | {"structures": structures}]}
        parquet.write(part("water", "soap", 3), tmp_path / f"{name}.parquet", "sensitivity", origin)
    if not overlap:
        assert len(nm.load(tmp_path)) == 2 * len(part("water", "soap", 3))
        return
    with pytest.raises(nm.InputError, match=r"got the same rows in .*a\.parquet and .*b\.parquet"):
        nm.load(tmp_path)
    with pytest.raises(nm.InputError, match="must not overlap"):
        nm.load(tmp_path, mixed=True)
    other_point = content("water", "soap") | {"tasks": [task("water", "soap", 4) | {"structures": other}]}
    parquet.write(part("water", "soap", 4), tmp_path / "b.parquet", "sensitivity", other_point)
    assert len(nm.load(tmp_path)) == 2 * len(part("water", "soap", 3))
