"""An HTML page that shows structures with chemiscope, https://chemiscope.org; it needs no network."""

import base64
import gzip
import json
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from nullmode._support.files import written
from nullmode._support.types import JSON, InputError
from nullmode.tables.page import render


def library() -> ModuleType:
    """Import chemiscope, an optional dependency; raise an InputError if it is missing."""
    try:
        import chemiscope
    except ModuleNotFoundError as error:
        raise InputError(
            f"A view is made with chemiscope, which cannot be imported: {error}. "
            f"Run: {sys.executable} -m pip install chemiscope"
        ) from None
    module: ModuleType = chemiscope
    return module


def write_page(
    dataset: JSON, entries: list[JSON], legend: dict[str, str], path: str | Path, provenance: JSON | None = None
) -> None:
    """Write a page that shows a dataset; the same dataset gives the same bytes.

    Parameters
    ----------
    dataset
        As ``chemiscope.create_input`` makes it; NaN is allowed.
    entries
        What stands beside each structure: where it comes from, what is seen of it, and its modes with their shapes.
    legend
        Colours of the arrows by what they show.
    path
        The HTML file to write; its folder is made.
    provenance
        What the dataset follows from, kept in the page.

    Raises
    ------
    InputError
        If chemiscope is missing.
    """
    page = render(__name__, dataset["meta"]["name"], provenance, **filled(dataset, entries, legend))
    with written(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def filled(dataset: JSON, entries: list[JSON], legend: dict[str, str]) -> JSON:
    """Give what the template of this page, and those that extend it, are filled with; errors as :func:`write_page`."""
    viewer = Path(str(library().__file__)).parent / "sphinx" / "static" / "chemiscope.min.js"
    return {
        "description": dataset["meta"].get("description", ""),
        "legend": legend,
        "viewer": _packed(viewer.read_bytes()),
        "dataset": _packed(json.dumps(_plain(dataset), allow_nan=False).encode()),
        "entries": _packed(json.dumps(entries).encode()),
    }


def _packed(content: bytes) -> str:
    # Compressed, viewer and data fit into the report, in which Chromium leaves a page of more than 1.5 MB blank.
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def _plain(value: Any) -> Any:
    """Replace NaN, which JSON cannot hold, by None."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
