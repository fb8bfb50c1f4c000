import importlib
import math
import sys

import pandas as pd
import pytest
import yaml
from configs import INF, NAN
from typer.testing import CliRunner

from nullmode._support.types import InputError
from nullmode.claims import ledger, model, page
from nullmode.cli import main
from nullmode.tables import columns, parquet

LAW = {"claim": "A claim.", "source": "A paper", "kind": "size", "comparison": "absolute", "tolerance": 0.5}
QUERY = "SELECT center_species AS quantity, inverse_condition_number AS measured FROM search"


def written(folder, **groups):
    path = folder / "claims.yaml"
    path.write_text(yaml.safe_dump(groups, sort_keys=False, allow_unicode=True))
    return path


@pytest.fixture
def search(tmp_path):
    """A table with these texts and numbers in the columns that the query reads."""

    def write(numbers):
        frame = pd.DataFrame({column.name: [None] * len(numbers) for column in columns.SEARCH})
        frame[["center_species", "inverse_condition_number"]] = numbers
        parquet.write(frame.astype({"inverse_condition_number": float}), tmp_path / "search.parquet", "search", {})
        return tmp_path / "search.parquet"

    return write


def rows(folder, file, **changes):
    claim = {**LAW, "query": QUERY, "expected": {"a": 2.0}, **changes}
    stated = model.read(written(folder, group={key: value for key, value in claim.items() if value is not None}))
    return ledger.ledger(stated, {"search": [file]})


@pytest.mark.law(cases=3)
@pytest.mark.parametrize(
    ("comparison", "tolerance", "passing", "failing"),
    [
        ("equal", 0, [2.0], [2.0 + 1e-15 * 2, -2.0, INF]),
        ("absolute", 0.5, [1.5, 2.0, 2.5], [1.49, 2.51, -2.0, INF]),
        ("relative", 0.5, [1.0, 3.0], [0.99, 3.01, -2.0, INF]),
        ("factor", 4, [0.5, 8.0], [0.49, 8.01, 0.0, -2.0, INF]),
        ("at_most", 0, [2.0, 0.0, -INF], [2.01, INF]),
        ("at_least", 0, [2.0, INF], [1.99, -2.0]),
    ],
)
def test_comparisons(tmp_path, search, comparison, tolerance, passing, failing):
    for verdict, numbers in (("pass", passing), ("fail", failing)):
        for number in numbers:
            frame = rows(tmp_path, search([("a", number)]), comparison=comparison, tolerance=tolerance)
            assert frame["verdict"].tolist() == [verdict], number
            assert frame["measured"].tolist() == [number]


@pytest.mark.parametrize(
    ("numbers", "changes", "why"),
    [
        ([("b", 2.0)], {}, "The query does not give it."),
        ([("a", 2.0), ("a", 2.0)], {}, "The query gives it 2 times."),
        ([("a", None)], {}, "The query gives null."),
        ([("a", 2.0)], {"query": QUERY.replace("inverse_condition_number", "0 / 0::DOUBLE")}, "The query gives NaN."),
        ([("a", 2.0)], {"query": QUERY.replace("inverse_condition_number", "'x'")}, "The query gives 'x'."),
        ([("a", 2.0)], {"query": QUERY.replace("center_species", "t")}, "The query cannot be run: Binder Error"),
        ([("a", 2.0)], {"query": QUERY.replace("search", "summary")}, "The query cannot be run: Catalog Error"),
        ([("a", 2.0)], {"query": None, "check": "test_check.py:broken"}, "cannot be run: KeyError: 'a'"),
    ],
)
def test_what_is_not_measured_fails_and_says_why(tmp_path, search, monkeypatch, numbers, changes, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_check.py").write_text("def broken(views):\n    return {}['a']\n")
    [row] = rows(tmp_path, search(numbers), **changes).to_dict("records")
    assert (row["verdict"], math.isnan(row["measured"])) == ("fail", True)
    assert why in row["explanation"]


EXCUSE = {"text": "Another basis.", "query": "SELECT 3 AS measured", "comparison": "equal", "expected": 3}


@pytest.mark.parametrize(
    ("excuse", "measured", "verdict", "text"),
    [
        ({}, 9.0, "explained", "Another basis. Computed: 3, expected: 3."),
        ({}, 2.0, "pass", ""),
        ({}, None, "fail", "The query gives null."),
        ({"expected": 4}, 9.0, "fail", "The two do not agree."),
        ({"query": "SELECT NULL AS measured"}, 9.0, "fail", "This is not confirmed: The query gives null."),
        ({"query": "SELECT t AS measured FROM search"}, 9.0, "fail", "This is not confirmed: The query cannot be run"),
        ({"query": "SELECT 'a' AS quantity, 3 AS measured", "expected": {"a": 3}}, 9.0, "explained", "Another basis."),
        ({"query": "SELECT 'b' AS quantity, 3 AS measured", "expected": {"b": 3}}, 9.0, "fail", "it is not explained"),
    ],
)
def test_explanations(tmp_path, search, excuse, measured, verdict, text):
    file = search([("a", measured), ("b", 5.0)])
    frame = rows(tmp_path, file, expected={"a": 2.0, "b": 5.0}, explained=EXCUSE | excuse)
    assert frame["verdict"].tolist() == [verdict, "pass"]
    assert text in frame["explanation"][0]
    assert bool(text) == bool(frame["explanation"][0])


CLAIM = {**LAW, "query": QUERY, "expected": {"a": 2.0}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tolerence": 1}, "`group.tolerence` is not known. Did you mean `tolerance`?"),
        ({"claim": None}, "`group.claim` is required and missing"),
        ({"kind": "rnak"}, "`group.kind`"),
        ({"comparison": "about"}, "`group.comparison`"),
        ({"expected": {}}, "`group.expected`"),
        ({"expected": {"a": "many"}}, "`group.expected.a`"),
        ({"expected": {"a": NAN}}, "`group.expected.a`"),
        ({"query": None}, "either `query` or `check`, got neither"),
        ({"check": "nullmode.claims.checks.x:y"}, "either `query` or `check`, got both"),
        ({"tolerance": 0}, "`tolerance` must be positive where `comparison` is absolute"),
        ({"tolerance": {"b": 1}}, "`tolerance` must hold the quantities of `expected`"),
        ({"comparison": "equal"}, "`tolerance` must be 0 where `comparison` is equal"),
        ({"comparison": "factor", "expected": {"a": 0}}, "where `comparison` is factor"),
        ({"kind": "rank"}, "`comparison` must be equal where `kind` is rank"),
        ({"kind": "zero"}, "`comparison` must be equal or at_most where `kind` is zero"),
        ({"kind": "law", "explained": EXCUSE}, "`explained` must be given only where `kind` is size, got it for law"),
        ({"explained": {**EXCUSE, "expected": {"b": 1}}}, "`explained.expected` must hold quantities"),
        ({"figure": "null_cause"}, "`figure` must name what the configuration draws, got 'null_cause'"),
        ({"query": "SELEC 1"}, "`query` must be SQL"),
        ({"query": "SELECT 1; SELECT 2"}, "`query` must be one SELECT"),
        ({"query": "COPY search TO 'x.csv'"}, "`query` must be one SELECT"),
        ({"query": "SELECT 1 AS measured"}, "`query` must give the columns measured and quantity, got measured"),
        ({"query": "SELECT 1 AS quantity, 2 AS measured FROM nothing"}, "Table with name nothing"),
        ({"query": "SELECT 1 AS quantity, mode_of(1) AS measured"}, "mode_of"),
        ({"query": "SELECT '' AS quantity, sum(family) AS measured FROM search"}, "sum(VARCHAR)"),
        ({"explained": {**EXCUSE, "query": "SELECT 1"}}, "`explained.query` must give the columns measured"),
        (
            {"query": None, "check": "nullmode.claims.checks.nothing:f"},
            "`check` must name a function of nullmode.claims.checks",
        ),
        ({"query": None, "check": "nothing.py:f"}, "`check` must name an existing check file"),
    ],
)
def test_malformed_claims_are_refused_with_their_place(tmp_path, changes, message):
    claim = {key: value for key, value in {**CLAIM, **changes}.items() if value is not None}
    with pytest.raises(InputError, match="cannot be used") as caught:
        ledger.check(written(tmp_path, group=claim), ["null_causes"])
    assert message in str(caught.value)
    assert "group" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "`claims` must be an existing file"),
        ("", "`claims` must hold groups by name"),
        ("a: [", "claims.yaml must be YAML"),
        ("a: {}\na: {}", "line 2: `a` is given twice, first in line 1"),
        (yaml.safe_dump({"group": CLAIM}) + "  expected: {a: 1}\n", "`group.expected` is given twice"),
        ("group: {expected: {b: 1, c: 2, b: 1}}", "`group.expected.b` is given twice"),
    ],
)
def test_malformed_files_are_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "claims.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        model.read(tmp_path / "claims.yaml")
    assert message in str(caught.value)


def test_a_coordinate_is_not_taken_for_an_error(tmp_path):
    query = "SELECT path AS quantity, max(t) AS measured FROM sensitivity GROUP BY ALL"
    assert ledger.check(written(tmp_path, group={**CLAIM, "query": query}), [])["group"].query == query


def test_queries_reach_no_other_file(tmp_path, search):
    secret = tmp_path / "secret.csv"
    secret.write_text("quantity,measured\na,2.0\n")
    file = search([("a", 2.0)])
    [row] = rows(tmp_path, file, query=f"SELECT * FROM '{secret}'").to_dict("records")
    assert row["verdict"] == "fail"
    assert "disabled" in row["explanation"]


def test_names_of_files_are_taken_as_they_are(tmp_path, search):
    folder = tmp_path / "it's [1], ok"
    folder.mkdir()
    file = search([("a", 2.0)]).rename(folder / "search.parquet")
    assert rows(tmp_path, file)["verdict"].tolist() == ["pass"]


def test_page_holds_every_row(tmp_path, search):
    file = search([("a", 9.0), ("b", 1 / 3), ("<c>", 4.0)])
    expected = {"a": 2.0, "b": 0.5, "<c>": 0.25, "d": 1.0}
    stated = model.read(written(tmp_path, one={**CLAIM, "expected": expected}, two={**CLAIM, "expected": {"a": 9}}))
    frame = ledger.ledger(stated, {"search": [file]})
    html = page.page(frame, stated)
    assert html.count('<td class="verdict') == len(frame) == 5
    for text in ("3 fail", "2 pass", "&lt;c&gt;", "0.333", "0.5 ± 0.5", "The query does not give it.", repr(1 / 3)):
        assert text in html
    assert "<c>" not in html


def test_command_shows_failed_claims_first(tmp_path, search, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    file = search([("a", 2.0), ("b", 9.0)])
    for expected, shown, code in (({"a": 2.0, "b": 2.0}, "1 fail, 1 pass", 1), ({"a": 2.0}, "1 pass", 0)):
        path = tmp_path / "claims.parquet"
        parquet.write(rows(tmp_path, file, expected=expected), path, "claims", {})
        for flags in ([], ["--failed"]):
            result = CliRunner().invoke(main.app, ["claims", str(path), *flags])
            assert result.exit_code == code
            assert shown in result.output
            listed = [line.split("│")[2].strip() for line in result.output.splitlines() if "│ group" in line]
            assert listed == [name for name in ("b", "a") if name in expected and not (flags and name == "a")]


def test_reading_a_ledger_needs_no_duckdb(tmp_path, search, monkeypatch):
    path = tmp_path / "claims.parquet"
    parquet.write(rows(tmp_path, search([("a", 2.0)]), expected={"a": 2.0}), path, "claims", {})
    for name in [name for name in sys.modules if name.startswith(("nullmode.claims.ledger", "nullmode.claims.sql"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ImportError):
        importlib.import_module("nullmode.claims.sql")
    assert CliRunner().invoke(main.app, ["claims", str(path)]).exit_code == 0
