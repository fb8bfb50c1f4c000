import ast
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import cases
import drawn
import pytest
import variant_cases
from configs import CHECKOUT

import nullmode as nm
from nullmode._support import code_hash
from nullmode._support.variants import load
from nullmode.adapters.hyperparameters import READERS
from nullmode.analysis.explanations import EXPLANATIONS
from nullmode.basis.radial import RADIAL_BASES
from nullmode.descriptors import DESCRIPTORS
from nullmode.families import FAMILIES
from nullmode.figures import FIGURES
from nullmode.learning import MODELS, TARGETS
from nullmode.search import SEARCHES

PACKAGE = CHECKOUT / "src/nullmode"
PACKAGES = sorted(path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*/__init__.py"))
TESTS = CHECKOUT / "tests"
HEAVY = ("numba", "ase", "pandas", "scipy", "pyarrow", "matplotlib", "sklearn", "snakemake", "vesin")
TABLES = {
    "adapters/hyperparameters": READERS,
    "analysis/explanations": EXPLANATIONS,
    "basis/radial": RADIAL_BASES,
    "descriptors": DESCRIPTORS,
    "families": FAMILIES,
    "figures": FIGURES,
}
# Why a module may exceed 300 lines.
LONG = {}


def file_of(target):
    """The file of an entry of a table, as ``basis/radial/gto.py``."""
    return target.partition(":")[0].removeprefix("nullmode.").replace(".", "/") + ".py"


def python(code, **variables):
    """Run code in a fresh process, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "module",
    ["nullmode", "nullmode.sweep.settings", "nullmode.sweep.jobs", "nullmode.cli.main", "nullmode._support.code_hash"],
)
def test_light_modules_load_nothing_heavy(module):
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    assert not set(python(code)) & set(HEAVY)


def test_checking_a_configuration_loads_no_numba():
    code = (
        "import sys, yaml, nullmode.sweep.jobs, nullmode.sweep.settings as s\n"
        "nullmode.sweep.jobs.plan(s.check(yaml.safe_load(open('config/config.yaml'))))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    assert not set(python(f"import os; os.chdir({str(CHECKOUT)!r})\n{code}")) & {"numba", "matplotlib", "snakemake"}


@pytest.mark.parametrize("name", nm.__all__)
def test_lazy_names_resolve(name):
    # An alias of a type, such as Axis, has no module of its own.
    assert getattr(nm, name).__module__ in (nm._HOME[name], "typing")
    assert name in dir(nm)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="module 'nullmode' has no attribute 'nonsense'"):
        _ = nm.nonsense


def test_functions_stay_functions_after_their_modules_are_imported():
    for module in pkgutil.walk_packages([PACKAGE], "nullmode."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert all(callable(getattr(nm, name)) for name in nm.__all__)


@pytest.mark.parametrize(
    ("kind", "table"), [(kind, table) for table in (*TABLES.values(), MODELS, SEARCHES, TARGETS) for kind in table]
)
def test_every_kind_loads(kind, table):
    assert callable(load(kind, table, "kind"))


def test_every_variant_stands_in_its_table():
    for folder, table in TABLES.items():
        files = {path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / folder).glob("[a-z]*.py")}
        assert {file_of(target) for target in table.values()} == files


CASES = {
    "family": (FAMILIES, variant_cases.FAMILIES, "variant_cases.py"),
    "search": (SEARCHES, variant_cases.SEARCHES, "variant_cases.py"),
    "model": (MODELS, variant_cases.MODELS, "variant_cases.py"),
    "figure": (FIGURES, drawn.PARAMETERS, "drawn.py"),
    "radial basis": (RADIAL_BASES, {basis.kind for basis in cases.RADIAL_BASES.values()}, "cases.py"),
    "descriptor": (
        DESCRIPTORS,
        {
            kind
            for kind in DESCRIPTORS
            for case in cases.DESCRIPTORS.values()
            if type(case) is load(kind, DESCRIPTORS, "")
        },
        "cases.py",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_every_variant_has_a_case(what):
    table, kinds, file = CASES[what]
    missing = table.keys() - set(kinds)
    assert not missing, f"add a case of the {what} {', '.join(missing)} to tests/helpers/{file}"


@pytest.mark.parametrize("path", sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")))
def test_modules_are_short(path):
    lines = len((PACKAGE / path).read_text().splitlines())
    assert (lines > 300) == (path in LONG), f"{lines} lines; say in LONG why, if more than 300 have to be"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_what_it_is_and_holds_literal_tables_alone(package):
    # The hashes of code leave these files out of what a result depends on.
    tree = ast.parse((PACKAGE / package / "__init__.py").read_text())
    assert ast.get_docstring(tree)
    assert all(isinstance(node, ast.Expr | ast.Assign) for node in tree.body)
    assert not any(isinstance(node, ast.Call) for node in ast.walk(tree))


def test_tests_mirror_the_packages():
    folders = {path.parent.relative_to(TESTS).as_posix() for path in TESTS.glob("*/**/test_*.py")}
    assert folders - {"workflow"} <= set(PACKAGES)
    assert {path.name for path in TESTS.glob("test_*.py")} == {"test_benchmarks.py", "test_docs.py", "test_house.py"}


def test_no_test_imports_from_another():
    modules = {path.stem for path in TESTS.rglob("test_*.py")} | {"conftest"}
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not modules & {getattr(node, "module", None), *(alias.name for alias in node.names)}, path


# What a result depends on.


def files_of(*roots):
    paths = code_hash._closure(roots)
    return {path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name for path in paths}


@pytest.mark.parametrize("kind", DESCRIPTORS)
def test_result_depends_on_its_own_descriptor_alone(kind):
    own, others = file_of(DESCRIPTORS[kind]), {file_of(target) for name, target in DESCRIPTORS.items() if name != kind}
    files = files_of("nullmode.sweep.sensitivity", DESCRIPTORS[kind].partition(":")[0])
    assert {own, "descriptors/_base.py", "spectrum/decomposition.py", "sweep/sensitivity.py"} <= files
    assert not files & (others | {"sweep/settings.py", "cli/main.py", "figures/paths.py", "__init__.py"})


def test_figure_depends_on_no_numerics():
    files = files_of("nullmode.tables.parquet", "nullmode.figures.paths")
    assert not {file.partition("/")[0] for file in files} & {"basis", "descriptors", "geometry", "spectrum", "sweep"}


def test_users_file_counts_with_what_it_reaches(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("import nullmode\n")
    assert {"own.py", "descriptors/_base.py", "geometry/environment.py"} <= files_of(str(own))
    before = code_hash.code_hash(str(own))
    moved = tmp_path / "folder" / "own.py"
    moved.parent.mkdir()
    shutil.copy(own, moved)
    assert code_hash.code_hash(str(moved)) == before


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("def f(x):\n    return x + 1\n", True),
        ("def f(x):  # more\n    return (x\n            + 1)\n", True),
        ('"""Text."""\n\n\ndef f(x):\n    """Add."""\n    return x + 1\n', True),
        ("def f(x):\n    return x + 2\n", False),
        ("def f(x):\n    return x + 1.0\n", False),
        ("def f(y):\n    return y + 1\n", False),
    ],
)
def test_only_meaning_counts(tmp_path, text, same):
    first, second = tmp_path / "a" / "own.py", tmp_path / "b" / "own.py"
    for path, content in ((first, "def f(x):\n    return x + 1\n"), (second, text)):
        path.parent.mkdir()
        path.write_text(content)
    assert (code_hash.code_hash(str(first)) == code_hash.code_hash(str(second))) == same


# The cache of compiled kernels.

RUN = """
from nullmode._support import _jit
from nullmode.basis.cutoff import shifted_cosine as kernel
print(kernel(1.0, 4.0, 0.5)[0])
stats = kernel.dispatcher.stats
print(_jit.kernel_cache(), sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "src/nullmode", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "src"


def test_kernels_are_compiled_once_and_anew_after_an_edit_of_any(copied, tmp_path):
    variables = {"PYTHONPATH": str(copied), "NULLMODE_CACHE": str(tmp_path / "cache")}
    _, folder, hits, misses = python(RUN, **variables)
    assert (hits, misses) == ("0", "1")
    files = {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*.nb?")}
    assert files
    assert python(RUN, **variables) == ["1.0", folder, "1", "0"]
    assert {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*.nb?")} == files
    # Numba itself sees edits of the kernel's own file only; it may have others compiled in.
    edited = copied / "nullmode/basis/harmonics.py"
    edited.write_text(edited.read_text() + "\nUNUSED = 1\n")
    _, again, hits, misses = python(RUN, **variables)
    assert again != folder
    assert (hits, misses) == ("0", "1")


def forget_sources():
    for cached in (code_hash.code_hash, code_hash._module_path, code_hash._source):
        cached.cache_clear()


def test_whatever_is_compiled_into_kernels_keys_their_cache(copied, monkeypatch, request):
    monkeypatch.setattr(code_hash, "PACKAGE", copied / "nullmode")
    request.addfinalizer(forget_sources)

    def kernel_hash():
        forget_sources()
        return code_hash.kernel_hash.__wrapped__()

    hashes = {kernel_hash()}
    for file in ("_support/_jit", "_support/simd", "basis/coupling", "descriptors/_base", "linalg/householder"):
        with (copied / f"nullmode/{file}.py").open("a") as edited:
            edited.write("\nUNUSED = 1\n")
        new = kernel_hash()
        assert new not in hashes, file
        hashes.add(new)


def test_unwritable_cache_is_announced_and_works(tmp_path):
    (tmp_path / "file").touch()
    code = (
        "import warnings\n"
        "from nullmode.basis.cutoff import shifted_cosine as kernel\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    print(kernel(1.0, 4.0, 0.5)[0])\n"
        "print(sum('NULLMODE_CACHE' in str(warning.message) for warning in caught))"
    )
    assert python(code, NULLMODE_CACHE=str(tmp_path / "file")) == ["1.0", "1"]
