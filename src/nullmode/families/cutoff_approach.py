"""Random methanes in which one hydrogen approaches the cutoff: a small weight makes singular values small."""

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, ValidationInfo

from nullmode._support.arguments import Count, Seed
from nullmode._support.axes import Axis, above, axis_values, values
from nullmode._support.types import InputError
from nullmode.descriptors._parameters import Cutoff
from nullmode.families._base import METHANE, Structures, methane, sized
from nullmode.families.random_methane import positions


def _check_inside(distances: Axis, info: ValidationInfo) -> Axis:
    if (largest := max(values(distances))) >= info.data.get("cutoff", np.inf):
        raise InputError(f"`distances` must be less than the cutoff, got {largest:g} Å. Use smaller ones.")
    return distances


@sized(lambda distances, n_structures, **_: METHANE._replace(structures=n_structures * len(values(distances))))
def structures(
    cutoff: Cutoff = 4.0,
    distances: Annotated[Axis, above(0), AfterValidator(_check_inside)] = [0.03, 0.01, 0.001, 0.0001],
    n_structures: Count = 100,
    seed: Seed = 0,
) -> Structures:
    """Move the last hydrogen of random methanes along its direction to just inside the cutoff.

    Its weight is the cutoff function, which falls near the cutoff as the square of the distance to it. So do singular
    values of modes that only this hydrogen shows: they are not null, but arbitrarily small.

    Parameters
    ----------
    cutoff
        Cutoff of the descriptor, in Å.
    distances
        Distances of the last hydrogen from the cutoff, in Å.
    n_structures
        Number of random methanes, made as in ``random_methane``.
    seed
        Seed of the random methanes.

    Yields
    ------
    ase.Atoms
        Coordinates: ``distance_to_cutoff`` (Å), ``sample``.
    """
    drawn = np.concatenate(list(positions(n_structures, seed)))
    for distance in axis_values(distances).tolist():
        for sample, hydrogens in enumerate(drawn):
            moved = hydrogens.copy()
            moved[-1] *= (cutoff - distance) / np.linalg.norm(moved[-1])
            yield methane(moved, distance_to_cutoff=distance, sample=sample)
