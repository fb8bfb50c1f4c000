"""The Jacobian of a power spectrum in any radial basis, from its neighbours' coefficients alone, for any l."""

from math import pi, sqrt
from typing import NamedTuple

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH, aligned, load, put, splat, store
from nullmode._support.types import Floats
from nullmode.basis.density import columns_of
from nullmode.descriptors.complete.densities import Densities


class Scratch(NamedTuple):
    """Of one environment: unit vectors, cosines between them and how these turn, Legendre polynomials, factors.

    Arrays by pairs hold each pair three times, once for each component of the second neighbour.
    """

    unit: Floats
    inverse_distance: Floats
    cosine: Floats
    turn: Floats
    before: Floats
    last: Floats
    dlast: Floats
    slope: Floats
    value: Floats
    a: Floats
    b: Floats


def scratch(n: int, n_channels: int) -> Scratch:
    """Allocate for environments of n neighbours."""
    columns = columns_of(n)
    arrays = [aligned(rows, columns) for rows in [n] * 5 + [n_channels] * 4]
    for each in arrays:
        each[:] = 0.0
    return Scratch(aligned(n, 3), aligned(n), *arrays)


@kernel
def fill_rows(densities: Densities, room: Scratch, features: Floats, last: Floats, jacobian: Floats) -> None:
    """Fill the norms of features and of the Jacobian's rows at the last l, both (m,), and the Jacobian (m, rows·3 n).

    p_(qq'l) = w/sqrt(2l+1) sum_m c_(qlm) c_(q'lm), q <= q', w = sqrt 2 for q < q', as the power spectrum has it, up to
    signs. Sums over m of harmonics are Legendre polynomials of the cosines between neighbours (DLMF 14.30.9). Rows that
    an environment does not need are zeros at the end.
    """
    n_l, m, _, n = densities.value.shape
    for i in range(m):
        _directions(densities.vectors[i], room)
        features[i] = 0.0
        end = 0
        for l in range(n_l):
            channels = densities.channels[l, i]
            _factors(densities.value[l, i], densities.slope[l, i], densities.center[l, i], channels, room)
            norm = sqrt(2.0 * l + 1.0) / (4.0 * pi)
            features[i] += norm * norm * _square(densities.value[l, i], densities.center[l, i], channels, room)
            start = end
            end = _outer(norm, channels, n, room, jacobian[i], start)
            if l == n_l - 1:
                total = 0.0
                for k in range(start, end):
                    total += jacobian[i, k] ** 2
                last[i] = sqrt(total)
            _advance(l, room)
        features[i] = sqrt(features[i])
        for k in range(end, jacobian.shape[1]):
            jacobian[i, k] = 0.0


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
            for k in range(3):
                turn = (room.unit[i, k] - c * room.unit[j, k]) * room.inverse_distance[j]
                room.turn[i, 3 * j + k] = turn if i != j else 0.0
                room.cosine[i, 3 * j + k] = c
                room.before[i, 3 * j + k] = 0.0
                room.last[i, 3 * j + k] = 1.0
                room.dlast[i, 3 * j + k] = 0.0


@kernel
def _advance(l: int, room: Scratch) -> None:
    """Go from P_l to P_(l+1): DLMF 14.10.3, and P'_(l+1) = (l+1) P_l + t P'_l (from 14.10.4 and 14.10.5)."""
    cosine, before, last, dlast = (
        room.cosine.reshape(-1),
        room.before.reshape(-1),
        room.last.reshape(-1),
        room.dlast.reshape(-1),
    )
    for k in range(0, cosine.size, WIDTH):
        t, p = load(cosine, k), load(last, k)
        store(last, k, (t * p * (2.0 * l + 1.0) - load(before, k) * float(l)) / (l + 1.0))
        store(before, k, p)
        store(dlast, k, p * (l + 1.0) + t * load(dlast, k))


@kernel
def _factors(value: Floats, slope: Floats, center: Floats, channels: int, room: Scratch) -> None:
    """Fill, per channel and neighbour component, factors of d c/d r, and their sums over m with c."""
    n, columns = room.last.shape
    last, dlast, turn = room.last.reshape(-1), room.dlast.reshape(-1), room.turn.reshape(-1)
    a, b = room.a.reshape(-1), room.b.reshape(-1)
    for q in range(channels):
        for j in range(n):
            for k in range(3):
                room.slope[q, 3 * j + k] = slope[q, j] * room.unit[j, k]
                room.value[q, 3 * j + k] = value[q, j]
        for x in range(0, columns, WIDTH):
            # The centre's density is along no neighbour: P_0 = 1.
            along, across = splat(center[q]), splat(0.0)
            for i in range(n):
                factor, place = splat(value[q, i]), i * columns + x
                along += factor * load(last, place)
                across += factor * load(dlast, place) * load(turn, place)
            store(a, q * columns + x, along)
            store(b, q * columns + x, across)


@kernel
def _square(value: Floats, center: Floats, channels: int, room: Scratch) -> float:
    """Sum the squares of sum_m c_q c_q' (4 pi/(2l+1)) over channels."""
    n = value.shape[1]
    result = 0.0
    for q in range(channels):
        own = center[q]
        for j in range(n):
            own += value[q, j]
        for p in range(channels):
            total = own * center[p]
            for j in range(n):
                total += room.a[q, 3 * j] * value[p, j]
            result += total * total
    return result


@kernel
def _outer(norm: float, channels: int, n: int, room: Scratch, jacobian: Floats, start: int) -> int:
    """Write the rows of one l, and return where they end; what spills over is overwritten by the next."""
    slope, value, a, b = room.slope.reshape(-1), room.value.reshape(-1), room.a.reshape(-1), room.b.reshape(-1)
    width = room.a.shape[1]
    for q in range(channels):
        for p in range(q, channels):
            weight = norm if p == q else norm * sqrt(2.0)
            for x in range(0, 3 * n, WIDTH):
                one, two = q * width + x, p * width + x
                total = load(slope, one) * load(a, two) + load(value, one) * load(b, two)
                total += load(slope, two) * load(a, one) + load(value, two) * load(b, one)
                put(jacobian, start + x, total * weight)
            start += 3 * n
    return start
