"""A stream is written as the rows that `analyze` gives, whatever the parts and threads, or not at all."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ase import Atoms
from ase.io import write
from cases import DESCRIPTORS, ENVIRONMENTS, SETTING, STRUCTURES, TD, environment, rng

import nullmode as nm
from nullmode.analysis import scan
from nullmode.families import random_methane
from nullmode.tables import columns, parquet

SOAP = nm.PowerSpectrum(n_max=3, l_max=2, species=("H",), **SETTING)
ITEMS = [nm.Environment.from_vectors([]), *[environment(name) for name in ENVIRONMENTS], environment("methane")]
COLUMNS = [column.name for column in columns.SPECTRA]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spectra.parquet"


def methanes(n=4096, seed=0):
    return [nm.EnvironmentSet.from_vectors(r) for r in random_methane.positions(n, seed)]


@pytest.mark.parametrize("name", ["power", "power with centre", "acsf", "overlap sp", "coulomb", "radial"])
def test_rows_are_those_of_analyze(name, path):
    assert nm.scan([ITEMS], DESCRIPTORS[name], path, 1e-8) == len(ITEMS)
    rows = parquet.read(path, "spectra")
    expected = nm.analyze(ITEMS, DESCRIPTORS[name], 1e-8)[COLUMNS]
    parquet.write(expected, path.with_name("expected"), "spectra", {})
    assert pq.read_schema(path).equals(pq.read_schema(path.with_name("expected")))
    found, wanted = (pq.read_table(where).to_pydict() for where in (path, path.with_name("expected")))
    for column in ("structure", "center", "center_species", "n_neighbours", "n_dof", "rank", "status"):
        assert found[column] == wanted[column], column
    for column in ("inverse_condition_number", "rotation_floor"):
        # None where there is no number, in both.
        assert [x is None for x in found[column]] == [x is None for x in wanted[column]], column
        np.testing.assert_allclose(rows[column], expected[column], atol=3e-15)
    for one, other in zip(rows["singular_values"], expected["singular_values"], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=3e-15 * max(other, default=0))


def test_rows_of_structures_keep_their_places(path):
    items = nm.environments(list(STRUCTURES.values()), cutoff=4.0)
    soap = nm.PowerSpectrum(n_max=3, l_max=2, **SETTING)
    nm.scan([items[:7], items[7:]], soap, path)
    rows, expected = parquet.read(path), nm.analyze(list(STRUCTURES.values()), soap)
    for name in ("structure", "center", "center_species", "rank", "status"):
        assert rows[name].tolist() == expected[name].tolist()


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(scan, "ROW_GROUP", 100)


@pytest.mark.law(cases=10)
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 33, 100, 101, 350, 1000])
def test_neither_parts_nor_threads_change_a_byte(path, threads, size):
    every = nm.EnvironmentSet.joined(methanes(350))
    nm.scan(every, SOAP, path, threads=1)
    assert pq.ParquetFile(path).metadata.num_row_groups == 4
    parts = [every.take(np.arange(k, min(k + size, 350))) for k in range(0, 350, size)]
    other = path.with_name("other.parquet")
    assert nm.scan(iter(parts), SOAP, other, threads=threads) == 350
    assert other.read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("small")
def test_sets_and_lists_are_written_alike(path):
    (every,) = methanes(150)
    nm.scan(every, SOAP, path)
    nm.scan([list(every)[:70], [], every.take(np.arange(70, 150))], SOAP, path.with_name("other.parquet"))
    assert path.with_name("other.parquet").read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("small")
def test_rows_are_counted_through(path):
    nm.scan(methanes(250), SOAP, path)
    assert parquet.read(path)["structure"].tolist() == list(range(250))


class BrokenError(RuntimeError):
    pass


def breaking(n):
    yield from methanes(n)
    raise BrokenError


def with_oxygen():
    yield from methanes(250)
    yield [nm.Environment.from_vectors(TD, "O")]


def cut_near():
    yield from methanes(250)
    yield nm.environments(STRUCTURES["methane"], cutoff=2.0)


def with_oxygen_alone():
    yield [nm.Environment.from_vectors(TD, "O")] * 3


OPEN = replace(SOAP, species=None)
FAILURES = {
    "the stream": (lambda: breaking(250), SOAP, BrokenError, None),
    "the stream, at once": (lambda: breaking(0), SOAP, BrokenError, None),
    "an interrupt": (lambda: (_ for _ in ()).throw(KeyboardInterrupt), SOAP, KeyboardInterrupt, None),
    "every row": (lambda: [next(with_oxygen_alone())], SOAP, nm.InputError, "`species` must cover .* without O"),
    "a cutoff": (cut_near, SOAP, nm.InputError, r"`environments` must reach .* got some cut at 2.0"),
    "no list": (lambda: [1], SOAP, nm.InputError, "`environment` must be a nullmode.Environment"),
    "no lists": (lambda: [environment("methane")], SOAP, nm.InputError, "`environments` must be a sequence"),
    "empty": (lambda: [], SOAP, nm.InputError, "`environments` must hold at least one environment, got none"),
    "empty parts": (lambda: [[], []], SOAP, nm.InputError, "`environments` must hold at least one environment"),
    "descriptor": (lambda: methanes(5), "soap", nm.InputError, "`descriptor` must be"),
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("stream", "descriptor", "error", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_failure_leaves_an_older_file_as_it_was(path, stream, descriptor, error, message, threads):
    path.write_bytes(b"older")
    with pytest.raises(error, match=message):
        nm.scan(stream(), descriptor, path, threads=threads, force=True)
    assert path.read_bytes() == b"older"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("descriptor", "hint"), [(SOAP, ""), (OPEN, " The layout is that of the first 100 env")])
def test_an_error_stays_in_the_row_of_its_environment(path, descriptor, hint):
    assert nm.scan(with_oxygen(), descriptor, path) == 251
    rows = parquet.read(path, "spectra")
    nm.scan(methanes(250), descriptor, path)
    pd.testing.assert_frame_equal(rows[:250], parquet.read(path, "spectra"))
    last = rows.iloc[250]
    assert (last["structure"], last["n_neighbours"], last["rank"], last["status"]) == (250, 4, 0, "failed")
    assert last["message"].startswith("`species` must cover the environments, got ")
    assert hint in last["message"]


@pytest.mark.parametrize(("options", "message"), [({"rtol": 2}, "`rtol` must"), ({"threads": 0}, "`threads` must")])
def test_bad_options_are_refused(path, options, message):
    with pytest.raises(nm.InputError, match=message):
        nm.scan(methanes(5), SOAP, path, **options)


KILLED = """
import os, signal, sys
import nullmode as nm
from nullmode.analysis import scan
from nullmode.families import random_methane
scan.ROW_GROUP = 100
def stream():
    for k, r in enumerate(random_methane.positions(4096)):
        if k == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        yield nm.EnvironmentSet.from_vectors(r)
nm.scan(stream(), nm.RadialSpectrum(n_max=2, species=["H"]), sys.argv[1], threads=1, force=True)
"""


def test_killed_process_leaves_an_older_file_as_it_was(path):
    path.write_bytes(b"older")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"older"


@pytest.mark.usefixtures("small")
def test_progress_bar_counts_environments(path, capfd):
    nm.scan(methanes(250), SOAP, path, total=250, progress=True)
    assert "250/250" in capfd.readouterr().err
    nm.scan(methanes(250), SOAP, path, progress=True)
    assert " 250 " in capfd.readouterr().err
    nm.scan(methanes(250), SOAP, path)
    assert capfd.readouterr().err == ""


def test_provenance_says_what_was_computed(path):
    nm.scan(methanes(5), OPEN, path, 1e-7, provenance={"seed": 3})
    kept = parquet.provenance(path)
    assert kept["table"] == "spectra"
    assert kept["descriptor"] == repr(SOAP)
    assert (kept["rtol"], kept["seed"]) == (1e-7, 3)
    code = kept["code"]
    nm.scan(methanes(5), nm.RadialSpectrum(n_max=3), path)
    # Each descriptor's code counts, not only what all share.
    assert parquet.provenance(path)["code"] != code


@pytest.mark.usefixtures("small")
def test_memory_does_not_grow_with_the_stream(path, monkeypatch):
    alive, most = 0, 0
    submit = scan._rows

    def counted(*arguments):
        nonlocal alive, most
        rows = submit(*arguments)
        alive += 1
        most = max(most, alive)
        return rows

    monkeypatch.setattr(scan, "_rows", counted)
    streamed = parquet.streamed

    def watched(*arguments):
        context = streamed(*arguments)
        enter = context.__enter__

        class Context:
            def __enter__(self):
                write = enter()

                def forget(rows):
                    nonlocal alive
                    alive -= 1
                    write(rows)

                return forget

            def __exit__(self, *what):
                return context.__exit__(*what)

        return Context()

    monkeypatch.setattr(parquet, "streamed", watched)
    read = 0

    def stream():
        nonlocal read
        for part in methanes(8000):
            read += 1
            yield part

    nm.scan(stream(), SOAP, path, threads=2)
    assert read == 8
    assert len(parquet.read(path)) == 8000
    assert most <= 3


def test_filters_choose_rows(path):
    nm.scan(methanes(300), SOAP, path)
    rows = parquet.read(path, "spectra")
    few = parquet.read(path, filters=[("inverse_condition_number", "<", 1e-3)])
    assert 0 < len(few) < 300
    pd.testing.assert_frame_equal(few, rows[rows["inverse_condition_number"] < 1e-3].reset_index(drop=True))


# Reading from files.


@pytest.fixture
def frames(tmp_path):
    structures = [Atoms("CH4", np.vstack([np.zeros(3), r])) for r in rng(1).normal(scale=1.3, size=(600, 4, 3))]
    structures[3] = Atoms("H2", [[0, 0, 0], [0, 0, 1.0]])
    write(tmp_path / "many.extxyz", structures)
    return structures


@pytest.mark.law(cases=4)
@pytest.mark.parametrize("index", [":", ":5", "2:300:7", "-3:", "7", "-600"])
@pytest.mark.parametrize("centers", [None, "C", ["H", 0]], ids=str)
def test_files_are_read_as_environments(frames, tmp_path, index, centers):
    parts = list(nm.read_environments(tmp_path / "many.extxyz", 3.0, centers, index))
    parts_of = [int(part) if part else None for part in index.split(":")]
    chosen = frames[slice(*parts_of)] if ":" in index else [frames[int(index)]]
    expected = nm.environments(chosen, 3.0, centers)
    found = [item for part in parts for item in part]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-7)
        assert (one.structure, one.center, one.cutoff) == (other.structure, other.center, other.cutoff)


BAD = {
    "missing": (("no.xyz",), {}, "`path` must be an existing structure file, got no.xyz"),
    "folder": ((".",), {}, "`path` must be an existing structure file"),
    "no structure": (("text.xyz",), {}, "`path` must be a structure file that ASE reads, got text.xyz"),
    "index": (("many.extxyz",), {"index": "600"}, "`index` must be the index of a frame of many.extxyz, got 600"),
    "back": (("many.extxyz",), {"index": "-601"}, "`index` must be the index of a frame of many.extxyz, got -601"),
    "slice": (("many.extxyz",), {"index": "::0"}, "`index` must be a number or a slice such as ':100', got '::0'"),
    "words": (("many.extxyz",), {"index": "a:b"}, "`index` must be a number or a slice such as ':100', got 'a:b'"),
    "no frames": (("many.extxyz",), {"index": "600:"}, "`path` must contain at least one structure, got many.extxyz"),
    "cutoff": (("many.extxyz",), {"cutoff": -1}, "`cutoff` must be a positive length in Å, got -1"),
    "centers": (("many.extxyz",), {"centers": "Xe"}, "`centers` must occur in many.extxyz, got 'Xe'"),
    "element": (("many.extxyz",), {"centers": "Qq"}, "`centers` must be chemical symbols or atom indices, got 'Qq'"),
    "spoilt": (("spoilt.extxyz",), {}, re.escape("got spoilt.extxyz: ") + ".*after frame 512"),
}


@pytest.mark.law(cases=6)
@pytest.mark.parametrize(("arguments", "options", "message"), BAD.values(), ids=BAD.keys())
@pytest.mark.usefixtures("frames")
def test_bad_files_are_refused(tmp_path, monkeypatch, arguments, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.xyz").write_text("no structure\n")
    text = (tmp_path / "many.extxyz").read_text()
    (tmp_path / "spoilt.extxyz").write_text(text[:-300])
    with pytest.raises(nm.InputError, match=message):
        list(nm.read_environments(*arguments, **options))
