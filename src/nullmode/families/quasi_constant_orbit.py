"""Orbits of methane along which the power spectrum is almost constant, but four-body energies are not."""

from math import ceil
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from nullmode._support.arguments import Count, Length
from nullmode._support.axes import Axis, axis_values, values
from nullmode._support.types import Floats
from nullmode.descriptors._parameters import Cutoff, CutoffWidth
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.families._base import METHANE, FamilySize, Structures, methane, sized
from nullmode.geometry.environment import Environment
from nullmode.learning.four_body import four_body_energy
from nullmode.search.orbit import Scheme, follow_orbits

# In Å: the singular environment of the Comment, and a start of Parsaeifard and Goedecker's orbit around it.
_SINGULAR = np.array(
    [
        [-0.48292545, -0.01172688, 0.98098615],
        [0.79969229, -0.54679906, -0.50714015],
        [0.78736755, 0.62878750, 0.45254563],
        [-0.66861222, 0.86029185, 0.09243308],
    ]
)
_MEMBER = np.array(
    [
        [-0.41966743, 0.02962327, 1.00553553],
        [0.77120304, -0.56449416, -0.52411088],
        [0.75606917, 0.58161879, 0.52742677],
        [-0.71508605, 0.82075656, 0.05577277],
    ]
)
FORWARD = np.array([[1.0, 0.0, 0.0], *np.zeros((3, 3))])
"""The Comment's first step moves the first hydrogen to larger x."""


def _size(t: Axis, length: float, step: float, every: int, **_: Any) -> FamilySize:
    """Count the structures of orbits that do not end early, from steps that are not shortened."""
    return METHANE._replace(structures=len(values(t)) * (1 + ceil(length / step / every)))


@sized(_size)
def structures(
    t: Axis = [1.0, 0.1, 0.5, 1.5],
    width: Length = 0.5,
    n_max: Count = 8,
    l_max: Annotated[int, Field(ge=0)] = 8,
    cutoff: Cutoff = 2.5,
    cutoff_width: CutoffWidth = 0.0,
    scheme: Scheme = "corrected",
    length: Length = 2.0,
    step: Length = 0.01,
    every: Count = 1,
) -> Structures:
    """Follow the softest mode of the power spectrum from points near an environment that is singular for it.

    Orbits of J. Chem. Phys. 156, 034302 (2022), from the starts of the Comment on it (arXiv:2205.01062).

    Parameters
    ----------
    t
        Position of each start p + t (q - p), where p is singular and q is on the first published orbit.
    width, n_max, l_max, cutoff, cutoff_width
        Parameters of the power spectrum (in GTOs) that stays almost constant; lengths in Å.
    scheme, length, step, every
        As in :func:`nullmode.follow_orbit`; the Comment uses ``fixed_step``, 2.0, 1e-4, 100.

    Yields
    ------
    ase.Atoms
        Coordinates: ``t``, ``length`` (along the orbit, Å), ``four_body_energy`` (of Parsaeifard and Goedecker),
        ``pair`` (the orbit: features are compared with those at its start).
    """
    descriptor = PowerSpectrum(n_max=n_max, l_max=l_max, width=width, cutoff=cutoff, cutoff_width=cutoff_width)
    starts = axis_values(t).tolist()
    orbits = follow_orbits(
        [Environment.from_vectors(start(value)) for value in starts],
        descriptor,
        scheme=scheme,
        length=length,
        step=step,
        every=every,
        direction=FORWARD,
    )
    for pair, (value, orbit) in enumerate(zip(starts, orbits, strict=True)):
        for at, item in zip(orbit.lengths.tolist(), orbit.environments, strict=True):
            energy = four_body_energy(item.vectors)[0]
            yield methane(item.vectors, t=value, length=at, four_body_energy=energy, pair=pair)


def start(t: float) -> Floats:
    """Hydrogens of a start, shape (4, 3)."""
    return np.asarray(_SINGULAR + t * (_MEMBER - _SINGULAR))
