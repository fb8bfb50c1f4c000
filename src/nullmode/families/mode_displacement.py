"""A methane of the degenerate pair, displaced along singular modes of a power spectrum."""

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from nullmode._support.arguments import Count, Length
from nullmode._support.axes import Axis, Range, at_most, axis_values, distinct, values
from nullmode.descriptors._parameters import Cutoff, CutoffWidth
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.families._base import BOND, METHANE, Structures, methane, sized
from nullmode.families.degenerate_pair import hydrogens
from nullmode.geometry.environment import Environment
from nullmode.spectrum.decomposition import decompose

Mode = Literal["softest", "stiffest"]
_PLACE: dict[Mode, int] = {"stiffest": 0, "softest": -1}


@sized(lambda modes, amplitudes, **_: METHANE._replace(structures=1 + len(modes) * len(values(amplitudes))))
def structures(
    modes: Annotated[list[Mode], Field(min_length=1), AfterValidator(distinct)] = list(_PLACE),
    amplitudes: Annotated[Axis, at_most(1)] = Range(start=-6, stop=-1, step=0.25),
    u: Annotated[float, Field(allow_inf_nan=False)] = 1.0,
    v: Annotated[float, Field(allow_inf_nan=False)] = 0.0,
    width: Length = 0.3,
    n_max: Count = 8,
    l_max: Annotated[int, Field(ge=0)] = 8,
    cutoff: Cutoff = 4.0,
    cutoff_width: CutoffWidth = 0.5,
) -> Structures:
    """Displace X+(u, v) along right singular vectors of the Jacobian of its power spectrum.

    Features change by s_k a to first order in the amplitude a: linearly along a mode with s_k > 0, quadratically along
    a null mode.

    Parameters
    ----------
    modes
        The modes; ``softest`` has the smallest singular value, without rotations.
    amplitudes
        Decimal logarithms of the displacement in Å, as a vector of all neighbours together.
    u, v
        Parameters of the ``degenerate_pair``, in units of pi; by default its singular point.
    width, n_max, l_max, cutoff, cutoff_width
        Parameters of the power spectrum (in GTOs); lengths in Å.

    Yields
    ------
    ase.Atoms
        Coordinates: ``mode`` (``none`` for the first, which is not displaced), ``amplitude`` (Å), ``pair`` (one for
        all: their features are compared with those of the first).
    """
    descriptor = PowerSpectrum(n_max=n_max, l_max=l_max, width=width, cutoff=cutoff, cutoff_width=cutoff_width)
    environment = Environment.from_vectors(BOND * hydrogens(u * np.pi, v * np.pi, 1))
    directions = decompose(descriptor, environment, rtol=0.0).modes
    yield methane(environment.vectors, mode="none", amplitude=0.0, pair=0)
    for mode in modes:
        for amplitude in (10 ** axis_values(amplitudes)).tolist():
            displaced = environment.vectors + amplitude * directions[_PLACE[mode]]
            yield methane(displaced, mode=mode, amplitude=amplitude, pair=0)
