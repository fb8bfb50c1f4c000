"""Write what the configuration may hold: its JSON schema, for editors, and config/README.md, for readers.

Both follow from the models in nullmode.sweep.schema and the docstrings of variants; ``schema`` as argument leaves the
page out. The workflow itself checks a configuration with nullmode.sweep.settings.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, TypeAdapter

from nullmode._support.axes import Range
from nullmode._support.variants import load, parameter_model
from nullmode.basis.radial import RADIAL_BASES
from nullmode.descriptors import DESCRIPTORS
from nullmode.families import FAMILIES
from nullmode.figures import FIGURES
from nullmode.figures._figure import GIVEN as GIVEN_TO_FIGURES
from nullmode.learning import MODELS
from nullmode.search import GIVEN as GIVEN_TO_SEARCHES
from nullmode.search import SEARCHES
from nullmode.sweep import schema as models

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
PAGE = ROOT / "config" / "README.md"
HEADER = "# Written by `make install` from the models in nullmode.sweep.schema and each kind's parameters.\n"


class Section(NamedTuple):
    """Entries of the configuration that have kinds: their model, the key of the kind, and the table of kinds."""

    entry: type[BaseModel]
    key: str
    table: Mapping[str, str]
    filled: tuple[str, ...] = ()  # parameters that the workflow fills in
    brief: bool = False  # whether other pages explain the kinds

    def targets(self) -> Iterator[tuple[str, Any]]:
        """Give each kind with its function or class."""
        for kind in self.table:
            target = load(kind, self.table, self.key)
            yield kind, getattr(target, "draw", target)  # of a figure, what draws it


SECTIONS = {
    "families": Section(models.FamilyEntry, "kind", FAMILIES),
    "descriptors": Section(models.DescriptorEntry, "kind", DESCRIPTORS, brief=True),
    "searches": Section(models.SearchEntry, "kind", SEARCHES, GIVEN_TO_SEARCHES, brief=True),
    "regressions": Section(models.RegressionEntry, "model", MODELS),
    "figures": Section(models.FigureEntry, "kind", FIGURES, GIVEN_TO_FIGURES),
    "views": Section(models.ViewEntry, "", {}),
}


def schema() -> dict[str, Any]:
    """Describe the configuration, with the parameters of each of the package's own kinds."""
    adapters: dict[tuple[str, str], TypeAdapter[Any]] = {("", ""): TypeAdapter(models.Settings)}
    for name, section in SECTIONS.items():
        for kind, target in section.targets():
            model = target if name == "descriptors" else parameter_model(target, kind, section.filled)
            adapters[name, kind] = TypeAdapter(model)
    parts, shared = TypeAdapter.json_schemas([(key, "validation", adapter) for key, adapter in adapters.items()])
    definitions = dict(shared["$defs"])
    for (name, kind), _ in parts:
        if name:
            parameters = _resolved(parts[(name, kind), "validation"], definitions)
            parameters.pop("description", None)  # the docstring: too long for an editor's pop-up
            then = {"properties": {"parameters": parameters}}
            rule = {"if": {"properties": {SECTIONS[name].key: {"const": kind}}}, "then": then}
            definitions[SECTIONS[name].entry.__name__].setdefault("allOf", []).append(rule)
    for section in SECTIONS.values():
        if section.table:
            kinds = [{"enum": list(section.table)}, {"pattern": r"\.py:"}]
            definitions[section.entry.__name__]["properties"][section.key] |= {"anyOf": kinds}
    top = _resolved(parts[("", ""), "validation"], definitions)
    kept = {"Range", "RadialScaling", *(section.entry.__name__ for section in SECTIONS.values())}
    used = {name: definition for name, definition in definitions.items() if name in kept}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_untitled({**top, "$defs": used})}


def _untitled(node: Any) -> Any:
    # Titles that pydantic makes repeat the names; a parameter that is called title is no text.
    if isinstance(node, dict):
        return {key: _untitled(value) for key, value in node.items() if key != "title" or not isinstance(value, str)}
    return [_untitled(value) for value in node] if isinstance(node, list) else node


def _resolved(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    # Models become references; each of these is used once, so it is put in place of its reference.
    name = part.get("$ref", "").rpartition("/")[2]
    return definitions[name] if name else part


def schema_text() -> str:
    """Write the schema out as YAML."""
    return HEADER + yaml.safe_dump(schema(), sort_keys=False, allow_unicode=True, width=120)


def page_text() -> str:
    """Write config/README.md."""
    lines = [OPENING, _markdown(inspect.getdoc(models.Settings) or ""), _keys(models.Settings)]
    for name, section in SECTIONS.items():
        lines += [f"## `{name}.NAME`", _markdown(inspect.getdoc(section.entry) or ""), _keys(section.entry)]
        lines += _kinds(section.targets(), section.filled, section.brief)
        if name == "descriptors":
            bases = ((kind, load(kind, RADIAL_BASES, "radial basis")) for kind in RADIAL_BASES)
            lines += ["## `radial_basis`", RADIAL_BASIS, *_kinds(bases, ("kind",), brief=True)]
    return "\n\n".join(line for line in lines if line) + "\n"


OPENING = """# Configuration

Made by `make docs` from `src/nullmode/sweep/schema.py` and the docstrings of families, descriptors, radial bases,
searches, models and figures; do not edit."""
RADIAL_BASIS = """The radial functions of a descriptor of the neighbour density: a kind, `radial_basis: legendre`, or a
kind with parameters, `radial_basis: {kind: legendre, transform: inverse}`. It can be swept like any parameter:
`grid: {radial_basis: [gto, dvr]}`. [docs/radial-bases.md](../docs/radial-bases.md) compares them."""


def _kinds(targets: Iterator[tuple[str, Any]], filled: tuple[str, ...], brief: bool) -> Iterator[str]:
    for kind, target in targets:
        introduction, sections = _sections(target)
        if brief:
            introduction = introduction.partition("\n\n")[0]
        coordinates = sections.get("Yields", "").partition("\n")[2]
        yield f"### `{kind}`"
        yield _markdown("\n\n".join(part for part in (introduction, inspect.cleandoc(coordinates)) if part))
        described = _descriptions(target)
        parameters = [p for p in inspect.signature(target).parameters.values() if p.name not in filled]
        texts = [described.get(p.name, "") for p in parameters]
        rows = []
        # Parameters that are described together stand in one row.
        for text, group in groupby(zip(texts, parameters, strict=True), itemgetter(0)):
            together = [p for _, p in group]
            if not text:
                raise ValueError(f"`{kind}` must describe `{together[0].name}` in its docstring.")
            names = ", ".join(f"`{p.name}`" for p in together)
            defaults = [_default(p.default, p.empty) for p in together]
            shown = defaults[0] if len(set(defaults)) == 1 else ", ".join(defaults)
            rows.append(f"| {names} | {shown} | {text} |")
        if rows:
            yield "\n".join(["| parameter | default | meaning |", "|---|---|---|", *rows])


def _keys(model: type[BaseModel]) -> str:
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _default(field.default)
        rows.append(f"| `{name}` | {default} | {_cell(field.description or '')} |")
    return "\n".join(rows)


def _default(value: Any, required: Any = inspect.Parameter.empty) -> str:
    if value is required:
        return "required"
    if value in (None, "") or (not value and isinstance(value, list | tuple | dict)):
        return "none"
    if isinstance(value, Range):
        return f"`{{start: {value.start}, stop: {value.stop}, step: {value.step}}}`"
    value = getattr(value, "kind", value)
    text = str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, str) else repr(value)
    return f"`{text}`".replace("'", '"')


def _sections(target: Any) -> tuple[str, dict[str, str]]:
    # As numpydoc has it: an introduction, then sections whose titles are underlined.
    own = target.__doc__ if isinstance(target, type) else inspect.getdoc(target)
    parts = re.split(r"^(\w+)\n-{3,}\n", inspect.cleandoc(own or ""), flags=re.MULTILINE)
    return parts[0].strip(), dict(zip(parts[1::2], parts[2::2], strict=True))


def _descriptions(target: Any) -> dict[str, str]:
    """Find what docstrings say of each parameter; "As in …" stands for what a base class says."""
    described: dict[str, str] = {}
    for owner in reversed(target.__mro__) if isinstance(target, type) else [target]:
        section = _sections(owner)[1].get("Parameters", "")
        for names, text in re.findall(r"^(\S.*)\n((?:[ ].*\n?|\n)+)", section, flags=re.MULTILINE):
            if not text.strip().startswith("As in :class:"):
                described |= dict.fromkeys(re.findall(r"\w+", names.partition(", shape")[0]), _cell(text))
    return described


def _cell(text: str) -> str:
    return _markdown(" ".join(text.split())).replace("|", r"\|")


def _markdown(text: str) -> str:
    replaced = (
        (r":\w+:`~?([\w.]+)`", r"`\1`"),
        (r"``([^`]+)``", r"`\1`"),
        (r"(?<!\[)docs/([\w-]+\.md)(#[\w-]+)?", r"[docs/\1](../docs/\1\2)"),
    )
    for pattern, replacement in replaced:
        text = re.sub(pattern, replacement, text)
    return text


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    if sys.argv[1:] != ["schema"]:
        PAGE.write_text(page_text(), encoding="utf-8")
