"""Writing of files that are either complete or absent; imports nothing slow, since every start of Snakemake uses it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nullmode._support.output import temporary_beside

PLAN_FILE = "plan.json"
"""In a folder of results, the list of the files that a run planned."""


def cache_folder() -> Path:
    """Folder of what is computed once on a machine: ``$NULLMODE_CACHE``, or nullmode's in the user's cache."""
    import platformdirs

    return Path(os.environ.get("NULLMODE_CACHE") or platformdirs.user_cache_dir("nullmode"))


@contextmanager
def written(path: str | Path) -> Iterator[Path]:
    """Context with a temporary path to write to; unless an exception is raised, the file is then moved to `path`.

    A process that is killed leaves the temporary file, which begins with a dot and ends in ``.part``. Its name is
    unique: if two processes write one path, the later one replaces the complete file of the earlier one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = temporary_beside(path, path.parent)
    try:
        yield temporary
        # The file that is moved into place must not be shorter after a power cut than it is now.
        os.fsync(handle)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
