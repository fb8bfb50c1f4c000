"""Captions of figures: what is claimed, what is drawn, of what, and what was found."""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nullmode._support.files import written
from nullmode._support.types import JSON
from nullmode.tables.columns import WHERE

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_UNITS = {column.name: column.unit for column in WHERE}
# Columns in the order in which a descriptor is described; what else its configuration names comes after them.
_DESCRIBED = ("n_max", "l_max", "cutoff", "cutoff_width", "width", "density", "radial_basis")
_NEEDED = {*_UNITS, "structure", "center"}
_MOST_LISTED = 5


def caption(asked: JSON, tables: "Sequence[pd.DataFrame]", result: str) -> list[str]:
    """Write the paragraphs of a caption: the claim and what is drawn, the setting, the result.

    Parameters
    ----------
    asked
        What the configuration says of the figure; see :func:`nullmode.sweep.report.caption`.
    tables
        That it is drawn from. Of their rows, those of the families, descriptors and ``names`` that it names count, in
        tables that say with which descriptor an environment was computed.
    result
        What was found; may be empty.
    """
    import pandas as pd

    rows = pd.concat([table for table in tables if set(table) >= _NEEDED], ignore_index=True)
    for column, named in (("family", asked["families"]), ("descriptor", asked["descriptors"])):
        rows = rows[rows[column].isin(named)] if named else rows
    if "name" in rows and (names := asked["parameters"].get("names")):
        rows = rows[rows["name"].isin(names)]
    parts = [f"{asked['claim']} {asked['drawn']}".strip(), f"Setting: {_setting(asked, rows)}"]
    return [*parts, f"Result: {result}"] if result else parts


def write(paragraphs: list[str], path: "str | Path") -> None:
    """Write paragraphs of plain text as reStructuredText that shows them as they are."""
    with written(path) as temporary:
        temporary.write_text("\n\n".join(map(_escaped, paragraphs)) + "\n", encoding="utf-8")


def _escaped(text: str) -> str:
    # Marks of emphasis, literals and substitutions; an underscore where it would end the name of a link.
    return re.sub(r"([\\*`|]|_(?!\w)|^[-+.](?= ))", r"\\\1", text)


def _setting(asked: JSON, rows: "pd.DataFrame") -> str:
    parts = [f"search {name} of kind {kind}" for name, kind in asked["searches"].items()]
    groups: Any = rows.groupby(["family", "scope"], sort=False)
    for (family, scope), group in groups:
        count = len(group[["structure", "center"]].drop_duplicates())
        parts.append(f"{count} {scope}{'s' * (count != 1)} of {family}")
    sentences = [", ".join(parts)] if parts else []
    described = {
        str(name): _descriptor(asked["descriptors"].get(name, {}), group)
        for name, group in rows.groupby("descriptor", sort=False)
    }
    everywhere = set.intersection(*map(set, described.values())) if len(described) > 1 else set()
    own = {name: [part for part in parts if part not in everywhere] for name, parts in described.items()}
    if rows["scope"].nunique() > 1:
        for name, group in rows.groupby("descriptor", sort=False):
            own[str(name)].insert(0, f"of {group['scope'].iloc[0]}s")
    sentences += [f"{name}: {', '.join(parts) or 'as all'}" for name, parts in own.items()]
    first = next(iter(described.values()), [])
    sentences += ["all: " + ", ".join(part for part in first if part in everywhere)] if everywhere else []
    others = [f"{name} {_values(value)}" for name, value in asked["parameters"].items() if not isinstance(value, dict)]
    sentences += [", ".join(others)] if others else []
    sentences += [f"values up to {_values(sorted(rows['rtol'].unique()))} of the largest are null"] if len(rows) else []
    return "; ".join(sentences) + "."


def _descriptor(entry: JSON, rows: "pd.DataFrame") -> list[str]:
    """Describe a descriptor: its kind and order, and its parameters with what they are swept over."""
    parameters = [json.loads(text) for text in rows["parameters"].unique()]
    parts = [entry["kind"]] if "kind" in entry else []
    if rows["correlation_order"].notna().all():
        parts.append(f"ν = {int(rows['correlation_order'].iloc[0])}")
    for name in _DESCRIBED:
        values = rows[name].dropna().unique()
        if len(values):
            parts.append(f"{name} {_values(sorted(values))} {_UNITS[name]}".strip())
    for name in entry.get("named", []):
        if name not in _DESCRIBED:
            seen = {json.dumps(given[name]): given[name] for given in parameters if name in given}
            parts.append(f"{name} {_values(list(seen.values()))}")
    return parts


def _values(value: Any) -> str:
    """Write one value, or several: all if there are few, else from where to where."""
    if not isinstance(value, list):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if len(value) > _MOST_LISTED and not isinstance(value[0], str):
        return f"{_values(value[0])} to {_values(value[-1])}"
    return ", ".join(_values(item) for item in value)
