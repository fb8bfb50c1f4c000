"""The file of claims that a run is held against, what may stand in it, and words for its numbers; light on imports."""

import importlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nullmode._support.types import InputError
from nullmode._support.variants import explain, load, suggest

if TYPE_CHECKING:
    import pandas as pd

PASS, FAIL, EXPLAINED = "pass", "fail", "explained"
VERDICTS = (FAIL, EXPLAINED, PASS)
"""Worst first."""
_EXACT = ("equal", "at_most", "at_least")
_OF_KIND = {"rank": ("equal",), "zero": ("equal", "at_most")}

Kind = Literal["rank", "zero", "law", "size"]
Comparison = Literal["equal", "absolute", "relative", "factor", "at_most", "at_least"]
Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Stated(BaseModel):
    """What numbers are expected, and how near to them is near enough."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    comparison: Comparison
    tolerance: Number | dict[Text, Number] = 0.0

    def _check_tolerances(self, expected: Mapping[str, float]) -> None:
        """Refuse tolerances that mean nothing."""
        if isinstance(self.tolerance, dict):
            for quantity in {**self.tolerance, **expected}:
                if quantity not in expected or quantity not in self.tolerance:
                    raise InputError(
                        f"`tolerance` must hold the quantities of `expected`, got a difference in {quantity!r}. Give "
                        "one number for all, or one for each."
                    )
        for quantity, number in expected.items():
            tolerance = self.tolerance_of(quantity)
            if self.comparison in _EXACT and tolerance != 0:
                raise InputError(
                    f"`tolerance` must be 0 where `comparison` is {self.comparison}, got {tolerance}. Remove it."
                )
            if self.comparison not in _EXACT and tolerance <= 0:
                raise InputError(
                    f"`tolerance` must be positive where `comparison` is {self.comparison}, got {tolerance}."
                )
            if self.comparison == "factor" and (tolerance < 1 or number <= 0):
                raise InputError(
                    "A comparison by factor must have a tolerance of at least 1 and an expected number above 0, got "
                    f"{tolerance} and {number} for {quantity!r}. Compare absolutely or relatively."
                )

    def tolerance_of(self, quantity: str) -> float:
        """Tolerance of one quantity."""
        return self.tolerance[quantity] if isinstance(self.tolerance, dict) else self.tolerance


class Explanation(_Stated):
    """Why sizes are off, with a number that has to come out for this to count."""

    text: Text
    query: Text
    expected: Number | dict[Text, Number]

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self._check_tolerances(self.expected if isinstance(self.expected, dict) else {"": self.expected})
        return self


class Claim(_Stated):
    """A claim, and the numbers that it is measured by: one row of the ledger each."""

    claim: Text = Field(description="one sentence")
    source: Text = Field(description="paper, with section or table, or where the number follows from")
    figure: str | None = Field(default=None, description="name of the figure that shows it")
    kind: Kind = Field(description="ranks, zeros and laws hold or fail; a size may be explained")
    query: Text | None = Field(default=None, description="SQL that gives columns `quantity` and `measured`")
    check: Text | None = Field(default=None, description="nullmode.claims.checks.NAME:function, in place of a query")
    expected: Annotated[dict[Text, Number], Field(min_length=1, description="quantity to number")]
    explained: Explanation | None = Field(default=None, description="of sizes that are off, and why")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if (self.query is None) == (self.check is None):
            raise InputError("A claim must have either `query` or `check`. Give one of them.")
        allowed = _OF_KIND.get(self.kind)
        if allowed and self.comparison not in allowed:
            raise InputError(
                f"`comparison` of the kind {self.kind} must be {' or '.join(allowed)}, got {self.comparison!r}."
            )
        if self.explained and self.kind != "size":
            raise InputError(f"`explained` must stand with the kind size alone, got {self.kind!r}. Remove it.")
        if self.explained and isinstance(self.explained.expected, dict):
            for quantity in self.explained.expected:
                if quantity not in self.expected:
                    raise InputError(
                        f"`explained.expected` must hold quantities of `expected`, got {quantity!r}. "
                        f"{suggest(quantity, list(self.expected))}"
                    )
        self._check_tolerances(self.expected)
        return self


def holds(measured: float, stated: _Stated, expected: float, tolerance: float) -> bool:
    """Compare a number with what is expected of it."""
    match stated.comparison:
        case "equal":
            return measured == expected
        case "absolute":
            return abs(measured - expected) <= tolerance
        case "relative":
            return abs(measured - expected) <= tolerance * abs(expected)
        case "factor":
            return expected / tolerance <= measured <= expected * tolerance
        case "at_most":
            return measured <= expected
        case "at_least":
            return measured >= expected


def read(path: str | Path) -> dict[str, Claim]:
    """Read a file of claims.

    Returns
    -------
    dict
        Claims by the name of their group, in the order of the file.

    Raises
    ------
    InputError
        For a missing file, one that is no YAML, an unknown key, an impossible value, or a key that stands twice; it
        names the place.
    """
    if not Path(path).is_file():
        raise InputError(f"`claims` must be an existing file, got {path} (from {Path.cwd()}).")
    try:
        # The loader is a SafeLoader: it makes plain data and nothing else.
        content = yaml.load(Path(path).read_text(encoding="utf-8"), _UniqueKeys)
    except yaml.YAMLError as error:
        raise InputError(f"`claims` must be YAML, got {path}: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict) or not content:
        raise InputError(f"`claims` must hold groups by name, got {path} with {content!r}.")
    result: dict[str, Claim] = {}
    faults = []
    for group, given in content.items():
        try:
            result[str(group)] = Claim.model_validate(given)
        except ValidationError as error:
            faults.append(explain(error, str(group), {"": list(Claim.model_fields)}))
    if faults:
        raise InputError("\n".join([f"{path} cannot be used:", *faults]))
    return result


def check_function(name: str) -> Callable[[Any], Mapping[str, float]]:
    """Load a claim's function: ``nullmode.claims.checks.NAME:function`` or ``path/to/file.py:function``."""
    module, _, attribute = name.partition(":")
    if module.startswith("nullmode.claims.checks."):
        try:
            found: Any = getattr(importlib.import_module(module), attribute, None)
        except ModuleNotFoundError:
            found = None
        if not callable(found):
            raise InputError(f"`check` must name a function of nullmode.claims.checks, got {name!r}.")
    else:
        found = load(name, {}, "check", "check")
    function: Callable[[Any], Mapping[str, float]] = found
    return function


class _UniqueKeys(yaml.SafeLoader):
    """A loader that refuses a key that stands twice: YAML itself would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def shown(number: float | None) -> str:
    """Write a number for a reader: whole ones in full, others with four digits."""
    if number is None or math.isnan(number):
        return "none"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    if number == round(number) and abs(number) < 1e6:
        return str(int(number))
    if 0.01 <= abs(number) < 1e5:
        return f"{number:.4g}"
    mantissa, _, exponent = f"{number:.3e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def stated(comparison: str, expected: float, tolerance: float) -> str:
    """Write what is expected for a reader."""
    match comparison:
        case "absolute":
            return f"{shown(expected)} ± {shown(tolerance)}"
        case "relative":
            return f"{shown(expected)} ± {shown(100 * tolerance)} %"
        case "factor":
            return f"{shown(expected)}, by a factor up to {shown(tolerance)}"
        case "at_most":
            return f"≤ {shown(expected)}"
        case "at_least":
            return f"≥ {shown(expected)}"
    return shown(expected)


def counts(frame: "pd.DataFrame") -> dict[str, int]:
    """Count the verdicts, worst first."""
    return {verdict: int((frame["verdict"] == verdict).sum()) for verdict in VERDICTS}
