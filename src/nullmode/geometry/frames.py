"""Frames of a file in any format that ASE reads, a few hundred at a time, with their numbers in the file."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nullmode._support.types import InputError
from nullmode.geometry.ase_reader import reading

if TYPE_CHECKING:
    from ase import Atoms

_INDEX = re.compile(r"-?\d+|(-?\d+)?:(-?\d+)?(:(-?0*[1-9]\d*)?)?")
_CHUNK = 256


def read_frames(path: Path, index: str) -> "Iterator[tuple[list[int], list[Atoms]]]":
    """Read the frames that are asked for: the numbers of a few hundred in the file, and these frames.

    Text formats with one frame after the other, such as extended XYZ, are not in memory as a whole.

    Raises
    ------
    InputError
        If the file is missing or unreadable, or has no such frames.
    """
    if not path.is_file():
        raise InputError(f"`path` must be an existing structure file, got {path} (from {Path.cwd()}).")
    if not _INDEX.fullmatch(index):
        raise InputError(f"`index` must be a number or a slice such as ':100', got {index!r}.")
    return _read(path, index)


def _read(path: Path, index: str) -> "Iterator[tuple[list[int], list[Atoms]]]":
    from ase.io import iread

    is_slice = ":" in index
    numbers: Iterator[int] = iter(())
    frames: Iterator[Atoms] = iter(())
    done = 0
    while is_slice or not done:
        with reading(path, f" (after frame {done})" if done else ""):
            if not done:
                numbers = _numbers(path, index)
                # Of a file with fewer frames than are counted back, ASE takes the first.
                frames = iread(path, index=index if is_slice else f"{index}:", **_options(path))
            chunk = list(islice(frames, _CHUNK if is_slice else 1))
        own = list(islice(numbers, len(chunk)))
        if not own:
            break
        yield own, chunk
        done += len(own)
    if not done and is_slice:
        raise InputError(f"`path` must contain at least one structure, got {path} with none (index {index!r}).")
    if not done:
        raise InputError(
            f"`index` must be the index of a frame of {path}, got {index}, which does not exist. Use a smaller one."
        )


def numbers_of(path: Path, index: str, count: int) -> list[int]:
    """Give the numbers in the file of the first frames that an index chooses, from 0."""
    return list(islice(_numbers(path, index), count))


def _options(path: Path) -> dict[str, Any]:
    """Options of ASE's reader: it reads comment lines letter by letter, and of equal ones once is enough."""
    from ase.io.extxyz import key_val_str_to_dict
    from ase.io.formats import filetype

    if filetype(str(path)) != "extxyz":
        return {}
    parsed = lru_cache(maxsize=8)(key_val_str_to_dict)
    # The reader takes entries out of what it is given.
    return {"properties_parser": lambda line: dict(parsed(line))}


def _numbers(path: Path, index: str) -> Iterator[int]:
    """Count the chosen frames as the file does; to count from its end, it is read once more."""
    from ase.io import iread

    known = range(sum(1 for _ in iread(path, index=":"))) if "-" in index else range(0)
    if ":" not in index:
        number = int(index)
        return iter([number] if number >= 0 else [*known][number:][:1] if -number <= len(known) else [])
    chosen = slice(*(int(part) if part else None for part in index.split(":")))
    return iter(known[chosen]) if "-" in index else count(chosen.start or 0, chosen.step or 1)
