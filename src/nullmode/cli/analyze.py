"""The command nullmode analyze."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nullmode._support.types import Scope
from nullmode.cli import options


@options.chooses_descriptor
def analyze(
    context: typer.Context,
    file: options.File,
    choice: options.DescriptorChoice,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Table to write, one row per environment: .parquet with all that it was made from, .csv or .json.",
            show_default="no table",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="HTML page to write: the verdict, distributions, the worst centres in 3D; needs no network.",
            show_default="no page",
        ),
    ] = None,
    centers: options.Centers = None,
    scope: Annotated[
        Scope,
        typer.Option(
            help="environment: each centre by itself, and a sample of whole structures; structure: what linear models "
            "see of all centres; potential: what any potential on them sees."
        ),
    ] = "environment",
    index: options.Index = ":",
    occupancy: options.Occupy = "refuse",
    attribution: Annotated[
        bool, typer.Option(help="Find the cause of each null value; --no-attribution takes less time.")
    ] = True,
    resolution: Annotated[
        bool,
        typer.Option("--resolution", help="Measure the basis against a complete one for all centres, not a few."),
    ] = False,
    closer: Annotated[
        bool,
        typer.Option(
            help="Look closely at a sample of the structures: resolution, causes of soft values, whole structures."
        ),
    ] = True,
    soft: Annotated[
        float, typer.Option(help="Values that are seen, and below this share of the largest, are soft.")
    ] = 1e-2,
    tolerance: options.Tolerance = 1e-6,
    rtol: options.Rtol = 1e-9,
    format: Annotated[  # noqa: A002 - the name of the option
        Literal["text", "json"], typer.Option("--format", help="How to print the verdict: for people or for machines.")
    ] = "text",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 if any environment could not be analysed.")
    ] = False,
    threads: options.Threads = None,
    progress: options.Progress = True,
    force: options.Force = False,
) -> None:
    """Say what the descriptor does not see of the structures in a file, why, where, and what to do.

    For each environment, or each whole structure, it computes the singular values of the Jacobian of the features,
    their rank, and the cause of every null value: symmetry, body order, cutoff, truncation or width. It prints a
    verdict of at most 40 lines; with --out, it also writes a table whose columns docs/tables.md describes, and with
    --report a page for a browser.

    Example:

        nullmode analyze methane.xyz --centers C --n-max 8 --l-max 8
    """
    import json

    from nullmode.analysis.stream import analyze_file
    from nullmode.analysis.verdict.judge import Looks, check_soft, conclude, look_closely, sampled
    from nullmode.analysis.verdict.tally import Tally
    from nullmode.geometry.frames import numbers_of
    from nullmode.tables import columns, parquet, text

    options.check_out(out, (".parquet", *text.ENDINGS), _is_own, file, choice, force)
    if report is not None:
        _check_report(report, file, choice, force)
    chosen_centers = options.centers_of(centers)
    tally = Tally(check_soft(soft, rtol))
    fixed: list[Any] = []

    def provenance(module: str) -> dict[str, Any]:
        kept = options.provenance_of(module, file, choice, chosen_centers, index, occupancy)
        kept |= {"rtol": rtol, "scope": scope, "attribution": attribution, "resolution": resolution}
        return kept | ({"tolerance": tolerance} if attribution else {})

    @contextmanager
    def opened(descriptor: Any) -> Iterator[Any]:
        tally.clear()
        fixed[:] = [descriptor]
        with ExitStack() as stack:
            write = None
            if out is not None and out.suffix.lower() != ".parquet":
                write = stack.enter_context(text.streamed(out))
            elif out is not None:
                kept = provenance("nullmode.analysis.stream") | {"descriptor": repr(descriptor)}
                write = stack.enter_context(parquet.streamed_frames(out, "analysis", kept))

            def consume(frame: Any) -> None:
                if not attribution:
                    frame = frame.assign(**dict.fromkeys((column.name for column in columns.ATTRIBUTION), None))
                tally.add(frame)
                if write is not None:
                    write(frame)

            yield consume

    known: dict[str, Any] = {"tolerance": tolerance, "threads": threads, "progress": progress}
    analyze_file(
        file,
        choice.descriptor,
        opened,
        rtol,
        scope=scope,
        centers=chosen_centers,
        index=index,
        occupancy=occupancy,
        attribution=attribution,
        resolution=resolution,
        **known,
    )
    numbers = numbers_of(file, index, tally.n_structures)
    if scope != "environment":
        looks = Looks.of_whole(tally, scope)
    elif closer:
        sample = [(k, options.frame_of(file, numbers[k], occupancy)) for k in sampled(tally)]
        looks = look_closely(tally, sample, fixed[0], rtol, centers=chosen_centers, **known)
    else:
        looks = Looks.none(tally)
    result = conclude(tally, looks, numbers, choice.descriptor)
    if out is not None:
        typer.echo(f"{sum(tally.statuses.values())} rows written to {out}", err=format == "json")
    typer.echo(json.dumps(result.as_dict(), indent=2) if format == "json" else str(result))
    if report is not None:
        from nullmode.cli.recommend import recommend
        from nullmode.views import verdict_page

        made_from = provenance(verdict_page.__name__) | {"soft": soft, "closer": closer, "tolerance": tolerance}
        verdict_page.write_verdict(
            result,
            {k: options.frame_of(file, k, occupancy) for k in {int(number) for number in result.worst["frame"]}},
            fixed[0],
            report,
            rtol,
            scope=scope,
            centers=chosen_centers,
            tolerance=tolerance,
            name=file.name,
            ran={
                "command": options.command_line(context, analyze),
                "file": f"{file}, SHA-256 {made_from['inputs'][str(file)]['sha256']}",
                "frames": f"{len(numbers)} (index {index})",
            },
            recommend=options.command_line(context, recommend, but={"progress", "force", "out", "format"}),
            provenance=made_from,
            progress=progress,
        )
        typer.echo(f"page written to {report}: open it in a browser.", err=format == "json")
    if strict and not result.ok:
        raise typer.Exit(1)


def _check_report(report: Path, file: Path, choice: Any, force: bool) -> None:
    from nullmode.views.chemiscope_page import library
    from nullmode.views.verdict_page import ENDINGS, is_report

    options.check_out(report, ENDINGS, is_report, file, choice, force, "--report")
    library()  # if it is missing, say so before anything is computed


def _is_own(path: Path) -> bool:
    from nullmode.tables import parquet, text

    return text.is_table(path) if path.suffix.lower() in text.ENDINGS else parquet.is_table(path, "analysis")
