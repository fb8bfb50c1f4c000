"""Trace a table or figure: what the file says of its origin, what of that is no longer installed, and its jobs.

A file says what its content follows from, so that the same input gives the same bytes. What differs from run to run
stands in logs and benchmark files; a log is found by the hash of the file, so that a log of another run is never used.
"""

import csv
import re
from pathlib import Path

from nullmode._support.code_hash import CARRIERS, code_hash, digest, installed
from nullmode._support.types import JSON
from nullmode.sweep.joblog import records
from nullmode.tables import parquet, stamp

# Columns of Snakemake's benchmark files, and what they are called here.
_MEASURED = {"s": "seconds", "cpu_time": "cpu_seconds", "max_rss": "memory_mb"}


def trace(file: str | Path) -> JSON:
    """Trace a table or figure to configuration, code and versions, and to the jobs that made it and its inputs.

    Parameters
    ----------
    file
        Parquet, PNG, PDF, SVG or HTML.

    Returns
    -------
    dict
        ``file``, ``sha256``; ``content``: what the file says; ``differs``: code and versions that are not the installed
        ones, each with both; ``jobs``: host, time, commit, log and, where measured, run time and memory of the job that
        made this very file, then of those that made its inputs; empty where no log has its hash.

    Raises
    ------
    InputError
        If the file is missing, damaged or not nullmode's.
    """
    path = Path(file)
    table = path.suffix == ".parquet"
    content = parquet.provenance(path) if table else stamp.read(path)
    return {
        "file": str(file),
        "sha256": digest(path),
        "content": content,
        "differs": differences(content),
        "jobs": _jobs(path),
    }


def differences(content: JSON) -> JSON:
    """Compare the code and versions of a file, and of what it was made from, with what is installed: both, by name."""
    result: JSON = {}
    for root, before in content.get("code", {}).items():
        if before != (now := _code_now(root)):
            result[root] = {"file": before, "installed": now}
    for library, before in content.get("versions", {}).items():
        if library not in CARRIERS and before != (now := installed(library)):
            result[library] = {"file": before, "installed": now}
    for given in content.get("inputs", {}).values():
        result |= differences(given)
    return result


def _code_now(root: str) -> str | None:
    try:
        return code_hash(root)
    except OSError:  # a user's file that is not here
        return None


def _jobs(path: Path) -> list[JSON]:
    """Find the records of the jobs behind a file, its own first, each once."""
    results = next((folder for folder in path.resolve().parents if (folder / "logs").is_dir()), None)
    if results is None:
        return []
    made = records(results / "logs")
    jobs: dict[str, JSON] = {}
    waiting = [digest(path)]
    while waiting:
        record = made.get(waiting.pop(0))
        if record is not None and record["log"] not in jobs:
            measured = _measured(results / "benchmarks" / Path(record["log"]).with_suffix(".tsv"))
            jobs[record["log"]] = record | ({"benchmark": measured} if measured else {})
            waiting.extend(record["inputs"].values())
    return list(jobs.values())


def _measured(path: Path) -> dict[str, float]:
    """Read a benchmark file; it lies where the log does, in a folder of its own."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file, delimiter="\t"), {})
    # A job that ended before its first measurement has no numbers.
    return {ours: float(row[name]) for name, ours in _MEASURED.items() if re.fullmatch(r"[\d.]+", row.get(name, ""))}
