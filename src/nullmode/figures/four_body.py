"""Orbits of a family: a four-body energy varies on them, the features hardly do."""

from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode.figures._base import FLOOR, Drawing, key, legend_above, listing, log_scale, number, panels, select
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd

_SHADES = ("#4477aa", "#cc6677", "#228833", "#ccbb44", "#aa3377")
_ROWS = {
    "inverse_condition_number": "$s_d / s_1$",
    "pair_distance": r"$|\phi - \phi_0| / |\phi_0|$",
    "four_body_energy": "four-body energy",
}


@figure(paired=True)
def draw(table: "pd.DataFrame", families: list[str], descriptors: list[str]) -> Drawing:
    """One column per orbit, along its length: s_d/s_1, change of the features, and four-body energy, a line per width.

    The energy is that of Parsaeifard and Goedecker.

    Parameters
    ----------
    families
        Of kind ``quasi_constant_orbit``, with the same coordinates ``t``.
    descriptors
        As many, each at one truncation: the one whose features are to stay constant on the family at the same position.
    """
    pairs = zip(families, descriptors, strict=True)
    needed = "t", "length", "pair", "four_body_energy"
    chosen = [select(table, family, name, *needed).sort_values(["pair", "length"]) for family, name in pairs]
    starts = list(dict.fromkeys(t for rows in chosen for t in rows["t"]))
    size = (1.9 * len(starts) + 0.9, 1.6 * len(_ROWS) + 0.8)
    figure, axes = panels(len(_ROWS), len(starts), size, sharex=True, sharey="row")
    shades = [shade for shade, _ in zip(cycle(_SHADES), chosen, strict=False)]
    for rows, shade in zip(chosen, shades, strict=True):
        for column, t in enumerate(starts):
            orbit = rows[rows["t"] == t]
            for ax, name in zip(axes[:, column], _ROWS, strict=True):
                ax.plot(orbit["length"], _shown(orbit, name), color=shade)
    for ax, t in zip(axes[0], starts, strict=True):
        ax.set_title(f"start t = {t:g}")
    for line, (name, text) in zip(axes, _ROWS.items(), strict=True):
        line[0].set_ylabel(text)
        # They share one scale.
        for ax in line if name != "four_body_energy" else ():
            log_scale(ax)
    for ax in axes[-1]:
        ax.set_xlabel("length / Å")
    handles: list[Any] = [key(color=shade) for shade in shades]
    legend_above(figure, handles, [_width(rows) for rows in chosen])
    return Drawing(figure, _sentence(chosen))


def _shown(orbit: "pd.DataFrame", name: str) -> "pd.Series":
    """Values of one row of panels; at the start nothing has changed yet."""
    if name == "pair_distance":
        return orbit[name].where(orbit["length"] > 0)
    return orbit[name].clip(lower=FLOOR)


def _width(rows: "pd.DataFrame") -> str:
    """Name a descriptor by its width, or by its name where it has none."""
    width = rows["width"].iloc[0]
    return str(rows["descriptor"].iloc[0]) if width is None or np.isnan(width) else f"width {width:g} Å"


def _sentence(chosen: "list[pd.DataFrame]") -> str:
    sizes, ratios = [], []
    for rows in chosen:
        orbits = rows.groupby("t", sort=False)
        quoted = [
            f"t = {t:g} "
            + "/".join(number(value) for value in np.percentile(orbit["inverse_condition_number"], (0, 50, 100)))
            for t, orbit in orbits
        ]
        ratios.append(f"{_width(rows)}: {listing(quoted)}")
        energy = orbits["four_body_energy"]
        span, start = energy.max() - energy.min(), energy.first().abs()
        if (start > 0).all():
            shares = span / start
            varies = f"{shares.min():.0%} to {shares.max():.0%} of its value at the start"
        else:
            varies = f"{number(span.min())} to {number(span.max())}"
        sizes.append(
            f"{_width(rows)}: the energy varies by {varies}, the features by at most "
            f"{number(rows['pair_distance'].max())} of their norm"
        )
    count = sum(rows["t"].nunique() for rows in chosen)
    return f"On {count} orbits, {'; '.join(sizes)}. Minimum/median/maximum of s_d/s_1, {'; '.join(ratios)}."
