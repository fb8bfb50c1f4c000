"""Modules of a user's own: what a user's file imports that is neither Python's, nor nullmode's, nor installed."""

import ast
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from nullmode._support.types import InputError

_INSTALLED = {"site-packages", "dist-packages"}


def files_of(names: Iterable[str], folder: Path) -> list[Path]:
    """Find the files of a user's own modules, by the names in the import statements of a file in `folder`."""
    return [path.resolve() for name in names for path in _files(name, folder)]


def declared(path: Path, tree: ast.Module) -> list[Path]:
    """Find the data files that a user's file says it reads: its list ``FILES``; of a folder, all files in it.

    Raises
    ------
    InputError
        If the list is not written out, or a file does not exist.
    """
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    lists = [node.value for node in assigned if any(isinstance(t, ast.Name) and t.id == "FILES" for t in node.targets)]
    result: list[Path] = []
    for node in lists:
        try:
            names = [str(path.parent / name) for name in ast.literal_eval(node)]
        except (ValueError, TypeError):
            raise InputError(f"`FILES` in {path} must be a list of texts, written out as such.") from None
        for name in map(Path, names):
            if not name.exists():
                raise InputError(f"`FILES` in {path} must name existing files, relative to its folder, got {name}.")
            result.extend(sorted(file for file in name.rglob("*") if file.is_file()) if name.is_dir() else [name])
    return result


def _files(name: str, folder: Path) -> list[Path]:
    inner = [part for part in name.split(".") if part]
    if name.startswith("."):
        package = folder.joinpath(*[".."] * (len(name) - len(name.lstrip(".")) - 1))
        return [*_existing(package / "__init__.py"), *_descended(package, inner)]
    head, *rest = inner
    if head in sys.stdlib_module_names or head == "nullmode":
        return []
    spec = getattr(sys.modules.get(head), "__spec__", None)
    # A file may extend sys.path itself; beside it is where it most probably looks.
    spec = spec or PathFinder.find_spec(head) or PathFinder.find_spec(head, [str(folder)])
    if spec is None or _INSTALLED & set(Path(spec.origin or "").parts):
        return []
    own = _existing(Path(spec.origin or ""))
    packages = [Path(each) for each in spec.submodule_search_locations or ()]
    if any(_INSTALLED & set(package.parts) for package in packages):
        return []
    return own + [path for package in packages for path in _descended(package, rest)]


def _descended(package: Path, names: list[str]) -> list[Path]:
    """Files of a module in a package, and of the packages on the way to it."""
    result: list[Path] = []
    for name in names:
        if files := _existing(package / f"{name}.py"):
            return result + files
        package = package / name
        result.extend(_existing(package / "__init__.py"))
    return result


def _existing(path: Path) -> list[Path]:
    return [path] if path.is_file() else []
