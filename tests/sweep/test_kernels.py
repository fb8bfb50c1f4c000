"""Of jobs that start together, one compiles the kernels; where there is no lock, each does."""

import pytest
from filelock import FileLock, Timeout

from nullmode._support._jit import kernel_cache
from nullmode.sweep import kernels


@pytest.fixture
def compiled(tmp_path, monkeypatch):
    """Kinds that were compiled, with whether the lock was held; nothing is compiled really."""
    monkeypatch.setenv("NULLMODE_CACHE", str(tmp_path / "cache"))
    result = []

    def analyze(_, descriptor, threads):
        assert threads == 1
        try:
            with FileLock(lock_of("acsf"), timeout=0):
                result.append((type(descriptor).__name__, "free"))
        except Timeout:
            result.append((type(descriptor).__name__, "held"))
        except OSError:
            result.append((type(descriptor).__name__, "none"))

    monkeypatch.setattr(kernels, "analyze", analyze)
    return result


def lock_of(kind):
    return kernel_cache() / f"{kind}.lock"


def test_kernels_are_compiled_under_a_lock(compiled):
    kernels.compile_kernels("acsf")
    assert compiled == [("ACSF", "held")]
    FileLock(lock_of("acsf"), timeout=0).acquire().lock.release()


def test_a_job_waits_for_another_and_goes_on_alone_in_the_end(compiled, monkeypatch, capsys):
    monkeypatch.setattr(kernels, "_PATIENCE", 0.2)
    lock_of("acsf").parent.mkdir(parents=True)
    with FileLock(lock_of("acsf")):
        kernels.compile_kernels("acsf")
    assert compiled == [("ACSF", "held")]
    assert "without a lock" in capsys.readouterr().out


def test_a_cache_that_cannot_be_written_gives_no_lock(compiled, monkeypatch, tmp_path, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NULLMODE_CACHE", str(tmp_path / "file"))
    kernels.compile_kernels("acsf")
    assert compiled == [("ACSF", "none")]
    assert "without a lock" in capsys.readouterr().out


def test_a_file_of_the_users_own_is_left_to_its_calls(compiled):
    kernels.compile_kernels("own.py:Descriptor")
    assert compiled == []
