"""Runs that are broken off: what was complete stays, the rest is made again, and the bytes are those of a quiet run."""

import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from configs import CHECKOUT, lean
from projects import RESULTS

from nullmode.tables import parquet

pytestmark = pytest.mark.workflow
FAULTS = CHECKOUT / "tests/faults"
# The figures play no part in these tests.
TARGET = str(RESULTS / "tables/sensitivity.parquet")
LOST = "sensitivity/radial-spectrum_gto_all.parquet"
# Of other families than the lost one's.
OTHER = "sensitivity/power-spectrum_dvr+gto+optimal-contraction_all.parquet"
MADE_AGAIN = {LOST, "tables/sensitivity.parquet"}


class Broken:
    """A copy of a finished run without some of its parts, to be broken off while it makes them again."""

    def __init__(self, project, finished, lost=(LOST,)):
        self.project, self.expected = project, finished.digests("parquet")
        for name in lost:
            (project.folder / RESULTS / name).unlink()
        shutil.rmtree(project.folder / RESULTS / "tables")

    def variables(self, fault):
        mark = self.project.folder / "mark"
        return {
            "FAULT": fault,
            "FAULT_MARK": str(mark),
            "PYTHONPATH": f"{FAULTS}:{self.project.source}",
        }

    def whole(self):
        """Whether every table there is, is one of the quiet run's."""
        return self.project.digests("parquet").items() <= self.expected.items()

    def check_plan(self):
        """Whether a restart would make what is missing, and nothing else."""
        assert self.whole()
        assert self.project.jobs("-n", TARGET) == MADE_AGAIN

    def check_restart(self):
        assert self.whole()
        assert self.project.jobs(TARGET) == MADE_AGAIN
        assert self.project.digests("parquet") == self.expected

    @contextmanager
    def stopped_half_way(self):
        """Start a run, wait until a table is half written, and give the run and the process that writes."""
        mark = self.project.folder / "mark"
        with self.project.running(TARGET, variables=self.variables("sensitivity:stop")) as run:
            end = time.monotonic() + 300
            while not (mark.exists() and mark.read_text()):
                assert run.poll() is None, run.communicate()[0]
                assert time.monotonic() < end
                time.sleep(0.05)
            writer = int(mark.read_text())
            halves = list((self.project.folder / RESULTS / "sensitivity").glob(".*.part"))
            assert len(halves) == 1
            try:
                yield run, writer
            finally:
                mark.unlink(missing_ok=True)


@pytest.fixture
def broken(project, finished):
    return Broken(project, finished)


def kill(process):
    os.kill(process, signal.SIGKILL)


def wait_for_end(process):
    while Path(f"/proc/{process}").exists() and "State:\tZ" not in Path(f"/proc/{process}/status").read_text():
        time.sleep(0.05)


@pytest.mark.slow
def test_job_killed_while_it_writes(broken):
    with broken.stopped_half_way() as (run, writer):
        kill(writer)
        output, _ = run.communicate(timeout=300)
    assert run.returncode == 1
    assert "Error in rule sensitivity" in output
    broken.check_restart()


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["its job too", "its job lives on"])
def test_snakemake_killed_while_a_job_writes(broken, whose):
    with broken.stopped_half_way() as (run, writer):
        kill(run.pid)
        if whose == "its job too":
            kill(writer)
        run.wait(timeout=300)
        # The next run cannot know whether the killed one still works.
        refused = broken.project.start(TARGET)
        assert refused.returncode == 1
        assert "--unlock" in refused.stdout
        broken.project.run("--unlock")
        broken.check_restart()
    wait_for_end(writer)
    # What the orphan wrote in the end replaced the file as a whole.
    assert broken.project.digests("parquet") == broken.expected
    assert "Nothing to be done" in broken.project.run("-n", TARGET)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["files", "memory"])
def test_job_at_its_limit(broken, fault):
    stopped = broken.project.start(TARGET, variables=broken.variables(f"sensitivity:{fault}"))
    assert stopped.returncode == 1
    assert "Error in rule sensitivity" in stopped.stdout
    if fault == "files":
        assert "File too large" in stopped.stdout
    assert not list((broken.project.folder / RESULTS / "sensitivity").glob(f"*{Path(LOST).name}*"))
    broken.check_plan()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of 64 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    mounted = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip(f"a small disk can be mounted by root only: {mounted.stderr if mounted else 'no mount'}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before it starts", "while it writes"])
def test_full_disk(finished, small_disk, when):
    folder = small_disk / "copy"
    broken = Broken(finished.copy(folder), finished)
    ballast = folder / "mark"
    if when == "before it starts":
        ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free))
        stopped = broken.project.start(TARGET)
    else:
        stopped = broken.project.start(TARGET, variables=broken.variables("sensitivity:disk"))
    assert stopped.returncode == 1
    assert "No space left on device" in stopped.stdout
    ballast.unlink()
    broken.check_restart()


@pytest.mark.slow
def test_bad_structure_among_good_ones(project, finished):
    broken = Broken(project, finished, lost=(LOST, OTHER))
    file = project.folder / lean()["families"]["from_file"]["parameters"]["path"]
    good = file.read_text()
    lines = good.splitlines(keepends=True)
    lines[3] = lines[2]
    file.write_text("".join(lines))
    stopped = project.start(TARGET, "--keep-going")
    assert stopped.returncode == 1
    assert "nullmode: " in stopped.stdout
    # The job without this family is done.
    assert project.digests("parquet")[Path(OTHER)] == broken.expected[Path(OTHER)]
    file.write_text(good)
    made = project.jobs(TARGET)
    assert made >= MADE_AGAIN
    assert OTHER not in made
    assert project.digests("parquet") == broken.expected


@pytest.mark.slow
def test_files_of_an_earlier_run_that_are_cut_short(project, finished):
    names = {str(RESULTS / LOST): 0.5, str(RESULTS / OTHER): 0.0, TARGET: 0.5}
    for name, share in names.items():
        file = project.folder / name
        os.truncate(file, int(share * file.stat().st_size))
    stopped = project.start(TARGET)
    assert stopped.returncode == 1
    assert "Traceback" not in stopped.stdout
    assert "Building DAG" not in stopped.stdout
    (command,) = re.findall(r"^rm (.*)$", stopped.stdout, re.MULTILINE)
    assert set(command.split()) == set(names)
    for name in names:
        (project.folder / name).unlink()
    assert project.jobs(TARGET) == MADE_AGAIN | {OTHER}
    assert project.digests("parquet") == finished.digests("parquet")


def flip_a_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 8] ^= 1
    file.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (flip_a_bit, "must be an undamaged Parquet file"),
        (pd.DataFrame({"x": [1.0]}).to_parquet, "must be a table written by nullmode"),
    ],
    ids=["one bit", "foreign"],
)
def test_damage_of_an_earlier_run_that_shows_when_it_is_read(project, finished, damage, message):
    broken = Broken(project, finished, lost=())
    part = project.folder / RESULTS / LOST
    damage(part)
    stopped = project.start(TARGET)
    assert stopped.returncode == 1
    assert "Traceback" not in stopped.stdout
    assert message in stopped.stdout
    assert str(RESULTS / LOST) in stopped.stdout
    part.unlink()
    broken.check_plan()


@pytest.mark.slow
def test_second_run_at_the_same_time_is_refused(broken):
    with broken.stopped_half_way() as (run, _):
        refused = broken.project.start(TARGET)
        assert refused.returncode == 1
        assert "Directory cannot be locked" in refused.stdout
        (broken.project.folder / "mark").unlink()
        output, _ = run.communicate(timeout=300)
    assert run.returncode == 0, output
    assert broken.project.digests("parquet") == broken.expected
    assert "Nothing to be done" in broken.project.run("-n", TARGET)


@pytest.mark.slow
def test_two_runs_started_at_once(broken):
    # Whichever comes second is refused, or finds the work done.
    with broken.project.running(TARGET) as first, broken.project.running(TARGET) as second:
        outputs = [run.communicate(timeout=300)[0] for run in (first, second)]
    codes = (first.returncode, second.returncode)
    assert 0 in codes, outputs
    for code, output in zip(codes, outputs, strict=True):
        assert code == 0 or "Directory cannot be locked" in output
    assert broken.project.digests("parquet") == broken.expected
    assert parquet.read(broken.project.folder / TARGET, "sensitivity")["status"].eq("ok").all()
