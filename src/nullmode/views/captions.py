"""Captions of figures: what is claimed, what is drawn, from which environments, and what was found."""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nullmode._support.files import written
from nullmode._support.types import JSON
from nullmode.tables import stamp
from nullmode.tables.columns import WHERE

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_UNITS = {column.name: column.unit for column in WHERE}
# The order in which a caption names these columns; other parameters that the configuration gives follow.
_COLUMNS = ("n_max", "l_max", "cutoff", "cutoff_width", "width", "density", "radial_basis")
_NEEDED = {*_UNITS, "structure", "center"}
# Of more values than this, only the first and the last are written.
_MOST_LISTED = 5


def caption(entry: JSON, tables: "Sequence[pd.DataFrame]", result: str) -> list[str]:
    """Write the paragraphs of a caption: claim and drawing, setting, result (which may be empty).

    Parameters
    ----------
    entry
        What the configuration says about the figure; see :func:`nullmode.sweep.report.caption`.
    tables
        The tables that the figure is drawn from. Tables without columns for the descriptor are left out; of the others,
        rows of the families, descriptors and ``names`` that `entry` names are described.
    """
    import pandas as pd

    rows = pd.concat([table for table in tables if set(table) >= _NEEDED], ignore_index=True)
    for column, names in (("family", entry["families"]), ("descriptor", entry["descriptors"])):
        rows = rows[rows[column].isin(names)] if names else rows
    if "name" in rows and (names := entry["parameters"].get("names")):
        rows = rows[rows["name"].isin(names)]
    paragraphs = [f"{entry['claim']} {entry['drawn']}".strip(), f"Setting: {_setting(entry, rows)}"]
    return [*paragraphs, f"Result: {result}"] if result else paragraphs


def write(paragraphs: list[str], path: "str | Path", identity: str = "") -> None:
    """Write paragraphs of plain text as reStructuredText that shows them unchanged; the identity is a comment there."""
    comment = [stamp.of_caption(identity)] if identity else []
    with written(path) as temporary:
        temporary.write_text("\n\n".join([*map(_escaped, paragraphs), *comment]) + "\n", encoding="utf-8")


def _escaped(text: str) -> str:
    # Marks of emphasis, literals and substitutions; an underscore where it would end the name of a link.
    return re.sub(r"([\\*`|]|_(?!\w)|^[-+.](?= ))", r"\\\1", text)


def _setting(entry: JSON, rows: "pd.DataFrame") -> str:
    """Name the searches, environments, descriptors, parameters of the figure and rtol, in this order."""
    import numpy as np

    sources = [f"search {name} of kind {kind}" for name, kind in entry["searches"].items()]
    groups: Any = rows.groupby(["family", "scope"], sort=False)
    for (family, scope), group in groups:
        count = len(group[["structure", "center"]].drop_duplicates())
        # Of an environment without neighbours, or a skipped structure, there is nothing to draw.
        # Rows of a table without values, as that of the steps of a search, have NaN for them, of size 1.
        empty = group["singular_values"].map(np.size) == 0 if "singular_values" in group else group["center"].isna()
        missing = len(group[empty][["structure", "center"]].drop_duplicates())
        without = f" ({missing} of them without values)" if missing else ""
        what, how = ("structure", " under any potential") if scope == "potential" else (scope, "")
        sources.append(f"{count} {what}{'s' * (count != 1)} of {family}{how}{without}")
    others = [f"{name} {_values(value)}" for name, value in entry["parameters"].items() if not isinstance(value, dict)]
    clauses = [", ".join(sources), *_descriptors(entry, rows), ", ".join(others)]
    if len(rows):
        clauses.append(f"singular values up to {_values(sorted(rows['rtol'].unique()))} of the largest count as null")
    return "; ".join(filter(None, clauses)) + "."


def _descriptors(entry: JSON, rows: "pd.DataFrame") -> list[str]:
    """Describe each descriptor; what several have in common is said once, at the end."""
    groups = [(str(name), group) for name, group in rows.groupby("descriptor", sort=False)]
    described = {name: _descriptor(entry["descriptors"].get(name, {}), group) for name, group in groups}
    shared = set.intersection(*map(set, described.values())) if len(described) > 1 else set()
    clauses = []
    for name, group in groups:
        own = [text for text in described[name] if text not in shared]
        if rows["scope"].nunique() > 1:
            scope = group["scope"].iloc[0]
            own.insert(0, "of any potential" if scope == "potential" else f"of {scope}s")
        clauses.append(f"{name}: {', '.join(own)}" if own else name)
    if shared:
        clauses.append("all descriptors: " + ", ".join(text for text in described[groups[0][0]] if text in shared))
    return clauses


def _descriptor(entry: JSON, rows: "pd.DataFrame") -> list[str]:
    """Describe a descriptor: its kind, its order and its parameters, each with the values in these rows."""
    texts = [entry["kind"]] if "kind" in entry else []
    if "centers" in entry:
        texts.append(f"centres {_values(entry['centers'])} alone")
    if rows["correlation_order"].notna().all():
        texts.append(f"ν = {int(rows['correlation_order'].iloc[0])}")
    for name in _COLUMNS:
        values = rows[name].dropna().unique()
        if len(values):
            texts.append(f"{name} {_values(sorted(values))} {_UNITS[name]}".strip())
    parameters = [json.loads(text) for text in rows["parameters"].unique()]
    for name in entry.get("named", []):
        if name not in _COLUMNS:
            distinct = {json.dumps(given[name]): given[name] for given in parameters if name in given}
            texts.append(f"{name} {_values(list(distinct.values()))}")
    return texts


def _values(value: Any) -> str:
    """Write one value, or a list: all of its values if there are few, else the first and the last."""
    if not isinstance(value, list):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if len(value) > _MOST_LISTED and not isinstance(value[0], str):
        return f"{_values(value[0])} to {_values(value[-1])}"
    return ", ".join(map(_values, value))
