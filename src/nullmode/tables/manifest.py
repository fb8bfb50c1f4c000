"""The files that a run planned, listed in its folder of results; what else lies there, earlier plans left."""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from nullmode._support.files import PLAN_FILE, written
from nullmode._support.types import JSON, InputError
from nullmode.tables import parquet, stamp

NAME = PLAN_FILE
_FOLDERS = (
    "structures",
    "layouts",
    "sensitivity",
    "tables",
    "searches",
    "regressions",
    "explanations",
    "figures",
    "views",
)
_ENDINGS = {".parquet", ".json", ".pdf", ".svg", ".png", ".rst", ".html"}
# Beside each result, under the same name.
_OF_JOBS = (("logs", ".log"), ("benchmarks", ".tsv"))


def write(path: str | Path, files: Mapping[str, str], configuration: list[str]) -> None:
    """Write the names of the planned files, relative to the folder, with their identities, and who planned them."""
    with written(path) as temporary:
        content = {"configuration": configuration, "files": files}
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")


def read(folder: str | Path) -> JSON | None:
    """Read the list of a folder of results; None where there is none.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = Path(folder) / NAME
    if not path.is_file():
        return None
    try:
        content: JSON = json.loads(path.read_text(encoding="utf-8"))
        _ = content["files"].items(), content["configuration"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"{path} must list the files that the workflow planned, and is damaged. Delete it, and run the workflow."
        ) from None
    return content


def identities(where: Path) -> dict[Path, str] | None:
    """Find what the plan of a folder of results, or of one that `where` is a part of, knows: files and identities."""
    inside = [
        parent for parent in where.absolute().parents[:2] if where.absolute().relative_to(parent).parts[0] in _FOLDERS
    ]
    for folder in (where, *inside):
        if (content := read(folder)) is not None:
            return {(folder / name).resolve(): identity for name, identity in content["files"].items()}
    return None


def leftover(folder: str | Path, files: Collection[str]) -> list[Path]:
    """Find the results, logs and benchmark files in a folder of results that belong to none of the planned `files`."""
    planned = {os.path.splitext(name)[0] for name in files} | {os.path.dirname(name) for name in files}
    found: list[str] = []

    # Texts, not Paths: there may be ten thousands of files.
    def look(root: str, endings: Collection[str], known: Collection[str], *, whole: bool) -> None:
        for top in _FOLDERS:
            for place, _, names in os.walk(os.path.join(root, top)):
                start = os.path.relpath(place, root)
                for name in names:
                    stem, ending = os.path.splitext(name)
                    if ending in endings and f"{start}/{name if whole else stem}" not in known and name[0] != ".":
                        found.append(os.path.join(place, name))

    look(str(folder), _ENDINGS, set(files), whole=True)
    for top, ending in _OF_JOBS:
        look(os.path.join(folder, top), {ending}, planned, whole=False)
    claims = [os.path.join(folder, name) for name in ("claims.parquet", "claims.html") if name not in files]
    return sorted(Path(path) for path in [*found, *filter(os.path.isfile, claims)])


def is_own(path: Path) -> bool:
    """Whether nullmode wrote a file: it says so, or it is a log, a measurement or a layout beside the results."""
    if path.suffix in {ending for _, ending in _OF_JOBS} or path.parts[-3:-2] == ("layouts",):
        return True
    try:
        if path.suffix == ".parquet":
            parquet.provenance(path)
            return True
        return path.suffix != ".json" and stamp.identity_of(path) is not None
    except InputError:
        return False


def remove_empty_folders(folder: str | Path) -> None:
    """Remove the folders of results that hold nothing any more."""
    tops = [Path(folder) / name for name in (*_FOLDERS, *(top for top, _ in _OF_JOBS))]
    for path in sorted((path for top in tops for path in [top, *top.rglob("*")]), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
