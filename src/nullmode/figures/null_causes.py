"""Why values are null, as stacked bars: symmetry, body order, cutoff, truncation, width."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode.figures._base import (
    CAUSES,
    Drawing,
    by_cause,
    legend_above,
    listing,
    literal,
    null_colours,
    panels,
    patches,
    select,
    title,
)
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS = {
    "seen": ("rank", "0.88"),
    **{cause: (f"null_{cause}", CAUSES[cause]) for cause in reversed(CAUSES)},
}


@figure()
def draw(table: "pd.DataFrame", family: str, descriptors: list[str]) -> Drawing:
    """One row per descriptor, one bar per structure: how many displacements are seen, and null by each cause.

    Structures of equal name are averaged. A question mark stands where a count depends on the tolerance.

    Parameters
    ----------
    family
        With a coordinate ``name``, as ``point_groups``.
    descriptors
        Each at one truncation.
    """
    import pandas as pd

    chosen = [select(table, family, descriptor, "name") for descriptor in descriptors]
    names = list(dict.fromkeys(pd.concat(chosen).sort_values("structure", kind="stable")["name"]))
    labels = list(map(literal, names))
    size = (0.36 * len(names) + 2.6, 1.35 * len(chosen) + 0.5)
    figure, axes = panels(len(chosen), 1, size, sharex=True, sharey=True)
    drawn = set()
    for ax, rows in zip(axes[:, 0], chosen, strict=True):
        drawn |= _panel(ax, rows, names)
        ax.set_ylabel(title(rows), rotation=0, ha="right", va="center", linespacing=1.4)
    axes[-1, 0].set_xticks(range(len(names)), labels, rotation=45 if max(map(len, labels)) > 4 else 0)
    colours = {"seen": _COLUMNS["seen"][1]} | null_colours(drawn)
    legend_above(figure, patches(colours), list(colours))
    return Drawing(figure, f"Null values of {len(names)} structures, by cause. {' '.join(map(_sentence, chosen))}")


def _sentence(rows: "pd.DataFrame") -> str:
    """Count the null values of one descriptor by cause."""
    causes = [f"{count:.0f} by {by_cause(cause)}" for cause in CAUSES if (count := rows[f"null_{cause}"].sum())]
    unsure = int(rows["ambiguous"].isin([True]).sum())
    counts = f"{rows['descriptor'].iloc[0]}: {listing(causes) or 'none'}"
    return f"{counts}; {unsure} counts depend on the tolerance." if unsure else f"{counts}."


def _panel(ax: "Axes", rows: "pd.DataFrame", names: list[str]) -> set[str]:
    """Draw the bars of one descriptor; returns what occurs among them."""
    counted = rows[rows["null_symmetry"].notna()]
    columns = [column for column, _ in _COLUMNS.values()]
    means = counted.groupby("name")[columns].mean().astype(float).reindex(names).fillna(0.0)
    bottom = np.zeros(len(names))
    drawn = set()
    for label, (column, colour) in _COLUMNS.items():
        heights = means[column].to_numpy()
        if not heights.any():
            continue
        drawn.add(label)
        bars = ax.bar(range(len(names)), heights, bottom=bottom, color=colour, width=0.8)
        texts = [f"{height:.3g}" if height else "" for height in heights]
        ax.bar_label(bars, texts, label_type="center", fontsize=6, color="0.2" if label == "seen" else "white")
        bottom += heights
    known, unsure = set(counted["name"]), set(counted.loc[counted["ambiguous"].isin([True]), "name"])
    for index, name in enumerate(names):
        text = "?" if name in unsure else "" if name in known else "not\nknown"
        ax.text(index, bottom[index], text, ha="center", va="bottom", fontsize=6)
    ax.set(xlim=(-0.6, len(names) - 0.4), yticks=[])
    ax.spines["left"].set_visible(False)
    return drawn
