"""Trispectrum: the invariants of four neighbours' densities (correlation order 4)."""

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import combinations_with_replacement, permutations, product
from math import sqrt
from typing import Annotated, ClassVar, NamedTuple, final

import numpy as np
from pydantic import Field

from nullmode._support._jit import kernel
from nullmode._support.types import Floats, Integers, Parity
from nullmode._support.variants import variant
from nullmode.basis.density import Batch, Density, Expansion, expand, expansion
from nullmode.basis.quartet import PairCoupling, count_scalars, independent, pair_coupling
from nullmode.descriptors._base import DensityDescriptor
from nullmode.geometry.environment import Environment

LARGEST_L = 8
"""Up to here the couplings are tested."""


class Assembly(NamedTuple):
    """How features are assembled from pairs of densities coupled to (L, M).

    Attributes
    ----------
    pairs, shape (n_pairs, 5)
        Channels q1, q2, their coupling in PairCoupling, and the pair's rows [start, stop).
    first, shape (F + 1,)
        Terms first[f] to first[f + 1] belong to feature f.
    terms, shape (n_terms, 3)
        First row of the one pair's (L, -L), of the other's, and 2 L + 1.
    weights, shape (n_terms,)
        Factor of each term.
    labels, shape (F, 9)
        l and q of the four densities in turn, then k.
    """

    pairs: Integers
    first: Integers
    terms: Integers
    weights: Floats
    labels: Integers


class Scratch(NamedTuple):
    """Scratch of one environment; x runs over the 3 n neighbour components.

    Attributes
    ----------
    expansion
        Coefficients and harmonics.
    slope, shape (K, (l_max + 1)², 3 n)
        d c/d r.
    pair, shape (n_rows,)
        Every pair of densities, coupled.
    pair_slope, shape (n_rows, 3 n)
        Its derivative.
    """

    expansion: Expansion
    slope: Floats
    pair: Floats
    pair_slope: Floats


@kernel
def trispectrum(
    batch: Batch,
    density: Density,
    coupling: PairCoupling,
    assembly: Assembly,
    scratch: Scratch,
    features: Floats,
    jacobian: Floats,
) -> None:
    """Fill the features and the Jacobian of a batch.

    T_ab^(LM) = sum_(m1 m2) C^(LM)_(l1 m1, l2 m2) c_(a m1) c_(b m2), then the sum over M of T_ab T_cd / sqrt(2 L + 1):
    iterated coupling as in Nigam, Pozdnyakov and Ceriotti, J. Chem. Phys. 153, 121101 (2020). Derivatives are those of
    pairs, taken once each.
    """
    pair, pair_slope = scratch.pair, scratch.pair_slope
    for i in range(features.shape[0]):
        expand(batch, i, density, scratch.expansion)
        n = batch.offsets[i + 1] - batch.offsets[i]
        row = 3 * batch.offsets[i] * features.shape[1]
        if jacobian.size:
            _slope(batch, i, density, scratch.expansion, scratch.slope)
        _couple(coupling, assembly.pairs, scratch, 3 * n if jacobian.size else 0)
        for f in range(features.shape[1]):
            total = 0.0
            for t in range(assembly.first[f], assembly.first[f + 1]):
                one, two = assembly.terms[t, 0], assembly.terms[t, 1]
                sum_over_m = 0.0
                for m in range(assembly.terms[t, 2]):
                    sum_over_m += pair[one + m] * pair[two + m]
                total += assembly.weights[t] * sum_over_m
            features[i, f] = total
            if jacobian.size == 0:
                continue
            derivative = jacobian[row : row + 3 * n]
            derivative[:] = 0.0
            for t in range(assembly.first[f], assembly.first[f + 1]):
                one, two, weight = assembly.terms[t, 0], assembly.terms[t, 1], assembly.weights[t]
                for m in range(assembly.terms[t, 2]):
                    left, right = weight * pair[one + m], weight * pair[two + m]
                    slope_one, slope_two = pair_slope[one + m], pair_slope[two + m]
                    for x in range(3 * n):
                        derivative[x] += right * slope_one[x] + left * slope_two[x]
            row += 3 * n


@kernel
def _slope(batch: Batch, environment: int, density: Density, expansion: Expansion, slope: Floats) -> None:
    """Fill d c_(q lm)/d r of one environment."""
    first = batch.offsets[environment]
    n = batch.offsets[environment + 1] - first
    n_max = density.n_max
    slope[:, :, : 3 * n] = 0.0
    for j in range(n):
        q = batch.species[first + j] * n_max
        for k in range(n_max):
            for l in range(density.l_max + 1):
                ratio = expansion.value[j, l * n_max + k] * expansion.inverse_distance[j]
                derivative = expansion.derivative[j, l * n_max + k]
                for lm in range(l * l, (l + 1) * (l + 1)):
                    for x in range(3 * j, 3 * j + 3):
                        y, dy = expansion.y[lm, x], expansion.dy[lm, x]
                        slope[q + k, lm, x] = derivative * expansion.direction[x] * y + ratio * dy


@kernel
def _couple(coupling: PairCoupling, pairs: Integers, scratch: Scratch, width: int) -> None:
    """Couple every pair of densities, with the first `width` components of its derivative."""
    c, slope = scratch.expansion.c, scratch.slope
    pair, pair_slope = scratch.pair, scratch.pair_slope
    for p in range(pairs.shape[0]):
        q1, q2, t, start, stop = pairs[p, 0], pairs[p, 1], pairs[p, 2], pairs[p, 3], pairs[p, 4]
        pair[start:stop] = 0.0
        pair_slope[start:stop, :width] = 0.0
        for e in range(coupling.first[t], coupling.first[t + 1]):
            lm1, lm2 = coupling.indices[e, 0], coupling.indices[e, 1]
            row = start + coupling.indices[e, 2]
            left, right = coupling.value[e] * c[q1, lm1], coupling.value[e] * c[q2, lm2]
            pair[row] += left * c[q2, lm2]
            slope1, slope2, both = slope[q1, lm1], slope[q2, lm2], pair_slope[row]
            for x in range(width):
                both[x] += right * slope1[x] + left * slope2[x]


class TrispectrumLabel(NamedTuple):
    """Name of one entry: the four channels, ordered by (l, species, n), and which of their independent couplings."""

    species_1: str
    n_1: int
    l_1: int
    species_2: str
    n_2: int
    l_2: int
    species_3: str
    n_3: int
    l_3: int
    species_4: str
    n_4: int
    l_4: int
    k: int


@cache
def _sums(l: tuple[int, ...], same: tuple[int, ...]) -> list[list[tuple[int, float]]]:
    """Give the features of four densities as sums over L, with weights; `same` as in :func:`independent`."""
    lowest, root = max(l[1] - l[0], l[3] - l[2]), sqrt(len(set(permutations(same))))
    return [
        [(lowest + k, root * float(row[k]) / sqrt(2 * (lowest + k) + 1)) for k in np.flatnonzero(row).tolist()]
        for row in independent(l, same)
    ]


@lru_cache(maxsize=4)  # some 100 MB each at the largest
def _assembly(size: int, l_max: int) -> Assembly:
    """Lay out all features: per unordered quadruple of (l, channel) of even sum of l, its independent couplings."""
    channels = list(product(range(l_max + 1), range(size)))
    pairs, start, rows = [], {}, 0
    for both in combinations_with_replacement(channels, 2):
        (l1, q), (l2, p) = both
        stop = rows + (2 * l1 + 1) * (2 * l2 + 1)
        pairs.append((q, p, l2 * (l2 + 1) // 2 + l1, rows, stop))
        start[both] = rows - (l2 - l1) ** 2  # where L = M = 0 would stand
        rows = stop
    first, terms, weights, labels = [0], [], [], []
    for entry in combinations_with_replacement(channels, 4):
        if sum(l for l, _ in entry) % 2:
            continue
        a, b, c, d = entry
        # Equal densities are coupled first: odd L are then left out, and few features have more than one term.
        four = (b, c, a, d) if a < b == c < d else entry
        left, right = start[four[:2]], start[four[2:]]
        l, same = tuple(l for l, _ in four), tuple(four.index(channel) for channel in four)
        for k, combination in enumerate(_sums(l, same)):
            for L, weight in combination:
                terms.append((left + L * L, right + L * L, 2 * L + 1))
                weights.append(weight)
            first.append(len(terms))
            labels.append((*a, *b, *c, *d, k))
    return Assembly(*map(np.array, (pairs, first, terms, weights, labels)))


@final
@variant
class Trispectrum(DensityDescriptor):
    """Fourth-order invariants of the density under O(3), coupled two and two.

    Per unordered quadruple of (species, n, l) as many entries as there are independent couplings to a scalar: all L of
    ((l1 l2) L, (l3 l4) L) where the four differ, else an orthonormal basis of what the exchange of equal ones leaves.
    The weight, the root of the number of distinct orderings, makes norms, distances and singular values those of the
    full tensor. Nigam, Pozdnyakov and Ceriotti, J. Chem. Phys. 153, 121101 (2020), for the coupling.

    Features grow as (n_species n_max)⁴ l_max⁵: 2454 at (3, 4) for one species, 34 986 for two, 170 901 for three.

    Parameters
    ----------
    l_max
        Largest angular momentum, inclusive.
    n_max, cutoff, cutoff_width, width, center_weight, species
        As in :class:`~nullmode.descriptors._base.DensityDescriptor`; lengths in Å.
    """

    correlation_order: ClassVar[int | None] = 4
    parity: ClassVar[Parity | None] = "O3"
    n_max: Annotated[int, Field(ge=1, description="number of radial functions")] = 3
    # A field here, a constant of the class in descriptors without it: mypy has no word for either.
    l_max: Annotated[int, Field(ge=0, le=LARGEST_L, description="largest angular momentum, inclusive")] = 3  # type: ignore[misc]

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[TrispectrumLabel]:
        """Name every feature, in order; as in :meth:`Descriptor.feature_labels`."""
        species = self._species(environments)
        if not self._checked_size(len(species)):
            return []
        names = list(product(species, range(self.n_max)))
        return [
            TrispectrumLabel._make((*names[a], l1, *names[b], l2, *names[c], l3, *names[d], l4, k))
            for l1, a, l2, b, l3, c, l4, d, k in _assembly(len(names), self.l_max).labels.tolist()
        ]

    def _n_features(self, n_species: int) -> int:
        return count_scalars(n_species * self.n_max, self.l_max)

    def _evaluate(self, batch: Batch, n_species: int, features: Floats, jacobian: Floats) -> None:
        density = self._density()
        most = int(np.diff(batch.offsets).max())
        size = n_species * self.n_max
        assembly = _assembly(size, self.l_max)
        width = 3 * most if jacobian.size else 0
        rows = assembly.pairs[-1, -1]
        scratch = Scratch(
            expansion=expansion(density, n_species, most),
            slope=np.empty((size, (self.l_max + 1) ** 2, width)),
            pair=np.empty(rows),
            pair_slope=np.empty((rows, width)),
        )
        trispectrum(batch, density, pair_coupling(self.l_max), assembly, scratch, features, jacobian)
