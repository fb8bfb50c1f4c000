"""The ranks that geometry allows, at any tolerance, and those that larger truncations reach."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nullmode._support.types import Parity
from nullmode.attribution.completeness import MOST_TUPLES, rank_complete
from nullmode.attribution.truncation_limit import has_limit, larger_truncations
from nullmode.descriptors._base import Descriptor, changed
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment import Environment
from nullmode.linalg.rotations import rotations_of
from nullmode.spectrum.decomposition import decompose
from nullmode.symmetry.nearby import may_grow
from nullmode.symmetry.point_group import count_symmetric, largest_tolerance, point_group


class GeometryRanks(ABC):
    """The ranks that geometry allows for an environment or a structure, remembered for each tolerance, in Å.

    Attributes
    ----------
    generic_length
        Length in Å below which nothing is equivalent, so that every displacement can be seen; 0 where not known.
    n_generic
        Number of displacements where nothing is equivalent.
    """

    generic_length: float = 0.0
    n_generic: int = -1

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

    def may_grow(self, tolerance: float) -> bool:  # noqa: ARG002
        """Whether more operations can hold within this tolerance; cheap, and never wrongly no."""
        return True

    def too_large_for(self, order: int) -> str:  # noqa: ARG002
        """Say why rank_complete of an order cannot be counted; empty if it can."""
        return ""

    def beyond_cutoff(self, order: int | None, parity: Parity, tolerance: float) -> int:  # noqa: ARG002
        """Count displacements that symmetry allows and no body order sees, since the environments end at the cutoff."""
        return 0

    def rank_reached(self, descriptor: Descriptor, rtol: float, most: int) -> int | None:  # noqa: ARG002
        """Largest rank, up to `most`, at larger truncations; 0 if none can be tried, None if none is asked for."""
        return None

    def farthest(self) -> float:
        """Distance of the farthest neighbour, in Å."""
        return max(float(np.linalg.norm(e.vectors, axis=1).max(initial=0.0)) for e in self._environments)


class EnvironmentRanks(GeometryRanks):
    """The ranks that geometry allows for one environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__([environment])
        self.environment = environment
        self.n_generic = 3 * len(environment) - 3
        self._complete: dict[tuple[int, str, float], int] = {}
        self._reached: dict[tuple[Descriptor, float], int] = {}

    def _group(self, tolerance: float) -> Any:
        return point_group(self.environment, tolerance)

    def largest_tolerance(self) -> float:  # noqa: D102
        return largest_tolerance(self.environment.vectors)

    def n_dof(self, tolerance: float) -> int:  # noqa: D102
        return 3 * len(self.environment) - int(rotations_of(self.environment.vectors, tolerance).shape[1])

    def may_grow(self, tolerance: float) -> bool:
        """Compare sorted distances: an operation takes each neighbour to one of its species at its distance."""
        return may_grow(self.environment, tolerance)

    def too_large_for(self, order: int) -> str:  # noqa: D102
        count = len(self.environment) ** order
        return "" if count <= MOST_TUPLES else f"rank_complete is not counted: {count} tuples, of at most {MOST_TUPLES}"

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

    def rank_of(self, descriptor: Descriptor, rtol: float) -> int:  # noqa: D102
        alone = replace(self.environment, cutoff=None)
        return decompose(descriptor, alone, rtol).rank

    def counts(self, order: int | None, parity: Parity, tolerance: float) -> tuple[int | None, int]:  # noqa: D102
        symmetric = count_symmetric(self.group(tolerance), parity)
        if order is None or self.too_large_for(order):
            return None, symmetric
        key = order, parity, tolerance
        if key not in self._complete:
            self._complete[key] = rank_complete(self.environment, order, parity, tolerance)
        return self._complete[key], symmetric
