"""Whatever leads to a file that would be lost, commands and functions refuse it before any work."""

import os
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule
from ase.io import write
from matplotlib.figure import Figure
from typer.testing import CliRunner

import nullmode as nm
from nullmode._support.output import check_output
from nullmode.analysis.verdict import judge
from nullmode.cli.main import app
from nullmode.figures._base import save

SOAP = nm.PowerSpectrum(n_max=2, l_max=1, species=["H", "C"])
OWN = """
from nullmode import RadialSpectrum

REFERENCE = "reference{ending}"


class Own(RadialSpectrum):
    pass
"""
ENDINGS = {"analyze": ".parquet", "scan": ".parquet", "view": ".html", "find": ".xyz"}


def stopped(*_, **__):
    raise AssertionError("work has begun")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Structures under every name that leads to them, and other files; no work may begin."""
    monkeypatch.chdir(tmp_path)
    for ending in {*ENDINGS.values()}:
        write(f"in{ending}", molecule("CH4"), format="extxyz")
        write(f"reference{ending}", molecule("CH4"), format="extxyz")
        Path(f"hard{ending}").hardlink_to(f"in{ending}")
        Path(f"soft{ending}").symlink_to(f"in{ending}")
        Path(f"dangling{ending}").symlink_to("nowhere")
        Path(f"folder{ending}").mkdir()
        Path(f"notes{ending}").write_text("2\n years of work\n")
        Path(f"empty{ending}").touch()
        os.mkfifo(f"pipe{ending}")
        Path(f"own_{ending[1:]}.py").write_text(OWN.format(ending=ending))
    Path("taking.py").write_text("class Taking:\n    def __init__(self, reference):\n        self.cutoff = 4.0\n")
    Path("inside").mkdir()
    return tmp_path


def contents(folder):
    # Python keeps the bytecode of a user's file beside it, unless it is told not to.
    paths = [path for path in sorted(folder.rglob("*")) if "__pycache__" not in path.parts]
    return {path: path.read_bytes() if path.is_file() else path.is_symlink() for path in paths}


LOST = {
    "input": "in{e}",
    "input, from here": "./in{e}",
    "input, by a detour": "inside/../in{e}",
    "input, absolute": "{here}/in{e}",
    "hard link": "hard{e}",
    "symbolic link": "soft{e}",
}
FOREIGN = {"foreign": "notes{e}", "empty": "empty{e}", "structures": "reference{e}"}
IMPOSSIBLE = {
    "folder": "inside",
    "folder with the ending": "folder{e}",
    "nothing": "",
    "no suffix": "out",
    "unknown suffix": "out.txt",
    "link to nothing": "dangling{e}",
    "pipe": "pipe{e}",
    "long": "n" * 300 + "{e}",
    "no folder": "notes.xyz/out{e}",
}


def refused(path, command, here):
    return path.format(e=ENDINGS[command], here=here)


@pytest.mark.parametrize("path", [*LOST, *FOREIGN, *IMPOSSIBLE])
@pytest.mark.parametrize("force", [False, True])
def test_whatever_would_be_lost_is_refused(folder, path, force):
    before, out = contents(folder), refused((LOST | FOREIGN | IMPOSSIBLE)[path], "find", folder)

    def check():
        check_output(out, (".xyz",), lambda _: False, inputs=["in.xyz"], force=force, argument="--out")

    if force and path in FOREIGN:
        check()
    else:
        with pytest.raises(nm.InputError, match="`--out` must") as stopped:
            check()
        assert ("--force" in str(stopped.value)) == (path in FOREIGN)
    assert contents(folder) == before


@pytest.mark.parametrize("command", ENDINGS)
@pytest.mark.parametrize("path", ["input", "hard link", "foreign", "structures", "folder", "unknown suffix"])
def test_commands_refuse_what_would_be_lost(folder, monkeypatch, command, path):
    # Imported before that is exchanged, it keeps its own.
    monkeypatch.setattr(judge, "environments", stopped)
    monkeypatch.setattr("nullmode.geometry.cut.environments", stopped)
    monkeypatch.setattr("ase.io.iread", stopped)
    monkeypatch.setattr("ase.io.read", stopped)
    before, e = contents(folder), ENDINGS[command]
    out = refused((LOST | FOREIGN | IMPOSSIBLE)[path], command, folder)
    force = ["--force"] * (path not in FOREIGN)
    attempt = CliRunner().invoke(app, [command, f"in{e}", "--species", "H,C", "--out", out, *force])
    assert isinstance(attempt.exception, nm.InputError), attempt.output
    assert str(attempt.exception).startswith("`--out` must")
    assert ("--force" in str(attempt.exception)) == (path in FOREIGN)
    assert contents(folder) == before


@pytest.mark.parametrize("command", ENDINGS)
@pytest.mark.parametrize(
    "reads",
    [
        ["--descriptor", "own_{e}.py:Own", "--species", "H,C"],
        ["--descriptor", "taking.py:Taking", "--parameter", "reference=reference.{e}"],
    ],
    ids=["named in its file", "named in a parameter"],
)
def test_what_a_descriptor_is_made_from_is_read(folder, command, reads):
    ending = ENDINGS[command]
    before, chosen = contents(folder), [text.format(e=ending[1:]) for text in reads]
    attempt = CliRunner().invoke(app, [command, f"in{ending}", *chosen, "--out", f"reference{ending}", "--force"])
    assert "must not be a file that is read" in str(attempt.exception)
    assert contents(folder) == before


def scanned(path, **options):
    return nm.scan(nm.read_environments("in.parquet"), SOAP, path, **options)


def viewed(path, **options):
    return nm.write_view(nm.Environment.from_vectors(np.eye(3)), SOAP, path, **options)


@pytest.mark.parametrize(("function", "command"), [(scanned, "scan"), (viewed, "view")])
@pytest.mark.parametrize("path", ["foreign", "folder", "unknown suffix", "no folder", "number"])
def test_functions_refuse_what_would_be_lost(folder, monkeypatch, function, command, path):
    monkeypatch.setattr("nullmode.views.view.analyze", stopped)
    monkeypatch.setattr("ase.io.iread", stopped)
    monkeypatch.setattr("ase.io.read", stopped)
    before = contents(folder)
    out = 3 if path == "number" else refused((FOREIGN | IMPOSSIBLE)[path], command, folder)
    with pytest.raises(nm.InputError, match="`path` must"):
        function(out)
    assert contents(folder) == before


@pytest.mark.parametrize("path", ["input", "hard link"])
def test_a_scan_keeps_the_file_that_it_reads(folder, path):
    before = contents(folder)
    with pytest.raises(nm.InputError, match="must not be a file that is read"):
        scanned(refused(LOST[path], "scan", folder), force=True)
    assert contents(folder) == before


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_figures_replace_figures_only(tmp_path, ending):
    save(Figure(), tmp_path / "figure")
    save(Figure(), tmp_path / "figure")
    (tmp_path / f"photo.{ending}").write_bytes(b"years of work")
    with pytest.raises(nm.InputError, match="file of another kind"):
        save(Figure(), tmp_path / "photo")
    assert [path.name for path in tmp_path.glob("photo*")] == [f"photo.{ending}"]


@pytest.mark.usefixtures("folder")
def test_what_is_of_its_own_kind_or_forced_is_replaced():
    e = nm.Environment.from_vectors(np.eye(3))
    for path in ("a.parquet", "a.parquet"):
        assert nm.scan([[e]], SOAP, path) == 1
    assert nm.scan([[e]], SOAP, "notes.parquet", force=True) == 1
    analysed = CliRunner().invoke(app, ["analyze", "in.xyz", "--out", "t.parquet", "--n-max", "2", "--l-max", "1"])
    assert analysed.exit_code == 0
    with pytest.raises(nm.InputError, match="file of another kind"):
        nm.scan([[e]], SOAP, "t.parquet")
    for _ in range(2):
        nm.write_view(e, SOAP, "a.html")
    nm.write_view(e, SOAP, "notes.html", force=True)
    nm.write_view(e, SOAP, "new/folder/a.html")
    Path("a.html").chmod(0o444)
    with pytest.raises(nm.InputError, match="must not be write-protected"):
        nm.write_view(e, SOAP, "a.html", force=True)
