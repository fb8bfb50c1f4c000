"""Molecules, flat: balls and sticks from a point of view."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nullmode.geometry.environment import Environment

_VIEWS = 400
# Around the molecule, over the distance of its farthest neighbour.
_MARGIN = 0.5


def views() -> Iterator[Floats]:
    """Rows right, up, and towards the eye, (3, 3), of points of view spread evenly over half a sphere."""
    # By the golden angle.
    z = (np.arange(_VIEWS) + 0.5) / _VIEWS
    azimuth = np.pi * (3 - np.sqrt(5)) * np.arange(_VIEWS)
    eyes = np.stack([np.sqrt(1 - z**2) * np.cos(azimuth), np.sqrt(1 - z**2) * np.sin(azimuth), z], axis=1)
    for eye in eyes:
        right = np.cross([0.0, 0.0, 1.0], eye)
        right /= np.linalg.norm(right)
        yield np.array([right, np.cross(eye, right), eye])


def molecule(ax: "Axes", environment: "Environment", view: Floats) -> None:
    """Draw the centre and its neighbours."""
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
