"""The command line: thin over the API."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nullmode.types import JSON, InputError, Scope

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Find the atomic displacements that a machine-learning descriptor cannot see.",
)


@app.command()
def analyze(
    file: Annotated[Path, typer.Argument(help="Structures, in any format that ASE reads.")],
    out: Annotated[Path | None, typer.Option(help="Parquet table to write; without it a summary is printed.")] = None,
    descriptor: Annotated[str, typer.Option(help="Its name, or path/to/file.py:class.")] = "power-spectrum",
    n_max: Annotated[int | None, typer.Option(help="Number of radial functions.")] = None,
    l_max: Annotated[int | None, typer.Option(help="Largest angular momentum, inclusive.")] = None,
    cutoff: Annotated[float | None, typer.Option(help="Radius of the environment, Å.")] = None,
    cutoff_width: Annotated[float | None, typer.Option(help="Smoothing range below the cutoff, Å.")] = None,
    width: Annotated[float | None, typer.Option(help="Standard deviation of the Gaussian density, Å.")] = None,
    center_weight: Annotated[float | None, typer.Option(help="Weight of the centre's own Gaussian.")] = None,
    species: Annotated[str | None, typer.Option(help="Symbols of the channels, comma-separated; default: all.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="Any other parameter of the descriptor, as name=value; may be repeated.")
    ] = None,
    centers: Annotated[
        str | None, typer.Option(help="Symbols or indices of the centres, comma-separated; default: all.")
    ] = None,
    scope: Annotated[
        Scope, typer.Option(help="environment: each centre by itself; structure: features summed over all centres.")
    ] = "environment",
    index: Annotated[str, typer.Option(help="Which frames, as ASE slices: ':' all, ':100', '-1'.")] = ":",
    attribution: Annotated[bool, typer.Option(help="Say why values are null; off is faster.")] = True,
    tolerance: Annotated[
        float, typer.Option(help="Length in Å within which neighbours count as in equal places.")
    ] = 1e-6,
    rtol: Annotated[float, typer.Option(help="Singular values up to rtol times the largest count as null.")] = 1e-9,
    threads: Annotated[int | None, typer.Option(min=1, help="Default: all that this process may use.")] = None,
    progress: Annotated[bool, typer.Option(help="Show a progress bar.")] = True,
) -> None:
    """Analyse every chosen centre, or every structure: singular values, rank, condition number, one row each.

    Example: nullmode analyze methane.xyz --centers C --n-max 8 --l-max 8 --out table.parquet
    """
    from nullmode import columns, tables
    from nullmode._plugins import constructed, load, source_of
    from nullmode.analysis import analyze as analyze_all
    from nullmode.descriptors import DESCRIPTORS
    from nullmode.descriptors._base import with_species_of
    from nullmode.environment import environments
    from nullmode.families.file import structures
    from nullmode.fingerprint import digest, origin

    given = {
        "n_max": n_max,
        "l_max": l_max,
        "cutoff": cutoff,
        "cutoff_width": cutoff_width,
        "width": width,
        "center_weight": center_weight,
        "species": None if species is None else tuple(_listed(species)),
    }
    parameters = _parsed(parameter or [], {name: value for name, value in given.items() if value is not None})
    chosen = constructed(load(descriptor, DESCRIPTORS, "descriptor", "--descriptor"), parameters, "descriptor")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"`--out` must lie in an existing folder, got {out}.")
    wanted = None if centers is None else [int(item) if item.isdigit() else item for item in _listed(centers)]
    atoms = list(structures(file, wanted, index))
    envs = environments(atoms, chosen.cutoff, wanted)
    frame = analyze_all(
        atoms if scope == "structure" else envs,
        chosen,
        rtol,
        scope=scope,
        centers=wanted if scope == "structure" else None,
        attribution=attribution,
        tolerance=tolerance,
        threads=threads,
        progress=progress,
    )
    if not attribution:
        frame = frame.assign(**dict.fromkeys((column.name for column in columns.ATTRIBUTION), None))
    if out is not None:
        code = origin("nullmode.analysis", source_of(descriptor, DESCRIPTORS))
        source = {"index": index, "centers": wanted, "inputs": {str(file): {"sha256": digest(file)}}}
        made = {"kind": descriptor, "parameters": parameters, "descriptor": repr(with_species_of(chosen, envs))}
        what = {**code, **made, "rtol": rtol, "scope": scope}
        why = {"attribution": attribution} | ({"tolerance": tolerance} if attribution else {})
        tables.write(frame, out, "analysis", source | what | why)
        typer.echo(f"{len(frame)} rows written to {out}")
    _print_summary(frame)


@app.command()
def find(
    file: Annotated[Path, typer.Argument(help="Structures, in any format that ASE reads.")],
    out: Annotated[Path | None, typer.Option(help="Extended XYZ file to write the points to.")] = None,
    descriptor: Annotated[str, typer.Option(help="Its name, or path/to/file.py:class.")] = "power-spectrum",
    parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of the descriptor, as name=value; may be repeated.")
    ] = None,
    centers: Annotated[
        str | None, typer.Option(help="Symbols or indices of the centres, comma-separated; default: all.")
    ] = None,
    index: Annotated[str, typer.Option(help="Which frames, as ASE slices: ':' all, ':100', '-1'.")] = ":",
    fixed_radii: Annotated[bool, typer.Option(help="Keep distances from the centre.")] = False,
    max_displacement: Annotated[float | None, typer.Option(help="Largest displacement of all neighbours, Å.")] = None,
    asymmetry: Annotated[float, typer.Option(help="Least distance from symmetric points, Å; 0 for any.")] = 0.3,
    attempts: Annotated[int, typer.Option(help="How many times to start from each environment.")] = 20,
    progress: Annotated[bool, typer.Option(help="Show a progress bar.")] = True,
) -> None:
    """Look for singular points near every chosen centre: environments at which the descriptor loses a displacement.

    Example: nullmode find methane.xyz --centers C --parameter n_max=8 --parameter l_max=8 --out points.xyz
    """
    from nullmode._plugins import constructed, load
    from nullmode.descriptors import DESCRIPTORS
    from nullmode.environment import environments
    from nullmode.families.file import structures
    from nullmode.search.multistart import find_singular_points

    if out is not None and not out.parent.is_dir():
        raise InputError(f"`--out` must lie in an existing folder, got {out}.")
    parameters = _parsed(parameter or [], {})
    chosen = constructed(load(descriptor, DESCRIPTORS, "descriptor", "--descriptor"), parameters, "descriptor")
    wanted = None if centers is None else [int(item) if item.isdigit() else item for item in _listed(centers)]
    points = find_singular_points(
        environments(list(structures(file, wanted, index)), chosen.cutoff, wanted),
        chosen,
        fixed_radii=fixed_radii,
        max_displacement=max_displacement,
        asymmetry=asymmetry,
        attempts=attempts,
        progress=progress,
    )
    if out is not None:
        _write_points(points, out)
    _print_points(points)


@app.command()
def provenance(
    file: Annotated[Path, typer.Argument(help="A table (Parquet) or figure (PNG, PDF, SVG) written by nullmode.")],
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

    from nullmode import tables
    from nullmode.provenance import trace

    found = trace(file)
    columns = tables.schema_of(file) if file.suffix == ".parquet" else []
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


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _parsed(pairs: list[str], given: JSON) -> JSON:
    """Add to the given parameters those written as name=value."""
    import yaml

    result = dict(given)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"`--parameter` must have the form name=value, got {pair!r}.")
        if name in result:
            first = f"--{name.replace('_', '-')} {given[name]}" if name in given else "another --parameter"
            raise InputError(f"`--parameter` must not give {name} twice, got {pair!r} beside {first}. Remove one.")
        try:
            result[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"`--parameter` must have a value that YAML reads, got {pair!r}: {reason}.") from None
    return result


def _write_points(points: Any, out: Path) -> None:
    import numpy as np
    from ase import Atoms
    from ase.io import write

    images = []
    for point in points:
        end = point.environments[0]
        info = {"converged": point.converged, "spurious": point.spurious, "starts": list(point.starts)}
        image = Atoms([end.center_species, *end.species], positions=[[0, 0, 0], *end.vectors], info=info)
        image.set_array("mode", np.concatenate([np.zeros((1, 3)), point.mode]))
        images.append(image)
    write(out, images, format="extxyz")


def _print_points(points: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "starts", "singular", "point group", "n_dof", "rank", "by symmetry", "dimensions", "moved / Å", "s_d/s_1"
    )
    for point in points:
        why, values = point.attribution[0], point.singular_values[0]
        table.add_row(
            ", ".join(map(str, point.starts)),
            "yes" if point.converged else "no",
            point.point_group,
            f"{why.rank} of {why.n_dof}",
            str(point.manifold_dimension) if point.converged else "",
            f"{point.distance:.2f}",
            f"{values[-1] / values[0]:.1e}",
            style="yellow" if point.converged else None,
        )
    Console().print(table)


def _print_summary(frame: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    causes = {
        "null_symmetry": "symmetry",
        "null_incompleteness": "body order",
        "null_truncation": "basis",
        "null_unresolved": "body order or basis",
    }
    whole = frame["center_species"].isna().all()
    table = Table(
        "centre", "structures" if whole else "environments", "n_dof", "rank", "null values", "smallest s_d/s_1"
    )
    frame = frame.fillna(dict.fromkeys(causes, 0) | {"ambiguous": False, "center_species": "all"})
    keys = ["center_species", "n_dof", "rank", *causes, "ambiguous", "status"]
    for key, ratio in frame.groupby(keys)["inverse_condition_number"]:
        center, n_dof, rank, *null, ambiguous, status = key
        parts = [f"{count} {cause}" for count, cause in zip(null, causes.values(), strict=True) if count]
        unexplained = str(n_dof - rank) if rank < n_dof else ""
        text = (", ".join(parts) or unexplained) + "?" * bool(ambiguous) if status == "ok" else status
        style = "yellow" if rank < n_dof else None
        table.add_row(center, str(len(ratio)), str(n_dof), str(rank), text, f"{ratio.min():.1e}", style=style)
    if frame["ambiguous"].any():
        table.caption = "? the counts depend on the tolerance: close to a more symmetric or degenerate environment"
    Console().print(table)
    wrong = frame["diagnostic"].replace("", None).dropna()
    if len(wrong):
        typer.secho(f"{len(wrong)} not explained, the first: {wrong.iloc[0]}", err=True, fg="red")


def main() -> None:
    """Run the command line; an error in the input ends it with one clear message."""
    try:
        app()
    except (InputError, OSError) as error:
        typer.secho(f"nullmode: {error}", err=True, fg="red")
        sys.exit(2)
