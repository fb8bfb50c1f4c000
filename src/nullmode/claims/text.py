"""Numbers of claims, written for a reader."""

import math

_RANGES = {
    "absolute": "{} ± {}",
    "relative": "{} ± {} %",
    "factor": "{}, by a factor up to {}",
    "at_most": "≤ {}",
    "at_least": "≥ {}",
}


def number_text(number: float | None) -> str:
    """Write a number: a whole one in full, any other with four digits."""
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


def expected_text(comparison: str, expected: float, tolerance: float) -> str:
    """Write an expected number with the range that a measured one may lie in."""
    shown = 100 * tolerance if comparison == "relative" else tolerance
    return _RANGES.get(comparison, "{}").format(number_text(expected), number_text(shown))
