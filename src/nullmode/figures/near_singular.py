"""How many environments of realistic sets are nearly singular, why, and with which hyperparameters."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from nullmode.figures._base import CAUSES, Drawing, legend_above, panels, patches, plain, select, spectra
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLOURS = {**CAUSES, "tie": "0.55", "none": "0.75"}
# Of s_r/s_1: below it there is rounding alone.
_NOISE = 1e-15
_NAMES = {
    "symmetry": "a symmetric structure nearby",
    "incompleteness": "body order",
    "truncation": "truncation",
    "unresolved": "cause not known",
    "cutoff": "neighbours at the cutoff",
    "width": "width of the density",
    "tie": "two of these alike",
    "none": "none of these alone",
}
# Shares of sets that differ by less are equal.
_ALIKE = 1e-9
# Share of a set that a cause must have to be named.
_WORTH_SAYING = 0.005


@figure(truncations="all", explanation="near_singular")
def draw(
    table: "pd.DataFrame",
    explanations: "pd.DataFrame",
    families: list[str],
    descriptors: list[str],
    threshold: Annotated[float, Field(gt=0, le=1)] = 1e-3,
    explained: Annotated[int, Field(ge=1)] = 6,
    labels: dict[str, str] | None = None,
) -> Drawing:
    """One panel per set, one bar per choice of hyperparameters: the share of near-singular environments, by cause.

    Near-singular: the smallest singular value beyond those that symmetry makes null, s_r with r = ``rank_symmetric``,
    is below `threshold` times the largest. Causes are those of the null values (the table's) and of the soft ones
    (:func:`nullmode.explain_near_null`) of some of these environments; each gives equal parts to its modes.

    Parameters
    ----------
    families
        The sets.
    descriptors
        Each at one or several truncations.
    threshold
        Of s_r/s_1.
    explained
        Near-singular environments of each bar of which the causes are computed, spread evenly over the set.
    labels
        Titles for families, by their names; default: the names.
    """
    bars = shares(table, explanations, families, descriptors, threshold)
    # The order given, also of descriptors that were not run on the first set.
    order = {name: k for k, name in enumerate(descriptors)}
    choices = sorted(dict.fromkeys(bars["choice"]), key=lambda choice: order[choice.partition(":")[0]])
    size = (max(5.6, 1.5 * len(families) + 2.6), 0.27 * len(choices) + 1.2)
    figure, axes = panels(1, len(families), size, sharey=True)
    for ax, family in zip(axes[0], families, strict=True):
        rows = bars[bars["family"] == family].set_index("choice").reindex(choices)
        _panel(ax, rows, choices)
        count = int(rows["environments"].fillna(0).max())
        ax.set_title(f"{(labels or {}).get(family, family)}\n{count} environments", loc="left")
    axes[0, 0].set_yticks(range(len(choices)), choices)
    axes[0, 0].invert_yaxis()
    figure.supxlabel(
        f"near-singular environments, % (grey: median of $s_r/s_1$; near-singular below {threshold:g})", fontsize=8
    )
    drawn = {cause: colour for cause, colour in _COLOURS.items() if bars[cause].any()}
    legend_above(figure, patches(drawn), [_NAMES[cause] for cause in drawn])
    return Drawing(figure, _result(bars, labels or {}, explained))


def shares(
    table: "pd.DataFrame", explanations: "pd.DataFrame", families: list[str], descriptors: list[str], threshold: float
) -> "pd.DataFrame":
    """Count near-singular environments and their causes; as :func:`draw`.

    Returns
    -------
    DataFrame
        One row per family and choice: ``environments`` that theory could judge; ``near_singular``, their share;
        ``median_ratio`` of s_r/s_1; ``soft_modes``, the mean number of values below the threshold, those that symmetry
        makes null left out; a column per cause, which add up to ``near_singular``.
    """
    import pandas as pd

    result = []
    for family in families:
        for descriptor in descriptors:
            if not ((table["family"] == family) & (table["descriptor"] == descriptor)).any():
                continue
            chosen = select(table, family, descriptor, single=False)
            modes = explanations[(explanations["family"] == family) & (explanations["descriptor"] == descriptor)]
            for parameters, rows in chosen.groupby("parameters", sort=False):
                counts = _counted(rows, modes[modes["parameters"] == parameters], threshold)
                result.append({"family": family, "choice": _choice(rows.iloc[0]), **counts})
    return pd.DataFrame(result)


def _counted(rows: "pd.DataFrame", modes: "pd.DataFrame", threshold: float) -> dict[str, float]:
    known = (rows["status"] == "ok") & (rows["rank_symmetric"].fillna(0) > 0)
    judged = rows[known].sort_values(["structure", "center"])
    allowed = [
        values[: int(most)] for values, most in zip(spectra(judged), judged["rank_symmetric"].to_list(), strict=True)
    ]
    ratios = np.array([values[-1] for values in allowed])
    share = np.count_nonzero(ratios < threshold) / max(1, len(judged))
    by_cause = dict.fromkeys(_COLOURS, 0.0)
    explained = modes.groupby(["structure", "center"], sort=False)["cause"]
    for _, causes in explained:
        for cause, count in Counter(causes).items():
            by_cause[cause] += share * count / len(causes) / explained.ngroups
    return {
        "environments": len(judged),
        "near_singular": share,
        "median_ratio": float(np.median(ratios)) if len(ratios) else np.nan,
        "soft_modes": sum(np.count_nonzero(values < threshold) for values in allowed) / max(1, len(judged)),
        **by_cause,
    }


def _choice(row: "pd.Series") -> str:
    """Name a descriptor and what it was run with."""
    import pandas as pd

    order = "" if pd.isna(row["correlation_order"]) else rf"$\nu$ = {row['correlation_order']:.0f}, "
    sizes = [f"{row[name]:.0f}" for name in ("n_max", "l_max") if pd.notna(row[name])]
    lengths = [
        f"{symbol} {row[name]:g}"
        for name, symbol in (("width", r"$\sigma$"), ("cutoff", "$r_c$"), ("cutoff_width", "$w$"))
        if pd.notna(row[name])
    ]
    return f"{row['descriptor']}: {order}" + ", ".join([f"({', '.join(sizes)})", *lengths] if sizes else lengths)


def _panel(ax: "Axes", rows: "pd.DataFrame", choices: list[str]) -> None:
    left = np.zeros(len(choices))
    for cause, colour in _COLOURS.items():
        widths = 100 * rows[cause].fillna(0).to_numpy(dtype=float)
        ax.barh(range(len(choices)), widths, left=left, color=colour, height=0.75)
        left += widths
    for index, (end, ratio) in enumerate(zip(left, rows["median_ratio"], strict=True)):
        text = "not run" if np.isnan(ratio) else "0" if ratio < _NOISE else f"{ratio:.0e}".replace("-", "−")
        ax.text(end + 3, index, text, va="center", fontsize=6, color="0.45")
    ax.set(xlim=(0, 140), xticks=[0, 50, 100])
    ax.tick_params(axis="y", length=0)


def _result(bars: "pd.DataFrame", labels: dict[str, str], explained: int) -> str:
    phrases = []
    for family, rows in bars.groupby("family", sort=False):
        first, share = rows.iloc[0], rows["near_singular"]
        causes = [f"{_NAMES[cause]} {100 * first[cause]:.0f}" for cause in _NAMES if first[cause] >= _WORTH_SAYING]
        why = f" ({', '.join(causes)})" if causes else ""
        phrases.append(
            f"{labels.get(str(family), str(family))}: {100 * first['near_singular']:.0f} %{why}{_cure(rows, share)}"
        )
    start = str(bars["choice"].iloc[0]).partition(":")[0]
    return (
        f"Share of near-singular environments with {start} (by cause), and with the choice that leaves fewest: "
        f"{'; '.join(phrases)}. "
        f"The causes are those of at most {explained} environments per bar."
    )


def _cure(rows: "pd.DataFrame", share: "pd.Series[float]") -> str:
    """Say with which other choice there are fewest near-singular environments, if any leaves fewer."""
    if len(rows) == 1:
        return ""
    fewest = rows[share <= share.min() + _ALIKE]
    if share.iloc[0] <= share.min() + _ALIKE:
        return ", and no other choice leaves fewer"
    others = f" and {len(fewest) - 1} other{'s' * (len(fewest) > 2)}" if len(fewest) > 1 else ""
    return f" and {100 * share.min():.0f} % ({plain(str(fewest['choice'].iloc[0]))}{others})"
