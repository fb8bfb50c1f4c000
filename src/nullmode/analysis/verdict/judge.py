"""The verdict about structures and a descriptor: counts over all centres, more about a sample of the structures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self, get_args

import numpy as np
import pandas as pd

from nullmode._support.arguments import as_real
from nullmode._support.threads import progress_bar
from nullmode._support.types import JSON, InputError, WholeScope
from nullmode.analysis.analyze import analyze
from nullmode.analysis.sample import small_enough, spaced
from nullmode.analysis.verdict.record import Verdict, conclusion
from nullmode.analysis.verdict.tally import Tally
from nullmode.attribution.near_null import SOFT, explain_near_null
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.cut import environments
from nullmode.geometry.environment import Centers, Environment
from nullmode.limits.limit import check_limited
from nullmode.spectrum.decomposition import check_rtol

if TYPE_CHECKING:
    from ase import Atoms

_FRAMES = 8
_WORST = 2
"""So many of the worst centres are looked at closely, too."""
_ENVIRONMENTS, _NEIGHBOURS = 8, 240
"""Of each species, at most so many environments, with at most so many neighbours in all, are looked at closely."""
_ATOMS = {2: 400, 3: 60}
"""By correlation order: whole structures are analysed up to so many atoms in all."""
_REMEDIES = {
    "no_neighbours": "isolated atoms, which have nothing to see",
    "rtol_below_floor": "the Jacobian's noise is above rtol; use a larger rtol",
    "rtol_below_error": "the Jacobian's error is above rtol; use a larger rtol",
    "not_finite": "features or derivatives are not finite; look at the structure",
}
_ALWAYS = ("n_max", "l_max", "cutoff", "cutoff_width", "width")
_TEXTS = {
    "message": "rows were not analysed",
    "diagnostic": "rows were not explained",
    "resolution_note": "rows have a note on the resolution",
}


def verdict(
    structures: "Atoms | Sequence[Atoms]",
    descriptor: Descriptor,
    rtol: float = 1e-9,
    *,
    centers: Centers = None,
    soft: float = SOFT,
    tolerance: float = 1e-6,
    frames: Sequence[int] | None = None,
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
    frames
        What each structure is called: its number in the file that it is from. By default, its index.

    Raises
    ------
    InputError
        As :func:`nullmode.analyze`; for a `soft` that is not between rtol and 1, and `frames` that are not one for each
        structure.
    """
    from ase import Atoms

    listed = [structures] if isinstance(structures, Atoms) else list(structures)
    numbers = range(len(listed)) if frames is None else list(frames)
    if len(set(numbers)) < len(numbers) or len(numbers) != len(listed):
        raise InputError(f"`frames` must be {len(listed)} different numbers, one for each structure, got {frames!r}.")
    tally = Tally(check_soft(soft, rtol))
    options: JSON = {"centers": centers, "tolerance": tolerance, "threads": threads}
    tally.add(analyze(listed, descriptor, rtol, attribution=True, progress=progress, **options))
    pairs = [(index, listed[index]) for index in sampled(tally)]
    looks = look_closely(tally, pairs, descriptor, rtol, progress=progress, **options)
    return conclude(tally, looks, numbers, descriptor)


def check_soft(soft: Any, rtol: float) -> float:
    """Refuse a bound of soft values that is not between rtol and 1."""
    check_rtol(rtol)
    if not rtol < as_real(soft) <= 1:
        raise InputError(f"`soft` must be between rtol = {rtol:.0e} and 1, got {soft!r}.")
    return float(soft)


def sampled(tally: Tally) -> list[int]:
    """Choose structures that are looked at closely: evenly spaced ones, the first of each species, and the worst."""
    worst = tally.worst()["structure"].head(_WORST).tolist()
    return spaced(tally.n_structures, _FRAMES, {*tally.first_of.values(), *worst})


class Looks(NamedTuple):
    """What closer looks at some structures show.

    Attributes
    ----------
    sampled
        Which structures.
    resolutions
        Columns ``center`` and ``resolution`` of environments; None if none was measured.
    soft_causes
        Number of soft values of environments, by cause.
    scopes
        As in :class:`Verdict`.
    notes
        Why some is missing.
    """

    sampled: tuple[int, ...]
    resolutions: pd.DataFrame | None
    soft_causes: dict[str, int]
    scopes: pd.DataFrame
    notes: tuple[str, ...] = ()

    @classmethod
    def none(cls, tally: Tally) -> Self:
        """Take only what the rows say."""
        return cls((), tally.resolutions(), {}, pd.DataFrame())

    @classmethod
    def of_whole(cls, tally: Tally, scope: WholeScope) -> Self:
        """Take the rows as those of whole structures."""
        return cls((), None, {}, pd.DataFrame([tally.whole(scope)]))


def look_closely(
    tally: Tally,
    sample: "Iterable[tuple[int, Atoms]]",
    descriptor: Descriptor,
    rtol: float,
    *,
    centers: Centers,
    tolerance: float,
    threads: int | None,
    progress: bool,
) -> Looks:
    """Look closely at the structures that :func:`sampled` chose, given with their index."""
    pairs = [(index, atoms) for index, atoms in sample if len(atoms)]
    options: JSON = {"rtol": rtol, "tolerance": tolerance, "threads": threads}
    resolutions, soft = tally.resolutions(), dict[str, int]()
    scopes, notes = pd.DataFrame(), list[str]()
    with progress_bar(3, progress, "closer looks") as advance:
        close = _close(pairs, descriptor, centers, tally)
        try:
            if resolutions is None and close and _has_quick_limit(descriptor):
                rows = analyze(close, descriptor, rtol, resolution=True, threads=threads)
                resolutions = pd.DataFrame({"center": rows["center_species"], "resolution": rows["resolution"]})
            advance(1)
            soft = _soft_causes(close, descriptor, tally.soft, rtol, tolerance)
            advance(1)
            scopes, notes = _scopes(pairs, descriptor, tally.soft, options | {"centers": centers})
        # None of these could be analysed: the rows tell of all structures, and are kept.
        except InputError as error:
            notes.append(f"No structure was looked at closely: {error}")
        advance(1)
    return Looks(tuple(index for index, _ in pairs), resolutions, soft, scopes, tuple(notes))


def conclude(tally: Tally, looks: Looks, numbers: Sequence[int], descriptor: Descriptor) -> Verdict:
    """Put the verdict together; `numbers` are those of the structures' frames."""
    counts = tally.counts().reset_index()
    measured = pd.DataFrame(columns=["min", "median", "count"])
    if looks.resolutions is not None:
        measured = looks.resolutions.groupby("center")["resolution"].agg(["min", "median", "count"])
    for name, kept in {"resolution_worst": "min", "resolution_median": "median", "n_measured": "count"}.items():
        counts[name] = counts["center"].map(measured[kept]).astype(np.float64)
    counts["n_measured"] = counts["n_measured"].fillna(0).astype(np.int64)
    finding, advice = conclusion(counts, looks.scopes, tally.statuses)
    worst = tally.worst()
    worst.insert(0, "frame", [numbers[index] for index in worst.pop("structure")])
    return Verdict(
        descriptor=described(descriptor),
        soft=tally.soft,
        centers=counts,
        soft_causes=looks.soft_causes,
        scopes=looks.scopes,
        worst=worst.drop(columns=["environments", "missed", "status"]),
        distributions=tally.distributions(looks.resolutions),
        sampled=tuple(int(numbers[index]) for index in looks.sampled),
        statuses=tally.statuses,
        notes=(*_notes(tally, numbers), *looks.notes),
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
            shown.append(f"{field.name}={value if is_dataclass(value) else repr(value)}")
    return f"{type(descriptor).__name__}({', '.join(shown)})"


def _close(
    pairs: "list[tuple[int, Atoms]]", descriptor: Descriptor, centers: Centers, tally: Tally
) -> list[Environment]:
    """Cut a few environments of each species out of structures, evenly spaced among them, and the worst ones."""
    every: dict[int, list[Environment]] = {}
    indices = dict(enumerate(index for index, _ in pairs))
    worst = set(tally.worst()[["structure", "atom"]].head(_WORST).itertuples(index=False, name=None))
    for each in environments([atoms for _, atoms in pairs], descriptor.cutoff, centers):
        if len(each):
            every.setdefault(each.center_species, []).append(each)
    chosen = []
    for found in every.values():
        count = min(len(found), _ENVIRONMENTS, max(1, _NEIGHBOURS // max(map(len, found))))
        named = [k for k, each in enumerate(found) if (indices.get(each.structure or 0), each.center) in worst]
        chosen += [found[k] for k in spaced(len(found), count, named)]
    return chosen


def _soft_causes(
    close: list[Environment], descriptor: Descriptor, soft: float, rtol: float, tolerance: float
) -> dict[str, int]:
    """Count the soft values of environments by cause, the most frequent first."""
    causes: list[str] = []
    fixed = with_layout_of(descriptor, close) if close else descriptor
    for environment in close:
        # What cannot be told of one environment, its own row says.
        with suppress(InputError):
            causes += [mode.cause for mode in explain_near_null(environment, fixed, soft, rtol, tolerance)]
    counted = Counter("body order" if cause == "incompleteness" else cause for cause in causes)
    return dict(counted.most_common())


def _has_quick_limit(descriptor: Descriptor) -> bool:
    try:
        check_limited(descriptor)
    except InputError:
        return False
    return descriptor.correlation_order in (1, 2)


def _scopes(
    pairs: "list[tuple[int, Atoms]]", descriptor: Descriptor, soft: float, options: JSON
) -> tuple[pd.DataFrame, list[str]]:
    """Sum up what linear models and any potential see of the sampled structures that are small enough."""
    most = _ATOMS.get(descriptor.correlation_order or 2, _ATOMS[2])
    small = small_enough((atoms for _, atoms in pairs), most)
    if not small:
        return pd.DataFrame(), ["The structures were too large to be analysed as a whole: see --scope potential."]
    rows = []
    scopes: tuple[WholeScope, ...] = get_args(WholeScope)
    for scope in scopes:
        table = analyze(small, descriptor, scope=scope, attribution=True, **options)
        whole = Tally(soft)
        whole.add(table)
        rows.append(whole.whole(scope))
    return pd.DataFrame(rows), []


def _notes(tally: Tally, numbers: Sequence[int]) -> list[str]:
    """Say what deserves attention, each with its first reason."""
    notes = []
    for status, remedy in _REMEDIES.items():
        if status in tally.statuses:
            structure, atom = tally.first_with[status]
            where = f"frame {numbers[structure]}" + f", atom {atom}" * (atom >= 0)
            notes.append(f"{tally.statuses[status]} rows: {remedy}; the first: {where}.")
    if tally.n_at_cutoff:
        notes.append(f"{tally.n_at_cutoff} rows have atoms at the cutoff, which are left out (column n_at_cutoff).")
    if tally.n_near:
        notes.append(
            f"{tally.n_near} rows are close to a more symmetric or degenerate environment: their counts depend on the "
            "tolerance."
        )
    for name, (count, first) in tally.texts.items():
        notes.append(f"{count} {_TEXTS[name]}, the first: {first}")
    return notes
