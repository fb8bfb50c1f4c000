"""The displacements that a search may make: they keep the symmetry of the start, fixed atoms and fixed radii."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nullmode._support.arguments import as_whole, listed
from nullmode._support.types import Floats, InputError
from nullmode.linalg.rotations import rotation_basis
from nullmode.symmetry.point_group import PointGroup, symmetric_projector

_RANK = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moves:
    """Positions r(a) of the neighbours as a function of free coordinates a, with r(0) the start.

    r_j = R_j (r_j(0) + (B a)_j), where R_j scales a vector back to its length at the start if the radius of j is
    fixed, and else is 1. The basis B, shape (3 n, p), holds orthonormal displacements, without rotations, that keep the
    symmetry of the start and move no fixed atom.
    """

    start: Floats
    basis: Floats
    radius_is_fixed: Any

    def vectors(self, a: Floats) -> Floats:
        """Vectors (n, 3) in Å at coordinates (p,)."""
        moved, stretch = self._moved(a)
        return np.asarray(np.where(self.radius_is_fixed[:, None], moved * stretch, moved))

    def slope(self, a: Floats) -> Floats:
        """Differentiate the vectors by the coordinates, shape (3 n, p)."""
        moved, stretch = self._moved(a)
        basis = self.basis.reshape(len(moved), 3, -1)
        unit = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        along = np.einsum("nx,nxp->np", unit, basis)
        turned = stretch[:, :, None] * (basis - unit[:, :, None] * along[:, None])
        return np.asarray(np.where(self.radius_is_fixed[:, None, None], turned, basis)).reshape(self.basis.shape)

    def _moved(self, a: Floats) -> tuple[Floats, Floats]:
        moved = self.start + (self.basis @ a).reshape(-1, 3)
        length = np.linalg.norm(self.start, axis=1, keepdims=True)
        return moved, length / np.linalg.norm(moved, axis=1, keepdims=True)


def symmetric_basis(group: PointGroup) -> tuple[Floats, Floats]:
    """Orthonormal displacements that keep the symmetry, shape (3 n, q), and a basis of all others."""
    share, vectors = np.linalg.eigh(symmetric_projector(group))
    return np.ascontiguousarray(vectors[:, share > 0.5]), np.ascontiguousarray(vectors[:, share <= 0.5])


def allowed_moves(start: Floats, symmetric: Floats, group: PointGroup, fixed_atoms: Any, fixed_radii: Any) -> Moves:
    """Find the displacements that are allowed among symmetric ones (3 n, q); arguments as in find_singular.

    The images of a fixed neighbour under the group are fixed, too.
    """
    n = len(start)
    atom_is_fixed, radius_is_fixed = (
        _mask(name, chosen, n)[group.permutations].any(axis=0)
        for name, chosen in (("fixed_atoms", fixed_atoms), ("fixed_radii", fixed_radii))
    )
    rows = [np.eye(3 * n)[np.repeat(atom_is_fixed, 3)]]
    radial = np.zeros((n, n, 3))
    radial[np.arange(n), np.arange(n)] = start / np.linalg.norm(start, axis=1, keepdims=True)
    rows.append(radial.reshape(n, 3 * n)[radius_is_fixed])
    _, size, axes = np.linalg.svd(np.concatenate(rows) @ symmetric)
    free = axes[np.count_nonzero(size > _RANK) :]
    basis = without_rotations(symmetric @ free.T, start)
    if not basis.shape[1]:
        raise InputError(
            f"`fixed_atoms` and `fixed_radii` must leave something to move, got {fixed_atoms!r} and {fixed_radii!r}."
        )
    return Moves(start=start, basis=basis, radius_is_fixed=radius_is_fixed)


def without_rotations(basis: Floats, start: Floats) -> Floats:
    """Remove the infinitesimal rotations from a space of displacements (3 n, p)."""
    inside, share, _ = np.linalg.svd(basis.T @ rotation_basis(start, _RANK))
    return np.asarray(basis @ inside[:, np.count_nonzero(share > 1 - _RANK) :])


def _mask(argument: str, chosen: Any, n: int) -> Any:
    if isinstance(chosen, bool):
        return np.full(n, chosen)
    mask = np.zeros(n, dtype=np.bool_)
    for item in listed(chosen):
        index = as_whole(item)
        if index is None or not 0 <= index < n:
            raise InputError(f"`{argument}` must be indices of neighbours (0 to {n - 1}), got {item!r}.")
        mask[index] = True
    return mask
