"""Gaussian-type orbitals on the atoms of an environment, and their overlaps."""

from collections.abc import Sequence
from math import exp, sqrt
from typing import NamedTuple

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.elements import numbers_of, symbol
from nullmode._support.types import Floats, InputError
from nullmode.descriptors._neighbours import Inside

LAST_RADIUS = 96
"""Atomic number up to which there are covalent radii; ASE fills the others in."""


class Orbitals(NamedTuple):
    """The orbitals on each atom.

    Attributes
    ----------
    width, shape (n_species,)
        Standard deviation of each species' Gaussian, in Å.
    per_atom
        1 for s, 4 for s, p_x, p_y, p_z.
    cutoff
        In Å.
    cutoff_power
        Of 1 - (r/cutoff)².
    """

    width: Floats
    per_atom: int
    cutoff: float
    cutoff_power: int


def radii(species: Sequence[str]) -> Floats:
    """Covalent radii of Cordero et al., Dalton Trans. 2008, 2832, in Å, shape (n_species,).

    Raises
    ------
    InputError
        For elements beyond those known.
    """
    from ase.data import covalent_radii

    numbers = numbers_of(species)
    if numbers.max() > LAST_RADIUS:
        raise InputError(
            f"`species` must have a covalent radius, got {symbol(numbers.max())}; Cordero et al. end with "
            f"{symbol(LAST_RADIUS)}."
        )
    return np.asarray(covalent_radii[numbers], dtype=np.float64)


@kernel
def overlaps(atoms: Inside, a: int, b: int, orbitals: Orbitals, block: Floats, slope: Floats) -> None:
    """Fill the overlaps of two atoms' orbitals, and their derivatives with respect to atom a.

    Two normalised s of widths s_a, s_b overlap by S = (2 s_a s_b/t)^(3/2) exp(-d²/2t), t = s_a² + s_b²; a normalised p
    is sqrt(2) s times the derivative of s with respect to its position.
    """
    width_a, width_b = orbitals.width[atoms.species[a]], orbitals.width[atoms.species[b]]
    t = width_a**2 + width_b**2
    square = 0.0
    for x in range(3):
        square += (atoms.position[a, x] - atoms.position[b, x]) ** 2
    s = (2.0 * width_a * width_b / t) ** 1.5 * exp(-0.5 * square / t)
    block[0, 0] = s
    for x in range(3):
        d = atoms.position[a, x] - atoms.position[b, x]
        slope[x, 0, 0] = -d / t * s
    if orbitals.per_atom == 1:
        return
    to_a, to_b = sqrt(2.0) * width_a, sqrt(2.0) * width_b
    for p in range(3):
        d_p = (atoms.position[a, p] - atoms.position[b, p]) / t
        block[1 + p, 0] = -to_a * d_p * s
        block[0, 1 + p] = to_b * d_p * s
        for x in range(3):
            d_x = (atoms.position[a, x] - atoms.position[b, x]) / t
            px = 1.0 / t if p == x else 0.0
            slope[x, 1 + p, 0] = -to_a * (px - d_p * d_x) * s
            slope[x, 0, 1 + p] = to_b * (px - d_p * d_x) * s
        for q in range(3):
            d_q = (atoms.position[a, q] - atoms.position[b, q]) / t
            pq = 1.0 / t if p == q else 0.0
            block[1 + p, 1 + q] = to_a * to_b * (pq - d_p * d_q) * s
            for x in range(3):
                d_x = (atoms.position[a, x] - atoms.position[b, x]) / t
                px = 1.0 / t if p == x else 0.0
                qx = 1.0 / t if q == x else 0.0
                slope[x, 1 + p, 1 + q] = -to_a * to_b * (px * d_q + qx * d_p + (pq - d_p * d_q) * d_x) * s
