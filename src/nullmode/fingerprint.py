"""Hashes of source code: what a result was computed with, and when a compiled kernel is stale.

Neither Numba's disk cache nor Snakemake sees an edit in an *imported* file; both are keyed by these hashes.
"""

import ast
import hashlib
import sys
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_DIGITS = 12


@cache
def kernel_hash() -> str:
    """Hash of every file that defines kernels (names ``_jit``): the key of the kernel cache."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        if b"_jit" in path.read_bytes():
            digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0{_meaning(path)}\0".encode())
    return digest.hexdigest()[:_DIGITS]


def code_hash(*roots: str) -> str:
    """Hash of the code that a result depends on: the named modules and all of nullmode that they import.

    Comments, docstrings and layout do not count, so that editing them makes no result stale.

    Parameters
    ----------
    *roots
        Dotted names of nullmode's modules, or paths of Python files.

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in _closure(roots):
        name = path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name
        digest.update(f"{name}\0{_meaning(path)}\0".encode())
    return digest.hexdigest()[:_DIGITS]


def _closure(roots: tuple[str, ...]) -> list[Path]:
    found: set[Path] = set()
    waiting = [Path(root).resolve() if root.endswith(".py") else _module_path(root) for root in roots]
    while waiting:
        path = waiting.pop()
        if path is None or path in found:
            continue
        found.add(path)
        waiting.extend(_module_path(name) for name in _imports(path))
    return sorted(found)


def _module_path(name: str) -> Path | None:
    head, *rest = name.split(".")
    if head != "nullmode":
        return None
    # A package's `__init__` is left out: it holds a table of names, whose entries callers give as roots. Through it,
    # every result would depend on every descriptor, and a new one would make all of them stale.
    path = PACKAGE.joinpath(*rest).with_suffix(".py")
    return path if path.is_file() else None


@cache
def _imports(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    if "nullmode" in names and not path.is_relative_to(PACKAGE):
        # A user's file reaches the public names through the package; which ones, its imports do not tell.
        names.update(_public_modules())
    return frozenset(names)


def _public_modules() -> set[str]:
    import nullmode

    return set(nullmode._HOME.values())


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _meaning(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))  # a copy of its own: docstrings are cut out of it
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)
