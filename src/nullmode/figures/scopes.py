"""One centre against the whole molecule: what all centres see together that one centre does not."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode._support.types import InputError
from nullmode.figures._base import (
    CAUSES,
    Drawing,
    having,
    legend_above,
    literal,
    null_band,
    null_colours,
    patches,
    select,
)
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SEEN = "0.88"
_BARS = {"seen": ("rank", _SEEN), **{cause: (f"null_{cause}", colour) for cause, colour in CAUSES.items()}}
_SCOPES: dict[str, tuple[str, dict[str, Any]]] = {
    "environment": ("one centre", {"color": "C3", "marker": "s"}),
    "structure": ("all centres", {"color": "C0", "marker": "o"}),
}
_OPEN: dict[str, Any] = {"linestyle": "none", "mfc": "white"}


@figure()
def draw(table: "pd.DataFrame", families: list[str], descriptors: list[str]) -> Drawing:
    """Ranks by one centre and by all centres of a molecule, and s_d/s_1 along a line and at singular points.

    Above, a pair of bars per structure: by one centre on the left, by all on the right. Below, open symbols in the grey
    band are null values.

    Parameters
    ----------
    families
        One with a coordinate ``name``, as ``point_groups``; one with ``u``, as ``degenerate_pair``; of all others the
        structures of which one centre has null values for a low body order.
    descriptors
        One of scope ``environment`` and one of scope ``structure``, each at one truncation.
    """
    import matplotlib.figure

    rows = _by_scope(table, families, descriptors)
    environments = {family: both["environment"] for family, both in rows.items()}
    by_coordinate = {name: having(environments, name) for name in ("name", "u")}
    for name, own in by_coordinate.items():
        if len(own) != 1:
            got = f"{len(own)} of them in {families}"
            raise InputError(f"`families` must be one with a coordinate `{name}`, got {got}.")
    [named], [line] = by_coordinate.values()
    points = {family: both for family, both in rows.items() if family not in (named, line)}
    names = list(dict.fromkeys(rows[named]["environment"].sort_values("structure")["name"]))
    figure = matplotlib.figure.Figure(figsize=(max(6.5, 0.56 * len(names) + 0.9), 5.0), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[2, max(1, len(points)) / 2], height_ratios=[1, 1.15])
    above, left = figure.add_subplot(grid[0, :]), figure.add_subplot(grid[1, 0])
    right = figure.add_subplot(grid[1, 1], sharey=left)
    lifted = _bars(above, rows[named], names)
    worst = _line(left, rows[line])
    spared = _points(right, points)
    occurring = [
        cause for cause in CAUSES if any((of[f"null_{cause}"].fillna(0) > 0).any() for of in rows[named].values())
    ]
    colours = {"seen": _SEEN} | null_colours(occurring)
    handles, labels = left.get_legend_handles_labels()
    legend_above(figure, [*patches(colours), *handles], [*colours, *labels])
    return Drawing(figure, " ".join((lifted, worst, spared)))


def _by_scope(
    table: "pd.DataFrame", families: list[str], descriptors: list[str]
) -> "dict[str, dict[str, pd.DataFrame]]":
    result: dict[str, dict[str, pd.DataFrame]] = {}
    for family in families:
        chosen = [select(table, family, descriptor) for descriptor in descriptors]
        result[family] = {str(each["scope"].iloc[0]): each.sort_values("structure") for each in chosen}
        if result[family].keys() != _SCOPES.keys() or len(chosen) != len(_SCOPES):
            raise InputError(f"`descriptors` must be one of scope environment and one of structure, got {descriptors}.")
    return result


def _bars(ax: "Axes", rows: "dict[str, pd.DataFrame]", names: list[str]) -> str:
    """Draw the ranks and what is missing; returns a sentence for the caption."""
    positions = np.arange(len(names))
    for shift, scope in zip((-0.21, 0.21), _SCOPES, strict=True):
        mine = _named(rows[scope], names)
        bottom = np.zeros(len(names))
        for label, (column, colour) in _BARS.items():
            heights = mine[column].fillna(0).to_numpy(dtype=float)
            bars = ax.bar(positions + shift, heights, bottom=bottom, color=colour, width=0.38)
            texts = [f"{height:.0f}" if height else "" for height in heights]
            ax.bar_label(bars, texts, label_type="center", fontsize=6, color="0.2" if label == "seen" else "white")
            bottom += heights
    ax.set_xticks(positions, list(map(literal, names)))
    ax.set(xlim=(-0.6, len(names) - 0.4), yticks=[], ylabel="displacements\none centre | all centres")
    ax.spines["left"].set_visible(False)
    one, whole = (_named(rows[scope], names) for scope in _SCOPES)
    ranks = zip(names, one["rank"], whole["rank"], strict=True)
    lifted = [f"{name} ({few:.0f} to {more:.0f})" for name, few, more in ranks if few < more]
    bound = int((whole["rank"] == whole["rank_symmetric"]).sum())
    return (
        f"Of {one['n_dof'].max():.0f} displacements, the rank of all centres is larger than that of one centre for "
        f"{' and '.join(lifted) or 'no structure'}, and is as large as symmetry allows for {bound} of {len(names)} "
        "structures."
    )


def _named(rows: "pd.DataFrame", names: list[str]) -> "pd.DataFrame":
    """Give the first row of each name, of nulls where there is none."""
    return rows.drop_duplicates("name").set_index("name").reindex(names)


def _line(ax: "Axes", rows: "dict[str, pd.DataFrame]") -> str:
    """Draw s_d/s_1 along u; returns a sentence for the caption."""
    texts = []
    zero = null_band(ax, float(rows["environment"]["rtol"].iloc[0]))
    for key, (scope, marks) in _SCOPES.items():
        mine = rows[key].sort_values("u")
        if "sign" in mine:
            mine = mine[mine["sign"] == mine["sign"].max()]
        null = (mine["rank"] < mine["n_dof"]).to_numpy()
        y = mine["inverse_condition_number"].to_numpy()
        label = f"$s_d/s_1$, {scope}"
        ax.plot(mine["u"], np.where(null, np.nan, y), **marks, markersize=2.2, linewidth=0.9, label=label)
        ax.plot(mine["u"][null], np.full(null.sum(), zero), **marks | _OPEN, markersize=5)
        singular = ", ".join(f"{u:g} π" for u in mine["u"][null])
        texts.append(f"s_d/s_1 of {scope} is " + (f"null at u = {singular}" if singular else f"{y.min():.1e} or more"))
    ax.set(xlabel=r"$u / \pi$ of X+(u, 0)", ylabel="$s_d / s_1$")
    return f"Along the line {texts[0]}, {texts[1]}."


def _points(ax: "Axes", points: "dict[str, dict[str, pd.DataFrame]]") -> str:
    """Draw s_d/s_1 of points that are singular for their body order; returns a sentence."""
    least, count = np.inf, 0
    for index, both in enumerate(points.values()):
        one, whole = (both[scope].drop_duplicates("structure").set_index("structure") for scope in _SCOPES)
        # Members of a pair are one where it is singular.
        spurious = one[one["null_incompleteness"].fillna(0) > 0]
        chosen = spurious.drop_duplicates("pair").index if "pair" in spurious.dropna(axis=1) else spurious.index
        chosen = chosen.intersection(whole.index)
        zero = null_band(ax, float(one["rtol"].iloc[0]))
        x = index + np.linspace(-0.3, 0.3, len(chosen)) if len(chosen) > 1 else np.full(len(chosen), float(index))
        for scope, (_, marks) in zip((one, whole), _SCOPES.values(), strict=True):
            y = scope.loc[chosen, "inverse_condition_number"].to_numpy()
            null = (scope.loc[chosen, "rank"] < scope.loc[chosen, "n_dof"]).to_numpy()
            ax.plot(x[~null], y[~null], **marks, linestyle="none", markersize=3)
            ax.plot(x[null], np.full(null.sum(), zero), **marks | _OPEN, markersize=4)
        y = whole.loc[chosen, "inverse_condition_number"]
        least, count = min(least, y.min()), count + len(chosen)
    ax.set_xticks(range(len(points)), [name.replace("_", "\n") for name in points])
    ax.set_xlim(-0.6, len(points) - 0.4)
    ax.tick_params(labelleft=False)
    if not count:
        return "At no other point is one centre singular for its body order."
    return (
        f"At {count} other points, where one centre is singular for its body order, that of all centres is "
        f"{least:.1e} or more."
    )
