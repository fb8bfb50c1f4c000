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
from nullmode.symmetry.point_group import point_group, proper, symmetric_projector


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
        Orthonormal displacements. Each in turn moves one atom along one axis as much as possible, so that equal spaces
        have equal modes.
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
    return [NullModes(cause=cause, irrep=irrep, modes=_plain(np.concatenate(m))) for (cause, irrep), m in parts]


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
