"""The verdict about structures and a descriptor: counts over all centres, more about a sample of the structures."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nullmode._support.arguments import as_real
from nullmode._support.elements import symbol
from nullmode._support.threads import progress_bar
from nullmode._support.types import JSON, InputError
from nullmode.analysis.analyze import analyze
from nullmode.analysis.verdict.record import Verdict, conclusion
from nullmode.analysis.verdict.tally import CAUSES, Tally
from nullmode.attribution.near_null import explain_near_null
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.cut import environments
from nullmode.geometry.environment import Centers, Environment
from nullmode.limits.limit import check_limited
from nullmode.spectrum.decomposition import check_rtol

if TYPE_CHECKING:
    from ase import Atoms

SOFT = 1e-2
_FRAMES = 8
_ENVIRONMENTS, _NEIGHBOURS = 8, 400
"""Of each species, at most so many environments, with at most so many neighbours in all, are looked at closely."""
_ATOMS = {2: 400, 3: 60}
"""By correlation order: whole structures are analysed up to so many atoms in all."""
_ALWAYS = ("n_max", "l_max", "cutoff", "cutoff_width", "width")
_TEXTS = {
    "message": "not analysed",
    "diagnostic": "not explained",
    "resolution_note": "with a note on the resolution",
}
_FORCES = ("force_rms", "unseen_force", "soft_force_1e-2")


def verdict(
    structures: "Atoms | Sequence[Atoms]",
    descriptor: Descriptor,
    rtol: float = 1e-9,
    *,
    centers: Centers = None,
    soft: float = SOFT,
    tolerance: float = 1e-6,
    threads: int | None = None,
    progress: bool = False,
) -> Verdict:
    """Say what a descriptor does not see of a set of structures, why, where, and what to do about it.

    Null and soft values are counted for all centres. Up to eight structures, evenly spaced and more if they alone have
    a species, are looked at closely: resolutions and causes of soft values of a few environments of each species; what
    linear models and any potential see of the whole structures, and what that costs where they have reference forces.

    Parameters
    ----------
    structures, descriptor, rtol, centers, tolerance, threads, progress
        As in :func:`nullmode.analyze`.
    soft
        Values that are seen and below `soft` times the largest count as soft.

    Raises
    ------
    InputError
        As :func:`nullmode.analyze`; for a `soft` that is not between rtol and 1.
    """
    from ase import Atoms

    listed = [structures] if isinstance(structures, Atoms) else list(structures)
    tally = Tally(check_soft(soft, rtol))
    options: JSON = {"centers": centers, "tolerance": tolerance, "threads": threads}
    tally.add(analyze(listed, descriptor, rtol, attribution=True, progress=progress, **options))
    chosen = sampled(tally)
    pairs = [(index, listed[index]) for index in chosen]
    return conclude(tally, pairs, range(len(listed)), descriptor, rtol, progress=progress, **options)


def check_soft(soft: Any, rtol: float) -> float:
    """Refuse a bound of soft values that is not between rtol and 1."""
    check_rtol(rtol)
    if not rtol < as_real(soft) <= 1:
        raise InputError(f"`soft` must be between rtol = {rtol:.0e} and 1, got {soft!r}.")
    return float(soft)


def sampled(tally: Tally) -> list[int]:
    """Choose structures that are looked at closely: evenly spaced ones, and the first of each species."""
    spaced = np.unique(np.linspace(0, tally.n_structures - 1, _FRAMES).round().astype(int)).tolist()
    return sorted({*spaced, *tally.first_of.values()})


def conclude(
    tally: Tally,
    sample: "Iterable[tuple[int, Atoms]]",
    numbers: Sequence[int],
    descriptor: Descriptor,
    rtol: float,
    *,
    centers: Centers,
    tolerance: float,
    threads: int | None,
    progress: bool,
) -> Verdict:
    """Look at the sampled structures, and put the verdict together.

    Parameters
    ----------
    tally
        Counts over all rows.
    sample
        The structures that :func:`sampled` chose, with their index.
    numbers
        For each structure, the number of its frame.
    """
    pairs = [(index, atoms) for index, atoms in sample if len(atoms)]
    options: JSON = {"rtol": rtol, "tolerance": tolerance, "threads": threads}
    with progress_bar(2, progress, "closer looks") as advance:
        close = _close([atoms for _, atoms in pairs], descriptor, centers)
        counts, soft_causes = _closely(tally.counts().reset_index(), close, tally, descriptor, options)
        advance(1)
        scopes, skipped = _scopes(pairs, descriptor, options | {"centers": centers})
        advance(1)
    finding, advice = conclusion(counts, scopes)
    worst = tally.worst()
    worst.insert(0, "frame", [numbers[index] for index in worst.pop("structure")])
    return Verdict(
        descriptor=described(descriptor),
        soft=tally.soft,
        centers=counts,
        soft_causes=soft_causes,
        scopes=scopes,
        worst=worst.drop(columns=["environments", "missed", "status"]),
        sampled=tuple(int(numbers[index]) for index, _ in pairs),
        statuses=tally.statuses,
        notes=(*_notes(tally), *skipped),
        finding=finding,
        advice=advice,
    )


def described(descriptor: Any) -> str:
    """Describe a descriptor in a line: its kind, its size and lengths, and what else is not as by default."""
    if not is_dataclass(descriptor):
        return repr(descriptor)
    shown = []
    for field in fields(descriptor):
        value = getattr(descriptor, field.name)
        if field.init and (field.name in _ALWAYS or value != field.default):
            shown.append(f"{field.name}={value!r}")
    return f"{type(descriptor).__name__}({', '.join(shown)})"


def _close(structures: "list[Atoms]", descriptor: Descriptor, centers: Centers) -> dict[str, list[Environment]]:
    """Cut a few environments of each species of the centre out of structures, evenly spaced among them."""
    every: dict[str, list[Environment]] = {}
    for each in environments(structures, descriptor.cutoff, centers):
        if len(each):
            every.setdefault(symbol(each.center_species), []).append(each)
    chosen = {}
    for species, found in every.items():
        count = min(len(found), _ENVIRONMENTS, max(1, _NEIGHBOURS // max(map(len, found))))
        places = np.linspace(0, len(found) - 1, count).round().astype(int)
        chosen[species] = [found[k] for k in places]
    return chosen


def _closely(
    counts: pd.DataFrame,
    close: dict[str, list[Environment]],
    tally: Tally,
    descriptor: Descriptor,
    options: JSON,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Add resolutions to the counts, and count causes of soft values; both of a few environments of each species."""
    resolutions = tally.resolutions()
    every = [each for found in close.values() for each in found]
    if resolutions is None and every and _has_quick_limit(descriptor):
        rows = analyze(every, descriptor, resolution=True, rtol=options["rtol"], threads=options["threads"])
        resolutions = pd.DataFrame({"center": rows["center_species"], "resolution": rows["resolution"]})
    measured = pd.DataFrame(columns=["min", "median", "count"])
    if resolutions is not None:
        measured = resolutions.groupby("center")["resolution"].agg(["min", "median", "count"])
    for name, kept in {"resolution_worst": "min", "resolution_median": "median", "n_measured": "count"}.items():
        counts[name] = counts["center"].map(measured[kept]).astype(np.float64)
    soft: dict[str, int] = {}
    fixed = with_layout_of(descriptor, every) if every else descriptor
    for environment in every:
        try:
            found = explain_near_null(environment, fixed, tally.soft, options["rtol"], options["tolerance"])
        # Of one environment, which its own row tells of.
        except InputError:
            continue
        for mode in found:
            cause = "body order" if mode.cause == "incompleteness" else mode.cause
            soft[cause] = soft.get(cause, 0) + 1
    return counts, dict(sorted(soft.items(), key=lambda item: -item[1]))


def _has_quick_limit(descriptor: Descriptor) -> bool:
    try:
        check_limited(descriptor)
    except InputError:
        return False
    return descriptor.correlation_order in (1, 2)


def _scopes(pairs: "list[tuple[int, Atoms]]", descriptor: Descriptor, options: JSON) -> tuple[pd.DataFrame, list[str]]:
    """Sum up what linear models and any potential see of the sampled structures that are small enough."""
    left = _ATOMS.get(descriptor.correlation_order or 2, _ATOMS[2])
    small: list[Atoms] = []
    for _, atoms in pairs:
        if len(atoms) <= left:
            small.append(atoms)
            left -= len(atoms)
    if not small:
        sizes = min(len(atoms) for _, atoms in pairs)
        return pd.DataFrame(), [f"Whole structures of {sizes} atoms were not analysed: use --scope potential for them."]
    rows = []
    for scope in ("structure", "potential"):
        table = analyze(small, descriptor, scope=scope, attribution=True, **options)
        table = table[table["status"] == "ok"]
        null = {name: int(table[name].fillna(0).sum()) for name in CAUSES}
        sums = {"values": int(table["n_dof"].sum()), "rank": int(table["rank"].sum())}
        forces = {name: float(np.sqrt(np.square(table[name].astype(np.float64)).mean())) for name in _FORCES}
        rows.append({"scope": scope, **sums, "null": sums["values"] - sums["rank"], **null, **forces})
    return pd.DataFrame(rows), []


def _notes(tally: Tally) -> list[str]:
    """Say what deserves attention, each with its first reason."""
    notes = [f"{count} rows are {status}." for status, count in tally.statuses.items() if status != "ok"]
    if tally.n_at_cutoff:
        notes.append(f"{tally.n_at_cutoff} with atoms at the cutoff, which are left out (column n_at_cutoff).")
    if tally.n_near:
        notes.append(
            f"{tally.n_near} are close to a more symmetric or degenerate environment: their counts depend on the "
            "tolerance."
        )
    for name, (count, first) in tally.texts.items():
        notes.append(f"{count} {_TEXTS[name]}, the first: {first}")
    return notes
