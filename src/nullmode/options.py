"""Options that commands share, and what they stand for."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nullmode.types import JSON, InputError

File = Annotated[Path, typer.Argument(help="Structures, in any format that ASE reads.")]
Kind = Annotated[str, typer.Option("--descriptor", help="Its name, or path/to/file.py:class.")]
NMax = Annotated[int | None, typer.Option(help="Number of radial functions.")]
LMax = Annotated[int | None, typer.Option(help="Largest angular momentum, inclusive.")]
Cutoff = Annotated[float | None, typer.Option(help="Radius of the environment, Å.")]
CutoffWidth = Annotated[float | None, typer.Option(help="Smoothing range below the cutoff, Å.")]
Width = Annotated[float | None, typer.Option(help="Standard deviation of the Gaussian density, Å.")]
CenterWeight = Annotated[float | None, typer.Option(help="Weight of the centre's own Gaussian.")]
Channels = Annotated[str | None, typer.Option(help="Symbols of the channels, comma-separated; default: all.")]
Parameter = Annotated[
    list[str] | None, typer.Option(help="Any other parameter of the descriptor, as name=value; may be repeated.")
]
Center = Annotated[str | None, typer.Option(help="Symbols or indices of the centres, comma-separated; default: all.")]
Rtol = Annotated[float, typer.Option(help="Singular values up to rtol times the largest count as null.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Default: all that this process may use.")]
Bar = Annotated[bool, typer.Option(help="Show a progress bar.")]


def given_options(species: str | None, **options: Any) -> JSON:
    """Collect the parameters that have an option of their own and were given."""
    given = {**options, "species": None if species is None else tuple(_listed(species))}
    return {name: value for name, value in given.items() if value is not None}


def descriptor_of(kind: str, given: JSON, more: list[str] | None) -> tuple[Any, JSON]:
    """Make the descriptor, and say from which parameters."""
    from nullmode._plugins import constructed, load
    from nullmode.descriptors import DESCRIPTORS

    parameters = _parsed(more or [], given)
    return constructed(load(kind, DESCRIPTORS, "descriptor", "--descriptor"), parameters, "descriptor"), parameters


def check_folder(out: Path | None) -> None:
    """Refuse a file whose folder is missing before anything is computed."""
    if out is not None and not out.parent.is_dir():
        raise InputError(f"`--out` must lie in an existing folder, got {out}.")


def centers_of(text: str | None) -> list[int | str] | None:
    """Read symbols or indices of centres."""
    return None if text is None else [int(item) if item.isdigit() else item for item in _listed(text)]


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _parsed(pairs: list[str], given: JSON) -> JSON:
    """Add to the given parameters those written as name=value."""
    import yaml

    result = dict(given)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"`--parameter` must have the form name=value, got {pair!r}.")
        if name in result:
            first = f"--{name.replace('_', '-')} {given[name]}" if name in given else "another --parameter"
            raise InputError(f"`--parameter` must not give {name} twice, got {pair!r} beside {first}. Remove one.")
        try:
            result[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"`--parameter` must have a value that YAML reads, got {pair!r}: {reason}.") from None
    return result
