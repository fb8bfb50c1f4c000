import fcntl
import gc
import os
import shutil
import tempfile

import compiling
import pytest
from projects import Project

# Before NumPy loads, so nothing above may import it: threads of libraries on matrices this small wait for each other.
for library in ("OPENBLAS", "OMP", "RAYON"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pytest_addoption(parser):
    parser.addoption("--every-case", action="store_true", help="run every case of tests marked as laws (make test-all)")


def pytest_collection_modifyitems(config, items):
    """Of a law over many cases, run a part that is spread evenly over them, and none of the slow ones."""
    if config.getoption("every_case"):
        return
    laws, left_out = {}, set()
    for item in items:
        if (mark := item.get_closest_marker("law")) and hasattr(item, "callspec"):
            if item.callspec.id in mark.kwargs.get("slow", ()):
                left_out.add(item)
            else:
                laws.setdefault((item.path, item.originalname), (mark.kwargs["cases"], []))[1].append(item)
    for most, cases in laws.values():
        kept = {len(cases) * k // most for k in range(most)}
        left_out.update(case for k, case in enumerate(cases) if k not in kept)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish():
    # Tests and modules stay: to look through them at each collection of garbage takes a tenth of the time.
    gc.collect()
    gc.freeze()


def pytest_unconfigure():
    # What is frozen at the end would be called a leak by libraries that look.
    gc.unfreeze()


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        compiling.share(os.environ["NULLMODE_TEST_LOCKS"])
    elif config.getoption("numprocesses", None) and not config.option.collectonly:
        locks = os.environ["NULLMODE_TEST_LOCKS"] = tempfile.mkdtemp()
        config.add_cleanup(lambda: shutil.rmtree(locks))
        for process in compiling.start(locks):
            config.add_cleanup(process.wait)
            config.add_cleanup(process.terminate)


@pytest.fixture
def rotation():
    from scipy.spatial.transform import Rotation

    return Rotation.random(rng=7).as_matrix()


@pytest.fixture
def table():
    """The sensitivity table that figures are drawn from in tests."""
    from drawn import real

    return real().copy()


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run; the workers of pytest-xdist share one."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    mark = shared / "finished.log"
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(shared / "finished", ignore_errors=True)
            mark.write_text(Project.new(shared / "finished").run())
    return Project(shared / "finished")


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished run, times included, to change."""
    return finished.copy(tmp_path / "copy")


@pytest.fixture
def fresh(tmp_path):
    return Project.new(tmp_path / "fresh")
