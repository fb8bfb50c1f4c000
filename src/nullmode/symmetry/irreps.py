"""Irreducible representations of displacements: how each mode transforms under the point group."""

import numpy as np

from nullmode._support.types import Bools, Floats, InputError, Integers
from nullmode.symmetry.point_group import PointGroup, displacement_representation
from nullmode.symmetry.schoenflies import rotation_axis, rotation_order

# Least share of each mode in the invariant space next to its span. Of an irreducible space that lacks one of d modes,
# the share is 1 - 1/d, at most 0.8.
_INVARIANT = 0.9
# C3v and D3h represent the continuous groups: names of their irreducible representations in these.
_CONTINUOUS = {
    "C∞v": {"A1": "Σ+", "A2": "Σ-", "E": "Π"},
    "D∞h": {"A1'": "Σg+", "A2''": "Σu+", "A2'": "Σg-", "A1''": "Σu-", "E'": "Πu", "E''": "Πg"},
}


def symmetry_adapted(group: PointGroup, modes: Floats) -> list[tuple[str, Floats]]:
    """Split a space of displacements into irreducible representations.

    A random symmetric matrix, averaged over the group, has the irreducible subspaces as its eigenspaces; each is named
    by its characters, after Mulliken's rules (J. Chem. Phys. 23, 1997 (1955)). Where the rules leave a choice of axes
    (B1, B2, B3 of D2 and D2h; two classes of secondary axes or mirrors), the axis through most neighbours comes first.

    Parameters
    ----------
    group
        Point group of the environment.
    modes, shape (k, n, 3)
        Orthonormal displacements whose span the group does not change, as far as the environment has its symmetry: the
        modes of one singular value, or all null modes.

    Returns
    -------
    list of (str, ndarray of shape (dimension, n, 3))
        Name and orthonormal displacements of each irreducible subspace, sorted by name, within the span of the modes.
        Complex pairs count as one.

    Raises
    ------
    InputError
        If the group changes the span.
    """
    k = len(modes)
    if k == 0:
        return []
    flat = modes.reshape(k, -1)
    operations = displacement_representation(group)
    # The modes of an environment that is symmetric within the tolerance span a space that is nearly invariant: they are
    # named by the invariant space next to it.
    moved = (flat @ np.swapaxes(operations, 1, 2)).reshape(-1, flat.shape[1])
    shares, axes = np.linalg.eigh(moved.T @ moved / len(operations))
    if shares[-k] < _INVARIANT:
        raise InputError(
            f"`modes` must span a space that the group {group.name} does not change, got one that it mixes with others "
            f"({1 - shares[-k]:.1e}). Give all modes of a singular value, or all null modes."
        )
    u, _, v = np.linalg.svd(flat @ axes[:, -k:])
    invariant = u @ v @ axes[:, -k:].T
    representation = invariant @ operations @ invariant.T
    random = np.random.default_rng(0).normal(size=(k, k))
    mean = (representation @ (random + random.T) @ np.swapaxes(representation, 1, 2)).mean(axis=0)
    values, vectors = np.linalg.eigh(mean)
    ends = np.flatnonzero(np.diff(values) > 1e-7 * np.abs(values).max()) + 1
    naming = _Naming(group)
    result = []
    for indices in np.split(np.arange(k), ends):
        space = vectors[:, indices].T
        characters = np.einsum("ia,gab,ib->g", space, representation, space)
        result.append((naming.name(characters, len(space)), (space @ flat).reshape(len(space), *modes.shape[1:])))
    return sorted(result, key=lambda named: named[0])


class _Naming:
    """Mulliken's rules for one group: which operation decides on which letter or index of a name."""

    def __init__(self, group: PointGroup) -> None:
        g = group.operations
        self.group = group
        self.proper = np.linalg.det(g) > 0
        rotations = [x if p else -x for x, p in zip(g, self.proper, strict=True)]
        self.order = np.array([rotation_order(rotation) for rotation in rotations])
        # Of each rotation, and of -g for improper operations g: for a mirror, its normal.
        self.axes = np.array([rotation_axis(rotation) for rotation in rotations])
        self.trace = np.trace(g, axis1=1, axis2=2)
        self.mirrors = ~self.proper & np.isclose(self.trace, 1, atol=1e-3)
        self.inversion = self._first(self.trace < -2.999)
        self.cubic = bool((self.proper & (self.order == 3)).sum() > 2)
        self.main, self.fold = self._main()
        # The only mirror of Cs is called horizontal.
        special = self.main if self.main is not None else self._first(self.mirrors)
        axis = np.array([0.0, 0.0, 1.0]) if special is None else self.axes[special]
        self.horizontal = self._first(self._mirrors_across(axis))
        perpendicular = np.isclose(self.axes @ axis, 0, atol=1e-3)
        halves = self.proper & (self.order == 2) & perpendicular
        candidates = np.flatnonzero(halves if halves.any() else self.mirrors & perpendicular)
        self.second = int(candidates[np.argmax(self._passing(candidates))]) if len(candidates) else None

    def name(self, characters: Floats, dimension: int) -> str:
        """Name an irreducible representation."""
        letter = {1: "A", 2: "E", 3: "T", 4: "G", 5: "H"}[dimension]
        at_main = characters[self.main] if self.main is not None else 1.0
        index = ""
        if self.group.name in ("D2", "D2h"):
            halves = np.flatnonzero(self.proper & (self.order == 2))
            halves = halves[np.argsort(-self._passing(halves), kind="stable")]
            even = [k for k, half in enumerate(halves, 1) if characters[half] > 0]
            letter, index = ("A", "") if len(even) == len(halves) else ("B", str(even[0]))
        elif dimension == 1:
            if not self.cubic and at_main < 0:
                letter = "B"
            if self.cubic and self.main is not None and self.fold == 4:
                index = "1" if at_main > 0 else "2"
            elif not self.cubic and self.second is not None:
                index = "1" if characters[self.second] > 0 else "2"
        elif dimension == 2 and not self.cubic and self.fold > 4:
            angle = np.arccos(np.clip(at_main / 2, -1, 1))
            index = str(round(angle * self.fold / (2 * np.pi)))
        elif dimension == 3 and self.fold in (4, 5):
            index = "1" if at_main > 0 else "2"
        name = letter + index + self._parity(characters)
        return _CONTINUOUS.get(self.group.name, {}).get(name, name)

    def _parity(self, characters: Floats) -> str:
        if self.inversion is not None:
            return "g" if characters[self.inversion] > 0 else "u"
        if self.horizontal is not None and self.fold % 2:
            return "'" if characters[self.horizontal] > 0 else "''"
        return ""

    def _main(self) -> tuple[int | None, int]:
        """Find the rotation by 2 pi/n about the main axis, or the rotation-reflection if its n is higher, and n."""
        best, fold = None, 1
        for k, (proper, trace) in enumerate(zip(self.proper, self.trace, strict=True)):
            cosine = np.clip((trace - 1) / 2 if proper else (trace + 1) / 2, -1, 1)
            turn = 2 * np.pi / max(np.arccos(cosine), 1e-9)
            n = round(turn)
            if abs(turn - n) > 1e-3 or n < 2 or self._is_excluded(k, n):
                continue
            if n > fold or (n == fold and best is not None and proper and not self.proper[best]):
                best, fold = k, n
        return best, fold

    def _is_excluded(self, k: int, n: int) -> bool:
        # With an inversion or a horizontal mirror, the rotation decides. The inversion itself has an angle of pi.
        if self.proper[k]:
            return False
        return self.inversion is not None or n == 2 or n % 2 == 1 or bool(self._mirrors_across(self.axes[k]).any())

    def _mirrors_across(self, axis: Floats) -> Bools:
        return np.asarray(self.mirrors & np.isclose(np.abs(self.axes @ axis), 1, atol=1e-3))

    def _passing(self, candidates: Integers) -> Integers:
        """Count the neighbours that each operation does not move."""
        n = self.group.permutations.shape[1]
        return np.asarray((self.group.permutations[candidates] == np.arange(n)).sum(axis=1))

    def _first(self, mask: Bools) -> int | None:
        return int(np.argmax(mask)) if mask.any() else None
