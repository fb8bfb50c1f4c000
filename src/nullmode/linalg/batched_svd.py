"""Singular values and modes of many Jacobians: each becomes a triangle, then eight triangles are decomposed at once."""

from math import sqrt
from typing import NamedTuple

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH, aligned
from nullmode._support.types import Floats, Integers
from nullmode.linalg.householder import SMALLEST, block_of, complete, complete_frame, rows_at_once, triangularise
from nullmode.linalg.jacobi import orthogonalise
from nullmode.linalg.rotations import LINEAR, NEARLY_LINEAR, find_line, rotations_of

MOST_COLUMNS = 32
"""Above, LAPACK finds values alone faster than Jacobi's method even in lanes; with vectors, from about 50 columns on.

One limit for both: values must not depend on whether modes are asked for.
"""


class Spectra(NamedTuple):
    """Of m matrices (F, c) on the complement of the rigid motions, which has d = c - n_rigid dimensions.

    Singular values (m, d), descending, exact zeros where F < d; right singular vectors (m, d, c), or (m, 0, c) if they
    were not asked for; norms (m,) of the responses to rigid motions.
    """

    values: Floats
    modes: Floats
    response: Floats


class Scratch(NamedTuple):
    """Memory for the reduction: rows, a triangle, the rotated triangle, columns in lanes, rigid motions."""

    block: Floats
    triangle: Floats
    turned: Floats
    work: Floats
    rigid: Floats


def scratch(n_features: int, columns: int, n_matrices: int) -> Scratch:
    """Allocate for matrices of one size; matrices with too many columns for lanes are kept whole."""
    lanes = columns <= MOST_COLUMNS
    rows = max(1, min(n_features, rows_at_once(columns)))
    return Scratch(
        block=block_of(rows, columns),
        triangle=np.empty((columns, columns)),
        turned=np.empty((1 if lanes else n_matrices, columns, columns)),
        work=aligned(2 * columns * columns * WIDTH if lanes else 0),
        rigid=np.empty((columns, 3)),
    )


def decompose_many(
    flat: Floats, start: Integers, n_features: int, frames: Floats, n_rigid: int, *, modes: bool
) -> Spectra:
    """Decompose matrices of one shape.

    Householder QR, then one-sided Jacobi on the triangle: never through the Gram matrix, which loses every singular
    value below 1e-8 of the largest.

    Parameters
    ----------
    flat, start, shape (m,)
        Where each matrix (F, c) begins, row by row.
    n_features
        F.
    frames, shape (m, c, c)
        Orthogonal matrices whose first `n_rigid` columns span the rigid motions.
    """
    m, columns, _ = frames.shape
    d = columns - n_rigid
    result = Spectra(np.zeros((m, d)), np.zeros((m, d if modes else 0, columns)), np.zeros(m))
    if d == 0:
        return result
    if n_features < d and columns > MOST_COLUMNS and not modes:
        _fill_wide(flat, start, n_features, frames, n_rigid, result)
        return result
    room = scratch(n_features, columns, m)
    if columns <= MOST_COLUMNS:
        _in_lanes(flat, start, n_features, frames, n_rigid, room, result)
        return result
    scale = np.empty(m)
    for i in range(m):
        scale[i] = _reduce(flat, start[i], n_features, frames[i], n_rigid, room, i, result.response)
    turned = room.turned[:, :, n_rigid:]
    finite = np.asarray(np.isfinite(turned).all(axis=(1, 2)))
    turned = np.where(finite[:, None, None], turned, 0.0)
    if modes:
        _, result.values[:], vectors = np.linalg.svd(turned, full_matrices=False)
        np.matmul(vectors, np.swapaxes(frames[:, :, n_rigid:], 1, 2), out=result.modes)
    else:
        result.values[:] = np.linalg.svd(turned, compute_uv=False)
    result.values[:] *= np.where(finite, scale, 1.0)[:, None]
    result.values[~finite] = np.nan
    result.values[:, n_features:] = 0.0
    return result


def _fill_wide(flat: Floats, start: Integers, n_features: int, frames: Floats, n_rigid: int, result: Spectra) -> None:
    """Fill values and responses of matrices with fewer rows than columns: LAPACK reduces them from the shorter side."""
    columns = frames.shape[1]
    for i, frame in enumerate(frames):
        matrix = flat[start[i] : start[i] + n_features * columns].reshape(n_features, columns)
        if not np.isfinite(matrix).all():
            result.values[i] = result.response[i] = np.nan
            continue
        # Scaled, since squares of very small or large entries would overflow or vanish.
        scale = max(SMALLEST, matrix.max(initial=0.0), -matrix.min(initial=0.0))
        turned = (matrix / scale) @ frame
        result.response[i] = scale * np.linalg.norm(turned[:, :n_rigid])
        result.values[i, :n_features] = scale * np.linalg.svd(turned[:, n_rigid:], compute_uv=False)


def singular_values(matrices: Floats) -> Floats:
    """Singular values of matrices (m, d, d), descending; shape (m, d)."""
    m, d, _ = matrices.shape
    if d > MOST_COLUMNS:
        return np.asarray(np.linalg.svd(matrices, compute_uv=False))
    values = np.zeros((m, d))
    _values_in_lanes(np.ascontiguousarray(matrices), aligned(d * d * WIDTH), values)
    return values


def rotation_frames(vectors: Floats, first: Integers, n: int, tolerance: float = LINEAR) -> tuple[Floats, Integers]:
    """Frames of environments of n neighbours for the rotations about the centre, and how many count.

    The neighbours of environment i begin at row first[i] of `vectors`, shape (n_total, 3), in Å. Those that are no
    farther than the tolerance from a line are on it.
    """
    frames = np.empty((len(first), 3 * n, 3 * n))
    n_rigid = np.zeros(len(first), dtype=np.int64)
    if n:
        _frames(vectors, first, tolerance, np.empty((3 * n, 3)), np.empty((3, 3)), frames, n_rigid)
    for i in np.flatnonzero(n_rigid < 0):
        frames[i], n_rigid[i] = complete_frame(rotations_of(vectors[first[i] : first[i] + n], tolerance))
    return frames, n_rigid


@kernel
def _keep_across(rotations: Floats, axes: Floats) -> None:
    """Replace rotations about x, y, z by those about two axes across axes[0], which become axes[1:], and zeros."""
    axis, one, two = axes[0], axes[1], axes[2]
    least = 0
    for k in range(1, 3):
        if abs(axis[k]) < abs(axis[least]):
            least = k
    size = sqrt(1.0 - axis[least] ** 2)
    for k in range(3):
        one[k] = ((1.0 if k == least else 0.0) - axis[least] * axis[k]) / size
    for k in range(3):
        two[k] = axis[(k + 1) % 3] * one[(k + 2) % 3] - axis[(k + 2) % 3] * one[(k + 1) % 3]
    for i in range(rotations.shape[0]):
        x, y, z = rotations[i, 0], rotations[i, 1], rotations[i, 2]
        rotations[i, 0] = x * one[0] + y * one[1] + z * one[2]
        rotations[i, 1] = x * two[0] + y * two[1] + z * two[2]
        rotations[i, 2] = 0.0


@kernel
def _frames(
    vectors: Floats,
    first: Integers,
    tolerance: float,
    rigid: Floats,
    axes: Floats,
    frames: Floats,
    n_rigid: Integers,
) -> None:
    """Fill the frames; of what is nearly on a line, -1 as the number of rotations."""
    for i in range(first.size):
        rigid[:] = 0.0
        for j in range(rigid.shape[0] // 3):
            x, y, z = vectors[first[i] + j, 0], vectors[first[i] + j, 1], vectors[first[i] + j, 2]
            rigid[3 * j + 1, 0], rigid[3 * j + 2, 0] = -z, y
            rigid[3 * j, 1], rigid[3 * j + 2, 1] = z, -x
            rigid[3 * j, 2], rigid[3 * j + 1, 2] = -y, x
        own = vectors[first[i] : first[i] + rigid.shape[0] // 3]
        longest = 0.0
        for j in range(own.shape[0]):
            longest = max(longest, own[j, 0] ** 2 + own[j, 1] ** 2 + own[j, 2] ** 2)
        if find_line(own, tolerance, axes[0]):
            _keep_across(rigid, axes)
        elif find_line(own, NEARLY_LINEAR * sqrt(longest), axes[0]):
            n_rigid[i] = -1
            continue
        n_rigid[i] = complete(rigid, frames[i])


@kernel
def _reduce(
    flat: Floats, start: int, n_features: int, frame: Floats, n_rigid: int, room: Scratch, i: int, response: Floats
) -> float:
    """Reduce one matrix to a triangle, express that in its frame, and return the scale of the matrix."""
    columns = frame.shape[0]
    scale = triangularise(flat, start, n_features, room.block, room.triangle)
    turned = room.turned[0 if room.work.size else i]
    for k in range(columns):
        row, from_row = turned[k], room.triangle[k]
        row[:] = 0.0
        for x in range(k, columns):
            factor, other = from_row[x], frame[x]
            for y in range(columns):
                row[y] += factor * other[y]
    total = 0.0
    for k in range(columns):
        for x in range(n_rigid):
            total += turned[k, x] ** 2
    response[i] = scale * sqrt(total)
    return scale


@kernel
def _in_lanes(
    flat: Floats, start: Integers, n_features: int, frames: Floats, n_rigid: int, room: Scratch, result: Spectra
) -> None:
    """Decompose the matrices, eight at a time; lanes that are left over hold zeros."""
    m, columns, _ = frames.shape
    d = columns - n_rigid
    carried = columns if result.modes.shape[1] else 0
    # All rows, even with few features: if columns are zero, later columns have entries below them.
    rows = columns
    length = rows + carried
    work, turned = room.work, room.turned[0]
    for first in range(0, m, WIDTH):
        work[:] = 0.0
        for lane in range(min(WIDTH, m - first)):
            i = first + lane
            scale = _reduce(flat, start[i], n_features, frames[i], n_rigid, room, i, result.response)
            result.values[i, 0] = scale
            for x in range(d):
                for k in range(rows):
                    work[(x * length + k) * WIDTH + lane] = turned[k, n_rigid + x]
                for k in range(carried):
                    work[(x * length + rows + k) * WIDTH + lane] = frames[i, k, n_rigid + x]
        orthogonalise(work, rows, carried, d)
        for lane in range(min(WIDTH, m - first)):
            i = first + lane
            scale = result.values[i, 0]
            _collect(work, lane, rows, carried, scale, n_features, result.values[i], result.modes[i])


@kernel
def _values_in_lanes(matrices: Floats, work: Floats, values: Floats) -> None:
    """Find singular values, eight matrices at a time, from the rows.

    Of a triangle, rows are more orthogonal than columns (Drmač and Veselić, SIAM J. Matrix Anal. Appl. 29, 1322
    (2008)), and where there are too few of them, the others are zeros, while columns shrink to noise that never becomes
    orthogonal.
    """
    m, d, _ = matrices.shape
    for first in range(0, m, WIDTH):
        work[:] = 0.0
        for lane in range(min(WIDTH, m - first)):
            for x in range(d):
                for k in range(d):
                    work[(x * d + k) * WIDTH + lane] = matrices[first + lane, x, k]
        orthogonalise(work, d, 0, d)
        for lane in range(min(WIDTH, m - first)):
            _collect(work, lane, d, 0, 1.0, d, values[first + lane], matrices[0, :0])


@kernel
def _collect(
    work: Floats, lane: int, rows: int, carried: int, scale: float, n_features: int, values: Floats, modes: Floats
) -> None:
    """Sort the columns of one lane by their norms, which are the singular values."""
    d = values.size
    length = rows + carried
    for x in range(d):
        total = 0.0
        for k in range(rows):
            total += work[(x * length + k) * WIDTH + lane] ** 2
        value = scale * sqrt(total)
        place = x
        while place > 0 and values[place - 1] < value:
            values[place] = values[place - 1]
            for k in range(carried):
                modes[place, k] = modes[place - 1, k]
            place -= 1
        values[place] = value
        for k in range(carried):
            modes[place, k] = work[(x * length + rows + k) * WIDTH + lane]
    for x in range(n_features, d):
        values[x] = 0.0
