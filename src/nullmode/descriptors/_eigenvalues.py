"""Sorted numbers, such as eigenvalues, with derivatives that exist where some of them are equal.

A sorted value has a kink where it meets its neighbour; the sum over those that are equal has none. Each of a group of
equal ones is therefore given the group's mean derivative: all that is differentiable, and invariant under whatever
symmetry makes them equal.

How equal is a choice. At a gap g, relative to the largest eigenvalue, an eigenvector and with it the derivative of its
eigenvalue are uncertain by about 1e-16/g: symmetric environments whose eigenvalues nearly meet would show noise in
place of zeros. Measured for the test environments (geometries.py), the largest singular value that symmetry demands
to be null, over s_1: 1e-4 with groups of gaps up to 1e-12, 2e-6 with 1e-10, 3e-8 with 1e-8, 2e-9 with 1e-7, 4e-10 with
1e-6 (overlap matrices, five widths). Hence the default of 1e-6, with the default rtol of 1e-9.
"""

import numpy as np

from nullmode._support._jit import allocating_kernel, kernel
from nullmode._support.types import Floats, Integers

EIGENVALUE_ROUNDING = 2e-11
"""Relative rounding of derivatives of eigenvalues, over the size of their terms: at most 9e-12 in 172 crystals."""


@kernel
def group_end(values: Floats, first: int, gap: float) -> int:
    """End of the group that begins at `first` of the descending `values`; none of its gaps exceeds `gap`."""
    last = first + 1
    while last < len(values) and values[last - 1] - values[last] <= gap:
        last += 1
    return last


@allocating_kernel
def padded_eigenvalues(matrix: Floats, values: Floats, padded: Floats, indices: Integers) -> Floats:
    """Fill `values` with the m eigenvalues of a symmetric matrix, descending, and return its eigenvectors as columns.

    The F entries of `padded` become these and F - m zeros, descending, and `indices` where the eigenvalues stand among
    them: features of matrices of different size are comparable that way. The zeros stand between the positive and the
    negative eigenvalues, and do not move: they belong to no group.
    """
    ascending, columns = np.linalg.eigh(matrix)
    vectors = columns[:, ::-1]
    padded[:] = 0.0
    m = len(values)
    for k in range(m):
        values[k] = ascending[m - 1 - k]
        indices[k] = k if values[k] > 0.0 else len(padded) - m + k
        padded[indices[k]] = values[k]
    return vectors


@kernel
def mean_projector(vectors: Floats, first: int, last: int, out: Floats) -> None:
    """Mean P of v v^T over a group: by Hellmann and Feynman, its members' mean derivative is the sum of P_ab dM_ab.

    R. P. Feynman, Phys. Rev. 56, 340 (1939); for degenerate values P is the projector on their space, which is
    well defined where the vectors are not. The group is columns `first` to `last` - 1 of the eigenvectors.
    """
    out[:] = 0.0
    for k in range(first, last):
        for a in range(len(out)):
            for b in range(len(out)):
                out[a, b] += vectors[a, k] * vectors[b, k]
    out /= last - first
