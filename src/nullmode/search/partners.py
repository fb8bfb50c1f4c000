"""Degenerate partners: other environments with the same features, and which correlation order tells them apart."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field
from threadpoolctl import threadpool_limits

from nullmode._support.arguments import Count, Length, RelativeTolerance, Seed
from nullmode._support.types import Floats, InputError
from nullmode._support.variants import gated
from nullmode.attribution.causes import attribute
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors.bispectrum import Bispectrum
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.descriptors.radial_spectrum import RadialSpectrum
from nullmode.descriptors.trispectrum import Trispectrum
from nullmode.geometry.environment import Environment
from nullmode.search._evaluation import Evaluator
from nullmode.search._record import SearchRecord, Step
from nullmode.symmetry.superposition import superpose

# In converged bases for some ten neighbours (tests/analysis/test_ranks.py).
_LADDER: dict[int, tuple[type[Any], dict[str, int]]] = {
    1: (RadialSpectrum, {"n_max": 8}),
    2: (PowerSpectrum, {"n_max": 8, "l_max": 8}),
    3: (Bispectrum, {"n_max": 4, "l_max": 5}),
    4: (Trispectrum, {"n_max": 3, "l_max": 4}),
}
# Features of one order that differ by less, over their norm, are equal: partners are this well converged.
_SPLIT = 1e-8
# Å; measured over 0.1, 0.5 and 2 Å on the pairs of the tests: wider holes swallow partners.
_HOLE = 0.1
# A start in four draws its distances from the centre anew: not every descriptor fixes them.
_FREE_EVERY = 4
_SHORTEST = 0.7
_PER_START = 100
_ROUNDING = 1e-14  # of features, over their norm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Partners(SearchRecord):
    """Environments with the features of another one to which they are not congruent.

    `environments` are the partners, in the order found; `converged` says whether there is one. A step of `history` is
    one least-squares solution: its phase tells how it ended (``partner``, ``known partner``, ``itself``, ``local
    minimum``; after "deflated:" where the start was used again with what is known taken out), its residual is the
    features' distance over the norm of the features, its length the way from the start.

    Attributes
    ----------
    feature_distances, shape (k,)
        |phi(partner) - phi(environment)| / |phi(environment)|.
    structural_distances, shape (k,)
        Root mean square distance of neighbours after the best superposition, in Å.
    splits
        For each partner the same feature distance in converged bases of 1 to 4 neighbours, by order; orders with too
        many features for the species are missing.
    n_starts
        How many starts were used.
    evaluations
        How many Jacobians were computed.
    best_residual
        The smallest residual of a local minimum, infinite without one: how near the search came to a further partner.
    best_distance
        The structural distance of that minimum, in Å; NaN without one.
    """

    per_environment: ClassVar[Mapping[str, str]] = {
        **{"feature_distances": "feature_distance", "structural_distances": "structural_distance", "splits": "splits"}
    }

    feature_distances: Floats
    structural_distances: Floats
    splits: tuple[dict[int, float], ...]
    n_starts: int
    evaluations: int
    best_residual: float
    best_distance: float

    def split_by(self, k: int = 0) -> int | None:
        """Lowest correlation order that tells partner k from the environment; None if no order up to 4 does."""
        return next((order for order, distance in sorted(self.splits[k].items()) if distance > _SPLIT), None)

    @property
    def outcomes(self) -> dict[str, int]:
        """How often each phase of the history occurred."""
        return dict(Counter(step.phase for step in self.history))


@gated("environment", "descriptor")
def find_partners(
    environment: Environment,
    descriptor: Descriptor,
    *,
    most: Count | None = 1,
    n_starts: Count = 100,
    seed: Seed = 0,
    tolerance: Annotated[float, Field(ge=_ROUNDING, lt=1)] = 1e-11,
    min_distance: Length = 1e-3,
    rtol: RelativeTolerance = 1e-9,
) -> Partners:
    """Look for environments with the same features that are no rotated, reflected or renumbered copies.

    Least squares on the features (SciPy's trust region with the analytic Jacobian) from random starts: neighbours in
    random directions, in three starts of four at the environment's own distances from the centre. A start that ends at
    a known solution, the environment itself to begin with, is used once more with all known solutions taken out: the
    residual is multiplied by 1 + (0.1 Å)²/d², d being the distance to the nearest copy of each (deflation, Farrell,
    Birkisson and Funke, SIAM J. Sci. Comput. 37, A2026 (2015), with the distance after superposition).

    Parameters
    ----------
    environment
        Neighbours beyond the descriptor's cutoff are left out.
    descriptor
        Any. Where a small basis leaves displacements unseen that are not demanded by symmetry, partners are a
        continuum: `attribution` then shows null values due to truncation.
    most
        Stop at so many partners; None uses every start.
    n_starts, seed
        Of the random numbers; start k depends on the seed and k alone.
    tolerance
        Features closer than this, over their norm, are equal.
    min_distance
        Environments closer than this are one, in Å.
    rtol
        Relative tolerance of the ranks in `attribution`.

    Raises
    ------
    InputError
        For an environment without neighbours within the cutoff or without features, or numbers out of range.
    """
    search = _Search(Evaluator(environment, descriptor), tolerance, min_distance)
    used = 0
    # Threads of BLAS, waiting for each other over a dozen columns, took 20 times as long on a busy machine.
    with threadpool_limits(1):
        for start in _starts(search.evaluator, n_starts, seed):
            used += 1
            if search.solve(start, holes=()) in ("itself", "known partner"):
                search.solve(start, holes=search.known)
            if len(search.known) - 1 == most:
                break
    return _record(search, used, rtol)


class _End(NamedTuple):
    """Where one least-squares solution ended: features' distance, distance to the environment in Å, Jacobian."""

    phase: str
    deflated: bool
    environment: Environment
    residual: float
    distance: float
    jacobian: Floats


class _Search:
    """What is known so far: the environment itself, partners, and how every start ended."""

    def __init__(self, evaluator: Evaluator, tolerance: float, min_distance: float) -> None:
        self.evaluator, self.tolerance, self.min_distance = evaluator, tolerance, min_distance
        # Features that keep pseudoscalars tell mirror images apart: to find one would be news.
        self.reflections = evaluator.descriptor.parity != "SO3"
        self.target, self.jacobian, _ = evaluator.evaluate([evaluator.start.vectors])[0]
        self.norm = float(np.linalg.norm(self.target))
        if self.norm == 0:
            raise InputError("`descriptor` must see the environment, got features that are all zero.")
        self.known: list[Environment] = [evaluator.start]
        self.ends: list[_End] = []
        self.history: list[Step] = []

    def solve(self, start: Floats, holes: Sequence[Environment]) -> str:
        """Minimise the residual from a start, known environments taken out or not, and say how it ended."""
        from scipy.optimize import least_squares

        last: dict[bytes, tuple[Floats, Floats]] = {}

        def both(x: Floats) -> tuple[Floats, Floats]:
            if (key := x.tobytes()) not in last:
                last.clear()
                last[key] = self._residual(x, holes)
            return last[key]

        def residual(x: Floats) -> Floats:
            return both(x)[0]

        def slope(x: Floats) -> Floats:
            return both(x)[1]

        solution = least_squares(
            residual, start.ravel(), jac=slope, ftol=1e-15, xtol=1e-13, gtol=1e-15, max_nfev=_PER_START
        )
        end = self._end(self.evaluator.environment(solution.x), deflated=bool(holes))
        length = float(np.linalg.norm(end.environment.vectors - start))
        phase = "deflated: " * end.deflated + end.phase
        self.history.append(Step(phase, self.evaluator.evaluations, end.residual, length))
        self.ends.append(end)
        if end.phase == "partner":
            self.known = [*self.known, end.environment]
        return end.phase

    def _residual(self, x: Floats, holes: Sequence[Environment]) -> tuple[Floats, Floats]:
        """Features minus the target over its norm, times the factor of each hole; with the Jacobian, (F, 3 n)."""
        features, jacobian, _ = self.evaluator.evaluate([x.reshape(-1, 3)])[0]
        residual = (features - self.target) / self.norm
        slope = jacobian.reshape(len(features), -1) / self.norm
        here = self.evaluator.environment(x)
        for hole in holes:
            best = superpose(here, hole, reflections=self.reflections)
            # The best map is stationary, so the distance changes as if it stood still.
            apart = (here.vectors - hole.vectors[best.permutation] @ best.operation).ravel()
            square = max(float(apart @ apart), np.finfo(np.float64).tiny)
            factor = 1 + _HOLE**2 / square
            slope = factor * slope - np.outer(residual, 2 * _HOLE**2 / square**2 * apart)
            residual = factor * residual
        return residual, slope

    def _end(self, environment: Environment, *, deflated: bool) -> _End:
        features, jacobian, _ = self.evaluator.evaluate([environment.vectors])[0]
        residual = float(np.linalg.norm(features - self.target) / self.norm)
        apart = [superpose(environment, known, reflections=self.reflections).distance for known in self.known]
        if apart[0] <= self.min_distance:
            phase = "itself"
        elif min(apart) <= self.min_distance:
            phase = "known partner"
        else:
            phase = "partner" if residual <= self.tolerance else "local minimum"
        return _End(phase, deflated, environment, residual, apart[0], jacobian)


def _starts(evaluator: Evaluator, n_starts: int, seed: int) -> Iterator[Floats]:
    """Neighbours in random directions, shape (n, 3); of every fourth start the distances are random, too."""
    lengths = np.linalg.norm(evaluator.start.vectors, axis=1)
    for k in range(n_starts):
        # From one on: [seed, 0] draws what a user's [seed] drew, perhaps this very environment.
        rng = np.random.default_rng([seed, k + 1])
        directions = rng.normal(size=(len(lengths), 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        free = rng.uniform(_SHORTEST * lengths.min(), max(lengths), size=len(lengths))
        yield directions * (free if k % _FREE_EVERY == _FREE_EVERY - 1 else lengths)[:, None]


def _record(search: _Search, starts: int, rtol: float) -> Partners:
    evaluator, own = search.evaluator, search.known[0]
    found = [end for end in search.ends if end.phase == "partner"]
    # Around what was taken out there is a rim of minima, which are none of the residual itself.
    missed = min(
        (end for end in search.ends if end.phase == "local minimum" and not end.deflated),
        key=lambda end: end.residual,
        default=None,
    )
    # Its own are not in one array with those of partners: a linear environment has one more.
    n_dof = evaluator.sensitivity(own.vectors, search.jacobian, rtol).n_dof
    seen = [evaluator.sensitivity(end.environment.vectors, end.jacobian, rtol).singular_values for end in found]
    return Partners(
        environments=tuple(end.environment for end in found),
        singular_values=np.stack(seen) if seen else np.empty((0, n_dof)),
        converged=bool(found),
        history=tuple(search.history),
        attribution=tuple(attribute(end.environment, evaluator.descriptor, rtol) for end in found),
        feature_distances=np.array([end.residual for end in found]),
        structural_distances=np.array([end.distance for end in found]),
        splits=tuple(_splits(own, end.environment, evaluator.descriptor) for end in found),
        n_starts=starts,
        evaluations=evaluator.evaluations,
        best_residual=missed.residual if missed else np.inf,
        best_distance=missed.distance if missed else np.nan,
    )


def _splits(one: Environment, other: Environment, descriptor: Descriptor) -> dict[int, float]:
    """Distance of the features of 1 to 4 neighbours over their norm, by order."""
    result = {}
    for order, (kind, size) in _LADDER.items():
        parity = {"parity": descriptor.parity} if kind is Bispectrum and descriptor.parity else {}
        probe = kind(**size, **parity, cutoff=descriptor.cutoff, cutoff_width=0.0)
        try:
            first, second = probe.compute_batch([one, other])
        # Many species have more features than can be held.
        except InputError:
            continue
        result[order] = float(np.linalg.norm(second - first) / np.linalg.norm(first))
    return result
