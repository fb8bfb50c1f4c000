"""nullmode view."""

from pathlib import Path
from typing import Annotated

import typer

from nullmode.cli.options import Center, Chosen, File, Rtol, centers_of, check_folder, chooses_descriptor


@chooses_descriptor
def view(
    file: File,
    chosen: Chosen,
    out: Annotated[Path, typer.Option(help="HTML page to write.")],
    centers: Center = None,
    index: Annotated[str, typer.Option(help="Which frames, as ASE slices: ':' all, ':100', '-1'.")] = ":",
    tolerance: Annotated[
        float, typer.Option(help="Length in Å within which neighbours count as in equal places.")
    ] = 1e-6,
    rtol: Rtol = 1e-9,
) -> None:
    """Write a page to look at every chosen centre in a browser, with its null modes as arrows; needs no network.

    Example: nullmode view methane.xyz --centers C --n-max 8 --l-max 8 --out view.html
    """
    from nullmode.families.file import structures
    from nullmode.geometry.environment import environments
    from nullmode.views.view import write_view

    check_folder(out)
    wanted = centers_of(centers)
    envs = environments(list(structures(file, wanted, index)), chosen.descriptor.cutoff, wanted)
    write_view(envs, chosen.descriptor, out, rtol, tolerance, name=file.name)
    typer.echo(f"{len(envs)} environments written to {out}: open it in a browser.")
