"""An energy that depends on all four neighbours at once: the target that models learn."""

from itertools import combinations

import numpy as np

from nullmode._support.types import Floats, InputError

# The smallest sine of an angle between two sides of a triplet that still has a plane.
_FLAT = 1e-8


def four_body_energy(vectors: Floats) -> tuple[float, Floats]:
    """Four-body energy of four neighbours, sum over pairs of their triplets of (n_a·n_b)², and the forces.

    n_a is the unit normal of a triplet's plane (Parsaeifard and Goedecker, J. Chem. Phys. 156, 034302 (2022)). The
    energy has no unit; forces are in 1/Å.

    Parameters
    ----------
    vectors, shape (4, 3)
        Positions of the neighbours in Å, no three of them on a line.

    Raises
    ------
    InputError
        For another number of neighbours, or three on a line.
    """
    if vectors.shape != (4, 3):
        raise InputError(f"`vectors` must have shape (4, 3) for the four-body energy, got {vectors.shape}.")
    triplets = np.array(list(combinations(range(4), 3)))
    a, b, c = np.moveaxis(vectors[triplets], 1, 0)
    area = np.cross(b - a, c - a)
    size = np.linalg.norm(area, axis=1, keepdims=True)
    sides = np.linalg.norm([b - c, c - a, a - b], axis=2).max(axis=0)
    if (on_line := size[:, 0] <= _FLAT * sides**2).any():
        which = ", ".join(map(str, triplets[on_line][0]))
        raise InputError(
            f"`vectors` must have no three neighbours on a line for the four-body energy, got {which}. A line has no "
            "normal: leave such structures out."
        )
    normals = area / size
    cosines = normals @ normals.T
    np.fill_diagonal(cosines, 0.0)
    slope = 2 * cosines @ normals
    slope = (slope - (slope * normals).sum(axis=1, keepdims=True) * normals) / size
    forces = np.zeros((4, 3))
    for corner, side in enumerate((b - c, c - a, a - b)):
        np.add.at(forces, triplets[:, corner], np.cross(slope, side))
    return float((cosines**2).sum() / 2), forces
