"""The command nullmode claims."""

from pathlib import Path
from typing import Annotated, Any

import typer


def claims(
    file: Annotated[Path, typer.Argument(help="Claims table of a run, such as results/claims.parquet.")],
    failed: Annotated[bool, typer.Option("--failed", help="Show only the claims that failed.")] = False,
) -> None:
    """Compare the numbers that a run measured with the expected ones.

    The claims that failed come first, then those whose difference is explained, then those that passed. The exit code
    is 1 if a claim failed.

    Example:

        nullmode claims results/claims.parquet --failed
    """
    from nullmode.claims.model import FAIL, VERDICTS, count_verdicts
    from nullmode.tables import parquet

    frame = parquet.read(file, "claims")
    counts = count_verdicts(frame)
    rows = frame.sort_values("verdict", key=lambda names: names.map(VERDICTS.index), kind="stable")
    _print(rows[rows["verdict"] == FAIL] if failed else rows)
    typer.echo(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count))
    if counts[FAIL]:
        raise typer.Exit(1)


def _print(rows: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    from nullmode.claims.text import expected_text, number_text

    if rows.empty:
        return
    colours = {"fail": "red", "explained": "yellow", "pass": "green"}
    table = Table("claim", "quantity", "expected", "measured", "verdict")
    for row in rows.itertuples():
        expected = expected_text(row.comparison, row.expected, row.tolerance)
        verdict = f"[{colours[row.verdict]}]{row.verdict}[/]"
        table.add_row(row.group, row.quantity, expected, number_text(row.measured), verdict)
    console = Console()
    console.print(table)
    for row in rows[rows["explanation"].fillna("") != ""].itertuples():
        console.print(f"{row.group}, {row.quantity}: {row.explanation}", markup=False, highlight=False)
