"""The centres on which settings are compared: of each species a few that differ as much as possible."""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from nullmode._support.elements import symbol
from nullmode._support.types import InputError
from nullmode.analysis.recommendation.candidates import of_order
from nullmode.analysis.sample import spaced, spread
from nullmode.basis.radial.gto import GTO
from nullmode.descriptors._base import DensityDescriptor, changed
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.cut import environments
from nullmode.geometry.environment import Centers, Environment, within

if TYPE_CHECKING:
    from ase import Atoms

_ATOMS = 4096
"""About so many atoms are looked at in search of a sample; of larger sets, evenly spaced structures."""
_ENVIRONMENTS, _NEIGHBOURS, _SMALL = 32, 300, 20
"""Of each species at most so many are chosen; all together have about so many neighbours at most, or more in
proportion if each has fewer than the last number: the time grows with the square."""
_FEW = {"n_max": 3, "l_max": 2}
"""Truncation of the power spectrum whose features tell how much environments differ."""


class Sample(NamedTuple):
    """Environments that differ as much as possible, and others drawn at random.

    Attributes
    ----------
    chosen, others
        Environments, which reach as far as the largest cutoff.
    structures
        Indices of some structures, evenly spaced, with the first of each species.
    descriptor
        The one given, with the species of all environments that were looked at.
    n_considered
        Number of centres that were looked at.
    """

    chosen: list[Environment]
    others: list[Environment]
    structures: list[int]
    descriptor: DensityDescriptor
    n_considered: int

    def table(self) -> pd.DataFrame:
        """Give the chosen centres: structure, atom, species, number of neighbours."""
        rows = [
            {
                "frame": each.structure,
                "atom": each.center,
                "center": symbol(each.center_species),
                "n_neighbours": len(each),
            }
            for each in self.chosen
        ]
        return pd.DataFrame(rows)


def draw(
    structures: "list[Atoms]",
    descriptor: DensityDescriptor,
    centers: Centers,
    shortest: float,
    longest: float,
    n_frames: int,
    seed: int,
) -> Sample:
    """Draw a sample; cutoffs are from `shortest` to `longest`, in Å.

    Raises
    ------
    InputError
        As :func:`nullmode.environments`, and if no centre has a neighbour within the shortest cutoff.
    """
    first_of: dict[int, int] = {}
    for index, atoms in enumerate(structures):
        for number in np.unique(atoms.numbers):
            first_of.setdefault(int(number), index)
    mean = max(1.0, sum(map(len, structures)) / max(1, len(structures)))
    looked_at = spaced(len(structures), max(n_frames, int(_ATOMS / mean)), first_of.values())
    every = [
        each
        for each in environments([structures[k] for k in looked_at], longest, centers)
        if len(within(each, shortest))
    ]
    if not every:
        raise InputError(f"`cutoff` must reach a neighbour, got {shortest} Å, within which no centre has one.")
    fixed = with_layout_of(changed(descriptor, cutoff=longest), every)
    descriptor = changed(descriptor, species=fixed.species)
    cheap = of_order(changed(descriptor, radial_basis=GTO(), center_weight=0.0), 2, **_FEW)
    inside = [within(each, descriptor.cutoff) for each in every]
    chosen: list[int] = []
    numbers = np.array([each.center_species for each in every])
    for number in np.unique(numbers):
        own = np.flatnonzero(numbers == number)
        most = max(len(every[k]) for k in own)
        count = _NEIGHBOURS * max(1.0, _SMALL / most) / (len(np.unique(numbers)) * most)
        count = min(_ENVIRONMENTS, max(1, int(count)))
        features = np.array(cheap.compute_batch([inside[k] for k in own]))
        chosen += [int(own[k]) for k in spread(features, count)]
    rest = np.setdiff1d(np.arange(len(every)), chosen)
    drawn = np.random.default_rng(seed).permutation(rest)[: (len(chosen) + 1) // 2]
    return Sample(
        chosen=[_renamed(every[k], looked_at) for k in chosen],
        others=[_renamed(every[k], looked_at) for k in sorted(drawn)],
        structures=spaced(len(structures), n_frames, first_of.values()),
        descriptor=descriptor,
        n_considered=len(every),
    )


def _renamed(environment: Environment, numbers: list[int]) -> Environment:
    """Give an environment the index of its structure in the whole set."""
    return replace(environment, structure=numbers[environment.structure or 0])
