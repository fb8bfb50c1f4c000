"""The rule that judges singular values: which count, and whether that can be trusted."""

from typing import Any, NamedTuple

import numpy as np

from nullmode._support.types import Bools, Floats, Integers
from nullmode.descriptors._base import ROUNDING

_NEAR_ORIGIN = 10.0
"""Length in Å: beyond, the rounding of coordinates is larger than that of the terms."""


class Judgement(NamedTuple):
    """Arrays with an entry for each list of singular values: as in :class:`Sensitivity`, and the status of the rank."""

    rank: Integers
    condition_number: Floats
    inverse_condition_number: Floats
    rotation_floor: Floats
    rounding_floor: Floats
    status: Any

    def of_one(self) -> dict[str, Any]:
        """Give the judgement of a single list of singular values, as Python numbers by name."""
        return {name: np.asarray(value).item() for name, value in self._asdict().items()}


def judge(
    values: Floats,
    response: Floats | float,
    *,
    rtol: float,
    terms: Floats | float = 0.0,
    rounding: float = ROUNDING,
    error: Floats | float = 0.0,
    finite: Bools | bool = True,
    empty: Bools | bool = False,
) -> Judgement:
    """Judge singular values: the only place where rank, condition numbers, noise floors and status are decided.

    A value counts if it exceeds rtol times the largest one and the rounding floor. That is the rounding of the terms
    whose sum the Jacobian is: where these cancel, what is left is no response, even if it is the largest value. If the
    largest value is within the estimated error of the Jacobian, and the error within rtol times the terms, the floor is
    the error.

    Parameters
    ----------
    values, shape (..., d)
        Singular values, descending, in 1/Å; NaN where the Jacobian is not finite.
    response, shape (...)
        Norm of the response to rigid motions, in 1/Å; NaN where there are no rigid motions.
    rtol
        Values up to rtol times the largest are null.
    terms, shape (...)
        Size of the terms whose sum the Jacobian is, in 1/Å, as :func:`size_of_terms` and :func:`coarseness` give it.
    rounding
        Relative rounding of these terms, as the descriptor states it.
    error, shape (...)
        Estimated error of the Jacobian, in 1/Å.
    finite, empty, shape (...)
        Whether the Jacobian is finite, and whether there are no neighbours.
    """
    padded = values if values.shape[-1] else np.zeros((*values.shape[:-1], 1))
    largest, smallest = padded[..., 0], padded[..., -1]
    nothing_seen = (largest <= error) & (np.asarray(error) <= rtol * np.asarray(terms))
    rounding_floor = np.maximum(rounding * np.asarray(terms), np.where(nothing_seen, error, 0.0))
    threshold = np.maximum(rtol * largest, rounding_floor)
    rank = np.asarray((values > threshold[..., None]).sum(axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        condition = np.where(rank > 0, largest / smallest, np.nan)
        inverse = np.where(rank > 0, smallest / largest, np.nan)
        floor = np.where(rank > 0, response / largest, np.nan)
    status = np.full(floor.shape, "ok", dtype=object)
    # Later lines overrule earlier ones.
    status[threshold < error] = "rtol_below_error"
    # An rtol below the rounding of all numbers asks for what no floor grants.
    status[response > (threshold if rtol >= rounding else rtol * largest)] = "rtol_below_floor"
    unknown = np.logical_not(finite) | np.asarray(empty)
    if finite is not True:
        status[..., np.logical_not(finite)] = "not_finite"
    if empty is not False:
        status[..., np.asarray(empty)] = "no_neighbours"
    return Judgement(rank, condition, inverse, floor, np.where(unknown, np.nan, rounding_floor), status)


def coarseness(extent: Floats | float) -> Any:
    """Factor by which rounding grows with the coordinates of a structure, at most `extent` (Å), of its vectors.

    Vectors are differences of coordinates, and these are rounded to eps times themselves. In perfect crystals values
    that should vanish were up to 20 eps T (T: the size of the terms) near the origin, and 1.2 eps T extent/Å far away.
    """
    return np.maximum(1.0, np.asarray(extent) / _NEAR_ORIGIN)


def size_of_terms(features: Floats | None, jacobian: Floats) -> float:
    """Size of the terms whose sum a Jacobian (F, n, 3) is, in 1/Å: its norm, or that of its features over 1 Å.

    The derivative of a feature is a sum of products of the same factors as the feature itself, divided by lengths. It
    is rounded to eps times the feature over such a length, even if the feature is constant and the sum should be zero.
    And where columns are added, as for the images of an atom, each is rounded to eps times itself.
    """
    return max(norm(jacobian), 0.0 if features is None else norm(features))


def norm(array: Floats) -> float:
    """Frobenius norm of an array of any shape and scale."""
    # Scaled, so that squares neither overflow nor vanish. Without BLAS, whose threads slow down arrays this small.
    largest = max(array.max(initial=0.0), -array.min(initial=0.0)) or 1.0
    return float(largest * np.sqrt(np.square(array / largest).sum()))


def norms(rows: Floats) -> Floats:
    """Norms of vectors of any scale along the last axis."""
    largest = np.abs(rows).max(axis=-1, initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)
    return np.asarray(scale * np.sqrt(np.square(rows / scale[..., None]).sum(axis=-1)))
