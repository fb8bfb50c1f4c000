"""The figures of a verdict: how soft the softest values are, the resolutions, and null values by cause."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode.analysis.verdict.record import ENOUGH, Verdict
from nullmode.analysis.verdict.tally import CAUSES
from nullmode.figures._base import CAUSES as COLOURS
from nullmode.figures._base import Drawing, by_cause, legend_above, listing, number, panels, patches, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_WIDTH, _ROW, _AROUND = 3.6, 0.32, 0.75
"""Inches: of a figure, of the row of a species, of axis and legend."""
_HEIGHT = 0.85
_COLOUR, _NULL, _UNKNOWN = "#4477aa", "#cc3311", "#777777"
_MOST = 8
"""So many species have a row, the most frequent ones."""
_MARK: Any = {"color": "#333333", "linewidth": 0.7, "linestyle": ":"}


def draw(found: Verdict) -> list[Drawing]:
    """Draw what is known: distributions of the softest values and of resolutions, and null values by cause."""
    with style():
        drawn = [_ratios(found), _resolutions(found), _causes(found)]
    return [each for each in drawn if each is not None]


def _ratios(found: Verdict) -> Drawing | None:
    rows = found.distributions[found.distributions["quantity"] == "ratio"]
    if rows.empty:
        return None
    centers = _centers(found, rows)
    finite = rows[rows["high"] > 0]
    low = min(-3.0, np.floor(np.log10(finite["low"].min())) if len(finite) else 0.0)
    null = low - 0.6
    has_null = len(finite) < len(rows)
    figure, axes = panels(1, 1, (_WIDTH, _ROW * len(centers) + _AROUND))
    ax, told = axes[0, 0], []
    for row, center in enumerate(centers):
        own = rows[rows["center"] == center]
        bounded, share = own[own["high"] > 0], own["count"] / own["count"].max() * _HEIGHT
        edges = np.log10(bounded[["low", "high"]].to_numpy())
        _bars(ax, row, edges, share[own["high"] > 0], _COLOUR)
        _bars(ax, row, np.tile([null - 0.3, null + 0.3], (len(own) - len(bounded), 1)), share[own["high"] == 0], _NULL)
        missed = int(own["count"].sum() - bounded["count"].sum())
        least = f"others from {number(bounded['low'].min())}" if len(bounded) else "no others"
        told.append(f"{center}: {f'{missed} with null values, {least}' if missed else least.removeprefix('others ')}")
    ax.axvline(np.log10(found.soft), **_MARK)
    step = max(1, round(-low / 5))
    ticks = [(float(at), f"$10^{{{at}}}$") for at in range(0, int(low) - 1, -step)]
    ticks += [(null, "null")] * has_null
    ax.set_xticks([at for at, _ in ticks], [text for _, text in ticks])
    ax.set_xlim(null - 0.4 if has_null else low, 0)
    _species(ax, centers, "smallest $s/s_1$ that symmetry does not make null")
    ax.set_title(f"soft: left of the line at {found.soft:g}", loc="left", fontsize=7)
    return Drawing(figure, f"How soft the softest value of each row is, by species. {'; '.join(told)}.")


def _resolutions(found: Verdict) -> Drawing | None:
    rows = found.distributions[found.distributions["quantity"] == "resolution"]
    if rows.empty:
        return None
    centers = _centers(found, rows)
    figure, axes = panels(1, 1, (_WIDTH, _ROW * len(centers) + _AROUND))
    ax, told = axes[0, 0], []
    for row, center in enumerate(centers):
        own = rows[rows["center"] == center]
        _bars(ax, row, own[["low", "high"]].to_numpy(), own["count"] / own["count"].max() * _HEIGHT, _COLOUR)
        told.append(f"{center}: {number(own['low'].min())} to {number(own['high'].max())}")
    ax.axvline(ENOUGH, **_MARK)
    ax.set_xlim(0, 1)
    _species(ax, centers, "resolution")
    ax.set_title(f"enough: right of the line at {ENOUGH:g}", loc="left", fontsize=7)
    return Drawing(figure, f"Resolutions of the environments where they were measured, by species. {'; '.join(told)}.")


def _causes(found: Verdict) -> Drawing | None:
    rows = found.centers[found.centers["null"] > 0].head(_MOST)
    if rows.empty:
        return None
    shares = {
        by_cause(name.removeprefix("null_")): (COLOURS[name.removeprefix("null_")], rows[name] / rows["values"])
        for name in CAUSES
    }
    shares["cause not known"] = _UNKNOWN, (rows["null"] - rows[list(CAUSES)].sum(axis=1)) / rows["values"]
    shares = {name: (colour, share) for name, (colour, share) in shares.items() if share.any()}
    figure, axes = panels(1, 1, (_WIDTH, _ROW * len(rows) + _AROUND))
    ax, left = axes[0, 0], np.zeros(len(rows))
    for colour, share in shares.values():
        ax.barh(np.arange(len(rows)) - _HEIGHT / 2, 100 * share, _HEIGHT / 1.3, left=left, color=colour)
        left += 100 * share
    legend_above(figure, patches({name: colour for name, (colour, _) in shares.items()}), list(shares))
    _species(ax, list(rows["center"]), "null values, % of all")
    told = [
        f"{center}: " + listing([f"{share.iloc[k]:.1%} by {name}" for name, (_, share) in shares.items()])
        for k, center in enumerate(rows["center"])
    ]
    return Drawing(figure, f"Null values by cause, as shares of all values, by species. {'; '.join(told)}.")


def _centers(found: Verdict, rows: "pd.DataFrame") -> list[str]:
    """Give the species that have rows, the most frequent first."""
    known = set(rows["center"])
    return [center for center in found.centers["center"] if center in known][:_MOST]


def _bars(ax: "Axes", row: int, edges: Any, heights: Any, colour: str) -> None:
    if len(edges):
        ax.bar(edges[:, 0], -np.asarray(heights), np.diff(edges)[:, 0], bottom=row, align="edge", color=colour)


def _species(ax: "Axes", centers: list[str], label: str) -> None:
    """Give each species its line, the first one on top."""
    for row in range(len(centers)):
        ax.axhline(row, color="0.7", linewidth=0.5)
    ax.set_yticks(range(len(centers)), centers)
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel=label, ylim=(len(centers) - 0.9, -1))
