"""What is known of a source file is kept in the user's cache, and nothing depends on it."""

import shutil

import pytest

from nullmode._support import code_hash

CODE = b'''"""About."""
import numpy as np
from scipy import linalg


def f(x):
    """Square."""
    return x**2
'''


def keep(folder):
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1


def spoil(folder):
    for file in (folder / "sources").iterdir():
        file.write_bytes(file.read_bytes()[:10])


def close(folder):
    shutil.rmtree(folder / "sources")
    (folder / "sources").write_bytes(b"")


@pytest.mark.parametrize("change", [keep, spoil, close], ids=["kept", "damaged", "not writable"])
def test_a_cache_in_any_state_gives_the_same(change, tmp_path, monkeypatch):
    monkeypatch.setenv("NULLMODE_CACHE", str(tmp_path))
    first = code_hash._parsed(CODE)
    assert first[0] == ["numpy", "scipy", "scipy.linalg"]
    change(tmp_path)
    assert code_hash._parsed(CODE) == first


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (b"Square", b"The square", True),
        (b"x**2", b"x ** 2  # A comment.", True),
        (b"x**2", b"x**3", False),
        (b"def f(x)", b"def f(y)", False),
        (b"import linalg", b"import stats", False),
    ],
)
def test_only_what_is_executed_counts(old, new, same):
    assert (code_hash._parsed(CODE)[1] == code_hash._parsed(CODE.replace(old, new))[1]) == same


@pytest.mark.parametrize(
    ("statement", "module"),
    [
        (b"import one.two", "one.two"),
        (b"from one import two", "one.two"),
        (b"from . import two", ".two"),
    ],
)
def test_modules_that_are_named_in_the_code_are_imported(statement, module):
    assert module in code_hash._parsed(statement)[0]
