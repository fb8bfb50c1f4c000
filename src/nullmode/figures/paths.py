"""Singular values along the paths of a family: which of them grow from zero where symmetry breaks, and how fast."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode.figures._base import (
    BAND,
    OPEN,
    ROUNDING,
    ZERO,
    Drawing,
    key,
    listing,
    literal,
    logarithmic,
    panels,
    select,
    spectra,
    title,
)
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_EXPONENT = 300
_LABELS = {
    "stretch_one": "one bond × t",
    "stretch_two": "two bonds × t",
    "stretch_opposite": "bonds × t and × 1/t",
    "flatten": "flattening t",
    "twist": "twist t / °",
    "umbrella": "umbrella t / °",
    "noise": "noise amplitude / Å",
}


@figure()
def draw(table: "pd.DataFrame", family: str, descriptors: list[str]) -> Drawing:
    """One column per path, one row per descriptor: s_k/s_1 against the path's parameter, medians over samples.

    Values that are rounding, or zero, are open circles in a band of their own.

    Parameters
    ----------
    family
        With coordinates ``path`` and ``t``.
    descriptors
        Each at one truncation.
    """
    chosen = [select(table, family, descriptor, "path", "t") for descriptor in descriptors]
    paths = list(dict.fromkeys(path for rows in chosen for path in rows["path"]))
    size = (max(4.2, 1.65 * len(paths) + 0.9), 2.1 * len(chosen) + 0.5)
    figure, axes = panels(len(chosen), len(paths), size, sharey=True, sharex="col")
    for line, rows in zip(axes, chosen, strict=True):
        for ax, path in zip(line, paths, strict=True):
            _panel(ax, rows[rows["path"] == path], noisy=path == "noise")
        line[0].set_ylabel(title(rows) + "\n\nsingular value, $s_k / s_1$")
    for ax, path in zip(axes[-1], paths, strict=True):
        ax.set_xlabel(_LABELS.get(path, f"{literal(path)}: t") + _samples(rows[rows["path"] == path]))
    entries = {label: handle for ax in axes.flat for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    labels = sorted(entries, key=lambda label: (label == "rtol", len(label), label))
    handles = [entries[label] for label in labels]
    if any((spectra(rows) <= ROUNDING).any() for rows in chosen):
        handles.append(key(color="0.4", **OPEN, markersize=4))
        labels.append(f"rounding (below {ROUNDING:g})")
    figure.legend(handles, labels, loc="outside right center")
    return Drawing(figure, " ".join(_sentence(rows, paths) for rows in chosen))


def _sentence(rows: "pd.DataFrame", paths: list[str]) -> str:
    """Say which ranks one descriptor has along each path."""
    ranks = rows.groupby(["path", "t"])["rank"].median()
    spans = [f"{path} {_span(ranks[path]) if path in ranks else 'not known'}" for path in paths]
    return f"Rank of {rows['descriptor'].iloc[0]} along each path, of at most {rows['n_dof'].max()}: {listing(spans)}."


def _span(ranks: "pd.Series") -> str:
    """Write the values of a path in order, each run of equal ones once."""
    changes = ranks[ranks != ranks.shift()]
    return " to ".join(f"{rank:.0f}" for rank in changes)


def _samples(rows: "pd.DataFrame") -> str:
    counts = rows.groupby("t").size()
    if not len(counts) or counts.max() == 1:
        return ""
    return f"\nmedian of {counts.min()}" + (f" to {counts.max()}" if counts.min() < counts.max() else "")


def _panel(ax: "Axes", rows: "pd.DataFrame", *, noisy: bool) -> None:
    import matplotlib as mpl
    import pandas as pd

    values = pd.DataFrame(spectra(rows)).groupby(rows["t"].to_numpy()).median()
    # Exponents of a user's own may be beyond what a number holds.
    noisy = noisy and bool((np.abs(values.index) < _MOST_EXPONENT).all())
    t = 10.0**values.index if noisy else values.index
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.92, values.shape[1]))
    logarithmic(ax, ZERO, BAND, 3)
    for k, shade in enumerate(shades):
        # Smaller markers on top, so that coinciding values all show.
        size, hidden = max(1.0, 4.5 - 0.4 * k), values[k] <= ROUNDING
        y = values[k].where(~hidden)
        ax.plot(t, y, color=shade, label=f"k = {k + 1}", marker="o", markersize=size, linewidth=0.8)
        ax.plot(t, hidden.map({True: ZERO, False: np.nan}), color=shade, **OPEN, markersize=size)
    for rtol in rows["rtol"].unique():
        ax.axhline(rtol, color="0.5", linestyle=":", linewidth=0.8, label="rtol")
    if noisy:
        ax.set_xscale("log")
