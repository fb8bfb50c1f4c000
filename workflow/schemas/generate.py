"""Write the JSON schema of the configuration, for editors; the workflow itself checks with nullmode.sweep.settings."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from nullmode._support.variants import load, parameter_model
from nullmode.descriptors import DESCRIPTORS
from nullmode.families import FAMILIES
from nullmode.figures import FIGURES
from nullmode.figures._figure import GIVEN as GIVEN_TO_FIGURES
from nullmode.learning import MODELS
from nullmode.search import GIVEN as GIVEN_TO_SEARCHES
from nullmode.search import SEARCHES
from nullmode.sweep.schema import Settings

TARGET = Path(__file__).with_name("config.schema.yaml")
HEADER = "# Written by `make schema` from the models in nullmode.sweep.settings and each kind's parameters.\n"
TABLES = {
    "FamilyEntry": ("family", FAMILIES),
    "DescriptorEntry": ("descriptor", DESCRIPTORS),
    "SearchEntry": ("search", SEARCHES),
    "RegressionEntry": ("model", MODELS),
    "FigureEntry": ("figure", FIGURES),
}
# Parameters that the workflow fills.
GIVEN = {"search": GIVEN_TO_SEARCHES, "figure": GIVEN_TO_FIGURES}
# What names the kind of an entry, where it is not called so.
KEY = {"RegressionEntry": "model"}


def schema() -> dict[str, Any]:
    """Describe the configuration, with the parameters of each of the package's own kinds."""
    adapters: dict[tuple[str, str], TypeAdapter[Any]] = {("Settings", ""): TypeAdapter(Settings)}
    for entry, (what, table) in TABLES.items():
        for kind in table:
            target = load(kind, table, what)
            function = target.draw if what == "figure" else target
            model = target if what == "descriptor" else parameter_model(function, kind, GIVEN.get(what, ()))
            adapters[entry, kind] = TypeAdapter(model)
    parts, shared = TypeAdapter.json_schemas([(key, "validation", adapter) for key, adapter in adapters.items()])
    definitions = dict(shared["$defs"])
    for (entry, kind), _ in parts:
        if kind:
            parameters = _resolved(parts[(entry, kind), "validation"], definitions)
            parameters.pop("description", None)  # the docstring: too long for an editor's pop-up
            then = {"properties": {"parameters": parameters}}
            rule = {"if": {"properties": {KEY.get(entry, "kind"): {"const": kind}}}, "then": then}
            definitions[entry].setdefault("allOf", []).append(rule)
    for entry, (_, table) in TABLES.items():
        kinds = [{"enum": list(table)}, {"pattern": r"\.py:"}]
        definitions[entry]["properties"][KEY.get(entry, "kind")] |= {"anyOf": kinds}
    top = _resolved(parts[("Settings", ""), "validation"], definitions)
    used = {
        name: definition
        for name, definition in definitions.items()
        if name in {*TABLES, "ViewEntry", "Range", "RadialScaling"}
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **top, "$defs": used}


def _resolved(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    # Models become references; each of these is used once, so it is put in place of its reference.
    name = part.get("$ref", "").rpartition("/")[2]
    return definitions[name] if name else part


def text() -> str:
    """Write the schema out as YAML."""
    return HEADER + yaml.safe_dump(schema(), sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
