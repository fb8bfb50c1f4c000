"""Descriptors and environments for the figures that compute what no table holds."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode._support.types import InputError
from nullmode._support.variants import constructed, load
from nullmode.descriptors import DESCRIPTORS
from nullmode.geometry.environment import Environment, cut
from nullmode.tables.structures import atoms_of_row

if TYPE_CHECKING:
    import pandas as pd

    from nullmode.descriptors._base import Descriptor


def descriptor_of(rows: "pd.DataFrame", kinds: dict[str, str]) -> "Descriptor":
    """Make the descriptor that rows of one truncation were computed with."""
    name = rows["descriptor"].iloc[0]
    made: Descriptor = constructed(
        load(kinds[name], DESCRIPTORS, "descriptor"), json.loads(rows["parameters"].iloc[0]), name
    )
    return made


def tolerances(rows: "pd.DataFrame", name: str) -> tuple[float, float]:
    """Give rtol and the length at which the table has judged a structure: its null modes are to be as many."""
    row = rows[rows["name"] == name].iloc[0]
    return float(row["rtol"]), float(row["tolerance"])


def environments_of(structures: "pd.DataFrame", cutoff: float, names: list[str] | None) -> dict[str, Environment]:
    """Environment of the first centre of each structure named, or of every one, by its coordinate ``name``.

    Raises
    ------
    InputError
        For a family without that coordinate, and a name that it does not hold.
    """
    if "name" not in structures:
        raise InputError("`family` must have a coordinate `name`, got one without. Use a family such as point_groups.")
    rows: Iterator[Any] = structures.itertuples(index=False)
    known = {str(row.name): row for row in rows}
    unknown = [name for name in names or [] if name not in known]
    if unknown:
        raise InputError(f"`names` must be those of the family, got {unknown[0]!r}. Known: {', '.join(known)}.")
    result = {}
    for name in names or known:
        row = known[name]
        result[name] = cut([atoms_of_row(row)], cutoff, [np.array(row.centers[:1])])[0]
    return result
