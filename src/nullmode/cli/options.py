"""Arguments and options that commands share, and how they are read."""

import inspect
import shlex
from collections.abc import Callable, Container
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from nullmode._support.output import check_output, files_behind
from nullmode._support.types import JSON, InputError
from nullmode.descriptors import DESCRIPTORS
from nullmode.geometry.disorder import Occupancy

if TYPE_CHECKING:
    from ase import Atoms

    from nullmode.geometry.environment import Environment

_DESCRIPTOR = "Descriptor"
_DEFAULT = "power-spectrum"
_TRUNCATION = "8; bispectrum: 4; trispectrum: 3"

File = Annotated[Path, typer.Argument(help="File of structures, in any format that ASE reads.")]
Centers = Annotated[
    str | None,
    typer.Option(help="Chemical symbols or atom indices of the centres, comma-separated.", show_default="all atoms"),
]
Index = Annotated[str, typer.Option(help="Frames of the file to read, as in ASE: ':' for all, ':100', '::10', '-1'.")]
Occupy = Annotated[
    Occupancy,
    typer.Option(
        help="Partly occupied sites (CIF): refuse such a structure, or take the majority, what each site mostly holds."
    ),
]
Rtol = Annotated[
    float, typer.Option(help="A singular value counts as null if it is at most rtol times the largest one.")
]
Tolerance = Annotated[
    float, typer.Option(help="Two positions count as equal, for symmetry, if they differ by at most this length, Å.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Let --out replace a file of another kind, but never one that is read.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="Number of threads.", show_default="all available")]
Progress = Annotated[bool, typer.Option(help="Show a progress bar.")]


class DescriptorChoice(NamedTuple):
    """A descriptor, its kind and parameters as a configuration gives them, and what `--like` was."""

    kind: str
    parameters: JSON
    descriptor: Any
    like: str | None = None


def chooses_descriptor(command: Callable[..., None]) -> Callable[..., None]:
    """Decorate a command: the options that describe a descriptor take the place of its parameter ``choice``."""
    options = inspect.signature(_choice).parameters
    own = inspect.signature(command)

    @wraps(command)
    def run(**arguments: Any) -> None:
        choice = _choice(**{name: arguments.pop(name) for name in options})
        command(choice=choice, **arguments)

    # Typer reads the signature and the annotations.
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, original in own.parameters.items()
        for parameter in (options.values() if name == "choice" else [original])
    ]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # functions declare none
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": None}
    return run


def _option(text: str, default: str) -> Any:
    return typer.Option(help=text, show_default=default, rich_help_panel=_DESCRIPTOR)


def _choice(
    descriptor: Annotated[
        str | None,
        _option(f"{', '.join(DESCRIPTORS)}, or path/to/file.py:Class for a descriptor of your own.", _DEFAULT),
    ] = None,
    like: Annotated[
        str | None,
        _option(
            "The descriptor of another code: QUIP's or gap_fit's string, \"soap n_max=8 l_max=4 cutoff=5 "
            'atom_sigma=0.5", or a file: XML of a GAP; JSON or YAML of featomic, dscribe, metatrain, nullmode. It says '
            "what differs. The options below change single parameters.",
            "none",
        ),
    ] = None,
    n_max: Annotated[int | None, _option("Number of radial functions.", _TRUNCATION)] = None,
    l_max: Annotated[int | None, _option("Largest angular momentum; 0 to l_max are used.", _TRUNCATION)] = None,
    cutoff: Annotated[float | None, _option("Radius of the environment, Å.", "4.0")] = None,
    cutoff_width: Annotated[
        float | None, _option("Range below the cutoff in which neighbours fade to zero, Å.", "0.5")
    ] = None,
    width: Annotated[float | None, _option("Standard deviation of the Gaussian density of an atom, Å.", "0.3")] = None,
    center_weight: Annotated[float | None, _option("Weight of the Gaussian at the centre itself.", "0.0")] = None,
    species: Annotated[
        str | None,
        _option("Chemical symbols or atomic numbers that neighbours may have, comma-separated.", "all that occur"),
    ] = None,
    parameter: Annotated[
        list[str] | None, _option("Any other parameter, as name=value; may be given several times.", "none")
    ] = None,
) -> DescriptorChoice:
    """Make the descriptor that the options describe."""
    from nullmode._support.variants import constructed, load

    options = {
        "n_max": n_max,
        "l_max": l_max,
        "cutoff": cutoff,
        "cutoff_width": cutoff_width,
        "width": width,
        "center_weight": center_weight,
        "species": None if species is None else tuple(_numbers_or_symbols(species)),
    }
    parameters = _parsed(parameter or [], {name: value for name, value in options.items() if value is not None})
    if like is not None:
        if descriptor is not None:
            raise InputError(
                f"`--like` must not be given with --descriptor, got {like!r} and {descriptor}. Remove one."
            )
        return _alike(like, parameters)
    kind = descriptor or _DEFAULT
    target = load(kind, DESCRIPTORS, "descriptor", "--descriptor")
    return DescriptorChoice(kind, parameters, constructed(target, parameters, "descriptor"))


def _alike(like: str, changes: JSON) -> DescriptorChoice:
    """Make the descriptor of another code's hyperparameters, with some parameters changed, and say what differs."""
    from nullmode._support.variants import constructed
    from nullmode.adapters.hyperparameters import _like, own

    found = _like.like(like)
    described = [each for each in found if each.descriptor is not None]
    if len(described) != 1:
        listed = "; ".join(each.source for each in described) or "none"
        raise InputError(
            f"`--like` must hold one descriptor of centres, got {len(described)}: {listed}. Give one alone."
        )
    for each in found:
        typer.echo(f"Like {each.source}", err=True)
        for sentence in each.differences:
            typer.echo(f"  {sentence}", err=True)
    made = described[0].descriptor
    kind, parameters = own.described(made)
    if kind in DESCRIPTORS:
        parameters |= changes
        made = constructed(type(made), parameters, "descriptor")
    elif changes:
        raise InputError(
            f"`--{next(iter(changes)).replace('_', '-')}` must be left out where another code computes the features, "
            f"got {like!r}. Change the value there."
        )
    return DescriptorChoice(kind, parameters, made, like)


def check_out(
    out: Path | None,
    endings: tuple[str, ...],
    is_own: Callable[[Path], bool],
    file: Path,
    choice: DescriptorChoice,
    force: bool,
    argument: str = "--out",
) -> None:
    """Refuse an output file, before anything is computed, as :func:`nullmode._support.output.check_output` does.

    Its folder must exist. `file` and what the descriptor is made from are read, and never replaced.
    """
    if out is None:
        return
    if not out.parent.is_dir():
        raise InputError(f"`{argument}` must lie in an existing folder, got {out}.")
    named = (value for value in choice.parameters.values() if isinstance(value, str))
    inputs: list[str | Path] = [file, *named, *files_behind(choice.descriptor), *([choice.like] if choice.like else [])]
    check_output(out, endings, is_own, inputs=inputs, force=force, argument=argument)


def command_line(context: typer.Context, command: Callable[..., None], *, but: Container[str] = ()) -> str:
    """Write what was given to a command as the line that gives the same to a command, as far as that has such options.

    Options named in `but` are left out.
    """
    known = inspect.signature(command).parameters
    words = ["nullmode", command.__name__]
    for option in context.command.params:
        source = context.get_parameter_source(str(option.name))
        if option.name not in known or option.name in but or source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[option.name]
        if option.param_type_name == "argument":
            words.append(str(value))
        elif isinstance(value, bool):
            words.append(option.opts[0] if value else option.secondary_opts[0])
        else:
            for each in value if isinstance(value, list | tuple) else [value]:
                words += [option.opts[0], str(each)]
    return shlex.join(words)


def centers_of(text: str | None) -> list[int | str] | None:
    """Read the option ``--centers``."""
    return None if text is None else _numbers_or_symbols(text)


def read_environments(
    file: Path, choice: DescriptorChoice, centers: list[int | str] | None, index: str, occupancy: Occupancy
) -> "tuple[list[Atoms], list[Environment]]":
    """Read the structures of a file, and the environments of their centres."""
    from nullmode.geometry.cut import environments

    atoms = read_atoms(file, centers, index, occupancy)
    return atoms, environments(atoms, choice.descriptor.cutoff, centers)


def read_atoms(file: Path, centers: list[int | str] | None, index: str, occupancy: Occupancy) -> "list[Atoms]":
    """Read the structures of a file that have the centres; each has its number in the file as ``info["frame"]``."""
    from nullmode.families.file import structures
    from nullmode.geometry.structure import check_sound

    atoms = list(structures(file, centers, index, occupancy))
    for frame in atoms:
        check_sound(frame, f"frame {frame.info['frame']} of {file}")
    return atoms


def frame_of(file: Path, number: int, occupancy: Occupancy) -> "Atoms":
    """Read one frame of a file, by its number."""
    from nullmode.geometry.read import read_structures

    return next(read_structures(file, None, str(number), occupancy)).atoms[0]


def provenance_of(
    module: str,
    file: Path,
    choice: DescriptorChoice,
    centers: list[int | str] | None,
    index: str,
    occupancy: Occupancy,
) -> JSON:
    """Say what a table follows from: the code of a module and of the descriptor, the file, and the choices."""
    from nullmode._support.code_hash import digest, origin
    from nullmode._support.variants import source_of

    like = {"like": choice.like} if choice.like else {}
    return {
        **origin(module, source_of(choice.kind, DESCRIPTORS)),
        **like,
        "inputs": {str(file): {"sha256": digest(file)}},
        "index": index,
        "centers": centers,
        "occupancy": occupancy,
        "kind": choice.kind,
        "parameters": choice.parameters,
    }


def _numbers_or_symbols(text: str) -> list[int | str]:
    return [int(entry) if entry.isdecimal() else entry for entry in map(str.strip, text.split(","))]


def _parsed(pairs: list[str], options: JSON) -> JSON:
    """Add the parameters written as name=value to those that have an option of their own."""
    import yaml

    result = dict(options)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"`--parameter` must have the form name=value, got {pair!r}.")
        if name in result:
            first = f"--{name.replace('_', '-')} {options[name]}" if name in options else "another --parameter"
            raise InputError(f"`--parameter` must not give {name} twice, got {pair!r} beside {first}. Remove one.")
        try:
            result[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"`--parameter` must have a value that YAML reads, got {pair!r}: {reason}.") from None
    return result
