"""The fewest features of a descriptor that keep a stated resolution on a set of environments."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nullmode._support.arguments import as_real, check_tolerance
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import Floats, InputError, Integers
from nullmode.descriptors._base import Descriptor, check_descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.descriptors._selected import Selected, whole_of
from nullmode.geometry.environment import Environment
from nullmode.limits.metric import is_projection_as_stored
from nullmode.limits.resolution import ReferenceName, check_reference, covered, references_in
from nullmode.linalg.rotations import LINEAR
from nullmode.spectrum.decomposition import check_rtol

MOST_ENTRIES = 50_000_000
"""Of the whitened Jacobians of all environments: 0.4 GB, and a few times as much while features are dropped."""
_LARGEST_STEP = 0.2
"""Share of the room above the target that features dropped at once may take, in any direction."""
_NO_ROOM = 1e-13
"""Of the squared resolution: rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureSelection:
    """A subset of a descriptor's features, and what it keeps.

    Attributes
    ----------
    descriptor
        The subset as a descriptor, with the layout of the set.
    features, shape (F,); labels
        Indices among the features of the whole descriptor, ascending, and the names of these features.
    n_features
        Number of features of the whole descriptor.
    worst
        Smallest resolution on the set: at least what was asked for.
    resolutions, shape (m,)
        Of each environment of the set; NaN where the reference sees nothing.
    whole, shape (m,)
        Resolutions of all features: 1 against the full set.
    held_out, shape (h,)
        Resolutions of the subset on the environments held out.
    """

    descriptor: Selected
    features: Integers
    labels: list[Any]
    n_features: int
    worst: float
    resolutions: Floats
    whole: Floats
    held_out: Floats


@on_one_blas_thread
def select_features(
    environments: Sequence[Environment],
    descriptor: Any,
    resolution: float = 0.9,
    reference: ReferenceName = "full",
    *,
    held_out: Sequence[Environment] = (),
    rtol: float = 1e-9,
    tolerance: float = LINEAR,
) -> FeatureSelection:
    r"""Select few features that keep a stated resolution of every displacement, on every environment of a set.

    Let J be the Jacobian of an environment, and W the displacements whose images under the reference's Jacobian are
    orthonormal, as in :func:`nullmode.resolution`: the resolutions of features S are the singular values of J_S W. All
    must reach the target t. Features are dropped, those first that raise the barrier
    :math:`\sum_e \mathrm{tr}\,(W_e^T J_{eS}^T J_{eS} W_e - t^2)^{-1}` least, until none can be spared: the barrier,
    of Batson, Spielman and Srivastava, SIAM J. Comput. 41, 1704 (2012), is infinite where a resolution falls to t. The
    result is checked by singular values of the rows that are left.

    Parameters
    ----------
    environments
        The set; neighbours beyond the cutoff are left out.
    descriptor
        Any, if its features are measured against all of them; against the limit, one that has a limit and radial
        functions that are orthonormal under r² dr (``gto``, ``laplacian-eigenstates``). An open layout is that of
        `environments` and `held_out`.
    resolution
        The target, between 0 and 1.
    reference
        ``full``: all features of the descriptor; ``limit``: its limit, :func:`nullmode.limit`.
    held_out
        Further environments, on which the resolution of the subset is measured and which do not influence it.
    rtol, tolerance
        As in :func:`nullmode.resolution`.

    Raises
    ------
    InputError
        For a target that all features together miss; a set of which the reference sees nothing, or that is too large
        for the memory; and as :func:`nullmode.resolution`.
    """
    check_rtol(rtol)
    check_tolerance(tolerance)
    check_reference(reference)
    check_descriptor(descriptor)
    target = as_real(resolution)
    if not 0 < target < 1:
        raise InputError(f"`resolution` must be between 0 and 1, got {resolution!r}.")
    inside, others = (covered(each, descriptor, reference) for each in (environments, held_out))
    if reference == "limit" and not is_projection_as_stored(descriptor):
        raise InputError(
            "`descriptor` must have radial functions that are orthonormal under r² dr against the limit, got "
            f"{whole_of(descriptor)!r}: its features, as they are stored, are no projection of those of the limit. Use "
            "radial_basis='gto' or 'laplacian-eigenstates', or reference='full'."
        )
    fixed = with_layout_of(descriptor, [*inside, *others])
    options: Any = reference, rtol, tolerance
    matrices = _whitened(inside, fixed, *options)
    whole = smallest_values(matrices)
    if np.isnan(whole).all():
        raise InputError(f"`environments` must hold one of which the {reference} reference sees something, got none.")
    if (hardest := float(np.nanmin(whole))) < target:
        raise InputError(
            f"`resolution` must be at most what all features of the descriptor keep, {hardest:.4g} (of environment "
            f"{np.nanargmin(whole)}), got {resolution}. Use a smaller one or a larger basis, or reference='full'."
        )
    kept = few_rows([each for each in matrices if each.shape[1]], target)
    values = smallest_values([each[kept] for each in matrices])
    selected = Selected(fixed, kept.tolist())
    return FeatureSelection(
        descriptor=selected,
        features=kept,
        labels=selected.feature_labels(inside),
        n_features=len(matrices[0]),
        worst=float(np.nanmin(values)),
        resolutions=values,
        whole=whole,
        held_out=smallest_values([each[kept] for each in _whitened(others, fixed, *options)]),
    )


def few_rows(matrices: Sequence[Floats], target: float) -> Integers:
    """Choose few rows, the same of each matrix (F, k), whose smallest singular values are at least a target.

    All rows together must reach it.

    Returns
    -------
    ndarray, shape (chosen,)
        Indices of rows, ascending.
    """
    sizes = sorted({each.shape[1] for each in matrices})
    stacks = [np.stack([each for each in matrices if each.shape[1] == k]) for k in sizes]
    kept = np.arange(len(matrices[0]))
    dropped: list[int] = []
    while len(step := _spared(stacks, target)):
        dropped.extend(kept[step].tolist())
        kept, stacks = np.delete(kept, step), [np.delete(each, step, axis=1) for each in stacks]
    # The barrier is found from squares, whose rounding may hide that the target is missed by as much.
    while smallest_values([each[kept] for each in matrices]).min() < target:
        kept = np.sort(np.append(kept, dropped.pop()))
    return kept


def smallest_values(matrices: Sequence[Floats]) -> Floats:
    """Smallest singular value of each matrix (F, k); 0 with fewer rows than columns, NaN without columns."""
    result = np.full(len(matrices), np.nan)
    for i, each in enumerate(matrices):
        if each.shape[1]:
            result[i] = np.linalg.svd(each, compute_uv=False)[-1] if len(each) >= each.shape[1] else 0.0
    return result


def _spared(stacks: Sequence[Floats], target: float) -> Integers:
    """Find rows to drop at once from stacks of matrices (m, F, k): those that raise the barrier least; perhaps none."""
    n_rows = stacks[0].shape[1]
    rise = np.zeros(n_rows)
    loads = []
    for matrices in stacks:
        values, axes = np.linalg.eigh(matrices.swapaxes(1, 2) @ matrices)
        room = np.maximum(values - target**2, _NO_ROOM)
        squares = (matrices @ axes) ** 2
        # For a row a and B = A^T A - t², (B - a a^T)^-1 = B^-1 + B^-1 a a^T B^-1/(1 - a^T B^-1 a): none left at load 1.
        load = (squares @ (1 / room)[..., None])[..., 0]
        slope = (squares @ (1 / room**2)[..., None])[..., 0]
        with np.errstate(divide="ignore", over="ignore"):
            rise += np.where(load < 1, slope / (1 - load), np.inf).sum(axis=0)
        loads.append(load)
    order = np.argsort(rise, kind="stable")[: np.count_nonzero(np.isfinite(rise))]
    together = np.concatenate(loads)[:, order].cumsum(axis=1).max(axis=0)
    # One by itself may take any load below 1.
    return order[: max(1, int(np.searchsorted(together, _LARGEST_STEP, side="right")))]


def _whitened(
    environments: Sequence[Environment], descriptor: Descriptor, reference: ReferenceName, rtol: float, tolerance: float
) -> list[Floats]:
    """Jacobians over displacements that the reference sees at unit strength, (F, k) for each environment."""
    references = references_in(environments, descriptor, reference, rtol, tolerance, within=False)
    result: list[Floats] = []
    for environment, known in zip(environments, references, strict=True):
        _, jacobian = descriptor.compute_with_jacobian(environment)
        result.append(jacobian.reshape(len(jacobian), 3 * len(environment)) @ known.whitening)
        if (entries := sum(each.size for each in result)) > MOST_ENTRIES:
            raise InputError(
                f"`environments` must have Jacobians of at most {MOST_ENTRIES} entries together, got {entries} in the "
                f"first {len(result)} of {len(environments)}. Pass fewer."
            )
    return result
