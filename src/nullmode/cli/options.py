"""Options that commands share, and what they stand for."""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from nullmode._support.types import JSON, InputError

File = Annotated[Path, typer.Argument(help="Structures, in any format that ASE reads.")]
Center = Annotated[str | None, typer.Option(help="Symbols or indices of the centres, comma-separated; default: all.")]
Rtol = Annotated[float, typer.Option(help="Singular values up to rtol times the largest count as null.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Default: all that this process may use.")]
Bar = Annotated[bool, typer.Option(help="Show a progress bar.")]


class Chosen(NamedTuple):
    """A descriptor, and from what the command line made it."""

    kind: str
    parameters: JSON
    descriptor: Any


def chooses_descriptor(command: Callable[..., None]) -> Callable[..., None]:
    """Decorate a command: in the place of its parameter ``chosen`` come the options that describe a descriptor."""
    options = inspect.signature(_chosen).parameters
    own = inspect.signature(command)

    @wraps(command)
    def run(**given: Any) -> None:
        chosen = _chosen(**{name: given.pop(name) for name in options})
        command(chosen=chosen, **given)

    # Typer reads the signature and the annotations.
    parameters = [
        part.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, one in own.parameters.items()
        for part in (options.values() if name == "chosen" else [one])
    ]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # functions declare none
    run.__annotations__ = {part.name: part.annotation for part in parameters} | {"return": None}
    return run


def _chosen(
    descriptor: Annotated[str, typer.Option(help="Its name, or path/to/file.py:class.")] = "power-spectrum",
    n_max: Annotated[int | None, typer.Option(help="Number of radial functions.")] = None,
    l_max: Annotated[int | None, typer.Option(help="Largest angular momentum, inclusive.")] = None,
    cutoff: Annotated[float | None, typer.Option(help="Radius of the environment, Å.")] = None,
    cutoff_width: Annotated[float | None, typer.Option(help="Smoothing range below the cutoff, Å.")] = None,
    width: Annotated[float | None, typer.Option(help="Standard deviation of the Gaussian density, Å.")] = None,
    center_weight: Annotated[float | None, typer.Option(help="Weight of the centre's own Gaussian.")] = None,
    species: Annotated[
        str | None, typer.Option(help="Symbols of the channels, comma-separated; default: all that occur.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="Any other parameter of the descriptor, as name=value; may be repeated.")
    ] = None,
) -> Chosen:
    """Make the descriptor that the options describe."""
    from nullmode._support.variants import constructed, load
    from nullmode.descriptors import DESCRIPTORS

    given = {
        "n_max": n_max,
        "l_max": l_max,
        "cutoff": cutoff,
        "cutoff_width": cutoff_width,
        "width": width,
        "center_weight": center_weight,
        "species": None if species is None else tuple(_listed(species)),
    }
    parameters = _parsed(parameter or [], {name: value for name, value in given.items() if value is not None})
    target = load(descriptor, DESCRIPTORS, "descriptor", "--descriptor")
    return Chosen(descriptor, parameters, constructed(target, parameters, "descriptor"))


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
