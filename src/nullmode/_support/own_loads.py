"""What a user's file loads otherwise than by import statements: by importlib, runpy, ctypes, and programs it starts."""

import ast
import shlex
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import Any, NamedTuple

from nullmode._support.own_texts import assigned, name_of, value_of
from nullmode._support.types import InputError

# Functions that load a module by its name or a file by its path: place and name of that argument.
_BY_NAME = {
    "import_module": (0, "name"),
    "__import__": (0, "name"),
    "run_module": (0, "mod_name"),
    "find_spec": (0, "name"),
    "resolve_name": (0, "name"),
}
_BY_PATH = {
    "run_path": (0, "path_name"),
    "spec_from_file_location": (1, "location"),
    "SourceFileLoader": (1, "path"),
    "load_source": (1, "pathname"),
    "zipimporter": (0, "path"),
    "load_library": (0, "libname"),
    **dict.fromkeys(("CDLL", "PyDLL", "WinDLL", "OleDLL", "LoadLibrary", "dlopen"), (0, "name")),
    **dict.fromkeys(("exec", "eval"), (0, "source")),
}
_LOADERS = _BY_NAME | _BY_PATH
# Functions that run a text, and those that start a program, by module.
_RUNS = {"exec", "eval"}
_SPREAD = {
    *(f"{start}{end}" for start in ("exec", "spawn") for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
    *("posix_spawn", "posix_spawnp", "create_subprocess_exec"),
}
"""Of these, all arguments are words of the command."""
_STARTS = {
    "os": {"system", "popen", "startfile", *_SPREAD},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
    "subprocess": {"run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput"},
}
_LIBRARIES = {"cdll", "pydll", "windll", "oledll"}
_PATH = ("sys", "path")
_GROWS = {"insert", "append", "extend"}
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Loads(NamedTuple):
    """What a file loads.

    Attributes
    ----------
    names
        Of modules.
    files
        Existing ones; a path is relative to the working directory, as when Python runs it.
    folders
        Those that it puts on ``sys.path`` while it runs.
    unfollowed
        Calls of which that cannot be told: the line of each, and its text.
    """

    names: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    folders: tuple[str, ...] = ()
    unfollowed: tuple[tuple[int, str], ...] = ()


def loads(tree: ast.Module, path: Path) -> Loads:
    """Find what a file, given by its syntax tree and its path, loads by a name that follows from what is written."""
    known = assigned(tree) | {"__file__": str(path.resolve())}
    called = {name: name for name in _LOADERS}
    # What the file calls `sys` and `sys.path`.
    system, path_names = {"sys"}, set[str]()
    starts = {f"{module}.{name}" for module, names in _STARTS.items() for name in names}
    direct: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            called |= {each.asname: each.name for each in node.names if each.asname and each.name in _LOADERS}
            path_names |= {each.asname or each.name for each in node.names if (node.module, each.name) == _PATH}
            known_starts = _STARTS.get(node.module or "", ())
            starts |= {each.asname or each.name for each in node.names if each.name in known_starts}
        elif isinstance(node, ast.Import):
            system |= {each.asname for each in node.names if each.asname and each.name == "sys"}
            named = [(each.asname, each.name) for each in node.names if each.asname]
            starts |= {f"{own}.{name}" for own, module in named for name in _STARTS.get(module, ())}
        elif isinstance(node, ast.Assign) and (name_of(node.value) in _LOADERS):
            called |= {each.id: name_of(node.value) for each in node.targets if isinstance(each, ast.Name)}
            direct.add(id(node.value))
        elif isinstance(node, ast.Call):
            direct.add(id(node.func))
    names: list[str] = []
    files: list[str] = []
    folders: list[str] = []
    unfollowed: list[tuple[int, str]] = []
    for node, inside in _nodes(tree):
        try:
            if isinstance(node, ast.Call) and (function := called.get(name_of(node.func))):
                if (value := _loaded(node, function, known)) is not None:
                    (names if function in _BY_NAME else files).append(value)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in starts:
                files += _started(node, known)
            elif isinstance(node, ast.Subscript) and name_of(node.value) in _LIBRARIES:
                files.append(str(value_of(node.slice, known)))
            elif _is_passed_on(node, called) and id(node) not in direct:
                raise ValueError
            elif inside and (added := _added(node, system, path_names)) is not None:
                folders.extend(str(value_of(each, known)) for each in added)
        except (ValueError, TypeError, AttributeError, ImportError):
            unfollowed.append((getattr(node, "lineno", 0), ast.unparse(node)))
    existing = [Path(file).resolve() for file in files if Path(file).is_file()]
    return Loads(tuple(filter(None, names)), tuple(existing), tuple(folders), tuple(unfollowed))


def check_followed(path: Path, found: Loads) -> None:
    """Refuse a file that loads what only running it tells.

    Raises
    ------
    InputError
        Naming the line, and the remedy.
    """
    for line, text in found.unfollowed:
        raise InputError(
            f"What {path} loads must be written out, so that a change of it is seen, got `{text}` in line {line}. "
            "Write the name out, or list the files that it may load, relative to the folder of the file: "
            "FILES = ['helper.py'], or FILES = [] for none that may change."
        )


def _loaded(call: ast.Call, function: str, known: dict[str, Any]) -> str | None:
    """Name or path that a call loads; None for none, such as the program itself for a library."""
    place, keyword = _LOADERS[function]
    given = {each.arg: each.value for each in call.keywords}
    node = call.args[place] if place < len(call.args) else given.get(keyword)
    if node is None or (isinstance(node, ast.Constant) and not isinstance(node.value, str)):
        return None
    if function in _RUNS:
        of_python = isinstance(call.func, ast.Name) or ast.unparse(call.func).startswith("builtins.")
        if isinstance(node, ast.Constant) or not of_python:
            return None
        raise ValueError
    if function == "load_library":
        # How the file is called hangs on the system.
        raise ValueError
    value = str(value_of(node, known))
    if function == "resolve_name":
        value = value.partition(":")[0]
    package = call.args[1] if len(call.args) > 1 else given.get("package")
    if function == "import_module" and value.startswith(".") and isinstance(package, ast.Constant):
        return resolve_name(value, str(package.value))
    # Otherwise as from the package of the file.
    return value


def _started(call: ast.Call, known: dict[str, Any]) -> list[str]:
    """Words of the command that a program is started with, of which some may be files."""
    given = [*call.args[:1], *(each.value for each in call.keywords if each.arg in ("args", "cmd", "command"))]
    if name_of(call.func) in _SPREAD:
        lists = [each.elts if isinstance(each, ast.List | ast.Tuple) else [each] for each in call.args]
        words = [word for each in lists for word in each]
    elif isinstance(given[0], ast.List | ast.Tuple):
        words = given[0].elts
    else:
        return shlex.split(str(value_of(given[0], known)))
    # Python itself, its environment and how it waits.
    return [str(value_of(each, known)) for each in words if not ast.unparse(each).startswith(("sys.", "os."))]


def _is_passed_on(node: ast.AST, called: dict[str, str]) -> bool:
    """Whether a node names a function that loads, and does not call it."""
    if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
        return False
    function = called.get(name_of(node), "")
    return function in _BY_NAME or (function in _RUNS and isinstance(node, ast.Name)) or function == "run_path"


def _added(node: ast.AST, system: set[str], path_names: set[str]) -> list[ast.expr] | None:
    """Folders that a statement puts on ``sys.path``; None for any other statement."""

    def is_path(each: ast.expr) -> bool:
        if isinstance(each, ast.Attribute):
            return each.attr == "path" and name_of(each.value) in system
        return name_of(each) in path_names

    if isinstance(node, ast.Call) and name_of(node.func) == "addsitedir":
        return node.args[:1]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _GROWS:
        return node.args[-1:] if is_path(node.func.value) else None
    if isinstance(node, ast.AugAssign | ast.Assign):
        targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
        targets = [each.value if isinstance(each, ast.Subscript) else each for each in targets]
        return [node.value] if any(map(is_path, targets)) else None
    return None


def _nodes(tree: ast.AST, inside: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes, each with whether it is inside a function, which may run after the file was imported."""
    for node in ast.iter_child_nodes(tree):
        yield node, inside
        yield from _nodes(node, inside or isinstance(node, _SCOPES))
