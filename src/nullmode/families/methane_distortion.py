"""Methane along symmetry-breaking paths from the tetrahedron, and with isotropic noise."""

from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import AfterValidator, Field

from nullmode._support.arguments import Count, Length, Seed
from nullmode._support.axes import Axis, Range, above, at_most, axis_values, distinct, values
from nullmode._support.types import Floats
from nullmode.families._base import BOND, METHANE, TETRAHEDRON, FamilySize, Structures, methane, sized

Path = Literal["stretch_one", "stretch_two", "stretch_opposite", "flatten", "twist", "umbrella", "noise"]
PATHS: tuple[Path, ...] = get_args(Path)


def _size(paths: list[Path], stretch: Axis, noise: Axis, samples: int, **axes: Any) -> FamilySize:
    steps = {path: len(values(axes.get(path, stretch))) for path in paths}
    if "noise" in steps:
        steps["noise"] = samples * len(values(noise))
    return METHANE._replace(structures=sum(steps.values()))


@sized(_size)
def structures(
    paths: Annotated[list[Path], Field(min_length=1), AfterValidator(distinct)] = list(PATHS),
    bond: Length = BOND,
    stretch: Annotated[Axis, above(0)] = Range(start=0.8, stop=1.25, step=0.0125),
    flatten: Axis = Range(start=0, stop=1, step=0.025),
    twist: Axis = Range(start=0, stop=90, step=2.5),
    umbrella: Axis = Range(start=-20, stop=20, step=1.25),
    noise: Annotated[Axis, at_most(3)] = Range(start=-8, stop=-1, step=0.5),
    samples: Count = 10,
    seed: Seed = 0,
) -> Structures:
    """Distort a regular CH4 along the chosen paths.

    Parameters
    ----------
    paths
        Which: ``stretch_one`` (one bond times t, Td to C3v), ``stretch_two`` (two bonds, C2v), ``stretch_opposite``
        (one times t, another times 1/t, Cs), ``flatten`` (z -> (1-t) z at fixed bond, Td to D2d to D4h), ``twist``
        (the upper two hydrogens turned by t degrees, Td to D2 to D2h), ``umbrella`` (three hydrogens' polar angle
        about the fourth is t degrees above the tetrahedral one, Td to C3v), ``noise`` (Td plus Gaussian displacements
        of 10^t Å in each component).
    bond
        C–H distance in Å.
    stretch
        Axis: factors t of the three stretches.
    flatten
        Axis: fractions t.
    twist, umbrella
        Axes: angles t in degrees.
    noise
        Axis: decimal logarithms t of Å.
    samples
        Number of noisy structures per amplitude.
    seed
        Seed of the noise.

    Yields
    ------
    ase.Atoms
        Coordinates: ``path``, ``t``, ``sample``.
    """
    axes = {"flatten": flatten, "twist": twist, "umbrella": umbrella, "noise": noise}
    rng = np.random.default_rng(seed)
    for path in paths:
        for t in axis_values(axes.get(path, stretch)).tolist():
            for sample in range(samples if path == "noise" else 1):
                hydrogens = bond * _distorted(path, t)
                if path == "noise":
                    hydrogens += rng.normal(scale=10.0**t, size=(4, 3))
                yield methane(hydrogens, path=path, t=t, sample=sample)


def _distorted(path: Path, t: float) -> Floats:
    shape: Floats = TETRAHEDRON.copy()
    if path == "stretch_one":
        shape[0] *= t
    elif path == "stretch_two":
        shape[:2] *= t
    elif path == "stretch_opposite":
        shape[0] *= t
        shape[1] /= t
    elif path == "flatten":
        shape[:, 2] *= 1 - t
        shape /= np.linalg.norm(shape, axis=1, keepdims=True)
    elif path == "twist":
        c, s = np.cos(np.radians(t)), np.sin(np.radians(t))
        shape[:2] = shape[:2] @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    elif path == "umbrella":
        polar, azimuth = np.arccos(-1 / 3) + np.radians(t), np.radians([0, 120, 240])
        shape[0] = 0, 0, 1
        around = np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.full(3, np.cos(polar))
        shape[1:] = np.stack(around, axis=1)
    return shape
