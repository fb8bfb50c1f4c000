"""What kernels say of themselves: that they compile, that they cannot be kept, that the compiler is off."""

import warnings

import pytest

from nullmode import InputError
from nullmode._support import _jit
from nullmode._support.threads import progress_bar


def kernels():
    """Two kernels that no cache holds."""

    def twice(x):
        return 2 * x

    def thrice(x):
        return 3 * x

    return [_jit.kernel(twice), _jit.kernel(thrice)]


@pytest.mark.parametrize("folder", ["file", "file/below", "closed"])
def test_a_cache_that_cannot_be_written_is_said_once_and_does_without(tmp_path, monkeypatch, folder):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NULLMODE_CACHE", str(tmp_path / folder))
    if folder == "closed":  # whoever runs the tests: root may write to any folder

        def refuse(**_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(_jit.tempfile, "TemporaryFile", refuse)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert [kernel(1.0) for kernel in kernels()] == [2.0, 3.0]
    assert ["Set NULLMODE_CACHE to a writable directory." in str(item.message) for item in caught] == [True]


def test_a_full_disk_is_said_once_and_does_without(tmp_path, monkeypatch):
    monkeypatch.setenv("NULLMODE_CACHE", str(tmp_path))

    def full(*_):
        raise OSError(122, "Disk quota exceeded")

    from numba.core.caching import IndexDataCacheFile

    monkeypatch.setattr(IndexDataCacheFile, "_open_for_write", full)
    with pytest.warns(UserWarning, match=rf"cannot be kept in {tmp_path}.*Disk quota exceeded") as caught:
        assert [kernel(1.0) for kernel in kernels()] == [2.0, 3.0]
    assert len(caught) == 1


DAMAGES = {
    "emptied": lambda _: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "one bit": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "foreign": lambda _: b"not a kernel",
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", ["nbi", "nbc"])
def test_damaged_entries_of_the_cache_are_made_again(tmp_path, monkeypatch, which, damage):
    monkeypatch.setenv("NULLMODE_CACHE", str(tmp_path))

    def hits():
        [kernel, _] = kernels()
        assert kernel(1.0) == 2.0
        return sum(kernel.dispatcher.stats.cache_hits.values())

    assert (hits(), hits()) == (0, 1)
    [file] = tmp_path.rglob(f"*.{which}")
    whole = file.read_bytes()
    file.write_bytes(DAMAGES[damage](whole))
    assert (hits(), hits()) == (0, 1)


def test_no_compiler_is_one_clear_error(monkeypatch):
    import numba

    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    with pytest.raises(InputError, match="need Numba's compiler, which NUMBA_DISABLE_JIT switches off"):
        kernels()[0](1.0)


def test_compiling_is_said_once_where_progress_is_shown(tmp_path, monkeypatch, capfd):
    from numba.core import event

    # As in a new process.
    monkeypatch.setitem(event._registered, "numba:compile", [])
    _jit.announce_compiling.cache_clear()
    for folder, wanted, times in (("1", False, 0), ("2", True, 1), ("2", True, 0), ("3", True, 0)):
        monkeypatch.setenv("NULLMODE_CACHE", str(tmp_path / folder))
        with progress_bar(1, wanted):
            assert [kernel(1.0) for kernel in kernels()] == [2.0, 3.0]
        assert capfd.readouterr().err.count("Compiling kernels") == times
    _jit.announce_compiling.cache_clear()
