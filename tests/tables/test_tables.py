import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from frames import (
    FRAMES,
    damaged_rows,
    empty,
    foreign,
    half_foreign,
    missing,
    no_parquet,
    of_another_version,
    of_version,
    truncated,
)

import nullmode as nm
from nullmode.tables import columns, parquet

each_table = pytest.mark.parametrize("table", FRAMES)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "table.parquet"
    parquet.write(FRAMES["sensitivity"], path, "sensitivity", {"seed": 1, "versions": {"numpy": "2.4.6"}})
    return path


def _plain(value):
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else np.asarray(value).tolist()


@each_table
def test_what_is_written_is_read(tmp_path, table):
    path = tmp_path / "new" / "table.parquet"
    parquet.write(FRAMES[table], path, table, {"seed": 1})
    names = [column.name for column in columns.TABLES[table]]
    assert list(parquet.read(path).columns[: len(names)]) == names
    expected, result = FRAMES[table], parquet.read(path, table)[list(FRAMES[table].columns)]
    for name in expected:
        assert [_plain(value) for value in result[name]] == [_plain(value) for value in expected[name]]


@each_table
def test_every_column_is_documented_in_the_file(tmp_path, table):
    path = tmp_path / "table.parquet"
    parquet.write(FRAMES[table], path, table, {})
    rows = parquet.schema_of(path)
    for column, (name, kind, unit, meaning) in zip(columns.TABLES[table], rows, strict=False):
        assert (name, kind.replace("element: ", "item: "), unit, meaning) == (
            column.name,
            str(column.type).replace("element: ", "item: "),
            column.unit,
            column.meaning,
        )
        assert meaning
    assert all(row[3] == "coordinate" for row in rows[len(columns.TABLES[table]) :])


@each_table
def test_same_input_gives_the_same_bytes(tmp_path, table):
    for name in ("a", "b"):
        parquet.write(FRAMES[table].copy(), tmp_path / name, table, {"y": 2, "x": {"b": 1, "a": [0.1]}})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@each_table
def test_missing_columns_are_named(tmp_path, table):
    last = [column.name for column in columns.TABLES[table] if column not in columns.OPTIONAL][-1]
    with pytest.raises(nm.InputError, match=f"all columns of the {table} table, got none named {last}"):
        parquet.write(FRAMES[table].drop(columns=last), tmp_path / "a", table, {})


def test_provenance_is_kept(written):
    provenance = parquet.provenance(written)
    assert provenance["seed"] == 1
    assert provenance["table"] == "sensitivity"
    assert provenance["schema_version"] == parquet.SCHEMA_VERSION
    assert provenance["versions"]["nullmode"] == nm.__version__
    assert provenance["versions"]["pyarrow"] == pa.__version__
    assert provenance["versions"]["numpy"] == "2.4.6"


def test_inputs_are_known_by_hash_and_by_what_they_follow_from(written):
    found = parquet.inputs({"a": written})["a"]
    assert found.pop("sha256") == hashlib.sha256(written.read_bytes()).hexdigest()
    assert found == parquet.provenance(written)


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        (parquet.SCHEMA_VERSION - 1, "Run what made it again, or read it with nullmode 9.0"),
        (parquet.SCHEMA_VERSION + 1, "Update nullmode to that version or a later one"),
    ],
    ids=["older", "newer"],
)
def test_another_schema_version_says_what_to_do(written, version, remedy):
    of_version(written, version)
    with pytest.raises(nm.InputError, match=f"got {version}, written by nullmode 9.0, in {written}. {remedy}"):
        parquet.read(written)


def test_rows_are_filtered(written):
    assert parquet.read(written, "sensitivity", filters=[("path", "==", "y")])["t"].tolist() == [1.5]


def test_coordinates_are_the_columns_beyond():
    assert parquet.coordinates(FRAMES["sensitivity"], "sensitivity") == ["t", "path"]


@pytest.mark.parametrize(
    ("column", "value"), [("rank", "many"), ("rank", 1.5), ("status", 3), ("singular_values", 1.0), ("cutoff", "far")]
)
def test_wrong_type_is_refused(tmp_path, column, value):
    frame = FRAMES["sensitivity"].assign(**{column: value})
    with pytest.raises(nm.InputError, match="types of the sensitivity table"):
        parquet.write(frame, tmp_path / "a", "sensitivity", {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (missing, "must be an existing Parquet file"),
        (empty, "undamaged Parquet file.*delete it"),
        (truncated, "undamaged Parquet file.*delete it"),
        (no_parquet, "undamaged Parquet file"),
        (damaged_rows, "undamaged Parquet file"),
        (foreign, "written by nullmode, got the foreign file"),
        (half_foreign, "written by nullmode, got the foreign file"),
        (of_another_version, "must have schema version"),
    ],
)
def test_bad_file_is_refused(written, spoil, message):
    spoil(written)
    with pytest.raises(nm.InputError, match=message) as refused:
        parquet.read(written, "sensitivity")
    assert str(written) in str(refused.value)


def test_folder_is_refused(tmp_path):
    with pytest.raises(nm.InputError, match="existing Parquet file"):
        parquet.read(tmp_path)


def test_another_table_is_refused(written):
    with pytest.raises(nm.InputError, match="must be a summary table, got the sensitivity table"):
        parquet.read(written, "summary")


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_failed_write_leaves_the_old_file_alone(written, monkeypatch, error):
    before = written.read_bytes()

    def fail(writer, *_, **__):
        Path(writer.where).write_bytes(b"half")
        raise error

    monkeypatch.setattr(pq.ParquetWriter, "write_table", fail)
    with pytest.raises(type(error)):
        parquet.write(FRAMES["sensitivity"], written, "sensitivity", {"seed": 2})
    assert list(written.parent.iterdir()) == [written]
    assert written.read_bytes() == before


def test_written_file_has_the_rights_of_any_new_file(written, tmp_path):
    other = tmp_path / "other"
    other.touch()
    assert written.stat().st_mode == other.stat().st_mode
