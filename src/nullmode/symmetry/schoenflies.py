"""Names of finite groups of orthogonal matrices."""

from fractions import Fraction
from math import inf, pi

import numpy as np

from nullmode._support.types import Floats


def schoenflies(operations: Floats) -> str:
    """Name a finite group of orthogonal matrices."""
    signs = np.sign(np.linalg.det(operations))
    proper = operations[signs > 0]
    improper = operations[signs < 0]
    orders = np.array([rotation_order(g) for g in proper])
    n = int(orders.max())
    inversion = any(np.trace(g) < -2.999 for g in improper)
    if (orders == 3).sum() > 2:
        finite = {12: "T", 24: "O", 60: "I"}[len(proper)]
        if not len(improper):
            return finite
        return finite + ("h" if inversion else "d")
    if n == 1:
        if not len(improper):
            return "C1"
        return "Ci" if inversion else "Cs"
    axis = _axis(proper[orders.argmax()])
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
    cubic = {"T": 12, "O": 24, "I": 60}
    if name in ("Ci", "Cs"):
        return 2
    if name == "Kh" or "∞" in name:
        return inf
    letter, sides = name[0], name[1:].lstrip("0123456789")
    twice = 2 if sides else 1
    if letter in cubic:
        return twice * cubic[letter]
    n = int(name[1:].removesuffix(sides))
    return twice * n * (2 if letter == "D" else 1)


def rotation_order(rotation: Floats) -> int:
    """Order of a rotation matrix: the smallest power that is the identity."""
    angle = np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))
    return Fraction(float(angle / (2 * pi))).limit_denominator(200).denominator


def _axis(rotation: Floats) -> Floats:
    values, vectors = np.linalg.eig(rotation)
    axis: Floats = vectors[:, np.argmin(np.abs(values - 1))].real
    return axis
