"""The command nullmode analyze."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nullmode._support.types import Scope
from nullmode.cli import options


@options.chooses_descriptor
def analyze(
    file: options.File,
    choice: options.DescriptorChoice,
    out: Annotated[
        Path | None, typer.Option(help="Parquet table to write, one row per environment.", show_default="no table")
    ] = None,
    centers: options.Centers = None,
    scope: Annotated[
        Scope,
        typer.Option(
            help="environment: each centre by itself; structure: what linear models see of all centres; "
            "potential: what any potential on them sees."
        ),
    ] = "environment",
    index: options.Index = ":",
    occupancy: options.Occupy = "refuse",
    attribution: Annotated[
        bool, typer.Option(help="Find the cause of each null value; --no-attribution takes less time.")
    ] = True,
    resolution: Annotated[
        bool, typer.Option("--resolution", help="Measure the basis against its own limit, a complete basis.")
    ] = False,
    tolerance: options.Tolerance = 1e-6,
    rtol: options.Rtol = 1e-9,
    threads: options.Threads = None,
    progress: options.Progress = True,
    force: options.Force = False,
) -> None:
    """Count the displacements that the descriptor does not see, around every centre, and say why.

    For each environment, or each whole structure, it computes the singular values of the Jacobian of the features,
    their rank, and the cause of every null value: symmetry, body order, truncation or cutoff. It prints a
    summary; with --out, it also writes a table whose columns docs/tables.md describes.

    Example:

        nullmode analyze methane.xyz --centers C --n-max 8 --l-max 8
    """
    from nullmode.analysis.analyze import analyze as analyze_all
    from nullmode.descriptors._layout import with_layout_of
    from nullmode.tables import columns, parquet

    options.check_out(out, (".parquet",), lambda path: parquet.is_table(path, "analysis"), file, choice, force)
    chosen_centers = options.centers_of(centers)
    atoms, environments = options.read_environments(file, choice, chosen_centers, index, occupancy)
    frame = analyze_all(
        environments if scope == "environment" else atoms,
        choice.descriptor,
        rtol,
        scope=scope,
        centers=None if scope == "environment" else chosen_centers,
        attribution=attribution,
        resolution=resolution,
        tolerance=tolerance,
        threads=threads,
        progress=progress,
    )
    if not attribution:
        frame = frame.assign(**dict.fromkeys((column.name for column in columns.ATTRIBUTION), None))
    if out is not None:
        provenance = options.provenance_of("nullmode.analysis.analyze", file, choice, chosen_centers, index, occupancy)
        provenance["descriptor"] = repr(with_layout_of(choice.descriptor, environments))
        provenance |= {"rtol": rtol, "scope": scope, "attribution": attribution, "resolution": resolution}
        parquet.write(frame, out, "analysis", provenance | ({"tolerance": tolerance} if attribution else {}))
        typer.echo(f"{len(frame)} rows written to {out}")
    _print_summary(frame)


def _print_summary(frame: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    causes = {
        "null_symmetry": "symmetry",
        "null_incompleteness": "body order",
        "null_cutoff": "cutoff",
        "null_truncation": "truncation",
        "null_unresolved": "unresolved",
    }
    whole = frame["center_species"].isna().all()
    table = Table(
        "centre", "structures" if whole else "environments", "n_dof", "rank", "null values", "smallest s_d/s_1"
    )
    frame = frame.fillna(dict.fromkeys(causes, 0) | {"ambiguous": False, "center_species": "all"})
    frame["unsure"] = frame["ambiguous"].astype(bool) | frame["group_grows_at"].notna()
    keys = ["center_species", "n_dof", "rank", *causes, "unsure", "status"]
    for key, ratio in frame.groupby(keys)["inverse_condition_number"]:
        center, n_dof, rank, *null, unsure, status = key
        counts = [f"{count} {cause}" for count, cause in zip(null, causes.values(), strict=True) if count]
        unattributed = str(n_dof - rank) if rank < n_dof else "none" * unsure
        text = (", ".join(counts) or unattributed) + "?" * unsure if status == "ok" else status
        style = "yellow" if rank < n_dof else None
        table.add_row(center, str(len(ratio)), str(n_dof), str(rank), text, f"{ratio.min():.1e}", style=style)
    if frame["unsure"].any():
        nearest = frame["group_grows_at"].min()
        within = f", by up to {nearest:.0e} Å or more" if nearest > 0 else ""
        table.caption = (
            f"?: close to a more symmetric or degenerate environment{within}; the counts depend on --tolerance"
        )
    Console().print(table)
    if "resolution" in frame:
        worst, median = frame["resolution"].min(), frame["resolution"].median()
        typer.echo(f"resolution, the share of what a complete basis sees: smallest {worst:.3g}, median {median:.3g}")
        notes = frame["resolution_note"].replace("", None).dropna()
        if len(notes):
            typer.secho(f"{len(notes)} with a note about the resolution, the first: {notes.iloc[0]}", err=True)
    at_cutoff = int((frame["n_at_cutoff"] > 0).sum())
    if at_cutoff:
        typer.echo(f"{at_cutoff} with atoms at the cutoff, which are left out (column n_at_cutoff)", err=True)
    failed = frame["message"].replace("", None).dropna()
    if len(failed):
        typer.secho(f"{len(failed)} not analysed, the first: {failed.iloc[0]}", err=True, fg="red")
    diagnostics = frame["diagnostic"].replace("", None).dropna()
    if len(diagnostics):
        typer.secho(f"{len(diagnostics)} not explained, the first: {diagnostics.iloc[0]}", err=True, fg="red")
