"""Rotations of vectors: the best between two sets, those that take one pair to another, infinitesimal ones."""

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.arrays import read_only
from nullmode._support.types import Floats, Integers

LINEAR = 1e-6
"""Largest distance, in Å, of atoms from the line that they are said to be on, where no other tolerance is given."""
NEARLY_LINEAR = 1e-4
"""Over the longest vector: the rotation about such a line is small."""
_MIRROR = np.array([1.0, 1.0, -1.0])


def closest_operation(source: Floats, target: Floats, determinant: int | Integers | None = None) -> Floats:
    """Orthogonal matrix g that makes sum |g source_j - target_j|² least (Kabsch, Acta Cryst. A 32, 922 (1976)).

    Parameters
    ----------
    source, target, shape (..., n, 3)
        Vectors; leading dimensions are broadcast, each entry has its own matrix.
    determinant
        1 for the best rotation, -1 for the best improper operation, or one of both for each entry; None for the better.
    """
    u, _, v = np.linalg.svd(np.swapaxes(target, -1, -2) @ source)
    if determinant is not None:
        u[..., 2] *= (determinant * np.sign(np.linalg.det(u @ v)))[..., None]
    return np.asarray(u @ v)


def pair_operations(pair: tuple[Floats, Floats], images: tuple[Floats, Floats], *, reflections: bool = True) -> Floats:
    """Orthogonal matrices that take one pair of vectors, shapes (1, 3), to m others, shapes (m, 3).

    Lengths and angles of the pairs are equal; of a collinear one, the turn about its line is arbitrary. First come the
    m rotations, then, with reflections, the m improper operations; shape (m, 3, 3) or (2 m, 3, 3).
    """
    frames = _pair_frames(*images)
    if reflections:
        frames = np.concatenate([frames, frames * _MIRROR])
    return np.asarray(frames @ np.swapaxes(_pair_frames(*pair), 1, 2))


def axis_frame(axis: Floats) -> Floats:
    """Orthonormal frame, as rows, whose last vector is along an axis (3,); shape (3, 3)."""
    return np.asarray(np.linalg.svd(axis[None])[2][[1, 2, 0]])


def infinitesimal_rotations(vectors: Floats) -> Floats:
    """Displacements omega x r_j for unit omega along x, y, z; shape (3 n, 3)."""
    generators: Floats = np.zeros((len(vectors), 3, 3))
    x, y, z = vectors.T
    generators[:, 1, 0], generators[:, 2, 0] = -z, y
    generators[:, 0, 1], generators[:, 2, 1] = z, -x
    generators[:, 0, 2], generators[:, 1, 2] = -y, x
    return generators.reshape(-1, 3)


@kernel
def find_line(vectors: Floats, tolerance: float, axis: Floats) -> bool:
    """Fill the direction (3,) of the farthest of the vectors (n, 3); whether all are within the tolerance of its line.

    This is the only place where vectors are said to be linear: in point groups, degrees of freedom and ranks.
    """
    most = 0.0
    axis[:] = 0.0
    for j in range(vectors.shape[0]):
        square = vectors[j, 0] ** 2 + vectors[j, 1] ** 2 + vectors[j, 2] ** 2
        if square > most:
            most = square
            for x in range(3):
                axis[x] = vectors[j, x] / np.sqrt(square)
    for j in range(vectors.shape[0]):
        x, y, z = vectors[j, 0], vectors[j, 1], vectors[j, 2]
        away = (y * axis[2] - z * axis[1]) ** 2 + (z * axis[0] - x * axis[2]) ** 2 + (x * axis[1] - y * axis[0]) ** 2
        if away > tolerance**2:
            return False
    return True


def line_axis(vectors: Floats, tolerance: float = LINEAR) -> Floats | None:
    """Direction (3,) of the line that vectors (n, 3) are on within a tolerance in Å; None if they are on none."""
    axis = np.empty(3)
    return axis if find_line(read_only(vectors), tolerance, axis) else None


def rotations_of(vectors: Floats, tolerance: float = LINEAR, at_origin: float = 0.0) -> Floats:
    """Infinitesimal rotations that count: three, two of vectors on a line, none without any; shape (3 n, 0 to 3).

    Vectors shorter than `at_origin`, in Å, have no direction.
    """
    every = infinitesimal_rotations(vectors)
    axis = line_axis(vectors[np.linalg.norm(vectors, axis=1) >= at_origin], tolerance)
    if axis is None:
        nearly = line_axis(vectors, NEARLY_LINEAR * np.linalg.norm(vectors, axis=1).max())
        return every if nearly is None else _with_small_turn(every @ axis_frame(nearly).T, vectors)
    return np.asarray(every @ axis_frame(axis)[:2].T) if axis.any() else every[:, :0]


def _with_small_turn(rotations: Floats, vectors: Floats) -> Floats:
    """Take out of the last rotation, a small one about a nearly common direction, what rounding puts along the vectors.

    Features respond to such a part, which is relatively large, as they do to no rotation.
    """
    turn = rotations[:, 2].reshape(-1, 3)
    directions = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    turn -= (turn * directions).sum(axis=1, keepdims=True) * directions
    return np.column_stack([rotations[:, :2], turn.ravel()])


def rotation_basis(vectors: Floats, rtol: float) -> Floats:
    """Orthonormal displacements that span the infinitesimal rotations, shape (3 n, 3), or (3 n, 2) on a line.

    Those whose size is below rtol times that of the largest do not count.
    """
    basis, sizes, _ = np.linalg.svd(infinitesimal_rotations(vectors), full_matrices=False)
    return np.asarray(basis[:, sizes > rtol * sizes[0]])


def _pair_frames(a: Floats, b: Floats) -> Floats:
    """Right-handed orthonormal frames, as columns, with e1 along a and b in the plane of e1, e2; shape (m, 3, 3)."""
    e1 = a / np.linalg.norm(a, axis=1, keepdims=True)
    across = b - (b * e1).sum(axis=1, keepdims=True) * e1
    # On a line, any direction across it serves.
    spare = np.eye(3)[np.abs(e1).argmin(axis=1)]
    spare -= (spare * e1).sum(axis=1, keepdims=True) * e1
    size = np.linalg.norm(across, axis=1, keepdims=True)
    e2 = np.where(size > 1e-12 * np.linalg.norm(b, axis=1, keepdims=True), across, spare)
    # A second time, since rounding spoils the direction of a small remainder.
    e2 /= np.linalg.norm(e2, axis=1, keepdims=True)
    e2 -= (e2 * e1).sum(axis=1, keepdims=True) * e1
    e2 /= np.linalg.norm(e2, axis=1, keepdims=True)
    return np.stack([e1, e2, np.cross(e1, e2)], axis=2)
