"""Hashes of source code: what a result was computed with, and when a compiled kernel is stale.

Neither Numba's disk cache nor Snakemake sees an edit in an *imported* file; both are keyed by these hashes.
"""

import ast
import hashlib
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import NamedTuple

from nullmode._support.types import JSON, InputError

PACKAGE = Path(__file__).resolve().parents[1]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Syntax trees, and with them the hashes, may differ from one minor version to the next."""
CARRIERS = frozenset({"nullmode", "pandas", "platformdirs", "pyarrow", "pydantic", "rich", "threadpoolctl", "yaml"})
"""Libraries that carry numbers and check them, but compute none; of nullmode itself, the hashes say more."""
_DIGITS = 12


def origin(*roots: str) -> JSON:
    """Say what a result is computed with, so that equal origins give equal numbers.

    Parameters
    ----------
    *roots
        As in :func:`code_hash`.

    Returns
    -------
    dict
        ``code``: the hash of each root with all that it imports of nullmode. ``versions``: of Python and of the
        libraries that these modules import, but for those in ``CARRIERS``.
    """
    libraries = sorted(frozenset.union(*map(_libraries, roots)) - CARRIERS)
    versions = {name: found for name in ["python", *libraries] if (found := installed(name)) is not None}
    return {"code": {root: code_hash(root) for root in roots}, "versions": versions}


def check_unchanged(planned: JSON) -> None:
    """Refuse to compute with other code than what the job was planned with, which is what its table will name.

    Raises
    ------
    InputError
        If a module or a library is not what it was when :func:`origin` gave `planned`.
    """
    now = origin(*planned["code"])
    changed = [name for key in planned for name in planned[key] if now[key].get(name) != planned[key][name]]
    if changed:
        raise InputError(
            f"The code must not change between the plan and a job, got changes in {', '.join(changed)}. "
            "Start the workflow again."
        )


@cache
def installed(module: str) -> str | None:
    """Version of the library that gives a module, or of Python; None for what belongs to no library."""
    if module == "python":
        return PYTHON
    try:
        return version(module)
    except PackageNotFoundError:
        names = packages_distributions().get(module, [])
        return version(names[0]) if names else None


def digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def kernel_hash() -> str:
    """Hash of every file that defines kernels (names ``_jit``) and all that these import: the key of the kernel cache.

    Flags of the compiler, lanes, constants and fields of tuples are part of machine code, wherever they are written.
    """
    files = [str(path) for path in sorted(PACKAGE.rglob("*.py")) if b"_jit" in path.read_bytes()]
    return code_hash(*files)


@cache
def code_hash(*roots: str) -> str:
    """Hash of the code that a result depends on: the named modules and all of nullmode that they import.

    Comments, docstrings and layout do not count, so that editing them makes no result stale. The HTML template beside a
    module, a file of the same name, belongs to the module's code.

    Parameters
    ----------
    *roots
        Dotted names of nullmode's modules, or paths of Python files.

    Returns
    -------
    str
        Twelve hexadecimal digits.

    Raises
    ------
    FileNotFoundError
        If none of the roots exists.
    """
    files = _closure(roots)
    if not files:
        raise FileNotFoundError(f"None of these is a module of nullmode: {', '.join(roots)}.")
    total = hashlib.sha256()
    for path in files:
        name = path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name
        total.update(f"{name}\0{_source(path).meaning}\0".encode())
    return total.hexdigest()[:_DIGITS]


def _closure(roots: tuple[str, ...]) -> list[Path]:
    found: set[Path] = set()
    waiting = [Path(root).resolve() if root.endswith(".py") else _module_path(root) for root in roots]
    while waiting:
        path = waiting.pop()
        if path is None or path in found:
            continue
        found.add(path)
        waiting.extend(_module_path(name) for name in _source(path).imports)
    return sorted(found)


def _module_path(name: str) -> Path | None:
    head, *rest = name.split(".")
    if head != "nullmode":
        return None
    # A package's `__init__` is left out: it holds a table of names, whose entries callers give as roots. Through it,
    # every result would depend on every descriptor, and a new one would make all of them stale.
    path = PACKAGE.joinpath(*rest).with_suffix(".py")
    return path if path.is_file() else None


class _Source(NamedTuple):
    """What a file imports, and the hash of its syntax tree without docstrings and of the template beside it."""

    imports: frozenset[str]
    meaning: str


@cache
def _source(path: Path) -> _Source:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    if "nullmode" in names and not path.is_relative_to(PACKAGE):
        # A user's file reaches the public names through the package; which ones, its imports do not tell.
        names.update(_public_modules())
    template = path.with_suffix(".html")
    meaning = ast.dump(tree).encode() + (template.read_bytes() if template.is_file() else b"")
    return _Source(frozenset(names), hashlib.sha256(meaning).hexdigest())


def _public_modules() -> set[str]:
    import nullmode

    return set(nullmode._HOME.values())


@cache
def _libraries(root: str) -> frozenset[str]:
    """Modules of others that a root or what it reaches imports, by their first names."""
    names = {name.partition(".")[0] for path in _closure((root,)) for name in _source(path).imports}
    return frozenset(names - sys.stdlib_module_names)
