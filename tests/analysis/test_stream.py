"""The analysis of a file while it is read: the rows of the whole file, however it is divided, and no half table."""

import contextlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import read, write

import nullmode as nm
from nullmode.analysis import stream
from nullmode.analysis.stream import analyze_file
from nullmode.geometry import frames
from nullmode.tables import parquet

SOAP = nm.PowerSpectrum(n_max=3, l_max=2)
# The species and the most neighbours of the last structures are new.
NAMES = ("CH4", "H2O", "CH4", "CH3OH", "C2H6", "CH4", "H2O2", "NH3", "C6H6")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("stream") / "molecules.xyz"
    structures = [molecule(name) for name in NAMES]
    for k, structure in enumerate(structures):
        structure.rattle(0.02 * (k % 3), seed=k)
    write(file, [*structures, bulk("NaCl", "rocksalt", 5.64)])
    return file


class Rows:
    """Takes rows; those before an exception do not count."""

    def __init__(self):
        self.frames, self.descriptors = [], []

    @contextlib.contextmanager
    def opened(self, descriptor):
        self.frames = []
        self.descriptors.append(descriptor)
        yield self.frames.append


def streamed(path, descriptor, **options):
    rows = Rows()
    analyze_file(path, descriptor, rows.opened, **options)
    return untyped(pd.concat(rows.frames, ignore_index=True)), rows


def untyped(frame):
    """Texts as objects: whether pandas calls a column a string depends on whether any row has one."""
    return frame.astype({name: object for name, kind in frame.dtypes.items() if isinstance(kind, pd.StringDtype)})


CASES = {
    "causes": (SOAP, {"attribution": True}),
    "no causes": (SOAP, {}),
    "centres": (SOAP, {"attribution": True, "centers": ["C", "Na"]}),
    "frames": (SOAP, {"attribution": True, "index": "1:8:2"}),
    "one frame": (SOAP, {"index": "-2"}),
    "with centres": (nm.PowerSpectrum(n_max=2, l_max=2, center_weight=1.0), {}),
    "padded": (nm.InverseDistances(), {"index": ":9"}),
    "resolution": (nm.RadialSpectrum(n_max=4, species=["H", "C", "O", "N", "Na", "Cl"]), {"resolution": True}),
    "structure": (SOAP, {"scope": "structure", "attribution": True, "index": ":5"}),
    "potential": (SOAP, {"scope": "potential", "index": ":5"}),
    "uncovered": (nm.PowerSpectrum(n_max=2, l_max=1, species=["H", "C"]), {"attribution": True}),
}


def expected_rows(path, descriptor, index=":", **options):
    chosen = read(path, index=index)
    return untyped(nm.analyze(chosen if isinstance(chosen, list) else [chosen], descriptor, **options))


@pytest.mark.law(cases=11)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("chunk", "group", "threads"), [(1, 3, 2), (7, 8, 1), (2048, 1 << 14, 2)])
def test_rows_are_those_of_the_whole_file(monkeypatch, path, case, chunk, group, threads):
    monkeypatch.setattr(stream, "_CHUNK", chunk)
    monkeypatch.setattr(stream, "ROW_GROUP", group)
    descriptor, options = CASES[case]
    rows, seen = streamed(path, descriptor, threads=threads, **options)
    pd.testing.assert_frame_equal(rows, expected_rows(path, descriptor, **options), check_exact=True)
    assert all(len(frame) >= group for frame in seen.frames[:-1])


@pytest.mark.parametrize("most_kept", [0, 1 << 20])
def test_a_species_that_occurs_late_is_in_all_rows(monkeypatch, path, most_kept):
    reads = []
    original = stream.read_environments
    monkeypatch.setattr(stream, "read_environments", lambda *args: reads.append(args) or original(*args))
    monkeypatch.setattr(stream, "_CHUNK", 4)
    monkeypatch.setattr(stream, "_MOST_KEPT", most_kept)
    rows, seen = streamed(path, SOAP)
    assert [descriptor.species for descriptor in seen.descriptors] == [("H", "C"), ("H", "C", "N", "O", "Na", "Cl")]
    assert len(reads) == (1 if most_kept else 2)
    pd.testing.assert_frame_equal(rows, expected_rows(path, SOAP), check_exact=True)


def test_a_late_bad_frame_leaves_no_table(monkeypatch, path, tmp_path):
    monkeypatch.setattr(frames, "_CHUNK", 2)
    monkeypatch.setattr(stream, "_CHUNK", 4)
    monkeypatch.setattr(stream, "ROW_GROUP", 4)
    write(tmp_path / "bad.xyz", [*read(path, index=":4"), Atoms("H2", [[0, 0, 0], [0, 0, 0]])])
    written = []

    @contextlib.contextmanager
    def opened(_):
        with parquet.streamed_frames(tmp_path / "a.parquet", "analysis", {}) as append:
            yield lambda frame: written.append(len(frame)) or append(frame)

    with pytest.raises(nm.InputError, match=r"`frame 4 of \S*bad.xyz.positions` must be distinct, got atoms 0 and 1"):
        analyze_file(tmp_path / "bad.xyz", SOAP, opened, attribution=True, threads=1)
    assert written
    assert [file.name for file in tmp_path.iterdir()] == ["bad.xyz"]


def test_what_fails_everywhere_is_an_error(path):
    with pytest.raises(nm.InputError, match="`species` must cover"):
        streamed(path, nm.PowerSpectrum(n_max=2, l_max=1, species=["Xe"]), index=":9")
    with pytest.raises(nm.InputError, match=r"`cutoff` must reach a neighbour, got 0\.5"):
        streamed(path, nm.PowerSpectrum(n_max=2, l_max=1, cutoff=0.5, cutoff_width=0.1))
    with pytest.raises(nm.InputError, match="`scope` must be one of"):
        streamed(path, SOAP, scope="atom")


PEAK = """
import contextlib, pathlib, sys
import nullmode as nm
from nullmode.analysis.stream import analyze_file
from nullmode.geometry import frames
from nullmode.tables import parquet
opened = lambda descriptor: contextlib.nullcontext(lambda rows: None)
analyze_file(pathlib.Path(sys.argv[1]), nm.PowerSpectrum(n_max=3, l_max=2, species=["H"]), opened, centers="C")
# Not ru_maxrss: a process begins with that of the one which started it.
print(*[line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")])
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    rng = np.random.default_rng(0)
    peaks = []
    for n in (20_000, 80_000):
        away = rng.normal(scale=0.15, size=(n, 5, 3)) + np.vstack([np.zeros(3), np.eye(3), -np.ones(3)])
        frames_of = ("".join(f"{s} {x} {y} {z}\n" for s, (x, y, z) in zip("CHHHH", r, strict=True)) for r in away)
        (tmp_path / "many.xyz").write_text("".join(f"5\n\n{frame}" for frame in frames_of))
        command = [sys.executable, "-c", PEAK, str(tmp_path / "many.xyz")]
        run = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
        peaks.append(int(run.stdout) / 1024)
    assert peaks[1] < 500
    # Of 60 000 frames, ASE's objects alone would take 300 MB.
    assert peaks[1] - peaks[0] < 60
