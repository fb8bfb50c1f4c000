"""Structures from any file that ASE reads."""

from importlib import import_module
from lzma import LZMAError
from pathlib import Path
from typing import Literal

from nullmode._support.types import InputError
from nullmode.families._base import FamilySize, Structures, sized

_SAMPLE_BYTES = 1 << 20
_UNPACKERS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}


def _size(
    path: Path,
    centers: list[int | str] | int | str | None,
    index: str,
    occupancy: str = "refuse",  # noqa: ARG001
) -> FamilySize | None:
    """Estimate from the first megabyte of (extended) XYZ; other formats would have to be read completely."""
    unpack = _UNPACKERS.get(path.suffix)
    if (path.with_suffix("") if unpack else path).suffix not in (".xyz", ".extxyz") or not path.is_file():
        return None
    try:
        with path.open("rb") as packed, import_module(unpack).open(packed) if unpack else packed as file:
            sample = file.read(_SAMPLE_BYTES)
            # As much of the rest as of the sample: its share of the file, where it is not all of it.
            size = len(sample) * path.stat().st_size / packed.tell() if file.read(1) else len(sample)
    except (OSError, EOFError, LZMAError):
        return None
    lines = sample.split(b"\n")
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
    every = range(round(frames * size / sum(len(row) + 1 for row in lines[:line])))
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
        Coordinate: ``frame``, the number of the frame in the file, from 0. The ``info`` of the frames is left out.

    Raises
    ------
    InputError
        If the file is missing, unreadable or empty, or has no such frames or centres.
    """
    from nullmode.geometry.cut import centers_of_many
    from nullmode.geometry.disorder import ordered
    from nullmode.geometry.frames import read_frames
    from nullmode.geometry.units import warn_of_units

    every = [pair for chunk in read_frames(path, index) for pair in zip(*chunk, strict=True)]
    numbers = [number for number, _ in every]
    frames = [ordered(each, occupancy, f"frame {number} of {path}") for number, each in every]
    warn_of_units(frames)
    if not any(len(atoms) for atoms in frames):
        raise InputError(f"`path` must contain at least one structure, got {path} with none (index {index!r}).")
    chosen = centers_of_many(frames, centers, numbers)
    if not any(len(indices) for indices in chosen):
        raise InputError(f"`centers` must occur in {path}, got {centers!r}, which no structure contains. Name others.")
    for atoms, indices, number in zip(frames, chosen, numbers, strict=True):
        atoms.info = {"centers": indices.tolist(), "frame": number}
        yield atoms
