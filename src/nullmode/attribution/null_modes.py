"""The null modes themselves, sorted by cause and by irreducible representation."""

from dataclasses import dataclass

import numpy as np

from nullmode._support.types import Floats
from nullmode.attribution.causes import Attribution, attribute
from nullmode.descriptors._base import Descriptor
from nullmode.geometry.environment import Environment, within
from nullmode.spectrum.decomposition import decompose
from nullmode.symmetry.irreps import symmetry_adapted
from nullmode.symmetry.point_group import point_group, proper, symmetric_projector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NullModes:
    """All null modes of one cause and one irreducible representation.

    Attributes
    ----------
    cause
        ``symmetry``, ``incompleteness`` or ``truncation``; ``unresolved`` where the last two cannot be told apart (for
        a descriptor without correlation order, and where both occur among the modes that symmetry allows), and where
        the basis would be blamed for counts that depend on the tolerance.
    irrep
        Mulliken symbol in the environment's point group.
    modes, shape (k, n, 3)
        Orthonormal displacements; of all bases of their space, the one of which each in turn moves one atom along one
        axis as much as it can, so that equal spaces have equal modes.
    """

    cause: str
    irrep: str
    modes: Floats


def split_null_modes(
    environment: Environment, descriptor: Descriptor, rtol: float = 1e-9, tolerance: float = 1e-6
) -> list[NullModes]:
    """Sort the null modes of a descriptor by cause and irreducible representation.

    What is not totally symmetric is null by symmetry. Totally symmetric null modes are due to the body order or to the
    basis, as the counts of :func:`nullmode.attribute` say.

    Parameters
    ----------
    environment, descriptor, rtol, tolerance
        As in :func:`nullmode.attribute`.

    Returns
    -------
    list of NullModes
        Those of symmetry first, by name; their modes are as many as there are null values. Empty if there are none.

    Raises
    ------
    InputError
        As :func:`nullmode.attribute`, and as :func:`nullmode.symmetry_adapted` where the environment is symmetric to
        within the tolerance, but not to what the null modes show; use a smaller tolerance.
    """
    why = attribute(environment, descriptor, rtol, tolerance)
    inside = within(environment, descriptor.cutoff)
    result = decompose(descriptor.compute_with_jacobian(inside)[1], inside, rtol)
    null = result.modes[result.rank :].reshape(result.n_dof - result.rank, 3 * len(inside))
    if not len(null):
        return []
    group = point_group(inside, why.tolerance)
    symmetric = symmetric_projector(proper(group) if descriptor.parity == "SO3" else group)
    share, turn = np.linalg.eigh(null @ symmetric @ null.T)
    spaces = [("symmetry", turn[:, share < 0.5]), (_other_cause(why), turn[:, share >= 0.5])]
    found: dict[tuple[str, str], list[Floats]] = {}
    for cause, part in spaces:
        for irrep, modes in symmetry_adapted(group, (part.T @ null).reshape(-1, len(inside), 3)):
            found.setdefault((cause, irrep), []).append(modes)
    return [NullModes(cause=cause, irrep=irrep, modes=_plain(np.concatenate(m))) for (cause, irrep), m in found.items()]


def _plain(modes: Floats) -> Floats:
    """Choose the basis of a space that NullModes describes."""
    flat = modes.reshape(len(modes), -1)
    left = flat.T @ flat
    result = np.empty_like(flat)
    for k in range(len(flat)):
        # Of equal components the first, whatever the rounding.
        size = np.diag(left)
        place = int(np.argmax(size > size.max() - 1e-6))
        result[k] = left[place] / np.linalg.norm(left[place])
        left = left - np.outer(result[k], result[k])
    return result.reshape(modes.shape)


def _other_cause(why: Attribution) -> str:
    if why.null_unresolved or (why.null_truncation and (why.null_incompleteness or why.ambiguous)):
        return "unresolved"
    return "incompleteness" if why.null_incompleteness else "truncation"
