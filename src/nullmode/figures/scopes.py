"""One centre against the whole molecule: what all centres see together that one does not, and the force it costs."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode._support.types import InputError
from nullmode.figures._base import (
    CAUSES,
    Drawing,
    having,
    legend_above,
    listing,
    literal,
    null_band,
    null_colours,
    number,
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
    "structure": ("linear models", {"color": "C0", "marker": "o"}),
    "potential": ("any potential", {"color": "C2", "marker": "^"}),
}
_ALONE = "alone"
_SHIFTS = (-0.28, 0.0, 0.28)
_OPEN: dict[str, Any] = {"linestyle": "none", "mfc": "white"}


@figure()
def draw(table: "pd.DataFrame", families: list[str], descriptors: list[str]) -> Drawing:
    """Ranks by one centre, linear models and any potential of a molecule, the force that is not seen, and s_d/s_1.

    Above, three bars per structure: by one centre, by sums over all centres, by any potential on them. Below these, for
    structures with forces, the share of the force that is not seen. At the bottom, s_d/s_1 along a line and at singular
    points; open symbols in the grey band are null values.

    Parameters
    ----------
    families
        One with a coordinate ``name``, as ``point_groups``; one with ``u``, as ``degenerate_pair``; of all others the
        structures of which one centre has null values for a low body order.
    descriptors
        One of scope ``environment``, one of ``structure`` and one of ``potential``, in this order, each at one
        truncation. One more of scope ``potential``, whose ``centers`` are those of the environments alone, tells what
        one centre misses of the force.
    """
    import matplotlib.figure

    rows = _by_scope(table, families, descriptors)
    environments = {family: each["environment"] for family, each in rows.items()}
    by_coordinate = {name: having(environments, name) for name in ("name", "u")}
    for name, own in by_coordinate.items():
        if len(own) != 1:
            got = f"{len(own)} of them in {families}"
            raise InputError(f"`families` must be one with a coordinate `{name}`, got {got}.")
    [named], [line] = by_coordinate.values()
    points = {family: each for family, each in rows.items() if family not in (named, line)}
    names = list(dict.fromkeys(rows[named]["environment"].sort_values("structure")["name"]))
    shares = _shares(rows[named], names)
    heights = [1, 0.55, 1.15] if shares else [1, 1.15]
    figure = matplotlib.figure.Figure(
        figsize=(max(6.5, 0.56 * len(names) + 0.9), 2.3 * sum(heights)), layout="constrained"
    )
    grid = figure.add_gridspec(len(heights), 2, width_ratios=[2, max(1, len(points)) / 2], height_ratios=heights)
    above, left = figure.add_subplot(grid[0, :]), figure.add_subplot(grid[-1, 0])
    right = figure.add_subplot(grid[-1, 1], sharey=left)
    said = [_bars(above, rows[named], names)]
    if shares:
        said.append(_forces(figure.add_subplot(grid[1, :], sharex=above), shares, names))
    said += [_line(left, rows[line]), _points(right, points)]
    occurring = [
        cause for cause in CAUSES if any((of[f"null_{cause}"].fillna(0) > 0).any() for of in rows[named].values())
    ]
    colours = {"seen": _SEEN} | null_colours(occurring)
    handles, labels = left.get_legend_handles_labels()
    legend_above(figure, [*patches(colours), *handles], [*colours, *labels])
    return Drawing(figure, " ".join(said))


def _by_scope(
    table: "pd.DataFrame", families: list[str], descriptors: list[str]
) -> "dict[str, dict[str, pd.DataFrame]]":
    """Rows of each family by scope; those of one centre as a potential are called by ``_ALONE``."""
    result: dict[str, dict[str, pd.DataFrame]] = {}
    for family in families:
        chosen = [select(table, family, descriptor).sort_values("structure") for descriptor in descriptors]
        scopes = [str(each["scope"].iloc[0]) for each in chosen]
        if scopes[:3] != list(_SCOPES) or scopes[3:] not in ([], ["potential"]):
            raise InputError(
                "`descriptors` must be one of scope environment, one of structure and one of potential, and perhaps "
                f"another of potential, got {descriptors} of scopes {', '.join(scopes)}."
            )
        result[family] = dict(zip((*_SCOPES, _ALONE), chosen, strict=False))
    return result


def _bars(ax: "Axes", rows: "dict[str, pd.DataFrame]", names: list[str]) -> str:
    """Draw the ranks and what is missing; returns a sentence for the caption."""
    positions = np.arange(len(names))
    for shift, scope in zip(_SHIFTS, _SCOPES, strict=True):
        mine = _named(rows[scope], names)
        bottom = np.zeros(len(names))
        for label, (column, colour) in _BARS.items():
            heights = mine[column].fillna(0).to_numpy(dtype=float)
            bars = ax.bar(positions + shift, heights, bottom=bottom, color=colour, width=0.26)
            texts = [f"{height:.0f}" if height else "" for height in heights]
            ax.bar_label(bars, texts, label_type="center", fontsize=6, color="0.2" if label == "seen" else "white")
            bottom += heights
    ax.set_xticks(positions, list(map(literal, names)))
    ax.set(xlim=(-0.6, len(names) - 0.4), yticks=[], ylabel="displacements\none centre |\nlinear | any potential")
    ax.spines["left"].set_visible(False)
    one, linear, whole = (_named(rows[scope], names) for scope in _SCOPES)
    bound = int((whole["rank"] == whole["rank_symmetric"]).sum())
    return (
        f"Of {one['n_dof'].max():.0f} displacements, linear models of all centres see more than one centre does for "
        f"{_larger(one, linear)}, and any potential more than linear models for {_larger(linear, whole)}; potentials "
        f"see as many as symmetry allows for {bound} of {len(names)} structures."
    )


def _larger(few: "pd.DataFrame", more: "pd.DataFrame") -> str:
    """List the names where the second has the larger rank, with both ranks."""
    ranks = zip(few.index, few["rank"], more["rank"], strict=True)
    return listing([f"{name} ({a:.0f} to {b:.0f})" for name, a, b in ranks if a < b]) or "no structure"


def _named(rows: "pd.DataFrame", names: list[str]) -> "pd.DataFrame":
    """Give the first row of each name, of nulls where there is none."""
    return rows.drop_duplicates("name").set_index("name").reindex(names)


def _shares(rows: "dict[str, pd.DataFrame]", names: list[str]) -> "dict[str, pd.Series[Any]]":
    """Give the share of the force that is not seen, by scope and name; of one centre, by a potential on it alone."""
    sources = {"environment": _ALONE, "structure": "structure", "potential": "potential"}
    held = {scope: rows[source] for scope, source in sources.items() if source in rows}
    shares = {scope: _named(own, names)["unseen_share"] for scope, own in held.items() if "unseen_share" in own}
    return {scope: share for scope, share in shares.items() if share.notna().any()}


def _forces(ax: "Axes", shares: "dict[str, pd.Series[Any]]", names: list[str]) -> str:
    """Draw the share of the force that is not seen; returns a sentence for the caption."""
    texts = []
    for shift, (scope, (label, marks)) in zip(_SHIFTS, _SCOPES.items(), strict=True):
        if scope in shares:
            share = shares[scope].astype(float)
            ax.plot(np.arange(len(names)) + shift, share, **marks, linestyle="none", markersize=3)
            texts.append(f"{label} {number(share.max())} ({share.idxmax()})")
    ax.set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1], ylabel="unseen share\nof the force")
    count = int(next(iter(shares.values())).notna().sum())
    return f"Of the forces of {count} of these structures, at most this share is not seen: by {listing(texts)}."


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
    return f"Along the line {listing(texts)}."


def _points(ax: "Axes", points: "dict[str, dict[str, pd.DataFrame]]") -> str:
    """Draw s_d/s_1 of points that are singular for their body order; returns a sentence."""
    least, count = dict.fromkeys(_SCOPES, np.inf), 0
    for index, own in enumerate(points.values()):
        rows = {scope: own[scope].drop_duplicates("structure").set_index("structure") for scope in _SCOPES}
        one = rows["environment"]
        # Members of a pair are one where it is singular.
        spurious = one[one["null_incompleteness"].fillna(0) > 0]
        chosen = spurious.drop_duplicates("pair").index if "pair" in spurious.dropna(axis=1) else spurious.index
        chosen = chosen.intersection(rows["structure"].index).intersection(rows["potential"].index)
        zero = null_band(ax, float(one["rtol"].iloc[0]))
        x = index + np.linspace(-0.3, 0.3, len(chosen)) if len(chosen) > 1 else np.full(len(chosen), float(index))
        for scope, (_, marks) in _SCOPES.items():
            mine = rows[scope].loc[chosen]
            y, null = mine["inverse_condition_number"].to_numpy(), (mine["rank"] < mine["n_dof"]).to_numpy()
            ax.plot(x[~null], y[~null], **marks, linestyle="none", markersize=3)
            ax.plot(x[null], np.full(null.sum(), zero), **marks | _OPEN, markersize=4)
            least[scope] = min(least[scope], y.min(initial=np.inf))
        count += len(chosen)
    ax.set_xticks(range(len(points)), [name.replace("_", "\n") for name in points])
    ax.set_xlim(-0.6, len(points) - 0.4)
    ax.tick_params(labelleft=False)
    if not count:
        return "At no other point is one centre singular for its body order."
    return (
        f"At {count} other points, where one centre is singular for its body order, that of linear models is "
        f"{least['structure']:.1e} or more, that of any potential {least['potential']:.1e} or more."
    )
