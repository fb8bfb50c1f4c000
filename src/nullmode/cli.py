"""The command line: thin over the API."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nullmode.options import (
    Bar,
    Center,
    CenterWeight,
    Channels,
    Cutoff,
    CutoffWidth,
    File,
    Kind,
    LMax,
    NMax,
    Parameter,
    Rtol,
    Threads,
    Width,
    centers_of,
    check_folder,
    descriptor_of,
    given_options,
)
from nullmode.types import InputError, Scope

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Find the atomic displacements that a machine-learning descriptor cannot see.",
)


@app.command()
def analyze(
    file: File,
    out: Annotated[Path | None, typer.Option(help="Parquet table to write; without it a summary is printed.")] = None,
    descriptor: Kind = "power-spectrum",
    n_max: NMax = None,
    l_max: LMax = None,
    cutoff: Cutoff = None,
    cutoff_width: CutoffWidth = None,
    width: Width = None,
    center_weight: CenterWeight = None,
    species: Channels = None,
    parameter: Parameter = None,
    centers: Center = None,
    scope: Annotated[
        Scope, typer.Option(help="environment: each centre by itself; structure: features summed over all centres.")
    ] = "environment",
    index: Annotated[str, typer.Option(help="Which frames, as ASE slices: ':' all, ':100', '-1'.")] = ":",
    attribution: Annotated[bool, typer.Option(help="Say why values are null; off is faster.")] = True,
    tolerance: Annotated[
        float, typer.Option(help="Length in Å within which neighbours count as in equal places.")
    ] = 1e-6,
    rtol: Rtol = 1e-9,
    threads: Threads = None,
    progress: Bar = True,
) -> None:
    """Analyse every chosen centre, or every structure: singular values, rank, condition number, one row each.

    Example: nullmode analyze methane.xyz --centers C --n-max 8 --l-max 8 --out table.parquet
    """
    from nullmode import tables
    from nullmode._plugins import source_of
    from nullmode.analysis import analyze as analyze_all
    from nullmode.descriptors import DESCRIPTORS
    from nullmode.descriptors._base import with_species_of
    from nullmode.environment import environments
    from nullmode.families.file import structures
    from nullmode.fingerprint import code_hash

    given = given_options(
        species,
        n_max=n_max,
        l_max=l_max,
        cutoff=cutoff,
        cutoff_width=cutoff_width,
        width=width,
        center_weight=center_weight,
    )
    chosen, parameters = descriptor_of(descriptor, given, parameter)
    check_folder(out)
    wanted = centers_of(centers)
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
        frame = frame.assign(**dict.fromkeys((column.name for column in tables.ATTRIBUTION), None))
    if out is not None:
        code = code_hash("nullmode.analysis", source_of(descriptor, DESCRIPTORS))
        source = {"file": str(file), "index": index, "centers": wanted}
        made = {"kind": descriptor, "parameters": parameters, "descriptor": repr(with_species_of(chosen, envs))}
        what = {"code": code, **made, "rtol": rtol, "scope": scope}
        why = {"attribution": attribution} | ({"tolerance": tolerance} if attribution else {})
        tables.write(frame, out, "analysis", source | what | why)
        typer.echo(f"{len(frame)} rows written to {out}")
    _print_summary(frame)


@app.command()
def scan(
    file: File,
    out: Annotated[Path, typer.Option(help="Parquet table to write; an older one is replaced at the end.")],
    descriptor: Kind = "power-spectrum",
    n_max: NMax = None,
    l_max: LMax = None,
    cutoff: Cutoff = None,
    cutoff_width: CutoffWidth = None,
    width: Width = None,
    center_weight: CenterWeight = None,
    species: Annotated[
        str | None, typer.Option(help="Symbols of all elements in the file, comma-separated: it is read once.")
    ] = None,
    parameter: Parameter = None,
    centers: Center = None,
    index: Annotated[str, typer.Option(help="Which frames, as ASE slices: ':' all, ':100', '::10'.")] = ":",
    total: Annotated[int | None, typer.Option(min=1, help="Environments to come, for the progress bar.")] = None,
    rtol: Rtol = 1e-9,
    threads: Threads = None,
    progress: Bar = True,
) -> None:
    """Write singular values, rank and noise of every chosen centre, from a file that need not fit into memory.

    Like analyze --no-attribution, at a fraction of its time: one row per centre in the table `spectra`
    (docs/tables.md). The file does not depend on the number of threads, and appears when it is complete.

    Example: nullmode scan methane.xyz --out spectra.parquet --species H --centers C --n-max 8 --l-max 8
    """
    from nullmode._plugins import source_of
    from nullmode.descriptors import DESCRIPTORS
    from nullmode.fingerprint import code_hash
    from nullmode.reading import read_environments
    from nullmode.scanning import scan as scan_all

    given = given_options(
        species,
        n_max=n_max,
        l_max=l_max,
        cutoff=cutoff,
        cutoff_width=cutoff_width,
        width=width,
        center_weight=center_weight,
    )
    chosen, parameters = descriptor_of(descriptor, given, parameter)
    if getattr(chosen, "species", ()) is None:
        raise InputError(
            "`--species` must name all elements that may be neighbours, since the file is read once, got none. "
            "For example: --species H,C,N,O."
        )
    check_folder(out)
    wanted = centers_of(centers)
    source = {"file": str(file), "index": index, "centers": wanted}
    made = {"kind": descriptor, "parameters": parameters}
    code = {"code": code_hash("nullmode.scanning", source_of(descriptor, DESCRIPTORS))}
    environments = read_environments(file, chosen.cutoff, wanted, index)
    content = source | made | code
    count = scan_all(
        environments, chosen, out, rtol, total=total, provenance=content, threads=threads, progress=progress
    )
    typer.echo(f"{count} rows written to {out}")


@app.command()
def provenance(
    file: Annotated[Path, typer.Argument(help="A Parquet table written by nullmode.")],
) -> None:
    """Print what a table follows from: configuration, code, versions, and the meaning of its columns."""
    import json

    from nullmode import tables

    typer.echo(json.dumps(tables.provenance(file), indent=2, sort_keys=True))
    typer.echo()
    for name, kind, unit, meaning in tables.schema_of(file):
        typer.echo(f"{name:26s} {kind:26s} {unit:5s} {meaning}".rstrip())


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
