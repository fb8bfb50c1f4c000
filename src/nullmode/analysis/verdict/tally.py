"""Counts over the rows of an analysis, of which a part is added after the other."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from nullmode._support.types import JSON, WholeScope

CAUSES = {
    "null_symmetry": "symmetry",
    "null_incompleteness": "body order",
    "null_cutoff": "cutoff",
    "null_truncation": "truncation",
    "null_width": "width",
    "null_unresolved": "unresolved",
}
"""Columns of null values, and the words for their causes."""
FORCES = ("force_rms", "unseen_force", "soft_force_1e-2")
WORST = 10
"""So many centres are named."""
_PER_DECADE = 5
"""So many bins of ratios."""
_RESOLUTIONS = np.linspace(0.0, 1.0, 21)
WHOLE = "structures"
"""In the place of the centre's symbol, for rows of whole structures."""


class Tally:
    """Counts over rows of the analysis table, for each species of the centre.

    Attributes
    ----------
    n_structures
        Number of structures of which a row was added.
    first_of
        For each species of the centre, the first structure that has one.
    texts
        For each of the columns ``message``, ``diagnostic`` and ``resolution_note``: in how many rows it says something,
        and the first of these texts.
    statuses, first_with
        Number of rows by status, and structure and atom of the first of each.
    n_at_cutoff, n_near
        Number of rows with atoms at the cutoff, and of those that are close to a higher symmetry.
    """

    def __init__(self, soft: float) -> None:
        self.soft = soft
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.n_structures = self.n_at_cutoff = self.n_near = 0
        self.first_of: dict[str, int] = {}
        self.texts: dict[str, tuple[int, str]] = {}
        self.statuses: dict[str, int] = {}
        self.first_with: dict[str, tuple[int, int]] = {}
        self._counts: pd.DataFrame | None = None
        self._worst: pd.DataFrame | None = None
        self._ratios: Counter[tuple[str, float, float]] = Counter()
        self._resolutions: list[pd.DataFrame] = []
        self._forces: list[pd.DataFrame] = []

    def add(self, frame: pd.DataFrame) -> None:
        """Count further rows."""
        # Columns of causes are missing, or null, where none was looked for.
        null = frame.reindex(columns=list(CAUSES)).astype("Float64").fillna(0).astype(np.int64)
        rows = pd.DataFrame(
            {
                "center": frame["center_species"].fillna(WHOLE),
                "structure": frame["structure"],
                "atom": frame["center"],
                "environments": 1,
                "neighbours": frame["n_neighbours"],
                "values": frame["n_dof"],
                "null": frame["n_dof"] - frame["rank"],
                **null,
                "soft": _soft(frame, self.soft),
                "ratio": _softest(frame, null["null_symmetry"]),
                "status": frame["status"],
            }
        )
        rows["missed"] = rows["null"] - rows["null_symmetry"]
        self.n_structures = max(self.n_structures, int(rows["structure"].max()) + 1)
        for center, structure in rows.groupby("center")["structure"].min().items():
            self.first_of.setdefault(str(center), int(structure))
        for status, own in rows.groupby("status"):
            self.statuses[str(status)] = self.statuses.get(str(status), 0) + len(own)
            self.first_with.setdefault(str(status), (int(own["structure"].iloc[0]), int(own["atom"].iloc[0])))
        self.n_at_cutoff += int((frame["n_at_cutoff"] > 0).sum())
        if "group_grows_at" in frame:
            unsure = frame["ambiguous"].astype("boolean").fillna(value=False) | frame["group_grows_at"].notna()
            self.n_near += int(unsure.sum())
        for name in ("message", "diagnostic", "resolution_note"):
            self._read(frame, name)
        if "resolution" in frame:
            self._resolutions.append(rows[["center"]].assign(resolution=frame["resolution"]))
        if "force_rms" in frame:
            self._forces.append(frame[list(FORCES)].astype(np.float64) ** 2)
        counts = rows.groupby("center")[["environments", "neighbours", "values", "null", *CAUSES, "soft"]].sum()
        self._counts = counts if self._counts is None else self._counts.add(counts, fill_value=0).astype(np.int64)
        judged = rows[(rows["status"] == "ok") & (rows["values"] > 0)]
        self._ratios.update(_bins(judged))
        kept = judged if self._worst is None else pd.concat([self._worst, judged])
        self._worst = kept.sort_values(["missed", "ratio"], ascending=[False, True], kind="stable").head(WORST)

    def counts(self) -> pd.DataFrame:
        """Give the counts by species of the centre, the most frequent first; ``neighbours`` is their mean."""
        assert self._counts is not None
        result = self._counts.sort_values("environments", ascending=False, kind="stable")
        return result.assign(neighbours=result["neighbours"] / result["environments"])

    def whole(self, scope: WholeScope) -> JSON:
        """Give the counts over all rows, which are whole structures, and the root mean squares of their forces."""
        sums = self.counts().sum(numeric_only=True)
        forces = pd.concat(self._forces) if self._forces else pd.DataFrame(columns=list(FORCES), dtype=np.float64)
        counted = {name: int(sums[name]) for name in ("values", "null", *CAUSES, "soft")}
        return {"scope": scope, **counted, **np.sqrt(forces.mean()).to_dict()}

    def worst(self) -> pd.DataFrame:
        """Give the rows with most null values beyond those of symmetry, then those with the smallest ratio."""
        assert self._worst is not None
        return self._worst.reset_index(drop=True)

    def resolutions(self) -> pd.DataFrame | None:
        """Give all resolutions with the species of the centre; None if none was measured."""
        return pd.concat(self._resolutions, ignore_index=True) if self._resolutions else None

    def distributions(self, resolutions: pd.DataFrame | None) -> pd.DataFrame:
        """Give the histograms of a verdict: of the rows' ratios, and of these resolutions."""
        found = [(center, "ratio", *bounds, count) for (center, *bounds), count in sorted(self._ratios.items())]
        measured = resolutions.dropna() if resolutions is not None else pd.DataFrame({"center": [], "resolution": []})
        for center, own in measured.groupby("center"):
            counts, edges = np.histogram(own["resolution"].clip(0.0, 1.0), _RESOLUTIONS)
            bounds = zip(edges, edges[1:], counts, strict=False)
            found += [(str(center), "resolution", *map(float, at), int(count)) for *at, count in bounds if count]
        return pd.DataFrame(found, columns=["center", "quantity", "low", "high", "count"])

    def _read(self, frame: pd.DataFrame, name: str) -> None:
        texts: pd.Series[str] = frame.get(name, pd.Series(dtype=str)).replace("", None).dropna()
        if len(texts):
            count, first = self.texts.get(name, (0, str(texts.iloc[0])))
            self.texts[name] = count + len(texts), first


def _bins(rows: pd.DataFrame) -> list[tuple[str, float, float]]:
    """Name the bin of each ratio: species of the centre and bounds, which are 0 where a value is null."""
    result = []
    for center, missed, ratio in rows[["center", "missed", "ratio"]].itertuples(index=False):
        if missed > 0:
            result.append((str(center), 0.0, 0.0))
        elif ratio > 0:  # NaN where symmetry makes all values null
            bin_ = min(int(np.floor(_PER_DECADE * np.log10(ratio))), -1)
            result.append((str(center), float(10 ** (bin_ / _PER_DECADE)), float(10 ** ((bin_ + 1) / _PER_DECADE))))
    return result


def _softest(frame: pd.DataFrame, by_symmetry: "pd.Series[int]") -> list[float]:
    """Find the smallest value of each row that symmetry does not make null, over the largest; NaN if there is none."""
    ratios = []
    for values, left in zip(frame["singular_values"], frame["n_dof"] - by_symmetry, strict=True):
        ratios.append(values[left - 1] / values[0] if 0 < left <= len(values) and values[0] > 0 else np.nan)
    return ratios


def _soft(frame: pd.DataFrame, soft: float) -> Any:
    """Count, in each row, the values that are seen and below `soft` times the largest."""
    lengths = np.array([len(values) for values in frame["singular_values"]])
    if not lengths.sum():
        return np.zeros(len(frame), dtype=np.int64)
    values = np.concatenate(frame["singular_values"].to_numpy())
    starts = np.cumsum(lengths) - lengths
    first = np.repeat(values[np.minimum(starts, len(values) - 1)], lengths)
    place = np.arange(len(values)) - np.repeat(starts, lengths)
    is_soft = (values < soft * first) & (place < np.repeat(frame["rank"].to_numpy(dtype=np.int64), lengths))
    return np.add.reduceat(np.append(is_soft, False), starts) * (lengths > 0)
