"""Householder kernels: the triangular factor of a matrix, its update by further rows, and a completed frame."""

from math import sqrt

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH, aligned, highest, load, magnitude, padded, splat, store, total, where_less
from nullmode._support.types import Floats

_DEPENDENT = 1e-14
"""A column shorter than this, over the longest, after the earlier ones are taken out, is their combination."""
_NEGLIGIBLE = 1e-280
"""Square of a column that counts as zero: where products of smaller numbers lose digits, reflections are none."""
_BLOCK = 3072
"""Entries of a block of rows: with what else is in use they fit into the smallest first-level caches, 32 kB."""
SMALLEST = float(np.finfo(np.float64).tiny)
"""Its inverse is finite."""


def rows_at_once(columns: int) -> int:
    """Say how many rows :func:`insert` best takes at once: no fewer than columns, and a block fits into the cache."""
    return max(columns, _BLOCK // max(1, columns))


def block_of(rows: int, columns: int) -> Floats:
    """Allocate a block for :func:`insert`.

    Its columns are not a power of two apart: such columns would compete for the same lines of the cache.
    """
    length = padded(rows)
    return aligned(columns, length + WIDTH * (length % 64 == 0))


@kernel
def insert(triangle: Floats, block: Floats, rows: int, triangular: bool) -> None:
    """Replace `triangle` by the factor R of itself with `rows` more rows below; these, given by columns, are destroyed.

    Householder vectors of a stacked triangle touch one of its rows: Golub and Van Loan, Matrix Computations (4th ed.),
    section 6.5.3. Of a triangular block, column j has entries in its first j + 1 rows. Entries from there to the next
    multiple of eight must be zeros.
    """
    columns = triangle.shape[0]
    stride = block.shape[1]
    flat = block.reshape(-1)
    for j in range(columns):
        length = min(j + 1, rows) if triangular else rows
        v, end = j * stride, j * stride + length
        squares = splat(0.0)
        for k in range(v, end, WIDTH):
            entries = load(flat, k)
            squares += entries * entries
        square = total(squares)
        if square < _NEGLIGIBLE:
            continue
        diagonal = triangle[j, j]
        alpha = -np.copysign(sqrt(square + diagonal * diagonal), diagonal)
        head = diagonal - alpha
        triangle[j, j] = alpha
        for x in range(j + 1, columns, 2):
            # Two columns share each load of the vector. After the last column, y = x is computed twice, written once.
            y = min(x + 1, columns - 1)
            to_x, to_y = (x - j) * stride, (y - j) * stride
            first, second = splat(0.0), splat(0.0)
            for k in range(v, end, WIDTH):
                entries = load(flat, k)
                first += entries * load(flat, k + to_x)
                second += entries * load(flat, k + to_y)
            w = (head * triangle[j, x] + total(first)) / (alpha * head)
            u = (head * triangle[j, y] + total(second)) / (alpha * head)
            triangle[j, x] += w * head
            if y > x:
                triangle[j, y] += u * head
            along_x, along_y = splat(w), splat(u)
            for k in range(v, end, WIDTH):
                entries = load(flat, k)
                new_x, new_y = load(flat, k + to_x) + along_x * entries, load(flat, k + to_y) + along_y * entries
                store(flat, k + to_x, new_x)
                if y > x:
                    store(flat, k + to_y, new_y)


@kernel
def triangularise(flat: Floats, start: int, rows: int, block: Floats, triangle: Floats) -> float:
    """Fill the triangular factor R of a matrix, divided by the largest entry of the matrix, and return this entry.

    The matrix lies in `flat` row by row from `start` on; R has zeros below its diagonal. As many rows are inserted at
    once as `block`, from :func:`block_of`, has; they should fit into the first-level cache.
    """
    columns = triangle.shape[0]
    triangle[:] = 0.0
    # Scaled, since squares of very small or large entries would overflow or vanish.
    scale = max(SMALLEST, largest(flat, start, start + rows * columns))
    inverse = 1.0 / scale
    most = block.shape[1] // WIDTH * WIDTH
    for first in range(0, rows, most):
        length = min(most, rows - first)
        for x in range(columns):
            column = block[x]
            place = start + first * columns + x
            for k in range(length):
                column[k] = flat[place + k * columns] * inverse
            for k in range(length, (length + WIDTH - 1) // WIDTH * WIDTH):
                column[k] = 0.0
        insert(triangle, block, length, False)
    return scale


@kernel
def largest(flat: Floats, start: int, end: int) -> float:
    """Find the largest magnitude among entries of an array; NaN is ignored."""
    most = splat(0.0)
    whole = end - (end - start) % WIDTH
    for k in range(start, whole, WIDTH):
        entries = magnitude(load(flat, k))
        most = where_less(most, entries, entries, most)
    result: float = highest(most)
    for k in range(whole, end):
        result = max(result, abs(flat[k]))
    return result


@kernel
def complete(rigid: Floats, frame: Floats) -> int:
    """Fill an orthogonal matrix whose first columns span those of `rigid`, and return their number; destroys `rigid`.

    Householder with column pivoting: Golub and Van Loan, Matrix Computations (4th ed.), algorithm 5.4.1.
    """
    rows, columns = rigid.shape
    frame[:] = 0.0
    for k in range(rows):
        frame[k, k] = 1.0
    first = 0.0
    for step in range(min(rows, columns)):
        best = step
        most = -1.0
        for j in range(step, columns):
            size = 0.0
            for i in range(step, rows):
                size += rigid[i, j] * rigid[i, j]
            if size > most:
                best, most = j, size
        most = sqrt(most)
        if step == 0:
            first = most
        if most <= _DEPENDENT * first:
            return step
        for i in range(rows):
            rigid[i, step], rigid[i, best] = rigid[i, best], rigid[i, step]
        rigid[step, step] += np.copysign(most, rigid[step, step])
        total = 0.0
        for i in range(step, rows):
            total += rigid[i, step] * rigid[i, step]
        for j in range(step + 1, columns):
            product = 0.0
            for i in range(step, rows):
                product += rigid[i, step] * rigid[i, j]
            for i in range(step, rows):
                rigid[i, j] -= 2.0 * product / total * rigid[i, step]
        for k in range(rows):
            product = 0.0
            for i in range(step, rows):
                product += frame[k, i] * rigid[i, step]
            for i in range(step, rows):
                frame[k, i] -= 2.0 * product / total * rigid[i, step]
    return int(min(rows, columns))


def complete_frame(rigid: Floats) -> tuple[Floats, int]:
    """Orthogonal matrix whose first columns span the rigid motions, and how many these are."""
    frame = np.empty((len(rigid), len(rigid)))
    return frame, complete(np.array(rigid, order="C"), frame)
