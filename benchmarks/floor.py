"""A floor of the time per environment: operations over the rate of dgemm, plus bytes over that of a copy.

docs/performance.md derives the numbers; the tests hold those of features and Jacobian against a count.
"""

import numpy as np

# Of doubles: more than the last cache of most machines.
COPIED = 16 * 2**20
SQUARE = 1000


def n_features(n_max, l_max, neighbours):
    K = n_max * len(neighbours)
    return (l_max + 1) * K * (K + 1) // 2


def operations(n_max, l_max, neighbours):
    """Operations of each step, for so many neighbours of each species, none of them in the smoothing range."""
    n, species = sum(neighbours), sum(count > 0 for count in neighbours)
    N, K, L = n_max, n_max * len(neighbours), l_max
    within, across = N * (N - 1) // 2, N * (K - N)
    return {
        "radial functions": n * (12 + 26 * (L + 1) * N + L * (N + 1)),
        "harmonics": n * (13 * L**2 + 12 * L - 6) if L else 0,
        "coefficients": N * (L + 1) ** 2 * (2 * n - species),
        "features": (L + 1) ** 2 * K * (K + 1),
        "sums over m": n * K * (4 * (L + 1) * (2 * L + 1) - 3 + 3 * (L + 1)),
        "Jacobian": 3 * n * (L * (7 * within + 4 * N + 3 * across) + 3 * within + 2 * N + across),
    }


def linear_algebra(n_features, n):
    """Operations of QR, and of the singular values and modes, of F x 3n on the complement of three rotations."""
    c = 3 * n
    d = c - 3
    if n_features < c:
        raise ValueError(f"`n_features` must be at least {c}, got {n_features}.")
    reflections = sum(4 * (c - k) for k in range(3))
    return {
        "QR": 2 * n_features * c**2 - 2 * c**3 / 3,
        "SVD": 4 * c * d**2 + 8 * d**3 + (c + d) * reflections,
    }


def moved_bytes(n_features, n, *, jacobian, modes):
    """Bytes that have to be moved: positions in; features, Jacobian, values and modes out, as asked for."""
    c = 3 * n
    d = c - 3
    return 8 * (c + n_features + (n_features * c if jacobian else 0) + (d + d * c if modes else 0))


def dgemm():
    a, b = np.random.default_rng(0).normal(size=(2, SQUARE, SQUARE))
    out = np.empty_like(a)
    return lambda: np.matmul(a, b, out=out)


def copy():
    source, target = np.ones((2, COPIED))
    return lambda: np.copyto(target, source)


def rates(dgemm_seconds, copy_seconds):
    """Operations, and bytes read or written, per second."""
    return 2 * SQUARE**3 / dgemm_seconds, 16 * COPIED / copy_seconds
