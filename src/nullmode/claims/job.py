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
    """Do a job: hold tables, given as files by name, against a file of claims, and write the ledger as table and page.

    `code`, the origin of this code, is kept.
    """
    stated = model.read(claims)
    frame = ledger.ledger(stated, tables)
    folder = Path(table_file).parent
    inputs = parquet.inputs(
        {Path(path).relative_to(folder).as_posix(): path for paths in tables.values() for path in paths}
    )
    provenance = {**code, "inputs": {**inputs, str(claims): {"sha256": digest(claims)}}}
    parquet.write(frame, table_file, "claims", provenance)
    with written(page_file) as temporary:
        temporary.write_text(page(frame, stated, provenance), encoding="utf-8")
