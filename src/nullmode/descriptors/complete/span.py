"""The radial functions that neighbours' Gaussians span: a complete radial basis for one set of distances."""

from math import ceil, exp, expm1, pi, sqrt
from typing import NamedTuple

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH, aligned, highest, load, padded, root, splat, store, total
from nullmode._support.types import Floats, Integers
from nullmode.basis.radial._quadrature import interval, scaled_i

LARGEST_L = 200
"""Largest angular momentum: the limit is tested up to it against independent implementations of its functions."""
_SHARE = 1e-13
"""Share of an angular momentum in the squared norm of a density that counts as nothing."""
# In widths: beyond, a Gaussian is below 1e-17 of its height, and below 1e-17 of its squared norm.
_REACH, _REACH_OF_SQUARE = 9.0, 6.0
# Bandwidth of a product of two Gaussians times the width: beyond, its transform is below the rounding.
_BANDWIDTH = 12.5
_SPARE_POINTS = 10
# Of the downward recurrence: the error of the first ratio has decayed by exp(-40) where its results are kept.
_DECAY, _SPARE_STEPS = 40.0, 12
# Below, (1 - exp(-2 z))/(2 z) is 1.
_TINY = 1e-300


class Room(NamedTuple):
    """Of one environment of n neighbours: samples of its functions, ratios of Bessel functions, squares, coefficients.

    `samples`, shape (l_max + 1, 2 n + 1, p), is described in :func:`fill_samples`, `factors`, shape (K, 2 n + 1), in
    :func:`factorise`; p is a multiple of eight.
    """

    samples: Floats
    ratios: Floats
    squares: Floats
    factors: Floats


def converged_l(reach: float, width: float) -> int:
    """Angular momentum beyond which Gaussians up to `reach` (Å) have no share that counts, at most ``LARGEST_L``.

    The share of l in the squared norm of a Gaussian at r is (2l+1) exp(-z) i_l(z), z = r²/(2 width²); these sum to 1
    (DLMF 10.60.9).
    """
    z = np.atleast_1d(0.5 * (reach / width) ** 2)
    share = (2 * np.arange(LARGEST_L + 1) + 1) * scaled_i(LARGEST_L, z)[:, 0]
    return min(LARGEST_L, int(np.flatnonzero(share > _SHARE).max(initial=0)) + 1)


def room_for(n: int, n_points: int, l_max: int) -> Room:
    """Allocate for environments of n neighbours."""
    columns = 2 * n + 1
    return Room(
        samples=aligned(l_max + 1, columns, padded(n_points)),
        ratios=aligned((l_max + 2) * WIDTH),
        squares=np.empty(columns),
        factors=np.empty((min(n_points, columns), columns)),
    )


@kernel
def fill_samples(distances: Floats, x: Floats, factors: Floats, width: float, room: Room) -> None:
    """Project normalised Gaussians at distances r on angular momenta: functions of x, and their derivatives by r.

    g_l(x; r) = 4 pi (pi width²)^(-3/4) exp(-(r² + x²)/(2 width²)) i_l(r x/width²), with the modified spherical Bessel
    functions i_l (Bartók, Kondor and Csányi, Phys. Rev. B 87, 184115 (2013), eq. 31).

    Parameters
    ----------
    distances, shape (n,)
        In Å, above 0.
    x, factors, shape (p,)
        Points in Å and factors of the samples there, as many as the room has.
    room
        Of its samples, column j gets g_l, column n + j the derivative times the width, and column 2 n g_l(x; 0).
    """
    n, n_l, length = distances.size, room.samples.shape[0], room.samples.shape[2]
    samples = room.samples.reshape(-1)
    stride = room.samples.shape[1] * length
    height = 4.0 * pi * (pi * width * width) ** -0.75
    for p in range(length):
        samples[2 * n * length + p] = height * factors[p] * exp(-0.5 * (x[p] / width) ** 2)
    for k in range(1, n_l):
        for p in range(length):
            samples[k * stride + 2 * n * length + p] = 0.0
    for j in range(n):
        r = distances[j]
        for p in range(0, length, WIDTH):
            # Downward, in ratios i_l/i_(l-1): an error of the first decays as exp(-l²/z).
            z = load(x, p) * (r / (width * width))
            first = int(sqrt(_DECAY * highest(z) + float(n_l * n_l))) + _SPARE_STEPS
            start = splat(first + 0.5)
            ratio = z / (start + root(start * start + z * z))
            inverse = 1.0 / z
            for l in range(first, 0, -1):
                ratio = 1.0 / ((2.0 * l + 1.0) * inverse + ratio)
                if l <= n_l:
                    store(room.ratios, l * WIDTH, ratio)
            for k in range(p, p + WIDTH):
                size = x[k] * r / (width * width)
                front = height * factors[k] * exp(-0.5 * ((r - x[k]) / width) ** 2)
                room.ratios[k - p] = front * (-expm1(-2.0 * size) / (2.0 * size) if size > _TINY else 1.0)
            value, before = load(room.ratios, 0), splat(0.0)
            along = load(x, p) / width
            for l in range(n_l):
                after = value * load(room.ratios, (l + 1) * WIDTH)
                # DLMF 10.51.4: (2l+1) i_l' = l i_(l-1) + (l+1) i_(l+1).
                slope = (after * (l + 1.0) + before * float(l)) * along / (2.0 * l + 1.0) - value * (r / width)
                store(samples, l * stride + j * length + p, value)
                store(samples, l * stride + (n + j) * length + p, slope)
                before, value = value, after


@kernel
def largest_norm(room: Room) -> float:
    """Find the largest norm of a column of samples."""
    samples = room.samples.reshape(-1)
    length = room.samples.shape[2]
    most = 0.0
    for first in range(0, samples.size, length):
        squares = splat(0.0)
        for k in range(first, first + length, WIDTH):
            entries = load(samples, k)
            squares += entries * entries
        most = max(most, total(squares))
    return sqrt(most)


@kernel
def factorise(l: int, kinds: Integers, kind: int, slopes: bool, negligible: float, room: Room) -> int:
    """Expand the functions of one kind and one l in orthonormal functions that span them, and return how many.

    By Gram and Schmidt on the samples (modified, the longest first), never by the Gram matrix, which loses what
    functions differ by below 1e-8: the triangular factor is as exact as Householder's (Björck, BIT 7, 1 (1967)).
    The Gaussians come first, then what their derivatives add to them. Changes the samples to what is left of them.

    Parameters
    ----------
    kinds, shape (2 n + 1,)
        Of each column of the samples. Those of `kind` are expanded.
    slopes
        Whether to find the functions that the derivatives add, or, before, those of the Gaussians.
    negligible
        Functions are complete when all that is left of each column is at most this long.
    room
        Its factors (K, 2 n + 1) get the coefficients.
    """
    columns, length = room.samples.shape[1:]
    n = columns // 2
    samples = room.samples.reshape(-1)
    at = l * columns * length
    for c in range(columns):
        squares = splat(0.0)
        if kinds[c] == kind and (not slopes or n <= c < 2 * n):
            for k in range(at + c * length, at + (c + 1) * length, WIDTH):
                entries = load(samples, k)
                squares += entries * entries
        room.squares[c] = total(squares)
    found = 0
    while found < room.factors.shape[0]:
        best = n if slopes else 2 * n
        for c in range(n, 2 * n) if slopes else range(n):
            if room.squares[c] > room.squares[best]:
                best = c
        size = sqrt(room.squares[best])
        if size <= negligible:
            break
        room.squares[best] = 0.0
        row = room.factors[found]
        chosen = at + best * length
        for c in range(columns):
            row[c] = 0.0
            if room.squares[c] == 0.0:
                continue
            other = at + c * length
            product = splat(0.0)
            for k in range(0, length, WIDTH):
                product += load(samples, chosen + k) * load(samples, other + k)
            row[c] = total(product) / size
            share, squares = splat(row[c] / size), splat(0.0)
            for k in range(0, length, WIDTH):
                rest = load(samples, other + k) - share * load(samples, chosen + k)
                store(samples, other + k, rest)
                squares += rest * rest
            room.squares[c] = total(squares)
        row[best] = size
        found += 1
    return found


def whole_lanes(x: Floats, factors: Floats) -> tuple[Floats, Floats]:
    """Append points without weight, up to a whole number of lanes."""
    spare = (0, padded(len(x)) - len(x))
    return np.pad(x, spare, mode="edge"), np.pad(factors, spare)


def points(reach: float, width: float) -> tuple[Floats, Floats]:
    """Points x in Å that integrate products of Gaussians up to `reach` over [0, ∞), and x times roots of the weights.

    x² times such a product is an even function of x that vanishes at both ends of the line: equal weights are exact up
    to its bandwidth (Trefethen and Weideman, SIAM Review 56, 385 (2014)).
    """
    spacing = 2 * pi * width / _BANDWIDTH
    x = spacing * np.arange(1, ceil((reach + _REACH * width) / spacing) + 1, dtype=np.float64)
    return x, x * sqrt(spacing)


def points_within(cutoff: float, width: float) -> tuple[Floats, Floats]:
    """Do as :func:`points` for integrals over [0, cutoff]."""
    x, weights = interval(ceil(_BANDWIDTH * cutoff / (4 * width)) + _SPARE_POINTS, cutoff)
    return x.astype(np.float64), (x * np.sqrt(weights)).astype(np.float64)


def reaches_past(distance: float, width: float, cutoff: float) -> bool:
    """Whether a Gaussian at a distance in Å has more than rounding of its squared norm beyond the cutoff."""
    return distance + _REACH_OF_SQUARE * width > cutoff
