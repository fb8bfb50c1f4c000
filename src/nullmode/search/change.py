"""The distance along a mode at which the features have changed by a given amount."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from nullmode._support.arguments import as_whole, real_array
from nullmode._support.shown import Shown
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import Floats, InputError
from nullmode._support.variants import gated
from nullmode.descriptors._base import Descriptor
from nullmode.geometry.environment import Environment
from nullmode.search._evaluation import Evaluator

# Changes of the features below this share of their norm are rounding.
_SMALLEST = 1e-12
# Between trial distances: a narrower maximum of the change may be missed.
_FACTOR = 1.25
_FIRST = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DistanceToChange(Shown):
    """The distance at which a displacement changes the features by epsilon.

    Attributes
    ----------
    distance
        Length of the displacement, sqrt(sum |dr_j|²) in Å, at which the features have changed by epsilon for the first
        time; infinite if they have not within `max_distance`.
    linear
        Prediction of the first derivative, in Å: epsilon over the response to a unit displacement; infinite for a null
        mode.
    quadratic
        Prediction of the second derivative, in Å; infinite if it is zero.
    exponent
        d log(change)/d log(distance) there: 1 where the response is linear, 2 where it is quadratic; NaN if the
        distance is infinite.
    mode, shape (n, 3)
        The unit displacement.
    epsilon
        Change of the features over their norm.
    """

    distance: float
    linear: float
    quadratic: float
    exponent: float
    mode: Floats
    epsilon: float


@gated("environment", "descriptor")
@on_one_blas_thread
def distance_to_change(
    environment: Environment,
    descriptor: Descriptor,
    mode: Any = -1,
    epsilon: Annotated[float, Field(ge=_SMALLEST, lt=1)] = 1e-3,
    *,
    max_distance: Annotated[float, Field(gt=_FIRST, allow_inf_nan=False)] = 1.0,
) -> DistanceToChange:
    """Move neighbours along a straight line until |phi - phi_0| = epsilon |phi_0|.

    Along a mode with singular value s the change is s t + O(t²), so the distance goes as epsilon; along a null mode it
    goes as sqrt(epsilon), or a lower power. Compare the two predictions with the true distance to see which holds.

    Parameters
    ----------
    environment
        Neighbours beyond the descriptor's cutoff are left out.
    descriptor
        Any.
    mode
        Index of a mode of :func:`nullmode.sensitivity` (-1 is the softest, 0 the stiffest), or a displacement (n, 3),
        of any length. Its sign matters over finite distances: the changes along a mode and its opposite may differ.
    epsilon
        Change of the features over their norm.
    max_distance
        Largest distance, in Å.

    Raises
    ------
    InputError
        For an epsilon below the rounding of features, a mode that does not exist or does not move anything, or an
        environment without neighbours or features.
    """
    evaluator = Evaluator(environment, descriptor)
    vectors = evaluator.start.vectors
    features, jacobian, error = evaluator.evaluate([vectors])[0]
    norm = float(np.linalg.norm(features))
    if norm == 0:
        raise InputError("`descriptor` must have features that are not all zero, got zeros for this environment.")
    direction = _direction(mode, evaluator, jacobian)
    change, uncertain = evaluator.change_along(vectors, jacobian, direction, error)
    first = float(np.linalg.norm(jacobian.reshape(len(features), -1) @ direction.ravel()))
    second = float(np.linalg.norm(change @ direction.ravel())) / 2
    noise = max(error, _SMALLEST * float(np.linalg.norm(jacobian)))

    def excess(log_distance: float) -> float:
        there = evaluator.features(vectors + np.exp(log_distance) * direction)
        size = float(np.linalg.norm(there - features)) / norm
        return float(np.log(max(size, np.finfo(np.float64).tiny) / epsilon))

    distance = _first_crossing(excess, max_distance)
    slope = np.nan
    if np.isfinite(distance):
        half, at = 0.01, np.log(distance)
        slope = (excess(at + half) - excess(at - half)) / (2 * half)
    return DistanceToChange(
        distance=distance,
        linear=epsilon * norm / first if first > noise else np.inf,
        quadratic=float(np.sqrt(epsilon * norm / second)) if second > uncertain else np.inf,
        exponent=float(slope),
        mode=direction,
        epsilon=float(epsilon),
    )


def _direction(mode: Any, evaluator: Evaluator, jacobian: Floats) -> Floats:
    """Get the unit displacement (n, 3) of the mode with an index, or along any displacement."""
    vectors = evaluator.start.vectors
    index = as_whole(mode)
    if index is not None:
        modes = evaluator.sensitivity(vectors, jacobian, _SMALLEST).modes
        if not -len(modes) <= index < len(modes):
            raise InputError(f"`mode` must be the index of one of {len(modes)} modes, got {index}.")
        return np.asarray(modes[index], dtype=np.float64)
    array = real_array("mode", mode)
    if array.shape != vectors.shape or not np.isfinite(array).all() or not array.any():
        raise InputError(
            f"`mode` must be an index or a displacement of shape {vectors.shape}, finite and not zero, got an array of "
            f"shape {array.shape}."
        )
    return np.asarray(array / np.linalg.norm(array), dtype=np.float64)


def _first_crossing(excess: Callable[[float], float], most: float) -> float:
    """Smallest distance in Å at which the excess, a function of its logarithm, is positive; infinite if none."""
    from scipy.optimize import brentq

    step, last = np.log(_FACTOR), np.log(most)
    before = np.log(_FIRST)
    while excess(before) >= 0:
        before -= 1.0
    while before < last:
        after = min(before + step, last)
        if excess(after) >= 0:
            return float(np.exp(brentq(excess, before, after, xtol=1e-13, rtol=1e-13)))
        before = after
    return np.inf
