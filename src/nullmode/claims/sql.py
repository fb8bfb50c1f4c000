"""Tables of a run as views of an in-memory database, for the queries of claims."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from nullmode._support.types import InputError
from nullmode.tables import columns, parquet

Connection = duckdb.DuckDBPyConnection
Error = duckdb.Error
VIEWS = ("sensitivity", "summary", "structures", "search", "search_steps", "regression")
"""Tables that queries see, by these names."""
_FAMILY = columns.Column("family", pa.string(), "", "name of the family in the configuration")


def connected(files: Mapping[str, Iterable[str | Path]]) -> Connection:
    """Open views of tables in an in-memory database that can read these files and touch nothing else.

    The view `structures` is of all families, with a column ``family``. Of rows, the order is that of the files.
    """
    # One thread: sums of floating-point numbers depend on their order.
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
    """Write a list of texts in SQL."""
    quoted = ["'" + value.replace("'", "''") + "'" for value in values]
    return f"[{', '.join(quoted)}]"


def empty() -> Connection:
    """Open views without rows, with the columns that every run has, to check queries by."""
    connection = duckdb.connect(config={"enable_external_access": False})
    for name in VIEWS:
        documented = (*columns.TABLES.get(name, ()), *([_FAMILY] if name == "structures" else []))
        if documented:
            schema = pa.schema([(column.name, column.type) for column in documented])
            connection.register(name, schema.empty_table())
    return connection


def check_statement(query: str, where: str = "query") -> None:
    """Refuse what is not one SELECT, the statement that changes nothing."""
    try:
        statements = duckdb.extract_statements(query)
    except Error as error:
        raise InputError(f"`{where}` must be SQL, got {reason(error)}.") from None
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise InputError(f"`{where}` must be one SELECT, got {query!r}.")


def reason(error: Exception) -> str:
    """Say in one line what was wrong with a query."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
