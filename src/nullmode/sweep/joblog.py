"""Logs of jobs: where, when and from which commit each ran; all of this may differ from run to run."""

import json
import os
import platform
import subprocess
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from nullmode._support.code_hash import PACKAGE, check_unchanged, digest
from nullmode._support.types import JSON, InputError

# Of the line that ends the log of a finished job; what follows on that line is JSON.
_MARK = "nullmode job: "


@contextmanager
def job_log(
    path: str, inputs: Iterable[str] = (), outputs: Iterable[str] = (), code: JSON | None = None
) -> Iterator[None]:
    """Send what a job prints to its log, and end the log with where, when and from what its outputs were made.

    An InputError ends the job with its message and no traceback. The log names inputs and outputs with their hashes, by
    which :func:`records` finds it. A job whose `code` is not the origin that it was planned with is refused.
    """
    with (
        Path(path).open("w", encoding="utf-8", buffering=1) as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        record: JSON = {
            "host": platform.node(),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "commit": _commit(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        if "SLURM_JOB_ID" in os.environ:
            record["slurm_job"] = os.environ["SLURM_JOB_ID"]
        print(f"Started on {record['host']} at {record['started']}, commit {record['commit']}.", file=log)
        start = time.perf_counter()
        try:
            if code is not None:
                check_unchanged(code)
            yield
        except InputError as error:
            print(f"nullmode: {error}", file=log)
            raise SystemExit(1) from None
        except BaseException:
            traceback.print_exc(file=log)
            raise
        files = {
            key: {name: digest(name) for name in names} for key, names in (("inputs", inputs), ("outputs", outputs))
        }
        record |= {"seconds": round(time.perf_counter() - start, 3), **files}
        print(_MARK + json.dumps(record, sort_keys=True), file=log)


def records(folder: Path) -> dict[str, JSON]:
    """Read how files were made, from all logs of a folder: by the hash of each output, what its log says."""
    result: dict[str, JSON] = {}
    for log in sorted(folder.rglob("*.log")):
        last = log.read_text(encoding="utf-8", errors="replace").rpartition(_MARK)
        try:
            record = json.loads(last[2]) if last[1] else {"outputs": {}}
        except ValueError:  # the job was killed while it wrote the line
            continue
        result |= {made: {"log": log.relative_to(folder).as_posix(), **record} for made in record["outputs"].values()}
    return result


def _commit() -> str | None:
    """Commit of the checkout that holds this package, with ``-dirty`` where files changed; None where there is none."""
    git = ["git", "-C", str(PACKAGE)]
    # The package may lie in an environment inside another checkout, whose commit says nothing.
    tracked = [*git, "ls-files", "--error-unmatch", "__init__.py"]
    described = [*git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        for command in (tracked, described):
            done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
