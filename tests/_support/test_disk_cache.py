"""What is kept in the user's cache changes no result, in whatever state the cache is."""

import shutil

import numpy as np
import pytest

import nullmode as nm
from nullmode._support import disk_cache
from nullmode._support.disk_cache import remembered
from nullmode.basis.radial import _table


def keep(folder):
    pass


def cut(folder):
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:-1])


def flip(folder):
    for file in folder.iterdir():
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)


def close(folder):
    shutil.rmtree(folder)
    folder.write_bytes(b"")


STATES = {"kept": (keep, 1), "cut short": (cut, 2), "one bit": (flip, 2), "not writable": (close, 2)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NULLMODE_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("state", STATES)
def test_what_is_missing_or_damaged_is_made_anew(folder, state):
    change, times = STATES[state]
    made = []

    def make():
        made.append(None)
        return b"content"

    assert remembered("things", b"key", make) == b"content"
    change(folder / "things")
    assert remembered("things", b"key", make) == b"content"
    assert len(made) == times
    assert remembered("things", b"another", lambda: b"") == b""


def test_the_cache_stays_below_a_limit(folder, monkeypatch):
    monkeypatch.setattr(disk_cache, "_MOST_BYTES", 5000)
    for k in range(40):
        remembered("things", b"%d" % k, lambda: bytes(1000))
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 5000


BASES = {
    "gto": nm.GTO(),
    "contraction": nm.OptimalContraction(n_primitives=3, matrices=[np.eye(3).tolist()] * 3),
}


@pytest.mark.law(cases=5)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", BASES)
def test_a_table_from_the_cache_is_the_one_that_was_made(folder, name, state):
    arguments = BASES[name], 3, 2, 4.0, 0.4
    first = _table.tabulated.__wrapped__(*arguments)
    STATES[state][0](folder / "tables")
    again = _table.tabulated.__wrapped__(*arguments)
    made = _table._made(*arguments)
    for table in (first, again):
        np.testing.assert_array_equal(table.table.nodes, made.table.nodes)
        assert table[1:] == made[1:]
        assert table.table.inverse_spacing == made.table.inverse_spacing


def test_bases_that_differ_have_tables_of_their_own(folder):
    turned = [np.eye(3)[::-1].tolist()] * 3
    bases = [*BASES.values(), nm.OptimalContraction(n_primitives=3, matrices=turned)]
    for basis in bases:
        for width in (0.4, None):
            _table.tabulated.__wrapped__(basis, 3, 2, 4.0, width)
    # The contraction asks for the table of its primitives, if at all, without the cache.
    assert len(list((folder / "tables").iterdir())) == 2 * len(bases)
