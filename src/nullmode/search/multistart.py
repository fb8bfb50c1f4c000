"""Singular points from many starts: sorted, and each only once."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

from nullmode._support.arguments import Seed, Tolerance
from nullmode._support.failure import reason
from nullmode._support.threads import progress_bar
from nullmode._support.types import InputError
from nullmode._support.variants import gated
from nullmode.descriptors._base import Descriptor, check_descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment import Environment, check_environments, within
from nullmode.search.singular import SingularPoint, find_singular
from nullmode.symmetry.superposition import congruent


@gated("environments", "descriptor", "options")
def find_singular_points(
    environments: Sequence[Environment],
    descriptor: Descriptor,
    *,
    seed: Seed = 0,
    tolerance: Tolerance = 1e-6,
    progress: bool = False,
    **options: Any,
) -> list[SingularPoint]:
    """Search for singular points from every environment of a set.

    Points count as one if a rotation, a reflection (unless features keep pseudoscalars) and a permutation of neighbours
    map them onto each other: the point nearest to its start is kept, and ``starts`` lists all starts that led there.

    Parameters
    ----------
    environments
        The starts.
    descriptor
        Any; its layout is that of the whole set.
    seed
        Start k has the seed `seed` + k.
    tolerance
        Largest distance in Å at which positions of neighbours count as equal, in one point or in two.
    progress
        As in :func:`nullmode.analyze`.
    **options
        As for :func:`nullmode.find_singular`.

    Returns
    -------
    list of SingularPoint
        Each start is in one of them. Those that converged come first; nearest to their start first, or softest first
        among the others. Last come starts from which there was no search, with the reason as their `message`.

    Raises
    ------
    InputError
        As :func:`nullmode.find_singular`, with the index of the environment, if there is a search from no start.
    """
    items = check_environments(environments)
    if not items:
        raise InputError("`environments` must hold at least one, got none.")
    check_descriptor(descriptor)
    descriptor = with_layout_of(descriptor, [within(item, descriptor.cutoff) for item in items])
    points: list[SingularPoint] = []
    with progress_bar(len(items), progress, "starts") as advance:
        for k, item in enumerate(items):
            try:
                point = find_singular(item, descriptor, seed=seed + k, tolerance=tolerance, **options)
                points.append(replace(point, starts=(k,)))
            except Exception as error:  # whatever a descriptor meets at one start, the others are searched from
                points.append(SingularPoint.refused(k, f"environments[{k}]: {reason(error)}"))
            advance(1)
    if all(point.status == "refused" for point in points):
        raise InputError(points[0].message)
    reflections = descriptor.parity != "SO3"
    kept: list[SingularPoint] = []
    for point in sorted(points, key=_rank):
        for k, other in enumerate(kept):
            if (
                point.converged
                and other.converged
                and congruent(point.environments[0], other.environments[0], tolerance, reflections=reflections)
            ):
                kept[k] = replace(other, starts=other.starts + point.starts)
                break
        else:
            kept.append(point)
    return kept


def _rank(point: SingularPoint) -> tuple[bool, float]:
    if point.converged:
        return False, point.distance
    return True, point.history[-1].residual if point.history else inf
