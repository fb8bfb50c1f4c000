"""The identity of a result: a hash of what it follows from, which the plan of a run and the file itself both know.

Identities are chained: that of a table holds those of the tables that it is made from. So a file whose identity is the
planned one is the file that a run would make now, wherever it lies, whatever its time, and whoever made it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nullmode._support.types import JSON

_DIGITS = 32


def identified(content: JSON) -> JSON:
    """Add to what a file follows from its ``identity``, unless it has one.

    Of each of its ``inputs``, by name, the ``identity`` counts, or the ``sha256`` where no job of nullmode made it.
    """
    if "identity" in content:
        return content
    inputs = {name: given.get("identity") or given["sha256"] for name, given in content.get("inputs", {}).items()}
    text = json.dumps({**content, "inputs": inputs}, sort_keys=True)
    return {**content, "identity": hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}


def differences(before: JSON, now: JSON) -> list[str]:
    """Say for a reader in what two files differ by themselves, not by results that they are made from.

    Both are as tables keep them. Nothing is said of what `now` does not have.
    """
    tasks = _of_tasks(before.get("tasks", []), now["tasks"]) if "tasks" in now else []
    left_out = {"tasks", "inputs", "identity"}
    told = _flat({key: value for key, value in before.items() if key not in left_out})
    asked = _flat({key: value for key, value in now.items() if key not in left_out})
    # Of a merged table, `before` holds the code of its parts too; an absent setting may be one that was taken out.
    gone = [name for name in told if name not in asked and not name.startswith(("code ", "versions "))]
    gone = [name for name in gone if name.partition(" ")[0] in now]
    values = [
        f"{name} {_short(told.get(name))} → {_short(asked.get(name))}"
        for name in [*asked, *gone]
        if told.get(name) != asked.get(name)
    ]
    given = before.get("inputs", {})
    files = [name for name, each in now.get("inputs", {}).items() if "sha256" in each]
    changed = [
        f"content of {name}" for name in files if given.get(name, {}).get("sha256") != now["inputs"][name]["sha256"]
    ]
    return [*tasks, *values, *changed]


def _of_tasks(before: list[JSON], now: list[JSON]) -> list[str]:
    """Compare tasks: settings of each family and descriptor, and values of the points at which they are computed."""
    told, asked = _grouped(before), _grouped(now)
    lines: dict[str, None] = {}
    for name in [*asked, *told]:
        if name not in told or name not in asked:
            lines[f"{name} {'is new' if name in asked else 'is not computed any more'}"] = None
            continue
        old, new = told[name], asked[name]
        settings = [
            f"{key} {_short(old[0].get(key))} → {_short(value)}"
            for key, value in new[0].items()
            if old[0].get(key) != value
        ]
        for text in settings:
            lines[text if text.startswith(("rtol ", "tolerance ")) else f"{name}: {text}"] = None
        for text in _of_points(old[1], new[1]):
            lines[f"{name}: {text}"] = None
    return list(lines)


def _grouped(tasks: list[JSON]) -> dict[str, tuple[JSON, list[JSON]]]:
    """Gather the settings of each family and descriptor, flat, and the points of its tasks."""
    result: dict[str, tuple[JSON, list[JSON]]] = {}
    for task in tasks:
        own = {key: value for key, value in task.items() if key not in ("points", "family", "descriptor")}
        name = " on ".join(str(task[key]) for key in ("regression", "descriptor", "family") if key in task)
        _, points = result.setdefault(name, (_flat(own), []))
        points.extend(task.get("points", []))
    return result


def _of_points(before: list[JSON], now: list[JSON]) -> list[str]:
    old, new = ({json.dumps(point, sort_keys=True) for point in points} for points in (before, now))
    if old == new:
        return [] if before == now else ["order of points"]
    lines = []
    for axis in dict.fromkeys(key for point in [*now, *before] for key in point):
        told, asked = ({json.dumps(point.get(axis)) for point in points} for points in (before, now))
        for values, what in ((asked - told, "added"), (told - asked, "left out")):
            if values:
                lines.append(f"{axis} {', '.join(sorted(values)[:_MOST])}{', …' * (len(values) > _MOST)} {what}")
    return lines or [f"{len(before)} → {len(now)} points"]


_MOST = 5


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Write nested mappings as one, with the names joined."""
    if not isinstance(value, Mapping) or not value:
        return {name: value}
    return {
        key: each for inner, given in value.items() for key, each in _flat(given, f"{name} {inner}".strip()).items()
    }


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
