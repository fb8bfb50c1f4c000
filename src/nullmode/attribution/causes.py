"""The causes of null singular values: symmetry, a low body order, a small truncation; counted from ranks."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from math import sqrt
from typing import Any

import numpy as np

from nullmode._support.arguments import SMALLEST_TOLERANCE, check_tolerance
from nullmode._support.failure import reason
from nullmode._support.types import JSON, Parity
from nullmode.attribution.completeness import LARGEST_ORDER, rank_complete
from nullmode.descriptors._base import Descriptor, changed, check_descriptor
from nullmode.geometry.environment import Environment, check_environment, within
from nullmode.spectrum.decomposition import check_rtol, decompose, measured
from nullmode.symmetry.point_group import count_symmetric, largest_tolerance, point_group


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The null singular values of one environment, or of a whole structure, counted by cause.

    n_dof = rank + null_symmetry + null_incompleteness + null_truncation + null_unresolved.

    Attributes
    ----------
    n_dof
        Number of displacements, rigid motions excluded.
    rank
        Measured, with the truncation of the descriptor.
    rank_complete
        Largest rank that any truncation of this correlation order reaches; None where no theory knows it.
    rank_symmetric
        Largest rank that symmetry allows for features of this parity.
    null_symmetry
        n_dof - rank_symmetric: null values that symmetry demands.
    null_incompleteness
        rank_symmetric - rank_complete: the body order is too low.
    null_truncation
        rank_complete - rank: the truncation is too small. Do not read it so where the row is ambiguous.
    null_unresolved
        rank_symmetric - rank where rank_complete is not known; else 0.
    null_cutoff
        Number of the values counted in null_truncation or null_unresolved that are not null any more when the cutoff is
        raised by ``cutoff_width``: they belong to neighbours in the smoothing range.
    point_group
        Schoenflies symbol.
    ambiguous
        Whether values are null and the counts depend on the tolerance, between rtol·1 Å and 30·sqrt(rtol)·1 Å: the
        environment is close to a more symmetric or degenerate one.
    nearest_tolerance
        The length in Å at which the counts change, nearest to the tolerance asked for; NaN if not ambiguous.
    tolerance
        The length in Å at which the ranks were counted: smaller than asked for if the measured rank demands it.
    diagnostic
        Empty; or what is wrong, such as ranks that are not in order, with the tolerances tried.
    """

    n_dof: int
    rank: int
    rank_complete: int | None
    rank_symmetric: int
    null_symmetry: int
    null_incompleteness: int
    null_truncation: int
    null_unresolved: int
    null_cutoff: int
    point_group: str
    ambiguous: bool
    nearest_tolerance: float
    tolerance: float
    diagnostic: str


class GeometryRanks(ABC):
    """The ranks that geometry allows for an environment or a structure, remembered for each tolerance, in Å."""

    def __init__(self, environments: Sequence[Environment]) -> None:
        self._environments = environments
        self._groups: dict[float, Any] = {}

    @abstractmethod
    def _group(self, tolerance: float) -> Any:
        """Find the point group or the isometries."""

    @abstractmethod
    def largest_tolerance(self) -> float:
        """Largest tolerance at which atoms stay distinct."""

    @abstractmethod
    def counts(self, order: int | None, parity: Parity, tolerance: float) -> tuple[int | None, int]:
        """Give rank_complete (None where not known) and rank_symmetric."""

    @abstractmethod
    def rank_of(self, descriptor: Descriptor, rtol: float) -> int:
        """Measure the rank with these neighbours alone, even if the descriptor reaches further."""

    def group(self, tolerance: float) -> Any:
        """Point group or isometries; both have a Schoenflies symbol as `name`."""
        if tolerance not in self._groups:
            self._groups[tolerance] = self._group(tolerance)
        return self._groups[tolerance]

    def farthest(self) -> float:
        """Distance of the farthest neighbour, in Å."""
        return max(float(np.linalg.norm(e.vectors, axis=1).max(initial=0.0)) for e in self._environments)


class EnvironmentRanks(GeometryRanks):
    """The ranks that geometry allows for one environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__([environment])
        self.environment = environment
        self._complete: dict[tuple[int, str, float], int] = {}

    def _group(self, tolerance: float) -> Any:
        return point_group(self.environment, tolerance)

    def largest_tolerance(self) -> float:  # noqa: D102
        return largest_tolerance(self.environment.vectors)

    def rank_of(self, descriptor: Descriptor, rtol: float) -> int:  # noqa: D102
        alone = replace(self.environment, cutoff=None)
        return decompose(descriptor, alone, rtol).rank

    def counts(self, order: int | None, parity: Parity, tolerance: float) -> tuple[int | None, int]:  # noqa: D102
        symmetric = count_symmetric(self.group(tolerance), parity)
        if order is None:
            return None, symmetric
        key = order, parity, tolerance
        if key not in self._complete:
            self._complete[key] = rank_complete(self.environment, order, parity, tolerance)
        return self._complete[key], symmetric


def attribute(
    environment: Environment, descriptor: Descriptor, rtol: float = 1e-9, tolerance: float = 1e-6
) -> Attribution:
    """Count the null singular values of a descriptor by cause.

    Parameters
    ----------
    environment
        Neighbours beyond the descriptor's cutoff are left out.
    descriptor
        Without a ``correlation_order``, null values of body order and truncation are counted together, as unresolved.
    rtol
        Relative tolerance of the measured rank.
    tolerance
        Length in Å: neighbours that a symmetry operation misses by less count as equivalent.

    Raises
    ------
    InputError
        As :func:`nullmode.sensitivity` and :func:`nullmode.point_group`.
    """
    check_environment(environment)
    check_descriptor(descriptor)
    inside = within(environment, descriptor.cutoff)
    result = measured(descriptor, inside, rtol)
    return explain_rank(EnvironmentRanks(inside), result.rank, result.n_dof, descriptor, rtol, tolerance)


def explain_rank(
    geometry: GeometryRanks, rank: int, n_dof: int, descriptor: Descriptor, rtol: float, tolerance: float
) -> Attribution:
    """Count n_dof - rank by cause, given the measured rank; see :func:`attribute`."""
    check_rtol(rtol)
    check_tolerance(tolerance)
    parity: Parity = descriptor.parity or "O3"
    order = descriptor.correlation_order
    if order is not None and (order > LARGEST_ORDER or (order == LARGEST_ORDER and parity == "SO3")):
        order = None
    used = tolerance
    complete, symmetric = geometry.counts(order, parity, used)
    diagnostic = ""
    while not rank <= (symmetric if complete is None else complete) <= symmetric <= n_dof:
        if used / 10 < SMALLEST_TOLERANCE:
            diagnostic = (
                f"rank {rank} <= rank_complete {complete} <= rank_symmetric {symmetric} <= n_dof {n_dof} does not hold "
                f"at any tolerance from {tolerance:.0e} to {used:.0e} Å (rtol {rtol:.0e})"
            )
            break
        used /= 10
        complete, symmetric = geometry.counts(order, parity, used)
    change = np.nan
    if rank < n_dof:
        high = min(30 * sqrt(rtol), geometry.largest_tolerance())
        # If the measured rank demanded a smaller tolerance, the counts change above it.
        low = min(max(rtol, SMALLEST_TOLERANCE), used, high)
        change = _nearest_change(geometry, order, parity, low, high, tolerance)
    return Attribution(
        n_dof=n_dof,
        rank=rank,
        rank_complete=complete,
        rank_symmetric=symmetric,
        null_symmetry=n_dof - symmetric,
        null_incompleteness=0 if complete is None else symmetric - complete,
        null_truncation=0 if complete is None else complete - rank,
        null_unresolved=symmetric - rank if complete is None else 0,
        null_cutoff=_at_the_cutoff(geometry, descriptor, rank, rtol, symmetric if complete is None else complete),
        point_group=geometry.group(used).name,
        ambiguous=bool(np.isfinite(change)),
        nearest_tolerance=change,
        tolerance=used,
        diagnostic=diagnostic,
    )


def attribution_columns(
    geometry: GeometryRanks, rank: int, n_dof: int, descriptor: Descriptor, rtol: float, tolerance: float
) -> JSON:
    """Do as :func:`explain_rank`, as columns of a table; where the ranks cannot be found, the diagnostic says why."""
    try:
        return asdict(explain_rank(geometry, rank, n_dof, descriptor, rtol, tolerance))
    except Exception as error:
        # One row without an explanation must not stop the others.
        return {"diagnostic": reason(error)}


def _at_the_cutoff(geometry: GeometryRanks, descriptor: Descriptor, rank: int, rtol: float, most: int) -> int:
    """Count the null values, up to a rank of `most`, that a raised cutoff makes visible again."""
    smoothing = getattr(descriptor, "cutoff_width", 0.0)
    if rank >= most or not smoothing or not is_dataclass(descriptor):
        return 0
    if geometry.farthest() <= descriptor.cutoff - smoothing:
        return 0
    wider = changed(descriptor, cutoff=descriptor.cutoff + smoothing)
    return max(0, min(geometry.rank_of(wider, rtol), most) - rank)


def _nearest_change(
    geometry: GeometryRanks, order: int | None, parity: Parity, low: float, high: float, tolerance: float
) -> float:
    """Length between low and high, nearest to the tolerance, at which the counts change; NaN if they do not.

    Counts fall as the tolerance grows, so that equal counts at two lengths hold between them too.
    """

    def counts(length: float) -> tuple[int | None, int, str]:
        return *geometry.counts(order, parity, length), geometry.group(length).name

    middle = min(max(tolerance, low), high)
    here = counts(middle)
    changes = []
    for end in (low, high):
        same, other = middle, end
        if counts(end) == here:
            continue
        while max(same, other) > 1.1 * min(same, other):
            between = sqrt(same * other)
            same, other = (between, other) if counts(between) == here else (same, between)
        changes.append(sqrt(same * other))
    return min(changes, key=lambda length: abs(np.log(length / tolerance)), default=float("nan"))
