"""The recommendation as a record: numbers for machines, lines for people, a figure."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from nullmode._support.types import JSON
from nullmode.adapters.hyperparameters.own import described
from nullmode.descriptors._base import DensityDescriptor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BEFORE, _AFTER = 8, 3
"""So many settings of the front are printed before the recommended one, and after it."""
_SPECIES = 8
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recommendation:
    """Which settings are enough for a set of structures, and which of them is the cheapest.

    Attributes
    ----------
    target, quantile
        As asked for: this quantile of the resolutions of the sample must reach the target.
    table
        All settings, a row each; columns as in docs/tables.md, ``recommendation``.
    front
        The settings than which no other has fewer features and a higher resolution, by features. Body orders that are
        not enough are left out.
    best
        The cheapest setting that is enough, with its species; None if there is none.
    lines
        To paste: `best` for nullmode, and for each code whose radial functions were searched the cheapest setting that
        is enough with these; `notes` say which, where it is not `best`.
    sample
        The centres: number of the frame, index of the atom, species, neighbours.
    n_considered
        Number of centres that the sample was chosen from.
    others
        Resolutions of the recommended setting on other centres, drawn at random.
    notes, finding, advice
        What deserves attention, what was found, and what to do.
    """

    target: float
    quantile: float
    table: pd.DataFrame
    front: pd.DataFrame
    best: DensityDescriptor | None
    lines: dict[str, str]
    sample: pd.DataFrame
    n_considered: int
    others: tuple[float, ...]
    notes: tuple[str, ...]
    finding: str
    advice: str

    def numbered(self, frames: list[int]) -> Self:
        """Give the same with other numbers of the frames, those of a file."""
        return replace(self, sample=self.sample.assign(frame=[frames[index] for index in self.sample["frame"]]))

    def as_dict(self) -> JSON:
        """Give all of it as a JSON document: tables as lists of records, NaN as null."""
        result: JSON = {name: getattr(self, name) for name in self.__slots__}
        for name in ("table", "front", "sample"):
            table = getattr(self, name)
            result[name] = table.astype(object).where(table.notna(), None).to_dict("records")
        kind, parameters = described(self.best) if self.best else ("", {})
        result["best"] = {"kind": kind, **parameters} if self.best else None
        result["others"] = [None if np.isnan(each) else each for each in self.others]
        return result

    def plot(self) -> "Figure":
        """Draw features and resolution of all settings, the front, the target, and the recommended one."""
        from nullmode.analysis.recommendation.figure import draw

        return draw(self)

    def __str__(self) -> str:
        counts = self.sample["center"].value_counts()
        named = ", ".join(f"{count} {species}" for species, count in counts[:_SPECIES].items())
        named += ", ..." * (len(counts) > _SPECIES)
        lines = [
            f"{len(self.sample)} of {self.n_considered} centres, as different as possible: {named}; "
            f"{self.sample['n_neighbours'].mean():.0f} neighbours",
            "",
            *str(_shown(self).to_string(index=False)).splitlines(),
            f"the front of {len(self.table)} settings; resolution: share of what a complete basis sees of an "
            "environment's weakest displacement",
        ]
        lines += [""] * bool(self.lines) + [f"{name}: {line}" for name, line in self.lines.items()]
        return "\n".join([*lines, "", *self.notes, self.finding, self.advice])

    __repr__ = __str__


def _shown(found: Recommendation) -> pd.DataFrame:
    """Give the rows of the front around the recommended setting, in words."""
    front = found.front
    enough = np.flatnonzero(front["best"])
    last = int(enough[0]) + _AFTER if len(enough) else len(front) - 1
    rows = front.iloc[max(0, last - _AFTER - _BEFORE) : last + 1]
    shown = pd.DataFrame({"order": rows["correlation_order"], "radial functions": rows["radial_basis"]})
    for name in ("cutoff", "cutoff_width", "width"):
        if found.table[name].nunique() > 1:
            shown[name] = rows[name].map("{:g}".format)
    for name in ("n_max", "l_max", "features"):
        shown[name] = rows[name]
    for name, words in {"resolution_worst": "resolution: worst", "resolution_median": "median"}.items():
        shown[words] = rows[name].map(share)
    if found.quantile not in (0.0, 0.5):
        shown[f"quantile {found.quantile:g}"] = rows["resolution"].map(share)
    shown["µs"], shown["kB"] = rows["microseconds"].map("{:.0f}".format), rows["kilobytes"].map("{:.0f}".format)
    shown[""] = np.where(rows["best"], "<", np.where(rows["misses"] == "", "enough", ""))
    return shown


def share(value: float) -> str:
    """Write a resolution with two digits; rounding is 0."""
    return "0" if value < _NOTHING else f"{value:.2g}"


def setting(row: Any) -> str:
    """Write a row of the table in words."""
    truncation = f"n_max={row['n_max']}" + f", l_max={row['l_max']}" * int(row["correlation_order"] > 1)
    kind = {1: "radial spectrum", 2: "power spectrum", 3: "bispectrum"}[row["correlation_order"]]
    return f"{kind}, {row['radial_basis']}, {truncation}"
