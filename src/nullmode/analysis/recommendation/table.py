"""The table of all settings: what each costs, what it keeps, and what it misses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nullmode._support.types import Bools
from nullmode.analysis.recommendation.candidates import n_features
from nullmode.descriptors._base import DensityDescriptor

LENGTHS = ("cutoff", "cutoff_width", "width")
_COUNTS = ("null_truncation", "null_unresolved", "null_incompleteness", "null_cutoff", "null_width")
BODY_ORDER = "body order"
"""How the text begins of what a body order misses and a higher one does not."""


def summed_up(
    rows: pd.DataFrame, descriptors: Sequence[DensityDescriptor], quantile: float, target: float
) -> pd.DataFrame:
    """Sum up the rows of environments: one row per setting, ordered as the descriptors.

    Columns as in docs/tables.md, but for ``front``.
    """
    groups = rows.groupby("point")
    shares = groups["resolution"]
    table = pd.DataFrame([_setting(each) for each in descriptors])
    measured = pd.DataFrame(
        {
            "resolution": shares.quantile(quantile),
            "resolution_worst": shares.min(),
            "resolution_median": shares.median(),
            "resolution_within_cutoff": groups["resolution_within_cutoff"].min(),
            "n_measured": shares.count(),
            **{name: groups[name].sum().astype(np.int64) for name in _COUNTS},
        }
    )
    # A limit that sees nothing leaves nothing to be resolved.
    wanted = groups["rank_limit"].apply(lambda ranks: int((ranks.fillna(-1) != 0).sum()))
    notes = groups["resolution_note"].agg(lambda texts: next((text for text in texts if text), ""))
    table = pd.concat([table, measured.reset_index(drop=True)], axis=1)
    table = table.assign(unseen_force=np.nan, force_rms=np.nan, microseconds=np.nan, kilobytes=np.nan)
    last = table["correlation_order"].max()
    of_order = table.groupby("correlation_order")["null_incompleteness"].max()
    reasons = []
    for row, asked, note in zip(table.to_dict("records"), wanted, notes, strict=True):
        found = []
        curable = int(of_order[row["correlation_order"]] - of_order[last])
        if curable > 0:
            found.append(f"{BODY_ORDER}: {curable} null values that order {last} sees")
        if row["n_measured"] < asked:
            found.append(f"no resolution of {asked - row['n_measured']} environments: {note}")
        elif row["resolution"] < target:
            found.append(f"resolution {row['resolution']:.2g}")
        if null := row["null_truncation"] + row["null_unresolved"]:
            found.append(f"{null} null by truncation")
        reasons.append("; ".join(found))
    return table.assign(misses=reasons)


def front_of(table: pd.DataFrame) -> Bools:
    """Find the settings than which no other has fewer features and a higher resolution; body orders must be enough."""
    able = ~table["misses"].str.startswith(BODY_ORDER) & table["resolution"].notna()
    result = np.zeros(len(table), dtype=np.bool_)
    highest = -np.inf
    ordered = table[able].sort_values(["features", "resolution"], ascending=[True, False], kind="stable")
    for index in ordered.index.to_numpy(dtype=np.int64):
        if (resolution := float(table["resolution"].iloc[index])) > highest:
            result[index] = True
            highest = resolution
    return result


def _setting(descriptor: DensityDescriptor) -> dict[str, Any]:
    return {
        "correlation_order": descriptor.correlation_order,
        "radial_basis": descriptor.radial_basis.kind,
        "n_max": descriptor.n_max,
        "l_max": descriptor.l_max,
        **{name: getattr(descriptor, name) for name in LENGTHS},
        "features": n_features(descriptor),
    }
