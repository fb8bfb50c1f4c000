"""A family of all that is rare: no neighbours, one, lines, every species another, what cannot be analysed."""

from collections.abc import Iterator

import numpy as np
from ase import Atoms
from ase.build import molecule

from nullmode import FamilySize

_GENERIC = [[0.0, 0.0, 0.0], [1.1, 0.1, -0.2], [-0.3, 0.9, 0.4], [0.2, -0.8, 0.7]]
STRUCTURES = {
    "bad": Atoms("CH", [[0, 0, 0], [np.nan, 0, 0]]),
    "alone": Atoms("He"),
    "far": Atoms("XeF", [[0, 0, 0], [30, 0, 0]]),
    "two": molecule("CO"),
    "equal": molecule("H2"),
    "line": molecule("CO2"),
    "bent": molecule("H2O"),
    "round": Atoms("SiCl4", molecule("SiCl4").positions),
    "generic": Atoms("PFBrI", _GENERIC),
    "twice": Atoms("N2", np.zeros((2, 3))),
    "unknown": Atoms("XH", [[0, 0, 0], [1, 0, 0]]),
}
SKIPPED = ["bad", "twice", "unknown"]


def structures(
    names: list[str] | None = None, coordinates: dict[str, float | str] | None = None, paired: bool = True
) -> Iterator[Atoms]:
    """Give the structures of these names, or all, each with the same coordinates besides its name."""
    for name in names or STRUCTURES:
        atoms = STRUCTURES[name].copy()
        atoms.info = {"centers": [0], "name": name, **(coordinates or {}), **({"pair": 0} if paired else {})}
        yield atoms


def _size(names: list[str] | None = None, **_: object) -> FamilySize:
    return FamilySize(structures=len(names or STRUCTURES), atoms=3, centers=1, species=10)


structures.size = _size
