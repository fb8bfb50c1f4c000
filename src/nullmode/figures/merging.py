"""Where a degenerate pair merges: what is lost there, and how fast it opens."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode.figures._base import FLOOR, Drawing, select, style
from nullmode.figures._laws import ROUNDING, Law, law
from nullmode.types import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Up to here laws are fitted: in rad and in Å.
_NEAR = 0.004
_MEMBERS: dict[int, tuple[str, dict[str, Any]]] = {
    1: ("X+", {"marker": "o"}),
    -1: ("X−", {"marker": "s", "mfc": "white", "linestyle": "--"}),
}
_MODES: dict[str, dict[str, Any]] = {
    "stiffest": {"marker": "o"},
    "softest": {"marker": "s", "mfc": "white", "linestyle": "--"},
}
_GAP = r"|\pi - u|"
_POINTS: dict[str, Any] = {"markersize": 3, "linewidth": 0.8, "mew": 0.7}


def draw(table: "pd.DataFrame", families: list[str], descriptors: list[str]) -> Drawing:
    """s_d/s_1 of X+ and X− and the distance of their features against |π − u|, and the change of features along modes.

    Dotted lines are power laws, fitted to the points nearest to the singular environment.

    Parameters
    ----------
    table
        The sensitivity table.
    families
        One with coordinates ``sign`` and ``u`` of both members at v = 0, and one with ``mode`` and ``amplitude``, as
        ``mode_displacement`` of X+(π, 0).
    descriptors
        Each at one truncation.
    """
    import matplotlib.pyplot as plt

    pairs, displaced = _sorted_out(table, families, descriptors[0])
    with style():
        figure, axes = plt.subplots(1, 3, figsize=(8.6, 3.3), layout="constrained")
        results = []
        for place, name in enumerate(descriptors):
            rows = select(table, pairs, name, single=True)
            colour = f"C{place}"
            label = rf"$\nu$ = {int(rows['correlation_order'].iloc[0])}"
            results.append(_opening(axes[0], rows, colour, label))
            results.append(_distance(axes[1], rows, colour, label))
            results.append(_along(axes[2], select(table, displaced, name, single=True), colour, label))
        for ax in axes[1:]:
            ax.axhspan(FLOOR, ROUNDING, color="0.93", linewidth=0, zorder=-1)
            ax.text(0.97, ROUNDING, "rounding", transform=ax.get_yaxis_transform(), ha="right", va="top", color="0.5")
            ax.set_ylim(bottom=1e-17)
        axes[0].set(xlabel=r"$|\pi - u|$ / rad", ylabel="$s_d / s_1$", title="Near the merging point")
        axes[1].set(xlabel=r"$|\pi - u|$ / rad", ylabel=r"$|\phi_+ - \phi_-|\,/\,|\phi_-|$", title="X+ against X−")
        axes[2].set(
            xlabel="displacement / Å",
            ylabel=r"$|\phi - \phi_0|\,/\,|\phi_0|$",
            title=rf"Along modes of {axes[2].get_legend_handles_labels()[1][0].partition(',')[0]} at X(π, 0)",
        )
        for ax in axes:
            ax.set(xscale="log", yscale="log")
            ax.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.19), fontsize=7, handlelength=2.2)
        plt.close(figure)
        return Drawing(figure, " ".join(text for text in results if text))


def _sorted_out(table: "pd.DataFrame", families: list[str], descriptor: str) -> tuple[str, str]:
    """Tell the family of pairs from that of displacements, by their coordinates."""
    found = {}
    for family in families:
        rows = select(table, family, descriptor, single=True)
        for coordinate in ("mode", "u"):
            if coordinate in rows and rows[coordinate].notna().all():
                found[coordinate] = family
    if len(families) != len(found):
        raise InputError(f"`families` must be one with a coordinate `u` and one with `mode`, got {families}.")
    return found["u"], found["mode"]


def _opening(ax: "Axes", rows: "pd.DataFrame", colour: str, label: str) -> str:
    """Draw the inverse condition number of both members; returns what was found."""
    texts, laws = [], {}
    for sign, (member, marks) in _MEMBERS.items():
        mine = rows[rows["sign"] == sign].sort_values("u", ascending=False)
        x = np.abs(1 - mine["u"].to_numpy()) * np.pi
        y = mine["inverse_condition_number"].to_numpy()
        singular = bool((mine.loc[x == 0, "rank"] < mine.loc[x == 0, "n_dof"]).any())
        text = f"{label}, {member}"
        if singular:
            laws[sign] = law(x, y, _NEAR)
            laws[sign].draw(ax, x[x > 0])
            text += f": {_written(laws[sign], _GAP)}"
        ax.plot(x[x > 0], np.maximum(y[x > 0], FLOOR), color=colour, label=text, **marks, **_POINTS)
        ax.set_ylim(bottom=1e-7)
        texts.append((member, mine, x, y))
    first = rows[rows["u"] == 1]
    order = int(rows["correlation_order"].iloc[0])
    if not laws:
        least = min(y.min() for *_, y in texts)
        return f"ν = {order} keeps rank {rows['rank'].min()} of {rows['n_dof'].max()} and s_d/s_1 ≥ {least:.2g}."
    result = (
        f"At u = π, ν = {order} has rank {first['rank'].min()} of {first['n_dof'].max()}; around it s_d/s_1 = "
        + ", ".join(f"{laws[s].prefactor:.3g} |π − u|^{laws[s].exponent:.3f} ({_MEMBERS[s][0]})" for s in laws)
    )
    others = [
        f"{member} at |π − u| = {x[k]:.4f} rad, where s_d/s_1 is {y[k]:.1e}"
        for member, mine, x, y in texts
        for k in np.flatnonzero((x > 0) & (mine["rank"] < mine["n_dof"]).to_numpy())
    ]
    far = {sign: y[np.argmin(np.abs(x - 0.01 * np.pi))] for sign, (_, _, x, y) in zip(_MEMBERS, texts, strict=True)}
    result += f", and at |π − u| = 0.01 π the two differ by a factor of {far[1] / far[-1]:.2f}"
    return result + (f", for another singular environment is near: {', '.join(others)}." if others else ".")


def _distance(ax: "Axes", rows: "pd.DataFrame", colour: str, label: str) -> str:
    """Draw the distance of the features of the two members; returns what was found."""
    mine = rows[(rows["sign"] == 1) & (rows["u"] != 1)].sort_values("u", ascending=False)
    x, y = np.abs(1 - mine["u"].to_numpy()) * np.pi, mine["pair_distance"].to_numpy()
    text, result = label, f"Features of X+ and X− differ by at most {y.max():.0e} for {_plain(label)}."
    if (y > ROUNDING).all():
        fitted = law(x, y, _NEAR)
        fitted.draw(ax, x)
        text += f": {_written(fitted, _GAP)}"
        result = f"For {_plain(label)} they differ by {fitted.prefactor:.3g} |π − u|^{fitted.exponent:.3f}."
    ax.plot(x, np.maximum(y, FLOOR), color=colour, label=text, marker="o", **_POINTS)
    return result


def _along(ax: "Axes", rows: "pd.DataFrame", colour: str, label: str) -> str:
    """Draw how far features move along the modes; returns what was found."""
    texts = []
    for mode, marks in _MODES.items():
        mine = rows[rows["mode"] == mode].sort_values("amplitude")
        x, y = mine["amplitude"].to_numpy(), mine["pair_distance"].to_numpy()
        fitted = law(x, y, _NEAR)
        fitted.draw(ax, x)
        ax.plot(x, np.maximum(y, FLOOR), color=colour, label=f"{label}, {mode}: {_written(fitted, 'a')}", **marks, **_POINTS)
        texts.append(f"a^{fitted.exponent:.3f} along the {mode} mode")
    return f"Displaced by a, features of {_plain(label)} change as {' and '.join(texts)}."


def _written(fitted: Law, x: str) -> str:
    return f"${fitted.prefactor:.3g}\\,{x}^{{{fitted.exponent:.2f}}}$"


def _plain(label: str) -> str:
    return label.replace(r"$\nu$", "ν")
