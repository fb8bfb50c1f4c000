"""Hashes of source code: they say which code computed a result, and when a compiled kernel is out of date.

Neither Numba's disk cache nor Snakemake sees an edit in an *imported* file, so both are keyed by these hashes.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any, NamedTuple

from nullmode._support import own_modules
from nullmode._support.disk_cache import remembered
from nullmode._support.own_loads import Loads, check_followed, loads
from nullmode._support.own_reads import reads
from nullmode._support.types import JSON, InputError
from nullmode._support.variants import module_from

PACKAGE = Path(__file__).resolve().parents[1]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Syntax trees, and with them the hashes, may differ from one minor version to the next."""
CARRIERS = frozenset({"nullmode", "pandas", "platformdirs", "pyarrow", "pydantic", "rich", "threadpoolctl", "yaml"})
"""Libraries that store, transport or check numbers but compute none, and nullmode itself, whose code is hashed."""
_DISTRIBUTIONS = {"sklearn": "scikit-learn"}
"""Of modules that are called otherwise than the library that provides them. To look for others takes 0.3 s."""
_DIGITS = 12
_DOCUMENTED = {ast.Module, ast.ClassDef, ast.FunctionDef}
_CONTEXTS = {ast.Load, ast.Store, ast.Del}
"""What a name is used for: it follows from where the name stands."""
_LEFT_OUT = {"nullmode.tables.columns"}
"""What all tables hold: of it, callers give those tables as roots that a result is written to or made from."""


def origin(*roots: str) -> JSON:
    """Describe what a result is computed with, given roots as in :func:`code_hash`: equal origins give equal numbers.

    ``code`` holds the hash of each root and everything that it imports from nullmode; ``versions`` those of Python and
    of the libraries that these modules import, except those in ``CARRIERS``.
    """
    libraries = sorted(frozenset.union(*map(_libraries, roots)) - CARRIERS)
    versions = {name: number for name in ["python", *libraries] if (number := installed(name)) is not None}
    return {"code": {root: code_hash(root) for root in roots}, "versions": versions}


def check_unchanged(planned: JSON) -> None:
    """Refuse to compute with other code than the job was planned with: its table would name the wrong code.

    Raises
    ------
    InputError
        If a module or a library is not what it was when :func:`origin` gave `planned`.
    """
    for root in planned["code"]:
        if root.endswith(".py"):
            # As in the plan: it may extend the path on which its own modules are found.
            module_from(Path(root), "file", root)
    now = {
        **origin(*planned["code"]),
        "files": {name: digest(name) for name in planned.get("files", {}) if Path(name).is_file()},
    }
    changed = [name for key in now for name in planned.get(key, {}) if now[key].get(name) != planned[key][name]]
    if changed:
        raise InputError(
            f"The code must not change between the plan and a job, got changes in {', '.join(changed)}. "
            "Start the workflow again."
        )


@cache
def installed(module: str) -> str | None:
    """Version of the library that provides a module, or of Python; None if no installed library provides it."""
    if module == "python":
        return PYTHON
    try:
        return version(_DISTRIBUTIONS.get(module, module))
    except PackageNotFoundError:
        names = packages_distributions().get(module, [])
        return version(names[0]) if names else None


def digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def kernel_hash() -> str:
    """Hash of every file that names ``_jit`` and of everything that these files import: the key of the kernel cache.

    Machine code contains compiler flags, the SIMD width, constants and fields of tuples, wherever these are defined.
    """
    files = [str(path) for path in sorted(PACKAGE.rglob("*.py")) if b"_jit" in path.read_bytes()]
    return code_hash(*files)


@cache
def code_hash(*roots: str) -> str:
    """Hash of the code that a result depends on: the named modules and all of nullmode that they import.

    Of a user's file, the user's own modules that it imports count too, and the data files that it names.
    Comments, docstrings and formatting do not count: an edit of them makes no result out of date. The HTML template
    beside a module, a file of the same name, belongs to the module's code.

    Parameters
    ----------
    *roots
        Dotted names of modules of nullmode, paths of Python files, or ``module:NAME`` for one object of a module with
        all of that module that it is made of.

    Raises
    ------
    FileNotFoundError
        If none of the roots exists.
    """
    files = _closure(roots)
    objects = [root for root in roots if ":" in root]
    if not files and not objects:
        raise FileNotFoundError(f"None of these is a module of nullmode: {', '.join(roots)}.")
    # A list of what else a user's file reads holds for its helpers too.
    lists = [_source(Path(root).resolve()).declared for root in roots if root.endswith(".py")]
    if all(declared is None for declared in lists):
        for path in [path for path in files if _source(path).declared is None]:
            check_followed(path, _source(path).loads)
    total = hashlib.sha256()
    for root in objects:
        total.update(f"{root}\0{_object_meaning(root)}\0".encode())
    for path in files:
        name = path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name
        total.update(f"{name}\0{_source(path).meaning}\0".encode())
        for declared, file in (_source(path).declared or {}).items():
            total.update(f"{declared}\0{digest(file)}\0".encode())
        # An empty list says that nothing of what it reads changes.
        for file in () if {} in (*lists, _source(path).declared) else _source(path).reads:
            total.update(f"{file.name}\0{digest(file)}\0".encode())
    return total.hexdigest()[:_DIGITS]


def _closure(roots: tuple[str, ...]) -> list[Path]:
    files: set[Path] = set()
    waiting = [Path(root).resolve() if root.endswith(".py") else _module_path(root) for root in roots]
    while waiting:
        path = waiting.pop()
        if path is None or path in files:
            continue
        files.add(path)
        source = _source(path)
        waiting.extend(_module_path(name) for name in source.imports)
        if not path.is_relative_to(PACKAGE):
            names = source.imports | set(source.loads.names)
            waiting += [*own_modules.files_of(names, path.parent, source.loads.folders), *source.loads.files]
    return sorted(files)


@cache
def _module_path(name: str) -> Path | None:
    head, *rest = name.split(".")
    if head != "nullmode":
        return None
    # The `__init__` of a package is left out. It holds a table of variants, of which callers give as roots those that
    # they use; through the table, every result would depend on every descriptor.
    path = PACKAGE.joinpath(*rest).with_suffix(".py")
    return path if name not in _LEFT_OUT and path.is_file() else None


def _object_meaning(root: str) -> str:
    """Syntax trees of one object of a module and of the objects of that module that it is made of."""
    module, _, name = root.partition(":")
    path = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    defined = {name: node for node in ast.parse(path.read_text(encoding="utf-8")).body for name in _names_defined(node)}
    trees: dict[str, str] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in defined and name not in trees:
            trees[name] = _meaning(defined[name], set())
            waiting.extend(node.id for node in ast.walk(defined[name]) if isinstance(node, ast.Name))
    return "".join(trees[name] for name in sorted(trees))


def _names_defined(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    names = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    return [*names, node.name] if isinstance(node, ast.ClassDef | ast.FunctionDef) else names


def meaning(path: str | Path) -> str:
    """Hash of one Python file alone, as :func:`code_hash` sees it."""
    return _source(Path(path)).meaning[:_DIGITS]


class _Source(NamedTuple):
    """What a file imports, and what it means.

    Attributes
    ----------
    imports
        Names of modules.
    meaning
        Hash of its syntax tree without docstrings, and of the template beside it.
    declared, reads
        Data files that a user's file says it reads, by name, None without such a list; those that it names elsewhere.
    loads
        What a user's file loads otherwise.
    """

    imports: frozenset[str]
    meaning: str
    declared: Mapping[str, Path] | None = None
    loads: Loads = Loads()
    reads: tuple[Path, ...] = ()


@cache
def _source(path: Path) -> _Source:
    if path.suffix not in (".py", ".pyi"):
        # A compiled module of a user's own.
        return _Source(frozenset(), digest(path))
    code = path.read_bytes()
    imports, meaning = _parsed(code)
    names = set(imports)
    own = not path.is_relative_to(PACKAGE)
    if own and any(name.partition(".")[0] == "nullmode" for name in names):
        # A user's file that imports nullmode may use any public name.
        names.update(_source(PACKAGE / "__init__.pyi").imports)
    template = path.with_suffix(".html")
    digits = hashlib.sha256(meaning.encode() + (template.read_bytes() if template.is_file() else b"")).hexdigest()
    if not own:
        return _Source(frozenset(names), digits)
    tree = ast.parse(code)
    return _Source(frozenset(names), digits, own_modules.declared(path, tree), loads(tree, path), reads(tree, path))


def _parsed(code: bytes) -> tuple[list[str], str]:
    """Names that code imports and its meaning, from the user's cache: to parse all files takes half a second."""

    def parse() -> bytes:
        names: set[str] = set()
        meaning = hashlib.sha256(_meaning(ast.parse(code), names).encode()).hexdigest()
        return json.dumps([sorted(names), meaning]).encode()

    imports, meaning = json.loads(remembered("sources", PYTHON.encode() + _own_code() + code, parse))
    return imports, meaning


@cache
def _own_code() -> bytes:
    return Path(__file__).read_bytes() + Path(own_modules.__file__).read_bytes()


def _meaning(tree: ast.AST, imported: set[str]) -> str:
    """Write a syntax tree without docstrings and places in the file, and add the names that it imports."""
    parts: list[str] = []
    write = parts.append

    def visit(node: Any) -> None:
        kind = node.__class__
        write(kind.__name__)
        if kind is ast.Import:
            imported.update(alias.name for alias in node.names)
        elif kind is ast.ImportFrom:
            start = "." * node.level + (node.module or "")
            imported.add(start)
            # What is imported from a package may be a module of it.
            imported.update(f"{start}{'.' if node.module else ''}{alias.name}" for alias in node.names)
        for name in kind._fields:
            value = getattr(node, name, None)
            if value.__class__ is list:
                if name == "body" and kind in _DOCUMENTED and _is_text(value[:1]):
                    value = value[1:]
                write("[")
                for each in value:
                    if isinstance(each, ast.AST):
                        visit(each)
                    else:
                        write(repr(each))
                write("]")
            elif not isinstance(value, ast.AST):
                write(repr(value))
            elif value.__class__ not in _CONTEXTS:
                visit(value)

    visit(tree)
    return " ".join(parts)


def _is_text(body: list[Any]) -> bool:
    """Whether the first statement of a body is a docstring."""
    return any(isinstance(each, ast.Expr) and isinstance(getattr(each.value, "value", None), str) for each in body)


@cache
def _libraries(root: str) -> frozenset[str]:
    """Top-level packages outside nullmode that a root imports, directly or through modules of nullmode."""
    names = {name.partition(".")[0] for path in _closure((root,)) for name in _source(path).imports}
    return frozenset(names - sys.stdlib_module_names - {""})
