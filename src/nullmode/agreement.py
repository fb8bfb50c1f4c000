"""Which tables belong together: those that the same code, libraries, structures and settings made."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nullmode import tables
from nullmode.fingerprint import CARRIERS
from nullmode.types import JSON, InputError


def check_agreement(contents: Mapping[Any, JSON]) -> None:
    """Refuse files that different code, libraries, structures or settings made.

    Parameters
    ----------
    contents
        What each file follows from, by its path.

    Raises
    ------
    InputError
        Naming what differs, the two values and a file of each.
    """
    seen: dict[str, tuple[Any, Any]] = {}
    for path, content in contents.items():
        for name, value in _facts(content):
            first, before = seen.setdefault(name, (path, value))
            if before != value:
                raise InputError(
                    f"The tables must be of one origin, got {name} {_short(before)} in {first} and {_short(value)} in "
                    f"{path}. Delete what is out of date and run the workflow again, or read them together with "
                    "nullmode.load(..., mixed=True)."
                )


def merged(paths: Iterable[str | Path], own: JSON) -> JSON:
    """Say what a table made from parts follows from.

    Parameters
    ----------
    paths
        Of the parts.
    own
        Origin of the code that merges them.

    Returns
    -------
    dict
        ``code``, ``versions`` and ``inputs`` of all parts; ``parts``: what else they say, each once and without its
        truncations, which the rows name.

    Raises
    ------
    InputError
        If the parts do not belong together, or were not made by the code that merges them.
    """
    contents = {str(path): tables.provenance(path) for path in paths}
    check_agreement({**contents, "this run": own})
    shared: dict[str, JSON] = {"code": {}, "versions": {}, "inputs": {}}
    parts: dict[str, JSON] = {}
    for content in [*contents.values(), own]:
        for key, held in shared.items():
            held.update(content.get(key, {}))
    apart = {*shared, "table", "schema_version", "points"}
    for content in contents.values():
        part = {key: value for key, value in content.items() if key not in apart}
        parts.setdefault(json.dumps(part, sort_keys=True), part)
    return {**shared, "parts": list(parts.values())}


def _facts(content: JSON) -> Iterator[tuple[str, Any]]:
    """Name what files have to agree on, the widest first: versions, inputs, settings, code."""
    for library, version in content.get("versions", {}).items():
        if library not in CARRIERS:
            yield library, version
    for name, given in content.get("inputs", {}).items():
        yield from _facts(given)
        yield f"input {name}", given["sha256"]
    for part in content.get("parts", [content]):
        for key in ("rtol", "tolerance"):
            if key in part:
                yield f"`{key}`", part[key]
        # A sweep holds several descriptors and names them in its rows; the rows of other tables do not tell them apart.
        if "family" in part and "descriptor" in part:
            for key in ("kind", "scope", "parameters"):
                yield f"`{key}` of descriptor {part['descriptor']}", part[key]
        elif "descriptor" in part:
            for key in ("descriptor", "scope"):
                yield f"`{key}`", part[key]
    for root, code in content.get("code", {}).items():
        yield f"code {root}", code


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 200 else f"{text[:200]}…"
