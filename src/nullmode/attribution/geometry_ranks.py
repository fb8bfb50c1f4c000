"""The ranks that geometry allows, at any tolerance, and those that larger truncations reach."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from nullmode._support.types import Floats, InputError, Parity
from nullmode.attribution.completeness import CompleteRank, too_large
from nullmode.attribution.truncation_limit import has_limit, larger_truncations
from nullmode.descriptors._base import DensityDescriptor, Descriptor, changed
from nullmode.descriptors._layout import with_layout_of
from nullmode.descriptors.complete.jacobians import smallest
from nullmode.geometry.environment import Environment
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.linalg.rotations import line_axis
from nullmode.spectrum.complete import decompose_complete
from nullmode.spectrum.decomposition import decompose
from nullmode.symmetry.point_group import PointGroups, count_symmetric, largest_tolerance

_USUAL_TOLERANCE = 1e-2
"""Å; up to this, operations of an environment are found at once."""


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
    def n_dof(self, tolerance: float) -> int:
        """Count the displacements, rigid motions excluded."""

    @abstractmethod
    def rank_of(self, descriptor: Descriptor, rtol: float) -> int:
        """Measure the rank with these neighbours alone, even if the descriptor reaches further."""

    def group(self, tolerance: float) -> Any:
        """Point group or isometries; both have a Schoenflies symbol as `name`."""
        if tolerance not in self._groups:
            self._groups[tolerance] = self._group(tolerance)
        return self._groups[tolerance]

    def too_large_for(self, order: int) -> str:  # noqa: ARG002
        """Say why rank_complete of an order cannot be counted; empty if it can."""
        return ""

    def beyond_cutoff(self, order: int | None, parity: Parity, tolerance: float) -> int:  # noqa: ARG002
        """Count displacements that symmetry allows and no body order sees, since the environments end at the cutoff."""
        return 0

    def rank_reached(self, descriptor: Descriptor, rtol: float, most: int) -> int | None:  # noqa: ARG002
        """Largest rank, up to `most`, at larger truncations; 0 if none can be tried, None if none is asked for."""
        return None

    def rank_limit(self, descriptor: Descriptor, rtol: float) -> int | None:  # noqa: ARG002
        """Rank in the complete basis of the descriptor's density, body order and cutoff; None where it is not known."""
        return None

    def farthest(self) -> float:
        """Distance of the farthest neighbour, in Å."""
        return max(float(np.linalg.norm(e.vectors, axis=1).max(initial=0.0)) for e in self._environments)


class EnvironmentRanks(GeometryRanks):
    """The ranks that geometry allows for one environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__([environment])
        self.environment = environment
        self._counts: dict[tuple[int | None, Parity, float], tuple[int | None, int]] = {}
        self._complete: dict[tuple[int, Parity], CompleteRank] = {}
        self._symmetric: dict[tuple[int, Parity], int] = {}
        self._point_groups: PointGroups | None = None
        self._reached: dict[tuple[Descriptor, float], int] = {}
        self._limits: dict[tuple[DensityDescriptor, float], int | None] = {}

    def _group(self, tolerance: float) -> Any:
        if self._point_groups is None or tolerance > self._point_groups.largest:
            most = min(self.largest_tolerance(), max(tolerance, _USUAL_TOLERANCE))
            self._point_groups = PointGroups(self.environment, most)
        return self._point_groups.at(tolerance)

    def largest_tolerance(self) -> float:  # noqa: D102
        return self._largest

    @cached_property
    def _largest(self) -> float:
        return largest_tolerance(self.environment.vectors)

    def n_dof(self, tolerance: float) -> int:  # noqa: D102
        n = len(self.environment)
        return 3 * n - (0 if n == 0 else 3 if line_axis(self.environment.vectors, tolerance) is None else 2)

    def too_large_for(self, order: int) -> str:  # noqa: D102
        return too_large(len(self.environment), order)

    def rank_reached(self, descriptor: Descriptor, rtol: float, most: int) -> int | None:  # noqa: D102
        if not has_limit(descriptor):
            return None
        best = 0
        # Features of species that do not occur are zero.
        own = with_layout_of(changed(descriptor, species=None), [self.environment])
        for larger in larger_truncations(own, len(self.environment)):
            key = larger, rtol
            if key not in self._reached:
                self._reached[key] = self.rank_of(larger, rtol)
            best = max(best, self._reached[key])
            if best >= most:
                break
        return best

    def rank_limit(self, descriptor: Descriptor, rtol: float) -> int | None:  # noqa: D102
        # Of order 3 it takes minutes.
        if not has_limit(descriptor) or descriptor.correlation_order not in (1, 2):
            return None
        key = smallest(changed(descriptor, species=None)), rtol
        if key not in self._limits:
            self._limits[key] = self._rank_limit(*key)
        return self._limits[key]

    def _rank_limit(self, descriptor: DensityDescriptor, rtol: float) -> int | None:
        try:
            return decompose_complete(self.environment, descriptor, rtol)[0].rank
        # Too large for the memory.
        except InputError:
            return None

    def rank_of(self, descriptor: Descriptor, rtol: float) -> int:  # noqa: D102
        alone = replace(self.environment, cutoff=None)
        return decompose(descriptor, alone, rtol).rank

    def counts(self, order: int | None, parity: Parity, tolerance: float) -> tuple[int | None, int]:  # noqa: D102
        key = order, parity, tolerance
        if key not in self._counts:
            self._counts[key] = self._counted(*key)
        return self._counts[key]

    def _counted(self, order: int | None, parity: Parity, tolerance: float) -> tuple[int | None, int]:
        group = self.group(tolerance)
        if (id(group), parity) not in self._symmetric:
            self._symmetric[id(group), parity] = count_symmetric(group, parity)
        symmetric = self._symmetric[id(group), parity]
        if order is None or self.too_large_for(order):
            return None, symmetric
        if (order, parity) not in self._complete:
            self._complete[order, parity] = CompleteRank(self.environment, order, parity)
        return self._complete[order, parity].at(tolerance), symmetric


class Cases:
    """The environments of a set, each with the ranks that geometry allows, which are found when they are asked for.

    Attributes
    ----------
    environments
        All environments.
    reach, shape (m,)
        Radius in Å up to which the neighbours of each were looked for.
    """

    def __init__(self, environments: EnvironmentSet, reach: Floats | None = None) -> None:
        self.environments = environments
        self.reach = np.full(len(environments), environments.cutoff) if reach is None else reach
        self._known: dict[int, EnvironmentRanks] = {}

    def __len__(self) -> int:
        return len(self.environments)

    def __getitem__(self, index: int) -> EnvironmentRanks:
        if index not in self._known:
            self._known[index] = EnvironmentRanks(self.environments[index])
        return self._known[index]
