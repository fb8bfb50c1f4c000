"""Singular points: environments at which a descriptor loses a displacement that symmetry would let it see."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nullmode._support.arguments import as_real, as_whole, check_tolerance
from nullmode._support.threads import single_threaded_blas
from nullmode._support.types import Floats, InputError
from nullmode.attribution.causes import attribute
from nullmode.descriptors._base import Descriptor
from nullmode.geometry.environment import Environment
from nullmode.search._bounds import Bounds, Operation, operations, remainder
from nullmode.search._descent import Descent, View
from nullmode.search._evaluation import Evaluator
from nullmode.search._manifold import manifold_dimension
from nullmode.search._moves import moves, symmetric_basis
from nullmode.search._record import SearchRecord
from nullmode.spectrum.decomposition import check_rtol, judge
from nullmode.symmetry.point_group import largest_tolerance, point_group, proper

_KICK = 0.2  # Å per coordinate
_BEYOND = 1e-3  # Å


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SingularPoint(SearchRecord):
    """A singular point, or the softest point that a search came to.

    Attributes
    ----------
    environments
        The point.
    singular_values, shape (1, d)
        There, in 1/Å.
    converged
        Whether it is singular, within the bounds, and as far from symmetric points as asked for.
    history
        The steps; their residual is s_d/s_1, of displacements that keep the symmetry of the start.
    attribution
        Of the point.
    mode, shape (n, 3)
        The displacement that is lost, of unit length.
    spurious
        Whether symmetry does not demand all the null values: rank < rank_symmetric.
    opening_rates, shape (m,)
        How fast null values open along the m displacements that keep the symmetry of the start, in 1/Å per Å,
        descending. Zero along the set of singular points, and where they open to second order. Empty if not converged.
    manifold_dimension
        Dimension of the set of singular points around this one with the symmetry of the start, rotations not counted;
        if sets cross, of what they span. -1 if not converged, or if they cannot be followed.
    distance
        Displacement of all neighbours from the start, sqrt(sum |dr_j|²), in Å.
    evaluations
        Environments whose Jacobian was computed to find it, without what its description took.
    starts
        Places in the set of those starts that led here; 0 for a single start.
    message
        Empty, or why it did not converge.
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
        """Schoenflies symbol of the point."""
        return self.attribution[0].point_group


def find_singular(
    environment: Environment,
    descriptor: Descriptor,
    *,
    fixed_atoms: Any = (),
    fixed_radii: Any = False,
    min_distance: float = 0.5,
    max_radius: float | None = None,
    max_displacement: float | None = None,
    asymmetry: float = 0.3,
    attempts: int = 20,
    seed: int = 0,
    accuracy: float = 1e-13,
    rtol: float = 1e-9,
    tolerance: float = 1e-6,
) -> SingularPoint:
    """Look for a singular point near an environment: one where the smallest singular value vanishes.

    Least squares for J(r) v = 0, with v the softest of the displacements that keep the symmetry of the start, and the
    bounds as further residuals, zero inside. Derivatives are analytic in J; that of J along v is a difference of
    Jacobians. Where the search ends near a symmetric point, whose null values are demanded, it starts again, moved at
    random, and keeps away from the operations that it met.

    Parameters
    ----------
    environment
        Where to start. Neighbours beyond the descriptor's cutoff are left out; each of the others moves by itself,
        periodic images too. A symmetric start keeps its symmetry;
        move it a little to let it go.
    descriptor
        Any.
    fixed_atoms
        Indices of neighbours that stay in place, with their images under the symmetry of the start; True for all.
    fixed_radii
        Indices of neighbours that keep their distance from the centre, likewise; True for all.
    min_distance
        Least distance of any two atoms, the centre included, in Å: atoms that coincide are singular in any descriptor.
    max_radius
        Largest distance from the centre, in Å, of all but those farther at the start; None for cutoff - cutoff_width,
        or without a cutoff_width the farthest neighbour's: at the cutoff, everything is lost.
    max_displacement
        Largest displacement of all neighbours from the start, sqrt(sum |dr_j|²), in Å; None for any.
    asymmetry
        Least distance from symmetric points, in Å: what the best operation leaves of sqrt(sum |g r_j - r_σ(j)|²). 0
        lets symmetric points be found.
    attempts
        How many times to start.
    seed
        Of the random moves before all attempts but the first.
    accuracy
        A point is singular where s_d/s_1 is not above this.
    rtol, tolerance
        For the attribution, as in :func:`nullmode.attribute`.

    Returns
    -------
    SingularPoint
        If no attempt converged, the softest end, away from symmetric points if there is one.

    Raises
    ------
    InputError
        For bounds that the start crosses, an accuracy below the error of the Jacobian, or nothing left to move; and as
        :func:`nullmode.attribute`.
    """
    _check(min_distance, max_radius, max_displacement, asymmetry, attempts, seed, accuracy)
    check_rtol(rtol)
    check_tolerance(tolerance)
    evaluator = Evaluator(environment, descriptor)
    start = evaluator.start
    _check_start(start, min_distance)
    only_proper = descriptor.parity == "SO3"
    own = point_group(start, min(tolerance, largest_tolerance(start.vectors)))
    own = proper(own) if only_proper else own
    symmetric, others = symmetric_basis(own)
    room = moves(start.vectors, symmetric, own, fixed_atoms, fixed_radii)
    reach = np.inf if max_displacement is None else max_displacement
    bounds = Bounds(
        start=start.vectors,
        closest=min_distance,
        farthest=_farthest(start, descriptor, max_radius),
        displacement=reach,
        asymmetry=asymmetry,
    )

    def met() -> set[Operation]:
        return _operations_near(start, descent.view.vectors, asymmetry, only_proper=only_proper) - operations(own)

    with single_threaded_blas():
        descent = Descent(evaluator, room, bounds, others, accuracy)
        _check_noise(descent.view, accuracy)
        message = _attempted(descent, met, reach, attempts, np.random.default_rng(seed))
        view, evaluations = descent.view, evaluator.evaluations
        rates, dimension = np.empty(0), -1
        if not message:
            rates = _opening_rates(descent, symmetric, rtol)
            dimension = manifold_dimension(evaluator, view.vectors, symmetric, others, accuracy)
    end = evaluator.environment(view.vectors)
    why = attribute(end, evaluator.descriptor, rtol, tolerance)
    return SingularPoint(
        environments=(end,),
        singular_values=evaluator.sensitivity(view.vectors, view.jacobian, rtol).singular_values[None],
        converged=not message,
        history=tuple(descent.history),
        attribution=(why,),
        mode=view.seen.modes[-1],
        spurious=why.rank < why.rank_symmetric,
        opening_rates=rates,
        manifold_dimension=dimension,
        distance=float(np.linalg.norm(view.vectors - start.vectors)),
        evaluations=evaluations,
        starts=(0,),
        message=message,
    )


def _attempted(
    descent: Descent, met: Callable[[], set[Operation]], reach: float, attempts: int, rng: np.random.Generator
) -> str:
    """Descend until an attempt arrives away from symmetric points; return why none did, or nothing.

    The view of the descent is then the point, else the softest end, away from symmetric points if there is one.
    """
    if len(descent.view.seen.singular_values) == 1:
        return "only one displacement keeps the symmetry of the start: the descriptor sees it, or nothing"
    n_symmetric, ends = 0, []
    for attempt in range(attempts):
        move = _KICK * np.sqrt(attempt) * rng.normal(size=descent.view.a.shape)
        if attempt and np.isfinite(reach):
            move *= min(1.0, reach / 2 / np.linalg.norm(move))
        view = descent.run(f"attempt {attempt}", move)
        near = met()
        if descent.arrived() and not near:
            return ""
        descent.avoided |= near
        n_symmetric += bool(near)
        ends.append((bool(near) or bool(view.crossed.max() > _BEYOND), view.ratio, attempt, view))
    descent.view = min(ends)[-1]
    return (
        f"no singular point in {attempts} attempts, of which {n_symmetric} ended too near a symmetric point; the end "
        f"that is shown has s_d/s_1 = {descent.view.ratio:.1e}"
    )


def _opening_rates(descent: Descent, symmetric: Floats, rtol: float) -> Floats:
    """Singular values of the second derivative along the null modes and displacements that keep the symmetry."""
    seen = descent.view.seen
    rank = int(judge(seen.singular_values, np.nan, rtol=rtol).rank)
    rates = np.linalg.svd(descent.opening(seen.modes[rank:], rank) @ symmetric, compute_uv=False)
    # As many as there are displacements; the others belong to rotations, which open nothing.
    padded = np.zeros(max(len(rates), len(seen.modes)))
    padded[: len(rates)] = rates
    return padded[: len(seen.modes)]


def _operations_near(start: Environment, vectors: Floats, length: float, *, only_proper: bool) -> set[Operation]:
    """Find the symmetry operations that miss a place by less than a length in Å."""
    if length == 0:
        return set()
    group = point_group(replace(start, vectors=vectors), min(length, largest_tolerance(vectors)))
    found = operations(proper(group) if only_proper else group)
    return {operation for operation in found if remainder(vectors, operation)[0] < length}


def _farthest(start: Environment, descriptor: Descriptor, max_radius: float | None) -> Floats:
    lengths: Floats = np.linalg.norm(start.vectors, axis=1)
    if max_radius is None:
        smoothing = getattr(descriptor, "cutoff_width", None)
        max_radius = float(lengths.max()) if smoothing is None else descriptor.cutoff - smoothing
    return np.maximum(lengths, max_radius)


def _check(
    min_distance: Any, max_radius: Any, max_displacement: Any, asymmetry: Any, attempts: Any, seed: Any, accuracy: Any
) -> None:
    for argument, value, optional in (
        ("min_distance", min_distance, False),
        ("max_radius", max_radius, True),
        ("max_displacement", max_displacement, True),
    ):
        if not (optional and value is None) and not 0 < as_real(value) < np.inf:
            raise InputError(f"`{argument}` must be a positive length in Å, got {value!r}.")
    if not 0 <= as_real(asymmetry) < np.inf:
        raise InputError(f"`asymmetry` must be a length in Å, or 0, got {asymmetry!r}.")
    if (as_whole(attempts) or 0) < 1:
        raise InputError(f"`attempts` must be a whole number of at least 1, got {attempts!r}.")
    check_seed(seed)
    if not 0 < as_real(accuracy) < 1:
        raise InputError(f"`accuracy` must be between 0 and 1, got {accuracy!r}.")


def check_seed(seed: Any) -> None:
    """Check the seed of random moves."""
    if as_whole(seed) is None or seed < 0:
        raise InputError(f"`seed` must be a whole number of at least 0, got {seed!r}.")


def _check_start(start: Environment, min_distance: float) -> None:
    # A quarter of the smallest distance is the largest tolerance.
    closest = 4 * largest_tolerance(start.vectors)
    if closest < min_distance:
        raise InputError(
            f"`min_distance` must be at most the smallest distance of the start, {closest:.3f} Å, got {min_distance}."
        )


def _check_noise(view: View, accuracy: float) -> None:
    largest = view.seen.singular_values.max(initial=0.0)
    if not largest > 0:
        raise InputError("`descriptor` must see a displacement of the environment, got a Jacobian that is zero.")
    noise = max(view.error / largest, view.seen.rotation_floor)
    if accuracy < noise:
        raise InputError(
            f"`accuracy` must be at least the relative error of the Jacobian, {noise:.1e}, got {accuracy:.1e}. Use a "
            "larger one or a more accurate Jacobian."
        )
