"""Densities expanded in the radial functions that their neighbours' Gaussians span."""

from typing import NamedTuple

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH, padded
from nullmode._support.types import Floats, Integers
from nullmode.basis.cutoff import shifted_cosine
from nullmode.basis.scaling import scaling
from nullmode.descriptors._base import DensityDescriptor
from nullmode.descriptors.complete.span import Room, factorise, fill_samples, largest_norm, room_for, whole_lanes

_NEGLIGIBLE = 2.0 * float(np.finfo(np.float64).eps)
"""Functions this much shorter than the longest are rounding."""


class Densities(NamedTuple):
    """Densities of m environments: c_(q lm) = sum_j value[l, j, q] Y_lm(r_j/|r_j|), and center[l, q] Y_00 at l = 0.

    Attributes
    ----------
    vectors, shape (m, n, 3)
        Neighbours, in Å.
    value, slope, shape (l_max + 1, m, n, K)
        Coefficient of each neighbour in channel q, zero unless q has its species, and its derivative by the distance.
    center, shape (l_max + 1, m, K)
        Of the centre's own Gaussian, zero unless l = 0.
    channels, shape (2, l_max + 1, m)
        How many channels the densities are in, the first ones, and how many they and their derivatives are in. After
        these there is room for lanes.
    """

    vectors: Floats
    value: Floats
    slope: Floats
    center: Floats
    channels: Integers


def expanded(
    vectors: Floats,
    species: Integers,
    center: int,
    descriptor: DensityDescriptor,
    quadrature: tuple[Floats, Floats],
    l_max: int,
) -> Densities:
    """Expand densities in the functions that they span on the range of a quadrature; neighbours ordered by species."""
    m, n, _ = vectors.shape
    r = np.linalg.norm(vectors, axis=-1)
    has_own = descriptor.center_weight != 0.0
    every = np.unique(np.append(species, center) if has_own else species)
    kinds = np.searchsorted(every, np.concatenate([species, species, [center]]))
    if not has_own:
        kinds[-1] = -1
    x, factors = whole_lanes(*quadrature)
    room = room_for(n, len(quadrature[0]), l_max)
    most = sum(min(len(quadrature[0]), int((kinds == kind).sum())) for kind in range(len(every)))
    value, slope = np.zeros((2, l_max + 1, m, n, padded(most) + WIDTH))
    own = np.zeros((l_max + 1, m, value.shape[-1]))
    result = Densities(vectors, value, slope, own, np.zeros((2, l_max + 1, m), dtype=np.int64))
    weight, dweight = np.empty((2, m, n))
    scaled = descriptor.radial_scaling
    further = (scaled.rate, scaled.scale, scaled.exponent) if scaled else (1.0, 1.0, 0.0)
    _weigh(r.ravel(), descriptor.cutoff, descriptor.cutoff_width, further, weight.ravel(), dweight.ravel())
    width, share = descriptor.width, descriptor.center_weight
    _fill(r, weight, dweight, share, kinds, len(every), x, factors, width, room, result)
    return result


@kernel
def _fill(
    distances: Floats,
    weight: Floats,
    dweight: Floats,
    center_weight: float,
    kinds: Integers,
    n_kinds: int,
    x: Floats,
    factors: Floats,
    width: float,
    room: Room,
    result: Densities,
) -> None:
    n_l, m, n, _ = result.value.shape
    for i in range(m):
        fill_samples(distances[i], x, factors, width, room)
        negligible = _NEGLIGIBLE * largest_norm(room)
        for l in range(n_l):
            top = 0
            for slopes in (False, True):
                for kind in range(n_kinds):
                    found = factorise(l, kinds, kind, slopes, negligible, room)
                    for k in range(found):
                        row, q = room.factors[k], top + k
                        for j in range(n):
                            result.value[l, i, j, q] = row[j] * weight[i, j]
                            result.slope[l, i, j, q] = row[n + j] / width * weight[i, j] + row[j] * dweight[i, j]
                        result.center[l, i, q] = row[2 * n] * center_weight
                    top += found
                result.channels[int(slopes), l, i] = top


@kernel
def _weigh(
    distances: Floats,
    cutoff: float,
    cutoff_width: float,
    scaled: tuple[float, float, float],
    weight: Floats,
    dweight: Floats,
) -> None:
    """Fill each neighbour's weight, cutoff function times radial scaling, and its derivative in 1/Å.

    `scaled` holds rate, scale and exponent; an exponent of 0 means no scaling.
    """
    for j in range(distances.size):
        f, df = shifted_cosine(distances[j], cutoff, cutoff_width)
        g, dg = 1.0, 0.0
        if scaled[2] != 0.0:
            g, dg = scaling(distances[j], scaled[0], scaled[1], scaled[2])
        weight[j] = f * g
        dweight[j] = df * g + f * dg
