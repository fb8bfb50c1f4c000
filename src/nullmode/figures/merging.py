"""The point where a degenerate pair merges: which singular value vanishes, and how fast it grows beside the point."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nullmode._support.types import Floats, InputError
from nullmode.figures._base import FLOOR, ROUNDING, Drawing, having, null_band, order, panels, plain, select
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Laws are fitted to at least so many points, up to here: in rad and in Å.
_FEWEST, _NEAR = 3, 0.004
# Where the two members are compared, in units of π.
_ASIDE = 0.01
_MEMBERS: dict[int, tuple[str, dict[str, Any]]] = {
    1: ("X+", {"marker": "o"}),
    -1: ("X−", {"marker": "s", "mfc": "white", "linestyle": "--"}),
}
_MODES: dict[str, dict[str, Any]] = {
    "stiffest": {"marker": "o"},
    "softest": {"marker": "s", "mfc": "white", "linestyle": "--"},
}
_GAP = r"|\pi - u|"
_OPEN: dict[str, Any] = {"linestyle": "none", "mfc": "white"}
_POINTS: dict[str, Any] = {"markersize": 3, "linewidth": 0.8, "mew": 0.7}


@figure()
def draw(table: "pd.DataFrame", families: list[str], descriptors: list[str]) -> Drawing:
    """s_d/s_1 of X+ and X− and the distance of their features against |π − u|, and the change of features along modes.

    Dotted lines are power laws, fitted to the points nearest to the singular environment.

    Parameters
    ----------
    families
        One with coordinates ``sign`` and ``u`` of both members at v = 0, and one with ``mode`` and ``amplitude``, as
        ``mode_displacement`` of X+(π, 0).
    descriptors
        Each at one truncation.
    """
    first = {family: select(table, family, descriptors[0]) for family in families}
    with_u, with_mode = having(first, "u"), having(first, "mode")
    if not len(with_u) == len(with_mode) == 1 or len(families) != 2:
        raise InputError(f"`families` must be one with a coordinate `u` and one with `mode`, got {families}.")
    figure, [axes] = panels(1, 3, (8.6, 3.4))
    results = []
    for index, name in enumerate(descriptors):
        rows = select(table, with_u[0], name)
        moved = select(table, with_mode[0], name)
        label, colour = order(rows) or name, f"C{index}"
        opening = _opening(axes[0], rows, colour, label)
        apart = _distance(axes[1], rows, colour, label)
        along = _along(axes[2], moved, colour, label)
        results.append(f"{plain(label)} has {opening}. Features of the two differ by {apart}; they change by {along}.")
    axes[0].set(xscale="log", xlabel=r"$|\pi - u|$ / rad", ylabel="$s_d / s_1$", title="Near the merging point")
    for ax in axes[1:]:
        ax.axhspan(FLOOR / 10, ROUNDING, color="0.93", linewidth=0, zorder=-1)
        ax.text(0.97, ROUNDING, "rounding", transform=ax.get_yaxis_transform(), ha="right", va="top", color="0.5")
        ax.set(xscale="log", yscale="log", ylim=(FLOOR / 10, 2))
    axes[1].set(xlabel=axes[0].get_xlabel(), ylabel=r"$|\phi_+ - \phi_-|\,/\,|\phi_-|$", title="X+ against X−")
    axes[2].set(xlabel="displacement a / Å", ylabel=r"$|\phi - \phi_0|\,/\,|\phi_0|$")
    axes[2].set_title("Along modes of X(π, 0)")
    for ax in axes:
        ax.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.19), fontsize=7, handlelength=2.2)
    return Drawing(figure, " ".join(results))


def _opening(ax: "Axes", rows: "pd.DataFrame", colour: str, label: str) -> str:
    """Draw the inverse condition number of both members; returns a phrase for the caption."""
    zero = null_band(ax, float(rows["rtol"].iloc[0]))
    laws, others, aside = [], [], []
    for sign, (member, marks) in _MEMBERS.items():
        mine = rows[rows["sign"] == sign].sort_values("u", ascending=False)
        x, y = _gap(mine), mine["inverse_condition_number"].to_numpy()
        null = (mine["rank"] < mine["n_dof"]).to_numpy()
        text = f"{label}, {member}"
        if null[x == 0].any():
            opens = _law(x[~null], y[~null])
            opens.draw(ax, x[x > 0])
            text += f": {opens.math(_GAP)}"
            laws.append(f"{opens.plain('|π − u|')} ({member})")
            k = int(np.argmin(np.abs(x - _ASIDE * np.pi)))
            aside.append((float(x[k] / np.pi), float(y[k])))
            others += [f"|π − u| = {gap:.4f} ({member})" for gap in x[null & (x > 0)]]
        # A null value breaks the line, and a logarithm has no zero.
        ax.plot(x[x > 0], np.where(null, np.nan, y)[x > 0], color=colour, label=text, **marks, **_POINTS)
        hidden = null & (x > 0)
        ax.plot(x[hidden], np.full(np.count_nonzero(hidden), zero), **marks | _OPEN, color=colour, markersize=4)
    rank, d = rows["rank"].min(), rows["n_dof"].max()
    if not laws:
        return f"no rank below {rank} of {d}, and no s_d/s_1 below {rows['inverse_condition_number'].min():.2g}"
    text = f"rank {rank} of {d} where the two merge; beside it s_d/s_1 is {' and '.join(laws)}"
    if others:
        text += f"; it is singular again at {', '.join(others)}"
    if others and len(aside) == len(_MEMBERS) and all(value for _, value in aside):
        (gap, plus), (_, minus) = aside
        text += f": at {gap:.3g} π the two differ {plus / minus:.2f} times"
    return text


def _distance(ax: "Axes", rows: "pd.DataFrame", colour: str, label: str) -> str:
    """Draw the distance of the features of the two members; returns a phrase for the caption."""
    known = rows["pair_distance"].notna()
    mine = rows[(rows["sign"] == 1) & (rows["u"] != 1) & known].sort_values("u", ascending=False)
    x, y = _gap(mine), mine["pair_distance"].to_numpy()
    if not len(y):
        return "nothing that was measured"
    text, result = label, f"{y.max():.0e} or less"
    if (y > ROUNDING).all():
        fitted = _law(x, y)
        fitted.draw(ax, x)
        text += f": {fitted.math(_GAP)}"
        result = fitted.plain("|π − u|")
    ax.plot(x, np.maximum(y, FLOOR), color=colour, label=text, marker="o", **_POINTS)
    return result


def _along(ax: "Axes", rows: "pd.DataFrame", colour: str, label: str) -> str:
    """Draw how far features move along the modes; returns a phrase for the caption."""
    texts = []
    for mode, marks in _MODES.items():
        mine = rows[rows["mode"] == mode].sort_values("amplitude")
        x, y = mine["amplitude"].to_numpy(), mine["pair_distance"].to_numpy()
        fitted = _law(x, y)
        fitted.draw(ax, x)
        text = f"{label}, {mode}: {fitted.math('a')}"
        ax.plot(x, np.maximum(y, FLOOR), color=colour, label=text, **marks, **_POINTS)
        texts.append(f"{fitted.plain('a')} along the {mode} mode")
    return " and ".join(texts)


def _gap(rows: "pd.DataFrame") -> Floats:
    """Distance to the merging point, in rad."""
    return np.asarray(np.abs(1 - rows["u"].to_numpy()) * np.pi, dtype=np.float64)


class _Law(NamedTuple):
    """A power law, y = prefactor · x^exponent."""

    exponent: float
    prefactor: float

    def plain(self, x: str) -> str:
        """Write the law as text."""
        return f"{self.prefactor:.3g} {x}^{self.exponent:.3f}"

    def draw(self, ax: "Axes", x: Floats) -> None:
        """Draw the line over all of x, beyond the points that it was fitted to too."""
        ends = np.array([x.min(), x.max()])
        ax.plot(ends, self.prefactor * ends**self.exponent, color="0.35", linestyle=":", linewidth=0.8, zorder=0)

    def math(self, x: str) -> str:
        """Write the law as a label."""
        return f"${self.prefactor:.3g}\\,{x}^{{{self.exponent:.2f}}}$"


def _law(x: Floats, y: Floats) -> _Law:
    """Fit a power law to the points above rounding nearest to the singular environment, by least squares of logarithms.

    Raises
    ------
    InputError
        For fewer than three such points.
    """
    chosen = (x > 0) & (x <= _NEAR) & (y > ROUNDING)
    if np.count_nonzero(chosen) < _FEWEST:
        raise InputError(
            f"`table` must hold at least {_FEWEST} points up to {_NEAR:.3g} to fit a law to, got "
            f"{np.count_nonzero(chosen)}. Add smaller ones to the family."
        )
    exponent, constant = np.polyfit(np.log(x[chosen]), np.log(y[chosen]), 1)
    return _Law(float(exponent), float(np.exp(constant)))
