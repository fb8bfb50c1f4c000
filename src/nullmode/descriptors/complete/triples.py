"""The Jacobian of a bispectrum in any radial basis, reduced to its triangular factor triple by triple."""

from collections.abc import Iterator
from itertools import combinations_with_replacement
from math import sqrt
from typing import Any

import numpy as np

from nullmode._support.types import Floats, Parity
from nullmode.basis.coupling import _real_from_complex
from nullmode.basis.harmonics import harmonics, norms
from nullmode.descriptors.complete.densities import Densities

LARGEST_L_OF_TRIPLES = 80
"""Largest angular momentum: the harmonics are tested up to it against an independent implementation."""
# A triple whose densities have a smaller product than this share of the largest is left out.
_SHARE = 1e-10
# Of the least share: the remainder is the norm of what is kept up to it.
_WEAKEST = 10.0
# Rows are collected up to so many entries before they are reduced.
_BLOCK_ENTRIES = 1 << 20


def triples_of(densities: Densities, parity: Parity) -> list[tuple[float, list[int]]]:
    """List the l1 <= l2 <= l3 that form a triangle, each after the product of its densities, if that counts."""
    size = np.sqrt((densities.value**2).sum(axis=(1, 2, 3)) + (densities.center**2).sum(axis=(1, 2)))
    size *= np.sqrt(2 * np.arange(len(size)) + 1)
    size /= size.max()
    every = (list(l) for l in combinations_with_replacement(range(len(size)), 3) if l[2] <= l[0] + l[1])
    allowed = ((float(size[l].prod()), l) for l in every if parity == "SO3" or sum(l) % 2 == 0)
    return [(product, l) for product, l in allowed if product > _SHARE]


def reduced_rows(densities: Densities, parity: Parity) -> tuple[Floats, float, float]:
    """Reduce the Jacobian of one environment's bispectrum; norms of features, and of the weakest rows.

    B = w sum_m (l1 l2 l3; m1 m2 m3) c_(q1 l1 m1) c_(q2 l2 m2) c_(q3 l3 m3), as the bispectrum has it. All orders of
    channels are rows, and w is the root of the number of orders of l1, l2, l3: this has the same products of columns.
    In complex harmonics m1 + m2 + m3 = 0, which leaves sums over one m.

    Returns
    -------
    ndarray, shape (3 n, 3 n)
        The triangular factor, in 1/Å.
    """
    n = densities.vectors.shape[1]
    harmonic, gradient = _complex_harmonics(densities.vectors[0], len(densities.value) - 1)
    r = np.linalg.norm(densities.vectors[0], axis=1)
    unit = (densities.vectors[0] / r[:, None]).ravel()
    used = densities.channels[1, :, 0]
    values, slopes, centers = (
        [of_l[0, ..., :k].T for of_l, k in zip(each, used, strict=True)] for each in densities[1:4]
    )
    c = [value @ y for value, y in zip(values, harmonic, strict=True)]
    c[0] = c[0] + centers[0][:, None] / sqrt(4 * np.pi)
    slope = [np.repeat(each, 3, axis=1) * unit for each in slopes]
    ratio = [np.repeat(each / r, 3, axis=1) for each in values]
    triangle = np.zeros((0, 3 * n))
    block: list[Floats] = []
    features = last = 0.0
    for product, l in triples_of(densities, parity):
        weight = sqrt(len(set(permuted(l))))
        symbols = _symbols(*l)
        rows: Any = 0.0
        for third in range(3):
            first, second = (k for k in range(3) if k != third)
            pair = _pair(symbols[third], c[l[first]], c[l[second]])
            y = np.repeat(harmonic[l[third]], 3, axis=0).T
            a, b = pair @ y, pair @ gradient[l[third]].T
            part = a[:, :, None] * slope[l[third]] + b[:, :, None] * ratio[l[third]]
            rows = rows + np.moveaxis(part, 2, third)
            if third == 2:
                products = pair @ c[l[2]].T
        real = (rows.imag if sum(l) % 2 else rows.real).reshape(-1, 3 * n) * weight
        features += weight**2 * float((np.abs(products) ** 2).sum())
        if product < _WEAKEST * _SHARE:
            last += float((real**2).sum())
        block.append(real)
        if sum(each.size for each in block) > _BLOCK_ENTRIES:
            triangle, block = _reduced([triangle, *block]), []
    triangle = _reduced([triangle, np.zeros((3 * n, 3 * n)), *block])
    return triangle, sqrt(features), sqrt(last)


def permuted(l: list[int]) -> Iterator[tuple[int, int, int]]:
    """Give the six orders of three numbers."""
    one, two, three = l
    yield from ((one, two, three), (one, three, two), (two, one, three), (two, three, one))
    yield from ((three, one, two), (three, two, one))


def _reduced(blocks: list[Floats]) -> Floats:
    return np.asarray(np.linalg.qr(np.concatenate(blocks), mode="r"))


def _complex_harmonics(vectors: Floats, l_max: int) -> tuple[list[Any], list[Any]]:
    """Harmonics (n, 2l+1) in the direction of each neighbour, and their gradients (3 n, 2l+1) on the sphere."""
    n, size = len(vectors), (l_max + 1) ** 2
    once, values, gradients = np.empty((n, size)), np.empty((size, 3 * n)), np.empty((size, 3 * n))
    norm = norms(l_max)
    work = np.empty(norm.size + 2 * (l_max + 1))
    for j, (x, y, z) in enumerate(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)):
        harmonics(x, y, z, l_max, norm, work, once, values, gradients, j)
    turns = [_real_from_complex(l).conj() for l in range(l_max + 1)]
    rows = [slice(l * l, (l + 1) ** 2) for l in range(l_max + 1)]
    return (
        [once[:, row] @ turn for row, turn in zip(rows, turns, strict=True)],
        [gradients[row].T @ turn for row, turn in zip(rows, turns, strict=True)],
    )


def _symbols(l1: int, l2: int, l3: int) -> tuple[Floats, Floats, Floats]:
    """3j symbols (DLMF 34.1.1) by two of the m, (m2, m1), (m1, m2) and (m1, m3); the sum of all three is 0."""
    import wigners

    couplings = wigners.clebsch_gordan_array(l1, l2, l3)
    m1, m2, m3 = np.arange(-l1, l1 + 1)[:, None], np.arange(-l2, l2 + 1), np.arange(-l3, l3 + 1)
    total = m1 + m2
    # <l1 m1 l2 m2|l3 m1 + m2> belongs to m3 = -m1 - m2.
    index = np.clip(total + l3, 0, 2 * l3)
    found = np.take_along_axis(couplings, index[:, :, None], axis=2)[:, :, 0]
    sign = np.where((l1 - l2 + total) % 2, -1.0, 1.0) / sqrt(2 * l3 + 1)
    by_two = np.where(np.abs(total) <= l3, found * sign, 0.0)
    other = -m1 - m3
    by_three = np.take_along_axis(by_two, np.clip(other + l2, 0, 2 * l2), axis=1)
    return by_two.T, by_two, np.where(np.abs(other) <= l2, by_three, 0.0)


def _pair(symbols: Floats, first: Any, second: Any) -> Any:
    """Couple two densities, (K, 2a+1) and (K, 2b+1), by symbols (2a+1, 2c+1) to the m of the third: (K, K, 2c+1)."""
    a, b, c = symbols.shape[0] // 2, second.shape[1] // 2, symbols.shape[1] // 2
    index = np.clip(-np.arange(-a, a + 1)[:, None] - np.arange(-c, c + 1) + b, 0, 2 * b)
    # Where the index is cut off, the symbol is 0. (m, K, m1) @ (m, m1, K).
    left = first[None] * symbols.T[:, None, :]
    right = second.T[index].swapaxes(0, 1)
    return np.moveaxis(left @ right, 0, 2)
