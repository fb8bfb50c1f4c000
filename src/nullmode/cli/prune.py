"""The command nullmode prune."""

from pathlib import Path
from typing import Annotated

import typer


def prune(
    results: Annotated[Path, typer.Argument(help="Folder of results of the workflow.")],
    remove: Annotated[bool, typer.Option("--remove", help="Remove the files, instead of listing them.")] = False,
) -> None:
    """List or remove results, logs and benchmark files that belong to no job of the last configuration run there.

    A changed configuration leaves files of its former jobs. No table, figure or nullmode.load uses them. Files that
    nullmode did not write are named and never removed.

    Example:

        nullmode prune results
    """
    from nullmode._support.types import InputError
    from nullmode.tables import manifest

    content = manifest.read(results)
    if content is None:
        raise InputError(
            f"`results` must be a folder with the file {manifest.NAME}, which the workflow writes, got {results}. Run "
            "the workflow there first."
        )
    found = manifest.leftover(results, content["files"])
    own = [path for path in found if manifest.is_own(path)]
    for path in own:
        if remove:
            path.unlink()
        typer.echo(path)
    for path in found:
        if path not in own:
            typer.echo(f"{path} (not written by nullmode; stays)")
    size = f"{len(own)} of {len(found)}" if len(own) < len(found) else str(len(own))
    if remove:
        manifest.remove_empty_folders(results)
        typer.echo(f"Removed {size} files.")
    else:
        typer.echo(
            f"{size} files belong to no job of the plan. Remove them with --remove." if found else "Nothing to remove."
        )
