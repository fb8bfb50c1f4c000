"""The ledger of claims: what each is measured at in the tables of a run, and the verdict."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from nullmode._support.types import InputError
from nullmode._support.variants import suggest
from nullmode.claims import sql
from nullmode.claims.model import EXPLAINED, FAIL, PASS, Claim, check_function, holds, read, shown, stated
from nullmode.tables import columns

# DuckDB's words for one, alone, behind the name of a table, and in USING.
_UNKNOWN_COLUMN = ("Referenced column", "does not have a column", "does not exist on")


def check(path: str | Path, figures: Collection[str]) -> dict[str, Claim]:
    """Read a file of claims, and check what can be checked before there are tables.

    Parameters
    ----------
    path
        Of the file.
    figures
        Names of those that the configuration draws.

    Raises
    ------
    InputError
        As :func:`read`; for an unknown figure or function; for what is not one SELECT that DuckDB can parse, or one
        that asks for unknown tables or functions or for impossible types, or gives other columns than it must. Columns
        are taken for coordinates of families where the tables do not have them, and found missing when they are read.
    """
    claims = read(path)
    connection = sql.empty()
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
                _check_query(connection, claim.query, "query", {"quantity", "measured"})
            if claim.explained is not None:
                each = {"quantity"} if isinstance(claim.explained.expected, dict) else set()
                _check_query(connection, claim.explained.query, "explained.query", {"measured", *each})
        except InputError as error:
            faults.append(f"`{group}`: {error}")
    if faults:
        raise InputError("\n".join([f"{path} cannot be used:", *faults]))
    return claims


def _check_query(connection: sql.Connection, query: str, where: str, wanted: set[str]) -> None:
    sql.check_statement(query, where)
    try:
        found = set(connection.sql(query).columns)
    except sql.Error as error:
        # A column that the tables do not have may be the coordinate of a family.
        if any(phrase in str(error) for phrase in _UNKNOWN_COLUMN):
            return
        raise InputError(
            f"`{where}` must fit the tables, got {sql.reason(error)} Tables: {', '.join(sql.VIEWS)}."
        ) from None
    if not wanted <= found:
        raise InputError(
            f"`{where}` must give the columns {' and '.join(sorted(wanted))}, got {', '.join(sorted(found))}."
        )


def ledger(claims: Mapping[str, Claim], files: Mapping[str, Iterable[str | Path]]) -> pd.DataFrame:
    """Measure every claim.

    Parameters
    ----------
    claims
        By the name of their group.
    files
        Parquet files by the name of their table; of a table without files there is no view.

    Returns
    -------
    pandas.DataFrame
        Rows of the claims table, in the order of the claims. A quantity that the tables do not give as one finite or
        infinite number is a failed row that says why.

    Raises
    ------
    InputError
        For a missing, corrupt or foreign file, or a claim that is not measured by one SELECT.
    """
    with sql.connected(files) as connection:
        rows = [row for group, claim in claims.items() for row in _rows(connection, group, claim)]
    frame = pd.DataFrame(rows, columns=[column.name for column in columns.CLAIMS])
    return frame.astype({"expected": float, "tolerance": float, "measured": float})


class _Measured(NamedTuple):
    """Numbers by quantity, as often as they were given, and why there are none."""

    numbers: dict[str, list[Any]]
    reason: str = ""

    def one(self, quantity: str) -> tuple[float | None, str]:
        """Give the number of a quantity, or None and why."""
        found = self.numbers.get(quantity, [])
        if len(found) != 1:
            return None, self.reason or (
                f"The query gives it {len(found)} times." if found else "The query does not give it."
            )
        try:
            number = float(found[0])
        except (TypeError, ValueError):
            return None, f"The query gives {'null' if found[0] is None else repr(found[0])}."
        return (None, "The query gives NaN.") if math.isnan(number) else (number, "")


def _queried(connection: sql.Connection, query: str) -> _Measured:
    sql.check_statement(query)
    try:
        found = connection.sql(query)
        places = [found.columns.index(name) if name in found.columns else None for name in ("quantity", "measured")]
        rows = found.fetchall()
    except sql.Error as error:
        return _Measured({}, f"The query cannot be run: {sql.reason(error)}")
    numbers: dict[str, list[Any]] = {}
    for row in rows:
        key, number = ("" if place is None else row[place] for place in places)
        numbers.setdefault(str(key), []).append(number)
    return _Measured(numbers)


def _checked(connection: sql.Connection, name: str) -> _Measured:
    function: Callable[[Any], Mapping[str, float]] = check_function(name)
    try:
        return _Measured({quantity: [number] for quantity, number in function(connection).items()})
    except Exception as error:  # what it asks for may be missing: that fails its own rows, no others
        return _Measured({}, f"{name} cannot be run: {type(error).__name__}: {sql.reason(error)}")


def _rows(connection: sql.Connection, group: str, claim: Claim) -> list[dict[str, Any]]:
    measured = _queried(connection, claim.query) if claim.query else _checked(connection, str(claim.check))
    excuse = _queried(connection, claim.explained.query) if claim.explained else None
    rows = []
    for quantity, expected in claim.expected.items():
        number, explanation = measured.one(quantity)
        verdict = FAIL
        if number is not None:
            if holds(number, claim, expected, claim.tolerance_of(quantity)):
                verdict = PASS
            elif excuse is not None:
                verdict, explanation = _explained(claim, excuse, quantity)
        rows.append(
            {
                "claim": claim.claim,
                "source": claim.source,
                "quantity": quantity,
                "expected": expected,
                "tolerance": claim.tolerance_of(quantity),
                "measured": number,
                "verdict": verdict,
                "kind": claim.kind,
                "comparison": claim.comparison,
                "group": group,
                "figure": claim.figure,
                "explanation": explanation,
            }
        )
    return rows


def _explained(claim: Claim, excuse: _Measured, quantity: str) -> tuple[str, str]:
    """Verdict and text for a size that is off: explained only if the number that explains it comes out."""
    explanation = claim.explained
    if explanation is None or (isinstance(explanation.expected, dict) and quantity not in explanation.expected):
        return FAIL, "It is off, and not explained."
    key = quantity if isinstance(explanation.expected, dict) else ""
    expected = explanation.expected[key] if isinstance(explanation.expected, dict) else explanation.expected
    tolerance = explanation.tolerance_of(key)
    number, why = excuse.one(key)
    if number is None:
        return FAIL, f"{explanation.text} Not shown: {why}"
    wanted = stated(explanation.comparison, expected, tolerance)
    came_out = holds(number, explanation, expected, tolerance)
    text = f"{explanation.text} Computed: {shown(number)}, expected: {wanted}."
    return (EXPLAINED, text) if came_out else (FAIL, f"{text} This does not hold.")
