"""The causes of null singular values: symmetry, body order, truncation, cutoff, width; counted from ranks."""

from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from math import sqrt

import numpy as np

from nullmode._support.arguments import SMALLEST_TOLERANCE, check_tolerance
from nullmode._support.failure import reason
from nullmode._support.shown import Shown
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import JSON, InputError, Parity
from nullmode.attribution.completeness import LARGEST_HANDED, LARGEST_ORDER
from nullmode.attribution.geometry_ranks import EnvironmentRanks, GeometryRanks
from nullmode.attribution.tolerances import growth, nearest_change
from nullmode.descriptors._base import Descriptor, InexactDescriptor, check_descriptor
from nullmode.descriptors._selected import changed_whole, whole_of
from nullmode.geometry.environment import Environment, check_environment, within
from nullmode.spectrum.decomposition import check_rtol, measured

_FARTHEST_CHANGE = 0.1
"""Å; values that open as the square of a larger distance are not null at an rtol that leaves anything to see."""
_LAST_PART = 0.125
"""Of the cutoff: the smoothing range of descriptors that fade out over the whole of it."""
_FADED = 30.0
"""A weight falls as the square of the distance to the cutoff, over it. Below this times sqrt(rtol) it may be null."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Attribution(Shown):
    """The null singular values of one environment, or of a whole structure, counted by cause.

    n_dof = rank + null_symmetry + null_incompleteness + null_truncation + null_cutoff + null_width +
    null_unresolved.

    Attributes
    ----------
    n_dof
        Number of displacements, rigid motions excluded; with one rotation less if all is on a line within `tolerance`.
    rank
        Measured, with the truncation of the descriptor.
    rank_complete
        Largest rank that any truncation of this correlation order reaches; None where no theory knows it.
    rank_symmetric
        Largest rank that symmetry allows for features of this parity.
    null_symmetry
        n_dof - rank_symmetric: null values that symmetry demands.
    null_incompleteness
        rank_symmetric - rank_complete: the body order is too low. Of a whole structure, without those that no body
        order sees.
    null_cutoff
        Null values beyond these that are seen when the cutoff is raised by ``cutoff_width`` (without one, by an eighth
        of itself): they belong to neighbours in the smoothing range. Of a whole structure, also those that symmetry
        allows and no body order sees: the environments do not reach from one group of atoms to another.
    null_truncation
        Null values beyond these that a larger truncation sees.
    null_width
        Null values beyond these that not even the complete basis sees (:func:`nullmode.limit`), where nothing is
        `ambiguous`: under a density this wide they are below rtol in any basis, as those of neighbours at almost equal
        distances of the centre.
    null_unresolved
        The other null values, of unknown cause: where rank_complete is not known, body order or truncation; where the
        counts are `ambiguous`, the width or the nearness of a more symmetric environment; where the rank in the
        complete basis is not known (whole structures, orders 3 and 4), the width or a truncation larger than those that
        were tried. Of another code, whose truncation and cutoff cannot be raised, all values that truncation or cutoff
        may have made null. Descriptors of nullmode's without a truncation have none of these kinds.
    point_group
        Schoenflies symbol.
    ambiguous
        Whether values are null and the counts depend on the tolerance: the environment is close to a more symmetric or
        degenerate one. Tolerances from rtol·1 Å to 30·sqrt(rtol)·1 Å, at most 0.1 Å, are looked at, but none at which
        geometry would allow less than is seen at this rtol, by this truncation or a larger one.
    nearest_tolerance
        The length in Å at which the counts change, nearest to the tolerance asked for; NaN if not ambiguous.
    tolerance
        The length in Å at which the ranks were counted: smaller than asked for if the measured rank demands it.
    group_grows_at
        Length in Å, up to 0.01, within which the environment has a higher symmetry than it has at `tolerance`, whatever
        its rank; NaN if it has not.
    diagnostic
        Empty; or what is wrong, such as ranks that are not in order, with the tolerances tried.
    """

    n_dof: int
    rank: int
    rank_complete: int | None
    rank_symmetric: int
    null_symmetry: int
    null_incompleteness: int
    null_cutoff: int
    null_truncation: int
    null_width: int
    null_unresolved: int
    point_group: str
    ambiguous: bool
    nearest_tolerance: float
    tolerance: float
    group_grows_at: float
    diagnostic: str


_FIELDS = tuple(field.name for field in fields(Attribution))


@on_one_blas_thread
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
    result = measured(descriptor, inside, rtol, tolerance)
    return explain_rank(EnvironmentRanks(inside), result.rank, descriptor, rtol, tolerance)


def explain_rank(
    geometry: GeometryRanks, rank: int, descriptor: Descriptor, rtol: float, tolerance: float
) -> Attribution:
    """Count the null values by cause, given the measured rank; see :func:`attribute`."""
    check_rtol(rtol)
    check_tolerance(tolerance)
    parity: Parity = descriptor.parity or "O3"
    order = counted_order(descriptor)
    used = tolerance
    complete, symmetric = geometry.counts(order, parity, used)
    diagnostic = "" if order is None else geometry.too_large_for(order)
    while not rank <= (symmetric if complete is None else complete) <= symmetric <= geometry.n_dof(used):
        if used / 10 < SMALLEST_TOLERANCE:
            n_dof = geometry.n_dof(used)
            diagnostic = (
                f"rank {rank} <= rank_complete {complete} <= rank_symmetric {symmetric} <= n_dof {n_dof} does not hold "
                f"at any tolerance from {tolerance:.0e} to {used:.0e} Å (rtol {rtol:.0e})"
            )
            break
        used /= 10
        complete, symmetric = geometry.counts(order, parity, used)
    n_dof = geometry.n_dof(used)
    beyond = geometry.beyond_cutoff(order, parity, used)
    most = symmetric - beyond if complete is None else complete
    cutoff, known = _at_the_cutoff(geometry, descriptor, rank, rtol, most)
    # Negative only if the ranks are out of order.
    missing = most - rank - cutoff
    whole = whole_of(descriptor)
    # What the features that were not selected see is missing for want of features, whatever else is known.
    unselected = geometry.rank_of(whole, rtol) if missing > 0 and whole is not descriptor else rank
    asked = complete is not None and missing > 0 and unselected < most
    reached = _reached(geometry, whole, rtol, most) if asked else None
    truncation = missing if reached is None else min(missing, max(reached - rank, 0))
    # The truncation of another code cannot be raised to see whether it is the cause.
    if complete is None or not known or isinstance(whole, InexactDescriptor):
        truncation = 0
    truncation = max(truncation, min(missing, unselected - rank))
    if truncation > 0 and cutoff > 0 and reached is not None:
        # What a larger truncation sees may be what a raised cutoff brings back.
        both = _reached(geometry, _wider(whole), rtol, most) or 0
        truncation = min(truncation, max(both - rank - cutoff, 0))
    change = np.nan
    if rank < n_dof:
        high = min(30 * sqrt(rtol), _FARTHEST_CHANGE, geometry.largest_tolerance())
        # If the measured rank demanded a smaller tolerance, the counts change above it.
        low = min(max(rtol, SMALLEST_TOLERANCE), used, high)
        try:
            seen = max(rank, unselected, reached or 0)
            change = nearest_change(geometry, (order, parity), (low, high), tolerance, seen)
        except InputError as error:
            # spglib may find no group at another tolerance; the counts at the one in use hold all the same.
            diagnostic = diagnostic or f"whether the counts are ambiguous is not known: {error}"
    width = 0
    if reached is not None and known and missing > truncation and np.isnan(change):
        # What only a larger truncation and a raised cutoff together see is not hidden by the width.
        limit = geometry.rank_limit(_wider(whole), rtol)
        width = 0 if limit is None else min(missing - truncation, max(most - limit, 0))
    return Attribution(
        n_dof=n_dof,
        rank=rank,
        rank_complete=complete,
        rank_symmetric=symmetric,
        null_symmetry=n_dof - symmetric,
        null_incompleteness=0 if complete is None else symmetric - complete - beyond,
        null_cutoff=cutoff + beyond,
        null_truncation=truncation,
        null_width=width,
        null_unresolved=missing - truncation - width,
        point_group=geometry.group(used).name,
        ambiguous=bool(np.isfinite(change)),
        nearest_tolerance=change,
        tolerance=used,
        group_grows_at=growth(geometry, used),
        diagnostic=diagnostic,
    )


def counted_order(descriptor: Descriptor) -> int | None:
    """Correlation order of a descriptor, if its rank_complete can be counted; else None."""
    order = descriptor.correlation_order
    largest = LARGEST_HANDED if descriptor.parity == "SO3" else LARGEST_ORDER
    return order if order is not None and order <= largest else None


def attribution_columns(
    geometry: GeometryRanks, rank: int, descriptor: Descriptor, rtol: float, tolerance: float
) -> JSON:
    """Do as :func:`explain_rank`, as columns of a table; where the ranks cannot be found, the diagnostic says why."""
    try:
        explained = explain_rank(geometry, rank, descriptor, rtol, tolerance)
        return {name: getattr(explained, name) for name in _FIELDS}
    # Also where the descriptor is a user's own, which may raise anything: one row without causes must not stop others.
    except Exception as error:
        return {"diagnostic": reason(error)}


def _reached(geometry: GeometryRanks, descriptor: Descriptor, rtol: float, most: int) -> int | None:
    """Largest rank, up to `most`, in larger bases; None where there are none."""
    reached = geometry.rank_reached(descriptor, rtol, most)
    if reached is None or reached >= most:
        return reached
    return max(reached, min(geometry.rank_limit(descriptor, rtol) or 0, most))


def _at_the_cutoff(
    geometry: GeometryRanks, descriptor: Descriptor, rank: int, rtol: float, most: int
) -> tuple[int, bool]:
    """Count the null values, up to a rank of `most`, that a raised cutoff makes visible again; and whether it is known.

    It is not where the cutoff cannot be raised, and a neighbour is so close to it that its weight may be below rtol.
    """
    smoothing, cutoff = _smoothing(descriptor), descriptor.cutoff
    if rank >= most or smoothing == 0:
        return 0, True
    if smoothing is None:
        return 0, geometry.farthest() <= cutoff * (1 - _FADED * sqrt(rtol))
    if geometry.farthest() <= cutoff - smoothing:
        return 0, True
    return max(0, min(geometry.rank_of(_wider(descriptor), rtol), most) - rank), True


def _wider(descriptor: Descriptor) -> Descriptor:
    """Raise the cutoff by the smoothing range."""
    return changed_whole(descriptor, cutoff=descriptor.cutoff + (_smoothing(descriptor) or 0.0))


def _smoothing(descriptor: Descriptor) -> float | None:
    """Range below the cutoff in which neighbours count little, in Å; None if the cutoff cannot be raised."""
    whole = whole_of(descriptor)
    if isinstance(whole, InexactDescriptor) or not is_dataclass(whole):
        return None
    if not _takes_cutoff(type(whole)):
        return None
    width: float = getattr(whole, "cutoff_width", _LAST_PART * whole.cutoff)
    return width


@cache
def _takes_cutoff(kind: type) -> bool:
    return "cutoff" in {field.name for field in fields(kind) if field.init}
