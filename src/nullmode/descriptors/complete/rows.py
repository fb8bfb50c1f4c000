"""The Jacobian of a power spectrum in any radial basis, from its neighbours' coefficients alone, for any l."""

from math import pi, sqrt
from typing import NamedTuple

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH, aligned, load, splat, store, total
from nullmode._support.types import Floats
from nullmode.descriptors.complete.densities import Densities
from nullmode.linalg.householder import block_of, insert, rows_at_once


class Scratch(NamedTuple):
    """Of one environment: what its rows are made of, by neighbour and channel, and a block of rows.

    Unit vectors, cosines between neighbours and how these turn, Legendre polynomials; `a` and `b`, sums over m of
    harmonics of all neighbours with one's, and with how that one's turn.
    """

    unit: Floats
    inverse_distance: Floats
    cosine: Floats
    turn: Floats
    before: Floats
    last: Floats
    dlast: Floats
    a: Floats
    b: Floats
    block: Floats


def scratch(n: int, n_channels: int) -> Scratch:
    """Allocate for environments of n neighbours, and channels with room for lanes."""
    columns = 3 * n
    cosine, before, last, dlast = (aligned(n, n) for _ in range(4))
    block = block_of(rows_at_once(columns) + n_channels, columns)
    block[:] = 0.0
    a, b = aligned(n, n_channels), aligned(columns, n_channels)
    return Scratch(aligned(n, 3), aligned(n), cosine, aligned(n, columns), before, last, dlast, a, b, block)


@kernel
def reduce_rows(
    densities: Densities, room: Scratch, most: int, features: Floats, last: Floats, triangles: Floats
) -> None:
    """Fill norms of the features and of the Jacobian's rows at the last l, both (m,), and factors R (m, 3 n, 3 n).

    p_(qq'l) = w/sqrt(2l+1) sum_m c_(qlm) c_(q'lm), q <= q', w = sqrt 2 for q < q', as the power spectrum has it, up to
    signs. Sums over m of harmonics are Legendre polynomials of the cosines between neighbours (DLMF 14.30.9). Rows are
    reduced to their triangular factor as they are computed, `most` or a few more at once.
    """
    n_l, m, n, _ = densities.value.shape
    for i in range(m):
        triangle = triangles[i]
        triangle[:] = 0.0
        size = _scale(densities, i)
        _directions(densities.vectors[i], room)
        square = 0.0
        rows = 0
        for l in range(n_l):
            dense, channels = densities.channels[0, l, i], densities.channels[1, l, i]
            value, slope, center = densities.value[l, i], densities.slope[l, i], densities.center[l, i]
            _factors(value, center, channels, room)
            norm = sqrt(2.0 * l + 1.0) / (4.0 * pi) / (size * size)
            square += norm * norm * _square(value, center, channels, room)
            if l == n_l - 1:
                _insert(triangle, room.block, rows)
                rows = 0
                last[i] = 0.0
            # Features of two channels that the density is not in do not change to first order.
            for q in range(dense):
                _fill_rows(norm, q, channels, value, slope, room, rows)
                if l == n_l - 1:
                    last[i] += _square_of_rows(room.block, rows, rows + channels - q)
                rows += channels - q
                if rows >= most:
                    _insert(triangle, room.block, rows)
                    rows = 0
            _advance(l, room)
        _insert(triangle, room.block, rows)
        features[i] = size * size * sqrt(square)
        last[i] = size * size * sqrt(last[i])
        for x in range(3 * n):
            for y in range(3 * n):
                triangle[x, y] *= size * size


@kernel
def _scale(densities: Densities, i: int) -> float:
    """Find the largest coefficient at l = 0: over it, squares neither overflow nor vanish."""
    result = 0.0
    n = densities.value.shape[2]
    for q in range(densities.channels[1, 0, i]):
        result = max(result, abs(densities.center[0, i, q]))
        for j in range(n):
            result = max(result, abs(densities.value[0, i, j, q]), abs(densities.slope[0, i, j, q]))
    return result if result > 0.0 else 1.0


@kernel
def _directions(vectors: Floats, room: Scratch) -> None:
    """Find the cosines and d cos_ij/d r_j, and begin with P_0."""
    n = vectors.shape[0]
    for j in range(n):
        x, y, z = vectors[j, 0], vectors[j, 1], vectors[j, 2]
        room.inverse_distance[j] = 1.0 / sqrt(x * x + y * y + z * z)
        for k in range(3):
            room.unit[j, k] = vectors[j, k] * room.inverse_distance[j]
    for i in range(n):
        for j in range(n):
            c = 1.0
            if i != j:
                c = 0.0
                for k in range(3):
                    c += room.unit[i, k] * room.unit[j, k]
            c = min(1.0, max(-1.0, c))
            room.cosine[i, j] = c
            for k in range(3):
                turn = (room.unit[i, k] - c * room.unit[j, k]) * room.inverse_distance[j]
                room.turn[i, 3 * j + k] = turn if i != j else 0.0
            room.before[i, j] = 0.0
            room.last[i, j] = 1.0
            room.dlast[i, j] = 0.0


@kernel
def _advance(l: int, room: Scratch) -> None:
    """Go from P_l to P_(l+1): DLMF 14.10.3, and P'_(l+1) = (l+1) P_l + t P'_l (from 14.10.4 and 14.10.5)."""
    n = room.cosine.shape[0]
    for i in range(n):
        for j in range(n):
            t, p = room.cosine[i, j], room.last[i, j]
            room.last[i, j] = ((2.0 * l + 1.0) * t * p - l * room.before[i, j]) / (l + 1.0)
            room.before[i, j] = p
            room.dlast[i, j] = (l + 1.0) * p + t * room.dlast[i, j]


@kernel
def _factors(value: Floats, center: Floats, channels: int, room: Scratch) -> None:
    """Fill sums over m of c with the harmonics of each neighbour, and with how these turn."""
    n, stride = value.shape
    coefficients, own = value.reshape(-1), center.reshape(-1)
    a, b = room.a.reshape(-1), room.b.reshape(-1)
    for j in range(n):
        for q in range(0, channels, WIDTH):
            # The centre's density is along no neighbour: P_0 = 1.
            along = load(own, q)
            x, y, z = splat(0.0), splat(0.0), splat(0.0)
            for i in range(n):
                factor = load(coefficients, i * stride + q)
                along += factor * room.last[i, j]
                slope = room.dlast[i, j]
                x += factor * (slope * room.turn[i, 3 * j])
                y += factor * (slope * room.turn[i, 3 * j + 1])
                z += factor * (slope * room.turn[i, 3 * j + 2])
            store(a, j * stride + q, along)
            store(b, 3 * j * stride + q, x)
            store(b, (3 * j + 1) * stride + q, y)
            store(b, (3 * j + 2) * stride + q, z)


@kernel
def _square(value: Floats, center: Floats, channels: int, room: Scratch) -> float:
    """Sum the squares of sum_m c_q c_q' (4 pi/(2l+1)) over channels."""
    n, stride = value.shape
    coefficients, own, a = value.reshape(-1), center.reshape(-1), room.a.reshape(-1)
    result = splat(0.0)
    for q in range(channels):
        alone = center[q]
        for j in range(n):
            alone += value[j, q]
        for p in range(0, channels, WIDTH):
            entries = load(own, p) * alone
            for j in range(n):
                entries += load(coefficients, j * stride + p) * a[j * stride + q]
            result += entries * entries
    sum_of_squares: float = total(result)
    return sum_of_squares


@kernel
def _fill_rows(norm: float, q: int, channels: int, value: Floats, slope: Floats, room: Scratch, rows: int) -> None:
    """Write the rows of a channel with itself and all later ones into the columns of the block, from `rows` on."""
    n, stride = value.shape
    values, slopes, a, b = value.reshape(-1), slope.reshape(-1), room.a.reshape(-1), room.b.reshape(-1)
    block, height = room.block.reshape(-1), room.block.shape[1]
    weight = norm * sqrt(2.0)
    for j in range(n):
        v, s, along = value[j, q] * weight, slope[j, q] * weight, room.a[j, q] * weight
        for p in range(q, channels, WIDTH):
            place = j * stride + p
            value_p = load(values, place)
            radial = load(a, place) * s + load(slopes, place) * along
            for x in range(3 * j, 3 * j + 3):
                row = radial * room.unit[j, x - 3 * j] + load(b, x * stride + p) * v + value_p * (room.b[x, q] * weight)
                store(block, x * height + rows + p - q, row)
        for x in range(3 * j, 3 * j + 3):
            room.block[x, rows] *= sqrt(0.5)


@kernel
def _square_of_rows(block: Floats, start: int, end: int) -> float:
    result = 0.0
    for x in range(block.shape[0]):
        for k in range(start, end):
            result += block[x, k] ** 2
    return result


@kernel
def _insert(triangle: Floats, block: Floats, rows: int) -> None:
    """Insert the first rows of the block; what has spilled over their end becomes zero."""
    for x in range(block.shape[0]):
        for k in range(rows, (rows + WIDTH - 1) // WIDTH * WIDTH):
            block[x, k] = 0.0
    insert(triangle, block, rows, False)
