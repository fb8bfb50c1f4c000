"""Names of finite groups of orthogonal matrices."""

from fractions import Fraction
from math import inf, pi

import numpy as np

from nullmode._support.types import Floats

_CUBIC = {12: "T", 24: "O", 60: "I"}


def schoenflies(operations: Floats) -> str:
    """Name a finite group of orthogonal matrices."""
    signs = np.sign(np.linalg.det(operations))
    proper = operations[signs > 0]
    improper = operations[signs < 0]
    orders = np.array([rotation_order(g) for g in proper])
    n = int(orders.max())
    inversion = any(np.trace(g) < -2.999 for g in improper)
    if (orders == 3).sum() > 2:
        return _CUBIC[len(proper)] + ("" if not len(improper) else "h" if inversion else "d")
    if n == 1:
        return "C1" if not len(improper) else "Ci" if inversion else "Cs"
    axis = rotation_axis(proper[orders.argmax()])
    # A mirror has trace 1; an S_n about the same axis has 2 cos(2 pi/n) - 1.
    horizontal = any(np.allclose(g @ axis, -axis, atol=1e-3) and np.trace(g) > 0.999 for g in improper)
    vertical = any(np.allclose(g @ axis, axis, atol=1e-3) for g in improper)
    if len(proper) == n:
        if not len(improper):
            return f"C{n}"
        if horizontal:
            return f"C{n}h"
        return f"C{n}v" if vertical else f"S{2 * n}"
    if not len(improper):
        return f"D{n}"
    # The three axes of D2d and D2h have equal orders; only D2h contains the inversion.
    return f"D{n}h" if (inversion if n == 2 else horizontal) else f"D{n}d"


def group_order(name: str) -> float:
    """Count the operations of the group with a Schoenflies symbol; infinite for ``C∞v``, ``D∞h`` and ``Kh``."""
    if name in ("Ci", "Cs"):
        return 2
    if name == "Kh" or "∞" in name:
        return inf
    letter, sides = name[0], name[1:].lstrip("0123456789")
    twice = 2 if sides else 1
    for order, cubic in _CUBIC.items():
        if letter == cubic:
            return twice * order
    return twice * int(name[1:].removesuffix(sides)) * (2 if letter == "D" else 1)


def rotation_order(rotation: Floats) -> int:
    """Order of a rotation matrix: the smallest power that is the identity."""
    angle = np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))
    return Fraction(float(angle / (2 * pi))).limit_denominator(200).denominator


def rotation_axis(rotation: Floats) -> Floats:
    """Find the unit vector along the axis of a rotation matrix, of either sign."""
    values, vectors = np.linalg.eig(rotation)
    axis: Floats = vectors[:, np.argmin(np.abs(values - 1))].real
    return axis
