"""How far from singular environments are: the distribution of s_d/s_1 over whole sets, by descriptor."""

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from nullmode._support.types import Floats, InputError
from nullmode.figures._base import Drawing, label, legend_above, listing, number, panels, patches, select
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_ORDERS = {1: "#bbbbbb", 2: "#4477aa", 3: "#228833", 4: "#aa3377"}
_OTHER = "#ccbb44"
# Of a bin, in decades; of a distribution, in rows.
_BIN, _HEIGHT = 0.1, 0.85
_PERCENTILES = (5, 50, 95)
_POINT = 4


@figure()
def draw(
    table: "pd.DataFrame",
    families: list[str],
    descriptors: list[str],
    labels: dict[str, str] | None = None,
    compared: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None,
) -> Drawing:
    """Histograms of log10 of s_d/s_1, a column per family, a row per descriptor; white: percentiles 5, 50 and 95.

    Percentiles are of the environments that are not singular; the share that is stands at the right. Below, each
    environment by two of the descriptors, with the correlation of the logarithms.

    Parameters
    ----------
    families
        Any; environments of which nothing is known (without neighbours, say) are left out.
    descriptors
        Each at one truncation.
    labels
        Titles of families and descriptors, by their names; default: the names.
    compared
        Two of the descriptors, to draw environment by environment.
    """
    if unknown := [name for name in compared or [] if name not in descriptors]:
        raise InputError(f"`compared` must name descriptors of the figure, got {unknown[0]!r}.")
    named = labels or {}
    size = (3.2 * len(families) + 1.6, 0.42 * len(descriptors) + 0.9 + (3.0 if compared else 0))
    heights = [0.42 * len(descriptors), 2.6][: 2 if compared else 1]
    figure, axes = panels(len(heights), len(families), size, height_ratios=heights)
    results = []
    orders = set()
    for column, family in enumerate(families):
        chosen = {name: select(table, family, name) for name in descriptors}
        orders |= {_order(rows) for rows in chosen.values()}
        ax = axes[0, column]
        medians = _ridges(ax, list(chosen.values()))
        most = max(len(rows) for rows in chosen.values())
        ax.set_title(f"{named.get(family, family)}, n = {most}", loc="left")
        names = [named.get(name, label(rows)) for name, rows in chosen.items()]
        ax.set_yticks(range(len(names)), names if column == 0 else [""] * len(names))
        results.append(f"{named.get(family, family)}: {listing(_sentence(chosen, medians))}")
        if compared:
            results[-1] += "; " + _against(axes[1, column], *(chosen[name] for name in compared))
    low = min(ax.get_xlim()[0] for ax in axes[0])
    for ax in axes[0]:
        ax.set(xlim=(low, 0), xlabel=r"$\log_{10}(s_d / s_1)$")
    colours = {rf"$\nu$ = {order}": _ORDERS[order] for order in sorted(orders - {0})}
    colours |= {"other descriptors": _OTHER} if 0 in orders else {}
    legend_above(figure, patches(colours), list(colours))
    return Drawing(figure, "Median s_d/s_1 of the environments that are not singular. " + ". ".join(results) + ".")


def _order(rows: "pd.DataFrame") -> int:
    """Correlation order, or 0 where that has no meaning."""
    return int(rows["correlation_order"].iloc[0]) if rows["correlation_order"].notna().all() else 0


def _logs(rows: "pd.DataFrame") -> Floats:
    """Logarithms of what is not singular."""
    seen = rows[rows["rank"] == rows["n_dof"]]
    logs: Floats = np.log10(seen["inverse_condition_number"].to_numpy(dtype=np.float64))
    return logs


def _ridges(ax: "Axes", chosen: "list[pd.DataFrame]") -> list[float]:
    """Draw the histograms of one family; returns the medians, NaN where all is singular."""
    every = [_logs(rows) for rows in chosen]
    low = min(-1.0, np.floor(min((logs.min() for logs in every if len(logs)), default=-1.0)))
    edges = np.linspace(low, 0.0, round(-low / _BIN) + 1)
    medians = []
    for row, (rows, logs) in enumerate(zip(chosen, every, strict=True)):
        counts, _ = np.histogram(logs, edges)
        heights = _HEIGHT * counts / max(counts.max(), 1)
        colour = _ORDERS.get(_order(rows), _OTHER)
        ax.fill_between(edges, row, row - np.append(heights, 0), step="post", color=colour, linewidth=0)
        marks = np.percentile(logs, _PERCENTILES) if len(logs) else np.full(3, np.nan)
        for at in marks:
            ax.plot([at, at], [row, row - _HEIGHT / 2], color="white", linewidth=0.8)
        ax.axhline(row, color="0.7", linewidth=0.5)
        share = f"{1 - len(logs) / len(rows):.0%}" if len(rows) else "none"
        ax.annotate(share, (1.02, row), xycoords=ax.get_yaxis_transform(), va="bottom", fontsize=7)
        medians.append(float(10 ** marks[1]))
    ax.annotate("singular", (1.02, -1), xycoords=ax.get_yaxis_transform(), va="bottom", fontsize=7, color="0.4")
    ax.set(xlim=(low, 0), ylim=(len(chosen) - 0.9, -1))
    return medians


def _sentence(chosen: "dict[str, pd.DataFrame]", medians: list[float]) -> list[str]:
    """Say the median of each descriptor, and what share is singular."""
    sentences = []
    for (name, rows), median in zip(chosen.items(), medians, strict=True):
        share = (rows["rank"] < rows["n_dof"]).mean()
        singular = f"{share:.0%} singular" if share else ""
        phrases = [text for text in (number(median) if np.isfinite(median) else "", singular) if text]
        sentences.append(f"{name} {', '.join(phrases)}" if len(phrases) < 2 else f"{name} {phrases[0]} ({phrases[1]})")
    return sentences


def _against(ax: "Axes", first: "pd.DataFrame", second: "pd.DataFrame") -> str:
    """Draw two descriptors environment by environment; returns a sentence that compares them."""
    where, ratio = ["structure", "center"], "inverse_condition_number"
    # Coordinates of the family may have any other names.
    seen = [rows.loc[rows["rank"] == rows["n_dof"], [*where, ratio]] for rows in (first, second)]
    both = seen[0].merge(seen[1], on=where, suffixes=("", "_other"))
    x, y = (np.log10(both[f"{ratio}{end}"].to_numpy(dtype=np.float64)) for end in ("", "_other"))
    ax.scatter(x, y, s=_POINT, linewidth=0, color="0.3", alpha=0.6, rasterized=True)
    low = min(x.min(), y.min()) - 0.2 if len(x) else -1.0
    ax.plot([low, 0], [low, 0], color="C3", linewidth=0.8)
    ax.set(xlim=(low, 0), ylim=(low, 0), aspect="equal")
    ax.set_xlabel(rf"{label(first)}: $\log_{{10}}(s_d / s_1)$")
    ax.set_ylabel(rf"{label(second)}: $\log_{{10}}(s_d / s_1)$")
    names = (first["descriptor"].iloc[0], second["descriptor"].iloc[0])
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return f"too few environments tell {names[0]} and {names[1]} apart for a correlation"
    correlation, above = np.corrcoef(x, y)[0, 1], (y > x).mean()
    ax.set_title(f"correlation {correlation:.2f}, above the line {above:.1%}", loc="left")
    return (
        f"{names[1]} is above {names[0]} for {above:.1%} of the environments, and the correlation of their logarithms "
        f"is {correlation:.2f}"
    )
