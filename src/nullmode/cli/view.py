"""The command nullmode view."""

from pathlib import Path
from typing import Annotated

import typer

from nullmode.cli import options


@options.chooses_descriptor
def view(
    file: options.File,
    choice: options.DescriptorChoice,
    out: Annotated[Path, typer.Option(help="HTML page to write.")],
    centers: options.Centers = None,
    index: options.Index = ":",
    occupancy: options.Occupy = "refuse",
    tolerance: options.Tolerance = 1e-6,
    rtol: options.Rtol = 1e-9,
    progress: options.Progress = True,
    force: options.Force = False,
) -> None:
    """Write an HTML page that shows every centre with its null modes as arrows.

    A null mode is a displacement of the neighbours that does not change the features to first order. The arrows are
    coloured by its cause: symmetry, body order, cutoff, truncation or width. The page opens in a browser, without a
    network.

    Example:

        nullmode view methane.xyz --centers C --n-max 8 --l-max 8 --out view.html
    """
    from nullmode.views.view import is_view, write_view

    options.check_out(out, (".html", ".htm"), is_view, file, choice, force)
    environments = options.read_environments(file, choice, options.centers_of(centers), index, occupancy)[1]
    write_view(environments, choice.descriptor, out, rtol, tolerance, name=file.name, progress=progress, force=force)
    typer.echo(f"{len(environments)} environments written to {out}: open it in a browser.")
