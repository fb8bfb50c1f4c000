"""How searches converge: what they drive to zero, against the number of Jacobians that they computed."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode.figures._base import FLOOR, Drawing, log_scale, number, panels
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd


@figure()
def draw(searches: "dict[str, tuple[pd.DataFrame, pd.DataFrame]]", search: str) -> Drawing:
    """Residual of each step against the number of Jacobians computed, a line per start, coloured by how it ended.

    Parameters
    ----------
    search
        Of any kind that drives something to zero.
    """
    found, steps = searches[search]
    converged = {start: bool(rows["converged"].iloc[0]) for start, rows in found.groupby(["structure", "center"])}
    figure, [[ax]] = panels(1, 1, (4.5, 3))
    for start, rows in steps.dropna(subset="residual").groupby(["structure", "center"], sort=True):
        residuals = np.maximum(rows["residual"], FLOOR)
        ax.plot(
            rows["evaluations"],
            residuals,
            color="C0" if converged[start] else "C3",
            marker=".",
            markersize=3,
            linewidth=0.6,
            label="converged" if converged[start] else "not converged",
        )
    log_scale(ax)
    ax.set(xlabel="Jacobians computed", ylabel="residual")
    ax.set_title(f"{search}: {sum(converged.values())} of {len(converged)} starts converged")
    handles, labels = ax.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    ax.legend(shown.values(), shown.keys())
    last = steps.dropna(subset="residual").groupby(["structure", "center"]).last()
    ends = last[last.index.map(converged)]
    result = f"{len(ends)} of {len(converged)} starts converge"
    if len(ends):
        result += (
            f", after a median of {ends['evaluations'].median():.0f} Jacobians, to residuals of at most "
            f"{number(ends['residual'].max())}"
        )
    return Drawing(figure, f"{result}.")
