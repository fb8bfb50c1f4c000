"""Singular points: environments where a displacement is null although symmetry does not demand it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field

from nullmode._support.arguments import Count, Length, RelativeTolerance, Seed, Tolerance
from nullmode._support.threads import single_threaded_blas
from nullmode._support.types import Floats, InputError
from nullmode._support.variants import gated
from nullmode.attribution.causes import attribute
from nullmode.descriptors._base import Descriptor
from nullmode.geometry.environment import Environment
from nullmode.search._bounds import Bounds, Operation, operations, remainder
from nullmode.search._descent import Descent, State
from nullmode.search._evaluation import Evaluator
from nullmode.search._manifold import manifold_dimension
from nullmode.search._moves import allowed_moves, symmetric_basis
from nullmode.search._record import SearchRecord
from nullmode.spectrum.decomposition import decompose
from nullmode.spectrum.judgement import judge
from nullmode.symmetry.point_group import largest_tolerance, point_group, proper, symmetric_projector

_KICK = 0.2  # Å per coordinate
_BEYOND = 1e-3  # Å


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SingularPoint(SearchRecord):
    """A singular point, or the environment with the smallest s_d/s_1 that a search reached.

    Attributes
    ----------
    environments
        The point.
    singular_values, shape (1, d)
        There, in 1/Å.
    converged
        Whether it is singular, within the bounds, and at least `asymmetry` away from symmetric environments.
    history
        The steps; their residual is s_d/s_1, of displacements that keep the symmetry of the start.
    attribution
        Of the point.
    mode, shape (n, 3)
        The null displacement, of unit length.
    spurious
        Whether there are more null values than symmetry demands: rank < rank_symmetric.
    opening_rates, shape (m,)
        How fast null values grow along the m displacements that keep the symmetry of the start, in 1/Å per Å,
        descending. Zero along the set of singular points, and where they grow to second order. Empty if not converged.
    manifold_dimension
        Dimension of the set of singular points around this one that have the symmetry of the start, without rotations;
        if several sets cross, of the space that they span. -1 if not converged, or if the set cannot be followed.
    distance
        Displacement of all neighbours from the start, sqrt(sum |dr_j|²), in Å.
    evaluations
        Number of Jacobians that were computed to find it, without those for its description.
    starts
        Indices of the starts that led here; 0 for a single start.
    message
        Empty, or why it did not converge, or why there was no search.
    """

    mode: Floats = field(repr=False)
    spurious: bool
    opening_rates: Floats = field(repr=False)
    manifold_dimension: int
    distance: float
    evaluations: int
    starts: tuple[int, ...]
    message: str

    @property
    def point_group(self) -> str:
        """Schoenflies symbol of the point; empty where there was no search."""
        return self.attribution[0].point_group if self.attribution else ""

    @classmethod
    def refused(cls, start: int, message: str) -> Self:
        """Make the record of a start from which there was no search: it holds no environment."""
        return cls(
            environments=(),
            singular_values=np.empty((0, 0)),
            converged=False,
            history=(),
            attribution=(),
            mode=np.empty((0, 3)),
            spurious=False,
            opening_rates=np.empty(0),
            manifold_dimension=-1,
            distance=np.nan,
            evaluations=0,
            starts=(start,),
            message=message,
        )


@gated("environment", "descriptor")
def find_singular(
    environment: Environment,
    descriptor: Descriptor,
    *,
    fixed_atoms: Any = (),
    fixed_radii: Any = False,
    min_distance: Length = 0.5,
    max_radius: Length | None = None,
    max_displacement: Length | None = None,
    asymmetry: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.3,
    attempts: Count = 20,
    seed: Seed = 0,
    accuracy: RelativeTolerance = 1e-13,
    rtol: RelativeTolerance = 1e-9,
    tolerance: Tolerance = 1e-6,
) -> SingularPoint:
    """Search for a singular point near an environment: one where the smallest singular value is zero.

    Least squares for J(r) v = 0, with v the softest of the displacements that keep the symmetry of the start, and the
    bounds as further residuals, zero inside. J is analytic; its derivative along v is a difference of Jacobians. If the
    search ends near a symmetric environment, whose null values symmetry demands, it starts again after a random
    displacement, and keeps away from the symmetry operations that it has met.

    Parameters
    ----------
    environment
        The start. Neighbours beyond the cutoff of the descriptor are left out; each of the others moves independently,
        also periodic images. The search keeps the symmetry of the start, which is made exact where it holds within the
        tolerance: displace it by more to break the symmetry.
    descriptor
        Any.
    fixed_atoms
        Indices of neighbours that do not move, nor do their images under the symmetry of the start; True for all.
    fixed_radii
        Indices of neighbours that keep their distance from the centre, and so do their images; True for all.
    min_distance
        Least distance of any two atoms, the centre included, in Å: atoms that coincide are singular in any descriptor.
    max_radius
        Largest distance from the centre, in Å; neighbours that start farther may stay there. None for cutoff -
        cutoff_width, or, without a cutoff_width, for the largest at the start: at the cutoff, every mode is null.
    max_displacement
        Largest displacement of all neighbours from the start, sqrt(sum |dr_j|²), in Å; None for no limit.
    asymmetry
        Least distance from symmetric environments, in Å: sqrt(sum |g r_j - r_σ(j)|²) for the best operation g. With 0,
        symmetric environments may be found.
    attempts
        Number of attempts.
    seed
        Of the random displacements before all attempts but the first.
    accuracy
        A point is singular if s_d/s_1 is at most this.
    rtol, tolerance
        For the attribution, as in :func:`nullmode.attribute`.

    Returns
    -------
    SingularPoint
        If no attempt converged, the end with the smallest s_d/s_1, away from symmetric environments if there is one.

    Raises
    ------
    InputError
        For an argument out of range, bounds that the start crosses, an accuracy below the error of the Jacobian, or
        nothing left to move; and as :func:`nullmode.attribute`.
    """
    evaluator = Evaluator(environment, descriptor)
    start = evaluator.start
    # A quarter of the smallest distance is the largest tolerance.
    closest = 4 * largest_tolerance(start.vectors)
    if closest < min_distance:
        raise InputError(
            f"`min_distance` must be at most the smallest distance of the start, {closest:.3f} Å, got {min_distance}."
        )
    only_proper = descriptor.parity == "SO3"
    own = point_group(start, min(tolerance, largest_tolerance(start.vectors)))
    own = proper(own) if only_proper else own
    if own.deviation > accuracy / 10:
        # Symmetric within the tolerance only, it would respond to displacements that break the symmetry.
        evaluator.start = evaluator.environment(symmetric_projector(own) @ start.vectors.ravel())
    symmetric, others = symmetric_basis(own)
    moves = allowed_moves(evaluator.start.vectors, symmetric, own, fixed_atoms, fixed_radii)
    reach = np.inf if max_displacement is None else max_displacement
    bounds = Bounds(
        start=evaluator.start.vectors,
        closest=min_distance,
        farthest=_farthest(start, descriptor, max_radius),
        displacement=reach,
        asymmetry=asymmetry,
    )

    def met() -> set[Operation]:
        return _operations_near(start, descent.state.vectors, asymmetry, only_proper=only_proper) - operations(own)

    with single_threaded_blas():
        descent = Descent(evaluator, moves, bounds, others, accuracy)
        _check_noise(descent.state, decompose(evaluator.descriptor, start, rtol).rounding_floor, accuracy)
        message = _attempted(descent, met, reach, attempts, np.random.default_rng(seed))
        state, evaluations = descent.state, evaluator.evaluations
        rates, dimension = np.empty(0), -1
        if not message:
            rates = _opening_rates(descent, symmetric, rtol)
            dimension = manifold_dimension(evaluator, state.vectors, symmetric, others, accuracy)
    end = evaluator.environment(state.vectors)
    why = attribute(end, evaluator.descriptor, rtol, tolerance)
    return SingularPoint(
        environments=(end,),
        singular_values=evaluator.sensitivity(state.vectors, state.jacobian, rtol).singular_values[None],
        converged=not message,
        history=tuple(descent.history),
        attribution=(why,),
        mode=state.sensitivity.modes[-1],
        spurious=why.rank < why.rank_symmetric,
        opening_rates=rates,
        manifold_dimension=dimension,
        distance=float(np.linalg.norm(state.vectors - start.vectors)),
        evaluations=evaluations,
        starts=(0,),
        message=message,
    )


def _attempted(
    descent: Descent, met: Callable[[], set[Operation]], reach: float, attempts: int, rng: np.random.Generator
) -> str:
    """Descend until an attempt ends at a singular point; return an empty text, or why none did.

    The state of the descent is then that point, or the softest end, away from symmetric environments if there is one.
    """
    if len(descent.state.sensitivity.singular_values) == 1:
        return "only one displacement keeps the symmetry of the start: if it were null, the Jacobian would be zero"
    n_symmetric, ends = 0, []
    for attempt in range(attempts):
        move = _KICK * np.sqrt(attempt) * rng.normal(size=descent.state.a.shape)
        if attempt and np.isfinite(reach):
            move *= min(1.0, reach / 2 / np.linalg.norm(move))
        state = descent.run(f"attempt {attempt}", move)
        near = met()
        if descent.arrived() and not near:
            return ""
        descent.avoided |= near
        n_symmetric += bool(near)
        ends.append((bool(near) or bool(state.crossed.max() > _BEYOND), state.ratio, attempt, state))
    descent.state = min(ends)[-1]
    return (
        f"no singular point in {attempts} attempts, of which {n_symmetric} ended too near a symmetric environment; the "
        f"returned end has s_d/s_1 = {descent.state.ratio:.1e}"
    )


def _opening_rates(descent: Descent, symmetric: Floats, rtol: float) -> Floats:
    """Singular values of the second derivative along the null modes and displacements that keep the symmetry."""
    sensitivity = descent.state.sensitivity
    values, floor = sensitivity.singular_values, sensitivity.rounding_floor
    rank = int(judge(values, np.nan, rtol=rtol, terms=floor, rounding=1.0).rank)
    rates = np.linalg.svd(descent.opening(sensitivity.modes[rank:], rank) @ symmetric, compute_uv=False)
    # One rate for each displacement without rotations, along which values do not change.
    return np.concatenate([rates, np.zeros(len(sensitivity.modes))])[: len(sensitivity.modes)]


def _operations_near(start: Environment, vectors: Floats, length: float, *, only_proper: bool) -> set[Operation]:
    """Find the symmetry operations that an environment misses by less than a length in Å."""
    if length == 0:
        return set()
    group = point_group(replace(start, vectors=vectors), min(length, largest_tolerance(vectors)))
    candidates = operations(proper(group) if only_proper else group)
    return {operation for operation in candidates if remainder(vectors, operation)[0] < length}


def _farthest(start: Environment, descriptor: Descriptor, max_radius: float | None) -> Floats:
    lengths: Floats = np.linalg.norm(start.vectors, axis=1)
    if max_radius is None:
        smoothing = getattr(descriptor, "cutoff_width", None)
        max_radius = float(lengths.max()) if smoothing is None else descriptor.cutoff - smoothing
    return np.maximum(lengths, max_radius)


def _check_noise(state: State, rounding_floor: float, accuracy: float) -> None:
    largest = state.sensitivity.singular_values.max(initial=0.0)
    if not largest > rounding_floor:
        raise InputError(
            "`descriptor` must change with some displacement of the environment, got a Jacobian that is zero."
        )
    noise = max(state.error / largest, state.sensitivity.rotation_floor)
    if accuracy < noise:
        raise InputError(
            f"`accuracy` must be at least the relative error of the Jacobian, {noise:.1e}, got {accuracy:.1e}. Use a "
            "larger one or a more accurate Jacobian."
        )
