"""SOAP power spectrum: every rotation invariant of two neighbours' densities (correlation order 2)."""

from collections.abc import Sequence
from itertools import combinations_with_replacement, product
from math import sqrt
from typing import Annotated, ClassVar, NamedTuple, final

import numpy as np
from pydantic import Field

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH, aligned, load, put, splat, store
from nullmode._support.types import Floats, Integers, Parity
from nullmode._support.variants import variant
from nullmode.basis.density import Batch, Density, Expansion, columns_of, expand, expansion
from nullmode.descriptors._base import LARGEST_L, DensityDescriptor
from nullmode.geometry.environment import Environment


class Scratch(NamedTuple):
    """Of one environment and one l.

    Coefficients by m; per channel and neighbour component (rows of `columns`), factors of d c/d r (see Expansion) and
    sums over m with c.
    """

    expansion: Expansion
    columns: int
    c: Floats
    slope: Floats
    ratio: Floats
    a: Floats
    b: Floats


@kernel
def power_spectrum(batch: Batch, density: Density, scratch: Scratch, features: Floats, jacobian: Floats) -> None:
    """Fill the features (index l·n_pairs + pair of each environment after the other) and the Jacobian of a batch.

    p_(qq'l) = w (-1)^l/sqrt(2l+1) sum_m c_(qlm) c_(q'lm), q <= q', w = sqrt 2 for q < q': Bartók, Kondor and Csányi,
    Phys. Rev. B 87, 184115 (2013), eq. 36, one entry per unordered pair of channels. As d c/d r_j involves neighbour
    j alone, sum_m may be taken before the product of channels: the Jacobian is a sum of four outer products per l.
    """
    channels = scratch.expansion.c.shape[0]
    n_pairs = channels * (channels + 1) // 2
    n_features = (density.l_max + 1) * n_pairs
    for i in range(batch.offsets.size - 1):
        expand(batch, i, density, scratch.expansion)
        first = batch.offsets[i]
        n = batch.offsets[i + 1] - first
        for l in range(density.l_max + 1):
            norm = (1.0 - 2.0 * (l % 2)) / sqrt(2.0 * l + 1.0)
            row = i * n_features + l * n_pairs
            _products(l, norm, scratch, features, row)
            if jacobian.size:
                _factors(l, n, batch.species[first : first + n], density, scratch)
                _outer(norm, n, scratch, jacobian, 3 * (first * n_features + l * n_pairs * n))


@kernel
def _products(l: int, norm: float, scratch: Scratch, features: Floats, row: int) -> None:
    """Write the features of one l; what spills over the end of a channel's is overwritten by the next."""
    c, by_m = scratch.expansion.c, scratch.c
    channels = c.shape[0]

    for q in range(channels):
        for m in range(2 * l + 1):
            by_m[m * channels + q] = c[q, l * l + m]
    for q in range(channels):
        for p in range(q, channels, WIDTH):
            total = splat(0.0)
            for m in range(2 * l + 1):
                total += load(by_m, m * channels + p) * splat(c[q, l * l + m])
            put(features, row + p - q, total * (norm * sqrt(2.0)))
        features[row] *= sqrt(0.5)
        row += channels - q


@kernel
def _factors(l: int, n: int, species: Integers, density: Density, scratch: Scratch) -> None:
    """Fill the factors of d c/d r, and their sums over m with c, of one l."""
    expansion, width = scratch.expansion, scratch.columns
    c, y, dy = expansion.c, expansion.y.reshape(-1), expansion.dy.reshape(-1)
    n_max = density.n_max
    for q in range(c.shape[0]):
        kind, k = q // n_max, l * n_max + q % n_max
        for j in range(n):
            own = species[j] == kind
            derivative = expansion.derivative[j, k] if own else 0.0
            value = expansion.value[j, k] * expansion.inverse_distance[j] if own else 0.0
            for x in range(3 * j, 3 * j + 3):
                scratch.slope[q * width + x] = derivative * expansion.direction[x]
                scratch.ratio[q * width + x] = value
        # Two blocks at once: a sum by itself waits for each addition to end before the next.
        for x in range(0, 3 * n, 2 * WIDTH):
            a1, a2, b1, b2 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
            for lm in range(l * l, (l + 1) * (l + 1)):
                index, coefficient = lm * width + x, splat(c[q, lm])
                a1 += load(y, index) * coefficient
                a2 += load(y, index + WIDTH) * coefficient
                b1 += load(dy, index) * coefficient
                b2 += load(dy, index + WIDTH) * coefficient
            store(scratch.a, q * width + x, a1)
            store(scratch.a, q * width + x + WIDTH, a2)
            store(scratch.b, q * width + x, b1)
            store(scratch.b, q * width + x + WIDTH, b2)


@kernel
def _outer(norm: float, n: int, scratch: Scratch, jacobian: Floats, start: int) -> None:
    """Write the Jacobian of one l; what spills over the end of a row is overwritten by the next."""
    slope, ratio, a, b, width = scratch.slope, scratch.ratio, scratch.a, scratch.b, scratch.columns
    for q in range(scratch.expansion.c.shape[0]):
        for p in range(q, scratch.expansion.c.shape[0]):
            weight = norm if p == q else norm * sqrt(2.0)
            for x in range(0, 3 * n, WIDTH):
                one, two = q * width + x, p * width + x
                total = load(slope, one) * load(a, two) + load(ratio, one) * load(b, two)
                total += load(slope, two) * load(a, one) + load(ratio, two) * load(b, one)
                put(jacobian, start + x, total * weight)
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
        """Name every feature, in order; as in :meth:`Descriptor.feature_labels`."""
        channels = list(product(self._species(environments), range(self.n_max)))
        pairs = list(combinations_with_replacement(channels, 2))
        return [PowerLabel(*one, *two, l) for l in range(self.l_max + 1) for one, two in pairs]

    def _n_features(self, n_species: int) -> int:
        channels = n_species * self.n_max
        return (self.l_max + 1) * channels * (channels + 1) // 2

    def _evaluate(self, batch: Batch, n_species: int, features: Floats, jacobian: Floats) -> None:
        density = self._density()
        most = int(np.diff(batch.offsets).max())
        channels, columns = n_species * self.n_max, columns_of(most)
        rows = [aligned(channels * columns) for _ in range(4)]
        by_m = aligned((2 * self.l_max + 1) * channels + WIDTH)
        scratch = Scratch(expansion(density, n_species, most), columns, by_m, *rows)
        power_spectrum(batch, density, scratch, features.reshape(-1), jacobian)
