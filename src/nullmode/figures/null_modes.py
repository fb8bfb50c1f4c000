"""The null modes themselves, as arrows on the molecule."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import Floats
from nullmode.figures._base import CAUSES, Drawing, legend_above, listing, patches, select, style
from nullmode.figures._cases import descriptor_of, environments_of, tolerances
from nullmode.figures._figure import Figure
from nullmode.figures._molecules import molecule, views

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nullmode.attribution.null_modes import NullModes
    from nullmode.geometry.environment import Environment

# The longest arrow of a mode, over the distance of the farthest neighbour.
_ARROW = 0.65


def draw(
    table: "pd.DataFrame",
    structures: "dict[str, pd.DataFrame]",
    kinds: dict[str, str],
    family: str,
    descriptors: list[str],
    names: list[str] | None = None,
) -> Drawing:
    """One row per structure and descriptor, one panel per null mode: arrows on the molecule, coloured by cause.

    A row is seen from where atoms cover each other least and each mode shows; what moves towards the eye looks shorter.
    Structures without null modes are left out.

    Parameters
    ----------
    table
        The sensitivity table.
    structures
        Structures tables of the families, by name.
    kinds
        Kinds of the descriptors, by name.
    family
        With a coordinate ``name``, as ``point_groups``.
    descriptors
        Each at one truncation.
    names
        Structures to draw; default every one.
    """
    import matplotlib.pyplot as plt

    from nullmode.attribution.null_modes import split_null_modes

    with style():
        lines: list[tuple[str, Environment, list[tuple[NullModes, Floats]]]] = []
        for name in descriptors:
            rows = select(table, family, name, single=True)
            descriptor = descriptor_of(rows, kinds)
            for label, environment in environments_of(structures[family], descriptor.cutoff, names).items():
                parts = split_null_modes(environment, descriptor, *tolerances(rows, label))
                panels = [(part, mode) for part in parts for mode in part.modes]
                if panels:
                    lines.append((f"{label}\n{name}", environment, panels))
        wide = max((len(panels) for _, _, panels in lines), default=1)
        size = (1.25 * wide + 0.8, 1.4 * max(len(lines), 1) + 0.3)
        figure, axes = plt.subplots(max(len(lines), 1), wide, squeeze=False, figsize=size, layout="constrained")
        for ax in axes.flat:
            ax.set_axis_off()
        for line, (label, environment, panels) in zip(axes, lines, strict=False):
            view = _view(environment, np.array([mode for _, mode in panels]))
            for ax, (part, mode) in zip(line, panels, strict=False):
                molecule(ax, environment, view)
                _arrows(ax, environment, mode, view, CAUSES[part.cause])
                ax.set_title(part.irrep)
            line[0].text(-0.15, 0.5, label, transform=line[0].transAxes, ha="right", va="center")
        causes = {part.cause for _, _, panels in lines for part, _ in panels}
        colours = {f"null: {cause}": colour for cause, colour in CAUSES.items() if cause in causes}
        if colours:
            legend_above(figure, patches(colours), list(colours))
        else:
            axes[0, 0].text(0.5, 0.5, "no null modes", transform=axes[0, 0].transAxes, ha="center")
        plt.close(figure)
        said = [f"{label.replace(chr(10), ', ')}, {_counted(panels)}" for label, _, panels in lines]
        return Drawing(figure, f"Null modes: {'; '.join(said)}." if said else "There are no null modes.")


FIGURE = Figure(draw)


def _counted(panels: "list[tuple[NullModes, Floats]]") -> str:
    """Count the null modes of one environment by cause."""
    causes = Counter(part.cause for part, _ in panels)
    return listing([f"{count} by {cause}" for cause, count in causes.items()])


def _view(environment: "Environment", modes: Floats) -> Floats:
    """Rows: right, up, and towards the eye, for the view that hides least of atoms and modes; shape (3, 3)."""
    from scipy.spatial.distance import pdist

    atoms = np.concatenate([np.zeros((1, 3)), environment.vectors])
    best, most = np.eye(3), -1.0
    for view in views():
        seen = pdist(atoms @ view[:2].T).min() * np.linalg.norm(modes @ view[:2].T, axis=(1, 2)).min()
        # Of equal views the first, whatever the rounding.
        if seen > most + 1e-6:
            best, most = view, seen
    return best


def _arrows(ax: "Axes", environment: "Environment", mode: Floats, view: Floats, colour: str) -> None:
    start = environment.vectors @ view.T
    step = (
        mode @ view.T * _ARROW * np.linalg.norm(environment.vectors, axis=1).max() / np.linalg.norm(mode, axis=1).max()
    )
    arrows = ax.quiver(
        *start[:, :2].T, *step[:, :2].T, color=colour, angles="xy", scale_units="xy", scale=1, width=0.02, zorder=20
    )
    # Arrows may leave their panel, but do not take part in the layout.
    arrows.set_clip_on(False)
    arrows.set_in_layout(False)
