"""Point group of an environment, and how many displacements keep it: what symmetry allows a descriptor to see."""

from dataclasses import dataclass
from fractions import Fraction
from math import pi

import numpy as np

from nullmode.environment import Environment
from nullmode.types import Floats, InputError, Integers, Parity

# Candidates are made from two vectors alone; what passes within this multiple of the tolerance is refined on all.
_LOOSE = 50.0
_CANDIDATES_AT_ONCE = 512


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointGroup:
    """All orthogonal operations that permute neighbours of equal species.

    Attributes
    ----------
    name
        Schoenflies symbol; ``C∞v`` and ``D∞h`` for collinear environments, ``Kh`` without neighbours.
    operations, shape (g, 3, 3)
        Orthogonal matrices; of a continuous group, those of C3v or D3h, over which vectors average alike.
    permutations, shape (g, n)
        Operation k takes neighbour j to where neighbour permutations[k, j] is.
    deviation
        Largest distance between a moved neighbour and its image, in Å; at most the tolerance.
    tolerance
        In Å.
    """

    name: str
    operations: Floats
    permutations: Integers
    deviation: float
    tolerance: float

    def __len__(self) -> int:
        return len(self.operations)


def check_tolerance(tolerance: float) -> float:
    """Refuse a tolerance that is no positive length."""
    if not 0 < tolerance < np.inf:
        raise InputError(f"`tolerance` must be a positive length in Å, got {tolerance}.")
    return float(tolerance)


def point_group(environment: Environment, tolerance: float = 1e-6) -> PointGroup:
    """Find the point group of an environment: the centre stays, neighbours may change places with their like.

    Parameters
    ----------
    environment
        Any number of neighbours; the centre's species plays no part.
    tolerance
        Largest distance between a moved neighbour and its image, in Å.

    Raises
    ------
    InputError
        For a tolerance that is no positive length, or so large that neighbours cannot be told apart.
    """
    check_tolerance(tolerance)
    vectors, species = environment.vectors, environment.species
    if len(vectors) == 0:
        identity = np.array([np.eye(3), -np.eye(3)])
        return PointGroup(
            name="Kh", operations=identity, permutations=np.zeros((2, 0), int), deviation=0.0, tolerance=tolerance
        )
    _check_apart(vectors, tolerance)
    axis = _line(vectors, tolerance)
    candidates = _candidates(vectors, species, tolerance) if axis is None else _line_candidates(axis)
    operations, permutations, deviations = _accepted(candidates, vectors, species, tolerance, fixed=axis is not None)
    while not _closed(permutations, operations):
        # Near the tolerance some products of accepted operations are not; below the worst of them, all are.
        keep = deviations < deviations.max()
        operations, permutations, deviations = operations[keep], permutations[keep], deviations[keep]
    line = "D∞h" if len(operations) == 12 else "C∞v"
    return PointGroup(
        name=schoenflies(operations) if axis is None else line,
        operations=operations,
        permutations=permutations,
        deviation=float(deviations.max()),
        tolerance=float(tolerance),
    )


def displacement_representation(group: PointGroup) -> Floats:
    """Matrices by which the operations move displacements of the neighbours, shape (g, 3 n, 3 n)."""
    g, n = group.permutations.shape
    result = np.zeros((g, n, 3, n, 3))
    for k in range(g):
        result[k, group.permutations[k], :, np.arange(n), :] = group.operations[k]
    return result.reshape(g, 3 * n, 3 * n)


def symmetric_projector(group: PointGroup) -> Floats:
    """Projector on the displacements that every operation leaves as they are, shape (3 n, 3 n)."""
    return np.asarray(displacement_representation(group).mean(axis=0), dtype=np.float64)


def rank_symmetric(environment: Environment, parity: Parity = "O3", tolerance: float = 1e-6) -> int:
    """Count the displacements that features may see to first order without breaking a selection rule.

    Totally symmetric displacements minus totally symmetric rotations, (1/|G|) sum_g [chi(g) - chi_rot(g)] with
    chi(g) = (neighbours left in place)·tr g and chi_rot(g) = det(g) tr g.

    Parameters
    ----------
    environment
        Any.
    parity
        ``O3`` for features that reflections leave as they are; ``SO3`` for those that keep pseudoscalars, where only
        the proper operations count.
    tolerance
        Of the point group, in Å.
    """
    check_parity(parity)
    return count_symmetric(point_group(environment, tolerance), environment.vectors, parity)


def check_parity(parity: str) -> None:
    """Refuse a parity that is neither O3 nor SO3."""
    if parity not in ("O3", "SO3"):
        raise InputError(f"`parity` must be 'O3' or 'SO3', got {parity!r}.")


def count_symmetric(group: PointGroup, vectors: Floats, parity: Parity) -> int:
    """Do as :func:`rank_symmetric` for a group that is known already."""
    if len(vectors) == 0:
        return 0
    g = group.operations
    sign = np.sign(np.linalg.det(g))
    trace = np.trace(g, axis1=1, axis2=2)
    fixed = (group.permutations == np.arange(group.permutations.shape[1])).sum(axis=1)
    rotation = sign * trace
    if "∞" in group.name:
        axis = vectors[0] / np.linalg.norm(vectors[0])
        rotation -= sign * np.einsum("i,gij,j->g", axis, g, axis)
    terms = fixed * trace - rotation
    if parity == "SO3":
        terms = terms[sign > 0]
    return round(float(terms.mean()))


def schoenflies(operations: Floats) -> str:
    """Name a finite group of orthogonal matrices."""
    signs = np.sign(np.linalg.det(operations))
    proper = operations[signs > 0]
    improper = operations[signs < 0]
    orders = np.array([rotation_order(g) for g in proper])
    n = int(orders.max())
    inversion = any(np.trace(g) < -2.999 for g in improper)
    if (orders == 3).sum() > 2:
        finite = {12: "T", 24: "O", 60: "I"}[len(proper)]
        if not len(improper):
            return finite
        return finite + ("h" if inversion else "d")
    if n == 1:
        if not len(improper):
            return "C1"
        return "Ci" if inversion else "Cs"
    axis = _axis(proper[orders.argmax()])
    # A mirror has trace 1; an S_n about the same axis has 2 cos(2 pi/n) - 1.
    horizontal = any(np.allclose(g @ axis, -axis, atol=1e-3) and np.trace(g) > 0.999 for g in improper)
    vertical = any(np.allclose(g @ axis, axis, atol=1e-3) for g in improper)
    if len(proper) == n:
        if not len(improper):
            return f"C{n}"
        if horizontal:
            return f"C{n}h"
        return f"C{n}v" if vertical else f"S{2 * n}"
    if not len(improper):
        return f"D{n}"
    # The three axes of D2d and D2h are alike in order; only D2h holds the inversion.
    return f"D{n}h" if (inversion if n == 2 else horizontal) else f"D{n}d"


def rotation_order(rotation: Floats) -> int:
    """Order of a rotation matrix: the smallest power that is the identity."""
    angle = np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))
    return Fraction(float(angle / (2 * pi))).limit_denominator(200).denominator


def _axis(rotation: Floats) -> Floats:
    values, vectors = np.linalg.eig(rotation)
    axis: Floats = vectors[:, np.argmin(np.abs(values - 1))].real
    return axis


def _check_apart(vectors: Floats, tolerance: float) -> None:
    from scipy.spatial.distance import pdist

    closest = min(pdist(vectors).min(initial=np.inf), np.linalg.norm(vectors, axis=1).min())
    if closest < 4 * tolerance:
        raise InputError(
            f"`tolerance` must be well below the smallest distance, {closest:.2e} Å, got {tolerance}. "
            "Use a smaller one."
        )


def _line(vectors: Floats, tolerance: float) -> Floats | None:
    """Direction of a collinear environment, or None."""
    farthest = vectors[np.argmax((vectors**2).sum(axis=1))]
    axis: Floats = farthest / np.linalg.norm(farthest)
    away = np.linalg.norm(np.cross(vectors, axis), axis=1)
    return axis if away.max() <= tolerance else None


def _line_candidates(axis: Floats) -> Floats:
    frame = np.linalg.svd(axis[None])[2][[1, 2, 0]]
    angle = 2 * pi / 3 * np.arange(3)
    turns = np.zeros((3, 3, 3))
    turns[:, 0, 0] = turns[:, 1, 1] = np.cos(angle)
    turns[:, 0, 1], turns[:, 1, 0] = -np.sin(angle), np.sin(angle)
    turns[:, 2, 2] = 1
    group = np.concatenate([turns, turns @ np.diag([1.0, -1, 1])])
    group = np.concatenate([group, group @ np.diag([1.0, 1, -1])])
    result: Floats = frame.T @ group @ frame
    return result


def _candidates(vectors: Floats, species: Integers, tolerance: float) -> Floats:
    """Every orthogonal matrix that takes one chosen pair of neighbours to a pair like it; shape (m, 3, 3)."""
    gram = vectors @ vectors.T
    length = np.sqrt(np.diag(gram))
    slack = _LOOSE * tolerance
    like = (species[:, None] == species) & (np.abs(length[:, None] - length) <= slack)
    first = int(np.argmin(like.sum(axis=1)))
    sine = np.sqrt(np.maximum(1 - (gram[first] / (length[first] * length)) ** 2, 0))
    # A wide angle carries the tolerance to the other neighbours without enlarging it; few alike, few candidates.
    wide = sine >= 0.5 * sine.max()
    second = int(np.argmin(np.where(wide, like.sum(axis=1), len(vectors) + 1)))
    images = np.argwhere(
        like[first][:, None]
        & like[second]
        & (np.abs(gram - gram[first, second]) <= slack * (length[first] + length[second]))
    )
    apart = np.linalg.norm(np.cross(vectors[images[:, 0]], vectors[images[:, 1]]), axis=1) > tolerance
    images = images[apart]
    source = _frames(vectors[None, first], vectors[None, second])
    target = _frames(vectors[images[:, 0]], vectors[images[:, 1]])
    mirrored = target * np.array([1.0, 1.0, -1.0])
    return np.asarray(np.concatenate([target, mirrored]) @ np.swapaxes(source, 1, 2))


def _frames(a: Floats, b: Floats) -> Floats:
    """Right-handed orthonormal frames, as columns, from pairs of vectors; shape (m, 3, 3)."""
    e1 = a / np.linalg.norm(a, axis=1, keepdims=True)
    e2 = b - (b * e1).sum(axis=1, keepdims=True) * e1
    e2 /= np.linalg.norm(e2, axis=1, keepdims=True)
    return np.stack([e1, e2, np.cross(e1, e2)], axis=2)


def _accepted(
    candidates: Floats, vectors: Floats, species: Integers, tolerance: float, *, fixed: bool
) -> tuple[Floats, Integers, Floats]:
    """Operations that permute the neighbours, refined on all of them unless fixed, and their deviations in Å."""
    n = len(vectors)
    found: dict[bytes, tuple[Floats, Integers, float]] = {}
    unlike = np.where(species[:, None] == species, 0.0, np.inf)
    spread = _LOOSE * tolerance + 1e-9
    for start in range(0, len(candidates), _CANDIDATES_AT_ONCE):
        part = candidates[start : start + _CANDIDATES_AT_ONCE]
        moved = vectors @ np.swapaxes(part, 1, 2)
        distance = np.linalg.norm(moved[:, :, None] - vectors, axis=-1) + unlike
        permutation = distance.argmin(axis=2)
        near = distance.min(axis=2).max(axis=1) <= spread
        bijective = (np.sort(permutation, axis=1) == np.arange(n)).all(axis=1)
        for k in np.flatnonzero(near & bijective):
            operation = part[k] if fixed else _procrustes(vectors, vectors[permutation[k]], part[k])
            deviation = np.linalg.norm(vectors @ operation.T - vectors[permutation[k]], axis=1).max()
            if deviation <= tolerance:
                key = permutation[k].tobytes() + np.round(operation, 3).tobytes() * fixed
                key += bytes([bool(np.linalg.det(operation) > 0)])
                found.setdefault(key, (operation, permutation[k], float(deviation)))
    operations, permutations, deviations = zip(*found.values(), strict=True)
    return np.array(operations), np.array(permutations), np.array(deviations)


def _procrustes(source: Floats, target: Floats, near: Floats) -> Floats:
    """Orthogonal matrix of the determinant of `near` that takes source closest to target (Kabsch)."""
    u, _, v = np.linalg.svd(target.T @ source)
    sign = np.sign(np.linalg.det(u @ v) * np.linalg.det(near))
    u[:, 2] *= sign
    result: Floats = u @ v
    return result


def _closed(permutations: Integers, operations: Floats) -> bool:
    """Whether every product of two operations is among them, told by what it does to the neighbours and its sign."""
    signs = np.linalg.det(operations) > 0
    # Each permutation is told by one number, a random weighted sum of its images.
    weights = np.random.default_rng(0).integers(1, 2**40, size=permutations.shape[1])
    products = permutations[:, permutations] @ weights * np.where(signs[:, None] == signs, 1, -1)
    return bool(np.isin(products, permutations @ weights * np.where(signs, 1, -1)).all())
