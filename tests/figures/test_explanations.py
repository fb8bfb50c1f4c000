"""Laws of the explanations table, over every figure that draws from it."""

import numpy as np
import pytest
from drawn import PARAMETERS, explained, groups

from nullmode.figures import FIGURES
from nullmode.figures._base import CAUSES
from nullmode.figures._figure import load_figure
from nullmode.tables import parquet
from nullmode.tables.columns import TABLES

EXPLAINED = [kind for kind in FIGURES if load_figure(kind).explanation]
KINDS = {"soap": "power-spectrum", "radial": "radial-spectrum"}


def modes_of(kind, table):
    return explained(kind, table, {"groups": groups()}, KINDS, PARAMETERS[kind])


def cases(modes, table):
    """Modes of each environment beside its row of the sensitivity table."""
    keys = ["family", "descriptor", "parameters", "structure", "center"]
    for key, rows in modes.groupby(keys, sort=False):
        (row,) = table[(table[keys] == list(key)).all(axis=1)].to_dict("records")
        yield row, rows


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("kind", EXPLAINED)
def test_rows_pass_through_a_file_unchanged(kind, table, tmp_path):
    modes = modes_of(kind, table)
    parquet.write(modes, tmp_path / "a.parquet", "explanations", {})
    read = parquet.read(tmp_path / "a.parquet", "explanations")
    for column in ("displacement", "ratio", "force_kernel"):
        for before, after in zip(modes[column], read[column], strict=True):
            np.testing.assert_array_equal(np.array(before, dtype=float), np.array(after, dtype=float))
    assert {column.name for column in TABLES["explanations"]} <= set(read)


@pytest.mark.parametrize("kind", ["null_modes", "selection_rules"])
def test_modes_are_a_basis_counted_as_in_the_table(kind, table):
    for row, rows in cases(modes_of(kind, table), table):
        displacements = np.stack(rows["displacement"].to_list())
        assert np.allclose(displacements @ displacements.T, np.eye(row["n_dof"]), atol=1e-9)
        assert (rows["cause"] == "seen").sum() == row["rank"]
        assert all((rows["cause"] == cause).sum() == row[f"null_{cause}"] for cause in CAUSES)
        assert rows["ratio"].notna().tolist() == (rows["cause"] == "seen").tolist()


def test_near_singular_environments_are_explained_by_modes_below_the_threshold(table):
    modes = modes_of("near_singular", table)
    assert len(modes)
    for row, rows in cases(modes, table):
        counted = row["null_incompleteness"] + row["null_truncation"] + row["null_unresolved"]
        assert rows["ratio"].isna().sum() == counted
        assert (rows["ratio"].dropna() < 1e-3).all()
        assert counted or row["singular_values"][row["rank_symmetric"] - 1] < 1e-3 * row["singular_values"][0]
    assert (modes.groupby(["descriptor", "parameters"])["structure"].nunique() <= 2).all()
