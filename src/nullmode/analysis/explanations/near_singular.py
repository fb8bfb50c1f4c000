"""Why environments of whole sets are nearly singular: the null and soft modes of some of them, by cause."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import JSON, InputError
from nullmode._support.variants import constructed, load
from nullmode.analysis.explanations._cases import Case, environment_of, rows_of
from nullmode.descriptors import DESCRIPTORS

if TYPE_CHECKING:
    import pandas as pd


def explain(
    table: "pd.DataFrame",
    structures: "dict[str, pd.DataFrame]",
    kinds: dict[str, str],
    families: list[str],
    descriptors: list[str],
    threshold: float,
    explained: int,
) -> "pd.DataFrame":
    """Explain null and soft modes of near-singular environments, `explained` per truncation, spread over each set.

    An environment is near-singular where the smallest singular value beyond those that symmetry makes null, s_r with
    r = ``rank_symmetric``, is below `threshold` times the largest. Null modes are those that the sensitivity table
    counts, except those of symmetry; soft ones are those of :func:`nullmode.explain_near_null`.
    """
    import pandas as pd

    from nullmode.tables.columns import EXPLANATIONS

    rows: list[JSON] = []
    for family in families:
        known = structures[family].set_index("structure")
        for descriptor in descriptors:
            chosen = table[(table["family"] == family) & (table["descriptor"] == descriptor)]
            for _, truncation in chosen.groupby("parameters", sort=False):
                for _, row in _asked(truncation, threshold, explained).iterrows():
                    case = _case(row, known, kinds[descriptor])
                    rows += rows_of(case, list(_modes(case, threshold)))
    return pd.DataFrame(rows, columns=[column.name for column in EXPLANATIONS])


def _asked(rows: "pd.DataFrame", threshold: float, explained: int) -> "pd.DataFrame":
    """Choose some of the near-singular environments of one truncation."""
    known = (rows["status"] == "ok") & (rows["rank_symmetric"].fillna(0) > 0)
    judged = rows[known].sort_values(["structure", "center"])
    # By a product: all values may be null.
    near = judged[
        [
            bool(values[int(most) - 1] < threshold * values[0] or not rank)
            for values, most, rank in zip(
                judged["singular_values"], judged["rank_symmetric"], judged["rank"], strict=True
            )
        ]
    ]
    return near.iloc[np.unique(np.linspace(0, len(near) - 1, min(explained, len(near))).astype(int))]


def _case(row: "pd.Series", structures: "pd.DataFrame", kind: str) -> Case:
    parameters = json.loads(row["parameters"])
    if "species" in parameters:
        # Channels of species that an environment lacks are zeros: its own are enough, and much faster.
        parameters["species"] = None
    descriptor = constructed(load(kind, DESCRIPTORS, "descriptor"), parameters, row["descriptor"])
    return Case(row, environment_of(structures.loc[row["structure"]], row["cutoff"], row["center"]), descriptor)


def _modes(case: Case, threshold: float) -> Iterator[JSON]:
    """Give the cause of every null mode but those of symmetry, then of every soft one."""
    from nullmode.attribution.near_null import explain_near_null

    row, environment, descriptor = case
    for cause in ("cutoff", "truncation", "width", "unresolved", "incompleteness"):
        yield from ({"cause": cause} for _ in range(int(row[f"null_{cause}"])))
    try:
        soft = explain_near_null(environment, descriptor, threshold, row["rtol"], row["tolerance"])
    except InputError:  # symmetric within the tolerance, but not to the precision that modes need
        return
    for mode in soft:
        strongest = {"strongest": ", ".join(mode.strongest), "strongest_share": mode.strongest_share}
        yield {"cause": mode.cause, **strongest, "ratio": mode.ratio, "displacement": mode.mode.ravel().tolist()}
