"""The ledger: every claim measured on the tables of a run, each number with a verdict."""

import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from nullmode._support.types import InputError
from nullmode._support.variants import suggest
from nullmode.claims import sql
from nullmode.claims.model import EXPLAINED, FAIL, PASS, Claim, Explanation, check_function, holds, read
from nullmode.claims.text import expected_text, number_text
from nullmode.tables.columns import CLAIMS

_COLUMNS = ("quantity", "measured")
# DuckDB's messages for an unknown column: by itself, after the name of a table, and in USING.
_UNKNOWN_COLUMN = ("Referenced column", "does not have a column", "does not exist on")


def check(path: str | Path, figures: Collection[str]) -> dict[str, Claim]:
    """Read a file of claims, and check what can be checked before there are tables; `figures` names those drawn.

    Raises
    ------
    InputError
        As :func:`read`; for an unknown figure or function; for a query that is not one SELECT, that DuckDB cannot
        parse, that uses unknown tables, unknown functions or impossible types, or that gives the wrong columns. A
        column that the tables do not have may be a coordinate of a family: the query finds out when it is run.
    """
    claims = read(path)
    connection = sql.connect_empty()
    faults = []
    for group, claim in claims.items():
        try:
            if claim.figure is not None and claim.figure not in figures:
                raise InputError(
                    f"`figure` must name what the configuration draws, got {claim.figure!r}. "
                    f"{suggest(claim.figure, list(figures))}"
                )
            if claim.check is not None:
                check_function(claim.check)
            if claim.query is not None:
                _check_query(connection, claim.query, "query", set(_COLUMNS))
            if claim.explained is not None:
                keys = {"quantity"} if isinstance(claim.explained.expected, dict) else set()
                _check_query(connection, claim.explained.query, "explained.query", {"measured", *keys})
        except InputError as error:
            faults.append(f"`{group}`: {error}")
    if faults:
        raise InputError("\n".join([f"{path} cannot be used:", *faults]))
    return claims


def _check_query(connection: sql.Connection, query: str, where: str, needed: set[str]) -> None:
    sql.check_statement(query, where)
    try:
        columns = set(connection.sql(query).columns)
    except sql.Error as error:
        # An unknown column may be a coordinate of a family.
        if any(phrase in str(error) for phrase in _UNKNOWN_COLUMN):
            return
        raise InputError(f"`{where}` must run on the tables {', '.join(sql.VIEWS)}, got {sql.reason(error)}") from None
    if not needed <= columns:
        raise InputError(
            f"`{where}` must give the columns {' and '.join(sorted(needed))}, got {', '.join(sorted(columns))}."
        )


def ledger(claims: Mapping[str, Claim], files: Mapping[str, Iterable[str | Path]]) -> pd.DataFrame:
    """Measure every claim: rows of the claims table, in the order of the claims.

    The row of a quantity for which the tables do not give exactly one number fails, and says why.

    Parameters
    ----------
    claims
        By the name of their group.
    files
        Parquet files by the name of their table. Queries do not see a table without files.

    Raises
    ------
    InputError
        For a file that is missing, corrupt or not one of nullmode's tables; for a query that is not one SELECT.
    """
    with sql.connect(files) as connection:
        rows = [row for group, claim in claims.items() for row in _rows(connection, group, claim)]
    frame = pd.DataFrame(rows, columns=[column.name for column in CLAIMS])
    return frame.astype({"expected": float, "tolerance": float, "measured": float})


class _Measurement(NamedTuple):
    """The numbers that a query or function gave for each quantity, and why there are none if it could not be run."""

    numbers: dict[str, list[Any]]
    failure: str = ""

    def one(self, quantity: str) -> tuple[float | None, str]:
        """Give the number of a quantity; if there is not exactly one, None and the reason."""
        numbers = self.numbers.get(quantity, [])
        if len(numbers) != 1:
            times = f"The query gives it {len(numbers)} times." if numbers else "The query does not give it."
            return None, self.failure or times
        try:
            number = float(numbers[0])
        except (TypeError, ValueError):
            return None, f"The query gives {'null' if numbers[0] is None else repr(numbers[0])}."
        return (None, "The query gives NaN.") if math.isnan(number) else (number, "")


def _measure_by_query(connection: sql.Connection, query: str) -> _Measurement:
    """Run a query; without a column ``quantity``, its numbers belong to the quantity ""."""
    sql.check_statement(query)
    try:
        relation = connection.sql(query)
        indices = [relation.columns.index(name) if name in relation.columns else None for name in _COLUMNS]
        rows = relation.fetchall()
    except sql.Error as error:
        return _Measurement({}, f"The query cannot be run: {sql.reason(error)}")
    numbers: dict[str, list[Any]] = {}
    for row in rows:
        quantity, number = ("" if index is None else row[index] for index in indices)
        numbers.setdefault(str(quantity), []).append(number)
    return _Measurement(numbers)


def _measure_by_function(connection: sql.Connection, name: str) -> _Measurement:
    try:
        return _Measurement({quantity: [number] for quantity, number in check_function(name)(connection).items()})
    except Exception as error:  # a table that it reads may be missing: this fails its own rows only
        return _Measurement({}, f"{name} cannot be run: {type(error).__name__}: {sql.reason(error)}")


def _rows(connection: sql.Connection, group: str, claim: Claim) -> list[dict[str, Any]]:
    if claim.query:
        measurement = _measure_by_query(connection, claim.query)
    else:
        measurement = _measure_by_function(connection, str(claim.check))
    of_explanation = _measure_by_query(connection, claim.explained.query) if claim.explained else None
    copied = claim.model_dump(include={"claim", "source", "kind", "comparison", "figure"})
    rows = []
    for quantity, expected in claim.expected.items():
        tolerance = claim.tolerance_of(quantity)
        number, text = measurement.one(quantity)
        verdict = FAIL
        if number is not None:
            if holds(number, claim.comparison, expected, tolerance):
                verdict = PASS
            elif claim.explained and of_explanation:
                verdict, text = _judge_explanation(claim.explained, of_explanation, quantity)
        stated = {"group": group, "quantity": quantity, "expected": expected, "tolerance": tolerance}
        rows.append(copied | stated | {"measured": number, "verdict": verdict, "explanation": text})
    return rows


def _judge_explanation(explanation: Explanation, measurement: _Measurement, quantity: str) -> tuple[str, str]:
    """Give verdict and text for a size that does not agree: it is explained only if the explanation's number agrees."""
    if isinstance(explanation.expected, dict):
        if quantity not in explanation.expected:
            return FAIL, "It does not agree, and it is not explained."
        key, expected = quantity, explanation.expected[quantity]
    else:
        key, expected = "", explanation.expected
    tolerance = explanation.tolerance_of(key)
    number, failure = measurement.one(key)
    if number is None:
        return FAIL, f"{explanation.text} This is not confirmed: {failure}"
    allowed = expected_text(explanation.comparison, expected, tolerance)
    text = f"{explanation.text} Computed: {number_text(number)}, expected: {allowed}."
    if holds(number, explanation.comparison, expected, tolerance):
        return EXPLAINED, text
    return FAIL, f"{text} The two do not agree."
