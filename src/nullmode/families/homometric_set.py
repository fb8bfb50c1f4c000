"""Seven neighbours with equal power spectra: two homometric quartets in a plane, each with three more neighbours."""

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from nullmode._support.axes import Axis, above, at_most, distinct
from nullmode._support.types import Floats
from nullmode.families._base import EndLengths, Lengths, Structures, grid, grid_size, methane, sized

_Member = Annotated[int, Field(ge=0, le=3)]


@sized(lambda **axes: grid_size(**axes)._replace(atoms=8))
def structures(
    a: Annotated[Axis, above(0), at_most(89.999)] = [45],
    chi: Axis = [270],
    delta: Annotated[Axis, above(0), at_most(89.999)] = [45],
    r: Lengths = [1.0],
    r_pair: Lengths = [1.0],
    r_axis: EndLengths = [1.0],
    members: Annotated[list[_Member], Field(min_length=1), AfterValidator(distinct)] = [0, 1, 2],
) -> Structures:
    """Place four hydrogens in the plane z = 0 and three in the plane x = 0 around C.

    The four are at azimuths {0, a, 90°, a + 180°} + chi or {0, a, a + 90°, 180°} - a - chi, which have the same angles
    among them (homometric: Patterson, Phys. Rev. 65, 195 (1944)) and, by the choice of the second turn, the same |y|.
    The three are an antipodal pair and one on -z, or their mirror image at y = 0: the same angles among them, and with
    the four, since their y are ±y and 0. Members 0 to 3 are the four combinations. The default is the published triplet
    (Pozdnyakov et al., Phys. Rev. Lett. 125, 166001 (2020)), for which member 3 is congruent to member 1; at general
    a all four differ.

    Parameters
    ----------
    a, chi
        Parameters of the azimuths, in degrees; 0 < a < 90.
    delta
        Angle of the antipodal pair from y towards z, in degrees, between 0 and 90.
    r, r_pair, r_axis
        Distances of the four, of the antipodal pair and of the last from the centre, in Å.
    members
        Members of the set: 0 and 1 have the first quartet, 1 and 3 the mirrored three.

    Yields
    ------
    ase.Atoms
        Coordinates: ``member``, ``pair`` (the same for all members of a set) and all parameters.
    """
    for member in members:
        axes = {"a": a, "chi": chi, "delta": delta, "r": r, "r_pair": r_pair, "r_axis": r_axis}
        for pair, point in enumerate(grid(**axes)):
            yield methane(hydrogens(member=member, **point), member=member, pair=pair, **point)


def hydrogens(*, a: float, chi: float, delta: float, r: float, r_pair: float, r_axis: float, member: int) -> Floats:
    """Positions in Å; angles in degrees; shape (7, 3)."""
    first = np.array([0, a, 90, a + 180]) + chi
    second = np.array([0, a, a + 90, 180]) - a - chi
    turn = np.radians(first if member < 2 else second)
    four = r * np.stack([np.cos(turn), np.sin(turn), np.zeros(4)], axis=1)
    slant = np.radians(delta)
    one = r_pair * np.array([0, np.cos(slant), np.sin(slant)])
    three = np.stack([one, -one, [0, 0, -r_axis]])
    return np.vstack([four, three * [1, -1 if member % 2 else 1, 1]])
