"""The command nullmode analyze."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from nullmode._support.types import Scope
from nullmode.cli import options
from nullmode.cli.summary import Summary


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
    their rank, and the cause of every null value: symmetry, body order, cutoff, truncation or width. It prints a
    summary; with --out, it also writes a table whose columns docs/tables.md describes.

    Example:

        nullmode analyze methane.xyz --centers C --n-max 8 --l-max 8
    """
    from nullmode.analysis.stream import analyze_file
    from nullmode.tables import columns, parquet

    options.check_out(out, (".parquet",), lambda path: parquet.is_table(path, "analysis"), file, choice, force)
    chosen_centers = options.centers_of(centers)
    summary = Summary()

    @contextmanager
    def opened(descriptor: Any) -> Iterator[Any]:
        summary.clear()
        with ExitStack() as stack:
            write = None
            if out is not None:
                kept = options.provenance_of("nullmode.analysis.stream", file, choice, chosen_centers, index, occupancy)
                kept |= {"descriptor": repr(descriptor), "rtol": rtol, "scope": scope}
                kept |= {"attribution": attribution, "resolution": resolution}
                kept |= {"tolerance": tolerance} if attribution else {}
                write = stack.enter_context(parquet.streamed_frames(out, "analysis", kept))

            def consume(frame: Any) -> None:
                if not attribution:
                    frame = frame.assign(**dict.fromkeys((column.name for column in columns.ATTRIBUTION), None))
                summary.add(frame)
                if write is not None:
                    write(frame)

            yield consume

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
        tolerance=tolerance,
        threads=threads,
        progress=progress,
    )
    if out is not None:
        typer.echo(f"{summary.count} rows written to {out}")
    summary.show()
