"""Radial spectrum: what one neighbour's distance tells (correlation order 1)."""

from collections.abc import Sequence
from itertools import product
from typing import ClassVar, NamedTuple, final

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.types import Floats, Parity
from nullmode._support.variants import variant
from nullmode.basis.density import Batch, Density, Expansion, expand, expansion
from nullmode.descriptors._base import DensityDescriptor
from nullmode.geometry.environment import Environment


@kernel
def radial_spectrum(batch: Batch, density: Density, scratch: Expansion, features: Floats, jacobian: Floats) -> None:
    """Fill the features c_n00, one per channel, and the Jacobian of a batch; l_max is 0."""
    n_max = density.n_max
    n_features = features.shape[1]
    for i in range(features.shape[0]):
        expand(batch, i, density, scratch)
        for q in range(n_features):
            features[i, q] = scratch.c[q, 0]
        if jacobian.size == 0:
            continue
        first = batch.offsets[i]
        n = batch.offsets[i + 1] - first
        start = 3 * first * n_features
        jacobian[start : start + 3 * n * n_features] = 0.0
        for j in range(n):
            for k in range(n_max):
                row = start + 3 * n * (batch.species[first + j] * n_max + k)
                for x in range(3 * j, 3 * j + 3):
                    jacobian[row + x] = scratch.derivative[j, k] * scratch.direction[x] * scratch.y[0, x]


class RadialLabel(NamedTuple):
    """Name of one entry: its channel."""

    species: str
    n: int


@final
@variant
class RadialSpectrum(DensityDescriptor):
    """Radial spectrum c_n00, invariant under O(3); F = n_species·n_max.

    Willatt, Musil and Ceriotti, J. Chem. Phys. 150, 154110 (2019), eq. 28, in featomic's ``SoapRadialSpectrum``.

    Parameters
    ----------
    n_max, radial_basis, density, cutoff, cutoff_width, width, center_weight, radial_scaling, species
        As in :class:`~nullmode.descriptors._base.DensityDescriptor`; lengths in Å.
    """

    correlation_order: ClassVar[int | None] = 1
    parity: ClassVar[Parity | None] = "O3"
    l_max: ClassVar[int] = 0

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[RadialLabel]:
        """Name every feature, in order; as in :meth:`Descriptor.feature_labels`."""
        return [RadialLabel(*channel) for channel in product(self._species(environments), range(self.n_max))]

    def _n_features(self, n_species: int) -> int:
        return n_species * self.n_max

    def _evaluate(self, batch: Batch, n_species: int, features: Floats, jacobian: Floats) -> None:
        density = self._density()
        scratch = expansion(density, n_species, int(np.diff(batch.offsets).max()))
        radial_spectrum(batch, density, scratch, features, jacobian)
