"""Rank, condition number and resolution against the truncation, the kind of radial basis, and the density."""

from itertools import cycle, product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nullmode._support.types import InputError, Integers
from nullmode.figures._base import SWEPT, Drawing, key, legend_above, logarithmic, number, panels, select, title
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SHADES = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
_MARKERS = "osD^vP"
_LABELS = {"l_max": "largest angular momentum, l_max", "n_max": "radial functions, n_max", "width": "width / Å"}
# What distinguishes the rows of panels below the first.
_VARIANTS = {"density": "{} density", "cutoff": "cutoff {:g} Å"}
_WORDS = {"inverse_condition_number": "$s_d / s_1$", "resolution": "resolution"}
_QUANTILES = (0.05, 0.5, 0.95)
_ALPHA = 0.12


@figure(truncations="swept")
def draw(
    table: "pd.DataFrame",
    families: list[str],
    descriptor: str,
    along: Literal["l_max", "n_max", "width"],
    labels: dict[str, str] | None = None,
) -> Drawing:
    """One column per family; medians of rank, s_d/s_1 and resolution along one parameter, a line per radial basis.

    The resolution is drawn where it was measured (``resolution: true`` of the descriptor, Gaussian densities). Bands go
    from the percentile 5 to 95 of the environments. Dashed: the rank of generic environments, min(d, min(N, n)
    + sum over l from 1 to l_max of N k - k (k - 1)/2 with k = min(N, 2 l + 1)), for n neighbours and N radial functions
    that all tell distances apart: a delta density with the constant alone is below it.

    Parameters
    ----------
    families
        Whose environments have the same number of neighbours, of one species.
    descriptor
        Power spectra, swept along the parameter and over radial bases; densities or cutoffs make a row each.
    along
        The parameter.
    labels
        Titles for families, by their names; default: the names.

    Raises
    ------
    InputError
        For a descriptor that is swept over further parameters: medians would mix them.
    """
    from matplotlib.ticker import MaxNLocator

    chosen = {family: select(table, family, descriptor, single=False) for family in families}
    first = chosen[families[0]]
    if mixed := [name for name in SWEPT[:-1] if name not in (along, *_VARIANTS) and first[name].nunique() > 1]:
        raise InputError(f"`descriptor` must be swept along {along} alone, got {descriptor!r} over {mixed[0]} too.")
    needed = list(dict.fromkeys((along, "n_max", "l_max", "radial_basis")))
    if any(rows[needed].isna().any(axis=None) for rows in chosen.values()):
        raise InputError(
            f"`descriptor` must have {', '.join(needed)} for this figure, got {descriptor!r}. Name another."
        )
    varied = [name for name in _VARIANTS if first[name].nunique() > 1]
    values = [sorted(first[name].unique()) for name in varied]
    variants = [variant for variant in product(*values) if first[varied].eq(list(variant)).all(axis=1).any()]
    bases = sorted(first["radial_basis"].unique())
    looks = dict(zip(bases, cycle(zip(_SHADES, _MARKERS, strict=True)), strict=False))
    drawn = [("inverse_condition_number", variant) for variant in variants]
    for variant in variants:
        rows = first[first[varied].eq(list(variant)).all(axis=1)]
        if "resolution" in rows and rows["resolution"].notna().any():
            drawn.append(("resolution", variant))
    size = (2.5 * len(families) + 0.9, 1.9 * (len(drawn) + 1) + 1.0)
    figure, axes = panels(
        len(drawn) + 1, len(families), size, sharex=True, sharey="row", height_ratios=[0.75, *[1] * len(drawn)]
    )
    for column, (family, rows) in zip(axes.T, chosen.items(), strict=True):
        once = rows.drop_duplicates(along).sort_values(along)
        for variant in variants:
            _lines(column[0], rows[rows[varied].eq(list(variant)).all(axis=1)], "rank", along, looks)
        for (what, variant), ax in zip(drawn, column[1:], strict=True):
            _lines(ax, rows[rows[varied].eq(list(variant)).all(axis=1)], what, along, looks)
        column[0].plot(once[along], _generic_ranks(once), color="black", linestyle="--", linewidth=0.9, zorder=9)
        column[0].set_title(f"{(labels or {}).get(family, family)} (d = {rows['n_dof'].max()})", loc="left")
        column[-1].set_xlabel(_LABELS[along])
    axes[0, 0].set_ylabel(title(first) + "\n\nrank")
    axes[0, 0].set_ylim(0, first["n_dof"].max() + 1)
    axes[0, 0].yaxis.set_major_locator(MaxNLocator(5, integer=True))
    for line, (what, variant) in zip(axes[1:], drawn, strict=True):
        texts = [_VARIANTS[name].format(value) for name, value in zip(varied, variant, strict=True)]
        line[0].set_ylabel("\n\n".join([*texts, _WORDS[what]]))
    handles = [key(color=c, marker=m, markersize=3) for c, m in looks.values()]
    # It samples the density: its resolution is the share of no projection, and may exceed 1.
    names = [f"{basis} (no projection)" if basis == "dvr" and len(drawn) > len(variants) else basis for basis in looks]
    legend_above(figure, [*handles, key(color="black", linestyle="--")], [*names, "generic rank (theory)"])
    sentences = [_sentence((labels or {}).get(family, family), rows, along) for family, rows in chosen.items()]
    return Drawing(figure, " ".join(sentences))


def _lines(ax: "Axes", rows: "pd.DataFrame", what: str, along: str, looks: dict[str, tuple[str, str]]) -> None:
    """Draw the medians of a column, of ratios with bands, on a logarithmic scale."""
    if rows.empty:
        return
    floor = rows["rtol"].iloc[0]
    is_ratio = what != "rank"
    if is_ratio:
        logarithmic(ax, floor / 5, (floor / 30, floor), 2, "null")
    for index, (basis, (colour, marker)) in enumerate(looks.items()):
        groups = rows[rows["radial_basis"] == basis].groupby(along)
        # Smaller markers on top, so that coinciding lines all show.
        line: dict[str, Any] = {"color": colour, "marker": marker, "linewidth": 0.9, "mew": 0}
        line["markersize"] = 6.5 - 0.8 * index
        if not is_ratio:
            ax.plot(groups[what].median(), **line)
            continue
        # Null values are noise: in the band, whatever they are.
        low, median, high = (
            quantile.where((quantile > floor) | quantile.isna(), floor / 5)
            for quantile in (groups[what].quantile(q) for q in _QUANTILES)
        )
        ax.plot(median, **line)
        if (groups.size() > 1).any():
            ax.fill_between(median.index, low, high, color=colour, alpha=_ALPHA, linewidth=0)


def _generic_rank(n_max: Integers, l_max: Integers, n: int, d: int) -> Integers:
    """Rank of the power spectrum of n generic neighbours of one species: no more than features are independent."""
    result = np.minimum(n_max, n)
    for l in range(1, int(l_max.max()) + 1):
        k = np.minimum(n_max, 2 * l + 1)
        result = result + np.where(l <= l_max, n_max * k - k * (k - 1) // 2, 0)
    return np.minimum(result, d)


def _generic_ranks(rows: "pd.DataFrame") -> Integers:
    n_max, l_max = (rows[name].to_numpy(dtype=np.int64) for name in ("n_max", "l_max"))
    return _generic_rank(n_max, l_max, int(rows["n_neighbours"].max()), int(rows["n_dof"].max()))


def _sentence(name: str, rows: "pd.DataFrame", along: str) -> str:
    """Say how often ranks are generic, and how much the radial basis matters at the largest truncation."""
    generic = rows["rank"].to_numpy() == _generic_ranks(rows)
    largest = rows[rows[along] == rows[along].max()]
    medians = largest.groupby(["radial_basis", "density", "cutoff"])["inverse_condition_number"].median()
    ranks = (
        f"{name}: the rank equals that of generic environments in {generic.sum()} of {len(rows)} cases, and is at most "
        f"{rows['rank'].max()}"
    )
    if "resolution" in rows and largest["resolution"].notna().any():
        kept = largest.groupby("radial_basis")["resolution"].median()
        ends = [f"{number(kept[at])} ({at})" for at in (kept.idxmin(), kept.idxmax())]
        ranks += f"; the median resolution at {along} = {largest[along].iloc[0]:g} is between {' and '.join(ends)}"
    if medians.max() <= rows["rtol"].iloc[0]:
        return f"{ranks}, and s_d/s_1 at most {number(medians.max())} at {along} = {largest[along].iloc[0]:g}."
    low, high = ((number(medians[at]), at[0]) for at in (medians.idxmin(), medians.idxmax()))
    if low[0] == high[0]:
        return f"{ranks}; the median of s_d/s_1 at {along} = {largest[along].iloc[0]:g} is {low[0]} with each."
    return (
        f"{ranks}; the median of s_d/s_1 at {along} = {largest[along].iloc[0]:g} is between {low[0]} ({low[1]}) and "
        f"{high[0]} ({high[1]})."
    )
