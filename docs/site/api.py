"""A Sphinx extension: pages of the public names, from `nullmode.__all__`, the signatures and the docstrings."""

import inspect
import re
import types
import typing
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

import nullmode

# The package in which a name is defined, and the title of its page; the order is that of the navigation.
PAGES = {
    "geometry": "Structures and environments",
    "descriptors": "Descriptors",
    "basis": "Radial functions",
    "adapters": "Descriptors of other codes",
    "analysis": "Verdicts and tables",
    "spectrum": "Singular values",
    "attribution": "Causes of null values",
    "limits": "Limit and resolution",
    "symmetry": "Symmetry",
    "search": "Searches",
    "tables": "Results of a sweep",
    "views": "Pages for a browser",
    "families": "Families of structures",
    "figures": "Figures",
    "_support": "Errors and axes",
}
# Bases that docstrings of public classes refer to, by the page that describes them.
SHARED = {
    "descriptors": ["nullmode.descriptors._base.DensityDescriptor"],
    "basis": ["nullmode.basis.radial._base.RadialBasis", "nullmode.basis.radial._polynomials.Polynomials"],
}


def _write(app: Sphinx) -> None:
    names: dict[str, list[str]] = {page: [] for page in PAGES}
    for name in nullmode.__all__:
        names[nullmode._HOME[name].split(".")[1]].append(f"nullmode.{name}")
    pages = {page: _page(title, names[page], SHARED.get(page, [])) for page, title in PAGES.items()}
    contents = "".join(f"   {page}\n" for page in PAGES)
    text = "Everything public is an attribute of the package: ``import nullmode as nm``."
    pages["index"] = f"{_title('Python')}\n{text}\n\n.. toctree::\n\n{contents}"
    folder = Path(app.srcdir) / "docs" / "api"
    folder.mkdir(exist_ok=True)
    for path in set(folder.glob("*.rst")) - {folder / f"{page}.rst" for page in pages}:
        path.unlink()
    for page, content in pages.items():
        path = folder / f"{page}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"


def _page(title: str, names: list[str], shared: list[str]) -> str:
    rows = "".join(f"   * - :py:obj:`{name.split('.')[1]} <{name}>`\n     - {_summary(name)}\n" for name in names)
    entries = "".join(map(_entry, [*names, *shared]))
    return f"{_title(title)}\n.. currentmodule:: nullmode\n\n.. list-table::\n\n{rows}\n{entries}"


def _docstring(name: str) -> str:
    module, _, attribute = name.rpartition(".")
    found = getattr(import_module(module), attribute)
    if isinstance(found, type) or inspect.isfunction(found):
        return inspect.getdoc(found) or ""
    written = ModuleAnalyzer.for_module(nullmode._HOME[attribute]).find_attr_docs()
    return "\n".join(written["", attribute]).strip()


def _summary(name: str) -> str:
    first = _docstring(name).split("\n\n")[0]
    return _escaped(" ".join(first.split()))


def _entry(name: str) -> str:
    module, _, attribute = name.rpartition(".")
    found = getattr(import_module(module), attribute)
    if inspect.isfunction(found):
        return f".. autofunction:: {name}\n\n"
    if not isinstance(found, type):
        return f".. py:data:: {attribute}\n\n   {_docstring(name)}\n\n"
    kind = "exception" if issubclass(found, Exception) else "class"
    # Fields are in the docstring of the class.
    members = [key for key, value in vars(found).items() if not key.startswith("_") and _documented(value)]
    return f".. auto{kind}:: {name}\n" + (f"   :members: {', '.join(members)}\n" if members else "") + "\n"


def _documented(value: Any) -> bool:
    return isinstance(value, types.FunctionType | classmethod | staticmethod | property) and bool(value.__doc__)


def _signature(
    app: Sphinx, what: str, name: str, found: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, str] | None:
    if what not in {"class", "function", "method"} or signature is None:
        return None
    parsed = inspect.signature(found)
    parameters, star = [], False
    for parameter in parsed.parameters.values():
        # The kind of a variant has one value only, and is for configurations.
        if parameter.name in {"self", "cls", "kind"}:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parameters.append("*")
        star = star or parameter.kind in {parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL}
        parameters.append(_parameter(parameter))
    result = "" if what == "class" or parsed.return_annotation is parsed.empty else _text(parsed.return_annotation)
    return f"({', '.join(parameters)})", result


def _escape(app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    lines[:] = map(_escaped, lines)


def _escaped(line: str) -> str:
    # |x| is an absolute value, not the name of a substitution.
    return re.sub(r"(``.*?``)|\|", lambda match: match[1] or r"\|", line)


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = f"{stars}{parameter.name}"
    if parameter.annotation is not parameter.empty:
        text += f": {_text(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        default = parameter.default
        # A radial basis and its like: their own defaults are in their own signatures.
        text += f" = {type(default).__name__}()" if is_dataclass(default) else f" = {default!r}"
    return text


def _text(annotation: Any) -> str:
    if annotation is None or annotation is types.NoneType:
        return "None"
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, typing.ForwardRef):
        return annotation.__forward_arg__
    if isinstance(annotation, list):
        return f"[{', '.join(map(_text, annotation))}]"
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _text(arguments[0])
    if origin is typing.Literal:
        return " | ".join(map(repr, arguments))
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(map(_text, arguments))
    name = getattr(annotation, "__name__", str(annotation))
    if name == "ndarray" or not arguments:
        return "..." if annotation is Ellipsis else name
    return f"{name}[{', '.join(map(_text, arguments))}]"


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before they are read, and make signatures short."""
    app.connect("builder-inited", _write)
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _escape, priority=400)  # before numpydoc reads it
    return {"parallel_read_safe": True, "parallel_write_safe": True}
