"""Many tables read as one, with filters; tables that do not belong together are refused."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from nullmode._support.types import JSON, InputError
from nullmode._support.variants import suggest
from nullmode.tables import columns, manifest, parquet
from nullmode.tables.agreement import check_agreement, check_disjoint

# Files that hold a table in a folder of results; of several patterns, the first with files counts.
_FILES_OF = {
    "sensitivity": ("sensitivity/*.parquet", "tables/sensitivity.parquet"),
    "structures": ("structures/*.parquet",),
    "summary": ("tables/summary.parquet",),
    "search": ("searches/*/found.parquet",),
    "search_steps": ("searches/*/steps.parquet",),
    "claims": ("claims.parquet",),
    "regression": ("regressions/*.parquet",),
}
_PARQUET = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


def load(
    where: str | Path | Iterable[str | Path],
    table: str = "sensitivity",
    *,
    columns: Sequence[str] | None = None,
    filters: Any = None,
    mixed: bool = False,
) -> pd.DataFrame:
    """Read a table of a finished or running sweep, from the files of all its jobs.

    Of a folder of results, those files are read that the workflow planned when it last ran there (``plan.json``), and
    that were made as planned; what earlier plans left is not.

    Parameters
    ----------
    where
        The results folder, a folder of Parquet files, one file, or several.
    table
        Which of those in ``docs/tables.md`` it is.
    columns
        Names of those to read; default all. What is left out is not read from disk.
    filters
        Of rows: ``[(column, operator, value), ...]``, of which all must hold, a list of such lists, of which one must
        hold, or a pyarrow expression. Files, and row groups of files, that cannot hold a match are not read.
    mixed
        Read files together that different code, libraries, structures or settings made.

    Returns
    -------
    pandas.DataFrame
        Rows in the order of the files, those of a folder by name; a coordinate that a family does not have is null. A
        column of integers stays one: with nulls its type is ``Int64``.

    Raises
    ------
    InputError
        For a missing folder, one without tables, a corrupt or foreign file, another table or schema version (the file
        is named), files that do not belong together, unknown columns, or filters that no row passes.
    """
    files = _files(where, table)
    contents = _pruned({path: content for path, (_, content) in files.items()}, filters)
    check_disjoint(contents)
    if not mixed:
        check_agreement(contents)
    fragments = {path: files[path][0] for path in contents}
    schema = next(iter(fragments.values())).physical_schema
    for path, fragment in fragments.items():
        schema = parquet.united(schema, fragment.physical_schema, path)
    for name in [*(columns or []), *(name for name, _, _ in _predicates(filters))]:
        if name not in schema.names:
            known = suggest(str(name), schema.names)
            raise InputError(f"`columns` and `filters` must name columns, got {name!r}. {known}")
    dataset = ds.FileSystemDataset(list(fragments.values()), schema, _PARQUET, LocalFileSystem())
    arrow = _read(dataset, fragments, columns, _expression(filters))
    if not arrow.num_rows:
        raise _nothing(filters, _texts(dataset, filters))
    frame: pd.DataFrame = arrow.to_pandas()
    for field in arrow.schema:
        # Otherwise pandas makes floats of them.
        if pa.types.is_integer(field.type) and arrow[field.name].null_count:
            frame[field.name] = arrow[field.name].to_pandas(types_mapper={field.type: pd.Int64Dtype()}.get)
    return frame


def _files(where: str | Path | Iterable[str | Path], table: str) -> dict[Path, tuple[Any, JSON]]:
    """Open the files of a table."""
    if table not in columns.TABLES:
        raise InputError(f"`table` must be a known one, got {table!r}. {suggest(table, list(columns.TABLES))}")
    if not isinstance(where, str | Path):
        paths = [Path(path) for path in where]
        if not paths:
            raise InputError("`where` must name at least one file, got none.")
        return {path: _opened(path, table) for path in paths}
    root = Path(where)
    if root.is_file():
        return {root: _opened(root, table)}
    if not root.is_dir():
        raise InputError(f"`where` must be an existing folder or Parquet file, got {where} (from {Path.cwd()}).")
    whole = any((root / name).is_dir() for name in ("sensitivity", "structures", "searches", "regressions", "tables"))
    planned = manifest.identities(root)
    others = 0
    for pattern in _FILES_OF.get(table, ()) if whole else ("**/*.parquet",):
        paths = sorted(path for path in root.glob(pattern) if not path.name.startswith("."))
        known = paths if planned is None else [path for path in paths if path.resolve() in planned]
        files = {path: _opened(path, table) for path in known}
        if planned is not None:
            files = {path: each for path, each in files.items() if each[1].get("identity") == planned[path.resolve()]}
        if files:
            return files
        others += len(paths)
    left = f", but {others} that its plan did not make" if others else ""
    raise InputError(
        f"`where` must hold the {table} table, got {where} without a Parquet file of it{left}. Run the workflow, or "
        "name the folder or file that holds it."
    )


def _predicates(filters: Any) -> list[tuple[Any, Any, Any]]:
    """List the conditions of a filter that is no expression."""
    if filters is None or isinstance(filters, ds.Expression):
        return []
    return [item for group in _groups(filters) for item in group]


def _groups(filters: Any) -> list[list[tuple[Any, Any, Any]]]:
    try:
        nested = [filters] if isinstance(filters[0][0], str) else filters
        return [[(column, operator, value) for column, operator, value in group] for group in nested]
    except (TypeError, ValueError, LookupError):
        raise InputError(
            f"`filters` must be a list of (column, operator, value), a list of such lists, or a pyarrow expression, "
            f"got {filters!r}."
        ) from None


def _expression(filters: Any) -> Any:
    if filters is None or isinstance(filters, ds.Expression):
        return filters
    try:
        return pq.filters_to_expression(_groups(filters))
    except (ValueError, TypeError, pa.ArrowException) as error:
        raise InputError(f"`filters` must be conditions that pyarrow takes, got {filters!r}: {error}.") from error


def _pruned(contents: dict[Path, JSON], filters: Any) -> dict[Path, JSON]:
    """Leave out tasks whose family and descriptor do not pass the filter, and files without any other."""
    asked = [name for name in ("family", "descriptor") if name in {column for column, _, _ in _predicates(filters)}]
    groups = (
        [[condition for condition in group if condition[0] in asked] for group in _groups(filters)] if asked else []
    )
    tasks = [(path, task) for path, content in contents.items() for task in content.get("tasks", [])]
    if not groups or not all(groups) or not all(task.keys() >= set(asked) for _, task in tasks):
        return contents
    held = {name: [task[name] for _, task in tasks] for name in asked}
    kept = pa.table(held | {"index": range(len(tasks))}).filter(_expression(groups))["index"].to_pylist()
    result = {path: content | {"tasks": []} if "tasks" in content else content for path, content in contents.items()}
    for path, task in (tasks[index] for index in kept):
        result[path]["tasks"].append(task)
    result = {path: content for path, content in result.items() if content.get("tasks", True)}
    if not result:
        raise _nothing(filters, {name: sorted(set(values)) for name, values in held.items()})
    return result


def _opened(path: Path, table: str) -> tuple[Any, JSON]:
    """Open a file of a table, and read what it follows from."""
    parquet.check_whole(path)
    fragment = _PARQUET.make_fragment(str(path), LocalFileSystem())
    with parquet.undamaged(path):
        content = parquet.content_of(fragment.physical_schema, path)
    parquet.check_table(content, path, table)
    return fragment, content


def _read(dataset: Any, fragments: dict[Path, Any], columns: Sequence[str] | None, condition: Any) -> pa.Table:
    try:
        return dataset.to_table(columns=None if columns is None else list(columns), filter=condition)
    except (pa.ArrowException, OSError) as error:
        # Which file it was, pyarrow does not say.
        for path, fragment in fragments.items():
            with parquet.undamaged(path):
                fragment.to_table()
        raise InputError(f"`filters` must fit the columns and their types, got {condition}: {error}.") from error


def _texts(dataset: Any, filters: Any) -> dict[str, list[str]]:
    """Values of the filtered columns that are texts."""
    named = {name for name, _, _ in _predicates(filters) if pa.types.is_string(dataset.schema.field(name).type)}
    values = dataset.to_table(columns=sorted(named))
    return {name: values[name].unique().drop_null().to_pylist() for name in values.column_names}


def _nothing(filters: Any, held: dict[str, list[str]]) -> InputError:
    """Make the error that no row passed; `held`: values that columns have, of which the first are shown."""
    known = [f"`{name}` holds {', '.join(held[name][:8])}{', …' * (len(held[name]) > 8)}" for name in held]
    shown = "it" if filters is None else repr(filters)
    return InputError(f"`filters` must let a row pass, got {shown} with none. {'; '.join(known) or 'Widen them'}.")
