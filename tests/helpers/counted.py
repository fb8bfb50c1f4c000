"""Power spectrum and Jacobian in numbers that count what is done with them; slow, and as few operations as we know."""

from itertools import combinations_with_replacement
from math import comb, factorial, pi, sqrt

import numpy as np

from nullmode.basis.spline import TERMS


class Counted:
    """A number; each operation with another, or with a constant, is counted. A change of sign is free."""

    total = 0

    def __init__(self, value):
        self.value = float(value)

    def _made(self, value):
        Counted.total += 1
        return Counted(value)

    def __add__(self, other):
        return self._made(self.value + float(other))

    def __sub__(self, other):
        return self._made(self.value - float(other))

    def __rsub__(self, other):
        return self._made(float(other) - self.value)

    def __mul__(self, other):
        return self._made(self.value * float(other))

    def __truediv__(self, other):
        return self._made(self.value / float(other))

    def __rtruediv__(self, other):
        return self._made(float(other) / self.value)

    def sqrt(self):
        return self._made(sqrt(self.value))

    def __neg__(self):
        return Counted(-self.value)

    def __float__(self):
        return self.value

    __radd__, __rmul__ = __add__, __mul__


def dot(one, two):
    total = one[0] * two[0]
    for a, b in zip(one[1:], two[1:], strict=True):
        total = total + a * b
    return total


def polynomial(coefficients, t):
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * t + c
    return total


def interval_polynomials(left, right):
    """Coefficients of the septic with these Taylor coefficients at its ends."""
    powers = np.arange(2 * TERMS)
    conditions = [np.eye(2 * TERMS)[k] for k in range(TERMS)]
    conditions += [[comb(p, k) for p in powers] for k in range(TERMS)]
    return np.linalg.solve(np.array(conditions), np.concatenate([left, right]))


def legendre_constants(l_max):
    """N_lm, and Q_lm = N_lm P_lm / sin^m: the constants of its recursion, of degree l in z, for all l >= m."""
    norm = {
        (l, m): sqrt((2 * l + 1) / (4 * pi) * (1 if m == 0 else 2) * factorial(l - m) / factorial(l + m))
        for l in range(l_max + 1)
        for m in range(l + 1)
    }
    double = [1.0]
    for m in range(1, l_max + 1):
        double.append(double[-1] * (2 * m - 1))
    return norm, double


def harmonics(x, y, z, l_max):
    """Y_lm and its gradient on the sphere, index l² + l + m, as nullmode.basis.harmonics has them."""
    norm, double = legendre_constants(l_max)
    q = {}
    for m in range(l_max + 1):
        q[m, m] = norm[m, m] * double[m]
        for l in range(m + 1, l_max + 1):
            rise = (2 * l - 1) / (l - m) * norm[l, m] / norm[l - 1, m]
            if l == m + 1:
                q[l, m] = rise * q[m, m] * z
                continue
            fall = (l + m - 1) / (l - m) * norm[l, m] / norm[l - 2, m]
            q[l, m] = rise * z * q[l - 1, m] - fall * q[l - 2, m]
    cosine, sine = [1.0, x], [0.0, y]
    for m in range(2, l_max + 1):
        before = cosine[m - 1], sine[m - 1]
        cosine.append(x * before[0] - y * before[1])
        sine.append(x * before[1] + y * before[0])
    by_m = [(0.0, 0.0), (1.0, 0.0)] + [(m * cosine[m - 1], m * sine[m - 1]) for m in range(2, l_max + 1)]
    values, gradients = [q[0, 0]], [None]
    for l in range(1, l_max + 1):
        plus, minus, slopes_plus, slopes_minus = [], [], [], []
        for m in range(l + 1):
            radial = l * q[l, m]
            side = norm[l, m] / norm[l - 1, m + 1] * q[l - 1, m + 1] if m < l - 1 else None
            t = radial if side is None else side + radial
            turn = z * radial
            w = (l + m) * norm[l, m] / norm[l - 1, m] * q[l - 1, m] - turn if m < l else -turn
            if m == 0:
                plus.append(q[l, 0])
                slopes_plus.append((-(x * t), -(y * t), w))
                continue
            plus.append(q[l, m] * cosine[m])
            minus.append(q[l, m] * sine[m])
            tc, ts = t * cosine[m], t * sine[m]
            if m == 1:
                slopes_plus.append((q[l, 1] - x * tc, -(y * tc), w * cosine[1]))
                slopes_minus.append((-(x * ts), q[l, 1] - y * ts, w * sine[1]))
                continue
            c1, s1 = q[l, m] * by_m[m][0], q[l, m] * by_m[m][1]
            slopes_plus.append((c1 - x * tc, -(s1 + y * tc), w * cosine[m]))
            slopes_minus.append((s1 - x * ts, c1 - y * ts, w * sine[m]))
        values += minus[::-1] + plus
        gradients += slopes_minus[::-1] + slopes_plus
    return values, gradients


def power_spectrum(descriptor, vectors, species):
    """Features (F,), Jacobian (F, n, 3) and the number of operations; species are places, none of them absent."""
    N, L, table = descriptor.n_max, descriptor.l_max, descriptor.basis.table
    nodes = table.nodes.reshape(len(table.nodes), TERMS, L + 1, N)
    weight = [sqrt(2) * (-1) ** l / sqrt(2 * l + 1) for l in range(L + 1)]
    K, n = N * (max(species) + 1), len(vectors)
    Counted.total = 0
    c = [[None] * (L + 1) ** 2 for _ in range(K)]
    neighbours = []
    for vector, s in zip(vectors, species, strict=True):
        x, y, z = (Counted(component) for component in vector)
        r = (x * x + y * y + z * z).sqrt()
        inverse = 1.0 / r
        u = (x * inverse, y * inverse, z * inverse)
        scaled = r * table.inverse_spacing
        i = int(scaled.value)
        t = scaled - i
        values, gradients = harmonics(*u, L)
        slope, ratio = {}, {}
        for l in range(L + 1):
            over = inverse * weight[l] if l else None
            for k in range(N):
                coefficients = interval_polynomials(nodes[i, :, l, k], nodes[i + 1, :, l, k])
                radial = polynomial(coefficients, t)
                # Of a second table, which holds the weight already.
                rising = coefficients[1:] * np.arange(1, 2 * TERMS) * table.inverse_spacing * weight[l]
                slope[k, l] = polynomial(rising, t)
                ratio[k, l] = radial * over if l else None
                for lm in range(l * l, (l + 1) ** 2):
                    term = radial * values[lm]
                    before = c[s * N + k][lm]
                    c[s * N + k][lm] = term if before is None else before + term
        neighbours.append((s, u, values, gradients, slope, ratio))
    pairs = list(combinations_with_replacement(range(K), 2))
    features, jacobian = [], np.zeros((L + 1, len(pairs), n, 3))
    for l in range(L + 1):
        where = slice(l * l, (l + 1) ** 2)
        for p, q in pairs:
            features.append(dot(c[p][where], c[q][where]) * (weight[l] / sqrt(2) if p == q else weight[l]))
        for j, (s, u, values, gradients, slope, ratio) in enumerate(neighbours):
            A = [dot(c[q][where], values[where]) for q in range(K)]
            for x in range(3):
                C = [a * u[x] for a in A]
                B = [dot(c[q][where], [g[x] for g in gradients[where]]) for q in range(K)] if l else None
                for row, (p, q) in enumerate(pairs):
                    terms = []
                    for one, other in ((p, q), (q, p))[: 1 if p == q else 2]:
                        k = one - s * N
                        if 0 <= k < N:
                            terms += [(slope[k, l], C[other])] + ([(ratio[k, l], B[other])] if l else [])
                    if terms:
                        total = dot(*zip(*terms, strict=True))
                        jacobian[l, row, j, x] = float(total * sqrt(2) if p == q else total)
    return np.array([float(f) for f in features]), jacobian.reshape(-1, n, 3), Counted.total


def householder(matrix):
    """R of a matrix, and the number of operations."""
    a = [[Counted(value) for value in row] for row in matrix]
    rows, columns = matrix.shape
    Counted.total = 0
    for k in range(columns):
        v = [a[i][k] for i in range(k, rows)]
        square = dot(v, v)
        alpha = square.sqrt() if v[0].value < 0 else -square.sqrt()
        v[0] = v[0] - alpha
        # v·v/2 = alpha² - alpha·a_kk.
        factor = 1.0 / (alpha * v[0])
        a[k][k] = alpha
        for j in range(k + 1, columns):
            w = dot(v, [a[i][j] for i in range(k, rows)]) * factor
            for i in range(k, rows):
                a[i][j] = a[i][j] + v[i - k] * w
    count = Counted.total
    return np.array([[float(a[i][j]) if j >= i else 0.0 for j in range(columns)] for i in range(columns)]), count
