"""nullmode find."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nullmode.cli.options import Bar, Center, Chosen, File, centers_of, check_folder, chooses_descriptor


@chooses_descriptor
def find(
    file: File,
    chosen: Chosen,
    out: Annotated[Path | None, typer.Option(help="Extended XYZ file to write the points to.")] = None,
    centers: Center = None,
    index: Annotated[str, typer.Option(help="Which frames, as ASE slices: ':' all, ':100', '-1'.")] = ":",
    fixed_radii: Annotated[bool, typer.Option(help="Keep distances from the centre.")] = False,
    max_displacement: Annotated[float | None, typer.Option(help="Largest displacement of all neighbours, Å.")] = None,
    asymmetry: Annotated[float, typer.Option(help="Least distance from symmetric points, Å; 0 for any.")] = 0.3,
    attempts: Annotated[int, typer.Option(help="How many times to start from each environment.")] = 20,
    progress: Bar = True,
) -> None:
    """Look for singular points near every chosen centre: environments at which the descriptor loses a displacement.

    Example: nullmode find methane.xyz --centers C --n-max 8 --l-max 8 --out points.xyz
    """
    from nullmode.families.file import structures
    from nullmode.geometry.environment import environments
    from nullmode.search.multistart import find_singular_points

    check_folder(out)
    wanted = centers_of(centers)
    points = find_singular_points(
        environments(list(structures(file, wanted, index)), chosen.descriptor.cutoff, wanted),
        chosen.descriptor,
        fixed_radii=fixed_radii,
        max_displacement=max_displacement,
        asymmetry=asymmetry,
        attempts=attempts,
        progress=progress,
    )
    if out is not None:
        _write_points(points, out)
    _print_points(points)


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

    table = Table("starts", "singular", "point group", "rank", "by symmetry", "dimensions", "moved / Å", "s_d/s_1")
    for point in points:
        why, values = point.attribution[0], point.singular_values[0]
        table.add_row(
            ", ".join(map(str, point.starts)),
            "yes" if point.converged else "no",
            point.point_group,
            f"{why.rank} of {why.n_dof}",
            str(why.rank_symmetric),
            str(point.manifold_dimension) if point.converged else "",
            f"{point.distance:.2f}",
            f"{values[-1] / values[0]:.1e}",
            style="yellow" if point.converged else None,
        )
    Console().print(table)
