"""Maps over the two angles of the degenerate pair: where a descriptor nearly loses a direction."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode.figures._base import FLOOR, ROUNDING, Drawing, key, number, panels, select, title
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Normalize

# Near-singular, for the sentence below the figure.
_NEAR = 1e-3
_CIRCLE: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 8, "color": "none", "mec": "C3"}


@figure()
def draw(table: "pd.DataFrame", family: str, descriptors: list[str]) -> Drawing:
    """One row per descriptor, over (u, v): log10 of s_d/s_1 for X- and X+, and the distance of their features.

    Parameters
    ----------
    family
        With coordinates ``sign``, ``u``, ``v`` (units of pi) on a full grid.
    descriptors
        Each at one truncation.
    """
    from matplotlib.colors import Normalize

    chosen = [select(table, family, descriptor, "sign", "u", "v") for descriptor in descriptors]
    signs = sorted({sign for rows in chosen for sign in rows["sign"]})
    wide, high = len(signs) + 1, len(chosen)
    size = (2.7 * wide + 1.4, 2.6 * high + 0.4)
    figure, axes = panels(high, wide, size, sharex=True, sharey=True)
    for line, rows in zip(axes, chosen, strict=True):
        logs = _log(rows["inverse_condition_number"])
        # A singular point on the grid would take the whole scale; it is drawn as the darkest colour.
        norm = Normalize(np.quantile(logs, 0.005), logs.max())
        for ax, sign in zip(line, signs, strict=False):
            mine = rows[rows["sign"] == sign]
            mesh = _map(ax, mine, logs, norm)
            null = mine[mine["rank"] < mine["n_dof"]]
            ax.plot(null["u"], null["v"], **_CIRCLE)
            if len(null):
                ax.legend([key(**_CIRCLE)], ["rank < d"], loc="upper left", frameon=True, framealpha=0.7)
            ax.set_title(_name(sign))
        figure.colorbar(mesh, ax=line[:-1], label=r"$\log_{10}(s_d / s_1)$", extend="min")
        partner = rows[rows["sign"] == signs[-1]]
        distance = _log(partner["pair_distance"])
        seen = distance[partner["pair_distance"] > ROUNDING]
        span = Normalize(seen.min(), seen.max()) if len(seen) else Normalize(np.log10(ROUNDING), 0)
        mesh = _map(line[-1], partner, distance, span)
        line[-1].set_title(" against ".join(map(_name, signs)))
        figure.colorbar(mesh, ax=line[-1], label=r"$\log_{10}(|\phi_+ - \phi_-| / |\phi_-|)$", extend="min")
        line[0].set_ylabel(title(rows) + "\n\n" + r"$v / \pi$")
    for ax in axes[-1]:
        ax.set_xlabel(r"$u / \pi$")
    return Drawing(figure, " ".join(map(_sentence, chosen)))


def _sentence(rows: "pd.DataFrame") -> str:
    """Say where one descriptor is least and most sensitive, and how much it tells the two apart."""
    least = rows.sort_values(["inverse_condition_number", "sign", "v", "u"]).iloc[0]
    near = (rows["inverse_condition_number"] < _NEAR).mean()
    partner = rows[rows["sign"] == rows["sign"].max()]
    # Where u is 1, the two are one.
    apart = partner[partner["u"] != 1]
    below = (rows["rank"] < rows["n_dof"]).sum()
    equal = apart["pair_distance"] <= ROUNDING
    valley = apart["v"] == 0
    return (
        f"{rows['descriptor'].iloc[0]}: s_d/s_1 is below {_NEAR:g} at {near:.1%} of {len(rows)} points, and at least "
        f"{number(least['inverse_condition_number'])}, at {_name(least['sign'])}(u, v) = ({least['u']:g}π, "
        f"{least['v']:g}π). The rank is below d at {below} points. Where u is not π, features of X+ and X− are equal "
        f"at {(equal & valley).sum()} of {valley.sum()} points with v = 0 and at {(equal & ~valley).sum()} of "
        f"{(~valley).sum()} others."
    )


def _name(sign: float) -> str:
    return "X+" if sign > 0 else "X−"


def _log(values: "pd.Series") -> "pd.Series":
    import pandas as pd

    return pd.Series(np.log10(np.maximum(values, FLOOR)), index=values.index)


def _map(ax: "Axes", rows: "pd.DataFrame", values: "pd.Series", norm: "Normalize") -> "QuadMesh":
    grid = rows.assign(value=values.loc[rows.index]).groupby(["v", "u"])["value"].mean().unstack()
    if grid.empty:
        grid = grid.reindex(index=[0.0], columns=[0.0])
    return ax.pcolormesh(grid.columns, grid.index, grid, norm=norm, shading="nearest", rasterized=True)
