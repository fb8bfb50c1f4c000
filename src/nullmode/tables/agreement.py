"""Check that tables belong together: that the same code, libraries, structures and settings made them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any

from nullmode._support.code_hash import CARRIERS
from nullmode._support.types import JSON, InputError
from nullmode.tables import parquet

# What a task says of the configuration; which points and structures it holds differs from job to job.
_SETTINGS = (
    "family",
    "family_kind",
    "family_parameters",
    "descriptor",
    "kind",
    "scope",
    "centers",
    "feature_tolerance",
    "parameters",
    "references",
    "rtol",
    "tolerance",
)
# Settings of a search or a regression, by the key that names it.
_OWN = {
    "search": ("search_kind", "search_parameters"),
    "regression": ("model", "model_parameters", "target", "training", "test"),
}


def check_agreement(contents: Mapping[Any, JSON]) -> None:
    """Refuse files, given by what each follows from, that different code, libraries, structures or settings made.

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
    """Say what a table merged from others follows from; `own` is the origin of the code that merges them.

    Returns
    -------
    dict
        ``code``, ``versions`` and ``inputs`` of all tables; ``tasks``: their families, descriptors and settings, each
        once, without the truncations, which the rows name.

    Raises
    ------
    InputError
        If the tables do not belong together, or libraries changed since they were made.
    """
    contents = {str(path): parquet.provenance(path) for path in paths}
    check_agreement({**contents, "this run": own})
    shared: dict[str, JSON] = {"code": {}, "versions": {}, "inputs": {}}
    tasks: dict[str, JSON] = {}
    for content in [*contents.values(), own]:
        for key, held in shared.items():
            held.update(content.get(key, {}))
    for every in contents.values():
        for each in _tasks(every):
            task = {key: each[key] for key in _SETTINGS if key in each}
            tasks.setdefault(json.dumps(task, sort_keys=True), task)
    return {**shared, "tasks": list(tasks.values())}


def check_disjoint(contents: Mapping[Any, JSON]) -> None:
    """Refuse tables of which two hold the same rows: a job of an earlier plan left one of them.

    Raises
    ------
    InputError
        Naming two files that overlap.
    """
    seen: dict[tuple[str, ...], list[tuple[Any, float, float]]] = {}
    for path, task in ((path, task) for path, content in contents.items() for task in _tasks(content)):
        first, end = task.get("structures") or (0, None)
        last = inf if end is None else end
        where = [task.get(key, "") for key in ("family", "descriptor")]
        for point in task.get("points", []):
            held = seen.setdefault((*where, json.dumps(point, sort_keys=True)), [])
            for other, start, stop in held:
                if first < stop and start < last:
                    raise InputError(
                        f"The tables must not overlap, got the same rows in {other} and {path}: other jobs compute "
                        "them since. Delete the older file, or read the merged table, tables/sensitivity.parquet."
                    )
            held.append((path, first, last))


def _tasks(content: JSON) -> list[JSON]:
    """Give the settings of each task that a table holds the rows of."""
    tasks: list[JSON] = content.get("tasks", [content])
    return tasks


def _facts(content: JSON) -> Iterator[tuple[str, Any]]:
    """Name what tables have to agree on, the widest first: versions, inputs, settings, code."""
    for library, version in content.get("versions", {}).items():
        if library not in CARRIERS:
            yield library, version
    for name, given in content.get("inputs", {}).items():
        yield from _facts(given)
        yield f"input {name}", given["sha256"]
    for task in _tasks(content):
        for key in ("rtol", "tolerance"):
            if key in task:
                yield f"`{key}`", task[key]
        # Rows of a sweep name their descriptor, so that it may hold several; rows of other tables do not.
        named = "descriptor" in task and ("family" in task or "regression" in task)
        suffix = f" of descriptor {task['descriptor']}" if named else ""
        for key in (
            ("kind", "scope", "centers", "feature_tolerance", "parameters") if named else ("descriptor", "scope")
        ):
            if key in task:
                yield f"`{key}`{suffix}", task[key]
        for what, keys in _OWN.items():
            for key in keys:
                if {what, key} <= task.keys():
                    yield f"`{key}` of {what} {task[what]}", task[key]
    for root, code in content.get("code", {}).items():
        yield f"code {root}", code


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 200 else f"{text[:200]}…"
