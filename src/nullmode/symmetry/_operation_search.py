"""Candidates for the operations of an environment, each refined on all neighbours: compiled."""

from math import sin, sqrt

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.types import Bools, Floats, Integers

# A candidate operation comes from two vectors alone, so it may miss by this multiple of the tolerance before it is
# refined on all vectors.
_LOOSE = 50.0
_ROUNDING = 1e-9
_MOST_STEPS = 20


@kernel
def _like(species: Integers, lengths: Floats, slack: float, i: int, j: int) -> bool:
    """Whether two neighbours have equal species and, nearly, distances."""
    same: bool = species[i] == species[j] and abs(lengths[i] - lengths[j]) <= slack
    return same


@kernel
def _dot(vectors: Floats, i: int, j: int) -> float:
    total: float = vectors[i, 0] * vectors[j, 0] + vectors[i, 1] * vectors[j, 1] + vectors[i, 2] * vectors[j, 2]
    return total


@kernel
def _across(vectors: Floats, i: int, j: int) -> float:
    """Length of the cross product of two neighbours."""
    a, b = vectors[i], vectors[j]
    return sqrt((a[1] * b[2] - a[2] * b[1]) ** 2 + (a[2] * b[0] - a[0] * b[2]) ** 2 + (a[0] * b[1] - a[1] * b[0]) ** 2)


@kernel
def _choose(vectors: Floats, species: Integers, lengths: Floats, slack: float) -> tuple[int, int]:
    """Choose two neighbours, each with few like it, at a wide angle: errors are not enlarged at other neighbours."""
    n = vectors.shape[0]
    first = second = 0
    least = n + 1
    for i in range(n):
        alike = 0
        for j in range(n):
            alike += _like(species, lengths, slack, i, j)
        if alike < least:
            least, first = alike, i
    widest = 0.0
    for j in range(n):
        widest = max(widest, _across(vectors, first, j) / lengths[j])
    least = n + 1
    for j in range(n):
        if _across(vectors, first, j) / lengths[j] < 0.5 * widest:
            continue
        alike = 0
        for i in range(n):
            alike += _like(species, lengths, slack, i, j)
        if alike < least:
            least, second = alike, j
    return first, second


@kernel
def search(
    vectors: Floats,
    species: Integers,
    lengths: Floats,
    tolerance: float,
    slack: float,
    operations: Floats,
    proper: Bools,
    permutations: Integers,
    deviations: Floats,
    work: Floats,
) -> int:
    """Fill each operation that takes a pair of neighbours to one like it, and say how many there are.

    Those that do not fit into the arrays are counted alone; the last row of the arrays is for one that may be known
    already. Lengths of a neighbour and of its image differ by at most `slack`; `work` has the
    shape (14, 3).
    """
    n = vectors.shape[0]
    first, second = _choose(vectors, species, lengths, slack)
    spread = _LOOSE * tolerance + _ROUNDING
    angle = _dot(vectors, first, second)
    # Of the product of two neighbours, each of which is missed by the tolerance.
    reach = slack * (lengths[first] + lengths[second] + 3 * slack)
    _frame(vectors, first, second, work[:3])
    room = permutations.shape[0] - 1
    for j in range(n):
        permutations[0, j] = j
    proper[0] = True
    for x in range(3):
        for y in range(3):
            operations[0, x, y] = 1.0 if x == y else 0.0
    deviations[0] = 0.0
    count = 1
    for sign in (1.0, -1.0):
        for a in range(n):
            if not _like(species, lengths, slack, first, a):
                continue
            for b in range(n):
                if b == a or not _like(species, lengths, slack, second, b):
                    continue
                if abs(_dot(vectors, a, b) - angle) > reach or _across(vectors, a, b) <= min(tolerance, _ROUNDING):
                    continue
                k = min(count, room)
                _frame(vectors, a, b, work[3:6])
                _between(work[:3], work[3:6], sign, operations[k])
                if not _permute(vectors, species, lengths, operations[k], spread, slack, permutations[k]):
                    continue
                proper[k] = sign > 0
                if not _is_known(permutations, proper, k):
                    deviations[k] = _refine(vectors, permutations[k], operations[k], work[6:])
                    count += 1
    return count


@kernel
def _is_known(permutations: Integers, proper: Bools, k: int) -> bool:
    """Whether an operation is one of those before it."""
    for i in range(k):
        if proper[i] == proper[k]:
            same = True
            for j in range(permutations.shape[1]):
                if permutations[i, j] != permutations[k, j]:
                    same = False
                    break
            if same:
                return True
    return False


@kernel
def _frame(vectors: Floats, first: int, second: int, frame: Floats) -> None:
    """Fill a right-handed orthonormal frame, as rows: along one neighbour, and with the other in its first plane."""
    length = sqrt(_dot(vectors, first, first))
    for x in range(3):
        frame[0, x], frame[1, x] = vectors[first, x] / length, vectors[second, x]
    # A second time, since rounding spoils the direction of a small remainder.
    for _ in range(2):
        along = _dot(frame, 0, 1)
        for x in range(3):
            frame[1, x] -= along * frame[0, x]
        length = sqrt(_dot(frame, 1, 1))
        for x in range(3):
            frame[1, x] /= length
    for x in range(3):
        y, z = (x + 1) % 3, (x + 2) % 3
        frame[2, x] = frame[0, y] * frame[1, z] - frame[0, z] * frame[1, y]


@kernel
def _between(source: Floats, target: Floats, sign: float, operation: Floats) -> None:
    """Fill the operation that takes one frame to another, or to its mirror image."""
    for x in range(3):
        for y in range(3):
            operation[x, y] = (
                target[0, x] * source[0, y] + target[1, x] * source[1, y] + sign * target[2, x] * source[2, y]
            )


@kernel
def _permute(
    vectors: Floats,
    species: Integers,
    lengths: Floats,
    operation: Floats,
    spread: float,
    slack: float,
    images: Integers,
) -> bool:
    """Fill the image of each neighbour under an operation, at most `spread` away; whether it is a permutation."""
    n = vectors.shape[0]
    g = operation
    for j in range(n):
        x, y, z = vectors[j, 0], vectors[j, 1], vectors[j, 2]
        m0 = g[0, 0] * x + g[0, 1] * y + g[0, 2] * z
        m1 = g[1, 0] * x + g[1, 1] * y + g[1, 2] * z
        m2 = g[2, 0] * x + g[2, 1] * y + g[2, 2] * z
        nearest = np.inf
        for k in range(n):
            if _like(species, lengths, slack, j, k):
                square = (vectors[k, 0] - m0) ** 2 + (vectors[k, 1] - m1) ** 2 + (vectors[k, 2] - m2) ** 2
                if square < nearest:
                    nearest, images[j] = square, k
        if nearest > spread**2:
            return False
        for k in range(j):
            if images[k] == images[j]:
                return False
    return True


@kernel
def _refine(vectors: Floats, images: Integers, operation: Floats, work: Floats) -> float:
    """Turn an operation until sum |g r_j - image_j|² is least, by Newton's steps; give the largest of these distances.

    A turn by w changes the torque sum (g r) x image by [sum (g r) image^T - (g r)·image] w to first order, and at the
    least sum of squares the torque is zero.
    """
    n = vectors.shape[0]
    tried, h, torque, w = work[:3], work[3:6], work[6], work[7]
    _copy(operation, tried)
    least, worst = np.inf, np.inf
    for _ in range(_MOST_STEPS):
        total, largest, inner = 0.0, 0.0, 0.0
        torque[:], h[:] = 0.0, 0.0
        for j in range(n):
            y, t = w, vectors[images[j]]
            square = 0.0
            for a in range(3):
                y[a] = tried[a, 0] * vectors[j, 0] + tried[a, 1] * vectors[j, 1] + tried[a, 2] * vectors[j, 2]
                square += (y[a] - t[a]) ** 2
                inner += y[a] * t[a]
            total += square
            largest = max(largest, square)
            for a in range(3):
                b, c = (a + 1) % 3, (a + 2) % 3
                torque[a] += y[b] * t[c] - y[c] * t[b]
                for d in range(3):
                    h[a, d] -= y[a] * t[d]
        if total >= least:
            # Rounding decides: on a line that is hardly bent, a step could be any turn about it.
            break
        least, worst = total, largest
        _copy(tried, operation)
        for a in range(3):
            h[a, a] += inner
        _turn(h, torque, w, tried)
    return sqrt(worst)


@kernel
def _copy(source: Floats, target: Floats) -> None:
    for a in range(3):
        for b in range(3):
            target[a, b] = source[a, b]


@kernel
def _turn(h: Floats, torque: Floats, w: Floats, operation: Floats) -> None:
    """Turn an operation by the solution of h w = torque, which is filled; do not where there is none."""
    determinant = 0.0
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        determinant += h[0, a] * (h[1, b] * h[2, c] - h[1, c] * h[2, b])
    if determinant <= 0.0:
        return
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        w[a] = 0.0
        for d in range(3):
            e, f = (d + 1) % 3, (d + 2) % 3
            # The cofactor of h[d, a].
            w[a] += (h[e, b] * h[f, c] - h[e, c] * h[f, b]) * torque[d] / determinant
    _rotate(w, operation)


@kernel
def _rotate(w: Floats, operation: Floats) -> None:
    """Turn an operation by a vector along the axis, as long as the angle."""
    angle = sqrt(w[0] ** 2 + w[1] ** 2 + w[2] ** 2)
    if angle == 0.0:
        return
    # Of exp([w]): 1 + p [w] + q [w]².
    p = sin(angle) / angle
    q = 2 * (sin(angle / 2) / angle) ** 2
    for column in range(3):
        x, y, z = operation[0, column], operation[1, column], operation[2, column]
        u, v, r = w[1] * z - w[2] * y, w[2] * x - w[0] * z, w[0] * y - w[1] * x
        operation[0, column] = x + p * u + q * (w[1] * r - w[2] * v)
        operation[1, column] = y + p * v + q * (w[2] * u - w[0] * r)
        operation[2, column] = z + p * r + q * (w[0] * v - w[1] * u)
