"""What a figure or page follows from, where its format has a place: text chunk, document information, Dublin Core."""

import io
import json
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nullmode._support.types import JSON, InputError
from nullmode.tables.identity import identified

_PNG, _PDF, _SVG, _PAGE = b"\x89PNG\r\n\x1a\n", b"%PDF-", b"<?xml", b"<!doctype html>"
_WHOLE = {
    ".png": (_PNG, b"IEND\xaeB`\x82"),
    ".pdf": (_PDF, b"%%EOF"),
    ".svg": (_SVG, b"</svg>"),
    ".html": (_PAGE, b"</html>"),
}
_KEYWORD = "nullmode"
_PAGE_START, _PAGE_END = '<script type="application/json" id="provenance">', "</script>"
_CAPTION = ".. nullmode: identity "
_SVG_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"


def metadata(content: JSON, caption: str = "") -> dict[str, dict[str, Any]]:
    """Metadata of a figure for matplotlib's ``savefig``, by format; no dates, so that bytes repeat."""
    text = _text(content)
    return {
        "pdf": {"CreationDate": None, "Keywords": text} | ({"Subject": caption} if caption else {}),
        "svg": {"Date": None, "Description": text} | ({"Title": caption} if caption else {}),
        "png": {_KEYWORD: text} | ({"Description": caption} if caption else {}),
    }


def of_page(content: JSON, module: str) -> str:
    """Element of an HTML page that holds what the page follows from, and the module that writes such pages."""
    return _PAGE_START + _text(content, page=module).replace("<", "\\u003c") + _PAGE_END


def of_caption(identity: str) -> str:
    """Write the identity of a figure as the comment that ends its caption."""
    return f"{_CAPTION}{identity}"


def identity_of(path: str | Path) -> str | None:
    """Read the identity of a figure, its caption or a page, None for one without; errors as :func:`read`."""
    if Path(path).suffix == ".rst":
        found = re.search(rf"^{_CAPTION}([0-9a-f]+)$", Path(path).read_text(encoding="utf-8"), re.MULTILINE)
        return found[1] if found else None
    identity: str | None = read(path).get("identity")
    return identity


def is_whole(path: str | Path) -> bool:
    """Whether a file begins as its ending says, and was not cut short, for instance by a copy to a full disk."""
    start, end = _WHOLE.get(Path(path).suffix, (b"", b""))
    content = Path(path).read_bytes()
    return content.startswith(start) and content.rstrip().endswith(end)


def _text(content: JSON, **more: str) -> str:
    versions = {"nullmode": version("nullmode"), **content.get("versions", {})}
    return json.dumps({**identified(content), "versions": versions, **more}, sort_keys=True)


def read(path: str | Path) -> JSON:
    """Read what a figure or a view follows from.

    Raises
    ------
    InputError
        If the file is missing, or no PNG, PDF, SVG or HTML with nullmode's metadata.
    """
    if not Path(path).is_file():
        raise InputError(f"`path` must be an existing table or figure, got {path}.")
    content = Path(path).read_bytes()
    readers: dict[bytes, Callable[[bytes], bytes | str]] = {
        _PNG: _of_png,
        _PDF: _of_pdf,
        _SVG: _of_svg,
        _PAGE: _of_page,
    }
    for start, reader in readers.items():
        if content.startswith(start):
            try:
                result = json.loads(reader(content))
            except (LookupError, ValueError, ElementTree.ParseError):
                break
            if isinstance(result, dict) and "nullmode" in result.get("versions", {}):
                return result
    raise InputError(
        f"`path` must be a table (Parquet) or figure (PNG, PDF, SVG, HTML) written by nullmode, got {path}."
    )


def is_page(path: str | Path, module: str) -> bool:
    """Whether a file is a page that this module writes."""
    return is_stamped(path) and read(path).get("page") == module


def is_stamped(path: str | Path) -> bool:
    """Whether a file is a figure or a page written by nullmode."""
    try:
        read(path)
    except (InputError, OSError):
        return False
    return True


def _of_png(content: bytes) -> bytes:
    # Chunks: length of the data, type, data, checksum. A text chunk's data: keyword, zero, text.
    place, wanted = len(_PNG), f"{_KEYWORD}\0".encode()
    while True:
        size = int.from_bytes(content[place : place + 4])
        kind, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + size]
        if kind == b"tEXt" and data.startswith(wanted):
            return data.removeprefix(wanted)
        if kind in (b"IEND", b""):
            raise LookupError
        place += size + 12


def _of_pdf(content: bytes) -> bytes:
    # A string ends at the first parenthesis that no backslash escapes.
    found = re.search(rb"/Keywords \(((?:\\.|[^\\()])*)\)", content, re.DOTALL)
    if found is None:
        raise LookupError
    return re.sub(rb"\\(.)", rb"\1", found[1], flags=re.DOTALL)


def _of_svg(content: bytes) -> str:
    # It stands at the beginning, of a file that is cut short too.
    texts = (each.text for _, each in ElementTree.iterparse(io.BytesIO(content)) if each.tag == _SVG_DESCRIPTION)
    return next(texts, None) or ""


def _of_page(content: bytes) -> bytes:
    return content.partition(_PAGE_START.encode())[2].partition(_PAGE_END.encode())[0]
