"""Degenerate partners: other environments with the same features, and the correlation order that separates them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from nullmode._support.arguments import Count, Length, RelativeTolerance, Seed
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import Floats, InputError
from nullmode._support.variants import gated
from nullmode.attribution.counterfactual import LADDER
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors.bispectrum import Bispectrum
from nullmode.geometry.environment import Environment
from nullmode.search._evaluation import Evaluator
from nullmode.search._polish import attributed, polished, undecided
from nullmode.search._record import SearchRecord, Step
from nullmode.symmetry.superposition import superpose

# Features that differ by less, over their norm, count as equal: partners are converged this well.
_SPLIT = 1e-8
# Å; best of 0.1, 0.5 and 2 Å on the pairs of the tests: wider holes also remove partners.
_HOLE = 0.1
_CENTER = 1e-15  # Å; closer to what is removed, its square would vanish in the slope
# One start in four also has random distances from the centre: not every descriptor fixes these.
_FREE_EVERY = 4
_SHORTEST = 0.7
_PER_START = 100
_ROUNDING = 1e-14  # of features, over their norm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Partners(SearchRecord):
    """Environments that have the features of a given one and are not congruent to it.

    `environments` are the partners, in the order in which they were found; `converged` tells whether there is one. One
    that is singular is brought there to rounding; where that fails and a value may be null or not, its attribution is
    ambiguous, and the diagnostic says why. A
    step of `history` is one least-squares solution. Its phase tells how it ended: ``partner``, ``known partner``,
    ``itself`` or ``local minimum``, with the prefix "deflated:" if the start was used again with the known solutions
    removed. Its residual is the distance of the features over their norm, its length the distance from the start.

    Attributes
    ----------
    feature_distances, shape (k,)
        |phi(partner) - phi(environment)| / |phi(environment)|.
    structural_distances, shape (k,)
        Root mean square distance of neighbours after the best superposition, in Å.
    splits
        For each partner, by correlation order from 1 to 4, the same feature distance in a converged truncation; orders
        with too many features for the species are missing.
    n_starts
        Number of starts that were used.
    evaluations
        Number of Jacobians that were computed.
    best_residual
        The smallest residual of a local minimum, infinite without one: how close the search came to another partner.
    best_distance
        The structural distance of that minimum, in Å; NaN without one.
    """

    per_environment: ClassVar[Mapping[str, str]] = {
        "feature_distances": "feature_distance",
        "structural_distances": "structural_distance",
        "splits": "splits",
    }

    feature_distances: Floats
    structural_distances: Floats
    splits: tuple[dict[int, float], ...]
    n_starts: int
    evaluations: int
    best_residual: float
    best_distance: float

    def split_by(self, k: int = 0) -> int | None:
        """Lowest correlation order that separates partner k from the environment; None if no order up to 4 does."""
        return next((order for order, distance in sorted(self.splits[k].items()) if distance > _SPLIT), None)

    @property
    def outcomes(self) -> dict[str, int]:
        """How often each phase of the history occurred."""
        return dict(Counter(step.phase for step in self.history))


@gated("environment", "descriptor")
@on_one_blas_thread
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
    """Search for environments with the same features that are no rotated, reflected or permuted copies.

    Least squares on the features (SciPy's trust region with the analytic Jacobian) from random starts: neighbours in
    random directions, in three starts of four at the environment's own distances from the centre. A start that ends at
    a known solution (at first, the environment itself) is used once more with all known solutions removed: the residual
    is multiplied by 1 + (0.1 Å)²/d² for each, with its distance d after superposition (deflation: Farrell, Birkisson
    and Funke, SIAM J. Sci. Comput. 37, A2026 (2015)).

    Parameters
    ----------
    environment
        Neighbours beyond the descriptor's cutoff are left out.
    descriptor
        Any. If a small truncation makes modes null that symmetry does not demand, the partners form a continuum:
        `attribution` then shows null values due to truncation.
    most
        Stop after this many partners; None uses every start.
    n_starts, seed
        Number of starts, and seed of their random numbers; start k depends only on the seed and k.
    tolerance
        Features that differ by at most this, over their norm, are equal.
    min_distance
        Environments closer than this, in Å, count as one.
    rtol
        Relative tolerance of the ranks in `attribution`.

    Raises
    ------
    InputError
        For an environment without neighbours within the cutoff or without features, or numbers out of range.
    """
    search = _Search(Evaluator(environment, descriptor), tolerance, min_distance)
    used = 0
    for start in _starts(search.evaluator, n_starts, seed):
        used += 1
        if search.solve(start, holes=()) in ("itself", "known partner"):
            search.solve(start, holes=search.known)
        if len(search.known) - 1 == most:
            break
    return _record(search, used, rtol)


class _Solution(NamedTuple):
    """A least-squares solution: distance of the features, distance from the environment in Å, Jacobian."""

    phase: str
    deflated: bool
    environment: Environment
    residual: float
    distance: float
    jacobian: Floats


class _Search:
    """State of a search: the environment itself and the partners so far, and how every start ended."""

    def __init__(self, evaluator: Evaluator, tolerance: float, min_distance: float) -> None:
        self.evaluator, self.tolerance, self.min_distance = evaluator, tolerance, min_distance
        # Features that keep pseudoscalars distinguish mirror images: an image with equal features is a partner.
        self.reflections = evaluator.descriptor.parity != "SO3"
        self.target, self.jacobian, _ = evaluator.evaluate([evaluator.start.vectors])[0]
        self.norm = float(np.linalg.norm(self.target))
        if self.norm == 0:
            raise InputError("`descriptor` must have features that are not all zero, got zeros for this environment.")
        self.known: list[Environment] = [evaluator.start]
        self.solutions: list[_Solution] = []
        self.history: list[Step] = []

    def solve(self, start: Floats, holes: Sequence[Environment]) -> str:
        """Minimise the residual from a start, with the environments `holes` removed; return the phase of the end."""
        from scipy.optimize import least_squares

        @lru_cache(maxsize=1)
        def both(key: bytes) -> tuple[Floats, Floats]:
            return self._residual(np.frombuffer(key), holes)

        def residual(x: Floats) -> Floats:
            return both(x.tobytes())[0]

        def slope(x: Floats) -> Floats:
            return both(x.tobytes())[1]

        solution = least_squares(
            residual, start.ravel(), jac=slope, ftol=1e-15, xtol=1e-13, gtol=1e-15, max_nfev=_PER_START
        )
        end = self._solution(self.evaluator.environment(solution.x), deflated=bool(holes))
        length = float(np.linalg.norm(end.environment.vectors - start))
        phase = "deflated: " * end.deflated + end.phase
        self.history.append(Step(phase, self.evaluator.evaluations, end.residual, length))
        self.solutions.append(end)
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
            # The best superposition is stationary, so the derivative of the distance is that for a constant one.
            difference = (here.vectors - hole.vectors[best.permutation] @ best.operation).ravel()
            square = max(float(difference @ difference), _CENTER**2)
            factor = 1 + _HOLE**2 / square
            slope = factor * slope - np.outer(residual, 2 * _HOLE**2 / square**2 * difference)
            residual = factor * residual
        return residual, slope

    def _solution(self, environment: Environment, *, deflated: bool) -> _Solution:
        features, jacobian, _ = self.evaluator.evaluate([environment.vectors])[0]
        residual = float(np.linalg.norm(features - self.target) / self.norm)
        distances = [superpose(environment, known, reflections=self.reflections).distance for known in self.known]
        if distances[0] <= self.min_distance:
            phase = "itself"
        elif min(distances) <= self.min_distance:
            phase = "known partner"
        else:
            phase = "partner" if residual <= self.tolerance else "local minimum"
        return _Solution(phase, deflated, environment, residual, distances[0], jacobian)


def _starts(evaluator: Evaluator, n_starts: int, seed: int) -> Iterator[Floats]:
    """Neighbours in random directions, shape (n, 3); every fourth start has random distances, too."""
    lengths = np.linalg.norm(evaluator.start.vectors, axis=1)
    for k in range(n_starts):
        # k + 1, since [seed, 0] gives the numbers of a user's [seed], which may have made this environment.
        rng = np.random.default_rng([seed, k + 1])
        directions = rng.normal(size=(len(lengths), 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        free = rng.uniform(_SHORTEST * lengths.min(), max(lengths), size=len(lengths))
        yield directions * (free if k % _FREE_EVERY == _FREE_EVERY - 1 else lengths)[:, None]


def _record(search: _Search, starts: int, rtol: float) -> Partners:
    evaluator, own = search.evaluator, search.known[0]
    partners = [_polished(search, end, rtol) for end in search.solutions if end.phase == "partner"]
    # Around a removed solution there are further minima, which are none of the residual itself.
    missed = min(
        (end for end in search.solutions if end.phase == "local minimum" and not end.deflated),
        key=lambda end: end.residual,
        default=None,
    )
    # The partners may have one degree of freedom less than the environment, which may be linear.
    n_dof = evaluator.sensitivity(own.vectors, search.jacobian, rtol).n_dof
    spectra = [evaluator.sensitivity(end.environment.vectors, end.jacobian, rtol).singular_values for end in partners]
    return Partners(
        environments=tuple(end.environment for end in partners),
        singular_values=np.stack(spectra) if spectra else np.empty((0, n_dof)),
        converged=bool(partners),
        history=tuple(search.history),
        attribution=tuple(attributed(evaluator, end.environment, end.jacobian, rtol) for end in partners),
        feature_distances=np.array([end.residual for end in partners]),
        structural_distances=np.array([end.distance for end in partners]),
        splits=tuple(_splits(own, end.environment, evaluator.descriptor) for end in partners),
        n_starts=starts,
        evaluations=evaluator.evaluations,
        best_residual=missed.residual if missed else np.inf,
        best_distance=missed.distance if missed else np.nan,
    )


def _polished(search: _Search, end: _Solution, rtol: float) -> _Solution:
    """Bring a partner at a singular point to rounding: features alone fix its soft mode to about 1e-7 Å."""
    evaluator, found = search.evaluator, end.environment.vectors
    if not len(undecided(evaluator.sensitivity(found, end.jacobian, rtol).singular_values, rtol)):
        return end
    vectors = polished(evaluator, found, search.target, search.tolerance)
    if vectors is None:
        return end
    return search._solution(evaluator.environment(vectors), deflated=end.deflated)._replace(phase=end.phase)


def _splits(one: Environment, other: Environment, descriptor: Descriptor) -> dict[int, float]:
    """Distance of the features of correlation orders 1 to 4 over their norm, by order."""
    result = {}
    for order, (kind, size) in LADDER.items():
        parity = {"parity": descriptor.parity} if kind is Bispectrum and descriptor.parity else {}
        probe = kind(**size, **parity, cutoff=descriptor.cutoff, cutoff_width=0.0)
        try:
            first, second = probe.compute_batch([one, other])
        # Many species may have too many features.
        except InputError:
            continue
        result[order] = float(np.linalg.norm(second - first) / np.linalg.norm(first))
    return result
