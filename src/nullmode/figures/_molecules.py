"""Molecules as balls and sticks in the plane of the figure, seen from a chosen direction."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nullmode._support.elements import atomic_number
from nullmode._support.types import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VIEWS = 400
# The longest arrow of a mode, over the distance of the farthest neighbour.
_ARROW = 0.65
# Around the molecule, over the distance of its farthest neighbour.
_MARGIN = 0.5


class Molecule(NamedTuple):
    """A centre and its neighbours: atomic numbers, the centre's first, and vectors (n, 3) in Å from the centre."""

    numbers: list[int]
    vectors: Floats

    @property
    def atoms(self) -> Floats:
        """Positions of all atoms, the centre's first, shape (n + 1, 3)."""
        return np.concatenate([np.zeros((1, 3)), self.vectors])


def molecule_of(row: Any, vectors: str = "vectors") -> Molecule:
    """Read a molecule from a row of a table; `vectors` names the column of the neighbours."""
    numbers = [atomic_number(row["center_species"]), *map(int, row["species"])]
    return Molecule(numbers, np.reshape(row[vectors], (-1, 3)))


def views() -> Iterator[Floats]:
    """Points of view spread evenly over half a sphere: matrices (3, 3) of rows right, up, and towards the eye."""
    # By the golden angle.
    z = (np.arange(_VIEWS) + 0.5) / _VIEWS
    azimuth = np.pi * (3 - np.sqrt(5)) * np.arange(_VIEWS)
    eyes = np.stack([np.sqrt(1 - z**2) * np.cos(azimuth), np.sqrt(1 - z**2) * np.sin(azimuth), z], axis=1)
    for eye in eyes:
        right = np.cross([0.0, 0.0, 1.0], eye)
        right /= np.linalg.norm(right)
        yield np.array([right, np.cross(eye, right), eye])


def draw_molecule(ax: "Axes", molecule: Molecule, view: Floats) -> None:
    """Draw the centre and its neighbours."""
    from ase.data import covalent_radii
    from ase.data.colors import jmol_colors
    from matplotlib.patches import Circle

    atoms = molecule.atoms @ view.T
    reach = np.linalg.norm(molecule.vectors, axis=1).max()
    for x, y, z in atoms[1:]:
        ax.plot([0, x], [0, y], color="0.6", linewidth=1.5, zorder=z - 10)
    for (x, y, z), number in zip(atoms, molecule.numbers, strict=True):
        radius = 0.35 * covalent_radii[number]
        ax.add_patch(Circle((x, y), radius, facecolor=jmol_colors[number], edgecolor="0.4", linewidth=0.5, zorder=z))
    ax.set(xlim=_limits(atoms[:, 0], reach), ylim=_limits(atoms[:, 1], reach), aspect="equal")


def _limits(values: Floats, reach: float) -> tuple[float, float]:
    return values.min() - _MARGIN * reach, values.max() + _MARGIN * reach


def view_of(molecule: Molecule, modes: Floats) -> Floats:
    """Choose the view, (3, 3), that hides least of atoms and modes."""
    from scipy.spatial.distance import pdist

    best, most = np.eye(3), -1.0
    for view in views():
        shown = pdist(molecule.atoms @ view[:2].T).min() * np.linalg.norm(modes @ view[:2].T, axis=(1, 2)).min()
        # Of equal views the first, whatever the rounding.
        if shown > most + 1e-6:
            best, most = view, shown
    return best


def draw_arrows(ax: "Axes", molecule: Molecule, mode: Floats, view: Floats, colour: str) -> None:
    """Draw a mode as arrows, the longest of one length whatever the mode."""
    start = molecule.vectors @ view.T
    reach = np.linalg.norm(molecule.vectors, axis=1).max()
    step = mode @ view.T * _ARROW * reach / np.linalg.norm(mode, axis=1).max()
    arrows = ax.quiver(
        *start[:, :2].T, *step[:, :2].T, color=colour, angles="xy", scale_units="xy", scale=1, width=0.02, zorder=20
    )
    # Arrows may leave their panel, but do not take part in the layout.
    arrows.set_clip_on(False)
    arrows.set_in_layout(False)
