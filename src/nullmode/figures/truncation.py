"""Rank and condition number against the truncation."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import InputError
from nullmode.figures._base import FLOOR, Drawing, number, panels, select
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage


@figure(truncations="swept")
def draw(table: "pd.DataFrame", families: list[str], descriptor: str, labels: dict[str, str] | None = None) -> Drawing:
    """One column per family, over n_max and l_max: the median rank above, the median of log10(s_d/s_1) below.

    Parameters
    ----------
    families
        Whose environments have the same number of degrees of freedom.
    descriptor
        Swept over n_max and l_max.
    labels
        Titles for families, by their names; default: the names.
    """
    chosen = [select(table, family, descriptor, single=False) for family in families]
    if any(rows[["n_max", "l_max"]].isna().any(axis=None) for rows in chosen):
        raise InputError(f"`descriptor` must have n_max and l_max for this figure, got {descriptor!r}. Name another.")
    size = (3.1 * len(families) + 0.8, 5.2)
    figure, axes = panels(2, len(families), size, sharex=True, sharey=True)
    for column, (family, rows) in enumerate(zip(families, chosen, strict=True)):
        d = int(rows["n_dof"].max())
        ratio = np.log10(np.maximum(rows["inverse_condition_number"], FLOOR))
        grouped = rows.assign(ratio=ratio).groupby(["l_max", "n_max"])[["rank", "ratio"]].median()
        shown = rows["width"].nunique() == 1 and rows["cutoff"].nunique() == 1
        ranks = _grid(axes[0, column], grouped["rank"].unstack(), "{:.0f}", 0, d)
        ratios = _grid(axes[1, column], grouped["ratio"].unstack(), "{:.1f}", -6, 0)
        setting = f", width {rows['width'].iloc[0]:g} Å, cutoff {rows['cutoff'].iloc[0]:g} Å" if shown else ""
        axes[0, column].set_title(f"{(labels or {}).get(family, family)} (d = {d})\n{descriptor}{setting}", loc="left")
        axes[1, column].set_xlabel("n_max, number of radial functions")
    for row in axes:
        row[0].set_ylabel("l_max, largest angular momentum")
    figure.colorbar(ranks, ax=axes[0], label="rank" + _median(chosen))
    figure.colorbar(ratios, ax=axes[1], label=r"$\log_{10}(s_d / s_1)$" + _median(chosen), extend="min")
    sentences = [
        _sentence((labels or {}).get(family, family), rows) for family, rows in zip(families, chosen, strict=True)
    ]
    return Drawing(figure, " ".join(sentences))


def _sentence(name: str, rows: "pd.DataFrame") -> str:
    """Say how many truncations have full rank, the largest rank, and s_d/s_1 at the largest truncation."""
    ranks = rows.groupby(["n_max", "l_max"])["rank"].median()
    ratios = rows.groupby(["n_max", "l_max"])["inverse_condition_number"].median()
    d, largest = rows["n_dof"].max(), ranks.index[-1]
    full = (ranks == d).sum()
    end = f"s_d/s_1 is {number(ratios[largest])} at (n_max, l_max) = ({largest[0]:.0f}, {largest[1]:.0f})"
    return (
        f"{name}: the rank is {d} of {d} at {full} of {len(ranks)} truncations, and at most {ranks.max():.0f}; {end}."
    )


def _median(chosen: "list[pd.DataFrame]") -> str:
    several = [bool((rows.groupby(["l_max", "n_max"]).size() > 1).any()) for rows in chosen]
    return ("\nmedian of environments" if all(several) else "\nmedian where several") if any(several) else ""


def _grid(ax: "Axes", grid: "pd.DataFrame", form: str, low: float, high: float) -> "AxesImage":
    image = ax.imshow(grid, origin="lower", aspect="auto", vmin=low, vmax=high)
    ax.set_xticks(range(grid.shape[1]), [f"{n:.0f}" for n in grid.columns])
    ax.set_yticks(range(grid.shape[0]), [f"{n:.0f}" for n in grid.index])
    for (i, j), value in np.ndenumerate(grid.to_numpy()):
        dark = np.isnan(value) or (value - low) / (high - low) < 0.55
        text = f"<{low:g}" if value < low else form.format(value)
        ax.text(j, i, text.replace("-", "−"), ha="center", va="center", fontsize=6, color="white" if dark else "black")
    return image
