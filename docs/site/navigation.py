"""A Sphinx extension: the lists of links on the first page are the navigation of the site."""

import re

from sphinx.application import Sphinx

SECTION = re.compile(r"^## (.*)\n((?:.*\n)*?)(?=^## |\Z)", re.MULTILINE)
ENTRY = re.compile(r"^- \[([^\]]*)\]\(([^)#]*)\.md\)", re.MULTILINE)


def _add(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname != app.config.root_doc:
        return
    for title, text in SECTION.findall(source[0]):
        entries = [f"{label} <{path}>" for label, path in ENTRY.findall(text)]
        if title == "Reference":
            entries.append("Python <api/index>")
        source[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {title}", "", *entries, "```", ""])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register."""
    app.connect("source-read", _add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
