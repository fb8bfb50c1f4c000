"""Arithmetic of truncated Taylor series: arrays whose first axis is the order, of any further shape."""

from math import factorial

import numpy as np

from nullmode._support.types import Reals
from nullmode.basis.spline import TERMS


def series(*coefficients: Reals | float, like: Reals) -> Reals:
    """Series with the given coefficients, zero beyond them, shape (4, *like.shape)."""
    result = np.zeros((TERMS, *like.shape), dtype=like.dtype)
    for k, coefficient in enumerate(coefficients):
        result[k] = coefficient
    return result


def product(left: Reals, right: Reals) -> Reals:
    """Cauchy product of two series."""
    return np.array([sum(left[i] * right[k - i] for i in range(k + 1)) for k in range(TERMS)])


def compose(outer: Reals, inner: Reals) -> Reals:
    """Series `outer` in `inner`, whose constant is zero, by Horner's scheme."""
    result = series(outer[-1], like=inner[0])
    for k in reversed(range(TERMS - 1)):
        result = product(result, inner)
        result[0] += outer[k]
    return result


def exponential(inner: Reals) -> Reals:
    """Exponential of a series whose constant is zero."""
    one = np.ones_like(inner[0])
    return compose(np.array([one / factorial(k) for k in range(TERMS)]), inner)
