"""What a plan knows of each file: an identity that changes with what the file follows from, and with nothing else."""

import copy
import os
import re

import matplotlib.pyplot as plt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from configs import CHECKOUT, changed, small

import nullmode as nm
from nullmode.cli.prune import prune
from nullmode.figures._base import FORMATS, save
from nullmode.sweep import origins
from nullmode.sweep.contents import contents
from nullmode.sweep.jobs import plan
from nullmode.sweep.sensitivity import read_layout
from nullmode.sweep.settings import check
from nullmode.sweep.stale import explained, open_results, out_of_date
from nullmode.sweep.structures import write_structures
from nullmode.tables import footer, manifest, parquet, stamp
from nullmode.tables.identity import differences, identified

RULES = (
    "structures",
    "layout",
    "sensitivity",
    "summary",
    "search",
    "regression",
    "explanation",
    "figure",
    "view",
    "claims",
)
SCRIPTS = dict.fromkeys(RULES, "0" * 12)


@pytest.fixture(autouse=True)
def _in_checkout(monkeypatch):
    monkeypatch.chdir(CHECKOUT)


def planned(config, scripts=SCRIPTS):
    settings = check(config)
    return contents(settings, plan(settings), scripts)


def identities(config, scripts=SCRIPTS):
    return {name: content["identity"] for name, content in planned(config, scripts).items()}


def kinds(names):
    return {name.partition("/")[0] for name in names}


TABLES = {"tables", "explanations", "figures", "views", "claims.parquet", "claims.html"}
# A place of the small configuration, a value, and the folders with another identity.
CHANGES = {
    "rtol": ("rtol", 1e-8, {"sensitivity", "searches", "regressions"} | TABLES),
    "tolerance": ("tolerance", 1e-5, {"sensitivity", "regressions"} | TABLES),
    "a parameter of a family": (
        "families.random_methane.parameters.seed",
        2,
        {"structures", "sensitivity"} | TABLES,
    ),
    "a parameter of a descriptor": ("descriptors.soap.parameters.width", 0.31, {"sensitivity"} | TABLES),
    "an outer value": ("descriptors.soap_swept.grid.width", [0.3, 0.6], {"sensitivity"} | TABLES),
    "an inner value": ("descriptors.soap_swept.grid.n_max", [1, 2], {"sensitivity"} | TABLES),
    "a search": ("searches.orbit.parameters.length", 0.06, {"searches", "figures", "claims.parquet", "claims.html"}),
    "a model": (
        "regressions.mlp.parameters.steps",
        21,
        {"regressions", "figures", "claims.parquet", "claims.html"},
    ),
    "a figure": ("figures.selection_rules.parameters.samples", 6, {"explanations", "figures"}),
    "a caption": ("figures.pair_map.claim", "R1: something.", {"figures"}),
    "a view": ("views.null_modes.most", 5, {"views"}),
    "claims": ("claims", "config/claims.yaml", {"claims.parquet", "claims.html"}),
    "the folder": ("results", "elsewhere", set()),
}


@pytest.mark.law(cases=7)
@pytest.mark.parametrize(("place", "value", "folders"), CHANGES.values(), ids=CHANGES)
def test_identities_follow_from_what_files_follow_from(place, value, folders):
    before, after = identities(small()), identities(changed(place, value))
    assert before.keys() == after.keys()
    assert kinds(name for name in before if before[name] != after[name]) == folders


@pytest.mark.parametrize("what", ["stop", "skip"])
@pytest.mark.parametrize("name", ["random_methane", "from_file"])
def test_a_family_is_written_with_the_identity_that_is_planned(name, what, tmp_path):
    config = changed(f"families.{name}.on_bad_structure", what)
    settings = check(config)
    code = {**origins.structures_code(settings, name), "script": SCRIPTS["structures"]}
    files = origins.files_of_family(settings, name)
    write_structures(settings.families[name].model_dump(), name, files, tmp_path / "a.parquet", code)
    assert parquet.provenance(tmp_path / "a.parquet")["identity"] == identities(config)[f"structures/{name}.parquet"]


@pytest.mark.parametrize("rule", RULES[2:])
def test_scripts_count_by_content(rule):
    before, after = identities(small()), identities(small(), SCRIPTS | {rule: "1" * 12})
    assert {name for name in before if before[name] != after[name]}
    assert before["structures/orbit.parquet"] == after["structures/orbit.parquet"]


def test_a_family_is_told_by_the_content_of_its_file(tmp_path):
    file = tmp_path / "a.xyz"
    config = changed("families.from_file.parameters.path", str(file))
    text = (CHECKOUT / "tests/data/small.extxyz").read_text()
    found = []
    for content in (text, text.replace("0.102", "0.112"), text):
        # A start of Snakemake reads each file once.
        origins._digest.cache_clear()
        file.write_text(content)
        os.utime(file, (0, 0))
        found.append(identities(config)["structures/from_file.parquet"])
    assert found[0] == found[2] != found[1]


TASK = {"family": "a", "descriptor": "soap", "rtol": 1e-9, "parameters": {"cutoff": 4.0}}
DIFFERENCES = {
    "a setting": ({"rtol": 1e-2}, ["rtol 1e-09 → 0.01"]),
    "a parameter": ({"parameters": {"cutoff": 5.0}}, ["soap on a: parameters cutoff 4.0 → 5.0"]),
    "a value more": ({"points": [{"width": 0.3}, {"width": 0.5}, {"width": 0.4}]}, ["soap on a: width 0.4 added"]),
    "another value": (
        {"points": [{"width": 0.3}, {"width": 0.6}]},
        ["soap on a: width 0.6 added", "soap on a: width 0.5 left out"],
    ),
    "another family": ({"family": "b"}, ["soap on b is new", "soap on a is not computed any more"]),
    "many values": (
        {"points": [{"width": k} for k in range(1000)]},
        ["soap on a: width 0, 1, 10, 100, 101, … added", "soap on a: width 0.3, 0.5 left out"],
    ),
}


@pytest.mark.parametrize(("change", "lines"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_differences_are_told_in_words(change, lines):
    before = {"tasks": [TASK | {"points": [{"width": 0.3}, {"width": 0.5}]}], "code": {"x": "1"}}
    now = copy.deepcopy(before)
    now["tasks"][0] |= change
    assert differences(before, now) == lines
    assert identified(before)["identity"] != identified(now)["identity"]


def made(folder, plan):
    """Write files that say what a plan says, without rows."""
    from frames import FRAMES

    for name, content in plan.items():
        if table := content.get("table"):
            inputs = {key: given | {"sha256": ""} for key, given in content["inputs"].items()}
            parquet.write(FRAMES[table], folder / name, table, content | {"inputs": inputs})


def sweep(**more):
    water = {"kind": "random_methane", "parameters": {"n_structures": 2}}
    soap = {"kind": "power-spectrum", "parameters": {"n_max": 2}, "grid": {"width": [0.3, 0.5]}}
    return {"families": {"a": water}, "descriptors": {"soap": soap}, "target_job_seconds": 1e-9} | more


@pytest.fixture
def results(tmp_path):
    """Files as planned, and the list of them."""
    first = planned(sweep())
    folder = tmp_path / "results"
    made(folder, first)
    opened = open_results(str(folder), first, ["one.yaml"])
    assert not opened.stale
    assert not opened.message
    manifest.write(folder / manifest.NAME, **opened.manifest)
    return folder


def test_what_an_earlier_plan_left_is_told_apart(results, capsys):
    config = sweep()
    config["descriptors"]["soap"]["grid"]["width"] = [0.3, 0.6]
    second = planned(config)
    opened = open_results(str(results), second, ["one.yaml"])
    # The merged table is out of date; parts of the width that is left are not, those of the other are unknown.
    assert opened.stale.keys() == {"tables/sensitivity.parquet", "tables/summary.parquet"}
    assert re.search(r"\n2 files in .* belong to no job of this configuration; .*nullmode prune", opened.message)
    assert len(nm.load(results)) == 8
    manifest.write(results / manifest.NAME, **opened.manifest)
    assert len(nm.load(results)) == len(nm.load(results / "sensitivity")) == 4
    left = manifest.leftover(results, opened.manifest["files"])
    assert {path.name.partition("_width-")[2][:3] for path in left} == {"0.5"}
    (results / "tables/notes.html").write_text("mine")
    (results / "logs/sensitivity").mkdir(parents=True)
    (results / "logs/sensitivity" / left[0].with_suffix(".log").name).touch()
    prune(results)
    assert all(path.exists() for path in left)
    prune(results, remove=True)
    assert not any(path.exists() for path in [*left, results / "logs"])
    assert "notes.html (not written by nullmode; stays)" in capsys.readouterr().out
    assert (results / "tables/notes.html").exists()
    # A part that was not made as planned is no part either.
    part = next(path for path in results.glob("sensitivity/*.parquet") if path not in left)
    frame = parquet.read(part)
    parquet.write(frame, part, "sensitivity", {"tasks": []})
    assert len(nm.load(results)) == 2


def test_two_configurations_do_not_share_a_folder(results, tmp_path):
    other = planned(sweep(rtol=1e-2))
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    for file in (one, two):
        file.touch()
    manifest.write(results / manifest.NAME, {"structures/a.parquet": ""}, [str(one)])
    assert open_results(str(results), other, [str(one)]).stale
    with pytest.raises(nm.InputError, match=r"which holds results of .*one.yaml:\n  rtol 1e-09 → 0.01: ") as caught:
        open_results(str(results), other, [str(two)])
    assert f"delete {results}/plan.json" in str(caught.value)
    # A copy of both is no other configuration.
    manifest.write(results / manifest.NAME, {"structures/a.parquet": ""}, ["../one.yaml"])
    assert open_results(str(results), other, [str(one)]).stale
    one.unlink()
    assert open_results(str(results), other, [str(two)]).stale


@pytest.mark.parametrize("name", ["structures/a.parquet", "tables/sensitivity.parquet"])
def test_files_of_others_are_not_overwritten(results, name):
    import pandas as pd

    pd.DataFrame({"x": [1]}).to_parquet(results / name)
    with pytest.raises(nm.InputError, match="does not overwrite files that it did not make"):
        open_results(str(results), planned(sweep()), ["one.yaml"])


def rewritten(change, **options):
    """Write a table again, as another program does: changed, with all of its metadata."""

    def write(path):
        table = pq.read_table(path)
        pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path, **options)

    return write


def flipped(path):
    """Flip a bit of the name of a column."""
    content = path.read_bytes()
    place = content.rindex(b"rank_complete")
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


AS_WRITTEN = {"compression": "zstd", "write_page_checksum": True}
CHANGED = {
    "cut": rewritten(lambda table: table.slice(0, 1)),
    "cut, as nullmode writes": rewritten(lambda table: table.slice(0, 1), **AS_WRITTEN),
    "repeated": rewritten(lambda table: pa.concat_tables([table, table]), **AS_WRITTEN),
    "without rows": rewritten(lambda table: table.slice(0, 0)),
    "sorted": rewritten(lambda table: table.take([1, 0]), **AS_WRITTEN),
    "a column less": rewritten(lambda table: table.drop_columns("rank"), **AS_WRITTEN),
    "a column renamed": rewritten(lambda table: table.rename_columns({"rank": "rang"}), **AS_WRITTEN),
    "other values": rewritten(
        lambda table: table.set_column(
            table.schema.get_field_index("rank"), table.schema.field("rank"), pa.array([7] * len(table))
        ),
        **AS_WRITTEN,
    ),
    "another compression": rewritten(lambda table: table, compression="snappy"),
    "a flipped bit": flipped,
    "a mark in front": lambda path: path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes()),
    "a byte less": lambda path: path.write_bytes(path.read_bytes()[:99] + path.read_bytes()[100:]),
}


@pytest.mark.law(cases=6)
@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_table_that_another_program_changed_is_made_again_and_not_read(results, change):
    [name, *_] = sorted(path.relative_to(results).as_posix() for path in results.glob("sensitivity/*"))
    change(results / name)
    stale = open_results(str(results), planned(sweep()), ["one.yaml"]).stale
    assert stale == {name: ["damaged, or changed by another program"]}
    for where in (results, results / name):
        with pytest.raises(nm.InputError, match=rf"as nullmode wrote it, got .*{re.escape(name)}"):
            nm.load(where)


def test_no_table_stands_for_another(tmp_path):
    plan = planned(small())
    made(tmp_path, plan)
    assert not out_of_date(tmp_path, plan)
    tables = sorted(name for name, content in plan.items() if "table" in content)
    # Each once; tables of one job are neighbours.
    contents = {name: (tmp_path / name).read_bytes() for name in tables}
    for name, other in zip(tables, [*tables[1:], tables[0]], strict=True):
        (tmp_path / name).write_bytes(contents[other])
    stale = out_of_date(tmp_path, plan)
    assert stale.keys() == set(tables)
    assert stale["tables/sensitivity.parquet"] == ["table summary → sensitivity"]
    assert stale["searches/orbit/found.parquet"] == ["table search_steps → search"]


def test_a_file_that_cannot_be_read_is_named(results, monkeypatch):
    def read(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(footer, "read", read)
    with pytest.raises(nm.InputError, match=r"structures/a.parquet` must be readable, got PermissionError"):
        open_results(str(results), planned(sweep()), ["one.yaml"])


def test_a_folder_is_no_result(results):
    name = "structures/a.parquet"
    (results / name).unlink()
    (results / name).mkdir()
    with pytest.raises(nm.InputError, match=rf"{name}` must be a file, got a folder"):
        open_results(str(results), planned(sweep()), ["one.yaml"])


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("ending", [*FORMATS, "html"])
def test_figures_and_pages_that_are_cut_short_or_of_another_format_are_made_again(tmp_path, ending):
    figure, _ = plt.subplots()
    plt.close(figure)
    plan = {f"figures/a.{ending}": identified({"seed": 1})}
    files = {path.suffix[1:]: path for path in save(figure, tmp_path / "figures/a", identified({"seed": 1}))}
    files["html"] = tmp_path / "figures/a.html"
    files["html"].write_text(f"<!doctype html>{stamp.of_page(identified({'seed': 1}), 'x')}<p>Text</p></html>")
    contents = {name: path.read_bytes() for name, path in files.items()}
    assert not out_of_date(tmp_path, plan)
    [another] = [name for name in contents if name != ending][:1]
    # What a format says of itself stands at its beginning, but for PDF.
    for wrong in (contents[another], *([] if ending == "pdf" else [contents[ending][:-9]])):
        files[ending].write_bytes(wrong)
        assert out_of_date(tmp_path, plan) == {f"figures/a.{ending}": ["damaged, or changed by another program"]}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"provenance": []}'])
def test_a_damaged_layout_is_made_again(tmp_path, text):
    name = "layouts/a/environment_4.0.json"
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text)
    assert out_of_date(tmp_path, {name: {"identity": "0"}}) == {name: ["damaged, or changed by another program"]}
    with pytest.raises(nm.InputError, match=r"environment_4.0.json must hold the layout of a family"):
        read_layout(tmp_path / name)


def test_explanations_are_short():
    stale = {f"sensitivity/{k}.parquet": [f"difference {k}", "rtol 1 → 2"] for k in range(1000)}
    text = explained(stale | {"tables/sensitivity.parquet": []})
    assert len(text) < 3000
    assert "rtol 1 → 2: 1000 files, such as sensitivity/0.parquet" in text


def test_every_format_says_its_identity(tmp_path):
    from nullmode.views import captions

    captions.write(["A *text*."], tmp_path / "a.rst", "1" * 32)
    assert stamp.identity_of(tmp_path / "a.rst") == "1" * 32
    (tmp_path / "b.rst").write_text("A caption of another's.\n")
    with pytest.raises(nm.InputError, match=r"b.rst` must be a caption written by nullmode"):
        out_of_date(tmp_path, {"b.rst": {"identity": "0"}})
    (tmp_path / "a.html").write_text(f"<!doctype html>{stamp.of_page({'identity': '2' * 32}, 'x')}")
    assert stamp.identity_of(tmp_path / "a.html") == "2" * 32
