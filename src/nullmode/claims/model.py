"""The file of claims: what it may hold, how it is read, and how a measured number is compared with an expected one.

A claim is a statement with one or more expected numbers. Imports are light, since the settings import this module.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nullmode._support.types import InputError
from nullmode._support.variants import explain, load, suggest
from nullmode._support.yaml_file import read_yaml

if TYPE_CHECKING:
    import pandas as pd

PASS, FAIL, EXPLAINED = "pass", "fail", "explained"
VERDICTS = (FAIL, EXPLAINED, PASS)
"""Verdicts on a measured number, the worst first."""
_EXACT = ("equal", "at_most", "at_least")
_OF_KIND = {"rank": ("equal",), "zero": ("equal", "at_most")}

Kind = Literal["rank", "zero", "law", "size"]
Comparison = Literal["equal", "absolute", "relative", "factor", "at_most", "at_least"]
Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Expectation(BaseModel):
    """How measured numbers are compared with expected ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    comparison: Comparison
    tolerance: Number | dict[Text, Number] = 0.0

    def _check_tolerances(self, expected: Mapping[str, float]) -> None:
        """Refuse tolerances that do not fit the comparison or the quantities."""
        if isinstance(self.tolerance, dict):
            for quantity in {**self.tolerance, **expected}:
                if quantity not in expected or quantity not in self.tolerance:
                    raise InputError(
                        "`tolerance` must hold the quantities of `expected`, got a mapping that differs in "
                        f"{quantity!r}. Give one number for all quantities, or one for each."
                    )
        for quantity, number in expected.items():
            tolerance = self.tolerance_of(quantity)
            if self.comparison in _EXACT and tolerance != 0:
                raise InputError(
                    f"`tolerance` must be 0 where `comparison` is {self.comparison}, got {tolerance}. Remove it."
                )
            if self.comparison not in _EXACT and tolerance <= 0:
                raise InputError(
                    f"`tolerance` must be positive where `comparison` is {self.comparison}, got {tolerance}. "
                    "Give a positive number."
                )
            if self.comparison == "factor" and (tolerance < 1 or number <= 0):
                raise InputError(
                    "`tolerance` must be at least 1 and the expected number positive where `comparison` is factor, got "
                    f"{tolerance} and {number} for {quantity!r}. Use absolute or relative."
                )

    def tolerance_of(self, quantity: str) -> float:
        """Give the tolerance of one quantity."""
        return self.tolerance[quantity] if isinstance(self.tolerance, dict) else self.tolerance


class Explanation(Expectation):
    """Why sizes do not agree, with a number that has to be measured for the explanation to count."""

    text: Text
    query: Text
    expected: Number | dict[Text, Number]

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self._check_tolerances(self.expected if isinstance(self.expected, dict) else {"": self.expected})
        return self


class Claim(Expectation):
    """A claim and its expected numbers; each number is a row of the ledger."""

    claim: Text = Field(description="one sentence")
    source: Text = Field(description="the paper with section or table, or what the numbers follow from")
    figure: str | None = Field(default=None, description="name of the figure that shows the claim")
    kind: Kind = Field(description="ranks, zeros and laws pass or fail; a size may also be explained")
    query: Text | None = Field(default=None, description="SQL that gives the columns `quantity` and `measured`")
    check: Text | None = Field(default=None, description="nullmode.claims.checks.NAME:function, instead of a query")
    expected: Annotated[dict[Text, Number], Field(min_length=1, description="expected numbers, by quantity")]
    explained: Explanation | None = Field(default=None, description="why sizes do not agree with what is expected")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if (self.query is None) == (self.check is None):
            got = "neither" if self.query is None else "both"
            raise InputError(f"A claim must have either `query` or `check`, got {got}. Give one of them.")
        allowed = _OF_KIND.get(self.kind)
        if allowed and self.comparison not in allowed:
            raise InputError(
                f"`comparison` must be {' or '.join(allowed)} where `kind` is {self.kind}, got {self.comparison!r}."
            )
        if self.explained and self.kind != "size":
            raise InputError(f"`explained` must be given only where `kind` is size, got it for {self.kind}. Remove it.")
        if self.explained and isinstance(self.explained.expected, dict):
            for quantity in self.explained.expected:
                if quantity not in self.expected:
                    raise InputError(
                        f"`explained.expected` must hold quantities of `expected`, got {quantity!r}. "
                        f"{suggest(quantity, list(self.expected))}"
                    )
        self._check_tolerances(self.expected)
        return self


def holds(measured: float, comparison: Comparison, expected: float, tolerance: float) -> bool:
    """Compare a measured number with an expected one."""
    if comparison == "factor":
        return expected / tolerance <= measured <= expected * tolerance
    return {
        "equal": measured == expected,
        "absolute": abs(measured - expected) <= tolerance,
        "relative": abs(measured - expected) <= tolerance * abs(expected),
        "at_most": measured <= expected,
        "at_least": measured >= expected,
    }[comparison]


def read(path: str | Path) -> dict[str, Claim]:
    """Read a file of claims: claims by the name of their group, in the order of the file.

    Raises
    ------
    InputError
        For a missing file, a file that is not YAML, an unknown key, an impossible value, or a key that is given twice;
        the message names the place.
    """
    if not Path(path).is_file():
        raise InputError(f"`claims` must be an existing file, got {path} (from {Path.cwd()}).")
    content = read_yaml(path)
    if not isinstance(content, dict) or not content:
        raise InputError(f"`claims` must hold groups by name, got {path} with {content!r}.")
    result: dict[str, Claim] = {}
    faults = []
    for group, entry in content.items():
        try:
            result[str(group)] = Claim.model_validate(entry)
        except ValidationError as error:
            faults.append(explain(error, str(group), {"": list(Claim.model_fields)}))
    if faults:
        raise InputError("\n".join([f"{path} cannot be used:", *faults]))
    return result


def check_function(name: str) -> Callable[[Any], Mapping[str, float]]:
    """Load a claim's function: ``nullmode.claims.checks.NAME:function`` or ``path/to/file.py:function``."""
    own = {name: name} if name.startswith("nullmode.claims.checks.") else {}
    try:
        return cast(Callable[[Any], Mapping[str, float]], load(name, own, "check", "check"))
    except (ModuleNotFoundError, AttributeError):
        raise InputError(f"`check` must name a function of nullmode.claims.checks, got {name!r}.") from None


def count_verdicts(frame: "pd.DataFrame") -> dict[str, int]:
    """Count the rows of each verdict, the worst first."""
    return {verdict: int((frame["verdict"] == verdict).sum()) for verdict in VERDICTS}
