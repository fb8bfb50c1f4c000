"""Rows of the sensitivity table as descriptors and environments, and their modes as rows of the explanations table."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from nullmode._support.elements import symbol
from nullmode._support.types import JSON, InputError
from nullmode._support.variants import constructed, load
from nullmode.descriptors import DESCRIPTORS

if TYPE_CHECKING:
    import pandas as pd

    from nullmode._support.types import Floats
    from nullmode.descriptors._base import Descriptor
    from nullmode.geometry.environment import Environment
    from nullmode.spectrum.decomposition import Sensitivity


class Case(NamedTuple):
    """A row of the sensitivity table, and what it was computed from."""

    row: Any
    environment: "Environment"
    descriptor: "Descriptor"


def descriptor_of(rows: "pd.DataFrame", kinds: dict[str, str]) -> "Descriptor":
    """Make the descriptor that rows of one truncation were computed with."""
    name = rows["descriptor"].iloc[0]
    kind = load(kinds[name], DESCRIPTORS, "descriptor")
    return cast("Descriptor", constructed(kind, json.loads(rows["parameters"].iloc[0]), name))


def cases_of(
    table: "pd.DataFrame",
    structures: "dict[str, pd.DataFrame]",
    kinds: dict[str, str],
    family: str,
    descriptor: str,
    names: Sequence[str] | None,
) -> list[Case]:
    """Cut out the first centre of those structures of a family that have the names, or of all, for one descriptor.

    Centres that were not analysed, for instance without neighbours, are left out.
    """
    known = structures[family]
    if "name" not in known:
        raise InputError("`family` must have a coordinate `name`, got one without. Use a family such as point_groups.")
    by_name = known.assign(name=known["name"].astype(str)).drop_duplicates("name").set_index("name")
    for name in names or []:
        if name not in by_name.index:
            raise InputError(f"`names` must be those of the family, got {name!r}. Known: {', '.join(by_name.index)}.")
    rows = table[(table["family"] == family) & (table["descriptor"] == descriptor)]
    made = descriptor_of(rows, kinds)
    first = rows.assign(name=rows["name"].astype(str)).drop_duplicates("name").set_index("name", drop=False)
    analysed = [name for name in names or by_name.index if name in first.index and first.at[name, "status"] == "ok"]
    return [Case(first.loc[name], environment_of(by_name.loc[name], made.cutoff), made) for name in analysed]


def environment_of(structure: Any, cutoff: float, center: int | None = None) -> "Environment":
    """Cut the environment of one centre, by default the first, out of a row of the structures table."""
    from nullmode.geometry.cut import cut
    from nullmode.tables.structures import atoms_of_row

    chosen = structure.centers[:1] if center is None else [center]
    return cut([atoms_of_row(structure)], cutoff, [np.array(chosen)])[0]


def null_modes_of(
    environment: "Environment", descriptor: "Descriptor", result: "Sensitivity", rtol: float, tolerance: float
) -> "list[tuple[str, str, Floats]]":
    """Give cause, irrep (or an empty text) and displacements (n, 3) of each null mode of a decomposition.

    Where symmetry within the tolerance is not precise enough to tell the modes apart, all are unresolved.
    """
    from nullmode.attribution.null_modes import split_null_modes

    if result.rank == result.n_dof:
        return []
    try:
        groups = split_null_modes(environment, descriptor, rtol, tolerance)
    except InputError:
        return [("unresolved", "", mode) for mode in result.modes[result.rank :]]
    return [(group.cause, group.irrep, mode) for group in groups for mode in group.modes]


def table_of(rows: "Sequence[JSON]") -> "pd.DataFrame":
    """Put rows of :func:`rows_of` in a table, which may be empty."""
    import pandas as pd

    from nullmode.tables.columns import EXPLANATIONS

    return pd.DataFrame(rows, columns=[*(column.name for column in EXPLANATIONS), "name"])


def rows_of(case: Case, modes: Sequence[JSON]) -> Iterator[JSON]:
    """Write modes of one environment as rows of the explanations table; what a mode does not state is null."""
    from nullmode.tables.columns import EXPLANATIONS, WHERE

    row, environment = case.row, case.environment
    shared = {
        **dict.fromkeys(column.name for column in EXPLANATIONS),
        **{name: row[name] for name in (*(column.name for column in WHERE), "structure", "center")},
        "name": row.get("name"),
        "center_species": symbol(environment.center_species),
        "species": environment.species.tolist(),
        "vectors": environment.vectors.ravel().tolist(),
    }
    for index, mode in enumerate(modes):
        yield {**shared, "mode": index, **mode}
