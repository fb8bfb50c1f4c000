import fcntl
import os
import shutil

import pytest
from projects import Project
from scipy.spatial.transform import Rotation

# Before NumPy loads: many workers with a threaded BLAS on matrices this small slow each other down.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture
def rotation():
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
    project, mark = Project(shared / "finished", shared / "finished/src", shared / "kernels"), shared / "finished.log"
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(project.folder, ignore_errors=True)
            Project.new(project.folder, project.cache)
            mark.write_text(project.run())
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished run, times included, to change."""
    shutil.copytree(finished.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    # The package stays where its kernels were compiled, until a test edits it.
    return Project(tmp_path / "copy", finished.source, finished.cache)


@pytest.fixture
def fresh(tmp_path):
    return Project.new(tmp_path / "fresh", tmp_path / "kernels")
