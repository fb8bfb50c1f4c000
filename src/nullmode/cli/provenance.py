"""The command nullmode provenance."""

from pathlib import Path
from typing import Annotated

import typer

from nullmode._support.types import JSON


def provenance(
    file: Annotated[
        Path, typer.Argument(help="Table, figure or view written by nullmode: Parquet, PNG, PDF, SVG or HTML.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document, for scripts.")] = False,
) -> None:
    """Show from what a table, figure or view was made, by which jobs, and what its columns mean.

    First it prints what is stored in the file: the configuration with its seeds, hashes of the code, versions of the
    libraries, and the same for each input. Files for which these are equal are equal to the byte.

    Then it prints what differs in the installed nullmode and libraries. If nothing differs, they would make the same
    file again.

    Then it prints the jobs that made this file and its inputs: host, start, duration, memory, commit. It finds them by
    the hash of the file, in the folders logs and benchmarks of the results folder.

    Example:

        nullmode provenance results/figures/truncation.png
    """
    import json

    import yaml

    from nullmode.sweep.trace import trace
    from nullmode.tables import parquet

    traced = trace(file)
    columns = parquet.schema_of(file) if file.suffix == ".parquet" else []
    if as_json:
        named = [dict(zip(("name", "type", "unit", "meaning"), column, strict=True)) for column in columns]
        typer.echo(json.dumps(traced | ({"columns": named} if named else {}), indent=2, sort_keys=True))
        return
    typer.echo(yaml.safe_dump(traced["content"], default_flow_style=None, width=120, allow_unicode=True))
    differences = [
        f"{name} {values['file']} (installed: {values['installed']})" for name, values in traced["differs"].items()
    ]
    typer.echo(f"Differs from what is installed: {', '.join(differences) or 'nothing'}.\n")
    _print_jobs(traced["jobs"])
    for name, kind, unit, meaning in columns:
        typer.echo(f"{name:26s} {kind:26s} {unit:5s} {meaning}".rstrip())


def _print_jobs(jobs: list[JSON]) -> None:
    """Show the job that made a file, and the nine longest of the jobs that made its inputs."""
    if not jobs:
        typer.echo("Made by: not known, since no log in a folder above names this file.")
        typer.echo("It was moved, or no workflow made it.\n")
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
