"""An in-memory database that shows the tables of a run to the queries of claims."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from nullmode._support.types import InputError
from nullmode.tables import columns, parquet

Connection = duckdb.DuckDBPyConnection
Error = duckdb.Error
VIEWS = ("sensitivity", "summary", "structures", "search", "search_steps", "regression")
"""Names of the tables that queries see."""
_FAMILY = columns.Column("family", pa.string(), "name of the family in the configuration")


def connect(files: Mapping[str, Iterable[str | Path]]) -> Connection:
    """Open a database with a view of each table. It can read the given files and reach no other.

    The view ``structures`` holds all families, with a column ``family``. Rows have the order of the files.
    """
    # With several threads the order of summation, and with it the last digits of a sum, would vary.
    connection = duckdb.connect(config={"threads": 1})
    allowed: list[str] = []
    for table in VIEWS:
        paths = [str(path) for path in files.get(table, ())]
        for path in paths:
            parquet.check_table(parquet.provenance(path), path, table)
        if paths:
            source = f"read_parquet({_texts(paths)}, union_by_name = true, hive_partitioning = false, filename = true)"
            family = ", parse_filename(filename, true) AS family" if table == "structures" else ""
            connection.execute(f"CREATE VIEW {table} AS SELECT * EXCLUDE (filename){family} FROM {source}")
            allowed += paths
    connection.execute(f"SET allowed_paths = {_texts(allowed)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _texts(values: Iterable[str]) -> str:
    """Write a list of texts as SQL."""
    quoted = ["'" + value.replace("'", "''") + "'" for value in values]
    return f"[{', '.join(quoted)}]"


def connect_empty() -> Connection:
    """Open a database whose tables have no rows and only the columns of every run, to check queries with."""
    connection = duckdb.connect(config={"enable_external_access": False})
    for name in VIEWS:
        documented = (*columns.TABLES.get(name, ()), *([_FAMILY] if name == "structures" else []))
        if documented:
            schema = pa.schema([(column.name, column.type) for column in documented])
            connection.register(name, schema.empty_table())
    return connection


def check_statement(query: str, where: str = "query") -> None:
    """Refuse a query that is not exactly one SELECT; a SELECT changes nothing."""
    try:
        statements = duckdb.extract_statements(query)
    except Error as error:
        raise InputError(f"`{where}` must be SQL, got {reason(error)}.") from None
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise InputError(f"`{where}` must be one SELECT, got {query!r}.")


def reason(error: Exception) -> str:
    """Give the first line of an error's message."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
