"""The modes of named structures: seen ones by falling singular value, then null ones by cause and irrep."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import JSON
from nullmode.analysis.explanations._cases import Case, cases_of, null_modes_of, rows_of, table_of

if TYPE_CHECKING:
    import pandas as pd


def explain(
    table: "pd.DataFrame",
    structures: "dict[str, pd.DataFrame]",
    kinds: dict[str, str],
    family: str,
    descriptors: list[str],
    names: list[str] | None,
) -> "pd.DataFrame":
    """Explain all modes of the structures that have the names, or of all structures of a family."""
    return table_of(
        [
            row
            for descriptor in descriptors
            for case in cases_of(table, structures, kinds, family, descriptor, names)
            for row in rows_of(case, modes_of(case))
        ]
    )


def modes_of(case: Case) -> list[JSON]:
    """Decompose one environment: ratio, cause, irrep and displacement of each mode, at the row's tolerances."""
    from nullmode.spectrum.decomposition import decompose

    row, environment, descriptor = case
    rtol, tolerance = float(row["rtol"]), float(row["tolerance"])
    result = decompose(descriptor, environment, rtol, tolerance)
    ratios = result.singular_values[: result.rank] / result.singular_values[:1]
    seen = [
        {"ratio": float(ratio), "cause": "seen", "displacement": np.ravel(mode).tolist()}
        for ratio, mode in zip(ratios, result.modes, strict=False)
    ]
    null = [
        {"cause": cause, "irrep": irrep or None, "displacement": np.ravel(mode).tolist()}
        for cause, irrep, mode in null_modes_of(environment, descriptor, result, rtol, tolerance)
    ]
    return [*seen, *null]
