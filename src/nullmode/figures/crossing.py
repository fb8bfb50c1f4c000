"""Paths through singular environments: which singular values vanish there, and for which descriptors."""

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from nullmode._support.types import Floats, InputError
from nullmode.figures._base import (
    CAUSES,
    OPEN,
    Drawing,
    is_fit,
    key,
    legend_above,
    literal,
    null_band,
    panels,
    select,
    spectra,
    title,
)
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LABELS = {"shift": ("shift", " / °"), "psi": ("ψ", " / °")}
_KINDS: dict[str, dict[str, Any]] = {
    "seen": {"color": "0.65", "linewidth": 0.7},
    "lost at the crossing": {"color": CAUSES["incompleteness"], "marker": "o", "markersize": 2.5, "linewidth": 0.9},
}
_NULL: dict[str, Any] = OPEN | {"mec": CAUSES["incompleteness"], "mew": 0.8}


@figure()
def draw(
    table: "pd.DataFrame",
    families: list[str],
    descriptors: list[str],
    at: dict[str, dict[str, list[float]]],
    labels: dict[str, str] | None = None,
    within: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0,
) -> Drawing:
    """s_k/s_1 where a coordinate passes a special value, a row per descriptor and a column per crossing.

    Values that vanish at the crossing alone are red, with an open circle in the grey band where they count as null.
    Titles tell the ranks before, at, and after the crossing.

    Parameters
    ----------
    families
        Whose coordinate passes a special value.
    descriptors
        Each at one truncation.
    at
        The special values of one coordinate or more of each family.
    labels
        Names for families; default: their own.
    within
        How far to either side is drawn.
    """
    named = [(family, name, values) for family in families for name, values in at.get(family, {}).items()]
    crossings = [(family, name, value) for family, name, values in named for value in values]
    if not crossings:
        raise InputError(f"`at` must name crossings of the families {families}, got {at}.")
    size = (2.3 * len(crossings) + 1.1, 1.55 * len(descriptors) + 0.8)
    figure, axes = panels(len(descriptors), len(crossings), size, sharex="col", sharey=True)
    results = []
    for line, descriptor in zip(axes, descriptors, strict=True):
        ranks = []
        for ax, (family, name, value) in zip(line, crossings, strict=True):
            rows = select(table, family, descriptor)
            ranks.append(_panel(ax, _near(rows, family, name, value, within), name, value))
        line[0].set_ylabel(title(rows) + "\n\n$s_k / s_1$", linespacing=1.3)
        results.append(f"{descriptor} {', '.join(f'{middle} ({min(sides)})' for *sides, middle in ranks)}")
    centres = []
    for column, (family, name, value) in zip(axes.T, crossings, strict=True):
        symbol, unit = _LABELS.get(name, (name, ""))
        label, place = (labels or {}).get(family, family), f" = {value:g}{unit[3:]}"
        centres.append(f"{label}, {symbol}{place}")
        column[0].set_title(f"{label}, {literal(symbol)}{place}\n{column[0].get_title()}")
        column[-1].set_xlabel(literal(symbol) + (f" − {value:g}{unit}" if value else unit))
    handles = [key(**marks) for marks in (*_KINDS.values(), {**_NULL, "markersize": 4})]
    legend_above(figure, handles, [*_KINDS, "null"])
    d = rows["n_dof"].max()
    result = f"Ranks at {'; '.join(centres)}, and in brackets beside it, of at most {d}: {'; '.join(results)}."
    return Drawing(figure, result)


def _near(rows: "pd.DataFrame", family: str, name: str, value: float, within: float) -> "pd.DataFrame":
    """Rows of one member near the crossing, in order."""
    if name not in rows or rows[name].isna().any() or not is_fit(rows, name):
        raise InputError(
            f"`at` must name coordinates of the families, got {name!r}, which {family!r} does not have as finite "
            "numbers."
        )
    mine = rows[(rows[name] - value).abs() <= within * (1 + 1e-9)]
    if "sign" in mine:
        mine = mine[mine["sign"] == mine["sign"].max()]
    if not all(side.any() for side in (mine[name] == value, mine[name] < value, mine[name] > value)):
        raise InputError(
            f"`at` must be values of the families, with others near on both sides, got {name} = {value:g} of "
            f"{family!r}."
        )
    return mine.sort_values(name)


def _panel(ax: "Axes", rows: "pd.DataFrame", name: str, value: float) -> tuple[int, int, int]:
    """Draw one crossing; returns the ranks before, after, and at it."""
    x = rows[name].to_numpy() - value
    values: Floats = spectra(rows)
    rtol = float(rows["rtol"].iloc[0])
    null = values <= rtol
    crossed = null[x == 0].any(axis=0) & ~null[x != 0].all(axis=0)
    zero = null_band(ax, rtol)
    for k in np.argsort(crossed, kind="stable"):
        kind = list(_KINDS.values())[int(crossed[k])]
        seen = ~null[:, k]
        # A null value breaks the line.
        ax.plot(x, np.where(seen, values[:, k], np.nan), **kind)
        if crossed[k]:
            ax.plot(x[~seen], np.full(np.count_nonzero(~seen), zero), **_NULL, markersize=4)
    ranks = rows["rank"].to_numpy()
    before, middle, after = (int(np.median(ranks[side])) for side in (x < 0, x == 0, x > 0))
    ax.set_title(f"rank {before} | {middle} | {after} of {rows['n_dof'].max()}", fontsize=7, pad=3)
    smallest, largest = np.abs(x[x != 0]).min(), np.abs(x).max()
    ax.set_xscale("symlog", linthresh=smallest, linscale=0.35)
    powers = 10.0 ** np.arange(np.floor(np.log10(largest) + 1e-9), np.log10(smallest) - 1e-9, -2)
    ticks = [*-powers, 0.0, *powers[::-1]]
    ax.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    ax.xaxis.minorticks_off()
    return before, after, middle
