"""The configuration written out as jobs of about equal length; importing this is as light as the settings.

An item is one family, one descriptor and one combination of its outer values, with all truncations looped inside. Items
longer than the target are split by structures. Shorter ones are gathered, whatever their families and descriptors, with
others of the same kind and radial bases: so a job has one origin, and an edit of a radial basis leaves the jobs of all
others finished. Items are gathered by the first digits of their hashes. So a job depends on its own items alone, and
another item changes none but the job that takes it in.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from nullmode._support.types import JSON
from nullmode._support.variants import constructed, load
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._layout import is_open
from nullmode.families._base import FamilySize
from nullmode.sweep import cost
from nullmode.sweep.entries import named_references, points
from nullmode.sweep.family import size_of
from nullmode.sweep.origins import basis_modules
from nullmode.sweep.schema import Settings
from nullmode.sweep.tasks import SensitivityTask

_DIGITS = 6
# What a scheduler is asked for: the factor covers slower machines and the estimate's errors, the seconds a slow start,
# the bytes an idle job.
_MARGIN = 3
_START_SECONDS = 120
_START_BYTES = 2.9e8
_UNKNOWN_SECONDS = 3600
_UNKNOWN_BYTES = 1e9
T = TypeVar("T")


class Job(NamedTuple):
    """One job of the workflow.

    Attributes
    ----------
    name
        Of its table; it changes only with what the job stands for.
    tasks
        What it computes, sorted by family and descriptor; of one kind of descriptor.
    bases
        Modules of the radial bases that it uses.
    seconds, bytes
        What it is expected to take, on one thread; None where a family or descriptor of the user's own does not tell.
    """

    name: str
    tasks: list[SensitivityTask]
    bases: tuple[str, ...]
    seconds: float | None
    bytes: float | None

    @property
    def kind(self) -> str:
        """Kind of the descriptors."""
        return self.tasks[0].kind

    def runtime(self, attempt: int = 1) -> int:
        """Minutes to ask a scheduler for: with a margin for slower machines and wrong guesses, more at each attempt."""
        seconds = _UNKNOWN_SECONDS if self.seconds is None else self.seconds
        return attempt * math.ceil((_START_SECONDS + _MARGIN * seconds) / 60)

    def mem_mb(self, attempt: int = 1) -> int:
        """Megabytes to ask a scheduler for, likewise."""
        return attempt * math.ceil(_MARGIN * (_UNKNOWN_BYTES if self.bytes is None else self.bytes) / 1e6)


class _Item(NamedTuple):
    """A family under a descriptor at one combination of outer values.

    Attributes
    ----------
    key, label
        A hash of what it stands for, and the same for a reader.
    layouts
        Cutoffs in Å for which parts of the family need the layout of the whole.
    structures, estimate
        How many structures, and what one of them takes; None where that cannot be told.
    """

    key: str
    label: str
    task: SensitivityTask
    layouts: list[float]
    structures: int
    estimate: cost.Estimate | None

    def name(self, start: str) -> str:
        """Name a job that holds nothing else."""
        return f"{start}_{self.label}_{self.key[:_DIGITS]}"

    @property
    def seconds(self) -> float:
        return self.structures * self.estimate.seconds if self.estimate else math.inf

    def split(self, target: float) -> "Iterator[_Item]":
        """Split by structures, for parts that take at most `target` seconds where one structure does not take more."""
        # A power of two, so that it stays while structures or the estimate change a little.
        step = 2 ** max(0, math.floor(math.log2(target * self.structures / self.seconds)))
        for start in range(0, self.structures, step):
            # The last takes all that follow: of a file, their number is an estimate.
            stop = start + step if start + step < self.structures else None
            task = replace(self.task, structures=[start, stop], layouts=self.layouts)
            size = min(step, self.structures - start)
            yield self._replace(label=f"{self.label}_from-{start}", task=task, structures=size)


def plan(settings: Settings) -> list[Job]:
    """Write a checked configuration out as jobs: every family, descriptor, point and structure in exactly one."""
    sizes = {name: size_of(each.kind, each.parameters, name) for name, each in settings.families.items()}
    gathering: dict[tuple[str, tuple[str, ...]], list[_Item]] = {}
    for name, entry in settings.descriptors.items():
        of_families = {family: sizes[family] for family in entry.families or settings.families}
        target = load(entry.kind, DESCRIPTORS, "descriptor")
        inner = points(entry, [axis for axis in entry.grid if axis in entry.inner])
        for outer in points(entry, [axis for axis in entry.grid if axis not in entry.inner]):
            listed = [{**entry.parameters, **outer, **point} for point in inner]
            descriptors = [constructed(target, point, f"descriptors.{name}") for point in listed]
            items = gathering.setdefault((entry.kind, basis_modules(descriptors)), [])
            items.extend(_items(settings, name, outer, listed, descriptors, of_families))
    return [
        job
        for (kind, bases), items in gathering.items()
        for job in _jobs(_label(kind, bases), bases, items, settings.target_job_seconds)
    ]


def gathered(
    items: Sequence[T], key: Callable[[T], str], total: Callable[[list[T]], float], most: float
) -> Iterator[tuple[str, list[T]]]:
    """Gather items to groups that take at most `most`; an item that takes more is a group of its own.

    A group holds all items whose keys begin with the same binary digits, as few digits as will do. So the groups depend
    on no order, and another item changes none but the one that takes it in, which it may split. Keys are hexadecimal
    texts of one length, such as hashes; `total`, what items take together, must not fall as items are added. The common
    digits of each group come with its items, in order of their keys.
    """

    def split(members: list[tuple[str, T]], depth: int) -> Iterator[tuple[str, list[T]]]:
        group = [item for _, item in members]
        if len(group) > 1 and total(group) > most:
            for digit in "01":
                yield from split([member for member in members if member[0][depth] == digit], depth + 1)
        elif group:
            yield members[0][0][:depth], group

    return split(sorted((f"{int(key(item), 16):0{4 * len(key(item))}b}", item) for item in items), 0)


def _jobs(label: str, bases: tuple[str, ...], items: list[_Item], target: float) -> Iterator[Job]:
    """Split and gather the items of one kind of descriptor and one set of radial bases."""
    short = []
    for item in items:
        if item.estimate is None:
            yield Job(item.name(label), [item.task], bases, None, None)
        elif item.structures == 1 or item.seconds <= target:
            short.append(item)
        else:
            yield from (_job(part.name(label), bases, [part]) for part in item.split(target))
    for prefix, group in gathered(short, lambda item: item.key, _seconds, target):
        yield _job(f"{label}_{prefix or 'all'}", bases, group)


def _job(name: str, bases: tuple[str, ...], items: list[_Item]) -> Job:
    items = sorted(items, key=lambda item: (item.task.family, item.task.descriptor, item.key))
    size = sum(item.structures * item.estimate.bytes for item in items if item.estimate)
    return Job(name, [item.task for item in items], bases, _seconds(items), _START_BYTES + size)


def _seconds(items: list[_Item]) -> float:
    return sum(item.seconds for item in items)


def _items(
    settings: Settings,
    name: str,
    outer: JSON,
    listed: list[JSON],
    descriptors: list[Descriptor],
    sizes: Mapping[str, FamilySize | None],
) -> Iterator[_Item]:
    """Write a descriptor at one combination of outer values, with all its truncations, out for each family."""
    entry = settings.descriptors[name]
    estimates = cost.estimates(descriptors, {size for size in sizes.values() if size}, entry.scope)
    label = "_".join([name, *(f"{axis}-{_plain(value)}" for axis, value in outer.items())])
    layouts = sorted({descriptor.cutoff for descriptor in descriptors if is_open(descriptor)})
    references = named_references(listed)
    for family, size in sizes.items():
        task = SensitivityTask(
            family=family,
            family_kind=settings.families[family].kind,
            family_parameters=settings.families[family].parameters,
            descriptor=name,
            kind=entry.kind,
            scope=entry.scope,
            parameters=entry.parameters,
            points=listed,
            references=references,
            centers=entry.centers,
            feature_tolerance=entry.feature_tolerance,
            rtol=settings.rtol,
            tolerance=settings.tolerance,
            resolution=entry.resolution,
        )
        estimate = estimates.get(size) if size else None
        structures = size.structures if size else 1
        yield _Item(_key(family, name, outer), f"{family}_{label}", task, layouts, structures, estimate)


def _label(kind: str, bases: tuple[str, ...]) -> str:
    """Name a kind of descriptor and its radial bases; a path is told from others by its hash."""
    own = f"{_plain(kind.rpartition(':')[2])}-{_key(kind)[:_DIGITS]}"
    names = "+".join(module.rpartition(".")[2].replace("_", "-") for module in bases)
    return "_".join(filter(None, [kind if kind in DESCRIPTORS else own, names]))


def _plain(value: Any) -> str:
    """Leave out of a value, which may be any text, what the name of a file may not hold."""
    return re.sub(r"[^A-Za-z0-9.+-]", "", str(value))


def _key(*content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
