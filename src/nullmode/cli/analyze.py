"""nullmode analyze."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nullmode._support.types import Scope
from nullmode.cli.options import Bar, Center, Chosen, File, Rtol, Threads, centers_of, check_folder, chooses_descriptor


@chooses_descriptor
def analyze(
    file: File,
    chosen: Chosen,
    out: Annotated[Path | None, typer.Option(help="Parquet table to write; without it a summary is printed.")] = None,
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
    from nullmode._support.code_hash import digest, origin
    from nullmode._support.variants import source_of
    from nullmode.analysis.analyze import analyze as analyze_all
    from nullmode.descriptors import DESCRIPTORS
    from nullmode.descriptors._layout import with_layout_of
    from nullmode.families.file import structures
    from nullmode.geometry.environment import environments
    from nullmode.tables import columns, parquet

    check_folder(out)
    wanted = centers_of(centers)
    atoms = list(structures(file, wanted, index))
    envs = environments(atoms, chosen.descriptor.cutoff, wanted)
    frame = analyze_all(
        atoms if scope == "structure" else envs,
        chosen.descriptor,
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
        code = origin("nullmode.analysis.analyze", source_of(chosen.kind, DESCRIPTORS))
        source = {"index": index, "centers": wanted, "inputs": {str(file): {"sha256": digest(file)}}}
        made = {
            "kind": chosen.kind,
            "parameters": chosen.parameters,
            "descriptor": repr(with_layout_of(chosen.descriptor, envs)),
        }
        what = {**code, **made, "rtol": rtol, "scope": scope}
        why = {"attribution": attribution} | ({"tolerance": tolerance} if attribution else {})
        parquet.write(frame, out, "analysis", source | what | why)
        typer.echo(f"{len(frame)} rows written to {out}")
    _print_summary(frame)


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
