"""The configuration written out as jobs of about equal length; importing this is as light as the settings.

An item is one family, one descriptor and one combination of its outer values, with all truncations looped inside. Items
longer than the target are split by structures; shorter ones are gathered, each with those whose hashes begin alike. So
a job depends on its own items alone, and another item changes none but the job that takes it in.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from nullmode._support import axes
from nullmode._support.types import JSON
from nullmode._support.variants import constructed, load, validated
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import DensityDescriptor, changed
from nullmode.descriptors._layout import is_open
from nullmode.families import FAMILIES
from nullmode.families._base import FamilySize
from nullmode.sweep import cost
from nullmode.sweep.cells import points, references_of
from nullmode.sweep.schema import DescriptorEntry, Settings

_DIGITS = 6
# What a scheduler is asked for: the factor covers slower machines and the model's errors, the seconds a slow start.
_ROOM = 3
_START = 120
_UNKNOWN_SECONDS = 3600
_UNKNOWN_BYTES = 1e9
_NO_NAME = r"[^A-Za-z0-9.+-]"
T = TypeVar("T")


class Job(NamedTuple):
    """One job of the workflow.

    Attributes
    ----------
    family, descriptor, name
        Where its table lies; the name changes only with what the job stands for.
    cell
        What :func:`nullmode.sweep.sensitivity.run_cell` takes.
    seconds, bytes
        What it is expected to take, on one thread; None where a family or descriptor of the user's own does not tell.
    """

    family: str
    descriptor: str
    name: str
    cell: JSON
    seconds: float | None
    bytes: float | None

    def runtime(self, attempt: int = 1) -> int:
        """Minutes to ask a scheduler for: with room for a slower machine and a wrong guess, more at each attempt."""
        return attempt * math.ceil((_START + _ROOM * (_UNKNOWN_SECONDS if self.seconds is None else self.seconds)) / 60)

    def mem_mb(self, attempt: int = 1) -> int:
        """Megabytes to ask a scheduler for, likewise."""
        return attempt * math.ceil(_ROOM * (_UNKNOWN_BYTES if self.bytes is None else self.bytes) / 1e6)


class _Load(NamedTuple):
    """What an item takes per structure: seconds shared by all items of a cutoff (Å), and its own; bytes."""

    once: dict[float, float]
    each: float
    kept: float
    working: float


class _Item(NamedTuple):
    key: str
    label: str
    points: list[JSON]
    blocks: list[cost.Block]


def plan(settings: Settings) -> list[Job]:
    """Write a checked configuration out as jobs: every family, descriptor, point and structure in exactly one."""
    sizes = {name: _size(settings, name) for name in settings.families}
    return [
        Job(family, name, label, _cell(settings, family, name, members, part), *taken)
        for name, entry in settings.descriptors.items()
        for items in [_items(name, entry)]
        for family in entry.families or settings.families
        for label, members, part, taken in _dealt(entry, items, sizes[family], settings.target_job_seconds)
    ]


def gathered(
    items: Sequence[T], key: Callable[[T], str], total: Callable[[list[T]], float], most: float
) -> Iterator[tuple[str, list[T]]]:
    """Gather items to groups that take at most `most`; an item that takes more is a group of its own.

    A group holds all items whose keys begin with the same binary digits, as few digits as will do. So the groups depend
    on no order, and another item changes none but the one that takes it in, which it may split.

    Parameters
    ----------
    items
        In any order.
    key
        Of each a text of hexadecimal digits, all of one length, different and evenly distributed, such as a hash.
    total
        What items take together; must not fall as items are added.
    most
        Of a group.

    Yields
    ------
    prefix, members
        The common digits, and the items in order of their keys.
    """

    def split(members: list[tuple[str, T]], depth: int) -> Iterator[tuple[str, list[T]]]:
        group = [item for _, item in members]
        if len(group) > 1 and total(group) > most:
            for digit in "01":
                yield from split([member for member in members if member[0][depth] == digit], depth + 1)
        elif group:
            yield members[0][0][:depth], group

    return split(sorted((f"{int(key(item), 16):0{4 * len(key(item))}b}", item) for item in items), 0)


def _dealt(
    entry: DescriptorEntry, items: list[_Item], size: FamilySize | None, target: float
) -> Iterator[tuple[str, list[_Item], slice, tuple[float | None, float | None]]]:
    """Deal the items of one family and descriptor to jobs: name, items, structures, what they take."""
    if size is None or not cost.known(entry.kind):
        for item in items:
            yield f"{item.label}_{item.key[:_DIGITS]}", [item], slice(None), (None, None)
        return
    loads = {item.key: _load(entry, item, size) for item in items}
    most, short = size.structures, []

    def taken(group: list[_Item], structures: int = most) -> tuple[float, float]:
        return _taken([loads[item.key] for item in group], structures)

    for item in items:
        if most == 1 or taken([item])[0] <= target:
            short.append(item)
            continue
        # A power of two, so that it stays while structures or other figures of the cost model change a little.
        step = 2 ** max(0, math.floor(math.log2(target / taken([item], 1)[0])))
        for start in range(0, most, step):
            # The last takes all that follow: of a file, their number is an estimate.
            stop = start + step if start + step < most else None
            name = f"{item.label}_from-{start}_{item.key[:_DIGITS]}"
            yield name, [item], slice(start, stop), taken([item], min(step, most - start))
    for prefix, group in gathered(short, lambda item: item.key, lambda group: taken(group)[0], target):
        label, key = group[0].label, group[0].key
        if len(group) > 1:
            label, key = f"batch-{prefix}" if prefix else "all", _key(entry.kind, entry.scope, entry.parameters)
        yield f"{label}_{key[:_DIGITS]}", group, slice(None), taken(group)


def _taken(loads: list[_Load], structures: int) -> tuple[float, float]:
    """Seconds and bytes that items take together, for a number of structures."""
    once: dict[float, float] = {}
    for one in loads:
        once |= one.once
    time = structures * (sum(once.values()) + sum(one.each for one in loads))
    room = structures * sum(one.kept for one in loads) + max(one.working for one in loads)
    return time, room + cost.measured()["bytes"]["job"]


def _items(name: str, entry: DescriptorEntry) -> list[_Item]:
    """Write the combinations of a descriptor's outer values out."""
    outer = [axis for axis in entry.grid if axis not in entry.inner]
    inner = points(entry, [axis for axis in entry.grid if axis in entry.inner])
    result = []
    for fixed in points(entry, outer):
        # A value may be a list or any text; a file name may not.
        label = "_".join(f"{axis}-{re.sub(_NO_NAME, '', str(value))}" for axis, value in fixed.items()) or "all"
        key = _key(entry.kind, entry.scope, entry.parameters, fixed)
        listed = [{**entry.parameters, **fixed, **point} for point in inner]
        result.append(_Item(key, label, listed, _blocks(name, entry, fixed)))
    return result


def _load(entry: DescriptorEntry, item: _Item, size: FamilySize) -> _Load:
    counts = [(block.largest.cutoff, cost.count(entry.kind, block, size, entry.scope)) for block in item.blocks]
    return _Load(
        {cutoff: cost.seconds(part.once) for cutoff, part in counts},
        sum(cost.seconds(part.each) for _, part in counts),
        sum(part.kept for _, part in counts),
        max(part.working for _, part in counts),
    )


def _blocks(name: str, entry: DescriptorEntry, fixed: JSON) -> list[cost.Block]:
    """Gather an item's truncations that share a Jacobian, as :func:`nullmode.spectrum.truncations.sweeps` does."""
    target = load(entry.kind, DESCRIPTORS, "descriptor")
    inner = [axis for axis in entry.grid if axis in entry.inner]
    result = []
    for point in points(entry, [axis for axis in inner if axis not in ("n_max", "l_max")]):
        axis = {free: axes.values(entry.grid[free]) for free in ("n_max", "l_max") if free in inner}
        ends = [
            constructed(target, {**entry.parameters, **fixed, **point, **{k: end(v) for k, v in axis.items()}}, name)
            for end in (max, min)
        ]
        nests = isinstance(ends[0], DensityDescriptor) and (ends[0].nested or "n_max" not in axis)
        for n_max in [None] if nests else axis.get("n_max", [None]):
            largest, smallest = (changed(end, n_max=n_max) if n_max else end for end in ends)
            shared = math.prod(len(values) for free, values in axis.items() if nests or free != "n_max")
            result.append(cost.Block(largest, smallest, shared, shared))
    return result


def _cell(settings: Settings, family: str, name: str, items: list[_Item], part: slice) -> JSON:
    entry = settings.descriptors[name]
    listed = [point for item in items for point in item.points]
    blocks = [block for item in items for block in item.blocks]
    return {
        "family": family,
        "family_kind": settings.families[family].kind,
        "family_parameters": settings.families[family].parameters,
        "descriptor": name,
        "kind": entry.kind,
        "scope": entry.scope,
        "parameters": entry.parameters,
        "references": references_of(listed),
        "points": listed,
        "block": len(items[0].points),
        "structures": None if part == slice(None) else [part.start, part.stop],
        "layouts": [] if part == slice(None) else sorted({b.largest.cutoff for b in blocks if is_open(b.largest)}),
        "rtol": settings.rtol,
        "tolerance": settings.tolerance,
    }


def _size(settings: Settings, family: str) -> FamilySize | None:
    """Ask a family how much it holds, if it can say."""
    entry = settings.families[family]
    target = load(entry.kind, FAMILIES, "family")
    if not hasattr(target, "size"):
        return None
    size: FamilySize | None = target.size(**validated(target, entry.parameters, f"families.{family}.parameters"))
    return size


def _key(*content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
