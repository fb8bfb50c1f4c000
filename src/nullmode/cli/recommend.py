"""The command nullmode recommend."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nullmode._support.types import InputError
from nullmode.cli import options

_SEARCHED = ("n_max", "l_max", "radial_basis", "correlation_order", "cutoff", "cutoff_width", "width")


@options.chooses_descriptor
def recommend(
    file: options.File,
    choice: options.DescriptorChoice,
    target: Annotated[
        float, typer.Option(help="Resolution to reach: the share of what a complete basis sees, between 0 and 1.")
    ] = 0.5,
    quantile: Annotated[
        float, typer.Option(help="Which of the sample must reach it: 0 for the worst environment, 0.5 for the median.")
    ] = 0.0,
    search: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Values to search, as name=value,value; may be given several times. Names: {', '.join(_SEARCHED)}.",
            show_default="n_max, l_max up to 14, 20; gto and laplacian-eigenstates; orders 1 and 2",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Table of all settings to write: .parquet, .csv or .json.", show_default="no table"),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Figure of features against resolution: .png, .pdf or .svg.", show_default="no figure"),
    ] = None,
    centers: options.Centers = None,
    index: options.Index = ":",
    occupancy: options.Occupy = "refuse",
    seed: Annotated[int, typer.Option(min=0, help="Of the centres on which the result is checked.")] = 0,
    tolerance: options.Tolerance = 1e-6,
    rtol: options.Rtol = 1e-9,
    format: Annotated[  # noqa: A002 - the name of the option
        Literal["text", "json"], typer.Option("--format", help="How to print it: for people or for machines.")
    ] = "text",
    threads: options.Threads = None,
    progress: options.Progress = True,
    force: options.Force = False,
) -> None:
    """Find the cheapest n_max, l_max and radial functions that are large enough for the structures in a file.

    Lengths, weights and species are those of the descriptor; its own n_max and l_max are compared with what is
    searched. On a sample that covers the file, it measures which share of what a complete basis sees each setting
    keeps, and prints the settings that are worth their features, the cheapest that is enough, and lines to paste.

    Example:

        nullmode recommend structures.xyz --cutoff 5 --width 0.5
    """
    import json

    from nullmode.analysis.recommendation.recommend import check_asked
    from nullmode.analysis.recommendation.recommend import recommend as find
    from nullmode.geometry.frames import numbers_of
    from nullmode.geometry.read import read_structures

    asked = _asked(search or [])
    options.check_out(out, (".parquet", *_texts()), _is_own, file, choice, force)
    options.check_out(figure, (".png", ".pdf", ".svg"), _is_figure, file, choice, force, "--figure")
    check_asked(choice.descriptor, target, quantile, seed, **asked)
    chosen = options.centers_of(centers)
    structures = [atoms for part in read_structures(file, chosen, index, occupancy) for atoms in part.atoms]
    result = find(
        structures,
        choice.descriptor,
        target,
        quantile=quantile,
        centers=chosen,
        seed=seed,
        rtol=rtol,
        tolerance=tolerance,
        threads=threads,
        progress=progress,
        **asked,
    ).numbered(numbers_of(file, index, len(structures)))
    provenance = options.provenance_of(
        "nullmode.analysis.recommendation.recommend", file, choice, chosen, index, occupancy
    )
    provenance |= {"target": target, "quantile": quantile, "seed": seed, "search": search or [], "rtol": rtol}
    if out is not None:
        _write(result.table, out, provenance)
        typer.echo(f"{len(result.table)} settings written to {out}", err=format == "json")
    if figure is not None:
        _draw(result, figure, provenance)
        typer.echo(f"figure written to {figure}", err=format == "json")
    typer.echo(json.dumps(result.as_dict(), indent=2) if format == "json" else str(result))


def _asked(pairs: list[str]) -> dict[str, list[Any]]:
    """Read the option ``--search``."""
    import yaml

    from nullmode._support.variants import suggest

    result: dict[str, list[Any]] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not text.strip():
            raise InputError(f"`--search` must have the form name=value,value, got {pair!r}.")
        if name not in _SEARCHED:
            raise InputError(f"`--search` must name what can be searched, got {pair!r}. {suggest(name, [*_SEARCHED])}")
        if name in result:
            raise InputError(f"`--search` must not give {name} twice, got {pair!r} as well. Join the values.")
        try:
            result[name] = [yaml.safe_load(value) for value in text.split(",")]
        except yaml.YAMLError:
            raise InputError(f"`--search` must have values separated by commas, got {pair!r}.") from None
    return result


def _texts() -> tuple[str, ...]:
    from nullmode.tables import text

    return text.ENDINGS


def _is_own(path: Path) -> bool:
    from nullmode.tables import parquet, text

    if path.suffix.lower() in text.ENDINGS:
        return text.is_table(path, ("correlation_order", "radial_basis"))
    return parquet.is_table(path, "recommendation")


def _is_figure(path: Path) -> bool:
    from nullmode.tables import stamp

    return stamp.is_stamped(path)


def _write(table: Any, out: Path, provenance: Any) -> None:
    from nullmode.tables import parquet, text

    if out.suffix.lower() in text.ENDINGS:
        with text.streamed(out) as write:
            write(table)
    else:
        parquet.write(table, out, "recommendation", provenance)


def _draw(result: Any, path: Path, provenance: Any) -> None:
    from nullmode.figures._base import save_as

    save_as(result.plot(), path, provenance, result.finding)
