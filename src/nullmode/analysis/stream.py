"""The analysis of a file that may be larger than memory: rows of its structures, a few thousand at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from nullmode._support.threads import ahead, processors, progress_bar
from nullmode._support.types import InputError, Scope
from nullmode.analysis.analyze import checked_options
from nullmode.analysis.chunks import ROW_GROUP, divided
from nullmode.analysis.failed_rows import raise_if_all
from nullmode.analysis.rows import measure
from nullmode.analysis.whole_rows import measure_whole
from nullmode.attribution.geometry_ranks import Cases
from nullmode.attribution.whole_structure import StructureRanks
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._layout import Layout, is_open
from nullmode.geometry.disorder import Occupancy
from nullmode.geometry.environment import Centers, Environment
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.geometry.read import read_environments, read_structures
from nullmode.spectrum.whole_structure import Structure, whole_structures

Opened: TypeAlias = Callable[[Descriptor], AbstractContextManager[Callable[[pd.DataFrame], None]]]
_CHUNK = 1 << 11  # environments
_READ_AHEAD = 2
_MOST_KEPT = 1 << 18
"""Neighbours: so many are kept, about 20 MB, in case that a species occurs late."""


def analyze_file(
    path: Path,
    descriptor: Descriptor,
    opened: Opened,
    rtol: float = 1e-9,
    *,
    scope: Scope = "environment",
    centers: Centers = None,
    index: str = ":",
    occupancy: Occupancy = "refuse",
    attribution: bool = False,
    resolution: bool = False,
    tolerance: float = 1e-6,
    threads: int | None = None,
    progress: bool = False,
) -> None:
    """Analyse the structures of a file as :func:`nullmode.analyze` does, while it is read.

    Parameters
    ----------
    path, centers, index, occupancy
        As in :func:`nullmode.read_environments`.
    opened
        Gives, for the descriptor with its layout fixed, a context with a function that takes the rows of the table, up
        to 16 384 at a time. Where a later structure shows that the layout is another one, the context ends with an
        exception, and another one follows.
    rtol, scope, attribution, resolution, tolerance, threads, progress
        As in :func:`nullmode.analyze`; the rows do not depend on the number of threads.

    Raises
    ------
    InputError
        As :func:`nullmode.analyze` and :func:`nullmode.read_environments`.
    """
    options = checked_options(descriptor, rtol, "neighbours", attribution, resolution, tolerance, threads, scope)

    def read() -> Iterator[Any]:
        if scope == "environment":
            return divided(read_environments(path, descriptor.cutoff, centers, index, occupancy), _CHUNK)
        parts = read_structures(path, centers, index, occupancy)
        return (whole_structures(part.atoms, descriptor.cutoff, part.centers, part.first, part.names) for part in parts)

    def rows(part: Any, fixed: Descriptor, errors: list[Exception]) -> pd.DataFrame:
        known: Any = {"threads": threads, "errors": errors}
        if scope == "environment":
            return measure(Cases(part), [fixed], options, **known)[0]
        return measure_whole([StructureRanks(each, scope) for each in part], [fixed], options, **known)[0]

    workers = threads or processors()
    source = _Source(read, read_ahead=workers > 1, keeps=is_open(descriptor))
    what = "environments" if scope == "environment" else "structures"
    layout: Layout | None = None
    while True:
        try:
            _analyze(source, descriptor, layout, opened, rows, progress_bar(None, progress, what))
            return
        except _LargerLayoutError as larger:
            layout = larger.layout


class _LargerLayoutError(Exception):
    """A structure that was read late does not fit into the layout of those before; that of all."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout


class _Source:
    """The parts of a file, as sets of environments or lists of structures; few are read from it only once."""

    def __init__(self, read: Callable[[], Iterator[Any]], *, read_ahead: bool, keeps: bool) -> None:
        self._read, self._read_ahead, self._keeps = read, read_ahead, keeps
        self._known: list[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._known is not None:
            yield from self._known
            return
        kept: list[Any] | None = [] if self._keeps else None
        size = 0
        for part in ahead(self._read(), _READ_AHEAD) if self._read_ahead else self._read():
            if kept is not None:
                kept.append(part)
                size += _count_neighbours(part)
                kept = kept if size <= _MOST_KEPT else None
            yield part
        self._known = kept


def _analyze(
    source: _Source,
    descriptor: Descriptor,
    layout: Layout | None,
    opened: Opened,
    rows: Callable[[Any, Descriptor, list[Exception]], pd.DataFrame],
    bar: AbstractContextManager[Callable[[int], None]],
) -> None:
    """Analyse all parts; `layout` is that of the whole file, or None for that of the first part."""
    parts = iter(source)
    first = next(parts, None)
    if first is None:
        return
    layout = layout or _layout_of(first, descriptor)
    fixed = layout.fix(descriptor)
    errors: list[Exception] = []
    all_failed, has_neighbours = True, False
    waiting: list[pd.DataFrame] = []
    with bar as advance, opened(fixed) as consume:
        for part in chain([first], parts):
            larger = layout.joined(_layout_of(part, descriptor)) if fixed is not descriptor else layout
            if larger.values_for(descriptor) != layout.values_for(descriptor):
                raise _LargerLayoutError(
                    reduce(lambda all_, each: all_.joined(_layout_of(each, descriptor)), parts, larger)
                )
            frame = rows(part, fixed, errors).drop(columns="point")
            all_failed = all_failed and bool((frame["status"] == "failed").all())
            has_neighbours = has_neighbours or _count_neighbours(part) > 0
            waiting.append(frame)
            if sum(map(len, waiting)) >= ROW_GROUP:
                consume(pd.concat(waiting, ignore_index=True))
                waiting = []
            advance(len(frame))
        if not has_neighbours:
            raise InputError(
                f"`cutoff` must reach a neighbour, got {descriptor.cutoff} Å, within which no centre has one."
            )
        raise_if_all(errors, all_failed)
        if waiting:
            consume(pd.concat(waiting, ignore_index=True))


def _layout_of(part: Any, descriptor: Descriptor) -> Layout:
    return Layout.of(part if isinstance(part, EnvironmentSet) else _environments(part), descriptor.cutoff)


def _count_neighbours(part: Any) -> int:
    return len(part.vectors) if isinstance(part, EnvironmentSet) else sum(map(len, _environments(part)))


def _environments(structures: Sequence[Structure]) -> list[Environment]:
    return [environment for structure in structures for environment in structure.environments]
