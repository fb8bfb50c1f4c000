"""An axis for ratios of singular values, with a band in which null values are drawn."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Over rtol: where null values are drawn, and the band that sets them apart.
_ZERO, _BAND = 0.1, (0.02, 0.5)


def null_band(ax: "Axes", rtol: float) -> float:
    """Make the ordinate logarithmic, with a band below `rtol` for null values; returns where they are drawn."""
    zero = _ZERO * rtol
    ax.axhspan(_BAND[0] * rtol, _BAND[1] * rtol, color="0.93", linewidth=0, zorder=-1)
    ax.set_yscale("log")
    ax.set_ylim(_BAND[0] * rtol, 2)
    powers = range(0, int(np.floor(np.log10(rtol))) - 1, -3)
    ax.set_yticks([*(10.0**p for p in powers), zero], [*(f"$10^{{{p}}}$" for p in powers), "0"])
    ax.yaxis.minorticks_off()
    return zero
