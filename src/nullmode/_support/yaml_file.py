"""Reading of YAML files that refuses what YAML reads otherwise than its writer meant: ``no`` as false, a key twice."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from nullmode._support.types import InputError

_TAG = "tag:yaml.org,2002:"
# Plain scalars that YAML 1.1 turns into something else than they look like, by what it makes of them.
_SURPRISES = {
    "bool": re.compile(r"(?i:yes|no|on|off|y|n)"),
    "int": re.compile(r"[-+]?0[0-9_]+|.*[:_].*|[-+]?0[bx].*"),
    "float": re.compile(r".*[:_].*"),
    "timestamp": re.compile(r".*"),
}
_READ_AS = {"bool": "true or false", "int": "another number", "float": "another number", "timestamp": "a date"}


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file; refuse one that says something twice, or something that YAML takes for something else.

    Raises
    ------
    InputError
        Naming the file, the lines and the keys of all such places.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None and (faults := list(_faults(root, ""))):
            raise InputError("\n".join(f"{path}, {fault}" for fault in faults))
        return yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} must be YAML, got: {error}.") from None


def _faults(node: yaml.Node, place: str) -> Iterator[str]:
    line = f"line {node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            inner = f"{place}.{name}".strip(".")
            if name in seen and key.tag != f"{_TAG}merge":
                again = key.start_mark.line + 1
                yield f"line {again}: `{inner}` is given twice, first in line {seen[name]}. Remove one."
            seen[name] = key.start_mark.line + 1
            yield from _faults(key, inner)
            yield from _faults(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _faults(value, f"{place}.{index}")
    elif isinstance(node, yaml.ScalarNode) and node.style is None:
        kind = node.tag.removeprefix(_TAG)
        if kind in _SURPRISES and _SURPRISES[kind].fullmatch(node.value):
            yield (
                f"{line}: `{place}`: YAML reads {node.value} as {_READ_AS[kind]}. Write '{node.value}' in quotes if a "
                "text is meant, else true, false or a plain number."
            )
