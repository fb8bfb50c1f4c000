import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nullmode as nm
from nullmode import columns, searching, tables
from nullmode.structures import make_structures


def frames():
    """One small frame of each table, with a coordinate where a family may add one."""
    environment = nm.Environment.from_vectors([[1.0, 0, 0], [0, 1.1, 0], [0.1, 0.2, 1.2]])
    analysis = nm.analyze([environment] * 2, nm.RadialSpectrum(n_max=3), attribution=True)
    where = {
        "family": "a",
        "descriptor": "b",
        "correlation_order": 1,
        "n_max": 3,
        "l_max": 0,
        "cutoff": 4.0,
        "cutoff_width": 0.5,
        "scope": "environment",
        "density": "gaussian",
        "radial_basis": "gto",
        "width": 0.3,
        "parameters": "{}",
        "rtol": 1e-9,
    }
    sensitivity = analysis.assign(**where, pair_distance=np.nan, t=[0.5, 1.5], path=["x", "y"])
    structures = pd.DataFrame(
        {
            "structure": [0],
            "numbers": [[6, 1]],
            "positions": [[0.0, 0, 0, 1, 1, 1]],
            "cell": [[0.0] * 9],
            "pbc": [[0, 0, 0]],
            "centers": [[0]],
            "u": [0.7],
        }
    )
    numbers = {c.name: [1.5 if c.type == pa.float64() else 2] for c in columns.SUMMARY if c.name not in where}
    summary = pd.DataFrame({**{name: [value] for name, value in where.items()}, **numbers})
    cell = {
        **{"search": "s", "search_kind": "orbit", "search_parameters": {"length": 0.02}, "family": "a"},
        **{"descriptor": "b", "kind": "power-spectrum", "parameters": {"n_max": 3, "l_max": 3}},
        **{"scope": "environment", "rtol": 1e-9},
    }
    found, steps = searching.run_search(make_structures("random_methane", {"n_structures": 2}, "a"), cell)
    claims = pd.DataFrame({c.name: [1.5 if c.type == pa.float64() else "x"] for c in columns.CLAIMS})
    roles = {"regression": "r", "model": "ridge", "training": "a", "role": ["training", "test"]}
    predicted = pd.DataFrame(
        {**roles, **where, "structure": [0, 1], "center": 0, "target": 1.5, "predicted": 1.25, "u": 0.7}
    )
    return {
        "analysis": analysis,
        "structures": structures,
        "sensitivity": sensitivity,
        "summary": summary,
        "spectra": analysis[[column.name for column in columns.SPECTRA]],
        "search": found,
        "search_steps": steps,
        "claims": claims,
        "regression": predicted,
    }


FRAMES = frames()
assert FRAMES.keys() == columns.TABLES.keys()
each_table = pytest.mark.parametrize("table", FRAMES)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "table.parquet"
    tables.write(FRAMES["sensitivity"], path, "sensitivity", {"seed": 1, "versions": {"numpy": "2.4.6"}})
    return path


def _plain(value):
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else np.asarray(value).tolist()


@each_table
def test_what_is_written_is_read(tmp_path, table):
    path = tmp_path / "new" / "table.parquet"
    tables.write(FRAMES[table], path, table, {"seed": 1})
    names = [column.name for column in columns.TABLES[table]]
    assert list(tables.read(path).columns[: len(names)]) == names
    expected, result = FRAMES[table], tables.read(path, table)[list(FRAMES[table].columns)]
    for name in expected:
        assert [_plain(value) for value in result[name]] == [_plain(value) for value in expected[name]]


@each_table
def test_every_column_is_documented_in_the_file(tmp_path, table):
    path = tmp_path / "table.parquet"
    tables.write(FRAMES[table], path, table, {})
    rows = tables.schema_of(path)
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
        tables.write(FRAMES[table].copy(), tmp_path / name, table, {"y": 2, "x": {"b": 1, "a": [0.1]}})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@each_table
def test_missing_columns_are_named(tmp_path, table):
    last = columns.TABLES[table][-1].name
    with pytest.raises(nm.InputError, match=f"all columns of the {table} table, got none named {last}"):
        tables.write(FRAMES[table].drop(columns=last), tmp_path / "a", table, {})


def test_provenance_is_kept(written):
    provenance = tables.provenance(written)
    assert provenance["seed"] == 1
    assert provenance["table"] == "sensitivity"
    assert provenance["schema_version"] == tables.SCHEMA_VERSION
    assert provenance["versions"]["nullmode"] == nm.__version__
    assert provenance["versions"]["pyarrow"] == pa.__version__
    assert provenance["versions"]["numpy"] == "2.4.6"


def test_inputs_are_known_by_hash_and_by_what_they_follow_from(written):
    found = tables.inputs({"a": written})["a"]
    assert found.pop("sha256") == hashlib.sha256(written.read_bytes()).hexdigest()
    assert found == tables.provenance(written)


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        (tables.SCHEMA_VERSION - 1, "Run what made it again, or read it with nullmode 9.0"),
        (tables.SCHEMA_VERSION + 1, "Update nullmode to that version or a later one"),
    ],
    ids=["older", "newer"],
)
def test_another_schema_version_says_what_to_do(written, version, remedy):
    of_version(written, version)
    with pytest.raises(nm.InputError, match=f"got {version}, written by nullmode 9.0, in {written}. {remedy}"):
        tables.read(written)


def test_rows_are_filtered(written):
    assert tables.read(written, "sensitivity", filters=[("path", "==", "y")])["t"].tolist() == [1.5]


def test_coordinates_are_the_columns_beyond():
    assert tables.coordinates(FRAMES["sensitivity"], "sensitivity") == ["t", "path"]


@pytest.mark.parametrize(
    ("column", "value"), [("rank", "many"), ("rank", 1.5), ("status", 3), ("singular_values", 1.0), ("cutoff", "far")]
)
def test_wrong_type_is_refused(tmp_path, column, value):
    frame = FRAMES["sensitivity"].assign(**{column: value})
    with pytest.raises(nm.InputError, match="types of the sensitivity table"):
        tables.write(frame, tmp_path / "a", "sensitivity", {})
    assert not list(tmp_path.iterdir())


def _missing(path):
    path.unlink()


def _empty(path):
    path.write_bytes(b"")


def _truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def _no_parquet(path):
    path.write_text("a,b\n1,2\n")


def _damaged_rows(path):
    content = bytearray(path.read_bytes())
    content[8:400] = bytes(392)
    path.write_bytes(content)


def _foreign(path):
    pq.write_table(pa.table({"a": [1]}), path)


def _half_foreign(path):
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({b"nullmode": b"{}"}), path)


def _of_another_version(path):
    of_version(path, tables.SCHEMA_VERSION + 1)


def of_version(path, version):
    table = pq.read_table(path, partitioning=None)
    content = {"table": "sensitivity", "schema_version": version, "versions": {"nullmode": "9.0"}}
    pq.write_table(table.replace_schema_metadata({b"nullmode": json.dumps(content).encode()}), path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_missing, "must be an existing Parquet file"),
        (_empty, "undamaged Parquet file.*delete it"),
        (_truncated, "undamaged Parquet file.*delete it"),
        (_no_parquet, "undamaged Parquet file"),
        (_damaged_rows, "undamaged Parquet file"),
        (_foreign, "written by nullmode, got the foreign file"),
        (_half_foreign, "written by nullmode, got the foreign file"),
        (_of_another_version, "must have schema version"),
    ],
)
def test_bad_file_is_refused(written, spoil, message):
    spoil(written)
    with pytest.raises(nm.InputError, match=message) as refused:
        tables.read(written, "sensitivity")
    assert str(written) in str(refused.value)


def test_folder_is_refused(tmp_path):
    with pytest.raises(nm.InputError, match="existing Parquet file"):
        tables.read(tmp_path)


def test_another_table_is_refused(written):
    with pytest.raises(nm.InputError, match="must be a summary table, got the sensitivity table"):
        tables.read(written, "summary")


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_failed_write_leaves_the_old_file_alone(written, monkeypatch, error):
    before = written.read_bytes()

    def fail(_, path, **__):
        Path(path).write_bytes(b"half")
        raise error

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(type(error)):
        tables.write(FRAMES["sensitivity"], written, "sensitivity", {"seed": 2})
    assert list(written.parent.iterdir()) == [written]
    assert written.read_bytes() == before


def test_written_file_has_the_rights_of_any_new_file(written, tmp_path):
    other = tmp_path / "other"
    other.touch()
    assert written.stat().st_mode == other.stat().st_mode
