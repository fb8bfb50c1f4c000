"""Data files that a user's file names and does not write: what it reads, as far as that is written out."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nullmode._support.files import PLAN_FILE
from nullmode._support.own_texts import ALL, assigned_anywhere, name_of, value_of

_CODE = {".py", ".pyc", ".pyi"}
_LONGEST = 400
_MAGIC = re.compile(r"[*?[]")
# How a file is opened to be written, functions that write, and arguments that name what is written.
_MODE = re.compile(r"[wax][bt]?\+?[bt]?")
_WRITES = re.compile("(write|save|dump|to_|touch|unlink|remove|rename|mkdir|makedirs).*|.*(Writer|Handler)")
_OUTPUTS = re.compile("(log|traj|out|cache|dest|restart).*|.*(out|output|log)|label|directory")


def reads(tree: ast.Module, path: Path) -> tuple[Path, ...]:
    """Find the existing files that a file, given by its syntax tree and its path, names in texts and paths.

    Those that match a text of which a part is not known count (``f"data/{n}.xyz"``), and the files of a folder that it
    lists. What the file writes, too, such as a cache, does not, nor what is in a folder of results.
    """
    known: dict[str, Any] = {**assigned_anywhere(tree), "__file__": str(path.resolve())}
    folder = path.resolve().parent
    written: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for each in _written(node):
                written.update(file for text in _texts(each, known, True) for file in _files(text, folder))
    found = {file for text in _texts(tree, known, True) for file in _files(text, folder)}
    return tuple(sorted(found - written - {path.resolve()}))


def _written(call: ast.Call) -> list[ast.expr]:
    """Arguments of a call that may name a file that it writes."""
    own = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    given = [*call.args, *(each.value for each in call.keywords)]
    modes = (each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str))
    if _WRITES.fullmatch(name_of(call.func)) or any(map(_MODE.fullmatch, modes)):
        return own + given
    return [each.value for each in call.keywords if each.arg and _OUTPUTS.fullmatch(each.arg)]


def _texts(node: ast.AST, known: dict[str, Any], patterns: bool) -> Iterator[str]:
    """Texts and paths in a tree, the longest expressions that have a value."""
    if isinstance(node, ast.expr):
        try:
            yield str(value_of(node, known, patterns))
        except (ValueError, TypeError, AttributeError):
            pass
        else:
            return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            # A docstring.
            continue
        # Below a folder that is not known, a pattern stands for anything.
        unknown = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and child is node.right
        yield from _texts(child, known, patterns and not unknown)


def _files(text: str, folder: Path) -> list[Path]:
    """Existing files that a text of a file in `folder` names or matches, without code and results."""
    if not text or len(text) > _LONGEST or set(text) & {"\n", "\0"}:
        return []
    try:
        path = Path(text).expanduser()
        if not _MAGIC.search(text):
            # As in ASE, frames of a file may follow its name.
            matches = [each for each in (path, Path(text.rpartition("@")[0]).expanduser()) if each.is_file()]
        elif path.name == ALL or (path.suffix and not _MAGIC.search(path.suffix)) or _is_of_data(path, folder):
            matches = list(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
        else:
            return []
        # In a folder like .git, nothing is meant.
        seen = [each for each in matches if not any(part[0] == "." for part in {*each.parts} - {*path.parts})]
        files = [each.resolve() for each in seen if each.is_file() and each.suffix not in _CODE]
    except (OSError, ValueError, RuntimeError, NotImplementedError):  # a text that cannot be a path
        return []
    return [each for each in files if not any((folder / PLAN_FILE).exists() for folder in each.parents)]


def _is_of_data(path: Path, folder: Path) -> bool:
    """Whether a path is any file of a folder that holds neither the user's file nor what a run writes."""
    inside = path.parent.resolve()
    return (
        path.name == "*" and inside.is_dir() and not any(each.is_relative_to(inside) for each in (folder, Path.cwd()))
    )
