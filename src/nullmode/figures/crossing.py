"""Singular environments passed on the way: which values vanish there, and for which correlations."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode.figures._base import CAUSES, Drawing, legend_above, select, spectra, style, title
from nullmode.types import Floats, InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Where null values are drawn, over rtol, and the band that sets them apart.
_ZERO, _BAND = 0.1, (0.02, 0.5)
_KINDS: dict[str, dict[str, Any]] = {
    "seen": {"color": "0.65", "linewidth": 0.7},
    "lost at the crossing": {"color": CAUSES["incompleteness"], "marker": "o", "markersize": 2.5, "linewidth": 0.9},
}
_NULL: dict[str, Any] = {"linestyle": "none", "marker": "o", "mfc": "white", "mec": CAUSES["incompleteness"], "mew": 0.8}


def draw(
    table: "pd.DataFrame",
    families: list[str],
    descriptors: list[str],
    at: dict[str, dict[str, list[float]]],
    within: float = 10.0,
) -> Drawing:
    """s_k/s_1 where a coordinate passes a special value, a row per descriptor and a column per crossing.

    Values that are null at the crossing and not on both sides are red; open circles in the grey band are null values,
    of which the text tells how many are seen before, at, and after the crossing.

    Parameters
    ----------
    table
        The sensitivity table.
    families
        Whose coordinate passes a special value.
    descriptors
        Each at one truncation.
    at
        The special values of one coordinate or more of each family.
    within
        How far to either side is drawn.
    """
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    crossings = [
        (family, name, place) for family in families for name, places in at.get(family, {}).items() for place in places
    ]
    if not crossings:
        raise InputError(f"`at` must name crossings of the families {families}, got {at}.")
    with style():
        size = (2.3 * len(crossings) + 1.1, 1.55 * len(descriptors) + 0.8)
        figure, axes = plt.subplots(
            len(descriptors), len(crossings), sharex="col", sharey=True, squeeze=False, figsize=size, layout="constrained"
        )
        results = []
        for line, descriptor in zip(axes, descriptors, strict=True):
            ranks = []
            for ax, (family, name, place) in zip(line, crossings, strict=True):
                rows = select(table, family, descriptor, single=True)
                ranks.append(_panel(ax, _near(rows, family, name, place, within), name, place))
            line[0].set_ylabel(title(rows) + "\n\n$s_k / s_1$", linespacing=1.3)
            results.append(f"{descriptor} {', '.join(f'{beside} and {there}' for beside, there in ranks)}")
        for ax, (family, name, place) in zip(axes[0], crossings, strict=True):
            ax.set_title(f"{family}\n{name} through {place:g}")
        for ax, (_, name, place) in zip(axes[-1], crossings, strict=True):
            ax.set_xlabel(f"{name} − {place:g}" if place else name)
        handles = [Line2D([], [], **marks) for marks in (*_KINDS.values(), {**_NULL, "markersize": 4})]
        legend_above(figure, handles, [*_KINDS, "null"])
        plt.close(figure)
        where = "; ".join(f"{family} at {name} = {place:g}" for family, name, place in crossings)
        d = int(rows["n_dof"].max())
        return Drawing(figure, f"Ranks of {d} beside and at the crossings ({where}): {'; '.join(results)}.")


def _near(rows: "pd.DataFrame", family: str, name: str, place: float, within: float) -> "pd.DataFrame":
    """Rows of one member near the crossing, in order."""
    if name not in rows or rows[name].isna().any():
        raise InputError(f"`at` must name coordinates of the families, got {name!r}, which {family!r} does not have.")
    mine = rows[(rows[name] - place).abs() <= within * (1 + 1e-9)]
    if "sign" in mine:
        mine = mine[mine["sign"] == mine["sign"].max()]
    if not (mine[name] == place).any() or len(mine) < 3:
        raise InputError(f"`at` must be values of the families, with others near, got {name} = {place:g} of {family!r}.")
    return mine.sort_values(name)


def _panel(ax: "Axes", rows: "pd.DataFrame", name: str, place: float) -> tuple[int, int]:
    """Draw one crossing; returns the ranks beside it and there."""
    x = rows[name].to_numpy() - place
    values: Floats = spectra(rows)
    rtol = float(rows["rtol"].iloc[0])
    null = values <= rtol
    crossed = null[x == 0].any(axis=0) & ~null[x != 0].all(axis=0)
    ax.axhspan(_BAND[0] * rtol, _BAND[1] * rtol, color="0.93", linewidth=0)
    for k in np.argsort(crossed, kind="stable"):
        kind = list(_KINDS.values())[int(crossed[k])]
        seen = ~null[:, k]
        # A null value breaks the line.
        ax.plot(x, np.where(seen, values[:, k], np.nan), **kind)
        if crossed[k]:
            ax.plot(x[~seen], np.full(np.count_nonzero(~seen), _ZERO * rtol), **_NULL, markersize=4)
    always = int(np.count_nonzero(null.all(axis=0)))
    ranks = rows["rank"].to_numpy()
    before, there, after = (int(np.median(ranks[side])) for side in (x < 0, x == 0, x > 0))
    text = f"rank {before} | {there} | {after}" + (f"\n{always} null throughout" if always else "")
    ax.text(0.03, 0.19, text, transform=ax.transAxes, fontsize=7, va="bottom", linespacing=1.3)
    smallest = float(np.abs(x[x != 0]).min())
    ax.set_xscale("symlog", linthresh=smallest, linscale=0.35)
    ax.set_yscale("log")
    ax.set_ylim(_BAND[0] * rtol, 2)
    decades = 10.0 ** np.arange(np.ceil(np.log10(smallest)), np.log10(np.abs(x).max()) + 1e-9, 1)[::1]
    shown = decades[::-1][:: 2 if len(decades) > 2 else 1][::-1]
    ticks = [*(-shown[::-1]), 0.0, *shown]
    ax.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    ax.minorticks_off()
    powers = range(0, int(np.floor(np.log10(rtol))) - 1, -3)
    ax.set_yticks([*(10.0**p for p in powers), _ZERO * rtol], [*(f"$10^{{{p}}}$" for p in powers), "0"])
    return min(before, after), there
