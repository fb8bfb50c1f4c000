"""Larger truncations of a descriptor: what none of them sees is not missing for want of basis functions."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeGuard

from nullmode._support.types import InputError
from nullmode.basis.radial._base import FittedRadialBasis
from nullmode.descriptors._base import DensityDescriptor, Descriptor, changed

# n_max and l_max that are tried for each correlation order, the cheapest first.
_TRIED = {
    1: [(16, 0), (50, 0)],
    2: [(6, 6), (12, 12), (16, 20), (20, 25)],
    3: [(4, 4), (5, 6), (6, 9), (8, 12)],
    4: [(3, 4), (2, 8), (4, 6)],
}
_MOST_ENTRIES = 20_000_000
"""Of the Jacobian at a truncation that is tried."""


def has_limit(descriptor: Descriptor) -> TypeGuard[DensityDescriptor]:
    """Whether there is detail that no truncation sees: under a Gaussian density, which has a width."""
    return isinstance(descriptor, DensityDescriptor) and descriptor.density == "gaussian"


def larger_truncations(descriptor: DensityDescriptor, n_neighbours: int) -> Iterator[DensityDescriptor]:
    """Give larger truncations, the cheapest first; of an optimal contraction, of its primitives.

    Each is made when it is asked for, since its radial functions have to be tabulated. Left out are truncations that
    the radial basis does not allow, and those that take too much memory; there may be none left.
    """
    given = set()
    for n_tried, l_tried in _TRIED[descriptor.correlation_order or 1]:
        larger = _larger(descriptor, n_tried, l_tried)
        if larger is None or larger == descriptor or larger in given:
            continue
        given.add(larger)
        if 3 * n_neighbours * larger._n_features(len(larger.species or ("X",))) <= _MOST_ENTRIES:
            yield larger


@lru_cache(maxsize=1024)
def _larger(descriptor: DensityDescriptor, n_tried: int, l_tried: int) -> DensityDescriptor | None:
    basis: Any = descriptor.radial_basis
    basis = basis.primitives if isinstance(basis, FittedRadialBasis) else basis
    n_least = getattr(descriptor.radial_basis, "n_primitives", descriptor.n_max)
    sizes = {"n_max": max(n_tried, n_least)}
    if descriptor.correlation_order != 1:
        sizes["l_max"] = max(l_tried, descriptor.l_max)
    return _made(descriptor, basis, sizes)


def _made(descriptor: DensityDescriptor, basis: Any, sizes: dict[str, int]) -> DensityDescriptor | None:
    """Make a truncation, with as many functions as the radial basis can tell apart; None if it allows no more."""
    for n_max in range(sizes["n_max"], descriptor.n_max - 1, -1):
        try:
            larger = changed(descriptor, radial_basis=basis, **(sizes | {"n_max": n_max}))
            larger.basis  # noqa: B018 - some bases find their limit when they are tabulated
        except InputError:
            continue
        return larger
    return None
