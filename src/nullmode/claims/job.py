"""What the claims job does: tables of a run and a file of claims to a ledger and its page."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from nullmode._support.code_hash import digest
from nullmode._support.files import written
from nullmode._support.types import JSON
from nullmode.claims import ledger, model
from nullmode.claims.page import page
from nullmode.tables import parquet


def write_ledger(
    claims: str | Path, tables: Mapping[str, Iterable[str]], table_file: str, page_file: str, code: JSON
) -> None:
    """Hold the tables of a run against its claims, and write the ledger as a table and as a page.

    Parameters
    ----------
    tables
        Files of each table that queries see, by its name.
    table_file, page_file
        Files that are written: Parquet and HTML.
    code
        Origin of this code, kept in the files.
    """
    stated = model.read(claims)
    frame = ledger.ledger(stated, tables)
    inputs = parquet.inputs({path: path for paths in tables.values() for path in paths})
    provenance = {**code, "inputs": {**inputs, str(claims): {"sha256": digest(claims)}}}
    parquet.write(frame, table_file, "claims", provenance)
    with written(page_file) as temporary:
        temporary.write_text(page(frame, stated, provenance), encoding="utf-8")
