"""The command line: thin over the public functions."""

import sys
from typing import Annotated

import typer

from nullmode import __version__
from nullmode._support.types import InputError
from nullmode.cli.analyze import analyze
from nullmode.cli.claims import claims
from nullmode.cli.command import Command
from nullmode.cli.find import find
from nullmode.cli.provenance import provenance
from nullmode.cli.prune import prune
from nullmode.cli.recommend import recommend
from nullmode.cli.scan import scan
from nullmode.cli.view import view

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Find the atomic displacements that a machine-learning descriptor does not see, and say why.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nullmode {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


for command in (analyze, recommend, scan, find, view, provenance, claims, prune):
    app.command(cls=Command)(command)


def main() -> None:
    """Run the command line; an error in the input ends it with one message and the exit code 2."""
    try:
        app()
    except (InputError, OSError) as error:
        typer.secho(f"nullmode: {error}", err=True, fg="red")
        sys.exit(2)
