"""The null modes themselves, as arrows on the molecule."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from nullmode.figures._base import (
    CAUSES,
    Drawing,
    by_cause,
    explained,
    legend_above,
    listing,
    literal,
    null_colours,
    panels,
    patches,
)
from nullmode.figures._figure import figure
from nullmode.figures._molecules import draw_arrows, draw_molecule, molecule_of, view_of

if TYPE_CHECKING:
    import pandas as pd


@figure(explanation="null_modes")
def draw(explanations: "pd.DataFrame", family: str, descriptors: list[str], names: list[str] | None = None) -> Drawing:
    """One row per structure and descriptor, one panel per null mode: arrows on the molecule, coloured by cause.

    Each row is seen from the direction in which atoms cover each other least and every mode shows; an arrow towards
    the eye looks shorter than it is. Structures without null modes are left out.

    Parameters
    ----------
    family
        With a coordinate ``name``, as ``point_groups``.
    descriptors
        Each at one truncation.
    names
        Structures to draw; default all of them.
    """
    lines: dict[str, pd.DataFrame] = {}
    for descriptor in descriptors:
        for name, rows in explained(explanations, family, descriptor).groupby("name", sort=False):
            if len(null := rows[rows["cause"] != "seen"]) and (names is None or name in names):
                lines[f"{name}\n{descriptor}"] = null
    wide = max(map(len, lines.values()), default=1)
    size = (1.25 * wide + 0.8, 1.4 * max(len(lines), 1) + 0.3)
    figure, axes = panels(max(len(lines), 1), wide, size)
    for ax in axes.flat:
        ax.set_axis_off()
    for line, (label, null) in zip(axes, lines.items(), strict=False):
        molecule = molecule_of(null.iloc[0])
        displacements = np.reshape(np.stack(null["displacement"].to_list()), (len(null), -1, 3))
        view = view_of(molecule, displacements)
        for ax, mode, cause, irrep in zip(line, displacements, null["cause"], null["irrep"], strict=False):
            draw_molecule(ax, molecule, view)
            draw_arrows(ax, molecule, mode, view, CAUSES[cause])
            ax.set_title(irrep if isinstance(irrep, str) else "")
        line[0].text(-0.15, 0.5, literal(label), transform=line[0].transAxes, ha="right", va="center")
    causes = {cause for null in lines.values() for cause in null["cause"]}
    colours = null_colours(causes)
    if colours:
        legend_above(figure, patches(colours), list(colours))
    else:
        axes[0, 0].text(0.5, 0.5, "no null modes", transform=axes[0, 0].transAxes, ha="center")
    counts = [f"{label.replace(chr(10), ', ')}, {_counted(null)}" for label, null in lines.items()]
    return Drawing(figure, f"Null modes: {'; '.join(counts)}." if counts else "There are no null modes.")


def _counted(null: "pd.DataFrame") -> str:
    """Count the null modes of one structure by cause."""
    return listing([f"{count} by {by_cause(cause)}" for cause, count in Counter(null["cause"]).items()])
