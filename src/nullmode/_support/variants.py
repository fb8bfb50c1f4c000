"""Variants (families, descriptors, searches, figures, …): loaded by name or from a user's file, parameters checked."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import lru_cache, wraps
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, cast, dataclass_transform

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.dataclasses import dataclass

from nullmode._support.own_modules import looked_for_beside
from nullmode._support.types import InputError

_ELSEWHERE = {
    "soap": "power-spectrum",
    "sigma": "width",
    "atom_sigma": "width",
    "r_cut": "cutoff",
    "rcut": "cutoff",
    "r_max": "cutoff",
    "interaction_cutoff": "cutoff",
    "cutoff_transition_width": "cutoff_width",
    "cutoff_smooth_width": "cutoff_width",
    "gaussian_sigma_constant": "width",
    "central_weight": "center_weight",
    "max_radial": "n_max",
    "max_angular": "l_max",
    "elements": "species",
}
"""What other codes call a descriptor or a parameter, for suggestions."""
T = TypeVar("T")
P = ParamSpec("P")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def variant(cls: type[T]) -> type[T]:
    """Make a class a frozen keyword-only dataclass whose fields are checked against their annotations.

    A value out of range or an unknown parameter raises an InputError that names it.
    """
    result: Any = dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))(cls)
    names = [field.name for field in fields(result)]
    unchecked = result.__init__

    @wraps(unchecked)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            unchecked(self, *args, **kwargs)
        except ValidationError as error:
            raise InputError(explain(error, cls.__name__, {"": names})) from error

    result.__init__ = checked
    return cast("type[T]", result)


def gated(*skip: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Check a function's arguments against their annotations on every call, except those named in `skip`.

    A value out of range raises an InputError that names the argument.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)

        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            bound = signature.bind(*args, **kwargs)
            values = {name: value for name, value in bound.arguments.items() if name not in skip}
            bound.arguments |= validated(function, values, "", skip)
            return function(*bound.args, **bound.kwargs)

        return checked

    return decorate


def suggest(name: str, known: list[str]) -> str:
    """List the known names for a message, and the one that was probably meant."""
    close = meant(name, known)
    return (f"Did you mean `{close}`? " if close else "") + f"Known: {', '.join(known) or 'none'}."


def meant(name: str, known: list[str]) -> str:
    """Find the known name that was probably meant by another one; empty if there is none."""
    swapped = [item for item in known if sorted(item) == sorted(name)]
    close = [item for item in [_ELSEWHERE.get(name, "")] if item in known] or swapped
    return (close or get_close_matches(name, known, n=1, cutoff=0.85) or [""])[0]


def load(kind: str, table: Mapping[str, str], what: str, where: str = "kind") -> Any:
    """Load the function or class that a kind stands for.

    Parameters
    ----------
    kind
        A name of `table`, or ``path/to/file.py:name`` for a user's own.
    table
        The package's variants: each name with its ``module:name``.
    what, where
        For messages: what the kind is (``family``, ``descriptor``, ``figure``), and the key that it was given at.

    Raises
    ------
    InputError
        For an unknown name, a missing or broken file, or a file without the required object.
    """
    target = table.get(kind)
    if target is not None:
        module, _, attribute = target.partition(":")
        return getattr(importlib.import_module(module), attribute)
    path, _, attribute = kind.partition(":")
    if not path.endswith(".py"):
        known = [*table, f"path/to/your_{what}.py:name"]
        raise InputError(f"`{where}` must be a known {what}, got {kind!r}. {suggest(kind, known)}")
    if not attribute:
        raise InputError(f"`{where}` must name the object in the file, got {kind!r}. Write {path}:name.")
    module_object = module_from(Path(path), what, where)
    if not callable(getattr(module_object, attribute, None)):
        raise InputError(f"`{where}` must name a function or class in {path}, got {attribute!r}. Define it there.")
    return getattr(module_object, attribute)


def source_of(kind: str, table: Mapping[str, str]) -> str:
    """Name the module or file that defines a variant, as :func:`nullmode._support.code_hash.code_hash` takes it."""
    return table.get(kind, kind).partition(":")[0]


def module_from(path: Path, what: str, where: str) -> ModuleType:
    """Run a user's file, and give its module; for messages: what it is, and the key that names it.

    Raises
    ------
    InputError
        For a missing or broken file.
    """
    if not path.is_file():
        raise InputError(f"`{where}` must name an existing {what} file, got {path} (from {Path.cwd()}).")
    path = path.resolve()
    name = f"nullmode_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"`{where}` must name a Python file, got {path}.")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and Numba look up the module of a function by its name.
    sys.modules[name] = module
    try:
        with looked_for_beside(path):
            spec.loader.exec_module(module)
    except Exception as error:  # a user's file may raise anything
        raise InputError(
            f"`{where}` names {path}, which cannot be imported: {type(error).__name__}: {error}."
        ) from error
    return module


def validated(
    target: Callable[..., Any], parameters: Mapping[str, Any], where: str, skip: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Check parameters against the annotations of a function without calling it, except those named in `skip`.

    Raises
    ------
    InputError
        Names every unknown, missing or impossible parameter.
    """
    model = parameter_model(target, where, skip)
    try:
        checked = model(**dict(parameters))
    except ValidationError as error:
        raise InputError(explain(error, where, {"": list(model.model_fields)})) from None
    return {name: getattr(checked, name) for name in model.model_fields}


def parameter_model(target: Callable[..., Any], where: str, skip: tuple[str, ...] = ()) -> type[BaseModel]:
    """Make a pydantic model from the annotations of a function, without the parameters named in `skip`."""
    for parameter in inspect.signature(target).parameters.values():
        if parameter.name not in skip and parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise InputError(f"`{where}` must have named parameters only, got *{parameter.name}.")
    return _model_of(target, skip)


@lru_cache(maxsize=256)
def _model_of(target: Callable[..., Any], skip: tuple[str, ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(target).parameters.values():
        if parameter.name in skip:
            continue
        annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
        fields[parameter.name] = (annotation, ... if parameter.default is parameter.empty else parameter.default)
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    # Annotations that are strings are looked up in the module of the function.
    model: type[BaseModel] = create_model("Parameters", __config__=config, __module__=target.__module__, **fields)
    return model


def complete(target: Callable[..., Any], parameters: Mapping[str, Any], where: str) -> dict[str, Any]:
    """All parameters of a function as JSON has them: those given, and of the others the defaults, seeds among them."""
    return parameter_model(target, where)(**parameters).model_dump(mode="json", fallback=repr)


def constructed(target: type, parameters: Mapping[str, Any], where: str) -> Any:
    """Make an instance of a class from parameters, with messages that name the key `where` of the configuration."""
    names = [name for name in inspect.signature(target).parameters if name != "self"]
    unknown = [name for name in parameters if name not in names]
    if unknown:
        raise InputError(f"`{where}.{unknown[0]}` is not known. {suggest(unknown[0], names)}")
    try:
        return target(**parameters)
    except (ValidationError, InputError) as error:
        # The class has already named itself in the message; in a configuration, the key is named instead.
        report = error.__cause__ if isinstance(error, InputError) else error
        if not isinstance(report, ValidationError):
            raise
        raise InputError(explain(report, where, {"": names})) from None


def explain(error: ValidationError, where: str, known: Mapping[str, list[str]]) -> str:
    """Rewrite the report of pydantic: one line per fault, with the key, the rule and the value.

    `where` is the key of the checked value in the configuration, empty for the whole. `known` holds the known keys of
    the checked value, at the empty string, and those of the entries below each of its keys.
    """
    lines = []
    for fault in error.errors(include_url=False):
        key = ".".join([where, *(str(name) for name in fault["loc"] if not _is_branch(name))]).strip(".")
        if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            # Below the name of an entry (depth 2) stand the keys of the entry (depth 3).
            depth = len(fault["loc"])
            names = known.get(str(fault["loc"][0])) if depth == 3 else known.get("") if depth == 1 else None
            lines.append(f"`{key}` is not known. {suggest(str(fault['loc'][-1]), names) if names else 'Remove it.'}")
        elif fault["type"] == "value_error":
            lines.append(f"`{key}`: {fault['ctx']['error']}")
        elif fault["type"] == "missing":
            lines.append(f"`{key}` is required and missing.")
        else:
            rule = fault["msg"][0].lower() + fault["msg"][1:]
            rule = f"`{key}`: {rule}".replace(": input should be", " must be", 1)
            lines.append(f"{rule}, got {fault['input']!r}.")
    return "\n".join(lines)


def _is_branch(name: Any) -> bool:
    # Pydantic also names the branch of a union that it tried, for instance `list[constrained-float]`.
    return isinstance(name, str) and ("[" in name or name[:1].isupper())
