"""Septic Hermite splines of many functions at once, differentiated exactly."""

from typing import NamedTuple

from nullmode._support._jit import kernel
from nullmode._support.types import Floats

TERMS = 4
"""Taylor coefficients at each node: value, slope, half the second and a sixth of the third derivative."""


class RadialTable(NamedTuple):
    """Hermite data of all radial integrals, or functions, of one basis.

    Attributes
    ----------
    nodes, shape (n_nodes, 4, (l_max + 1) n_max)
        Taylor coefficients of order k times h^k at equidistant nodes of spacing h from 0 to the cutoff; last index
        l·n_max + n.
    inverse_spacing
        1/h in 1/Å.
    """

    nodes: Floats
    inverse_spacing: float


@kernel
def hermite(t: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Septic Hermite weights at t in [0, 1], and their derivatives with respect to t.

    Eight each: for the Taylor coefficients of order 0 to 3 at the left node, then at the right one.
    """
    u = 1.0 - t
    t3 = t * t * t
    u3 = u * u * u
    t4 = t3 * t
    u4 = u3 * u
    weights = (
        u4 * (1.0 + t * (4.0 + t * (10.0 + t * 20.0))),
        u4 * t * (1.0 + t * (4.0 + t * 10.0)),
        u4 * t * t * (1.0 + t * 4.0),
        u4 * t3,
        t4 * (1.0 + u * (4.0 + u * (10.0 + u * 20.0))),
        -t4 * u * (1.0 + u * (4.0 + u * 10.0)),
        t4 * u * u * (1.0 + u * 4.0),
        -t4 * u3,
    )
    derivatives = (
        -140.0 * t3 * u3,
        u3 * (1.0 + t * (3.0 + t * (6.0 - t * 70.0))),
        u3 * t * (2.0 + t * (6.0 - t * 28.0)),
        u3 * t * t * (3.0 - t * 7.0),
        140.0 * t3 * u3,
        t3 * (1.0 + u * (3.0 + u * (6.0 - u * 70.0))),
        -t3 * u * (2.0 + u * (6.0 - u * 28.0)),
        t3 * u * u * (3.0 - u * 7.0),
    )
    return weights, derivatives


@kernel
def interpolate(table: RadialTable, distance: float, values: Floats, derivatives: Floats) -> None:
    """Fill `values` with all I_nl(r), r <= cutoff, and `derivatives` with dI_nl/dr in 1/Å; index l·n_max + n."""
    scaled = distance * table.inverse_spacing
    i = min(int(scaled), table.nodes.shape[0] - 2)
    w, d = hermite(scaled - i)
    left = table.nodes[i]
    right = table.nodes[i + 1]
    for k in range(values.size):
        value = w[0] * left[0, k] + w[1] * left[1, k] + w[2] * left[2, k] + w[3] * left[3, k]
        value += w[4] * right[0, k] + w[5] * right[1, k] + w[6] * right[2, k] + w[7] * right[3, k]
        slope = d[0] * left[0, k] + d[1] * left[1, k] + d[2] * left[2, k] + d[3] * left[3, k]
        slope += d[4] * right[0, k] + d[5] * right[1, k] + d[6] * right[2, k] + d[7] * right[3, k]
        values[k] = value
        derivatives[k] = table.inverse_spacing * slope
