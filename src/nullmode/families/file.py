"""Structures from any file that ASE reads."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nullmode._support.types import InputError
from nullmode.families._base import FamilySize, Structures, sized

if TYPE_CHECKING:
    from ase import Atoms

_SAMPLE_BYTES = 1 << 20
_INDEX = re.compile(r"-?\d+|(-?\d+)?:(-?\d+)?(:(-?0*[1-9]\d*)?)?")


def _size(
    path: Path,
    centers: list[int | str] | int | str | None,
    index: str,
    occupancy: str = "refuse",  # noqa: ARG001
) -> FamilySize | None:
    """Estimate from the first megabyte of (extended) XYZ; other formats would have to be read completely."""
    if path.suffix not in (".xyz", ".extxyz") or not path.is_file():
        return None
    with path.open("rb") as file:
        lines = file.read(_SAMPLE_BYTES).split(b"\n")
    wanted = {str(item) for item in (centers if isinstance(centers, list) else [centers])}
    frames = chosen = line = 0
    symbols: list[str] = []
    try:
        # The sample may end inside a frame, which is left out.
        while lines[line].strip() and (end := line + 2 + int(lines[line])) < len(lines):
            frame = [row.split()[0].decode() for row in lines[line + 2 : end]]
            chosen += sum(centers is None or bool({s, str(k)} & wanted) for k, s in enumerate(frame))
            symbols += frame
            frames, line = frames + 1, end
        bounds = [int(part) if part else None for part in index.split(":")]
    except (ValueError, IndexError):
        return None
    if not symbols:
        return None
    every = range(round(frames * path.stat().st_size / sum(len(row) + 1 for row in lines[:line])))
    return FamilySize(
        structures=len(every[slice(*bounds)]) if ":" in index else 1,
        atoms=len(symbols) / frames,
        centers=chosen / frames,
        species=len(set(symbols)),
        periodic=b"lattice=" in lines[1].lower(),
    )


@sized(_size)
def structures(
    path: Path,
    centers: list[int | str] | int | str | None = None,
    index: str = ":",
    occupancy: Literal["refuse", "majority"] = "refuse",
) -> Structures:
    """Read structures.

    Parameters
    ----------
    path
        Path of the file.
    centers
        Chemical symbols or indices of the central atoms; default all.
    index
        The frames, as ASE writes slices: ``:`` all, ``:100`` the first hundred, ``-1`` the last.
    occupancy
        What becomes of structures with partly occupied sites: ``refuse``, or take the ``majority`` of each site.

    Yields
    ------
    ase.Atoms
        Coordinates: none; the ``info`` of the frames is left out.

    Raises
    ------
    InputError
        If the file is missing, unreadable or empty, or has no such frames or centres.
    """
    from nullmode.geometry.disorder import ordered
    from nullmode.geometry.environment import centers_of
    from nullmode.geometry.units import warn_of_units

    if not path.is_file():
        raise InputError(f"`path` must be an existing structure file, got {path} (from {Path.cwd()}).")
    frames = [ordered(atoms, occupancy, f"frame {k} of {path}") for k, atoms in enumerate(_frames(path, index))]
    warn_of_units(frames)
    if not frames or not any(len(atoms) for atoms in frames):
        raise InputError(f"`path` must contain at least one structure, got {path} with none (index {index!r}).")
    chosen = [centers_of(atoms, centers, k) for k, atoms in enumerate(frames)]
    if not any(len(indices) for indices in chosen):
        raise InputError(f"`centers` must occur in {path}, got {centers!r}, which no structure contains. Name others.")
    for atoms, indices in zip(frames, chosen, strict=True):
        atoms.info = {"centers": indices.tolist()}
        yield atoms


def _frames(path: Path, index: str) -> "list[Atoms]":
    from ase.io import read

    from nullmode.geometry.symbols import check_symbol

    if not _INDEX.fullmatch(index):
        raise InputError(f"`index` must be a number or a slice such as ':100', got {index!r}.")
    number = None if ":" in index else int(index)
    try:
        # ASE takes the first frame if there are fewer than `index` counts back: read all that follow, and count them.
        frames = read(path, index=slice(number, None) if number is not None and number < 0 else index)
    except StopIteration:
        frames = []
    except Exception as error:  # ASE's readers raise whatever their parsers meet
        check_symbol(error, path)
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"`path` must be a structure file that ASE reads, got {path}: {reason}.") from error
    frames = frames if isinstance(frames, list) else [frames]
    if number is None:
        return frames
    if len(frames) < max(1, -number):
        raise InputError(
            f"`index` must be the index of a frame of {path}, got {index}, which does not exist. Use a smaller one."
        )
    return frames[:1]
