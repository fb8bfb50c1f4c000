"""nullmode provenance."""

from pathlib import Path
from typing import Annotated

import typer

from nullmode._support.types import JSON


def provenance(
    file: Annotated[
        Path, typer.Argument(help="A table, figure or view written by nullmode: Parquet, PNG, PDF, SVG, HTML.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, for scripts.")] = False,
) -> None:
    """Say what a table or figure follows from, what made it, and what its columns mean.

    First what stands in the file: configuration with seeds, hashes of the code, versions of the libraries, and the same
    of its inputs. Equal contents give equal files, to the byte.

    Then in what the installed nullmode and libraries differ: if in nothing, they would make the same file again.

    Then the jobs that made this very file and its inputs: host, start, duration, memory, commit. They are read from the
    folders logs and benchmarks above it, where the file is known by its hash.

    Example: nullmode provenance results/figures/truncation.png --json
    """
    import json

    import yaml

    from nullmode.sweep.trace import trace
    from nullmode.tables import parquet

    found = trace(file)
    columns = parquet.schema_of(file) if file.suffix == ".parquet" else []
    if as_json:
        named = [dict(zip(("name", "type", "unit", "meaning"), column, strict=True)) for column in columns]
        typer.echo(json.dumps(found | ({"columns": named} if named else {}), indent=2, sort_keys=True))
        return
    typer.echo(yaml.safe_dump(found["content"], default_flow_style=None, width=120, allow_unicode=True))
    parts = [f"{name} {values['file']} (installed: {values['installed']})" for name, values in found["differs"].items()]
    typer.echo(f"Differs from what is installed: {', '.join(parts) or 'nothing'}.\n")
    _print_jobs(found["jobs"])
    for name, kind, unit, meaning in columns:
        typer.echo(f"{name:26s} {kind:26s} {unit:5s} {meaning}".rstrip())


def _print_jobs(jobs: list[JSON]) -> None:
    """Show the job that made a file, and of those behind it the longest."""
    if not jobs:
        typer.echo("Made by: not known, since no log above it names it. It was moved, or no workflow made it.\n")
        return
    own, *others = jobs
    others.sort(key=lambda job: -job["seconds"])
    shown = [own, *others[:9]]
    total = sum(job["seconds"] for job in jobs)
    typer.echo(f"Made by {len(jobs)} jobs in {total:.1f} s" + (", the last and the longest:" if others else ":"))
    for job in shown:
        memory = f", {job['benchmark']['memory_mb']:.0f} MB" if "memory_mb" in job.get("benchmark", {}) else ""
        when = f"{job['seconds']:.1f} s{memory} on {job['host']}, {job['started']}"
        typer.echo(f"  {job['log']}: {when}, commit {job['commit']}")
    if len(shown) < len(jobs):
        typer.echo(f"  and {len(jobs) - len(shown)} more, listed by --json")
    typer.echo()
