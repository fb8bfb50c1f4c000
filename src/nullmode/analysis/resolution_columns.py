"""Columns of the resolution: rows at many truncations, measured against one limit for each environment."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nullmode._support.failure import reason
from nullmode._support.types import JSON, Floats, InputError, Integers
from nullmode.analysis.groups import Group, grouped
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._selected import whole_of
from nullmode.descriptors.complete.jacobians import smallest
from nullmode.geometry.environment import Environment
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.limits.limit import check_limited
from nullmode.limits.metric import is_projection, primitives, with_orthonormal_functions
from nullmode.limits.resolution import Reference, references
from nullmode.spectrum.batch import Computed, Scratch, computed
from nullmode.spectrum.decomposition import DegreesOfFreedom
from nullmode.spectrum.truncations import Factors, Plan, Sweep, factors
from nullmode.tables import columns

_NO_PROJECTION = "no projection: the radial basis samples the density, so that the resolution may exceed 1"
_ROUNDING = "rounding: the resolution is below the noise of the Jacobians over the smallest value of the limit"


class ResolutionColumns:
    """The columns as arrays (points, environments); what the limit sees of each is found once for all truncations."""

    def __init__(
        self, shape: tuple[int, int], rtol: float, degrees_of_freedom: DegreesOfFreedom, tolerance: float
    ) -> None:
        self._options: tuple[float, DegreesOfFreedom, float] = rtol, degrees_of_freedom, tolerance
        self._known: dict[Any, dict[int, Reference | Exception]] = {}
        self._worst, self._within = np.full((2, *shape), np.nan)
        self._rank = np.full(shape, -1)
        self._note = np.full(shape, "", dtype=object)

    def fill(
        self,
        indices: Integers,
        environments: Sequence[Environment],
        part: EnvironmentSet,
        result: Computed,
        reduced: list[tuple[Group, Factors]],
        ranks: Integers,
        rounding_floors: Floats,
        sweep: Sweep,
        layout: Plan,
    ) -> None:
        """Measure some environments, of which these are the indices, at each truncation of a sweep.

        Parameters
        ----------
        environments, part
            The same environments, one by one and together.
        result, reduced
            Their Jacobians at the largest truncation, and the factors of these at each; none of a single truncation.
        ranks, rounding_floors, shape (points, m)
            As in the other columns.
        """
        descriptor: Any = sweep.descriptor
        try:
            check_limited(descriptor)
        except InputError as error:
            self._note[np.ix_(np.array([point for point, *_ in sweep.points]), indices)] = reason(error)
            return
        measured = with_orthonormal_functions(descriptor)
        if measured is not descriptor or not reduced:
            own = result if measured is descriptor else computed(measured, part, Scratch())
            groups = grouped(part, own, layout, *self._options[1:])
            reduced = [
                (each, factors(each.flat, each.n_features, each.frames, each.n_rigid, layout)) for each in groups
            ]
        limits = self._limits(environments, descriptor)
        points, n, l = (list(each) for each in zip(*sweep.points, strict=True))
        worst, within = np.full((2, *ranks.shape), np.nan)
        rank_limit, note = np.full(ranks.shape, -1), np.full(ranks.shape, "", dtype=object)
        for i, each in enumerate(limits):
            if isinstance(each, Reference):
                rank_limit[:, i], within[:, i] = each.whitening.shape[1], each.within_cutoff
            else:
                note[:, i] = reason(each)
        for group, triangles in reduced:
            for rank in np.unique(rank_limit[0, group.members]):
                which = np.flatnonzero(rank_limit[0, group.members] == rank)
                if rank <= 0:
                    continue
                members = group.members[which]
                seen: list[Any] = [limits[i] for i in members]
                whitening = np.stack([each.whitening for each in seen])
                # Rotations are left out: they are not seen.
                displacements = group.frames[which][:, :, group.n_rigid :].swapaxes(1, 2) @ whitening
                shares = np.moveaxis(triangles.take(which).singular_values_on(displacements)[:, n, l], 0, 1)
                worst[:, members] = shares[..., -1]
                lengths = np.linalg.norm(whitening[:, :, -1], axis=1)
                floors = np.maximum(rounding_floors[:, members], [each.floor for each in seen]) * lengths
                note[:, members] = _notes(shares, ranks[:, members], floors, self._options[0])
        if not is_projection(descriptor):
            note[note == ""] = _NO_PROJECTION
        where = np.ix_(points, indices)
        self._worst[where], self._within[where], self._rank[where], self._note[where] = worst, within, rank_limit, note

    def columns(self) -> JSON:
        """Give the columns of the table, the environment varying fastest."""
        rank = pd.arrays.IntegerArray(self._rank.ravel(), self._rank.ravel() < 0)
        values = self._worst.ravel(), self._within.ravel(), rank, self._note.ravel()
        return {column.name: each for column, each in zip(columns.RESOLUTION, values, strict=True)}

    def _limits(self, environments: Sequence[Environment], descriptor: Descriptor) -> list[Reference | Exception]:
        whole: Any = whole_of(descriptor)
        # Of truncation and radial basis, only where the functions end matters.
        ends = primitives(whole.radial_basis).ends_at_cutoff
        key, ending = smallest(whole), smallest(whole, "laplacian-eigenstates")
        known = self._known.setdefault(ending if ends else key, {})
        if not ends:
            # What was found with the best within the cutoff is the same but for that.
            others = self._known.get(ending, {})
            for each in environments:
                if isinstance(found := others.get(id(each)), Reference):
                    known.setdefault(id(each), found._replace(within_cutoff=np.nan))
        new = [each for each in environments if id(each) not in known]
        results = self._found(new, ending if ends else key)
        known |= {id(each): found for each, found in zip(new, results, strict=True)}
        return [known[id(each)] for each in environments]

    def _found(self, environments: Sequence[Environment], descriptor: Any) -> list[Reference | Exception]:
        within = descriptor.radial_basis.ends_at_cutoff
        try:
            return [*references(environments, descriptor, *self._options, within=within)] if environments else []
        # One environment that is too large must not take the others' rows.
        except (InputError, MemoryError) as error:
            if len(environments) == 1:
                return [error]
            return [found for each in environments for found in self._found([each], descriptor)]


def _notes(values: Floats, ranks: Integers, floors: Floats, rtol: float) -> Any:
    """Say where resolutions (..., k) are rounding, or do not agree with the rank; floors are those of the smallest."""
    surely = (values <= rtol).sum(axis=-1)
    perhaps = (values <= np.maximum(rtol, floors)[..., None]).sum(axis=-1)
    left = values.shape[-1] - surely
    result = np.full(ranks.shape, "", dtype=object)
    result[(values[..., -1] <= floors) & (floors > rtol)] = _ROUNDING
    for index in zip(*np.nonzero((ranks > left) | (ranks < values.shape[-1] - perhaps)), strict=True):
        result[index] = f"the rank is {ranks[index]}, but {left[index]} resolutions are above rtol"
    return result
