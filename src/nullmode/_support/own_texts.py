"""Texts and paths that a user's file writes out, such as ``Path(__file__).parent / "table.csv"``."""

import ast
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ALL = "[!.]*"
"""Pattern of all files of a folder that a file lists."""
_PATH_PROPERTIES: dict[str, Callable[[Any], Any]] = {"parent": lambda path: path.parent, "name": lambda path: path.name}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "str": str,
    "fspath": str,
    "Path": Path,
    "dirname": os.path.dirname,
    "abspath": str,
    "realpath": str,
    "join": os.path.join,
    "cwd": Path,
    "home": Path.home,
    "getcwd": Path,
}
_METHODS: dict[str, Callable[..., Any]] = {
    "resolve": lambda path: path,
    "absolute": lambda path: path,
    "with_name": lambda path, name: path.with_name(name),
    "with_suffix": lambda path, suffix: path.with_suffix(suffix),
    "joinpath": lambda path, *names: path.joinpath(*names),
}
# What lists the files of a folder; of a pattern, those that match.
_LISTINGS: dict[str, Callable[..., Any]] = {
    "iterdir": lambda path: Path(path) / ALL,
    "listdir": lambda path=".": Path(path) / ALL,
    "scandir": lambda path=".": Path(path) / ALL,
    "walk": lambda path: Path(path) / "**" / ALL,
    "glob": Path,
    "iglob": Path,
    "rglob": lambda path, pattern: Path(path) / "**" / pattern,
}
# Of importlib.resources and pkgutil, by package and name.
_RESOURCES = {"get_data", "read_text", "open_text", "read_binary", "open_binary"}
_FIELDS = re.compile(r"%[-+ #0-9.]*[a-zA-Z]|\{[^{}]*\}")


def assigned(tree: ast.Module) -> dict[str, Any]:
    """Find the expressions of names that a module assigns once, as itself."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.setdefault(node.id, [])
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id].append(node.value)
    counts = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
    return {name: values[0] for name, values in found.items() if len(values) == 1 == counts.count(name)}


def assigned_anywhere(tree: ast.Module) -> dict[str, ast.expr]:
    """Find the expressions of names that a file assigns once, in functions too."""
    stores = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)]
    return {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and stores.count(target.id) == 1
    }


def value_of(node: Any, known: dict[str, Any], patterns: bool = False) -> Any:
    """Value of an expression of texts and paths, with the values or expressions of `known` names.

    With `patterns`, a part of a text that is not known is ``*``, and what lists files is the pattern of them.

    Raises
    ------
    ValueError, TypeError, AttributeError
        For anything else.
    """

    def value(each: ast.expr) -> Any:
        return value_of(each, known, patterns)

    def part(each: ast.expr) -> str:
        try:
            return str(value(each.value if isinstance(each, ast.FormattedValue) else each))
        except (ValueError, TypeError, AttributeError):
            if patterns:
                return "*"
            raise

    match node:
        case str():
            return node
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if name in known:
            return value_of(known[name], {key: each for key, each in known.items() if key != name}, patterns)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return Path(value(left)) / (part(right) if patterns else value(right))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            if patterns and (joined := part(left) + part(right)) != "**":
                return joined
            return value(left) + value(right)
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()) if patterns:
            return _FIELDS.sub("*", text)
        case ast.JoinedStr(values=parts):
            return "".join(map(part, parts))
        case ast.Attribute(value=inner, attr=name) if name in _PATH_PROPERTIES:
            return _PATH_PROPERTIES[name](value(inner))
        case ast.Subscript(value=ast.Attribute(value=inner, attr="parents"), slice=ast.Constant(value=int(up))):
            return value(inner).parents[up]
        case ast.Subscript(
            value=ast.Name(id="environ") | ast.Attribute(attr="environ"), slice=ast.Constant(value=str(key))
        ):
            return _variable(key)
        case ast.Call(func=ast.Name(id="getenv") | ast.Attribute(attr="getenv"), args=[ast.Constant(value=str(key))]):
            return _variable(key)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")) if patterns:
            return _FIELDS.sub("*", text)
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=args) if name in _METHODS:
            return _METHODS[name](value(inner), *map(value, args))
        case ast.Call(func=function, args=args) if patterns and (name := name_of(function)) in _LISTINGS:
            # A method of a path, or a function of a module.
            try:
                of_path = [value(function.value)] if isinstance(function, ast.Attribute) else []
            except ValueError:
                of_path = []
            return _LISTINGS[name](*of_path, *map(value, args))
        case ast.Call(func=ast.Name(id="files") | ast.Attribute(attr="files")) if patterns:
            # Of importlib.resources.
            return _package(node.args[0] if node.args else None, known)
        case ast.Call(func=function, args=[package, ast.Constant(value=str(text))]) if (
            patterns and name_of(function) in _RESOURCES
        ):
            return _package(package, known) / text
        case ast.Attribute(value=ast.Name(id=name), attr="__file__") if patterns:
            return Path(known["__file__"]).parent / name / "__init__.py"
        case ast.Call(func=ast.Name(id="join") | ast.Attribute(attr="join"), args=[first, *rest]) if patterns:
            return Path(value(first)).joinpath(*map(part, rest))
        case ast.Call(func=function, args=args) if name_of(function) in _FUNCTIONS:
            return _FUNCTIONS[name_of(function)](*map(value, args))
    raise ValueError


def _package(node: ast.expr | None, known: dict[str, Any]) -> Path:
    """Folder of the package that is named, beside a file, or of the file itself."""
    beside = Path(known["__file__"]).parent
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return beside / node.value.replace(".", "/")
    return beside


def _variable(key: str) -> str:
    """Value of a variable of the shell."""
    if key not in os.environ:
        raise ValueError
    return os.environ[key]


def name_of(node: ast.expr) -> str:
    """Name of what is called, or of an object."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            return name
    return ""
