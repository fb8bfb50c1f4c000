"""Columns of the resolution: rows at many truncations, measured against one limit for each environment."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nullmode._support.failure import reason
from nullmode._support.types import Floats, Integers
from nullmode.attribution.geometry_ranks import EnvironmentRanks
from nullmode.descriptors._base import DensityDescriptor, changed
from nullmode.geometry.environment import Environment
from nullmode.limits.metric import is_projection, primitives, with_orthonormal_functions
from nullmode.limits.resolution import Reference, matrices_of, references
from nullmode.spectrum.decomposition import DegreesOfFreedom
from nullmode.spectrum.truncations import Plan, Sweep, singular_values
from nullmode.tables import columns

_NO_PROJECTION = "no projection: the radial basis samples the density, so that the resolution may exceed 1"
_ROUNDING = "rounding: the resolution is below the noise of the Jacobians over the smallest value of the limit"


def completed(rows: pd.DataFrame) -> pd.DataFrame:
    """Give rows that failed, or of which no resolution was asked for, its columns."""
    names = [column.name for column in columns.RESOLUTION]
    rows = rows.assign(**{name: "" if name.endswith("note") else np.nan for name in names if name not in rows})
    return rows.fillna({"resolution_note": ""}).astype({"rank_limit": "Int64"})


class ResolutionColumns:
    """The columns of some environments; what the limit sees of each is found once for all truncations."""

    def __init__(self, rtol: float, degrees_of_freedom: DegreesOfFreedom, tolerance: float) -> None:
        self._options: tuple[float, DegreesOfFreedom, float] = rtol, degrees_of_freedom, tolerance
        self._known: dict[tuple[Any, int], Reference | Exception] = {}

    def of(
        self,
        cases: Sequence[EnvironmentRanks],
        jacobians: Sequence[Floats],
        rows: pd.DataFrame,
        sweep: Sweep,
        layout: Plan,
    ) -> pd.DataFrame:
        """Find the columns of environments at each truncation of a sweep.

        Parameters
        ----------
        jacobians
            Of each environment at the largest truncation, in 1/Å.
        rows
            Their other columns, the environment varying fastest.
        """
        environments = [case.environment for case in cases]
        ranks, rounding_floors = (rows[name].to_numpy().reshape(-1, len(cases)) for name in ("rank", "rounding_floor"))
        descriptor: Any = sweep.descriptor
        measured = with_orthonormal_functions(descriptor)
        if measured is not descriptor:
            jacobians = [jacobian for _, jacobian in measured.compute_batch_with_jacobian(environments)]
        _, n, l = (list(indices) for indices in zip(*sweep.points, strict=True))
        limits = self._limits(environments, descriptor)
        worst, within = np.full((2, *ranks.shape), np.nan)
        rank_limit, note = np.full(ranks.shape, None, dtype=object), np.full(ranks.shape, "", dtype=object)
        groups: dict[int, list[int]] = {}
        for i, each in enumerate(limits):
            if isinstance(each, Reference):
                rank_limit[:, i], within[:, i] = each.whitening.shape[1], each.within_cutoff
                groups.setdefault(each.whitening.shape[1], []).append(i)
            else:
                note[:, i] = reason(each)
        for rank, members in groups.items():
            if rank == 0:
                continue
            seen: list[Any] = [limits[i] for i in members]
            whitened = [
                matrices_of(jacobians[i][None], [environments[i]], *self._options[1:])[0] @ each.whitening
                for i, each in zip(members, seen, strict=True)
            ]
            shares, _ = singular_values(whitened, [np.eye(rank)] * len(members), 0, layout)
            shares = np.moveaxis(shares[:, n, l], 0, 1)
            worst[:, members] = shares[..., -1]
            lengths = np.array([np.linalg.norm(each.whitening[:, -1]) for each in seen])
            floors = np.maximum(rounding_floors[:, members], [each.floor for each in seen]) * lengths
            note[:, members] = _notes(shares, ranks[:, members], floors, self._options[0])
        if not is_projection(descriptor):
            note[note == ""] = _NO_PROJECTION
        values = (worst, within, rank_limit, note)
        named = zip(columns.RESOLUTION, values, strict=True)
        return pd.DataFrame({column.name: each.ravel() for column, each in named}).astype({"rank_limit": "Int64"})

    def _limits(
        self, environments: Sequence[Environment], descriptor: DensityDescriptor
    ) -> list[Reference | Exception]:
        # Of truncation and radial basis, only where the functions end matters.
        ends = primitives(descriptor.radial_basis).ends_at_cutoff
        smallest: dict[str, Any] = {"n_max": 1, "radial_basis": "laplacian-eigenstates" if ends else "gto"}
        key = changed(descriptor, **smallest, **({"l_max": 0} if descriptor.correlation_order == 2 else {}))
        new = [each for each in environments if (key, id(each)) not in self._known]
        self._known |= {(key, id(each)): found for each, found in zip(new, self._found(new, key), strict=True)}
        return [self._known[key, id(each)] for each in environments]

    def _found(self, environments: Sequence[Environment], descriptor: Any) -> list[Reference | Exception]:
        within = descriptor.radial_basis.ends_at_cutoff
        try:
            return [*references(environments, descriptor, *self._options, within=within)] if environments else []
        # One environment that is too large must not take the others' rows.
        except Exception as error:
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
