"""nullmode scan."""

from pathlib import Path
from typing import Annotated

import typer

from nullmode._support.types import InputError
from nullmode.cli.options import Bar, Center, Chosen, File, Rtol, Threads, centers_of, check_folder, chooses_descriptor


@chooses_descriptor
def scan(
    file: File,
    out: Annotated[Path, typer.Option(help="Parquet table to write; an older one is replaced at the end.")],
    chosen: Chosen,
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
    from nullmode._support.code_hash import digest, origin
    from nullmode._support.variants import source_of
    from nullmode.analysis.scan import scan as scan_all
    from nullmode.descriptors import DESCRIPTORS
    from nullmode.geometry.read import read_environments

    if getattr(chosen.descriptor, "species", ()) is None:
        raise InputError(
            "`--species` must name all elements that may be neighbours, since the file is read once, got none. "
            "For example: --species H,C,N,O."
        )
    check_folder(out)
    wanted = centers_of(centers)
    environments = read_environments(file, chosen.descriptor.cutoff, wanted, index)
    source = {"index": index, "centers": wanted, "inputs": {str(file): {"sha256": digest(file)}}}
    made = {
        "kind": chosen.kind,
        "parameters": chosen.parameters,
        **origin("nullmode.analysis.scan", source_of(chosen.kind, DESCRIPTORS)),
    }
    content = source | made
    count = scan_all(
        environments, chosen.descriptor, out, rtol, total=total, provenance=content, threads=threads, progress=progress
    )
    typer.echo(f"{count} rows written to {out}")
