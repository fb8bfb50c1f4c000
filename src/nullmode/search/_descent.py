"""Descent of the smallest singular value, within bounds, to a zero."""

from dataclasses import dataclass

import numpy as np

from nullmode._support.types import Floats
from nullmode.search._bounds import Bounds, Operation
from nullmode.search._evaluation import Evaluator
from nullmode.search._moves import Moves
from nullmode.search._record import Step
from nullmode.spectrum.decomposition import Sensitivity

_INSIDE = 1e-9  # Å by which a bound may be crossed
_WALL, _SYMMETRY_WALL = 3.0, 0.3  # weight of what is crossed, in 1/Å, beside s_d/s_1
_FIRST_STEP = 0.1  # Å
_STEPS = 100
_NEAR = 1e-4  # s_d/s_1 at which Gauss-Newton takes over
_FLAT = 1e-6
_ROUNDING = 1e-2  # of the accuracy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """What is known at one place.

    Attributes
    ----------
    a, shape (p,)
        Its coordinates.
    vectors, shape (n, 3)
        In Å.
    jacobian, shape (F, n, 3)
        In 1/Å.
    error
        Of the Jacobian, estimated, in 1/Å.
    seen
        Singular values and modes of the displacements that keep the symmetry.
    crossed, slopes
        As :meth:`Bounds.crossed`.
    """

    a: Floats
    vectors: Floats
    jacobian: Floats
    error: float
    seen: Sensitivity
    crossed: Floats
    slopes: Floats

    @property
    def ratio(self) -> float:
        """s_d/s_1 of the displacements that keep the symmetry."""
        return self.seen.inverse_condition_number

    @property
    def left(self) -> float:
        """What is to become zero: s_d/s_1, or what is crossed, in Å, if that is more."""
        return max(self.ratio, float(self.crossed.max()))


class _ArrivedError(Exception):
    """Stops MINPACK, which has no other way to be told."""


class Descent:
    """Least squares for J v = 0 with v the softest mode, from one place after the other.

    Attributes
    ----------
    avoided
        Symmetry operations to keep away from.
    history
        Every accepted step.
    """

    def __init__(self, evaluator: Evaluator, room: Moves, bounds: Bounds, ignored: Floats, accuracy: float) -> None:
        self.avoided: set[Operation] = set()
        self.history: list[Step] = []
        self._evaluator, self._room, self._bounds = evaluator, room, bounds
        self._ignored, self._accuracy = ignored, accuracy
        self._phase, self._walls = "", np.empty(0)
        self._accepted: View | None = None
        self.view = self._look(np.zeros(room.basis.shape[1]))
        self._scale = float(self.view.seen.singular_values[0])

    def run(self, phase: str, first: Floats) -> View:
        """Descend from coordinates (p,): Levenberg-Marquardt until near a zero, then Gauss-Newton; return the end."""
        self._begin(phase, first)
        goal = max(_NEAR, self._accuracy)
        while True:
            self._levenberg_marquardt(goal)
            stuck = self.view.ratio > goal
            self._gauss_newton()
            if stuck or self.arrived() or goal == self._accuracy:
                return self.view
            goal = max(min(self.view.ratio, goal) / 10, self._accuracy)

    def settle(self, first: Floats) -> View:
        """Take Gauss-Newton steps alone from coordinates (p,), which have to be near a zero."""
        self._begin("settle", first)
        self._gauss_newton()
        return self.view

    def arrived(self) -> bool:
        """Whether the last place is singular and within the bounds."""
        return self.view.ratio <= self._accuracy and bool(self.view.crossed.max() <= _INSIDE)

    def opening(self, modes: Floats, rank: int) -> Floats:
        """Second derivatives of the features contracted with modes, off the range of J on the first `rank` modes.

        Rows for each mode (k, n, 3) after the other: shape (F k, 3 n), in 1/Å².
        """
        view = self.view
        flat = view.jacobian.reshape(len(view.jacobian), -1)
        values = view.seen.singular_values[:rank]
        known = values > self._accuracy * values.max(initial=0.0)
        left = flat @ view.seen.modes[:rank][known].reshape(-1, flat.shape[1]).T / values[known]
        rows = [np.zeros((0, flat.shape[1]))]
        for mode in modes:
            change, _ = self._evaluator.change_along(view.vectors, view.jacobian, mode, view.error)
            rows.append(change - left @ (left.T @ change))
        return np.concatenate(rows)

    def _levenberg_marquardt(self, goal: float) -> None:
        """Go on with MINPACK's Levenberg-Marquardt until s_d/s_1 is at the goal, or nothing is won any more."""
        from scipy.optimize import least_squares

        def residual(a: Floats) -> Floats:
            self._move_to(a)
            if self.view.ratio <= goal and self.view.crossed.max() <= max(goal, _INSIDE):
                raise _ArrivedError
            return self._residual()

        def slope(a: Floats) -> Floats:
            self._move_to(a)
            self._note()
            return self._slope()

        try:
            end = least_squares(
                residual,
                self.view.a,
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
        self._note()

    def _gauss_newton(self) -> None:
        """Take the shortest full steps, as long as each leaves less than a half: to the rounding of the Jacobian."""
        for _ in range(_STEPS):
            before = self.view
            if self.arrived() and before.ratio <= _ROUNDING * self._accuracy:
                return
            # What opens slower than this is the curvature of the set of zeros seen from a distance of the residual.
            cut = max(_FLAT, 30 * before.ratio)
            step = np.linalg.lstsq(self._slope(), -self._residual(), rcond=cut)[0]
            self.view = self._look(before.a + step)
            if before.left / 5 < self.view.left < before.left / 3:
                # Where values open to second order a step goes half the way, and a quarter is left.
                single, self.view = self.view, self._look(before.a + 2 * step)
                if self.view.left > single.left:
                    self.view = single
            if not self.view.left < before.left / 2:
                self.view = before
                return
            self._note()

    def _begin(self, phase: str, first: Floats) -> None:
        self._phase, self._accepted = phase, None
        self.view = self._look(first)
        self._walls = np.full(len(self.view.crossed), _WALL)
        self._walls[-1] = _SYMMETRY_WALL

    def _look(self, a: Floats) -> View:
        vectors = self._room.place(a)
        _, jacobian, error = self._evaluator.evaluate([vectors])[0]
        crossed, slopes = self._bounds.crossed(vectors, self.avoided)
        return View(
            a=a.copy(),
            vectors=vectors,
            jacobian=jacobian,
            error=error,
            seen=self._evaluator.sensitivity(vectors, jacobian, self._accuracy, self._ignored),
            crossed=crossed,
            slopes=slopes,
        )

    def _move_to(self, a: Floats) -> None:
        if not np.array_equal(a, self.view.a):
            self.view = self._look(a)

    def _residual(self) -> Floats:
        """Give J v over the first s_1, and what is crossed; shape (F + m,)."""
        flat = self.view.jacobian.reshape(len(self.view.jacobian), -1)
        soft = flat @ self.view.seen.modes[-1].ravel() / self._scale
        return np.concatenate([soft, self._walls * self.view.crossed])

    def _slope(self) -> Floats:
        """Differentiate the residual, v being at its best everywhere; shape (F + m, p).

        J v changes by dJ v + J dv, and the best dv takes away what lies in the range of J on the other modes: variable
        projection (Golub and Pereyra, SIAM J. Numer. Anal. 10, 413 (1973)) as simplified by Kaufman, BIT 15, 49 (1975).
        """
        rates = self.opening(self.view.seen.modes[-1:], len(self.view.seen.modes) - 1) / self._scale
        return np.concatenate([rates, self._walls[:, None] * self.view.slopes]) @ self._room.slope(self.view.a)

    def _note(self) -> None:
        if self.view is self._accepted:
            return
        before = self._accepted if self._accepted is not None else self.view
        length = float(np.linalg.norm(self.view.vectors - before.vectors))
        self.history.append(Step(self._phase, self._evaluator.evaluations, self.view.ratio, length))
        self._accepted = self.view
