"""HTML pages from the templates that lie beside the modules; each holds what its content follows from."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nullmode._support.types import JSON
from nullmode.tables import stamp

_PACKAGE = Path(__file__).resolve().parents[1]
_TEMPLATES = Environment(
    loader=FileSystemLoader(_PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def render(module: str, title: str, provenance: JSON | None = None, **values: Any) -> str:
    """Fill the template of a module, given by its dotted name, with values; texts are escaped.

    The template lies beside the module, has its file name with the suffix ``.html``, extends ``page.html`` of this
    package, and counts as code of the module (:func:`nullmode._support.code_hash.code_hash`). What the content follows
    from is kept in the page, as in a table, with nullmode's version and the module.
    """
    _, _, name = module.partition(".")
    template = _TEMPLATES.get_template(f"{name.replace('.', '/')}.html")
    return template.render(title=title, provenance=stamp.of_page(provenance or {}, module), **values)
