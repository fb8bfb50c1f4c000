"""Sorted numbers, such as eigenvalues, with derivatives that exist where some of them are equal.

A sorted value has a kink where it meets its neighbour; the sum over those that are equal has none. Each of a group of
equal ones is therefore given the group's mean derivative: all that is differentiable, and invariant under whatever
symmetry makes them equal.
"""

import numpy as np

from nullmode._jit import kernel
from nullmode.types import Floats, Integers

DEGENERATE = 1e-10
"""Values closer than this, relative to the largest, count as equal.

Far above the rounding of eigenvalues (about 1e-15), so that a symmetry is found; at a relative gap g, eigenvectors, and
with them the derivative of one eigenvalue, are uncertain by about 1e-16/g."""


@kernel
def group_end(values: Floats, first: int, scale: float) -> int:
    """End of the group of equal values that begins at `first`; `values` descend, `scale` is the largest magnitude."""
    last = first + 1
    while last < len(values) and values[last - 1] - values[last] <= DEGENERATE * scale:
        last += 1
    return last


@kernel
def padded_eigenvalues(matrix: Floats, values: Floats, column: Integers) -> Floats:
    """Eigenvalues of a symmetric matrix that is continued with zeros: the longer ones of two sizes can be compared.

    Parameters
    ----------
    matrix, shape (m, m)
        Symmetric.
    values, shape (F,)
        Filled with the eigenvalues, descending; the F - m zeros stand between the positive and the negative ones.
    column, shape (F,)
        Filled with the column of each one's eigenvector; -1 for a zero of the continuation.

    Returns
    -------
    vectors, shape (m, m)
        Eigenvectors as columns.
    """
    found, vectors = np.linalg.eigh(matrix)
    m = len(found)
    values[:] = 0.0
    column[:] = -1
    for k in range(m):
        source = m - 1 - k
        target = k if found[source] > 0.0 else len(values) - m + k
        values[target] = found[source]
        column[target] = source
    return vectors


@kernel
def mean_projector(vectors: Floats, column: Integers, first: int, last: int, out: Floats) -> None:
    """Mean P of v v^T over a group: by Hellmann and Feynman, its members' mean derivative is the sum of P_ab dM_ab.

    R. P. Feynman, Phys. Rev. 56, 340 (1939), eq. 4; for degenerate values P is the projector on their space, which is
    well defined where the vectors are not.

    Parameters
    ----------
    vectors, column
        As :func:`padded_eigenvalues` makes them.
    first, last
        The group; zeros of the continuation count as members.
    out, shape (m, m)
        Filled with P.
    """
    out[:] = 0.0
    for k in range(first, last):
        c = column[k]
        if c < 0:
            continue
        for a in range(len(out)):
            for b in range(len(out)):
                out[a, b] += vectors[a, c] * vectors[b, c]
    out /= last - first
