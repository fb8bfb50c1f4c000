"""Singular spectra by point group: which values symmetry, body order and truncation make null."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode.figures._base import (
    BAND,
    CAUSES,
    OPEN,
    ROUNDING,
    ZERO,
    Drawing,
    by_cause,
    key,
    legend_above,
    listing,
    literal,
    logarithmic,
    null_colours,
    number,
    panels,
    select,
    spectra,
    title,
)
from nullmode.figures._figure import figure
from nullmode.symmetry.schoenflies import group_order

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SEEN, _UNKNOWN = "0.25", "0.7"
_KEY = ["structure", "center"]
# Of the values of one structure, side by side.
_WIDTH = 0.75
# In the order in which null values are coloured, from the largest.
_ORDER = ("cutoff", "truncation", "width", "unresolved", "incompleteness", "symmetry")


@figure()
def draw(table: "pd.DataFrame", family: str, descriptors: list[str]) -> Drawing:
    """One row per descriptor: s_k/s_1 of every structure, largest point group first; null values coloured by cause.

    Null values are counted by cause; a single null value belongs to no cause alone, so they are coloured in a fixed
    order. Open circles in the band are rounding, or zero.

    Parameters
    ----------
    family
        With a coordinate ``name``, as ``point_groups``.
    descriptors
        Each at one truncation, and such that causes are known.
    """
    import pandas as pd

    chosen = [_sorted(select(table, family, descriptor, "name")) for descriptor in descriptors]
    # A descriptor may have values where another has none.
    first = _sorted(pd.concat(chosen).drop_duplicates(_KEY))
    places = {key: place for place, key in enumerate(zip(*(first[name] for name in _KEY), strict=True))}
    size = (max(4.5, 0.52 * len(first) + 2.4), 1.9 * len(chosen) + 1.0)
    figure, axes = panels(len(chosen), 1, size, sharex=True, sharey=True)
    for ax, rows in zip(axes[:, 0], chosen, strict=True):
        _panel(ax, rows, places)
        ax.set_ylabel(title(rows) + "\n\nsingular value, $s_k / s_1$")
    groups = [
        (group, f"{group_order(group):.0f}") if isinstance(group, str) else ("", "") for group in first["point_group"]
    ]
    ticks = [f"{literal(name)}\n{group}\n{order}" for name, (group, order) in zip(first["name"], groups, strict=True)]
    for ax in axes[:-1, 0]:
        ax.tick_params(bottom=False)
    axes[-1, 0].set_xticks(range(len(first)), ticks)
    axes[-1, 0].set_xlabel("structure, its point group, and the order of the group")
    causes = [cause for cause in CAUSES if any(rows[f"null_{cause}"].any() for rows in chosen)]
    dots = {"seen": _SEEN, **null_colours(causes)}
    handles = [key(color=colour, marker="o", markersize=4, linestyle="none") for colour in dots.values()]
    handles.append(key(color="0.5", linestyle=":", linewidth=0.8))
    handles.append(key(color="0.4", **OPEN, markersize=4))
    legend_above(figure, handles, [*dots, "rtol", f"rounding (below {ROUNDING:g})"])
    return Drawing(figure, _sentence(chosen, causes))


def _sorted(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Put large groups first, and those that are not known last."""
    orders = [-group_order(group) if isinstance(group, str) else 0.0 for group in rows["point_group"]]
    by_structure = np.lexsort([rows["center"].to_numpy(), rows["structure"].to_numpy(), np.array(orders)])
    return rows.iloc[by_structure]


def _panel(ax: "Axes", rows: "pd.DataFrame", places: dict[tuple[int, int], int]) -> None:
    import pandas as pd

    logarithmic(ax, ZERO, BAND, 3)
    for values, (_, row) in zip(spectra(rows), rows.iterrows(), strict=True):
        index, d = places[row["structure"], row["center"]], int(row["n_dof"])
        counts = {cause: row[f"null_{cause}"] for cause in _ORDER if pd.notna(row[f"null_{cause}"])}
        colours = [_SEEN] * int(row["rank"])
        colours += [CAUSES[cause] for cause, count in counts.items() for _ in range(int(count))]
        # Causes may not be known.
        colours += [_UNKNOWN] * (d - len(colours))
        for k, (value, colour) in enumerate(zip(values[:d], colours, strict=True)):
            x = index + _WIDTH * ((k + 0.5) / d - 0.5)
            if value > ROUNDING:
                ax.plot(x, value, color=colour, marker="o", markersize=3, linestyle="none")
            else:
                ax.plot(x, ZERO, color=colour, **OPEN, markersize=3)
        if index:
            ax.axvline(index - 0.5, color="0.9", linewidth=0.5, zorder=0)
    ax.axhline(rows["rtol"].iloc[0], color="0.5", linestyle=":", linewidth=0.8)
    ax.set_xlim(-0.6, len(places) - 0.4)


def _sentence(chosen: "list[pd.DataFrame]", causes: list[str]) -> str:
    """Count null values by cause, and say how far from the others they are."""
    counts = []
    for rows in chosen:
        nulls = [f"{rows[f'null_{cause}'].sum():.0f} null by {by_cause(cause)}" for cause in causes]
        counts.append(f"{rows['descriptor'].iloc[0]} {listing(nulls)}")
    null, seen = 0.0, 1.0
    for rows in chosen:
        for values, rank in zip(rows["singular_values"], rows["rank"], strict=True):
            ratios = np.asarray(values) / (values[0] if rank else 1.0)
            null = max(null, ratios[rank:].max(initial=0.0))
            seen = min(seen, ratios[:rank].min(initial=1.0))
    return (
        f"Of {chosen[0]['n_dof'].sum()} values of {len(chosen[0])} structures: {'; '.join(counts)}. Null values are at "
        f"most {number(null)} s_1, others at least {number(seen)} s_1."
    )
