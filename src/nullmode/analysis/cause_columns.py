"""The columns of causes as arrays: at once for environments in which nothing is equivalent, one by one for others."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nullmode._support.types import JSON, Integers
from nullmode.attribution.causes import attribution_columns, counted_order
from nullmode.attribution.completeness import too_large
from nullmode.attribution.geometry_ranks import Cases
from nullmode.attribution.tolerances import GROWTH_WITHIN
from nullmode.descriptors._base import Descriptor
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.symmetry.nearby import are_generic
from nullmode.tables.columns import ATTRIBUTION

_CERTAIN = 4.0
"""Times the tolerance: up to this length nothing may be equivalent, for rounding to have no say."""
_MISSING = {"int64": 0, "bool": False, "double": np.nan, "string": np.nan}
_KINDS: dict[str, Any] = {"int64": np.int64, "bool": bool, "double": np.float64, "string": object}


class CauseColumns:
    """Columns of the attribution, arrays (points, environments); missing where an environment was not explained."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._columns = {
            each.name: np.full(shape, _MISSING[str(each.type)], dtype=_KINDS[str(each.type)]) for each in ATTRIBUTION
        }
        self._known = {
            name: np.zeros(shape, dtype=bool) for name, each in self._columns.items() if each.dtype != object
        }

    def fill(
        self,
        descriptors: Sequence[tuple[int, Descriptor]],
        members: Integers,
        part: EnvironmentSet,
        cases: Cases,
        rank: Integers,
        status: Any,
        rtol: float,
        tolerance: float,
    ) -> Iterator[tuple[int, int, int]]:
        """Explain environments with equally many neighbours; give point, index and n_dof of each that is explained."""
        n = len(part.vectors) // len(members)
        generic = are_generic(part, _CERTAIN * tolerance, GROWTH_WITHIN)
        for point, descriptor in descriptors:
            ok = status[point, members] == "ok"
            plain = ok & generic & (rank[point, members] == 3 * n - 3)
            self._set(point, members[plain], _nothing_null(descriptor, n, tolerance))
            for member in members[ok & ~plain].tolist():
                row = attribution_columns(cases[member], int(rank[point, member]), descriptor, rtol, tolerance)
                self._set(point, member, row)
                if "n_dof" in row:
                    yield point, member, row["n_dof"]

    def _set(self, point: int, where: Integers | int, row: JSON) -> None:
        for name, column in self._columns.items():
            value = row.get(name)
            if value is not None:
                column[point, where] = value
                if name in self._known:
                    self._known[name][point, where] = True

    def columns(self) -> dict[str, Any]:
        """Give the columns of the table, the environment varying fastest."""
        result: dict[str, Any] = {name: column.ravel() for name, column in self._columns.items()}
        for name, known in self._known.items():
            if result[name].dtype == bool:
                result[name] = pd.arrays.BooleanArray(result[name], ~known.ravel())
            elif result[name].dtype == np.int64:
                result[name] = pd.arrays.IntegerArray(result[name], ~known.ravel())
        return result


def _nothing_null(descriptor: Descriptor, n: int, tolerance: float) -> JSON:
    """Columns where all displacements of n neighbours are seen and nothing is equivalent: all ranks are equal."""
    order = counted_order(descriptor)
    reason = "" if order is None else too_large(n, order)
    rank = 3 * n - 3
    return {
        **dict.fromkeys((each.name for each in ATTRIBUTION if each.name.startswith("null_")), 0),
        "rank_complete": None if order is None or reason else rank,
        "rank_symmetric": rank,
        "point_group": "C1",
        "ambiguous": False,
        "tolerance": tolerance,
        "diagnostic": reason,
    }
