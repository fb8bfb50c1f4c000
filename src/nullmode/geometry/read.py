"""Structures and environments from files that are larger than memory, a few hundred structures at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nullmode._support.arguments import check_cutoff
from nullmode._support.types import InputError, Integers
from nullmode.geometry.arrays import with_plain_arrays
from nullmode.geometry.cut import centers_of_many, cut_sets
from nullmode.geometry.disorder import Occupancy, ordered
from nullmode.geometry.environment import Centers
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.geometry.frames import read_frames
from nullmode.geometry.units import warn_of_units

if TYPE_CHECKING:
    from ase import Atoms


class Structures(NamedTuple):
    """Some structures of a file: index of the first among those chosen, indices of their centres, names in messages."""

    first: int
    atoms: "list[Atoms]"
    centers: list[Integers]
    names: list[str]


@dataclass
class EnvironmentStream(Iterator[EnvironmentSet]):
    """Sets of environments, one after the other, and the files that they are read from."""

    files: tuple[Path, ...]
    parts: Iterator[EnvironmentSet]

    def __next__(self) -> EnvironmentSet:
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
        Which frames, as ASE writes them: ``:`` all, ``:100`` the first hundred, ``-1`` the last.
    occupancy
        What becomes of structures with partly occupied sites: ``refuse``, or take the ``majority`` of each site
        (:func:`nullmode.majority_species`).

    Returns
    -------
    iterator of EnvironmentSet
        Each holds those of a few hundred structures; ``structure`` counts the frames chosen.

    Raises
    ------
    InputError
        For a missing or unreadable file, and as :func:`nullmode.environments`.
    """
    radius = check_cutoff(cutoff)
    parts = read_structures(path, centers, index, occupancy)
    sets = (each for part in parts for each in cut_sets(part.atoms, radius, part.centers, part.first, part.names))
    return EnvironmentStream((Path(path),), sets)


def read_structures(path: str | Path, centers: Centers, index: str, occupancy: Occupancy) -> Iterator[Structures]:
    """Read structures and choose their centres, as :func:`read_environments` does."""
    path = Path(path)
    return _chosen(path, read_frames(path, index), centers, index, occupancy)


def _chosen(
    path: Path, frames: "Iterator[tuple[list[int], list[Atoms]]]", centers: Centers, index: str, occupancy: Occupancy
) -> Iterator[Structures]:
    first = 0
    has_atoms = has_centers = False
    for numbers, chunk in frames:
        names = [f"frame {number} of {path}" for number in numbers]
        atoms = [ordered(each, occupancy, name) for each, name in zip(chunk, names, strict=True)]
        if not first:
            warn_of_units(atoms)
        atoms = [with_plain_arrays(each, name) for each, name in zip(atoms, names, strict=True)]
        chosen = centers_of_many(atoms, centers, numbers)
        has_atoms = has_atoms or any(map(len, atoms))
        has_centers = has_centers or any(map(len, chosen))
        yield Structures(first, atoms, chosen, names)
        first += len(atoms)
    if not has_atoms:
        raise InputError(f"`path` must contain at least one structure, got {path} with none (index {index!r}).")
    if not has_centers:
        raise InputError(f"`centers` must occur in {path}, got {centers!r}, which no structure contains. Name others.")
