"""What several families share."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode.types import Floats

if TYPE_CHECKING:
    from ase import Atoms

BOND = 1.09
"""C–H bond length of methane, Å."""
TETRAHEDRON = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0]]) / np.sqrt(3)
"""Directions of its hydrogens."""


def methane(hydrogens: Floats, **coordinates: Any) -> "Atoms":
    """Put hydrogens around a carbon at the origin, the only centre.

    Parameters
    ----------
    hydrogens, shape (n, 3)
        Positions in Å.
    **coordinates
        Where this structure lies in its family: numbers or texts.
    """
    from ase import Atoms

    positions = np.concatenate([np.zeros((1, 3)), hydrogens])
    return Atoms(f"CH{len(hydrogens)}", positions=positions, info={"centers": [0], **coordinates})
