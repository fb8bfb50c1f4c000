"""Compare the tables of two results folders, column by column and bit by bit.

    python benchmarks/compare_results.py results-before results-after

Where a table consists of several files, their rows are put together and sorted first, so that another split of the work
into jobs makes no difference. What a table follows from (its metadata) is not compared. Exit status: 0 if all tables
agree, else 1.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Each table: the pattern of its files, and the columns that order its rows; None where each file is compared by itself.
TABLES = {
    "structures": ("structures/*.parquet", None),
    "sensitivity": ("tables/sensitivity.parquet", []),
    "summary": ("tables/summary.parquet", []),
    "search": ("searches/*/found.parquet", ["search", "structure", "center", "found"]),
    "search_steps": ("searches/*/steps.parquet", ["search", "structure", "center", "step"]),
    "regression": ("regressions/*.parquet", ["regression", "role", "family", "structure", "center"]),
    "claims": ("claims.parquet", []),
}
TEXTS_OF_CLAIMS = ("claim", "source", "quantity", "group", "explanation")


def read(folder, pattern, order):
    """Give the tables of a folder by name: one for each file without an order, else all rows as one."""
    paths = sorted(folder.glob(pattern))
    if not paths:
        sys.exit(f"{folder} holds no {pattern}: run the reproduction there first.")
    tables = [pq.read_table(path, partitioning=None).replace_schema_metadata() for path in paths]
    if order is None:
        return dict(zip([path.stem for path in paths], tables, strict=True))
    table = pa.concat_tables(tables, promote_options="permissive")
    return {"": table.sort_by([(name, "ascending") for name in order]) if order else table}


def bits(column):
    """Give the values of a column as comparable arrays: offsets of lists, validity, and the bits of numbers."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], column.type)
    if pa.types.is_list(array.type):
        return [np.asarray(array.value_lengths().fill_null(-1)), *bits(pa.chunked_array([array.flatten()]))]
    valid = np.asarray(array.is_valid())
    if pa.types.is_floating(array.type):
        return [valid, np.asarray(array.fill_null(0.0)).view(np.int64)]
    return [valid, np.asarray(array.drop_null().to_pylist(), dtype=object)]


def differences(name, before, after):
    """Say in which columns two tables differ."""
    if before.num_rows != after.num_rows:
        return [f"{name}: {before.num_rows} rows before, {after.num_rows} after"]
    lost = set(before.column_names) ^ set(after.column_names)
    result = [f"{name}.{column}: in one folder only" for column in sorted(lost)]
    for column in before.column_names:
        if column in lost or (name == "claims" and column in TEXTS_OF_CLAIMS):
            continue
        one, other = bits(before[column]), bits(after[column])
        if not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True)):
            result.append(f"{name}.{column}: values differ")
    return result


def main(before, after):
    result = []
    for name, (pattern, order) in TABLES.items():
        one, other = (read(Path(folder), pattern, order) for folder in (before, after))
        result += [f"{name} {key}: in one folder only" for key in sorted(one.keys() ^ other.keys())]
        for key in one.keys() & other.keys():
            result += differences(f"{name} {key}".strip(), one[key], other[key])
        print(f"{name}: {sum(table.num_rows for table in one.values())} rows")
    print("\n".join(result) or "All tables agree, bit by bit.")
    return bool(result)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
