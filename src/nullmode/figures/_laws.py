"""Power laws through points."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nullmode._support.types import Floats, InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROUNDING = 1e-13
"""Relative distances of features below this are rounding."""
_FEWEST = 3


class Law(NamedTuple):
    """A power law, y = prefactor · x^exponent."""

    exponent: float
    prefactor: float

    def plain(self, x: str) -> str:
        """Write the law as text."""
        return f"{self.prefactor:.3g} {x}^{self.exponent:.3f}"

    def draw(self, ax: "Axes", x: Floats) -> None:
        """Draw the line over all of x, beyond the points that it was fitted to too."""
        ends = np.array([x.min(), x.max()])
        ax.plot(ends, self.prefactor * ends**self.exponent, color="0.35", linestyle=":", linewidth=0.8, zorder=0)


def law(x: Floats, y: Floats, largest: float, smallest: float = ROUNDING) -> Law:
    """Fit a power law by least squares of the logarithms, to the points with x up to `largest`, y above `smallest`.

    Raises
    ------
    InputError
        For fewer than three such points.
    """
    chosen = (x > 0) & (x <= largest) & (y > smallest)
    if np.count_nonzero(chosen) < _FEWEST:
        raise InputError(
            f"`table` must hold at least {_FEWEST} points up to {largest:.3g} to fit a law to, got "
            f"{np.count_nonzero(chosen)}. Add smaller ones to the family."
        )
    exponent, constant = np.polyfit(np.log(x[chosen]), np.log(y[chosen]), 1)
    return Law(float(exponent), float(np.exp(constant)))
