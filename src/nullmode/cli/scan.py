"""The command nullmode scan."""

from pathlib import Path
from typing import Annotated

import typer

from nullmode._support.types import InputError
from nullmode.cli import options


@options.chooses_descriptor
def scan(
    file: options.File,
    out: Annotated[
        Path, typer.Option(help="Parquet table to write. A table of this name is replaced when the scan is complete.")
    ],
    choice: options.DescriptorChoice,
    centers: options.Centers = None,
    index: options.Index = ":",
    occupancy: options.Occupy = "refuse",
    total: Annotated[
        int | None,
        typer.Option(min=1, help="Number of environments in the file, for the progress bar.", show_default="unknown"),
    ] = None,
    rtol: options.Rtol = 1e-9,
    threads: options.Threads = None,
    progress: options.Progress = True,
    force: options.Force = False,
) -> None:
    """Write the singular values of every centre of a file that is too large for the memory.

    It does what analyze --no-attribution does, in much less time. The table holds one row per centre, with its singular
    values, rank and noise (`spectra` in docs/tables.md). It is the same for any number of threads.

    The file is read only once, so that --species must name all elements that can be neighbours.

    Example:

        nullmode scan methane.xyz --out spectra.parquet --species H --centers C
    """
    from nullmode.analysis.scan import is_spectra
    from nullmode.analysis.scan import scan as scan_all
    from nullmode.geometry.read import read_environments

    if getattr(choice.descriptor, "species", ()) is None:
        raise InputError(
            "`--species` must name all elements that may be neighbours, since the file is read once, got none. "
            "For example: --species H,C,N,O."
        )
    if getattr(choice.descriptor, "n_neighbours_max", ()) is None:
        raise InputError(
            "`--parameter n_neighbours_max` must be the most neighbours of any centre, since the file is read once, "
            "got none. For example: --parameter n_neighbours_max=40."
        )
    options.check_out(out, (".parquet",), is_spectra, file, choice, force)
    chosen_centers = options.centers_of(centers)
    environments = read_environments(file, choice.descriptor.cutoff, chosen_centers, index, occupancy)
    count = scan_all(
        environments,
        choice.descriptor,
        out,
        rtol,
        total=total,
        provenance=options.provenance_of("nullmode.analysis.scan", file, choice, chosen_centers, index, occupancy),
        threads=threads,
        progress=progress,
        force=force,
    )
    typer.echo(f"{count} rows written to {out}")
