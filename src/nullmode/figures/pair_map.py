"""Maps over the two angles of the degenerate pair: where a descriptor nearly loses a direction."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nullmode.figures._base import FLOOR, select, style, title

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame, family: str, descriptors: list[str]) -> "Figure":
    """One column per sign (X-, X+), one row per descriptor: log10 of s_d/s_1 over (u, v).

    Parameters
    ----------
    table
        The sensitivity table.
    family
        With coordinates ``sign``, ``u``, ``v`` (units of pi) on a full grid.
    descriptors
        Each at one truncation.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import Normalize

    with style():
        chosen = [select(table, family, descriptor, single=True) for descriptor in descriptors]
        signs = sorted(chosen[0]["sign"].unique())
        size = (3.3 * len(signs) + 0.8, 2.6 * len(chosen) + 0.4)
        figure, axes = plt.subplots(
            len(chosen), len(signs), sharex=True, sharey=True, squeeze=False, figsize=size, layout="constrained"
        )
        for line, rows in zip(axes, chosen, strict=True):
            logs = np.log10(np.maximum(rows["inverse_condition_number"], FLOOR))
            # A singular point on the grid would take the whole scale; it is drawn as the darkest colour.
            norm = Normalize(np.quantile(logs, 0.02), logs.max())
            for ax, sign in zip(line, signs, strict=True):
                mine = rows[rows["sign"] == sign]
                grid = mine.assign(log=logs).pivot_table(index="v", columns="u", values="log")
                mesh = ax.pcolormesh(grid.columns, grid.index, grid, norm=norm, shading="nearest", rasterized=True)
                null = mine[mine["rank"] < mine["n_dof"]]
                ax.plot(null["u"], null["v"], linestyle="none", marker="o", markersize=7, color="none", mec="C3")
                ax.set_title(f"X{'+' if sign > 0 else '−'}   {title(rows)}", loc="left")
            line[0].set_ylabel(r"$v / \pi$")
            figure.colorbar(mesh, ax=line, label=r"$\log_{10}(s_d / s_1)$", extend="min")
        for ax in axes[-1]:
            ax.set_xlabel(r"$u / \pi$")
        plt.close(figure)
        return figure
