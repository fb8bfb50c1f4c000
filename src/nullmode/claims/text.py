"""Numbers of claims, written for a reader."""

import math


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
    match comparison:
        case "absolute":
            return f"{number_text(expected)} ± {number_text(tolerance)}"
        case "relative":
            return f"{number_text(expected)} ± {number_text(100 * tolerance)} %"
        case "factor":
            return f"{number_text(expected)}, by a factor up to {number_text(tolerance)}"
        case "at_most":
            return f"≤ {number_text(expected)}"
        case "at_least":
            return f"≥ {number_text(expected)}"
    return number_text(expected)
