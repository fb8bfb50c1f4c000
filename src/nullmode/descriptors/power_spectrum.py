"""SOAP power spectrum: every rotation invariant of two neighbours' densities (correlation order 2)."""

from collections.abc import Sequence
from itertools import combinations_with_replacement, product
from math import sqrt
from typing import Annotated, ClassVar, NamedTuple, final

import numpy as np
from pydantic import Field

from nullmode._jit import kernel
from nullmode._plugins import variant
from nullmode.basis.density import Batch, Density, Expansion, expand, expansion
from nullmode.descriptors._base import LARGEST_L, DensityDescriptor
from nullmode.environment import Environment
from nullmode.types import Floats, Parity


class Scratch(NamedTuple):
    """Per channel and neighbour component, of one l: factors of d c/d r (see Expansion), and sums over m with c."""

    expansion: Expansion
    slope: Floats
    ratio: Floats
    a: Floats
    b: Floats


@kernel
def power_spectrum(batch: Batch, density: Density, scratch: Scratch, features: Floats, jacobian: Floats) -> None:
    """Fill features, and the Jacobian unless it is empty, of a batch.

    p_(qq'l) = w (-1)^l/sqrt(2l+1) sum_m c_(qlm) c_(q'lm), q <= q', w = sqrt 2 for q < q': Bartók, Kondor and Csányi,
    Phys. Rev. B 87, 184115 (2013), eq. 36, one entry per unordered pair of channels. As d c/d r_j involves neighbour
    j alone, sum_m may be taken before the product of channels: the Jacobian is a sum of four outer products per l.

    Parameters
    ----------
    batch, density, scratch
        As the types say.
    features, shape (n_environments, F)
        Index l·n_pairs + pair.
    jacobian, shape (F·3·n_total,) or (0,)
        Each environment's (F, n, 3) after the other.
    """
    expansion = scratch.expansion
    c, y, dy = expansion.c, expansion.y, expansion.dy
    slope, ratio, a, b = scratch.slope, scratch.ratio, scratch.a, scratch.b
    n_max = density.n_max
    channels = c.shape[0]
    n_features = features.shape[1]
    for i in range(features.shape[0]):
        expand(batch, i, density, expansion)
        first = batch.offsets[i]
        n = batch.offsets[i + 1] - first
        row = 0
        start = 3 * first * n_features
        for l in range(density.l_max + 1):
            low = l * l
            high = low + 2 * l + 1
            diagonal = (1.0 - 2.0 * (l % 2)) / sqrt(2.0 * l + 1.0)
            for q in range(channels):
                for p in range(q, channels):
                    total = 0.0
                    for lm in range(low, high):
                        total += c[q, lm] * c[p, lm]
                    features[i, row + p - q] = total * (diagonal if p == q else diagonal * sqrt(2.0))
                row += channels - q
            if jacobian.size == 0:
                continue
            slope[:, : 3 * n] = 0.0
            ratio[:, : 3 * n] = 0.0
            for j in range(n):
                q = batch.species[first + j] * n_max
                for k in range(n_max):
                    value = expansion.value[j, l * n_max + k] * expansion.inverse_distance[j]
                    derivative = expansion.derivative[j, l * n_max + k]
                    for x in range(3 * j, 3 * j + 3):
                        slope[q + k, x] = derivative * expansion.direction[x]
                        ratio[q + k, x] = value
            # Views of rows, since the compiler vectorises loops over them and not over two indices.
            for q in range(channels):
                aq, bq = a[q], b[q]
                aq[: 3 * n] = 0.0
                bq[: 3 * n] = 0.0
                for lm in range(low, high):
                    coefficient = c[q, lm]
                    row_y, row_dy = y[lm], dy[lm]
                    for x in range(3 * n):
                        aq[x] += coefficient * row_y[x]
                        bq[x] += coefficient * row_dy[x]
            for q in range(channels):
                aq, bq, sq, rq = a[q], b[q], slope[q], ratio[q]
                for p in range(q, channels):
                    weight = diagonal if p == q else diagonal * sqrt(2.0)
                    ap, bp, sp, rp = a[p], b[p], slope[p], ratio[p]
                    out = jacobian[start : start + 3 * n]
                    for x in range(3 * n):
                        out[x] = weight * (sq[x] * ap[x] + rq[x] * bp[x] + sp[x] * aq[x] + rp[x] * bq[x])
                    start += 3 * n


class PowerLabel(NamedTuple):
    """Name of one entry: the channels that are paired, and the angular momentum."""

    species_1: str
    n_1: int
    species_2: str
    n_2: int
    l: int


@final
@variant
class PowerSpectrum(DensityDescriptor):
    """SOAP power spectrum, invariant under O(3).

    One entry per unordered pair of channels (species, n) and l, weighted by sqrt 2 off the diagonal, so that norms,
    distances and singular values are those of the full tensor (featomic's, all pairs). F = (l_max + 1) K (K + 1)/2 for
    K = n_species·n_max channels; l varies slowest. Bartók, Kondor and Csányi, Phys. Rev. B 87, 184115 (2013), eq. 36.

    Parameters
    ----------
    l_max
        Largest angular momentum, inclusive.
    n_max, radial_basis, density, cutoff, cutoff_width, width, center_weight, radial_scaling, species
        As in :class:`~nullmode.descriptors._base.DensityDescriptor`; lengths in Å.
    """

    correlation_order: ClassVar[int | None] = 2
    parity: ClassVar[Parity | None] = "O3"
    # A field here, a constant of the class in descriptors without it: mypy has no word for either.
    l_max: Annotated[int, Field(ge=0, le=LARGEST_L, description="largest angular momentum, inclusive")] = 8  # type: ignore[misc]

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[PowerLabel]:
        """Name every feature, in order.

        Parameters
        ----------
        environments
            The set that ``species=None`` takes its species from; without it, one species is named ``X``.
        """
        channels = list(product(self._layout(environments), range(self.n_max)))
        pairs = list(combinations_with_replacement(channels, 2))
        return [PowerLabel(*one, *two, l) for l in range(self.l_max + 1) for one, two in pairs]

    def _n_features(self, n_species: int) -> int:
        channels = n_species * self.n_max
        return (self.l_max + 1) * channels * (channels + 1) // 2

    def _evaluate(self, batch: Batch, n_species: int, features: Floats, jacobian: Floats) -> None:
        density = self._density()
        most = int(np.diff(batch.offsets).max())
        shape = (n_species * self.n_max, 3 * most)
        scratch = Scratch(expansion(density, n_species, most), *(np.empty(shape) for _ in range(4)))
        power_spectrum(batch, density, scratch, features, jacobian)
