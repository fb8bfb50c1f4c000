"""The causes of small singular values that are not null: those of null values by continuity, and the cutoff."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, isnan, log, log10, nan
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from nullmode._support.arguments import SMALLEST_TOLERANCE, as_real, check_tolerance
from nullmode._support.shown import Shown
from nullmode._support.threads import on_one_blas_thread
from nullmode._support.types import Floats, InputError
from nullmode.attribution.counterfactual import of_next_order, with_larger_truncation, with_raised_cutoff
from nullmode.descriptors._base import Descriptor, check_descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment import Environment, check_environment, within
from nullmode.spectrum.decomposition import Sensitivity, decompose, measured
from nullmode.symmetry.nearby import Symmetrized, nearly_symmetric
from nullmode.symmetry.point_group import rank_symmetric

NearCause: TypeAlias = Literal["symmetry", "incompleteness", "truncation", "cutoff", "tie", "none"]

SOFT = 1e-2
"""Values that are seen, and below this share of the largest, are soft, unless another bound is given."""
# How many times the distance is halved along the straight path to a symmetric environment.
_HALVINGS = 3
# Shares that differ by less are tied: fits of exponents are not more precise.
_TIE = 0.05
# Singular values below this, over the largest, are noise: no law can be fitted to them.
_NOISE = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class NearNull(Shown):
    """A soft mode, one with a small singular value, and the share of its softness that each cause explains.

    The softness is log10(threshold/ratio), in decades. A cause explains the decades by which the mode's ratio rises
    when the cause is removed, as a share of the softness, at most 1. The ratio of a displacement v under a changed
    descriptor is its resolution, (sum_k (v·v_k)²/s_k²)^(-1/2) over s_1, with s_k and v_k of the changed descriptor: the
    precision with which least squares finds the amplitude of v from features with unit noise. For the unchanged
    descriptor it is s_k/s_1. `confidence` is the largest share over the sum of all shares, or over 1 if they add up to
    less: 1 if one cause explains everything and the others nothing, a half if two explain everything. Where other
    shares come within 0.05 of the largest, the cause is ``tie``. If no share reaches a half, it is ``none``, with a
    confidence of 1 minus the largest share; `strongest` tells which cause explains most all the same. These numbers
    measure evidence; they are not probabilities.

    Attributes
    ----------
    mode, shape (n, 3)
        The displacement, of unit length.
    ratio
        s_k/s_1.
    cause
        ``symmetry``, ``incompleteness``, ``truncation``, ``cutoff``, ``tie`` or ``none``.
    strongest
        The causes with the largest share, more than one if they are tied; empty if none explains anything.
    strongest_share
        The largest share, in [0, 1].
    confidence
        In [0, 1].
    symmetry
        Share that the nearby symmetric environment explains: overlap·exponent·log10(L/distance) decades, with L the
        mean length of the neighbour vectors. By so much the ratio falls, after its power law, from a distortion of
        length L to the actual one.
    incompleteness
        Share that the next correlation order explains, beyond that of the larger truncation; NaN if there is none.
    truncation
        Share that a larger truncation explains; NaN for descriptors without n_max and l_max, or if these cannot grow.
    cutoff
        Share that a cutoff raised by ``cutoff_width`` explains, times `cutoff_weight`; NaN for descriptors without.
    symmetric_group
        Schoenflies symbol of the symmetric environment that explains most; empty if none is near.
    symmetric_distance
        Displacement of all neighbours to that environment, sqrt(sum |dr_j|²), in Å; infinite if none is near.
    symmetric_overlap
        Share of the mode's square that is not totally symmetric in that environment; 0 if none is near.
    exponent
        p of ratio ~ distance^p, fitted along the straight path to that environment: a whole number in theory, mostly 1
        or 2, larger near groups with many operations. NaN if none is near, or no law can be fitted.
    ratio_larger_basis, ratio_next_order, ratio_raised_cutoff
        Ratios of the mode with a larger truncation, the next order, a raised cutoff; NaN where this is not possible.
    cutoff_weight
        Share of the mode's square on neighbours in the smoothing range, after the rigid rotation that leaves the least
        motion of the other neighbours: a far neighbour that turns about the others is equivalent to these turning.
    """

    mode: Floats
    ratio: float
    cause: NearCause
    strongest: tuple[str, ...]
    strongest_share: float
    confidence: float
    symmetry: float
    incompleteness: float
    truncation: float
    cutoff: float
    symmetric_group: str
    symmetric_distance: float
    symmetric_overlap: float
    exponent: float
    ratio_larger_basis: float
    ratio_next_order: float
    ratio_raised_cutoff: float
    cutoff_weight: float


@on_one_blas_thread
def explain_near_null(
    environment: Environment,
    descriptor: Descriptor,
    threshold: float = SOFT,
    rtol: float = 1e-9,
    tolerance: float = 1e-6,
) -> list[NearNull]:
    """Find the cause of each soft mode of a descriptor; for null modes see :func:`nullmode.attribute`.

    Parameters
    ----------
    environment
        Neighbours beyond the descriptor's cutoff are left out.
    descriptor
        Any; without ``n_max``, ``l_max`` and ``cutoff_width``, symmetry is the only cause that can be examined.
    threshold
        Modes with rtol < s_k/s_1 < threshold are soft.
    rtol, tolerance
        As in :func:`nullmode.attribute`. The tolerance is reduced if the rank is larger than symmetry then allows.

    Returns
    -------
    list of NearNull
        One for each soft mode, the softest last; empty if there is none.

    Raises
    ------
    InputError
        For a threshold that is not between rtol and 1, and as :func:`nullmode.attribute`.
    """
    check_environment(environment)
    check_tolerance(tolerance)
    check_descriptor(descriptor)
    inside = within(environment, descriptor.cutoff)
    result = measured(descriptor, inside, rtol)
    if not rtol < as_real(threshold) <= 1:
        raise InputError(f"`threshold` must be between rtol = {rtol:.0e} and 1, got {threshold!r}.")
    ratios = result.singular_values[: result.rank] / result.singular_values[0] if result.rank else np.zeros(0)
    soft = np.flatnonzero(ratios < threshold)
    if not len(soft):
        return []
    descriptor = with_layout_of(descriptor, [inside])
    # A symmetry that forbids the measured rank is only approximate.
    parity = descriptor.parity or "O3"
    while tolerance / 10 >= SMALLEST_TOLERANCE and result.rank > rank_symmetric(inside, parity, tolerance):
        tolerance /= 10
    changed = _Spectra(descriptor, inside, nearly_symmetric(inside, tolerance))
    distances = np.linalg.norm(inside.vectors, axis=1)
    smoothed = distances > descriptor.cutoff - getattr(descriptor, "cutoff_width", 0.0)
    return [
        _explained(mode, float(ratio), threshold, changed, _weight(mode, inside.vectors, smoothed))
        for mode, ratio in zip(result.modes[soft], ratios[soft], strict=True)
    ]


class _Spectra:
    """Spectra of one environment, each without one cause of softness; all its soft modes share them."""

    def __init__(self, descriptor: Descriptor, environment: Environment, near: list[Symmetrized]) -> None:
        def spectrum(changed: Callable[[Descriptor], Descriptor | None]) -> Sensitivity | None:
            try:
                other = changed(descriptor)
                return None if other is None else _spectrum(other, environment)
            except InputError:
                # The descriptor refuses the change, such as an l_max that its contraction was not fitted for.
                return None

        self.scale = float(np.linalg.norm(environment.vectors, axis=1).mean())
        self.larger_truncation = spectrum(with_larger_truncation)
        self.next_order = spectrum(of_next_order)
        self.raised_cutoff = spectrum(with_raised_cutoff)
        # Spectra on the straight path to each symmetric environment, with the fraction of the distance to it.
        self.paths: list[tuple[Symmetrized, list[tuple[float, Sensitivity]]]] = []
        for target in near:
            start = target.environment.vectors
            step = environment.vectors - start
            lefts = [0.5**k for k in range(_HALVINGS + 1)]
            points = [(left, replace(environment, vectors=start + left * step)) for left in lefts]
            self.paths.append((target, [(left, _spectrum(descriptor, point)) for left, point in points]))


def _spectrum(descriptor: Descriptor, environment: Environment) -> Sensitivity:
    # These neighbours alone: a raised cutoff must not reach others.
    alone = replace(environment, cutoff=None)
    return decompose(descriptor, alone, _NOISE)


def _resolution(mode: Floats, result: Sensitivity | None) -> float:
    """(sum_k (v·v_k)²/s_k²)^(-1/2)/s_1 of a displacement v; NaN without a spectrum."""
    if result is None:
        return nan
    values = result.singular_values
    if not values[0] > 0:
        return 0.0
    overlaps = result.modes.reshape(len(values), -1) @ mode.ravel()
    return float(np.linalg.norm(overlaps / np.maximum(values / values[0], _NOISE)) ** -1)


def _explained(mode: Floats, ratio: float, threshold: float, changed: _Spectra, weight: float) -> NearNull:
    softness = log10(threshold / ratio)
    larger = _resolution(mode, changed.larger_truncation)
    following = _resolution(mode, changed.next_order)
    raised = _resolution(mode, changed.raised_cutoff)

    def share(decades: float) -> float:
        return min(max(0.0, decades / softness), 1.0)

    best, symmetry, overlap, exponent = None, 0.0, 0.0, nan
    for target, path in changed.paths:
        broken = float(target.broken(mode[None])[0])
        power = _exponent(mode, path)
        explained = 0.0 if isnan(power) else share(broken * power * log10(changed.scale / target.distance))
        if best is None or explained > symmetry:
            best, symmetry, overlap, exponent = target, explained, broken, power
    shares = {
        "symmetry": symmetry,
        # Beyond what the larger truncation explains.
        "incompleteness": share(log10(min(following, threshold) / min(max(larger, ratio), threshold)))
        if following > 0
        else nan,
        "truncation": share(log10(larger / ratio)) if larger > 0 else nan,
        "cutoff": share(weight * log10(raised / ratio)) if raised > 0 else nan,
    }
    known = {cause: value for cause, value in shares.items() if not isnan(value)}
    most = max(known.values())
    strongest = tuple(cause for cause, value in known.items() if value > 0 and value >= most - _TIE)
    clear = most >= 0.5
    return NearNull(
        mode=mode,
        ratio=ratio,
        cause=cast("NearCause", "none" if not clear else "tie" if len(strongest) > 1 else strongest[0]),
        strongest=strongest,
        strongest_share=most,
        confidence=most / max(1.0, sum(known.values())) if clear else 1 - most,
        **shares,
        symmetric_group=best.group.name if best else "",
        symmetric_distance=best.distance if best else inf,
        symmetric_overlap=overlap,
        exponent=exponent,
        ratio_larger_basis=larger,
        ratio_next_order=following,
        ratio_raised_cutoff=raised,
        cutoff_weight=weight,
    )


def _weight(mode: Floats, vectors: Floats, smoothed: "np.ndarray[Any, np.dtype[np.bool_]]") -> float:
    """Share of a mode's square on smoothed neighbours, after the rotation that leaves the others the least motion."""
    # Not infinitesimal_rotations: its zeros have other signs, which changes the last digits of the least squares.
    rotations = np.cross(np.eye(3)[:, None], vectors)
    inner = rotations[:, ~smoothed].reshape(3, -1).T
    turn = np.linalg.lstsq(inner, mode[~smoothed].ravel(), rcond=None)[0]
    still = (mode - np.tensordot(turn, rotations, 1)) ** 2
    return float(still[smoothed].sum() / still.sum())


def _exponent(mode: Floats, path: list[tuple[float, Sensitivity]]) -> float:
    """Slope of log ratio against log distance, for the modes along the path with the largest overlap with this one."""
    distances, ratios = [], []
    for left, result in path:
        k = int(np.argmax(np.abs(result.modes.reshape(len(result.modes), -1) @ mode.ravel())))
        ratio = result.singular_values[k] / result.singular_values[0]
        if ratio <= _NOISE:
            break
        distances.append(log(left))
        ratios.append(log(ratio))
    return float(np.polyfit(distances, ratios, 1)[0]) if len(ratios) > 1 else nan
