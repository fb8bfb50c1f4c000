"""Householder kernels: the triangular factor of a matrix, the same with rows added, a frame completed."""

from math import sqrt

import numpy as np

from nullmode._jit import kernel
from nullmode.types import Floats

COLLINEAR = 1e-6
"""A rotation that moves no atom by more than this, over what the largest one does, is no degree of freedom."""


@kernel
def triangularise(matrix: Floats) -> None:
    """Replace the upper triangle by R of a Householder QR; below it stays rubbish.

    Golub and Van Loan, Matrix Computations (4th ed.), algorithm 5.2.1, by rows.
    """
    rows, columns = matrix.shape
    w = np.empty(columns)
    for k in range(min(rows - 1, columns)):
        scale = 0.0
        for i in range(k, rows):
            scale = max(scale, abs(matrix[i, k]))
        if scale == 0.0:
            continue
        total = 0.0
        for i in range(k, rows):
            total += (matrix[i, k] / scale) ** 2
        alpha = -np.copysign(scale * sqrt(total), matrix[k, k])
        matrix[k, k] -= alpha
        w[k:] = 0.0
        for i in range(k, rows):
            v = matrix[i, k]
            for j in range(k + 1, columns):
                w[j] += v * matrix[i, j]
        tau = -1.0 / alpha / matrix[k, k]
        for i in range(k, rows):
            v = tau * matrix[i, k]
            for j in range(k + 1, columns):
                matrix[i, j] -= v * w[j]
        matrix[k, k] = alpha


@kernel
def insert(triangle: Floats, block: Floats, rows: int, triangular: bool) -> None:
    """Make `triangle` the R of itself on top of `rows` more rows, given by columns; these are destroyed.

    Householder vectors of a stacked triangle touch one of its rows: Golub and Van Loan, Matrix Computations (4th ed.),
    section 6.5.3. Of a triangular block, column j has entries in its first j + 1 rows.
    """
    columns = triangle.shape[0]
    for j in range(columns):
        length = min(j + 1, rows) if triangular else rows
        v = block[j]
        total = 0.0
        for k in range(length):
            total += v[k] * v[k]
        if total == 0.0:
            continue
        diagonal = triangle[j, j]
        alpha = -np.copysign(sqrt(total + diagonal * diagonal), diagonal)
        head = diagonal - alpha
        triangle[j, j] = alpha
        for x in range(j + 1, columns):
            other = block[x]
            w = head * triangle[j, x]
            for k in range(length):
                w += v[k] * other[k]
            w /= alpha * head
            triangle[j, x] += w * head
            for k in range(length):
                other[k] += w * v[k]


@kernel
def complete_frame(rigid: Floats) -> tuple[Floats, int]:
    """Orthogonal matrix whose first columns span the rigid motions; Householder with column pivoting."""
    rows, columns = rigid.shape
    a = rigid.copy()
    frame = np.eye(rows)
    first = 0.0
    rank = 0
    for step in range(min(rows, columns)):
        best = step
        most = -1.0
        for j in range(step, columns):
            size = np.sqrt(np.sum(a[step:, j] ** 2))
            if size > most:
                best, most = j, size
        if step == 0:
            first = most
        if most <= COLLINEAR * first:
            break
        for i in range(rows):
            a[i, step], a[i, best] = a[i, best], a[i, step]
        v = a[step:, step].copy()
        v[0] += np.copysign(most, v[0])
        v /= np.sqrt(np.sum(v**2))
        for j in range(step, columns):
            a[step:, j] -= 2.0 * np.sum(v * a[step:, j]) * v
        for i in range(rows):
            frame[i, step:] -= 2.0 * np.sum(frame[i, step:] * v) * v
        rank += 1
    return frame, rank
