"""Bispectrum: every rotation invariant of three neighbours' densities (correlation order 3)."""

from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import combinations_with_replacement, product
from math import comb, sqrt
from typing import Annotated, ClassVar, NamedTuple, final

import numpy as np
from pydantic import Field

from nullmode._support._jit import kernel
from nullmode._support.types import Floats, Integers, Parity
from nullmode._support.variants import variant
from nullmode.basis.coupling import Coupling, coupling
from nullmode.basis.density import Batch, Density, Expansion, expand, expansion
from nullmode.descriptors._base import LARGEST_L, DensityDescriptor
from nullmode.geometry.environment import Environment


class Scratch(NamedTuple):
    """Scratch of one environment; x runs over the 3 n neighbour components, q over channels.

    Attributes
    ----------
    expansion
        Coefficients and harmonics.
    slope, ratio, shape (l_max + 1, K, 3 n)
        Factors of d c/d r (see Expansion), for every l.
    pair, shape (3, K, K, 2 l_max + 1)
        Two densities coupled to the third's l, for each choice of the third.
    a, b, shape (3, K, K, 3 n)
        These, summed over m with the third's harmonics and their gradients.
    """

    expansion: Expansion
    slope: Floats
    ratio: Floats
    pair: Floats
    a: Floats
    b: Floats


@kernel
def bispectrum(
    batch: Batch,
    density: Density,
    coupled: Coupling,
    channels: Integers,
    weights: Floats,
    blocks: Integers,
    scratch: Scratch,
    features: Floats,
    jacobian: Floats,
) -> None:
    """Fill the features and the Jacobian of a batch.

    B = w sum_m (l1 l2 l3; m1 m2 m3) c_(q1 l1 m1) c_(q2 l2 m2) c_(q3 l3 m3): Bartók, Kondor and Csányi, Phys. Rev. B 87,
    184115 (2013), eq. 28, coupled with 3j symbols. Two densities are contracted first; the derivative of the third is
    then a rank-2 update as in the power spectrum. Channels, weights and blocks are those of :func:`_entries`.
    """
    expansion = scratch.expansion
    c = expansion.c
    pair, a, b = scratch.pair, scratch.a, scratch.b
    size = c.shape[0]
    for i in range(features.shape[0]):
        expand(batch, i, density, expansion)
        first = batch.offsets[i]
        n = batch.offsets[i + 1] - first
        start = 3 * first * features.shape[1]
        if jacobian.size:
            _factors(batch, first, n, density, expansion, scratch.slope, scratch.ratio)
        for t in range(coupled.l.shape[0]):
            l1, l2, l3 = coupled.l[t, 0], coupled.l[t, 1], coupled.l[t, 2]
            # Which contraction serves where the density of l2, or of l1, is the third: of equal l one serves for both,
            # up to the sign of an exchange.
            middle = 0 if l2 == l3 else 2 if l1 == l2 else 1
            lowest = 0 if l1 == l3 else 2
            sign = -1.0 if middle != 1 and (l1 + l2 + l3) % 2 else 1.0
            for third in range(3):
                if third > 0 and (jacobian.size == 0 or third not in (middle, lowest)):
                    continue
                # The third of (q1, q2, q3) is counted from the last: 0 stands for q3.
                k, u, v = 2 - third, (0 if third < 2 else 1), (1 if third < 1 else 2)
                l, alike = coupled.l[t, k], coupled.l[t, u] == coupled.l[t, v]
                for q in range(size):
                    for p in range(q if alike else 0, size):
                        one = pair[third, q, p]
                        one[: 2 * l + 1] = 0.0
                        for e in range(coupled.first[t], coupled.first[t + 1]):
                            one[coupled.lm[e, k] - l * l] += (
                                coupled.value[e] * c[q, coupled.lm[e, u]] * c[p, coupled.lm[e, v]]
                            )
                        if jacobian.size == 0:
                            continue
                        sums, slopes = a[third, q, p], b[third, q, p]
                        sums[: 3 * n] = 0.0
                        slopes[: 3 * n] = 0.0
                        for m in range(2 * l + 1):
                            value, y, dy = one[m], expansion.y[l * l + m], expansion.dy[l * l + m]
                            for x in range(3 * n):
                                sums[x] += value * y[x]
                                slopes[x] += value * dy[x]
            for f in range(blocks[t], blocks[t + 1]):
                q, p, r = channels[f, 0], channels[f, 1], channels[f, 2]
                total = 0.0
                for m in range(2 * l3 + 1):
                    total += pair[0, q, p, m] * c[r, l3 * l3 + m]
                features[i, f] = weights[f] * total
                if jacobian.size == 0:
                    continue
                # Views: with fewer subscripts the compiler vectorises this loop.
                a1, a2, a3 = a[lowest, p, r], a[middle, q, r], a[0, q, p]
                b1, b2, b3 = b[lowest, p, r], b[middle, q, r], b[0, q, p]
                slope1, slope2, slope3 = scratch.slope[l1, q], scratch.slope[l2, p], scratch.slope[l3, r]
                ratio1, ratio2, ratio3 = scratch.ratio[l1, q], scratch.ratio[l2, p], scratch.ratio[l3, r]
                row = jacobian[start + 3 * n * f : start + 3 * n * (f + 1)]
                for x in range(3 * n):
                    row[x] = weights[f] * (
                        slope3[x] * a3[x]
                        + ratio3[x] * b3[x]
                        + slope1[x] * a1[x]
                        + ratio1[x] * b1[x]
                        + sign * (slope2[x] * a2[x] + ratio2[x] * b2[x])
                    )


@kernel
def _factors(
    batch: Batch, first: int, n: int, density: Density, expansion: Expansion, slope: Floats, ratio: Floats
) -> None:
    """Fill the factors of d c/d r for every l."""
    slope[:, :, : 3 * n] = 0.0
    ratio[:, :, : 3 * n] = 0.0
    for l in range(density.l_max + 1):
        for j in range(n):
            q = batch.species[first + j] * density.n_max
            for k in range(density.n_max):
                value = expansion.value[j, l * density.n_max + k] * expansion.inverse_distance[j]
                derivative = expansion.derivative[j, l * density.n_max + k]
                for x in range(3 * j, 3 * j + 3):
                    slope[l, q + k, x] = derivative * expansion.direction[x]
                    ratio[l, q + k, x] = value


class BispectrumLabel(NamedTuple):
    """Name of one entry: the three channels that are coupled."""

    species_1: str
    n_1: int
    l_1: int
    species_2: str
    n_2: int
    l_2: int
    species_3: str
    n_3: int
    l_3: int


@cache
def _count(size: int, l_max: int, parity: Parity) -> int:
    """Count the unordered triples of (channel, l) that do not vanish, without writing them out."""
    total = 0
    for l1, l2, l3 in combinations_with_replacement(range(l_max + 1), 3):
        odd = (l1 + l2 + l3) % 2
        if l3 > l1 + l2 or (odd and parity == "O3"):
            continue
        equal = max(Counter((l1, l2, l3)).values())
        # Of densities of equal l, multisets; of those of odd l1 + l2 + l3, which vanish where two are equal, sets.
        total += comb(size if odd else size + equal - 1, equal) * size ** (3 - equal)
    return total


@lru_cache(maxsize=4)
def _entries(size: int, l_max: int, parity: Parity) -> tuple[Integers, Floats, Integers]:
    """List all features, one per unordered triple of (channel, l) that does not vanish.

    Returns
    -------
    channels, shape (F, 3)
        Channels q1, q2, q3 of each feature.
    weights, shape (F,)
        Square root of the number of distinct orderings.
    blocks, shape (n_triples + 1,)
        Features blocks[t] to blocks[t + 1] belong to triple t of the coupling.
    """
    channels, weights, blocks = [], [], [0]
    for l1, l2, l3 in coupling(l_max, parity).l.tolist():
        odd = (l1 + l2 + l3) % 2
        for q, p, r in product(range(size), repeat=3):
            one, two, three = (l1, q), (l2, p), (l3, r)
            if one > two or two > three:
                continue
            equal = (one == two) + (two == three)
            if odd and equal:
                continue
            channels.append((q, p, r))
            weights.append(sqrt({0: 6, 1: 3, 2: 1}[equal]))
        blocks.append(len(channels))
    return np.array(channels).reshape(-1, 3), np.array(weights), np.array(blocks)


@final
@variant
class Bispectrum(DensityDescriptor):
    """Bispectrum, invariant under O(3), or under SO(3) with the pseudoscalars kept.

    One entry per unordered triple of (species, n, l), weighted by the root of its number of distinct orderings, so that
    norms, distances and singular values are those of the full tensor; entries that vanish by antisymmetry are left
    out. l1 <= l2 <= l3 vary slowest. Bartók, Kondor and Csányi, Phys. Rev. B 87, 184115 (2013), eq. 28.

    Parameters
    ----------
    l_max
        Largest angular momentum, inclusive.
    parity
        ``O3``: even l1 + l2 + l3 only; ``SO3``: odd ones too, which change sign under reflections.
    n_max, radial_basis, density, cutoff, cutoff_width, width, center_weight, radial_scaling, species
        As in :class:`~nullmode.descriptors._base.DensityDescriptor`; lengths in Å.
    """

    correlation_order: ClassVar[int | None] = 3
    n_max: Annotated[int, Field(ge=1, description="number of radial functions")] = 4
    # A field here, a constant of the class in descriptors without it: mypy has no word for either.
    l_max: Annotated[int, Field(ge=0, le=LARGEST_L, description="largest angular momentum, inclusive")] = 4  # type: ignore[misc]
    parity: Annotated[Parity, Field(description="O3, or SO3 to keep pseudoscalars")] = "O3"  # type: ignore[misc]

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[BispectrumLabel]:
        """Name every feature, in order; as in :meth:`Descriptor.feature_labels`."""
        names = list(product(self._species(environments), range(self.n_max)))
        coupled = coupling(self.l_max, self.parity)
        channels, _, blocks = _entries(len(names), self.l_max, self.parity)
        return [
            BispectrumLabel(names[q][0], names[q][1], l1, names[p][0], names[p][1], l2, names[r][0], names[r][1], l3)
            for t, (l1, l2, l3) in enumerate(coupled.l.tolist())
            for q, p, r in channels[blocks[t] : blocks[t + 1]].tolist()
        ]

    def _n_features(self, n_species: int) -> int:
        return _count(n_species * self.n_max, self.l_max, self.parity)

    def _evaluate(self, batch: Batch, n_species: int, features: Floats, jacobian: Floats) -> None:
        density = self._density()
        most = int(np.diff(batch.offsets).max())
        size = n_species * self.n_max
        coupled = coupling(self.l_max, self.parity)
        factors, pairs = (self.l_max + 1, size, 3 * most), (3, size, size, 3 * most)
        scratch = Scratch(
            expansion=expansion(density, n_species, most),
            slope=np.empty(factors),
            ratio=np.empty(factors),
            pair=np.empty((3, size, size, 2 * self.l_max + 1)),
            a=np.empty(pairs),
            b=np.empty(pairs),
        )
        bispectrum(batch, density, coupled, *_entries(size, self.l_max, self.parity), scratch, features, jacobian)
