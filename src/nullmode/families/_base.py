"""Functions that several families use."""

from collections.abc import Callable, Iterator
from itertools import product
from math import pi, prod
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo

from nullmode._support.axes import MOST_POINTS, Axis, Range, above, at_most, axis_values, distinct, values
from nullmode._support.types import Floats, InputError

if TYPE_CHECKING:
    from ase import Atoms

BOND = 1.09
"""C–H bond length of methane, Å."""
TETRAHEDRON = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0]]) / np.sqrt(3)
"""Directions of its hydrogens."""
_DENSITY = 0.1
"""Atoms per Å³: few substances hold more."""
F = TypeVar("F", bound=Callable[..., Any])
Structures: TypeAlias = "Iterator[Atoms]"
"""What a family returns. ASE is imported when a family runs: it is too heavy for the check of a configuration."""


class FamilySize(NamedTuple):
    """What a family holds, as far as its parameters tell: jobs are planned before any structure is made.

    Attributes
    ----------
    structures
        Their number.
    atoms, centers
        Numbers per structure; means where structures differ.
    species
        Number of chemical elements.
    periodic
        Whether a centre has neighbours beyond the structure's own atoms.
    """

    structures: int
    atoms: float
    centers: float
    species: int = 1
    periodic: bool = False

    def neighbours(self, cutoff: float) -> float:
        """Estimate the number of neighbours of a centre within a cutoff in Å."""
        dense = _DENSITY * 4 / 3 * pi * cutoff**3
        return dense if self.periodic else min(self.atoms - 1, dense)


METHANE = FamilySize(structures=1, atoms=5, centers=1)


def sized(size: Callable[..., FamilySize | None]) -> Callable[[F], F]:
    """Attach to a family the function that estimates its size from its parameters, or gives None where it cannot."""

    def mark(family: F) -> F:
        # The plan of jobs reads `size` by name; to a type checker, functions have no attributes of their own.
        family.size = size  # type: ignore[attr-defined]
        return family

    return mark


def grid_size(**axes: Axis | list[int]) -> FamilySize:
    """Size of a family of methanes with one structure for each point of a grid."""
    return METHANE._replace(structures=prod(len(values(axis)) for axis in axes.values()))


on_grid = sized(grid_size)
"""Attaches this size to a family whose parameters are all axes."""


def methane(hydrogens: Floats, **coordinates: Any) -> "Atoms":
    """Put hydrogens, shape (n, 3) in Å, around a carbon at the origin, the only centre; coordinates go to ``info``."""
    from ase import Atoms

    positions = np.concatenate([np.zeros((1, 3)), hydrogens])
    return Atoms(f"CH{len(hydrogens)}", positions=positions, info={"centers": [0], **coordinates})


def grid(**axes: Axis) -> Iterator[dict[str, float]]:
    """Iterate over all points of a grid; the last axis varies fastest."""
    for point in product(*(axis_values(axis).tolist() for axis in axes.values())):
        yield dict(zip(axes, point, strict=True))


def _check_grid(axis: Axis, info: ValidationInfo) -> Axis:
    axes = {name: other for name, other in info.data.items() if isinstance(other, Range | list)}
    size = prod(len(values(each)) for each in (*axes.values(), axis))
    if size > MOST_POINTS:
        names = ", ".join(f"`{name}`" for name in axes)
        raise InputError(
            f"{names} and `{info.field_name}` must span at most {MOST_POINTS} points, got {size}. Use fewer values."
        )
    return axis


Lengths = Annotated[Axis, above(0)]
"""Values of a distance, in Å."""
Slant = Annotated[Axis, above(0), at_most(180)]
"""Values of an angle with an axis, in degrees."""
EndAxis = Annotated[Axis, AfterValidator(_check_grid), Field(validate_default=True)]
"""The last axis of a grid, which refuses a grid of too many points."""
EndLengths = Annotated[Lengths, AfterValidator(_check_grid), Field(validate_default=True)]
Signs = Annotated[list[Literal[-1, 1]], Field(min_length=1), AfterValidator(distinct)]
"""Members of a pair."""


def towards(angle: float, azimuth: float) -> Floats:
    """Compute the unit vector at an angle from x and an azimuth about x from y towards z; degrees; shape (3,)."""
    slant, turn = np.radians(angle), np.radians(azimuth)
    return np.array([np.cos(slant), np.sin(slant) * np.cos(turn), np.sin(slant) * np.sin(turn)])


def with_emt(atoms: "Atoms") -> "Atoms":
    """Give a structure the forces of ASE's EMT, and a periodic one the stress, if that has all its elements."""
    from ase.calculators.emt import EMT, parameters
    from ase.calculators.singlepoint import SinglePointCalculator

    if set(atoms.symbols) <= parameters.keys():
        copy = atoms.copy()
        copy.calc = EMT()
        stress = {"stress": copy.get_stress()} if atoms.pbc.all() else {}
        atoms.calc = SinglePointCalculator(atoms, forces=copy.get_forces(), **stress)
    return atoms
