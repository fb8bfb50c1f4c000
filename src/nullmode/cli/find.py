"""The command nullmode find."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nullmode._support.files import written
from nullmode.cli import options

_WRITER = "nullmode find"
_SEARCH = "Search"
_LONGEST_LINE = 10_000


@options.chooses_descriptor
def find(
    file: options.File,
    choice: options.DescriptorChoice,
    out: Annotated[
        Path | None, typer.Option(help="Extended XYZ file to write the points to.", show_default="no file")
    ] = None,
    centers: options.Centers = None,
    index: options.Index = ":",
    occupancy: options.Occupy = "refuse",
    fixed_radii: Annotated[
        bool,
        typer.Option("--fixed-radii", help="Keep the neighbours' distances from the centre.", rich_help_panel=_SEARCH),
    ] = False,
    max_displacement: Annotated[
        float | None,
        typer.Option(
            help="Largest displacement from the start, of all neighbours together, Å.",
            show_default="no limit",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    asymmetry: Annotated[
        float,
        typer.Option(
            help="Smallest distance of a point from symmetric environments, Å; 0 allows these too.",
            rich_help_panel=_SEARCH,
        ),
    ] = 0.3,
    attempts: Annotated[
        int, typer.Option(help="Number of attempts from each environment.", rich_help_panel=_SEARCH)
    ] = 20,
    progress: options.Progress = True,
    force: options.Force = False,
) -> None:
    """Look for singular points near the environment of every centre.

    A singular point is an environment at which some displacement does not change the features to first order. Symmetric
    environments have such displacements for a good reason; the search looks for others, which come from a low body
    order or a small truncation. It moves the neighbours until the smallest singular value vanishes.

    Example:

        nullmode find methane.xyz --centers C --n-max 8 --l-max 8 --out points.xyz
    """
    from nullmode.search.multistart import find_singular_points

    options.check_out(out, (".xyz", ".extxyz"), _is_points, file, choice, force)
    starts = options.read_environments(file, choice, options.centers_of(centers), index, occupancy)[1]
    points = find_singular_points(
        starts,
        choice.descriptor,
        fixed_radii=fixed_radii,
        max_displacement=max_displacement,
        asymmetry=asymmetry,
        attempts=attempts,
        progress=progress,
    )
    if out is not None:
        _write_points(points, starts, out)
    _print_points(points)


def _write_points(points: Any, starts: Any, out: Path) -> None:
    import numpy as np
    from ase import Atoms
    from ase.io import write

    images = []
    for point in points:
        # Where there was no search, the start itself, without a mode.
        end = point.environments[0] if point.environments else starts[point.starts[0]]
        mode = point.mode if point.environments else np.zeros((len(end), 3))
        info = {
            "written_by": _WRITER,
            "converged": point.converged,
            "spurious": point.spurious,
            "starts": list(point.starts),
            "status": point.status,
            "message": point.message,
        }
        image = Atoms([end.center_species, *end.species], positions=[[0, 0, 0], *end.vectors], info=info)
        image.set_array("mode", np.concatenate([np.zeros((1, 3)), mode]))
        images.append(image)
    with written(out) as temporary:
        write(temporary, images, format="extxyz")


def _is_points(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        return f'written_by="{_WRITER}"' in "".join(file.readline(_LONGEST_LINE) for _ in range(2))


def _print_points(points: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("starts", "singular", "point group", "rank", "by symmetry", "dimensions", "moved / Å", "s_d/s_1")
    for point in points:
        starts = ", ".join(map(str, point.starts))
        if point.status == "refused":
            table.add_row(starts, "refused", style="red")
            continue
        attribution, values = point.attribution[0], point.singular_values[0]
        table.add_row(
            starts,
            "yes" if point.converged else "no",
            point.point_group,
            f"{attribution.rank} of {attribution.n_dof}",
            str(attribution.rank_symmetric),
            str(point.manifold_dimension) if point.converged else "",
            f"{point.distance:.2f}",
            f"{values[-1] / values[0]:.1e}",
            style="yellow" if point.converged else None,
        )
    Console().print(table)
    for point in points:
        if point.message:
            typer.echo(f"{', '.join(map(str, point.starts))}: {point.message}", err=True)
