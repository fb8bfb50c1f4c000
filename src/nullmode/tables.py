"""The only Parquet code: documented columns, provenance in the file, and no half-written file ever in place."""

import json
import os
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nullmode.types import JSON, InputError

SCHEMA_VERSION = 1
_KEY = b"nullmode"
_LIBRARIES = ("nullmode", "numpy", "scipy", "numba", "ase", "pandas", "pyarrow", "vesin")


class Column(NamedTuple):
    """A column of a table: its name, Arrow type, unit (empty for a pure number or a text) and meaning."""

    name: str
    type: pa.DataType
    unit: str
    meaning: str


_TEXT, _INTEGER, _FLOAT, _FLOATS, _INTEGERS = (
    pa.string(),
    pa.int64(),
    pa.float64(),
    pa.list_(pa.float64()),
    pa.list_(pa.int64()),
)

ENVIRONMENT = (
    Column("structure", _INTEGER, "", "place of the structure in its set or family, from 0"),
    Column("center", _INTEGER, "", "index of the central atom; -1 if made from vectors, and of a whole structure"),
    Column("center_species", _TEXT, "", "chemical symbol of the centre; null for a whole structure"),
    Column(
        "n_neighbours",
        _INTEGER,
        "",
        "neighbours inside the cutoff, each periodic image counted; of a whole structure, those of all its centres",
    ),
    Column("n_dof", _INTEGER, "", "displacements that are no rigid motion (d)"),
    Column(
        "rank",
        _INTEGER,
        "",
        "singular values above rtol times the largest; of a whole structure, see theory.md: centres may cancel",
    ),
    Column("singular_values", _FLOATS, "1/Å", "of the Jacobian, descending, d of them"),
    Column("condition_number", _FLOAT, "", "largest over smallest singular value; infinite where singular"),
    Column("inverse_condition_number", _FLOAT, "", "smallest over largest singular value; 0 where singular"),
    Column("rotation_floor", _FLOAT, "", "response to rigid motions over the largest singular value: noise"),
    Column("status", _TEXT, "", "ok | no_neighbours | rtol_below_floor | rtol_below_error | not_finite"),
)
WHERE = (
    Column("family", _TEXT, "", "name of the family in the configuration"),
    Column("descriptor", _TEXT, "", "name of the descriptor in the configuration"),
    Column("scope", _TEXT, "", "environment | structure: what a row is about"),
    Column("correlation_order", _INTEGER, "", "neighbours correlated (nu); null where that has no meaning"),
    Column("n_max", _INTEGER, "", "number of radial functions"),
    Column("l_max", _INTEGER, "", "largest angular momentum, inclusive"),
    Column("cutoff", _FLOAT, "Å", "radius of the environment"),
    Column("cutoff_width", _FLOAT, "Å", "smoothing range below the cutoff"),
    Column("width", _FLOAT, "Å", "standard deviation of the Gaussian density"),
    Column("density", _TEXT, "", "gaussian | delta; null where there is none"),
    Column("radial_basis", _TEXT, "", "radial functions; null where there are none"),
    Column("parameters", _TEXT, "", "all parameters of the descriptor, as JSON with sorted keys"),
    Column("rtol", _FLOAT, "", "relative tolerance of the rank"),
)
ATTRIBUTION = (
    Column("rank_complete", _INTEGER, "", "what a complete basis of this order would see; null where not known"),
    Column("rank_symmetric", _INTEGER, "", "what features of this parity may see"),
    Column("null_symmetry", _INTEGER, "", "null values that symmetry demands: n_dof - rank_symmetric"),
    Column("null_incompleteness", _INTEGER, "", "null values of a low body order: rank_symmetric - rank_complete"),
    Column("null_truncation", _INTEGER, "", "null values of a small basis, unless ambiguous: rank_complete - rank"),
    Column("null_unresolved", _INTEGER, "", "rank_symmetric - rank where rank_complete is not known, else 0"),
    Column("null_cutoff", _INTEGER, "", "of the last two, how many a cutoff raised by cutoff_width brings back"),
    Column("point_group", _TEXT, "", "Schoenflies symbol; of a periodic structure, that of its crystal class"),
    Column("ambiguous", pa.bool_(), "", "whether the counts depend on the tolerance while values are null"),
    Column(
        "tolerance", _FLOAT, "Å", "length at which the counts were taken: as asked for, or less if the rank demands it"
    ),
    Column("nearest_tolerance", _FLOAT, "Å", "length at which the counts change, nearest to the tolerance"),
    Column("diagnostic", _TEXT, "", "empty, or what is wrong with the counts"),
)
ANALYSIS = (*ENVIRONMENT, *ATTRIBUTION)
SENSITIVITY = (
    *WHERE,
    *ANALYSIS,
    Column(
        "pair_distance",
        _FLOAT,
        "",
        "distance of the features from those of the first structure with the same coordinate `pair`, over their norm",
    ),
)
STRUCTURES = (
    Column("structure", _INTEGER, "", "place in the family, from 0"),
    Column("numbers", _INTEGERS, "", "atomic numbers"),
    Column("positions", _FLOATS, "Å", "x, y, z of each atom"),
    Column("cell", _FLOATS, "Å", "three cell vectors, row by row"),
    Column("pbc", _INTEGERS, "", "1 along periodic directions"),
    Column("centers", _INTEGERS, "", "indices of the central atoms"),
)
SUMMARY = (
    *WHERE,
    Column("n_environments", _INTEGER, "", "environments in this row"),
    Column("n_ok", _INTEGER, "", "of which with status ok; the columns that follow are over these"),
    Column("rank_min", _INTEGER, "", "smallest rank"),
    Column("rank_median", _FLOAT, "", "median rank"),
    Column("rank_max", _INTEGER, "", "largest rank"),
    Column("fraction_deficient", _FLOAT, "", "share of environments with rank below n_dof"),
    *(
        Column(f"inverse_condition_number_p{name}", _FLOAT, "", f"its percentile {name.replace('_', '.')}")
        for name in ("0_5", "5", "25", "50", "75", "95")
    ),
    Column("rotation_floor_max", _FLOAT, "", "largest noise floor"),
)
TABLES = {
    "analysis": ANALYSIS,
    "structures": STRUCTURES,
    "sensitivity": SENSITIVITY,
    "summary": SUMMARY,
}


def coordinates(frame: pd.DataFrame, table: str) -> list[str]:
    """Columns beyond the documented ones: the coordinates of a family."""
    known = {column.name for column in TABLES[table]}
    return [name for name in frame.columns if name not in known]


def versions() -> dict[str, str]:
    """Versions of nullmode and of the libraries that its numbers depend on."""
    return {name: version(name) for name in _LIBRARIES}


def write(frame: pd.DataFrame, path: str | Path, table: str, provenance: JSON) -> None:
    """Write a table under a temporary name, then move it into place; the same input gives the same bytes.

    Parameters
    ----------
    frame
        With all columns of the table; further ones are coordinates (numbers or texts).
    path
        Of the Parquet file; its folder is made.
    table
        Name in ``TABLES``.
    provenance
        What the content follows from; kept in the file, with the versions of the libraries.

    Raises
    ------
    InputError
        If a column is missing or does not have its type.
    OSError
        If the file cannot be written; an older one is left as it was.
    """
    path = Path(path)
    missing = [column.name for column in TABLES[table] if column.name not in frame.columns]
    if missing:
        raise InputError(f"`frame` must have all columns of the {table} table, got none named {', '.join(missing)}.")
    extra = coordinates(frame, table)
    schema = pa.schema(
        [pa.field(c.name, c.type, metadata={"unit": c.unit, "meaning": c.meaning}) for c in TABLES[table]]
        + [pa.field(name, pa.Array.from_pandas(frame[name]).type, metadata={"meaning": "coordinate"}) for name in extra]
    )
    try:
        arrow = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    except pa.ArrowException as error:
        raise InputError(f"`frame` must have the types of the {table} table: {error}.") from error
    content = {"table": table, "schema_version": SCHEMA_VERSION, "versions": versions(), **provenance}
    arrow = arrow.replace_schema_metadata({_KEY: json.dumps(content, sort_keys=True).encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    try:
        pq.write_table(arrow, temporary, compression="zstd")
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(
    path: str | Path, table: str | None = None, filters: Any = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a table of nullmode's.

    Parameters
    ----------
    path
        Of the Parquet file.
    table
        Which table it must be; None for any.
    filters
        Of rows, as pyarrow takes them.
    columns
        Those that are wanted, where the file has them; None for all.

    Raises
    ------
    InputError
        For a missing, corrupt or foreign file, or another table or version.
    """
    content = provenance(path)
    if table is not None and content.get("table") != table:
        raise InputError(f"`path` must be a {table} table, got the {content.get('table')} table {path}.")
    try:
        kept = None if columns is None else [name for name in pq.read_schema(path).names if name in columns]
        frame: pd.DataFrame = pq.read_table(path, filters=filters, columns=kept).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"`path` must be an undamaged Parquet file, got {path}: {error}. {_REMEDY}") from error
    return frame


def provenance(path: str | Path) -> JSON:
    """Read what a table follows from, without its rows; errors as :func:`read`."""
    if not Path(path).is_file():
        raise InputError(f"`path` must be an existing Parquet file, got {path}.")
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"`path` must be an undamaged Parquet file, got {path}: {error}. {_REMEDY}") from error
    if _KEY not in (schema.metadata or {}):
        raise InputError(f"`path` must be a table written by nullmode, got the foreign file {path}.")
    content: JSON = json.loads(schema.metadata[_KEY])
    if content["schema_version"] != SCHEMA_VERSION:
        raise InputError(
            f"`path` must have schema version {SCHEMA_VERSION}, got {content['schema_version']} in {path}. {_REMEDY}"
        )
    return content


def schema_of(path: str | Path) -> list[tuple[str, str, str, str]]:
    """Name, type, unit and meaning of each column of a file."""
    provenance(path)
    rows = []
    for field in pq.read_schema(path):
        notes = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        rows.append((field.name, str(field.type), notes.get("unit", ""), notes.get("meaning", "")))
    return rows


_REMEDY = "If the workflow made it, delete it and run the workflow again."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
