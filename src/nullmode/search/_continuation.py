"""Points of an orbit, and steps from one to the next that are corrected."""

from typing import Any, Literal, NamedTuple, cast

import numpy as np

from nullmode._support.types import Floats, InputError
from nullmode.linalg.householder import complete_frame
from nullmode.linalg.rotations import closest_operation, infinitesimal_rotations
from nullmode.search._evaluation import Evaluator
from nullmode.search._record import Step
from nullmode.spectrum.decomposition import Sensitivity

Stop = Literal["closed", "length", "modes_meet", "lost"]

CLOSED = 1e-7
"""An orbit that comes this close to its start, in Å and up to rotation, is closed."""
_CONVERGED = 1e-10
_CORRECTIONS = 12
# Of the accuracy: if even shorter steps are refused, there is no curve to follow.
_SMALLEST = 1e-3
_TRIES_TO_CLOSE = 8
# An orbit that is lost where the two smallest singular values are this close, relatively, is lost for that reason.
_MEET = 1e-2


class _AstrayError(Exception):
    """A correction has become longer than the step, so that it does not lead to the curve."""


class Point(NamedTuple):
    """A point of an orbit: positions, length of the orbit so far, sensitivity, and the step that led there."""

    vectors: Floats
    length: float
    result: Sensitivity
    mode: Floats
    distance: float
    step: Step


class OrbitState(NamedTuple):
    """Sensitivity at given positions; the sign of the softest mode is chosen, features are relative to the start."""

    result: Sensitivity
    mode: Floats
    jacobian: Floats
    features: Floats

    def correction(self) -> Floats:
        """Displacement (3n,) in the stiff modes, to be subtracted: features then come nearest to those of the start.

        (J v_k)·phi over s_k² for each stiff mode k: the Gauss-Newton step.
        """
        stiff = self.result.modes[:-1].reshape(self.result.n_dof - 1, -1)
        response = self.jacobian.reshape(len(self.jacobian), -1) @ stiff.T
        values = np.maximum(self.result.singular_values[:-1], self.result.rtol * self.result.singular_values[0])
        return np.asarray((self.features @ response / values**2) @ stiff)

    def point(self, vectors: Floats, length: float, step: Step) -> Point:
        """Make a point of an orbit from this state."""
        return Point(vectors, length, self.result, self.mode, float(np.linalg.norm(self.features)), step)


class Continuation:
    """Follows an orbit from one start, whose features it stores."""

    def __init__(self, evaluator: Evaluator, direction: Floats | None, rtol: float) -> None:
        self.evaluator = evaluator
        self.rtol = rtol
        self.features: Floats = evaluator.descriptor.compute(evaluator.start)
        self.first = self._start(evaluator.start.vectors, direction)

    def _start(self, vectors: Floats, direction: Floats | None) -> Point:
        if 3 * len(vectors) < 6:
            raise InputError(f"`environment` must have two neighbours or more, got {len(vectors)}.")
        state = self.state_at(vectors, np.zeros(vectors.shape) if direction is None else direction)
        *_, second, last = state.result.singular_values
        if second <= self.rtol * state.result.singular_values[0]:
            raise InputError(
                f"`environment` must have a single softest mode, got {second:.1e} and {last:.1e}/Å as its smallest "
                "singular values. Displace it, or use a descriptor that sees more."
            )
        if direction is None and state.mode.ravel()[np.abs(state.mode).argmax()] < 0:
            state = state._replace(mode=-state.mode)
        return state.point(vectors, 0.0, Step("start", self.evaluator.evaluations, 0.0, 0.0))

    def state_at(self, vectors: Floats, before: Floats) -> OrbitState:
        """Evaluate given positions; the softest mode has a positive overlap with the displacements `before`."""
        [(features, jacobian, _)] = self.evaluator.evaluate([vectors])
        return self.state_of(vectors, features, jacobian, before)

    def state_of(self, vectors: Floats, features: Floats, jacobian: Floats, before: Floats) -> OrbitState:
        """Do as :meth:`state_at` with the features and the Jacobian there."""
        result = self.evaluator.sensitivity(vectors, jacobian, self.rtol)
        mode = result.modes[-1]
        return OrbitState(result, -mode if (mode * before).sum() < 0 else mode, jacobian, features - self.features)

    def corrected_steps(self, length: float, largest: float, accuracy: float) -> tuple[list[Point], Stop, float]:
        """Extrapolate, correct, adapt the step; stop if the orbit closes, and return the distance of its ends."""
        points, step = [self.first], min(largest, 10 * accuracy)
        while points[-1].length < length:
            step = min(step, largest, max(length - points[-1].length, _CONVERGED))
            corrected = self._next(points, step)
            if corrected is None or corrected[1] > accuracy:
                if step < _SMALLEST * accuracy:
                    *_, second, last = points[-1].result.singular_values
                    return points, "modes_meet" if second <= (1 + _MEET) * last else "lost", np.nan
                step /= 2
                continue
            point, missed = corrected
            here = points[-1]
            way = point.vectors - here.vectors
            onward = self._start_from(here.vectors, way)[0]
            if CLOSED < onward < 2 * step and self._start_from(point.vectors, way)[0] <= 0:
                end = self._close(points, onward)
                if end is not None:
                    return [*points, end[0]], "closed", end[1]
            points.append(point)
            # The error of a parabola grows with the third power of the step.
            step *= min(2.0, 0.8 * (accuracy / max(missed, 1e-3 * accuracy)) ** (1 / 3))
        return points, "length", np.nan

    def _next(self, points: list[Point], step: float) -> tuple[Point, float] | None:
        """Extrapolate by a line or parabola and correct; give the point and its distance from the extrapolation."""
        from scipy.interpolate import BarycentricInterpolator

        last = points[-3:]
        here = last[-1]
        if len(last) == 1:
            guess = here.vectors + step * here.mode
        else:
            passed = np.array([point.length for point in last]) - here.length
            guess = BarycentricInterpolator(passed, np.stack([point.vectors for point in last]))(step)
        # Without rotations, which would be extrapolated to the next steps and add to the length.
        rotations = infinitesimal_rotations(here.vectors)
        way = (guess - here.vectors).ravel()
        way -= rotations @ np.linalg.lstsq(rotations, way)[0]
        guess = here.vectors + way.reshape(guess.shape)
        corrected = self._corrected(guess, way, here.mode)
        if corrected is None:
            return None
        vectors, state, rest = corrected
        walked = float(np.linalg.norm(vectors - here.vectors))
        done = Step("corrected", self.evaluator.evaluations, rest, walked)
        return state.point(vectors, here.length + walked, done), float(np.linalg.norm(vectors - guess))

    def _corrected(self, guess: Floats, onward: Floats, before: Floats) -> tuple[Floats, OrbitState, float] | None:
        """Correct a guess in the plane normal to `onward` until it is on the curve; None if that does not converge."""
        from scipy.optimize import root

        fixed = np.column_stack([onward / np.linalg.norm(onward), infinitesimal_rotations(guess)])
        frame, n_fixed = complete_frame(fixed)
        plane = frame[:, n_fixed:]

        def displaced(amounts: Floats) -> Floats:
            if not np.linalg.norm(amounts) <= np.linalg.norm(onward):
                raise _AstrayError
            return np.asarray(guess + (plane @ amounts).reshape(guess.shape))

        # The derivative of Gauss-Newton corrections is close to the unit matrix; Broyden's method improves on that.
        settings = {"fatol": _CONVERGED, "maxiter": _CORRECTIONS, "line_search": None, "jac_options": {"alpha": -1.0}}
        try:
            with np.errstate(invalid="ignore"):  # it divides by its first residual, which may be zero
                solved = cast("Any", root)(  # its type does not know `line_search=None`
                    lambda amounts: plane.T @ self.state_at(displaced(amounts), before).correction(),
                    np.zeros(plane.shape[1]),
                    method="broyden1",
                    options=settings,
                )
        except _AstrayError:
            return None
        if not solved.success:
            return None
        vectors = displaced(solved.x)
        return vectors, self.state_at(vectors, before), float(np.linalg.norm(solved.fun))

    def _close(self, points: list[Point], step: float) -> tuple[Point, float] | None:
        """Step to the point where the start lies neither ahead nor behind; None if it lies beside the orbit."""
        for _ in range(_TRIES_TO_CLOSE):
            corrected = self._next(points, step)
            if corrected is None:
                return None
            end = corrected[0]
            onward, beside = self._start_from(end.vectors, end.vectors - points[-1].vectors)
            if abs(onward) <= _CONVERGED:
                return (end, beside) if beside <= CLOSED else None
            step += onward
        return None

    def _start_from(self, vectors: Floats, way: Floats) -> tuple[float, float]:
        onward, beside = start_from(self.first.vectors, vectors, way)
        return float(onward), float(beside)


def start_from(start: Floats, vectors: Floats, way: Floats) -> tuple[Floats, Floats]:
    """Distances in Å, ahead along `way` and beside it, of a start, rotated to best match vectors, all (..., n, 3)."""
    away = start @ closest_operation(vectors, start, 1) - vectors
    onward = (away * way).sum(axis=(-2, -1)) / np.linalg.norm(way, axis=(-2, -1))
    return onward, np.sqrt(np.maximum(0.0, (away**2).sum(axis=(-2, -1)) - onward**2))
