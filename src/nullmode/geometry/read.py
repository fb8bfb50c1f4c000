"""Environments from files that are larger than memory, a few hundred structures at a time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from nullmode._support.arguments import check_cutoff
from nullmode._support.types import InputError
from nullmode.geometry.ase_reader import reading
from nullmode.geometry.disorder import Occupancy, ordered
from nullmode.geometry.environment import Centers, Environment, centers_of, environments_of
from nullmode.geometry.units import warn_of_units

_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(:(-?0*[1-9]\d*)?)?")
_CHUNK = 256  # structures


@dataclass
class EnvironmentStream(Iterator[list[Environment]]):
    """Lists of environments, one after the other, and the files that they are read from."""

    files: tuple[Path, ...]
    parts: Iterator[list[Environment]]

    def __next__(self) -> list[Environment]:
        return next(self.parts)


def read_environments(
    path: str | Path,
    cutoff: float = 4.0,
    centers: Centers = None,
    index: str = ":",
    occupancy: Occupancy = "refuse",
) -> EnvironmentStream:
    """Read structures and cut environments out of them, as :func:`nullmode.scan` takes them.

    Parameters
    ----------
    path
        Of a file in any format that ASE reads. Text formats with one frame after the other, such as extended XYZ, are
        read a few frames at a time.
    cutoff, centers
        As in :func:`nullmode.environments`.
    index
        Which frames, as ASE writes slices: ``:`` all, ``:100`` the first hundred.
    occupancy
        What becomes of structures with partly occupied sites: ``refuse``, or take the ``majority`` of each site
        (:func:`nullmode.majority_species`).

    Returns
    -------
    iterator of lists of Environment
        Each list holds those of a few hundred structures; ``structure`` counts the frames chosen.

    Raises
    ------
    InputError
        For a missing or unreadable file, and as :func:`nullmode.environments`.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"`path` must be an existing structure file, got {path} (from {Path.cwd()}).")
    if not _SLICE.fullmatch(index):
        raise InputError(f"`index` must be a slice such as ':100', got {index!r}.")
    return EnvironmentStream((path,), _read(path, check_cutoff(cutoff), centers, index, occupancy))


def _read(path: Path, cutoff: float, centers: Centers, index: str, occupancy: Occupancy) -> Iterator[list[Environment]]:
    from ase.io import iread

    first = 0
    empty = True
    numbers: Iterator[int] = iter(())
    frames = iread(path, index=index)
    while True:
        with reading(path, f" (after frame {first})" if first else ""):
            numbers = numbers if first else _numbers(path, index)
            chunk = list(islice(frames, _CHUNK))
        if not chunk:
            break
        own = list(islice(numbers, len(chunk)))
        chunk = [ordered(atoms, occupancy, f"frame {k} of {path}") for k, atoms in zip(own, chunk, strict=True)]
        if not first:
            warn_of_units(chunk)
        result = [
            environment
            for frame, (atoms, k) in enumerate(zip(chunk, own, strict=True), first)
            for environment in environments_of(
                atoms, frame, cutoff, centers_of(atoms, centers, k), f"frame {k} of {path}"
            )
        ]
        empty = empty and not result
        yield result
        first += len(chunk)
    if not first:
        raise InputError(f"`index` must choose at least one frame of {path}, got {index!r}, which chooses none.")
    if empty:
        raise InputError(f"`centers` must occur in {path}, got {centers!r}, which no structure holds.")


def _numbers(path: Path, index: str) -> Iterator[int]:
    """Count the chosen frames as the file does; to count from its end, it is read once more."""
    from ase.io import iread

    chosen = slice(*(int(part) if part else None for part in index.split(":")))
    if "-" in index:
        return iter(range(sum(1 for _ in iread(path, index=":")))[chosen])
    return count(chosen.start or 0, chosen.step or 1)
