"""Modules of a user's own: what a user's file imports that is neither Python's, nor nullmode's, nor installed."""

import ast
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from nullmode._support.types import InputError

_INSTALLED = {"site-packages", "dist-packages"}
_STANDARD = Path(sysconfig.get_path("stdlib")).resolve()
# Names of modules that users' files imported, and folders that each put on sys.path.
_OF_USERS: set[str] = set()
_ADDED: dict[Path, list[str]] = {}
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


def files_of(names: Iterable[str], folder: Path, added: Iterable[str] = ()) -> list[Path]:
    """Find the files of a user's own modules, by the names that a file in `folder` imports.

    The file puts the `added` folders on ``sys.path`` while it runs.
    """
    return [path.resolve() for name in names for path in _files(name, folder, added)]


def declared(path: Path, tree: ast.Module) -> dict[str, Path] | None:
    """Find the data files that a user's file says it reads: its list ``FILES``; of a folder, all files in it.

    Returns
    -------
    dict
        By name as declared, with the place in the folder that it names; None without a list.

    Raises
    ------
    InputError
        If the list is not written out, once, or a file does not exist.
    """
    lists = list(_values_of("FILES", tree))
    if not lists:
        return None
    result: dict[str, Path] = {}
    for node in lists:
        try:
            names = None if node is None or len(lists) > 1 else ast.literal_eval(node)
        except ValueError:
            names = None
        if not isinstance(names, list | tuple | set) or not all(isinstance(name, str) for name in names):
            raise InputError(
                f"`FILES` in {path} must be a list of texts, written out once and as such: "
                "FILES = ['table.csv', 'folder']."
            )
        for name in names:
            place = path.parent / name
            if not place.exists():
                raise InputError(f"`FILES` in {path} must name existing files, relative to its folder, got {place}.")
            found = files_in(place) if place.is_dir() else [place]
            result |= {str(Path(name, file.relative_to(place))): file for file in found}
    return result


def files_in(folder: Path) -> list[Path]:
    """List all files in a folder, and in folders that links in it lead to."""
    result: list[Path] = []
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(place)) in seen:
            # A link to a folder that holds it.
            folders.clear()
            continue
        seen.add(real)
        result.extend(path for name in files if (path := Path(place, name)).is_file())
    return sorted(result)


def _values_of(name: str, tree: ast.AST) -> Iterator[ast.expr | None]:
    """Give what a module assigns to a name; None where this is not ``name = value``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _SCOPES):
            continue
        if (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(target := node.targets[0] if isinstance(node, ast.Assign) else node.target, ast.Name)
            and target.id == name
        ):
            yield node.value
        elif isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
            yield None
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
            # Such as FILES.append.
            yield None
        else:
            yield from _values_of(name, node)


def _files(name: str, folder: Path, added: Iterable[str]) -> list[Path]:
    inner = [part for part in name.split(".") if part]
    if name.startswith("."):
        package = folder.joinpath(*[".."] * (len(name) - len(name.lstrip(".")) - 1))
        return [*_existing(package / "__init__.py"), *_descended(package, inner)]
    head, *rest = inner
    if head == "nullmode":
        return []
    spec = getattr(sys.modules.get(head), "__spec__", None)
    # A file may extend sys.path itself; beside it is where it most probably looks.
    spec = PathFinder.find_spec(head, list(added)) or spec or PathFinder.find_spec(head)
    spec = spec or PathFinder.find_spec(head, [str(folder)])
    if spec is None or is_installed(Path(spec.origin or "")):
        return []
    own = _origin(spec)
    packages = [Path(each) for each in spec.submodule_search_locations or ()]
    if any(is_installed(package) for package in packages):
        return []
    return own + [path for package in packages for path in _descended(package, rest)]


@contextmanager
def looked_for_beside(path: Path) -> Iterator[None]:
    """While a user's file runs, let it import what it would if no other user's file had run before."""
    added = _ADDED.get(path, [])
    sys.path[:] = [*added, *(each for each in sys.path if each not in added)]
    for name in sorted(_OF_USERS & sys.modules.keys()):
        head = name.partition(".")[0]
        beside = PathFinder.find_spec(head, [str(path.parent)])
        known = getattr(sys.modules.get(head), "__spec__", None)
        if beside is not None and (known is None or known.origin != beside.origin):
            # From the folder of another user's file. Modules of a package go with it.
            for each in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
                del sys.modules[each]
    modules, paths = set(sys.modules), set(sys.path)
    yield
    _ADDED[path] = [*added, *(each for each in sys.path if each not in paths)]
    for name in sys.modules.keys() - modules:
        file = getattr(sys.modules[name], "__file__", None)
        if file and not name.startswith("nullmode") and not is_installed(Path(file)):
            _OF_USERS.add(name)


def is_installed(path: Path) -> bool:
    """Whether a module is Python's, or one of an installed package."""
    return bool(_INSTALLED & set(path.parts)) or path.resolve().is_relative_to(_STANDARD)


def _origin(spec: ModuleSpec) -> list[Path]:
    """File of a module; of one in an archive, the archive."""
    path = Path(spec.origin or "")
    inside = [parent for parent in path.parents if parent.is_file()]
    return inside or _existing(path)


def _descended(package: Path, names: list[str]) -> list[Path]:
    """Files of a module in a package, and of the packages on the way to it."""
    result: list[Path] = []
    for name in names:
        # Compiled modules too.
        spec = PathFinder.find_spec(name, [str(package)])
        if spec is not None and spec.submodule_search_locations is None:
            return result + _origin(spec)
        package = package / name
        result.extend(_existing(package / "__init__.py"))
    return result


def _existing(path: Path) -> list[Path]:
    return [path] if path.is_file() else []
