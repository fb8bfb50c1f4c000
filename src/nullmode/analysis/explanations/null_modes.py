"""The modes of named structures: seen ones by falling singular value, then null ones by cause and irrep."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.types import JSON
from nullmode.analysis.explanations._cases import Case, cases_of, rows_of

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
    import pandas as pd

    return pd.DataFrame(
        row
        for descriptor in descriptors
        for case in cases_of(table, structures, kinds, family, descriptor, names)
        for row in rows_of(case, modes_of(case))
    )


def modes_of(case: Case) -> list[JSON]:
    """Decompose one environment: ratio, cause, irrep and displacement of each mode, at the row's tolerances."""
    from nullmode.attribution.null_modes import split_null_modes
    from nullmode.spectrum.decomposition import decompose

    row, environment, descriptor = case
    rtol, tolerance = float(row["rtol"]), float(row["tolerance"])
    result = decompose(descriptor, environment, rtol)
    ratios = result.singular_values[: result.rank] / result.singular_values[:1]
    seen = [
        {"ratio": float(ratio), "cause": "seen", "displacement": np.ravel(mode).tolist()}
        for ratio, mode in zip(ratios, result.modes, strict=False)
    ]
    null = [
        {"cause": part.cause, "irrep": part.irrep, "displacement": np.ravel(mode).tolist()}
        for part in split_null_modes(environment, descriptor, rtol, tolerance)
        for mode in part.modes
    ]
    return [*seen, *null]
