"""What may be written where, settled before any work: no file is lost, and no work is done in vain."""

import ast
import os
import tempfile
from collections.abc import Callable, Iterable
from inspect import getfile
from pathlib import Path
from typing import Any

from nullmode._support.types import InputError

_WRITABLE = 0o222
_PACKAGE = Path(__file__).resolve().parents[1]


def check_output(
    path: Any,
    endings: tuple[str, ...],
    is_own: Callable[[Path], bool],
    *,
    inputs: Iterable[str | Path] = (),
    force: bool = False,
    argument: str = "path",
) -> None:
    """Refuse a file that cannot be written, or that something else would be lost with.

    Parameters
    ----------
    path
        The file to write.
    endings
        The suffixes that it may have, such as ``.parquet``.
    is_own
        Whether an existing file is of the kind that will be written, and may be replaced.
    inputs
        Files that are read: never replaced, whatever the name or link by which `path` leads to one.
    force
        Replace files of other kinds, too.
    argument
        For messages: where the path was given. Options of the command line begin with two hyphens.

    Raises
    ------
    InputError
        For an input, a folder or device, another suffix, a folder that cannot be written to, a write-protected file,
        and, unless `force` is set, a file of another kind.
    """
    try:
        file = Path(path)
        is_folder, exists = file.is_dir(), os.path.lexists(file)
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"`{argument}` must be the path of a file, got {path!r}: {error}.") from None
    for source in inputs:
        if _same(file, source):
            raise InputError(
                f"`{argument}` must not be a file that is read, got {file}, which is {source}. Name another."
            )
    if is_folder:
        raise InputError(f"`{argument}` must be a file, got the folder {file}. Name a file ending in {endings[0]}.")
    if file.suffix.lower() not in endings:
        raise InputError(f"`{argument}` must end in {' or '.join(endings)}, got {file}.")
    _check_folder(file, argument)
    if not exists:
        return
    if not file.is_file():
        raise InputError(f"`{argument}` must be a file, got {file}, which is a device or leads nowhere. Name another.")
    if not file.stat().st_mode & _WRITABLE:
        raise InputError(f"`{argument}` must not be write-protected, got {file}. Name another.")
    if not force and not is_own(file):
        remedy = "--force" if argument.startswith("--") else "force=True"
        raise InputError(
            f"`{argument}` must not be a file of another kind, got {file}, which would be lost. Name another, or "
            f"replace it with {remedy}."
        )


def files_behind(thing: Any) -> list[Path]:
    """List what may be files that a user's object was made from, existing or not.

    They are the file of its class, and all that texts in this file and in the object's attributes could name, from the
    working directory and from the folder of the file.
    """
    values = list(getattr(thing, "__dict__", {}).values())
    try:
        source = Path(getfile(type(thing)))
        if _PACKAGE in source.resolve().parents:
            folders = [Path()]
        else:
            folders = [Path(), source.parent]
            tree = ast.walk(ast.parse(source.read_bytes()))
            values += [source, *(node.value for node in tree if isinstance(node, ast.Constant))]
    except (OSError, TypeError, SyntaxError):  # typed into a shell
        folders = [Path()]
    return [folder / value for value in values if isinstance(value, str | Path) for folder in folders]


def temporary_beside(path: Path, folder: Path) -> tuple[int, Path]:
    """Make a temporary file for `path` in `folder`: its open descriptor and its path."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=folder)
    return handle, Path(name)


def _same(file: Path, other: str | Path) -> bool:
    try:
        return file.samefile(other)
    except (OSError, ValueError):  # one of them does not exist, or cannot
        return False


def _check_folder(file: Path, argument: str) -> None:
    """Refuse a folder in which no file can be made, or that cannot be made itself."""
    folder = next((parent for parent in file.parents if os.path.lexists(parent)), Path())
    try:
        handle, trial = temporary_beside(file, folder)
        os.close(handle)
        trial.unlink()
    except OSError as error:
        raise InputError(
            f"`{argument}` must lie in a folder that can be written to, got {file}: {error.strerror}. Name another."
        ) from None
