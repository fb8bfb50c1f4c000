"""Tables in Parquet files: columns as documented, provenance in the file, and never a half-written file."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nullmode._support.code_hash import PYTHON, digest
from nullmode._support.files import written
from nullmode._support.types import JSON, InputError
from nullmode.tables import footer
from nullmode.tables.columns import OPTIONAL, TABLES, folded
from nullmode.tables.identity import identified

SCHEMA_VERSION = 3
"""Increased when a column, or a key of the provenance, changes its name, type or meaning; not for a new one."""
_KEY = b"nullmode"


def coordinates(frame: pd.DataFrame, table: str) -> list[str]:
    """Names of the columns that are not documented: the coordinates of a family."""
    known = {column.name for column in TABLES[table]}
    return [name for name in frame.columns if name not in known]


def inputs(files: Mapping[str, str | Path]) -> JSON:
    """Provenance of the files that a table is made from: the hash and the provenance of each, by name."""
    return {name: {"sha256": digest(path), **provenance(path)} for name, path in files.items()}


def write(frame: pd.DataFrame, path: str | Path, table: str, provenance: JSON) -> None:
    """Write a table under a temporary name, then move it into place; the same input gives the same bytes.

    The frame has all columns of the table, but for those of the resolution where they were not asked for; further ones
    are coordinates (numbers or texts). The provenance, what they were computed from, such as an origin of
    :mod:`nullmode._support.code_hash`, is kept in the file.

    Raises
    ------
    InputError
        If a column is missing or does not have its type.
    OSError
        If the file cannot be written; an older one is left as it was.
    """
    write_groups([frame], path, table, provenance)


def write_groups(frames: Sequence[pd.DataFrame], path: str | Path, table: str, provenance: JSON) -> None:
    """Write a table as :func:`write` does, a row group for each frame; where one has no coordinate of another, null.

    Raises
    ------
    InputError
        As :func:`write`, and if a coordinate has types in two frames that no type unites.
    """
    arrays = [_arrow(frame, table) for frame in frames]
    schema = arrays[0].schema
    for array in arrays[1:]:
        schema = united(schema, array.schema, path)
    schema = schema.with_metadata(_metadata(table, provenance))
    with _writer(path, schema) as writer:
        for array in arrays:
            if array.num_rows:
                writer.write_table(pa.concat_tables([schema.empty_table(), array], promote_options="permissive"))


def _arrow(frame: pd.DataFrame, table: str) -> pa.Table:
    left_out = [column for column in TABLES[table] if column.name not in frame.columns]
    missing = [column.name for column in left_out if column not in OPTIONAL]
    if missing:
        raise InputError(f"`frame` must have all columns of the {table} table, got none named {', '.join(missing)}.")
    extra = coordinates(frame, table)
    coordinate = {"meaning": "coordinate"}
    own = [pa.field(name, pa.Array.from_pandas(frame[name]).type, metadata=coordinate) for name in extra]
    documented = [field for field in _fields(table) if field.name in frame.columns]
    schema = pa.schema([*documented, *own])
    try:
        return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    except pa.ArrowException as error:
        raise InputError(f"`frame` must have the types of the {table} table: {error}.") from error


def united(schema: pa.Schema, other: pa.Schema, path: str | Path) -> pa.Schema:
    """Unite the columns of two tables; `path` is where the second one is, for the message.

    Raises
    ------
    InputError
        If a coordinate has types that no type unites, or two differ only in case.
    """
    known = {folded(name): name for name in schema.names}
    for name in other.names:
        if (before := known.get(folded(name), name)) != name:
            raise InputError(
                f"Coordinates must differ by more than case in all families, got {name} in {path}, and {before} in "
                "another. Give both one name, or read the families apart, with a filter."
            )
    try:
        return pa.unify_schemas([schema, other], promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(
            f"A coordinate must have one type in all families, got another in {path}: {error}. Give it another name in "
            "one of the families, or read the families apart, with a filter."
        ) from error


@contextmanager
def streamed(path: str | Path, table: str, provenance: JSON) -> Iterator[Callable[[list[Any]], None]]:
    """Context that gives a function, which appends rows to a table; errors as :func:`write`.

    The function takes an array for each column. The file appears at the end, unless an error was raised.
    """
    schema = pa.schema(_fields(table), _metadata(table, provenance))
    # Floating-point numbers repeat too rarely for a dictionary.
    with _writer(path, schema, use_dictionary=["center_species", "status"]) as writer:
        yield lambda arrays: writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


@contextmanager
def streamed_frames(path: str | Path, table: str, provenance: JSON) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Do as :func:`streamed`; the function takes frames with the same columns, of which each becomes a row group."""
    with ExitStack() as stack:
        writers: list[Any] = []

        def append(frame: pd.DataFrame) -> None:
            rows = _arrow(frame, table)
            if not writers:
                schema = rows.schema.with_metadata(_metadata(table, provenance))
                writers.append(stack.enter_context(_writer(path, schema)))
            writers[0].write_table(rows)

        yield append


@contextmanager
def _writer(path: str | Path, schema: pa.Schema, **options: Any) -> Iterator[Any]:
    with written(path) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True, **options) as writer:
            yield writer
        footer.seal(temporary)


def _fields(table: str) -> list[pa.Field]:
    return [pa.field(c.name, c.type, metadata={"unit": c.unit, "meaning": c.meaning}) for c in TABLES[table]]


def _metadata(table: str, provenance: JSON) -> dict[bytes, bytes]:
    # Tables that one job makes together differ in this alone.
    provenance = identified({**provenance, "table": table})
    carriers = {"python": PYTHON, **{name: version(name) for name in ("nullmode", "pandas", "pyarrow")}}
    versions = carriers | provenance.get("versions", {})
    content = {**provenance, "schema_version": SCHEMA_VERSION, "versions": versions}
    texts = {footer.IDENTITY: provenance["identity"], footer.SEAL: footer.OPEN}
    return {_KEY: json.dumps(content, sort_keys=True).encode(), **{key.encode(): texts[key].encode() for key in texts}}


def read(
    path: str | Path, table: str | None = None, filters: Any = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a table of nullmode's, which must be `table` if this is given.

    Filters are conditions on rows, in the form that pyarrow takes. Of `columns`, those are read that the file has.

    Raises
    ------
    InputError
        For a missing, corrupt or foreign file, or another table or version.
    """
    content = provenance(path)
    if table is not None:
        check_table(content, path, table)
    with undamaged(path):
        kept = None if columns is None else [name for name in pq.read_schema(path).names if name in columns]
        frame: pd.DataFrame = pq.read_table(
            path, filters=filters, columns=kept, partitioning=None, page_checksum_verification=True
        ).to_pandas()
    return frame


def provenance(path: str | Path) -> JSON:
    """Read the provenance of a table, without its rows; errors as :func:`read`."""
    return content_of(schema_at(path), path)


def schema_at(path: str | Path) -> pa.Schema:
    """Read the schema of a Parquet file; errors as :func:`read`."""
    check_whole(path)
    with undamaged(path):
        return pq.read_schema(path)


def check_whole(path: str | Path) -> None:
    """Refuse a path that is not a file, and a table that was changed after nullmode wrote it."""
    if not Path(path).is_file():
        raise InputError(f"`path` must be an existing Parquet file, got {path}.")
    footer.check_unchanged(path)


def check_table(content: JSON, path: str | Path, table: str) -> None:
    """Refuse another table than the given one; `content` is the provenance of the file."""
    if content["table"] != table:
        raise InputError(f"`path` must be a {table} table, got the {content['table']} table {path}.")


@contextmanager
def undamaged(path: str | Path) -> Iterator[None]:
    """Turn the errors of pyarrow at a damaged file into an InputError that names it."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"`path` must be an undamaged Parquet file, got {path}: {error}. If the workflow made it, delete it and "
            "run the workflow again."
        ) from error


def is_table(path: str | Path, table: str) -> bool:
    """Whether a file is this table, written by any version of nullmode."""
    try:
        return bool(json.loads((pq.read_schema(path).metadata or {})[_KEY])["table"] == table)
    except (pa.ArrowException, OSError, LookupError, TypeError, ValueError):
        return False


def content_of(schema: pa.Schema, path: str | Path) -> JSON:
    """Read the provenance of a table from its schema; errors as :func:`read`, naming `path`."""
    try:
        content: JSON = json.loads(schema.metadata[_KEY])
        schema_version, writer, _ = content["schema_version"], content["versions"]["nullmode"], content["table"]
    except (TypeError, KeyError, ValueError):
        raise InputError(
            f"`path` must be a table written by nullmode, got the foreign file {path}. Move it elsewhere."
        ) from None
    if schema_version != SCHEMA_VERSION:
        remedy = (
            "Update nullmode to that version or a later one."
            if schema_version > SCHEMA_VERSION
            else f"Run what made it again, or read it with nullmode {writer}."
        )
        raise InputError(
            f"`path` must have schema version {SCHEMA_VERSION}, got {schema_version}, written by nullmode {writer}, in "
            f"{path}. {remedy}"
        )
    return content


def schema_of(path: str | Path) -> list[tuple[str, str, str, str]]:
    """Name, type, unit and meaning of each column of a file."""
    schema = schema_at(path)
    content_of(schema, path)
    rows = []
    for field in schema:
        notes = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        rows.append((field.name, str(field.type), notes.get("unit", ""), notes.get("meaning", "")))
    return rows
