"""Resolution: the share of what a descriptor's density and body order could see that its basis keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from nullmode._support.arguments import check_tolerance
from nullmode._support.shown import Plotted
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import Floats, InputError
from nullmode.descriptors._base import DensityDescriptor, Descriptor, check_descriptor, evaluate
from nullmode.descriptors._parameters import check_reach
from nullmode.descriptors._selected import Selected, whole_of
from nullmode.descriptors.complete.jacobians import complete
from nullmode.geometry.environment import Environment, check_environment, within
from nullmode.limits.limit import checked
from nullmode.limits.metric import is_projection, with_orthonormal_functions
from nullmode.linalg.batched_svd import decompose_many
from nullmode.linalg.rotations import LINEAR
from nullmode.spectrum.decomposition import DegreesOfFreedom, check_rtol, displacements, sensitivity
from nullmode.spectrum.judgement import coarseness, judge, norm

ReferenceName = Literal["limit", "full"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Resolution(Plotted):
    """Which share of what its limit sees a descriptor's truncation keeps, for independent displacements.

    Attributes
    ----------
    values, shape (k,)
        |J u|/|J_inf u| of k displacements u whose images under J and under J_inf are orthogonal, descending; k is the
        rank of the limit. From 0, null by truncation, to 1, nothing lost.
    modes, shape (k, n, 3)
        These displacements, of unit length; the last is the worst.
    worst
        The smallest value, below that of any other displacement that the limit sees: the resolution of the
        environment. NaN if the limit sees nothing.
    within_cutoff
        The largest `worst` of any functions that end at the cutoff; below 1 where densities reach past it.
    floors, shape (k,)
        Values up to this are rounding.
    projection
        Whether the features are an orthogonal projection of those of the limit, so that no value exceeds 1. Not so for
        the radial basis dvr, which samples the density.
    """

    values: Floats
    modes: Floats
    worst: float
    within_cutoff: float
    floors: Floats
    projection: bool


class Reference(NamedTuple):
    """What the limit, or a whole descriptor, sees of an environment.

    Attributes
    ----------
    whitening, shape (c, k)
        Displacements over c degrees of freedom whose images under the reference's Jacobian are orthonormal, in Å.
    floor
        Rounding of the reference's Jacobian, in 1/Å.
    within_cutoff
        As in :class:`Resolution`.
    """

    whitening: Floats
    floor: float
    within_cutoff: float


@on_one_blas_thread
def resolution(
    environment: Environment,
    descriptor: Any,
    rtol: float = 1e-9,
    tolerance: float = LINEAR,
    *,
    reference: ReferenceName = "limit",
) -> Resolution:
    """Measure a descriptor's basis against its own limit, :func:`nullmode.limit`, or some features against all.

    Radial functions that are not orthonormal under r² dr are orthonormalised first: resolution belongs to their span.
    Whether a displacement is seen at all is decided by ranks, :func:`nullmode.sensitivity`, not by its resolution.

    Parameters
    ----------
    environment, descriptor, rtol, tolerance
        As in :func:`nullmode.limit`: values of the reference up to rtol times the largest count as unseen.
    reference
        ``limit``; or ``full``, for :class:`nullmode.Selected` features of any descriptor: J_inf is then the Jacobian of
        all its features.

    Raises
    ------
    InputError
        As :func:`nullmode.limit`; for features selected of functions that are not orthonormal, against the limit.
    """
    check_environment(environment)
    check_rtol(rtol)
    check_tolerance(tolerance)
    check_reference(reference)
    if reference == "full" and not isinstance(descriptor, Selected):
        raise InputError(
            f"`descriptor` must be a nullmode.Selected for reference='full', got {descriptor!r:.80}, which has all of "
            "its features. Use reference='limit'."
        )
    [inside] = covered([environment], descriptor, reference)
    measured = with_orthonormal_functions(descriptor) if reference == "limit" else descriptor
    against = descriptor if reference == "limit" else descriptor.descriptor
    [known] = references_in([inside], against, reference, rtol, tolerance)
    features, jacobian = measured.compute_with_jacobian(inside)
    whitened = jacobian.reshape(len(jacobian), 3 * len(inside)) @ known.whitening
    [values], [turns] = _decomposed(whitened[None])
    modes = turns @ known.whitening.T
    lengths = np.linalg.norm(modes, axis=1)
    rounding = descriptor.rounding * max(norm(jacobian), norm(features)) * coarseness(inside.extent)
    return Resolution(
        values=values,
        modes=(modes / lengths[:, None]).reshape(len(values), len(inside), 3),
        worst=float(values[-1]) if len(values) else np.nan,
        within_cutoff=known.within_cutoff,
        floors=max(known.floor, rounding) * lengths,
        projection=reference == "full" or is_projection(descriptor),
    )


def check_reference(reference: Any) -> None:
    """Refuse anything but the name of a reference."""
    if reference not in get_args(ReferenceName):
        raise InputError(f"`reference` must be one of {', '.join(get_args(ReferenceName))}, got {reference!r}.")


def covered(environments: Sequence[Environment], descriptor: Any, reference: ReferenceName) -> list[Environment]:
    """Refuse a descriptor without this reference, or environments that it does not cover; leave out what is beyond."""
    if reference == "limit":
        return checked(environments, descriptor)
    check_descriptor(descriptor)
    return [within(each, descriptor.cutoff) for each in check_reach(environments, descriptor.cutoff)]


def references_in(
    environments: Sequence[Environment],
    descriptor: Descriptor,
    reference: ReferenceName,
    rtol: float,
    tolerance: float,
    *,
    within: bool = True,
) -> list[Reference]:
    """Find what the limit of a descriptor, or all of its features, see of each environment; as :func:`references`."""
    if reference == "limit":
        whole: Any = whole_of(descriptor)
        return references(environments, whole, rtol, "neighbours", tolerance, within=within)
    result = []
    for environment in environments:
        [(features, jacobian, error)] = evaluate(descriptor, [environment])
        known: Any = {"features": features, "jacobian_error": error, "rounding": descriptor.rounding}
        seen = sensitivity(jacobian, environment, rtol, tolerance=tolerance, **known)
        modes = seen.modes[: seen.rank].reshape(seen.rank, 3 * len(environment))
        whitening = (modes / seen.singular_values[: seen.rank, None]).T
        result.append(Reference(whitening, seen.rounding_floor, np.nan))
    return result


def references(
    environments: Sequence[Environment],
    descriptor: DensityDescriptor,
    rtol: float,
    degrees_of_freedom: DegreesOfFreedom,
    tolerance: float,
    *,
    within: bool = True,
) -> list[Reference]:
    """Find what the limit sees of each environment; neighbours are within the cutoff.

    Without `within`, the best value within the cutoff is not computed, and NaN.
    """
    result = [Reference(np.zeros((0, 0)), 0.0, np.nan)] * len(environments)
    held = [i for i, environment in enumerate(environments) if len(environment)]
    for group in complete([environments[i] for i in held], descriptor, within=within):
        indices = [held[i] for i in group.indices]
        jacobians = [group.jacobians] if group.within is None else [group.jacobians, group.within]
        members = [environments[i] for i in indices]
        matrices = [matrices_of(each, members, degrees_of_freedom, tolerance) for each in jacobians]
        # Rotations need not be taken out: they are not seen.
        values, modes = _decomposed(matrices[0])
        terms = np.fmax(np.linalg.norm(group.jacobians.reshape(len(indices), -1), axis=1), group.features)
        terms *= coarseness(np.array([each.extent for each in members]))
        judged = judge(values, np.nan, rtol=rtol, terms=terms, rounding=descriptor.rounding)
        for rank in np.unique(judged.rank):
            which = np.flatnonzero(judged.rank == rank)
            whitening = (modes[which, :rank] / values[which, :rank, None]).swapaxes(1, 2)
            best = np.full(len(which), 1.0 if rank and within else np.nan)
            if rank and group.within is not None:
                best = _decomposed(matrices[1][which] @ whitening)[0][:, -1]
            for k, each, share in zip(which, whitening, best, strict=True):
                result[indices[k]] = Reference(each, float(judged.rounding_floor[k]), float(share))
    return result


def matrices_of(
    jacobians: Floats, environments: Sequence[Environment], degrees_of_freedom: DegreesOfFreedom, tolerance: float
) -> Floats:
    """Express Jacobians (m, rows, n, 3) over degrees of freedom, shape (m, rows, c)."""
    if degrees_of_freedom == "neighbours":
        return jacobians.reshape(*jacobians.shape[:2], 3 * jacobians.shape[2])
    pairs = zip(jacobians, environments, strict=True)
    return np.stack([displacements(one, each, degrees_of_freedom, tolerance)[0] for one, each in pairs])


def _decomposed(matrices: Floats) -> tuple[Floats, Floats]:
    """Singular values (m, c), descending, of matrices (m, rows, c), and right singular vectors (m, c, c) as rows."""
    m, n_rows, columns = matrices.shape
    frames = np.broadcast_to(np.eye(columns), (m, columns, columns)).copy()
    start = n_rows * columns * np.arange(m)
    spectra = decompose_many(np.ravel(matrices), start, n_rows, frames, 0, modes=True)
    return spectra.values, spectra.modes
