"""Random methane: four hydrogens anywhere in a sphere, none too close."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo

from nullmode.families._base import METHANE, methane, sized
from nullmode.types import InputError

if TYPE_CHECKING:
    from ase import Atoms

_TRIES = 100_000


def _check_room(min_distance: float, info: ValidationInfo) -> float:
    # Every hydrogen is within the radius of the carbon, and farther from it than this.
    if min_distance >= info.data.get("radius", math.inf):
        raise InputError(
            f"`min_distance` must leave room around the centre, got {min_distance} Å in a sphere of "
            f"{info.data['radius']} Å. Use less than the radius."
        )
    return min_distance


@sized(lambda n_structures, **_: METHANE._replace(structures=n_structures))
def structures(
    n_structures: Annotated[int, Field(ge=1)] = 100,
    seed: Annotated[int, Field(ge=0)] = 0,
    radius: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3.0,
    min_distance: Annotated[
        float, Field(ge=0, allow_inf_nan=False, validate_default=True), AfterValidator(_check_room)
    ] = 0.5,
) -> "Iterator[Atoms]":
    """Draw CH4 with hydrogens uniform in a sphere around C and every pair of atoms apart.

    The recipe of the public set of 7.7 million methane configurations.

    Parameters
    ----------
    n_structures
        How many.
    seed
        Structure k depends on the seed and k alone, so a longer set begins with the shorter one.
    radius
        Of the sphere, in Å.
    min_distance
        Smallest distance between any two atoms, in Å.

    Yields
    ------
    ase.Atoms
        Coordinates: none.

    Raises
    ------
    InputError
        If the sphere has no room.
    """
    from scipy.spatial.distance import pdist

    for k in range(n_structures):
        rng = np.random.default_rng([seed, k])
        for _ in range(_TRIES):
            cube = rng.uniform(-radius, radius, size=(4, 3))
            if (np.linalg.norm(cube, axis=1) <= radius).all() and pdist(
                np.vstack([np.zeros(3), cube])
            ).min() > min_distance:
                break
        else:
            raise InputError(
                f"`min_distance` must leave room for four atoms around the centre, got {min_distance} Å in a sphere of "
                f"{radius} Å, where {_TRIES} tries found none."
            )
        yield methane(cube)
