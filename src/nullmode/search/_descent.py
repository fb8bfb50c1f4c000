"""Descent of the smallest singular value, within bounds, to a zero."""

from dataclasses import dataclass

import numpy as np

from nullmode._support.types import Floats
from nullmode.search._bounds import Bounds, Operation
from nullmode.search._evaluation import Evaluator
from nullmode.search._moves import Moves
from nullmode.search._record import Step
from nullmode.spectrum.decomposition import Sensitivity

_INSIDE = 1e-9  # Å; a smaller violation of a bound is none
_WALL, _SYMMETRY_WALL = 3.0, 0.3  # weights of violations, in 1/Å, relative to s_d/s_1
_FIRST_STEP = 0.1  # Å
_STEPS = 100
_NEAR = 1e-4  # s_d/s_1 at which Gauss-Newton takes over
_FLAT = 1e-6
_ROUNDING = 1e-2  # of the accuracy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """What is known at one set of positions.

    That is the coordinates `a`, shape (p,), of :class:`Moves`; vectors (n, 3); the Jacobian (F, n, 3) and its estimated
    error; the sensitivity to displacements that keep the symmetry; and what :meth:`Bounds.crossed` gives.
    """

    a: Floats
    vectors: Floats
    jacobian: Floats
    error: float
    sensitivity: Sensitivity
    crossed: Floats
    slopes: Floats

    @property
    def ratio(self) -> float:
        """s_d/s_1 of the displacements that keep the symmetry."""
        return self.sensitivity.inverse_condition_number

    @property
    def excess(self) -> float:
        """What the search brings to zero: s_d/s_1, or the largest violation of a bound in Å if that is larger."""
        return max(self.ratio, float(self.crossed.max()))


class _ArrivedError(Exception):
    """Raised in a residual to stop MINPACK."""


class Descent:
    """Least squares for J v = 0, with v the softest mode, from several starts.

    `avoided` are symmetry operations that the search must not approach, `history` is every accepted step.
    """

    def __init__(self, evaluator: Evaluator, moves: Moves, bounds: Bounds, ignored: Floats, accuracy: float) -> None:
        self.avoided: set[Operation] = set()
        self.history: list[Step] = []
        self._evaluator, self._moves, self._bounds = evaluator, moves, bounds
        self._ignored, self._accuracy = ignored, accuracy
        self._phase, self._walls = "", np.empty(0)
        self._accepted: State | None = None
        self.state = self._state_at(np.zeros(moves.basis.shape[1]))
        self._scale = float(self.state.sensitivity.singular_values[0])

    def run(self, phase: str, first: Floats) -> State:
        """Descend from coordinates (p,): Levenberg-Marquardt until near a zero, then Gauss-Newton."""
        self._begin(phase, first)
        goal = max(_NEAR, self._accuracy)
        while True:
            self._levenberg_marquardt(goal)
            stuck = self.state.ratio > goal
            self._gauss_newton()
            if stuck or self.arrived() or goal == self._accuracy:
                return self.state
            goal = max(min(self.state.ratio, goal) / 10, self._accuracy)

    def settle(self, first: Floats) -> State:
        """Take only Gauss-Newton steps, from coordinates (p,) that have to be near a zero."""
        self._begin("settle", first)
        self._gauss_newton()
        return self.state

    def arrived(self) -> bool:
        """Whether the current state is singular and within the bounds."""
        return self.state.ratio <= self._accuracy and bool(self.state.crossed.max() <= _INSIDE)

    def opening(self, modes: Floats, rank: int) -> Floats:
        """Second derivatives of the features contracted with modes, without the range of J on the first `rank` modes.

        Rows for each mode (k, n, 3) after the other: shape (F k, 3 n), in 1/Å².
        """
        state = self.state
        flat = state.jacobian.reshape(len(state.jacobian), -1)
        values = state.sensitivity.singular_values[:rank]
        known = values > self._accuracy * values.max(initial=0.0)
        left = flat @ state.sensitivity.modes[:rank][known].reshape(-1, flat.shape[1]).T / values[known]
        rows = [np.zeros((0, flat.shape[1]))]
        for mode in modes:
            change, _ = self._evaluator.change_along(state.vectors, state.jacobian, mode, state.error)
            rows.append(change - left @ (left.T @ change))
        return np.concatenate(rows)

    def _levenberg_marquardt(self, goal: float) -> None:
        """Run MINPACK's Levenberg-Marquardt method until s_d/s_1 reaches the goal, or no longer decreases."""
        from scipy.optimize import least_squares

        def residual(a: Floats) -> Floats:
            self._move_to(a)
            if self.state.ratio <= goal and self.state.crossed.max() <= max(goal, _INSIDE):
                raise _ArrivedError
            return self._residual()

        def slope(a: Floats) -> Floats:
            self._move_to(a)
            self._record_step()
            return self._slope()

        try:
            end = least_squares(
                residual,
                self.state.a,
                slope,
                method="lm",
                x_scale=_FIRST_STEP / 100,  # MINPACK's first step is at most 100 of these
                max_nfev=_STEPS,
                xtol=1e-12,
                ftol=1e-10,
                gtol=1e-15,
            )
            self._move_to(end.x)
        except _ArrivedError:
            pass
        self._record_step()

    def _gauss_newton(self) -> None:
        """Take full steps of least length as long as each halves the excess, down to the rounding of the Jacobian."""
        for _ in range(_STEPS):
            before = self.state
            if self.arrived() and before.ratio <= _ROUNDING * self._accuracy:
                return
            # Smaller singular values of the slope are curvature of the set of zeros, not a way towards it.
            cut = max(_FLAT, 30 * before.ratio)
            step = np.linalg.lstsq(self._slope(), -self._residual(), rcond=cut)[0]
            self.state = self._state_at(before.a + step)
            if before.excess / 5 < self.state.excess < before.excess / 3:
                # If values open to second order, a step goes half the way, which leaves a quarter.
                single, self.state = self.state, self._state_at(before.a + 2 * step)
                if self.state.excess > single.excess:
                    self.state = single
            if not self.state.excess < before.excess / 2:
                self.state = before
                return
            self._record_step()

    def _begin(self, phase: str, first: Floats) -> None:
        self._phase, self._accepted = phase, None
        self.state = self._state_at(first)
        self._walls = np.full(len(self.state.crossed), _WALL)
        self._walls[-1] = _SYMMETRY_WALL

    def _state_at(self, a: Floats) -> State:
        vectors = self._moves.vectors(a)
        _, jacobian, error = self._evaluator.evaluate([vectors])[0]
        crossed, slopes = self._bounds.crossed(vectors, self.avoided)
        return State(
            a=a.copy(),
            vectors=vectors,
            jacobian=jacobian,
            error=error,
            sensitivity=self._evaluator.sensitivity(vectors, jacobian, self._accuracy, self._ignored),
            crossed=crossed,
            slopes=slopes,
        )

    def _move_to(self, a: Floats) -> None:
        if not np.array_equal(a, self.state.a):
            self.state = self._state_at(a)

    def _residual(self) -> Floats:
        """Compute J v over s_1 of the start, and the violations of the bounds; shape (F + m,)."""
        flat = self.state.jacobian.reshape(len(self.state.jacobian), -1)
        soft = flat @ self.state.sensitivity.modes[-1].ravel() / self._scale
        return np.concatenate([soft, self._walls * self.state.crossed])

    def _slope(self) -> Floats:
        """Differentiate the residual, with v the softest mode everywhere; shape (F + m, p).

        J v changes by dJ v + J dv, and J dv cancels what lies in the range of J on the other modes: variable
        projection (Golub and Pereyra, SIAM J. Numer. Anal. 10, 413 (1973)) as simplified by Kaufman, BIT 15, 49 (1975).
        """
        rates = self.opening(self.state.sensitivity.modes[-1:], len(self.state.sensitivity.modes) - 1) / self._scale
        return np.concatenate([rates, self._walls[:, None] * self.state.slopes]) @ self._moves.slope(self.state.a)

    def _record_step(self) -> None:
        if self.state is self._accepted:
            return
        before = self._accepted if self._accepted is not None else self.state
        length = float(np.linalg.norm(self.state.vectors - before.vectors))
        self.history.append(Step(self._phase, self._evaluator.evaluations, self.state.ratio, length))
        self._accepted = self.state
