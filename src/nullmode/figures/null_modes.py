"""The null modes themselves, as arrows on the molecule."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode.figures._base import CAUSES, legend_above, patches, select, style
from nullmode.figures._cases import descriptor_of, environments_of, tolerances
from nullmode.types import Floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nullmode.environment import Environment
    from nullmode.null_modes import NullModes

_VIEWS = 400
# Of the farthest neighbour's distance: the longest arrow of a mode, and the margin around the molecule.
_ARROW, _MARGIN = 0.65, 0.5


def draw(
    table: "pd.DataFrame",
    structures: "dict[str, pd.DataFrame]",
    kinds: dict[str, str],
    family: str,
    descriptors: list[str],
    names: list[str] | None = None,
) -> "Figure":
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

    from nullmode.null_modes import split_null_modes

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
                _molecule(ax, environment, view)
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
        return figure


def _view(environment: "Environment", modes: Floats) -> Floats:
    """Rows: right, up, and towards the eye, for the view that hides least of atoms and modes; shape (3, 3)."""
    from scipy.spatial.distance import pdist

    atoms = np.concatenate([np.zeros((1, 3)), environment.vectors])
    # Directions spread evenly over half a sphere by the golden angle.
    z = (np.arange(_VIEWS) + 0.5) / _VIEWS
    azimuth = np.pi * (3 - np.sqrt(5)) * np.arange(_VIEWS)
    eyes = np.stack([np.sqrt(1 - z**2) * np.cos(azimuth), np.sqrt(1 - z**2) * np.sin(azimuth), z], axis=1)
    best, most = np.eye(3), -1.0
    for eye in eyes:
        right = np.cross([0.0, 0.0, 1.0], eye)
        right /= np.linalg.norm(right)
        view = np.array([right, np.cross(eye, right), eye])
        seen = pdist(atoms @ view[:2].T).min() * np.linalg.norm(modes @ view[:2].T, axis=(1, 2)).min()
        # Of equal views the first, whatever the rounding.
        if seen > most + 1e-6:
            best, most = view, seen
    return best


def _molecule(ax: "Axes", environment: "Environment", view: Floats) -> None:
    from ase.data import covalent_radii
    from ase.data.colors import jmol_colors
    from matplotlib.patches import Circle

    atoms = np.concatenate([np.zeros((1, 3)), environment.vectors]) @ view.T
    numbers = [environment.center_species, *environment.species.tolist()]
    reach = np.linalg.norm(environment.vectors, axis=1).max()
    for x, y, z in atoms[1:]:
        ax.plot([0, x], [0, y], color="0.6", linewidth=1.5, zorder=z - 10)
    for (x, y, z), number in zip(atoms, numbers, strict=True):
        radius = 0.35 * covalent_radii[number]
        ax.add_patch(Circle((x, y), radius, facecolor=jmol_colors[number], edgecolor="0.4", linewidth=0.5, zorder=z))
    ax.set(xlim=_limits(atoms[:, 0], reach), ylim=_limits(atoms[:, 1], reach), aspect="equal")


def _limits(values: Floats, reach: float) -> tuple[float, float]:
    return values.min() - _MARGIN * reach, values.max() + _MARGIN * reach


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
