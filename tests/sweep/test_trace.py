"""Where a table or figure comes from: in the file what repeats, in logs and benchmark files what does not."""

import hashlib
import json
import subprocess
import sys

import matplotlib.pyplot as plt
import pytest
from frames import FRAMES, truncated

import nullmode as nm
from nullmode._support import code_hash
from nullmode.cli import main
from nullmode.figures._base import FORMATS, save
from nullmode.sweep import joblog
from nullmode.sweep.trace import differences, trace
from nullmode.tables import parquet, stamp

# Texts that formats have to escape.
HARD = {"a": r"(\)\\", "b": "<x y='1'> & \"ü\" ν → Å", "c": "]]>", "d": ["\n", "(((", 1e-9, None]}


@pytest.fixture
def drawn(tmp_path):
    """Write one figure in all formats: paths by ending."""

    def draw(provenance=HARD, name="map"):
        figure, ax = plt.subplots()
        ax.plot([0, 1], [1, 0])
        plt.close(figure)
        return {path.suffix[1:]: path for path in save(figure, tmp_path / name, provenance)}

    return draw


def test_figures_carry_what_they_follow_from(drawn):
    for path in drawn().values():
        read = stamp.read(path)
        assert read.pop("identity") == stamp.identity_of(path)
        assert read == {**HARD, "versions": {"nullmode": nm.__version__}}, path


def test_stamped_figures_repeat_to_the_byte(drawn):
    first, again, other = (
        {ending: path.read_bytes() for ending, path in drawn(provenance).items()}
        for provenance in (HARD, dict(reversed(HARD.items())), HARD | {"seed": 2})
    )
    assert again == first
    assert all(other[ending] != first[ending] for ending in FORMATS)


def test_others_read_the_stamp_where_formats_have_it(drawn):
    from xml.dom import minidom

    from matplotlib.image import imread
    from PIL import Image

    paths = drawn()
    with Image.open(paths["png"]) as image:
        assert json.loads(image.text["nullmode"])["c"] == "]]>"
    (node,) = minidom.parse(str(paths["svg"])).getElementsByTagName("dc:description")
    assert json.loads(node.firstChild.data)["c"] == "]]>"
    assert imread(paths["png"]).ndim == 3


def _unstamped(path):
    figure, _ = plt.subplots()
    plt.close(figure)
    figure.savefig(path)


def _stamped_by_another(path):
    figure, _ = plt.subplots()
    plt.close(figure)
    key = {".png": "nullmode", ".pdf": "Keywords", ".svg": "Description"}[path.suffix]
    figure.savefig(path, metadata={key: "a, b"})


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "`path` must be an existing table or figure"),
        (lambda path: path.write_bytes(b""), "must be a table .* or figure .* written by nullmode"),
        (lambda path: path.write_bytes(path.read_bytes()[:60]), "must be a table .* or figure .* written by nullmode"),
        (lambda path: path.write_text("text"), "must be a table .* or figure .* written by nullmode"),
        (_unstamped, "must be a table .* or figure .* written by nullmode"),
        (_stamped_by_another, "must be a table .* or figure .* written by nullmode"),
    ],
    ids=["missing", "empty", "cut", "text", "unstamped", "stamped by another"],
)
def test_other_figures_are_refused(drawn, ending, spoil, message):
    path = drawn()[ending]
    spoil(path)
    with pytest.raises(nm.InputError, match=message) as refused:
        trace(path)
    assert str(path) in str(refused.value)


# A small results folder as the workflow leaves it.


def made(results, name, inputs, text, benchmark=None):
    """Run a job that writes a table or text; its inputs are names of outputs of others."""
    log, output = results / f"logs/{name}.log", results / f"{name}.parquet"
    log.parent.mkdir(parents=True, exist_ok=True)
    with joblog.job_log(str(log), [str(results / f"{item}.parquet") for item in inputs], [str(output)]):
        print("working on", text)
        code = code_hash.origin("nullmode.sweep.structures")
        parquet.write(FRAMES["structures"], output, "structures", {"seed": text, **code})
    if benchmark is not None:
        path = results / f"benchmarks/{name}.tsv"
        path.parent.mkdir(parents=True)
        path.write_text(benchmark)
    return output


BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n12.5\t0:00:12\t284.4\t11.0\n"


@pytest.fixture
def results(tmp_path):
    """Two families, two parts, one table of all."""
    folder = tmp_path / "results"
    for family in ("a", "b"):
        made(folder, f"structures/{family}", [], family)
    made(folder, "sensitivity/a/soap", ["structures/a"], "a soap", BENCHMARK)
    made(folder, "sensitivity/b/soap", ["structures/b", "structures/a"], "b soap", BENCHMARK.replace("12.5", "-"))
    made(folder, "summary", ["sensitivity/a/soap", "sensitivity/b/soap"], "all")
    return folder


def test_jobs_behind_a_file_are_found(results):
    found = {job["log"]: job for job in trace(results / "summary.parquet")["jobs"]}
    names = ["summary", "sensitivity/a/soap", "sensitivity/b/soap", "structures/a", "structures/b"]
    assert list(found) == [f"{name}.log" for name in names]
    for job in found.values():
        assert job.keys() >= {"host", "started", "seconds", "commit", "python", "machine"}
        assert job["started"].endswith("+00:00")
    assert found["sensitivity/a/soap.log"]["benchmark"] == {"seconds": 12.5, "memory_mb": 284.4, "cpu_seconds": 11.0}
    assert found["sensitivity/b/soap.log"]["benchmark"] == {"memory_mb": 284.4, "cpu_seconds": 11.0}
    assert "benchmark" not in found["structures/a.log"]
    assert [job["log"] for job in trace(results / "sensitivity/a/soap.parquet")["jobs"]] == [
        "sensitivity/a/soap.log",
        "structures/a.log",
    ]


def test_file_alone_says_what_it_follows_from(results, tmp_path):
    moved = tmp_path / "elsewhere.parquet"
    moved.write_bytes((results / "summary.parquet").read_bytes())
    whole, alone = trace(results / "summary.parquet"), trace(moved)
    assert alone["jobs"] == []
    assert alone["content"] == whole["content"] == parquet.provenance(moved)
    assert alone["sha256"] == whole["sha256"] == hashlib.sha256(moved.read_bytes()).hexdigest()


def test_log_of_another_run_is_not_taken(results):
    path = results / "summary.parquet"
    parquet.write(FRAMES["structures"], path, "structures", {"seed": "another"})
    assert trace(path)["jobs"] == []


def test_broken_logs_do_no_harm(results):
    log = results / "logs/summary.log"
    log.write_bytes(log.read_bytes()[:-200])
    (results / "logs/other.log").write_bytes(b"\xff\xfe no job of nullmode's")
    assert trace(results / "summary.parquet")["jobs"] == []
    assert len(trace(results / "sensitivity/a/soap.parquet")["jobs"]) == 2


def test_log_keeps_what_a_job_prints_and_failed_jobs_make_nothing(results):
    log = results / "logs/summary.log"
    assert "working on all\n" in log.read_text()
    output = results / "summary.parquet"
    with pytest.raises(SystemExit), joblog.job_log(str(log), [], [str(output)]):
        raise nm.InputError("`a` must be b.")
    assert log.read_text().endswith("nullmode: `a` must be b.\n")
    with pytest.raises(ZeroDivisionError), joblog.job_log(str(log), [], [str(output)]):
        print(1 / 0)
    assert "Traceback" in log.read_text()
    assert trace(output)["jobs"] == []


def test_slurm_job_is_named(results, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    path = made(results, "late", [], "late")
    assert trace(path)["jobs"][0]["slurm_job"] == "4711"


def git(folder, *arguments):
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_commit_is_that_of_the_package_and_says_if_it_was_changed(tmp_path, monkeypatch):
    package = tmp_path / "src/nullmode"
    package.mkdir(parents=True)
    monkeypatch.setattr(joblog, "PACKAGE", package)
    file = package / "__init__.py"
    file.write_text("")
    assert joblog._commit() is None
    git(tmp_path, "init", "-q")
    assert joblog._commit() is None  # as in an environment that lies in another's checkout
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "a")
    git(tmp_path, "tag", "v1")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert joblog._commit() == commit
    file.write_text("a = 1\n")
    assert joblog._commit() == f"{commit}-dirty"
    monkeypatch.setenv("PATH", "")
    assert joblog._commit() is None


# What is no longer as installed.


def test_nothing_differs_right_after(results):
    assert trace(results / "summary.parquet")["differs"] == {}


@pytest.mark.parametrize("nested", [False, True], ids=["own", "of an input"])
@pytest.mark.parametrize(
    ("key", "name", "installed"),
    [
        ("code", "nullmode.sweep.structures", code_hash.code_hash("nullmode.sweep.structures")),
        ("code", "nullmode.gone", None),
        ("code", "gone/own.py", None),
        ("versions", "numpy", code_hash.installed("numpy")),
        ("versions", "python", code_hash.PYTHON),
        ("versions", "gone", None),
    ],
)
def test_what_is_not_as_installed_is_named(key, name, installed, nested):
    content = {**code_hash.origin("nullmode.sweep.structures"), "inputs": {"data.xyz": {"sha256": "0"}}}
    assert differences(content) == {}
    content[key] = content[key] | {name: "other"}
    outer = {"inputs": {"a": content}} if nested else content
    assert differences(outer) == {name: {"file": "other", "installed": installed}}


# On the command line.


@pytest.fixture
def command(capfd, monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["nullmode", "provenance", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main.main()
        assert not stopped.value.code
        return capfd.readouterr().out

    return run


def test_command_tells_the_whole_story(command, results):
    out = command(results / "summary.parquet")
    assert "\nseed: all\n" in out
    assert "\nDiffers from what is installed: nothing.\n" in out
    assert "\nMade by 5 jobs in 0." in out
    assert "\n  sensitivity/a/soap.log: 0." in out
    assert " s, 284 MB on " in out
    assert "\nnumbers " in out


def test_command_shows_the_longest_of_many_jobs(command, tmp_path):
    names = [f"part{k}" for k in range(12)]
    for name in names:
        made(tmp_path, name, [], name)
    log = tmp_path / "logs/part7.log"
    head, mark, tail = log.read_text().rpartition(joblog._MARK)
    log.write_text(head + mark + json.dumps(json.loads(tail) | {"seconds": 99.0}))
    path = made(tmp_path, "all", names, "all")
    lines = [line for line in command(path).splitlines() if ".log" in line or "more" in line]
    assert lines[0].startswith("  all.log: ")
    assert lines[1].startswith("  part7.log: 99.0 s on ")
    assert len(lines) == 11
    assert lines[-1] == "  and 3 more, listed by --json"
    assert len(json.loads(command(path, "--json"))["jobs"]) == 13


def test_command_gives_scripts_one_document(command, results, drawn):
    table = results / "summary.parquet"
    found = json.loads(command(table, "--json"))
    assert {key: value for key, value in found.items() if key != "columns"} == trace(table)
    assert [column["name"] for column in found["columns"]] == [row[0] for row in parquet.schema_of(table)]
    figure = drawn()["svg"]
    assert json.loads(command(figure, "--json")) == trace(figure)
    assert "Made by: not known" in command(figure)


def test_truncated_table_is_refused(results):
    truncated(results / "summary.parquet")
    with pytest.raises(nm.InputError, match="undamaged"):
        trace(results / "summary.parquet")
