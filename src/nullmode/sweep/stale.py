"""What a run finds in its folder of results: files that something else made, and files of which it knows nothing.

Snakemake remembers what it ran by the spelling of a path, in the working directory. The files themselves say what made
them, wherever they are; a run compares this with its plan when it starts.
"""

import json
import os.path
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nullmode._support.failure import reason
from nullmode._support.types import JSON, InputError
from nullmode.tables import footer, manifest, parquet, stamp
from nullmode.tables.identity import differences

_CUT_SHORT, _DAMAGED = "cut short", "damaged, or changed by another program"
_NOT_LOOKED_AT = "more, not looked at in detail"
_MOST_LINES = 20
# To open a file takes half a millisecond, and a start must not take minutes.
_MOST_COMPARED = 500


class Opening(NamedTuple):
    """What a run finds in its folder of results.

    Attributes
    ----------
    folder
        The folder, as Snakemake calls it.
    plan
        As :func:`~.contents.contents` gives it.
    stale
        Files to be made again, by name in the folder: see :func:`out_of_date`.
    manifest
        Arguments of :func:`nullmode.tables.manifest.write`.
    message
        For the user; may be empty.
    """

    folder: str
    plan: Mapping[str, JSON]
    stale: Mapping[str, list[str]]
    manifest: JSON
    message: str

    def enforce(self, workflow: Any, *, alone: bool) -> None:
        """Let Snakemake's `workflow` make what is stale again, and list its plan; `alone`: all of its rules are ours.

        Snakemake has ``--forcerun`` for this, of which a Snakefile cannot make use: it is read before the options are
        set. So the graph of jobs, as it is built later, is told the files.

        Raises
        ------
        InputError
            If there is something stale, and Snakemake has changed so that it cannot be told.
        """
        if not hasattr(workflow, "_build_dag"):
            if self.stale:
                paths = shlex.join(str(Path(self.folder) / name) for name in self.stale)
                raise InputError(f"{self.message}\nDelete them and run the workflow again:\nrm {paths}")
            return
        build = workflow._build_dag
        known = (manifest.read(self.folder) or {}).get("files") == self.manifest["files"]
        listed = set() if known else {str(Path(self.folder) / manifest.NAME)}

        def told() -> None:
            workflow.dag.forcefiles |= {str(Path(self.folder) / name) for name in self.stale} | listed
            workflow.dag.targetfiles |= listed
            if alone:
                # What is compared here, more precisely; these would see other times and spellings as changes.
                given = workflow.dag_settings.rerun_triggers
                kept = frozenset(trigger for trigger in given if trigger.name not in ("CODE", "PARAMS"))
                workflow.dag_settings.rerun_triggers = kept
            build()

        workflow._build_dag = told


def open_results(folder: str, plan: Mapping[str, JSON], configuration: list[str]) -> Opening:
    """Compare a folder of results with the plan of a run of a configuration, given by its files.

    Raises
    ------
    InputError
        As :func:`out_of_date` and :func:`check_owner`.
    """
    stale = out_of_date(folder, plan)
    files = {name: planned["identity"] for name, planned in plan.items()}
    check_owner(folder, files, configuration, stale)
    lines = []
    if stale:
        lines.append(f"Results in {folder} that were made from something else are made again:\n{explained(stale)}")
    if unknown := manifest.leftover(folder, files):
        lines.append(
            f"{len(unknown)} files in {folder} belong to no job of this configuration; nullmode.load leaves them out, "
            f"and `nullmode prune {shlex.quote(folder)}` lists them."
        )
    named = [os.path.relpath(name, folder) for name in configuration]
    return Opening(folder, plan, stale, {"files": files, "configuration": named}, "\n".join(lines))


def out_of_date(folder: str | Path, plan: Mapping[str, JSON]) -> dict[str, list[str]]:
    """Find the existing files that other settings, code or inputs made than the plan's.

    Returns
    -------
    dict
        Of each, by name in the folder, what differs; nothing if only files differ that it was made from.

    Raises
    ------
    InputError
        If a file is damaged, or none of nullmode's: it might be a user's, and is not overwritten.
    """
    result: dict[str, list[str]] = {}
    damaged, refused = [], []
    # Texts: Paths would take as long as reading the files.
    for name, content in plan.items():
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            if os.path.isdir(path):
                refused.append(f"`{path}` must be a file, got a folder. Move it elsewhere.")
            continue
        try:
            identity = _identity(path)
            if identity == _CUT_SHORT:
                damaged.append(path)
            elif identity != content["identity"]:
                # What is none of nullmode's is refused there.
                looked_at = len(result) < _MOST_COMPARED or identity is None
                result[name] = _differences(Path(path), identity, content) if looked_at else [_NOT_LOOKED_AT]
        except InputError as error:
            refused.append(str(error))
        except OSError as error:
            refused.append(f"`{path}` must be readable, got {reason(error)}. Change its permissions.")
    if damaged:
        raise InputError(
            "Results of an earlier run are cut short. Delete them and run the workflow again:\n"
            f"rm {shlex.join(damaged)}"
        )
    if refused:
        raise InputError("\n".join(["The workflow does not overwrite files that it did not make:", *refused]))
    return result


def _identity(path: str) -> str | None:
    """Identity of a file, or in what state it is; None if it has none."""
    if path.endswith(".parquet"):
        end = footer.read(path)
        if end is None:
            return _CUT_SHORT
        return _DAMAGED if footer.is_changed(end) else footer.identity_in(end)
    if path.endswith(".json"):
        return _of_layout(Path(path))
    identity = stamp.identity_of(path)
    return identity if identity is None or stamp.is_whole(path) else _DAMAGED


def _of_layout(path: Path) -> str:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        identity = content["provenance"]["identity"] if content["layout"] else None
    except (ValueError, LookupError, TypeError):
        return _DAMAGED
    return identity if isinstance(identity, str) else _DAMAGED


def _differences(path: Path, identity: str | None, planned: JSON) -> list[str]:
    if identity == _DAMAGED:
        return [_DAMAGED]
    if path.suffix == ".rst" and identity is None:
        raise InputError(f"`{path}` must be a caption written by nullmode, got another text. Move it elsewhere.")
    if path.suffix in (".json", ".rst"):
        return []
    told = parquet.provenance(path) if path.suffix == ".parquet" else stamp.read(path)
    if "identity" not in told:
        return ["an earlier version of nullmode"]
    return differences(told, planned)


def explained(stale: Mapping[str, list[str]]) -> str:
    """Say what is out of date, and why: each difference once, with a file that has it."""
    files: dict[str, list[str]] = {}
    for name, texts in stale.items():
        for text in texts:
            files.setdefault(text, []).append(name)
    lines = [f"  {text}: {_named(names)}" for text, names in files.items()]
    hidden = len(lines) - _MOST_LINES
    lines = [*lines[:_MOST_LINES], *([f"  and {hidden} more differences"] if hidden > 0 else [])]
    if others := [name for name, texts in stale.items() if not texts]:
        lines.append(f"  made from what differs: {_named(others)}")
    return "\n".join(lines)


def _named(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} files, such as {names[0]}"


def check_owner(
    folder: str | Path, files: Mapping[str, str], configuration: list[str], stale: Mapping[str, list[str]]
) -> None:
    """Refuse a folder of results of another configuration, of which this run would overwrite or orphan results.

    Another configuration is other files than those that planned what is there, all of which still exist.

    Raises
    ------
    InputError
        Naming the other configuration, and what differs.
    """
    before = manifest.read(folder)
    # Relative to the folder, so that a copy of results and configuration is no other one.
    others = [(Path(folder) / name).resolve() for name in before["configuration"]] if before else []
    if before is None or not others or others == [Path(name).resolve() for name in configuration]:
        return
    lost = [name for name in before["files"] if name not in files and (Path(folder) / name).is_file()]
    if not (lost or stale) or not all(other.is_file() for other in others):
        return
    orphaned = [f"  not in this plan: {_named(lost)}"] if lost else []
    told = "\n".join(filter(None, [explained(stale), *orphaned]))
    raise InputError(
        f"`results` must be a folder of this configuration, got {folder}, which holds results of "
        f"{' '.join(map(str, others))}:\n{told}\n"
        f"Give `results` another folder. If this configuration replaces the other one, delete {folder}/{manifest.NAME}."
    )
