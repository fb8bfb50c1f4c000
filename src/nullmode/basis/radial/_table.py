"""Tabulation of any radial basis as septic Hermite splines.

The table is differentiated exactly, so that features and Jacobian belong to one smooth function: invariance, and with
it every exact null value, survives the tabulation.
"""

import json
from dataclasses import asdict
from functools import lru_cache
from io import BytesIO
from math import ceil, sqrt
from typing import Any, NamedTuple, cast

import numpy as np

from nullmode._support.code_hash import origin
from nullmode._support.disk_cache import remembered
from nullmode._support.types import Floats, InputError, Reals
from nullmode.basis.radial._base import RadialBasis
from nullmode.basis.spline import TERMS, RadialTable, hermite

TABLE_ERROR = 1e-14
"""Goal of the tabulation: largest error of a value over the largest value of the same radial function."""
MOST_INTERVALS = 4096
"""Largest size of a table; functions that need more are refused as too sharp for their cutoff."""
INTERVALS_PER_WIDTH = 6
"""Size of the first table that is tried for a Gaussian density."""
FAINT = 1e-6
"""The error of a function weaker than this share of the strongest one is measured against this share: a broad Gaussian
leaves nothing but rounding of a fast oscillation."""
# Halving the spacing divides the error of a septic spline by 256, until only rounding remains.
_WORTHWHILE = 4.0
# A larger error is not rounding. With a smaller one, a table is accepted even if it could be finer.
_CONVERGED = 1e-9
# Between two nodes, the value of a septic spline deviates most at 1/2, its slope where t⁴(1-t)⁴ is steepest.
_STEEPEST = 0.5 - sqrt(7) / 14


class Basis(NamedTuple):
    """A tabulated radial basis with its error.

    Attributes
    ----------
    table
        The table that the kernels read.
    smallest_eigenvalue
        Of the overlap matrix of the functions (see :meth:`RadialBasis.smallest_eigenvalue`). GTOs are orthonormalised
        with 40 digits, but similar functions amplify any other rounding; codes that compute S^(-1/2) in double
        precision differ by about 1e-16 divided by this eigenvalue.
    value_error, derivative_error
        Largest deviation of the spline from the exact function, over the largest value (slope) of each function, or
        over ``FAINT`` times that of the strongest function if this is more; measured between the nodes.
    """

    table: RadialTable
    smallest_eigenvalue: float
    value_error: float
    derivative_error: float


@lru_cache(maxsize=256)
def tabulated(basis: RadialBasis, n_max: int, l_max: int, cutoff: float, width: float | None) -> Basis:
    """Tabulate the integrals with a Gaussian of a width in Å, or, for None, the functions themselves.

    The table is remembered in the process and, for nullmode's own functions, in the user's cache.

    Nodes are added until the values agree with the exact ones to ``TABLE_ERROR``, or to rounding.

    Raises
    ------
    InputError
        If the basis loses too many digits (see :meth:`RadialBasis.check`), or is too sharp to be tabulated.
    """
    module = type(basis).__module__
    if not module.startswith("nullmode."):
        return _made(basis, n_max, l_max, cutoff, width)

    def make() -> bytes:
        made = _made(basis, n_max, l_max, cutoff, width)
        buffer = BytesIO()
        np.save(buffer, made.table.nodes)
        np.save(buffer, np.array([made.table.inverse_spacing, *made[1:]]))
        return buffer.getvalue()

    code = origin(__name__, module)
    key = json.dumps([code, module, asdict(cast("Any", basis)), n_max, l_max, cutoff, width], default=repr)
    buffer = BytesIO(remembered("tables", key.encode(), make))
    nodes, numbers = np.load(buffer), np.load(buffer).tolist()
    return Basis(RadialTable(nodes, numbers[0]), *numbers[1:])


def _made(basis: RadialBasis, n_max: int, l_max: int, cutoff: float, width: float | None) -> Basis:
    basis.check(n_max, l_max, cutoff)

    def exact(distances: Reals) -> Floats:
        if width is None:
            values = basis.functions(distances, n_max, l_max, cutoff)
        else:
            values = basis.integrals(distances, n_max, l_max, cutoff, width)
        return np.ascontiguousarray(values, dtype=np.float64)

    intervals = max(16, 2 * n_max if width is None else ceil(INTERVALS_PER_WIDTH * cutoff / width))
    kept, value_error = np.empty(0), np.inf
    nodes = np.empty(0)
    while value_error > TABLE_ERROR:
        if intervals > MOST_INTERVALS:
            if value_error < _CONVERGED:
                break
            if width is not None:
                raise _too_narrow(width, cutoff)
            raise InputError(
                f"`radial_basis` must be smooth enough to be tabulated up to the cutoff, got {basis} with "
                f"n_max={n_max}: that takes more than {MOST_INTERVALS} intervals. Use a smaller n_max or a gentler "
                "transform."
            )
        spacing = cutoff / intervals
        if nodes.size == 0:
            nodes = exact(np.arange(intervals + 1) * spacing)
        middle = exact((np.arange(intervals) + 0.5) * spacing)
        error = _deviation(nodes, middle, 0.5, spacing, 0)
        rounded = value_error < _CONVERGED and error * _WORTHWHILE > value_error
        if error < value_error:
            kept, value_error = nodes, error
        if rounded:
            break
        finer = np.empty((2 * intervals + 1, *nodes.shape[1:]))
        finer[::2], finer[1::2] = nodes, middle
        nodes, intervals = finer, 2 * intervals
    intervals = len(kept) - 1
    spacing = cutoff / intervals
    steep = exact((np.arange(intervals) + _STEEPEST) * spacing)
    derivative_error = _deviation(kept, steep, _STEEPEST, spacing, 1)
    table = kept.reshape(intervals + 1, TERMS, -1) * (spacing ** np.arange(TERMS))[:, None]
    smallest = basis.smallest_eigenvalue(n_max, l_max, cutoff)
    return Basis(RadialTable(table, 1.0 / spacing), smallest, value_error, derivative_error)


def check_width(width: float, cutoff: float) -> None:
    """Refuse a Gaussian density that is too narrow to be tabulated; lengths in Å."""
    if INTERVALS_PER_WIDTH * cutoff / width > MOST_INTERVALS:
        raise _too_narrow(width, cutoff)


def _too_narrow(width: float, cutoff: float) -> InputError:
    return InputError(
        f"`width` must be broad enough to be tabulated up to the cutoff, got width={width} at cutoff={cutoff}: "
        f"that takes more than {MOST_INTERVALS} intervals. Use a larger width or a smaller cutoff."
    )


def _deviation(nodes: Floats, exact: Floats, t: float, spacing: float, order: int) -> float:
    weights = np.array(hermite.py_func(t)[order]).reshape(2, TERMS) * spacing ** (np.arange(TERMS) - order)
    spline = np.einsum("k,ikln->iln", weights[0], nodes[:-1]) + np.einsum("k,ikln->iln", weights[1], nodes[1:])
    deviation = np.abs(spline - exact[:, order]).max(axis=0)
    largest = np.abs(nodes[:, order]).max(axis=0)
    scale = np.maximum(largest, FAINT * largest.max())
    # A single constant function has no slope to compare with.
    return float((deviation / np.where(scale > 0, scale, 1.0)).max())
