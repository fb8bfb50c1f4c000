"""The verdict as a record: numbers for machines, lines for people."""

from dataclasses import dataclass
from math import floor
from typing import Any, NamedTuple

import pandas as pd

from nullmode._support.types import JSON
from nullmode.analysis.verdict.tally import CAUSES, WHOLE

FINE = ("ok", "no_neighbours")
"""Statuses of rows with which nothing is wrong: an isolated atom has nothing to move."""
ENOUGH = 0.5
"""Resolution from which on a basis counts as large enough: no displacement is weakened more than twofold."""
_ROUNDING = 1e-12
_MOST_SPECIES = 8
_MEV = 1e3
_SCOPES = {"structure": "a linear model", "potential": "any potential"}
_CURES = {
    "null_truncation": "enlarge n_max and l_max: nullmode recommend finds how far",
    "null_incompleteness": "take the next body order, if these displacements cost force",
    "null_cutoff": "raise the cutoff, if the neighbours that fade there matter; a larger basis does not help",
    "null_width": "use a smaller width; a larger basis does not help",
    "null_unresolved": "try a larger truncation and the next body order, as far as the descriptor has them",
    "null": "look for the causes: leave --no-attribution out, or use a smaller tolerance",
}


class Section(NamedTuple):
    """A table of a verdict with its columns named in words, and the sentences below it.

    Its name is ``centers``, ``scopes`` or ``worst``, as the attribute of :class:`Verdict` that it shows.
    """

    name: str
    table: pd.DataFrame
    sentences: list[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """What a descriptor does not see of a set of structures, why, where, and what to do about it.

    Attributes
    ----------
    descriptor
        In words.
    soft
        Seen values below this share of the largest count as soft.
    centers
        By species of the centre: numbers of environments, of neighbours (mean), of singular values, of null ones, also
        by cause, and of soft ones; ``resolution_worst`` and ``resolution_median``, NaN where none was measured, and of
        how many environments (``n_measured``).
    soft_causes
        Soft values of the sampled environments by cause, as :func:`nullmode.explain_near_null` tells it.
    scopes
        Sums over the sampled structures, for linear models (``structure``) and for any potential (``potential``):
        displacements (``values``), null ones, also by cause, and soft ones; root mean squares of ``force_rms``,
        ``unseen_force`` and ``soft_force_1e-2`` in eV/Å, NaN without reference forces. Empty if no sampled structure
        was small enough.
    worst
        The ten centres with most null values beyond those of symmetry, then with the smallest value that symmetry does
        not make null, over the largest (``ratio``): number of the frame, index of the atom, species.
    distributions
        Histograms by species of the centre (``center``), with a ``count`` of values between ``low`` and ``high``, of
        each ``quantity``: ``ratio``, as in `worst`, where both bounds are 0 for values that are null; and
        ``resolution``, where it was measured.
    sampled
        Numbers of the frames that were sampled, for resolutions, soft values' causes and scopes.
    statuses
        Number of rows by status; all ``ok`` if nothing went wrong.
    notes
        What deserves attention, a sentence each.
    finding, advice
        What was found, and what to do.
    """

    descriptor: str
    soft: float
    centers: pd.DataFrame
    soft_causes: dict[str, int]
    scopes: pd.DataFrame
    worst: pd.DataFrame
    distributions: pd.DataFrame
    sampled: tuple[int, ...]
    statuses: dict[str, int]
    notes: tuple[str, ...]
    finding: str
    advice: str

    @property
    def ok(self) -> bool:
        """Whether every row was analysed."""
        return set(self.statuses) <= set(FINE)

    def as_dict(self) -> JSON:
        """Give all of it as a JSON document: tables as lists of records, NaN as null."""
        result = {name: getattr(self, name) for name in self.__slots__}
        for name in ("centers", "scopes", "worst", "distributions"):
            table = getattr(self, name)
            result[name] = table.astype(object).where(table.notna(), None).to_dict("records")
        return result | {"ok": self.ok}

    def sections(self) -> list[Section]:
        """Give the tables that are shown, as texts for people."""
        said = []
        if self.centers["n_measured"].sum():
            said.append(
                f"resolution: share of what a complete basis sees of the worst displacement, in "
                f"{self.centers['n_measured'].sum():.0f} environments"
            )
        if self.soft_causes:
            causes = ", ".join(f"{count} {cause}" for cause, count in self.soft_causes.items())
            said.append(f"soft: seen, but below {self.soft:g} of the largest value; why, where sampled: {causes}")
            if {"none", "tie"} & self.soft_causes.keys():
                said.append("(tie: several causes alike; none: no cause alone explains half of it)")
        result = [Section("centers", _centers(self.centers), said)]
        if len(self.scopes):
            told = []
            if self.sampled:
                frames = ", ".join(map(str, self.sampled[:6])) + ", ..." * (len(self.sampled) > 6)
                told.append(f"of frame{'s' * (len(self.sampled) > 1)} {frames}")
            if self.scopes["force_rms"].notna().any():
                told.append("forces: root mean squares per component; soft: along values below 0.01, unseen included")
            result.append(Section("scopes", _scopes(self.scopes), ["; ".join(told)] * bool(told)))
        if len(self.worst):
            result.append(Section("worst", _worst(self.worst), []))
        return result

    def __str__(self) -> str:
        lines = [self.descriptor]
        for section in self.sections():
            lines += ["", *str(section.table.to_string(index=False)).splitlines(), *section.sentences]
        return "\n".join([*lines, "", *self.notes, self.finding, self.advice])

    __repr__ = __str__


def _centers(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out columns that hold nothing, and name the others in words."""
    if len(table) > _MOST_SPECIES:
        rest = table.iloc[_MOST_SPECIES - 1 :]
        others = rest.sum(numeric_only=True).to_frame().T.assign(center=f"{len(rest)} others")
        others["neighbours"] = (rest["neighbours"] * rest["environments"]).sum() / rest["environments"].sum()
        others["resolution_worst"], others["resolution_median"] = rest["resolution_worst"].min(), float("nan")
        table = pd.concat([table.iloc[: _MOST_SPECIES - 1], others], ignore_index=True)
    shown = pd.DataFrame({"centre": table["center"], "environments": table["environments"].map("{:.0f}".format)})
    if WHOLE in set(table["center"]):
        shown = pd.DataFrame({"structures": shown["environments"]})
    else:
        shown["neighbours"] = table["neighbours"].map("{:.1f}".format)
    for name in ("values", "null"):
        shown[name] = table[name].map("{:.0f}".format)
    for name, words in CAUSES.items():
        if table[name].any():
            shown[words] = table[name].map("{:.0f}".format)
    shown["soft"] = table["soft"].map("{:.0f}".format)
    if table["n_measured"].sum():
        worst, median = (table[f"resolution_{name}"].map(number) for name in ("worst", "median"))
        shown["resolution: worst"], shown["median"] = worst, median
    return shown


def _scopes(table: pd.DataFrame) -> pd.DataFrame:
    shown = pd.DataFrame(
        {"seen by": table["scope"].map(_SCOPES), "displacements": table["values"].map("{:.0f}".format)}
    )
    shown["seen"] = (table["values"] - table["null"]).map("{:.0f}".format)
    for name, words in CAUSES.items():
        if table[name].any():
            shown[f"null: {words}"] = table[name].map("{:.0f}".format)
    if table["force_rms"].notna().any():
        for name, words in {"force_rms": "force", "unseen_force": "unseen", "soft_force_1e-2": "soft"}.items():
            shown[f"{words} (meV/Å)"] = (table[name] * _MEV).map(number)
    return shown


def _worst(table: pd.DataFrame) -> pd.DataFrame:
    whole = WHOLE in set(table["center"])
    shown = pd.DataFrame({"worst structures: frame" if whole else "worst centres: frame": table["frame"]})
    if not whole:
        shown["atom"], shown["species"] = table["atom"], table["center"]
    shown["null"], shown["of"] = table["null"], table["values"]
    for name, words in CAUSES.items():
        if table[name].any():
            shown[words] = table[name]
    shown["softest"] = table["ratio"].map(number)
    return shown


def number(value: Any) -> str:
    """Write a number with two digits, a dash where there is none, and 0 for rounding."""
    return "-" if pd.isna(value) else f"{0 if abs(value) < _ROUNDING else value:.2g}"


def conclusion(centers: pd.DataFrame, scopes: pd.DataFrame, statuses: dict[str, int]) -> tuple[str, str]:
    """Say in a sentence what was found, and in one what to do."""
    failed, rows = sum(count for status, count in statuses.items() if status not in FINE), sum(statuses.values())
    if failed:
        counted = ", ".join(f"{count} {status}" for status, count in statuses.items() if status not in FINE)
        return f"{failed} of {rows} rows were not analysed: {counted}.", "What to do: mend what the notes above say."
    total = centers.sum(numeric_only=True)
    known = len(scopes) > 0
    blind = scopes.iloc[-1] if known else total
    who = f"{_SCOPES[blind['scope']].capitalize()} on these features" if known else "Single centres"
    beyond, alone = (int(counts["null"] - counts["null_symmetry"]) for counts in (blind, total))
    main, finding = "", f"{who} see{'s' * known} all that symmetry allows"
    if beyond:
        main, causes = _causes(blind)
        finding = f"{who} miss{'es' * known} {beyond} of {blind['values']:.0f} displacements: {causes}"
        if known and pd.notna(blind["unseen_force"]):
            unseen, force = (number(blind[name] * _MEV) for name in ("unseen_force", "force_rms"))
            finding += f"; {unseen} of {force} meV/Å are out of its reach"
    elif alone and known:
        main, causes = _causes(total)
        finding += f"; single centres miss {alone} of {total['values']:.0f} displacements: {causes}"
    advice = _CURES[main] if main else ""
    kept = centers["resolution_worst"].min()
    if pd.isna(kept):
        finding += f"; {total['soft']:.0f} values of all rows are soft, and no resolution was measured"
        advice = advice or "compare with a larger truncation and body order: no complete basis was computed"
    elif kept < ENOUGH:
        # Not rounded up to what it misses.
        share = number(kept) if float(number(kept)) < ENOUGH else f"{floor(1000 * kept) / 1000:g}"
        finding += f"; the basis keeps {share} of what a complete one shows of the worst displacement sampled"
        if main != "null_truncation":
            larger = f"enlarge n_max and l_max to a resolution of {ENOUGH} or more (nullmode recommend finds how far)"
            larger += ", if small differences matter"
            advice = f"{advice}. Beside that, {larger}" if advice else larger
    advice = advice or "nothing, this descriptor is large enough for these structures"
    return f"{finding}.", f"What to do: {advice}."


def _causes(counts: Any) -> tuple[str, str]:
    """Give the most frequent cause beyond symmetry, and all of them in words."""
    found = {name: int(counts[name]) for name in CAUSES if name != "null_symmetry" and counts[name]}
    if not found:
        return "null", "the causes are not known"
    ordered = sorted(found, key=lambda name: -found[name])
    known = [f"{found[name]} because of the {CAUSES[name]}" for name in ordered if name != "null_unresolved"]
    unknown = [f"{found[name]} of unknown cause" for name in ordered if name == "null_unresolved"]
    return ordered[0], ", ".join(known + unknown)
