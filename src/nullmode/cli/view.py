"""The command nullmode view."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nullmode._support.types import Scope
from nullmode.cli import options


@options.chooses_descriptor
def view(
    file: options.File,
    choice: options.DescriptorChoice,
    out: Annotated[Path, typer.Option(help="HTML page to write.")],
    centers: options.Centers = None,
    scope: Annotated[
        Scope,
        typer.Option(
            help="environment: each centre with its neighbours; structure: whole structures, as linear models on the "
            "features of all centres see them; potential: as any potential on them sees them."
        ),
    ] = "environment",
    index: options.Index = ":",
    occupancy: options.Occupy = "refuse",
    tolerance: options.Tolerance = 1e-6,
    rtol: options.Rtol = 1e-9,
    progress: options.Progress = True,
    force: options.Force = False,
) -> None:
    """Write an HTML page that shows every centre, or every whole structure, with its null and soft modes as arrows.

    A null mode is a displacement of atoms that does not change the features to first order. The arrows are coloured by
    its cause: symmetry, body order, cutoff, truncation or width. A soft mode changes them little. The page opens in a
    browser, without a network.

    Example:

        nullmode view methane.xyz --centers C --n-max 8 --l-max 8 --out view.html
    """
    from nullmode.views.view import is_view, write_view

    options.check_out(out, (".html", ".htm"), is_view, file, choice, force)
    chosen = options.centers_of(centers)
    atoms = options.read_atoms(file, chosen, index, occupancy)
    shown: Any = {"centers": chosen, "scope": scope, "name": file.name, "progress": progress, "force": force}
    frames = [each.info["frame"] for each in atoms]
    count = write_view(atoms, choice.descriptor, out, rtol, tolerance, frames=frames, **shown)
    what = "environments" if scope == "environment" else "structures"
    typer.echo(f"{count} {what} written to {out}: open it in a browser.")
