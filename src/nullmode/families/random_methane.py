"""Random methane: four hydrogens in a sphere, no two atoms too close."""

import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo

from nullmode._support.arguments import Count, Length, Seed
from nullmode._support.types import Floats, InputError
from nullmode.families._base import METHANE, Structures, methane, sized

_TRIES = 100_000
_BLOCK = 1024


def _check_room(min_distance: float, info: ValidationInfo) -> float:
    # Every hydrogen is within the radius of the carbon, and farther from it than this.
    if min_distance >= info.data.get("radius", math.inf):
        raise InputError(
            f"`min_distance` must leave space around the centre, got {min_distance} Å in a sphere of "
            f"{info.data['radius']} Å. Use less than the radius."
        )
    return min_distance


@sized(lambda n_structures, **_: METHANE._replace(structures=n_structures))
def structures(
    n_structures: Count = 100,
    seed: Seed = 0,
    radius: Length = 3.0,
    min_distance: Annotated[
        float, Field(ge=0, allow_inf_nan=False, validate_default=True), AfterValidator(_check_room)
    ] = 0.5,
) -> Structures:
    """Draw CH4 with hydrogens uniform in a sphere around C and every pair of atoms apart.

    The recipe of the public set of 7.7 million methane configurations.

    Parameters
    ----------
    n_structures
        Number of structures.
    seed
        Structure k depends only on the seed and k, so that a longer set begins with the shorter one.
    radius
        Radius of the sphere, in Å.
    min_distance
        Smallest distance between any two atoms, in Å.

    Yields
    ------
    ase.Atoms
        Coordinates: none.

    Raises
    ------
    InputError
        If the sphere is too small.
    """
    for block in positions(n_structures, seed, radius, min_distance):
        for hydrogens in block:
            yield methane(hydrogens)


def positions(n_structures: int, seed: int = 0, radius: float = 3.0, min_distance: float = 0.5) -> Iterator[Floats]:
    """Draw the hydrogens of :func:`structures` in blocks, shape (m, 4, 3) in Å, without an object for each."""
    for first in range(0, n_structures, _BLOCK):
        yield _block(np.random.default_rng([seed, first // _BLOCK]), radius, min_distance)[: n_structures - first]


def _block(rng: np.random.Generator, radius: float, min_distance: float) -> Floats:
    """Draw a complete block, even if not all of it is used: a structure depends only on its index."""
    hydrogens = np.empty((_BLOCK, 4, 3))
    waiting = np.arange(_BLOCK)
    for _ in range(_TRIES):
        directions = rng.normal(size=(len(waiting), 4, 3))
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        drawn = radius * np.cbrt(rng.random((len(waiting), 4, 1))) * directions
        hydrogens[waiting] = drawn
        atoms = np.concatenate([np.zeros((len(waiting), 1, 3)), drawn], axis=1)
        i, j = np.triu_indices(5, 1)
        close = (np.linalg.norm(atoms[:, i] - atoms[:, j], axis=-1) <= min_distance).any(axis=1)
        waiting = waiting[close]
        if not len(waiting):
            return hydrogens
    raise InputError(
        f"`min_distance` must leave space for four atoms around the centre, got {min_distance} Å in a sphere of "
        f"{radius} Å, where {_TRIES} tries found none."
    )
