"""What several families share."""

from collections.abc import Callable
from math import pi
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from nullmode.types import Floats

if TYPE_CHECKING:
    from ase import Atoms

BOND = 1.09
"""C–H bond length of methane, Å."""
TETRAHEDRON = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0]]) / np.sqrt(3)
"""Directions of its hydrogens."""
CONDENSED = 0.1
"""Atoms per Å³ of condensed matter, about."""
F = TypeVar("F", bound=Callable[..., Any])


class FamilySize(NamedTuple):
    """What a family holds, as far as its parameters tell: a plan of jobs is made before any structure.

    Attributes
    ----------
    structures
        How many.
    atoms, centers
        Per structure; means where structures differ.
    species
        Of the neighbours.
    density
        Atoms per Å³, which limits the neighbours; default that of condensed matter.
    periodic
        Whether there are neighbours beyond the structure's own atoms.
    """

    structures: int
    atoms: float
    centers: float
    species: int
    density: float = CONDENSED
    periodic: bool = False

    def neighbours(self, cutoff: float) -> float:
        """Neighbours of a centre within a cutoff in Å."""
        filled = self.density * 4 / 3 * pi * cutoff**3
        return filled if self.periodic else min(self.atoms - 1, filled)


METHANE = FamilySize(structures=1, atoms=5, centers=1, species=1)


def sized(size: Callable[..., FamilySize | None]) -> Callable[[F], F]:
    """Say how much a family holds: a function of the family's parameters, quick, and None where it cannot be told."""

    def mark(family: F) -> F:
        family.size = size  # type: ignore[attr-defined]
        return family

    return mark


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
