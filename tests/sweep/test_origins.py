"""What a job depends on: its kinds and radial bases with all that these import, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from configs import CHECKOUT, small
from pydantic import BaseModel

from nullmode._support import code_hash
from nullmode._support.types import InputError
from nullmode.basis.radial import RADIAL_BASES
from nullmode.descriptors import DESCRIPTORS
from nullmode.sweep import origins
from nullmode.sweep.jobs import plan
from nullmode.sweep.settings import check

MODULES = {target.partition(":")[0] for target in RADIAL_BASES.values()}
# Every descriptor of a density has it as its default.
CONTRACTION = "nullmode.basis.radial.optimal_contraction"
DEFAULT = "nullmode.basis.radial.gto"


def modules(origin):
    """Modules of nullmode that an origin covers."""
    files = code_hash._closure(tuple(origin["code"]))
    return {path.relative_to(code_hash.PACKAGE.parent).with_suffix("").as_posix().replace("/", ".") for path in files}


@pytest.fixture
def settings(monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    return check(small())


@pytest.mark.parametrize("config", ["config", "test"])
def test_sensitivities_depend_on_their_own_kind_and_bases_alone(config, monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    kinds = {target.partition(":")[0] for target in DESCRIPTORS.values()}
    jobs = plan(check(yaml.safe_load((CHECKOUT / f"config/{config}.yaml").read_text())))
    for job in jobs:
        covered = modules(origins.sensitivity_code(job.kind, job.bases))
        assert covered & kinds == {DESCRIPTORS[job.kind].partition(":")[0]}
        assert covered & MODULES - {DEFAULT} == set(job.bases) - {DEFAULT}
        # A resolution is measured with functions that a contraction orthonormalises.
        further = {CONTRACTION} if any(task.resolution for task in job.tasks) else set()
        whole = modules(origins.sensitivity_code(job.kind, job.bases, job.tasks))
        assert whole & MODULES - {DEFAULT} == (set(job.bases) | further) - {DEFAULT}
    assert len({job.bases for job in jobs}) > 1


def test_what_follows_from_sensitivities_is_no_part_of_them(settings):
    [*_, job] = plan(settings)
    covered = modules(origins.sensitivity_code(job.kind, job.bases))
    later = {
        "summary",
        "settings",
        "schema",
        "entries",
        "jobs",
        "origins",
        "cost",
        "search",
        "regression",
        "structures",
    }
    assert not covered & {f"nullmode.sweep.{name}" for name in later}
    summary = modules(origins.summary_code())
    assert {"nullmode.sweep.summary", "nullmode.tables.dataset"} <= summary
    assert not {name for name in summary if name.split(".")[1] not in ("_support", "tables", "sweep")}


def test_searches_and_regressions_depend_on_their_own_descriptor(settings):
    power, radial = "nullmode.descriptors.power_spectrum", "nullmode.descriptors.bispectrum"
    for origin in (origins.search_code(settings, "orbit"), origins.regression_code(settings, "fine")):
        covered = modules(origin)
        assert power in covered
        assert radial not in covered
        assert not covered & MODULES - {DEFAULT}
    # A view says which modes the next order sees better.
    covered = modules(origins.view_code(settings, "null_modes"))
    assert {power, radial} <= covered
    assert not covered & MODULES - {DEFAULT}
    # A search for partners says by which order they differ.
    assert "nullmode.descriptors.radial_spectrum" in modules(origins.search_code(settings, "partners"))


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("(0.5, 5, 25, 50, 75, 95)", "(0.5, 5, 50, 95)", {"SUMMARY"}),
        ('"smallest rank"', '"the smallest rank"', {"SUMMARY"}),
        ('"""A column', '"""One column', set()),
        ('Column("width", _FLOAT', 'Column("width", _INTEGER', {"SUMMARY", "SENSITIVITY", "SEARCH"}),
    ],
)
def test_a_column_belongs_to_the_origins_of_its_tables_alone(old, new, changed, tmp_path, monkeypatch):
    path = code_hash.PACKAGE / "tables/columns.py"
    (tmp_path / "tables").mkdir()
    tables = {"SUMMARY", "SENSITIVITY", "SEARCH", "STRUCTURES"}
    text = path.read_text()
    assert old in text
    (tmp_path / "tables/columns.py").write_text(text.replace(old, new))
    before = {name: code_hash._object_meaning(f"nullmode.tables.columns:{name}") for name in tables}
    monkeypatch.setattr(code_hash, "PACKAGE", tmp_path)
    after = {name: code_hash._object_meaning(f"nullmode.tables.columns:{name}") for name in tables}
    assert {name for name in tables if before[name] != after[name]} == changed


# A user's file, what it imports and reads, and one edit of each; a comment changes no code.
OWN = {
    "own.py": "import ase, helper, this\nfrom pack import deep, bare\nFILES: list[str] = ['table.csv', 'frames']\n"
    "def f(a: str = '', table: str = 'table.csv', folder: Path = 'frames'):\n    import late\n",
    "helper.py": "X = 1\n",
    "late.py": "X = 1\n",
    "pack/__init__.py": "",
    "pack/deep.py": "from . import beside\nfrom .beside import X\n",
    "pack/beside.py": "X = 1\n",
    "pack/bare.pyc": "1\n",
    # Called as one of Python's is.
    "this.py": "X = 1\n",
    "pack/unused.py": "X = 1\n",
    "table.csv": "1\n",
    "frames/a.xyz": "1\n",
}
EDITS = {
    "helper.py": True,
    "late.py": True,
    "pack/__init__.py": True,
    "pack/deep.py": True,
    "pack/beside.py": True,
    "pack/bare.pyc": True,
    "this.py": True,
    "table.csv": True,
    "frames/a.xyz": True,
    "frames/b.xyz": True,
    "pack/unused.py": False,
    "unused.csv": False,
}


def written(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return str(folder / "own.py")


@pytest.mark.parametrize("name", EDITS)
def test_what_a_users_file_imports_and_declares_belongs_to_it(name, tmp_path, monkeypatch):
    def hashed(folder, files):
        with monkeypatch.context() as context:
            context.syspath_prepend(folder)
            return code_hash.code_hash(written(folder, files))

    edited = OWN | {name: OWN.get(name, "") + "Y = 2\n"}
    before, after = (hashed(tmp_path / at, files) for at, files in (("a", OWN), ("b", edited)))
    assert (before != after) == EDITS[name]
    assert hashed(tmp_path / "c", OWN | {"helper.py": "# A comment.\nX = 1\n"}) == before


def test_places_in_a_declared_folder_count_and_links_are_followed(tmp_path):
    def hashed(place, text):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        own = written(folder, {"own.py": "FILES = ['data']", "elsewhere/b.csv": text, f"data/{place}/a.csv": "1"})
        (folder / "data/link").symlink_to("../elsewhere")
        (folder / "elsewhere/back").symlink_to("../data")
        return code_hash.code_hash(own)

    assert hashed("x", "1") == hashed("x", "1")
    assert len({hashed("x", "1"), hashed("y", "1"), hashed("x", "2")}) == 3


def test_helpers_of_one_name_in_two_folders_are_told_apart(tmp_path):
    def planned(*names):
        script = (
            "import sys\nfrom nullmode._support.variants import load\nfrom nullmode.sweep import origins\n"
            "for name in sys.argv[1:]:\n    assert load(name + ':X', {}, 'family')() == name\n"
            "for name in sys.argv[1:]:\n    print(origins._origin(name)['code'][name])\n"
        )
        command = [sys.executable, "-c", script, *names]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    names = []
    for folder in "ab":
        code = (
            "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent))\nimport helper.deep\n"
        )
        name = written(tmp_path / folder, {"own.py": f"{code}from helper import X{folder} as X\n"})
        helper = {"helper/__init__.py": f"def X{folder}():\n    return {name!r}\n", "helper/deep.py": f"X = {name!r}\n"}
        written(tmp_path / folder, helper)
        names.append(name)
    assert planned(*names) == [each for name in names for each in planned(name)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("FILES = ['nowhere.csv']", "must name existing files, relative to its folder, got .*nowhere.csv"),
        ("FILES = list(range(2))", "must be a list of texts, written out"),
        ("FILES = 'own.py'", "must be a list of texts, written out"),
        ("FILES = []\nFILES += ['own.py']", "must be a list of texts, written out"),
        ("FILES = []\nFILES.append('own.py')", "must be a list of texts, written out"),
        ("FILES, X = ['own.py'], 1", "must be a list of texts, written out"),
    ],
)
def test_impossible_declarations_are_refused(line, message, tmp_path):
    with pytest.raises(InputError, match=message):
        code_hash.code_hash(written(tmp_path, {"own.py": line}))


class Record(BaseModel):
    file: Path


POSCAR = "Comment\n1\n4 0 0\n0 4 0\n0 0 4\n{species}1 1\nDirect\n0 0 0\n.5 .5 .5\n"
OF_PARAMETERS = OWN | {
    "old/POSCAR": POSCAR.format(species=""),
    "old/a.vasp": POSCAR.format(species=""),
    "old/POTCAR": "",
    "old/OUTCAR.gz": "",
    "new/CONTCAR": POSCAR.format(species="H O\n"),
    "new/POTCAR": "",
    "res/plan.json": "{}",
}
# A value, and the files that it names.
NAMED = {
    "a text": ("table.csv", {"table.csv"}),
    "deep inside": ([{"c": "helper.py"}, 3, None], {"helper.py"}),
    "a path": (Path("table.csv"), {"table.csv"}),
    "a set": ({"late.py"}, {"late.py"}),
    "a model": (Record(file=Path("this.py")), {"this.py"}),
    "a key": ({"pack/deep.py": 1.0}, {"pack/deep.py"}),
    "a folder": (Path("frames"), {"frames/a.xyz"}),
    "a folder as text": ("frames", {"frames/a.xyz"}),
    "a folder with a slash": ("frames/", {"frames/a.xyz"}),
    "the working directory": (".", set()),
    "what holds it": ("..", set()),
    "results": ("res", set()),
    "frames as in ASE": ("frames/a.xyz@:5", {"frames/a.xyz"}),
    "a pattern": ("frames/*.xyz", {"frames/a.xyz"}),
    "a pattern of folders": ("**/a.xyz", {"frames/a.xyz"}),
    "a pattern of all paths": ("{home}/fr*/*.xyz", {"{home}/frames/a.xyz"}),
    "any text": ("*", set()),
    "the user's folder": ("~/table.csv", {"{home}/table.csv"}),
    "a word of a command": ("GAP param_file=table.csv cutoff=4", {"table.csv"}),
    "several in a text": ("table.csv,nothing", {"table.csv"}),
    "a variable of the shell": ("$HOME/table.csv", {"{home}/table.csv"}),
    "of an unknown user": ("~nobody-at-all/table.csv", set()),
    "a POSCAR without symbols": ("old/POSCAR", {"old/POSCAR", "old/POTCAR", "old/OUTCAR.gz"}),
    "a POSCAR by its ending": ("old/a.vasp", {"old/a.vasp", "old/POTCAR", "old/OUTCAR.gz"}),
    "a CONTCAR with symbols": ("new/CONTCAR", {"new/CONTCAR"}),
    "a long text": ("x" * 10_000, set()),
    "no text of a file": ("a\0b", set()),
    "no text": ("", set()),
}


@pytest.mark.parametrize(("value", "expected"), NAMED.values(), ids=NAMED)
def test_files_that_parameters_name(value, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path, OF_PARAMETERS)
    value = value.format(home=tmp_path) if isinstance(value, str) else value
    assert set(origins._hashed({"a": value}, "power-spectrum")) == {name.format(home=tmp_path) for name in expected}


def test_files_beside_a_users_file_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, {"fam/own.py": "def f():\n    pass\n", "fam/a.csv": "1", "fam/b/c.csv": "1", "b.csv": "1"})
    values = ["a.csv", "b.csv", Path("b/c.csv"), ".", "..", "", "own"]
    assert origins._hashed(values, "fam/own.py:f").keys() == {"fam/a.csv", "b.csv", "fam/b/c.csv"}
    assert origins._hashed(values, "power-spectrum").keys() == {"b.csv"}


def test_defaults_of_own_kinds_name_files_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, OWN | {"own.py": "from pathlib import Path\n" + OWN["own.py"].split("'frames']\n")[1]})
    found = origins._files([("power-spectrum", {"a": "table.csv"}), ("own.py:f", {"a": "helper.py"})])
    assert found["files"].keys() == {"helper.py", "table.csv", "frames/a.xyz"}
