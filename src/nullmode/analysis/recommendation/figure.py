"""The figure of a recommendation: features against resolution."""

from typing import TYPE_CHECKING

from nullmode.figures._base import panels, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nullmode.analysis.recommendation.record import Recommendation

_LINE = "#333333"
_MARKERS = "osD^vP*X"
_COLOURS = ("#4477aa", "#ee9933", "#228833", "#cc3311", "#aa88bb", "#66ccee", "#aaaa33", "#777777")


def draw(found: "Recommendation") -> "Figure":
    """Draw all settings whose body order is enough, the front as a line, the target, and the recommended setting."""
    from nullmode.analysis.recommendation.table import BODY_ORDER

    table = found.table[~found.table["misses"].str.startswith(BODY_ORDER)]
    with style():
        figure, axes = panels(1, 1, (4.6, 3.2))
        ax = axes[0, 0]
        kinds = table.groupby(["correlation_order", "radial_basis"], sort=False)
        several = table["correlation_order"].nunique() > 1
        for k, ((order, basis), rows) in enumerate(kinds):
            ax.plot(
                rows["features"],
                rows["resolution"],
                _MARKERS[k % len(_MARKERS)],
                ms=2.5,
                alpha=0.6,
                mew=0,
                color=_COLOURS[k % len(_COLOURS)],
                label=str(basis) + f", order {order}" * several,
            )
        ax.step(
            found.front["features"], found.front["resolution"], where="post", color="#333333", lw=0.9, label="front"
        )
        ax.axhline(found.target, color="#333333", lw=0.7, ls=":")
        ax.text(
            1.0, found.target, "target", transform=ax.get_yaxis_transform(), ha="right", va="bottom", color="#333333"
        )
        best = found.front[found.front["best"]]
        if len(best):
            row = best.iloc[0]
            ax.plot(row["features"], row["resolution"], "o", ms=8, mfc="none", mec="#cc3311", mew=1.2)
            ax.annotate(
                f"({row['n_max']}, {row['l_max']})",
                (row["features"], row["resolution"]),
                xytext=(-7, 5),
                textcoords="offset points",
                ha="right",
                color="#cc3311",
            )
        ax.set_xscale("log")
        ax.set_ylim(0, max(1.0, 1.05 * float(table["resolution"].max())))
        which = {0.0: "worst", 0.5: "median"}.get(found.quantile, f"quantile {found.quantile:g}")
        ax.set_xlabel("features of an environment")
        ax.set_ylabel(f"resolution ({which} of {len(found.sample)} environments)")
        ax.legend(loc="upper left")
    return figure
