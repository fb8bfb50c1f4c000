"""nullmode claims."""

from pathlib import Path
from typing import Annotated, Any

import typer


def claims(
    file: Annotated[Path, typer.Argument(help="The claims table of a run, such as results/claims.parquet.")],
    failed: Annotated[bool, typer.Option("--failed", help="Show the claims that failed, and no others.")] = False,
) -> None:
    """Show expected numbers beside measured ones, failed claims first; the exit code is 1 if one failed.

    Example: nullmode claims results/claims.parquet --failed
    """
    from nullmode.claims.model import FAIL, VERDICTS, count_verdicts
    from nullmode.tables import parquet

    frame = parquet.read(file, "claims")
    found = count_verdicts(frame)
    rows = frame.sort_values("verdict", key=lambda names: names.map(VERDICTS.index), kind="stable")
    _print(rows[rows["verdict"] == FAIL] if failed else rows)
    typer.echo(", ".join(f"{count} {verdict}" for verdict, count in found.items() if count))
    if found[FAIL]:
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
