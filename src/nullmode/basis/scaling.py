"""Weights that let far neighbours count less."""

from typing import Annotated, final

from pydantic import Field

from nullmode._support._jit import kernel
from nullmode._support.variants import variant


@final
@variant
class RadialScaling:
    """Weight u(r) = rate/(rate + (r/scale)^exponent) of each neighbour, beside the cutoff function.

    Willatt, Musil and Ceriotti, Phys. Chem. Chem. Phys. 20, 29661 (2018), in featomic's form ``Willatt2018``.

    Parameters
    ----------
    rate, exponent
        Dimensionless.
    scale
        Length in Å.
    """

    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    exponent: Annotated[float, Field(ge=1, le=100)]


@kernel
def scaling(distance: float, rate: float, scale: float, exponent: float) -> tuple[float, float]:
    """Weight u(r) of :class:`RadialScaling`, and du/dr in 1/Å."""
    power = (distance / scale) ** exponent
    weight = rate / (rate + power)
    # power / (rate + power), for powers that overflow too.
    share = 1.0 / (1.0 + rate / power)
    return weight, -exponent / distance * share * weight
