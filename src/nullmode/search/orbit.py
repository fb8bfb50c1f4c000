"""Orbits: curves along the softest mode, on which features stay almost constant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator

from nullmode._support.arguments import Count, Length, RelativeTolerance, Tolerance, real_array
from nullmode._support.threads import single_threaded_blas
from nullmode._support.types import Floats, InputError
from nullmode._support.variants import gated
from nullmode.attribution.causes import attribute
from nullmode.descriptors._base import Descriptor
from nullmode.geometry.environment import Environment
from nullmode.search._bare_steps import bare_steps
from nullmode.search._continuation import Continuation, Point, Stop
from nullmode.search._evaluation import Evaluator
from nullmode.search._record import SearchRecord

Scheme = Literal["corrected", "fixed_step"]


def _displacements(value: Any) -> Floats | None:
    return None if value is None else real_array("direction", value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Orbit(SearchRecord):
    """A curve followed from an environment; arrays have one entry per environment on it.

    ``converged``: the orbit has its length or is closed. The residual of a step in ``history`` is what was left to
    correct, in Å; NaN where nothing is corrected.

    Attributes
    ----------
    lengths, shape (k,)
        Length of the curve from the start, in Å: the sum of its chords, sqrt(sum |dr_j|²).
    modes, shape (k, n, 3)
        The softest mode, its sign continued along the orbit.
    feature_distances, shape (k,)
        Distances of the features from those at the start.
    gap
        Distance, in Å and up to rotation, at which the orbit returns to its start; NaN if it does not.
    stopped
        Why it ends: ``closed``; ``length``: it has the requested length; ``modes_meet``: a second mode becomes as soft,
        so that no curve continues the softest one; ``lost``: no step was short enough to stay on the curve.
    """

    per_environment: ClassVar[Mapping[str, str]] = {
        "lengths": "length",
        "modes": "mode",
        "feature_distances": "feature_distance",
    }

    lengths: Floats
    modes: Floats
    feature_distances: Floats
    gap: float
    stopped: Stop

    @property
    def closed(self) -> bool:
        """Whether the orbit is a loop, up to rotation."""
        return self.stopped == "closed"


@gated("environment", "descriptor")
def follow_orbit(
    environment: Environment,
    descriptor: Descriptor,
    *,
    scheme: Scheme = "corrected",
    length: Length = 2.0,
    step: Length = 0.01,
    accuracy: Length = 1e-4,
    every: Count = 1,
    direction: Annotated[Any, AfterValidator(_displacements)] = None,
    attribution: bool = False,
    rtol: RelativeTolerance = 1e-9,
    tolerance: Tolerance = 1e-6,
) -> Orbit:
    """Follow the softest mode from an environment: the curve on which its features change least.

    The scheme ``fixed_step`` is that of the Comment (arXiv:2205.01062), after Parsaeifard and Goedecker (J. Chem. Phys.
    156, 034302 (2022)): steps of one length along the softest mode of where they begin, each with the sign that
    continues the one before. It integrates a field of directions, whose lines need not close, with an error
    proportional to the step.

    The scheme ``corrected`` follows the environments whose features differ from those at the start only in the
    direction u_d in which the softest mode v_d changes them: u_k·(phi - phi_0) = 0 for every other left singular vector
    u_k of the Jacobian there. These d - 1 equations leave a curve. It is tangent to v_d at the start; anywhere on it,
    no stiff mode brings the features nearer to the start's. A step extrapolates the last three points, and is
    corrected in the plane normal to it by Broyden's method, from Gauss-Newton steps in the stiff modes on, until less
    than 1e-10 Å is left to correct. Its length is such that the extrapolation misses the curve by at most `accuracy`.
    Such a curve closes unless it leads away for ever, or to where two modes are equally soft.

    Parameters
    ----------
    environment
        The start; its neighbours within the cutoff stay the neighbours.
    descriptor
        Whose features are to stay constant.
    scheme
        ``corrected`` or ``fixed_step``.
    length
        Largest length of the orbit, in Å. One that is corrected ends before that where it closes.
    step
        In Å: the largest step that is corrected, or the fixed step.
    accuracy
        Largest distance, in Å, by which an extrapolation may miss the curve; not used by fixed steps.
    every
        Keep every k-th point, beginning with the first, and the last.
    direction, shape (n, 3)
        The first step has a positive overlap with these displacements; None makes the largest component of it positive.
    attribution, tolerance
        Whether to attribute the null values of every point, and the length in Å for this.
    rtol
        Relative tolerance of ranks. If two values are null, there is no softest mode.

    Raises
    ------
    InputError
        For an argument out of range, fewer than two neighbours, or a start with more than one null mode.
    """
    return follow_orbits(
        [environment],
        descriptor,
        scheme=scheme,
        length=length,
        step=step,
        accuracy=accuracy,
        every=every,
        direction=direction,
        attribution=attribution,
        rtol=rtol,
        tolerance=tolerance,
    )[0]


def follow_orbits(
    environments: Sequence[Environment],
    descriptor: Descriptor,
    *,
    scheme: Scheme = "corrected",
    length: float = 2.0,
    step: float = 0.01,
    accuracy: float = 1e-4,
    every: int = 1,
    direction: Floats | None = None,
    attribution: bool = False,
    rtol: float = 1e-9,
    tolerance: float = 1e-6,
) -> list[Orbit]:
    """Do as :func:`follow_orbit` from several environments of the same atoms: fixed steps are taken together."""
    if step > length:
        raise InputError(f"`step` must not exceed `length`, got {step} Å > {length} Å.")
    orbits = []
    with single_threaded_blas():
        for environment in environments:
            evaluator = Evaluator(environment, descriptor)
            shape = evaluator.start.vectors.shape
            if direction is not None and (direction.shape != shape or not np.isfinite(direction).all()):
                raise InputError(f"`direction` must be finite and have shape {shape}, got shape {np.shape(direction)}.")
            orbits.append(Continuation(evaluator, direction, rtol))
        followed: list[tuple[list[Point], float, Stop]] = []
        if scheme == "fixed_step":
            followed = [(*each, "length") for each in bare_steps(orbits, length, step, every)]
        else:
            for orbit in orbits:
                points, stopped, gap = orbit.corrected_steps(length, step, accuracy)
                followed.append(([*points[:-1:every], points[-1]], gap, stopped))
    options = (rtol, tolerance) if attribution else None
    return [_orbit(orbit.evaluator, *each, options) for orbit, each in zip(orbits, followed, strict=True)]


def _orbit(
    evaluator: Evaluator, points: list[Point], gap: float, stopped: Stop, attribution: tuple[float, float] | None
) -> Orbit:
    environments = tuple(evaluator.environment(point.vectors) for point in points)
    reasons = (attribute(item, evaluator.descriptor, *attribution) for item in environments) if attribution else ()
    return Orbit(
        environments=environments,
        singular_values=np.stack([point.result.singular_values for point in points]),
        converged=stopped in ("closed", "length"),
        history=tuple(point.step for point in points),
        attribution=tuple(reasons),
        lengths=np.array([point.length for point in points]),
        modes=np.stack([point.mode for point in points]),
        feature_distances=np.array([point.distance for point in points]),
        gap=gap,
        stopped=stopped,
    )
