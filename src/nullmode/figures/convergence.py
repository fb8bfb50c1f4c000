"""How searches converge: what they drive to zero, over what they computed."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode.figures._base import FLOOR, Drawing, number, style
from nullmode.figures._figure import Figure

if TYPE_CHECKING:
    import pandas as pd


def draw(searches: "dict[str, tuple[pd.DataFrame, pd.DataFrame]]", search: str) -> Drawing:
    """Residual of every step over the Jacobians computed, a line per start, coloured by how the search ended.

    Parameters
    ----------
    searches
        What was found and the steps, by name of the search.
    search
        Of any kind that drives something to zero.
    """
    import matplotlib.pyplot as plt

    found, steps = searches[search]
    converged = {place: bool(rows["converged"].iloc[0]) for place, rows in found.groupby(["structure", "center"])}
    with style():
        figure, ax = plt.subplots(figsize=(4.5, 3), layout="constrained")
        for place, rows in steps.dropna(subset="residual").groupby(["structure", "center"], sort=True):
            good = converged[place]
            residuals = np.maximum(rows["residual"], FLOOR)
            ax.plot(
                rows["evaluations"],
                residuals,
                color="C0" if good else "C3",
                marker=".",
                markersize=3,
                linewidth=0.6,
                label="converged" if good else "not converged",
            )
        ax.set(yscale="log", xlabel="Jacobians computed", ylabel="residual")
        ax.set_title(f"{search}: {sum(converged.values())} of {len(converged)} starts converged")
        handles, labels = ax.get_legend_handles_labels()
        shown = dict(zip(labels, handles, strict=True))
        ax.legend(shown.values(), shown.keys())
        plt.close(figure)
        last = steps.dropna(subset="residual").groupby(["structure", "center"]).last()
        ends = last[last.index.map(converged)]
        result = f"{len(ends)} of {len(converged)} starts converge"
        if len(ends):
            result += (
                f", after a median of {ends['evaluations'].median():.0f} Jacobians, to residuals of at most "
                f"{number(ends['residual'].max())}"
            )
        return Drawing(figure, f"{result}.")


FIGURE = Figure(draw)
