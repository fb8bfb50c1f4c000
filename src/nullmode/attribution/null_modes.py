"""Null modes by cause and irreducible representation."""

from dataclasses import dataclass

import numpy as np

from nullmode._support.shown import Shown
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import Floats, Parity
from nullmode.attribution.causes import Attribution, attribute
from nullmode.attribution.whole_structure import StructureRanks
from nullmode.descriptors._base import Descriptor
from nullmode.geometry.environment import Environment, within
from nullmode.spectrum.decomposition import Sensitivity, decompose
from nullmode.symmetry.irreps import symmetry_adapted
from nullmode.symmetry.point_group import (
    PointGroup,
    displacement_representation,
    point_group,
    proper,
    symmetric_projector,
)

_EQUAL = 1e-6
"""Eigenvalues that differ less are one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class NullModes(Shown):
    """All null modes of one cause and one irreducible representation.

    Attributes
    ----------
    cause
        ``symmetry``, ``incompleteness`` (of the body order), ``cutoff``, ``truncation`` or ``width`` (of the density);
        ``unresolved`` where it is not known: as :class:`nullmode.Attribution` counts it, where several of the last four
        occur among the modes that symmetry allows, or where the truncation would be blamed but the counts depend on the
        tolerance.
    irrep
        Mulliken symbol in the environment's point group.
    modes, shape (k, n, 3)
        Orthonormal displacements, the same for equal spaces. Those of an environment change bond lengths most in the
        first ones, and of equal ones each is even or odd under twofold axes and mirrors that commute; where this leaves
        a choice, and for whole structures, each in turn moves one atom along one axis as much as possible.
    """

    cause: str
    irrep: str
    modes: Floats


@on_one_blas_thread
def split_null_modes(
    environment: Environment, descriptor: Descriptor, rtol: float = 1e-9, tolerance: float = 1e-6
) -> list[NullModes]:
    """Split the null modes of a descriptor by cause and irreducible representation.

    Modes that are not totally symmetric are null by symmetry. Body order, cutoff, truncation or width make the others
    null, as the counts of :func:`nullmode.attribute` tell.

    Parameters
    ----------
    environment, descriptor, rtol, tolerance
        As in :func:`nullmode.attribute`.

    Returns
    -------
    list of NullModes
        Those of symmetry first, by name; together they have as many modes as there are null values.

    Raises
    ------
    InputError
        As :func:`nullmode.attribute`; and as :func:`nullmode.symmetry_adapted` if the environment is symmetric within
        the tolerance, but its null modes are not: use a smaller tolerance.
    """
    counts = attribute(environment, descriptor, rtol, tolerance)
    inside = within(environment, descriptor.cutoff)
    result = decompose(descriptor, inside, rtol, counts.tolerance)
    null = result.modes[result.rank :].reshape(result.n_dof - result.rank, 3 * len(inside))
    if not len(null):
        return []
    group = point_group(inside, counts.tolerance)
    symmetric = symmetric_projector(proper(group) if descriptor.parity == "SO3" else group)
    split: dict[tuple[str, str], list[Floats]] = {}
    for irrep, modes in symmetry_adapted(group, null.reshape(-1, len(inside), 3)):
        flat = modes.reshape(len(modes), -1)
        # Of an irreducible space, either all modes are totally symmetric or none is.
        is_symmetric = np.trace(flat @ symmetric @ flat.T) > len(flat) / 2
        cause = _other_cause(counts) if is_symmetric else "symmetry"
        split.setdefault((cause, irrep), []).append(modes)
    parts = sorted(split.items(), key=lambda part: (part[0][0] != "symmetry", part[0]))
    operators = _operators(inside, group)
    return [
        NullModes(cause=cause, irrep=irrep, modes=_adapted(np.concatenate(modes), operators))
        for (cause, irrep), modes in parts
    ]


def split_structure_modes(
    ranks: StructureRanks, result: Sensitivity, counts: Attribution, parity: Parity = "O3", most: int | None = None
) -> list[NullModes]:
    """Split the null modes of a whole structure by cause; irreducible representations are not named.

    The modes that the average over all isometries changes most are null by symmetry, as many as `counts` says.

    Parameters
    ----------
    ranks
        Of the structure, which finds its isometries.
    result
        Of the structure's Jacobian.
    counts
        Of this structure and descriptor, as columns of a table.
    parity
        Of the features: ``SO3`` averages over proper isometries alone.
    most
        So many modes of each cause, from the first; all by default.

    Raises
    ------
    InputError
        As :func:`nullmode.symmetry.space_group.isometries`.
    """
    null = result.modes[result.rank :]
    if not len(null):
        return []
    group = ranks.group(counts.tolerance)
    flat = null.reshape(len(null), -1)
    means = np.array([group.symmetric_part(mode, parity) for mode in null]).reshape(flat.shape)
    axes = np.linalg.eigh(flat @ means.T)[1].T
    spaces = {"symmetry": axes[: counts.null_symmetry], _other_cause(counts): axes[counts.null_symmetry :]}
    return [
        NullModes(cause=cause, irrep="", modes=_plain((space @ flat).reshape(-1, *null.shape[1:]), most))
        for cause, space in spaces.items()
        if len(space)
    ]


def _operators(environment: Environment, group: PointGroup) -> list[Floats]:
    """List matrices (3 n, 3 n) on displacements that commute: the part along the bonds, then operations of order 2."""
    unit = environment.vectors / np.linalg.norm(environment.vectors, axis=1, keepdims=True)
    along = np.zeros((3 * len(unit), 3 * len(unit)))
    for j, direction in enumerate(unit):
        along[3 * j : 3 * j + 3, 3 * j : 3 * j + 3] = np.outer(direction, direction)
    result, chosen = [along], list[Floats]()
    for operation, matrix in zip(group.operations, displacement_representation(group), strict=True):
        twice = np.allclose(operation @ operation, np.eye(3), atol=1e-3) and abs(np.trace(operation)) < 2
        if twice and all(np.allclose(operation @ other, other @ operation, atol=1e-3) for other in chosen):
            chosen.append(operation)
            result.append((matrix + matrix.T) / 2)
    return result


def _adapted(modes: Floats, operators: list[Floats]) -> Floats:
    """Choose the modes of a space as :class:`NullModes` describes."""
    spaces = [modes.reshape(len(modes), -1)]
    for operator in operators:
        spaces = [part for space in spaces for part in _eigenspaces(space, operator)]
    chosen = np.concatenate([_plain(space.reshape(-1, *modes.shape[1:])) for space in spaces])
    return np.asarray(chosen)


def _eigenspaces(space: Floats, operator: Floats) -> list[Floats]:
    """Split a space, orthonormal rows, into eigenspaces of a symmetric operator, those of large values first."""
    values, axes = np.linalg.eigh(space @ operator @ space.T)
    turned = (axes.T @ space)[::-1]
    return np.split(turned, np.flatnonzero(-np.diff(values[::-1]) > _EQUAL) + 1)


def _plain(modes: Floats, most: int | None = None) -> Floats:
    """Choose the modes of a space, or the first of them, as :class:`NullModes` describes."""
    flat = modes.reshape(len(modes), -1)
    left = flat.T @ flat
    result = np.empty_like(flat[:most])
    for k in range(len(result)):
        # The first of equal components, whatever their rounding.
        size = np.diag(left)
        index = int(np.argmax(size > size.max() - 1e-6))
        result[k] = left[index] / np.linalg.norm(left[index])
        left = left - np.outer(result[k], result[k])
    return result.reshape(-1, *modes.shape[1:])


def _other_cause(counts: Attribution) -> str:
    causes = ("incompleteness", "cutoff", "truncation", "width", "unresolved")
    present = [cause for cause in causes if getattr(counts, f"null_{cause}")]
    return present[0] if len(present) == 1 and not (counts.ambiguous and counts.null_truncation) else "unresolved"
