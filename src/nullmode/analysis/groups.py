"""Jacobians of environments by their degrees of freedom, of which those with equally many are decomposed together."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nullmode._support.types import Floats, Integers
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.linalg.batched_svd import rotation_frames
from nullmode.linalg.householder import complete_frame
from nullmode.spectrum.batch import Computed
from nullmode.spectrum.decomposition import DegreesOfFreedom, displacements, error_growth
from nullmode.spectrum.truncations import Plan


class Group(NamedTuple):
    """Environments of a tile with equally many degrees of freedom, c, and rigid motions.

    Their indices in the tile, shape (k,); Jacobians (F, c) end to end, and F; frames (k, c, c), whose first n_rigid
    columns span the rigid motions; by how much errors grow; and the sizes of the Jacobians at each truncation, or None
    if singular values tell.
    """

    members: Integers
    flat: Floats
    n_features: int
    frames: Floats
    n_rigid: int
    growth: Floats
    sizes: Floats | None


def grouped(
    part: EnvironmentSet, result: Computed, layout: Plan, dofs: DegreesOfFreedom, tolerance: float
) -> Iterator[Group]:
    """Group environments with equally many neighbours."""
    m, n_features = len(part), result.features.shape[1]
    n = len(part.vectors) // m
    if dofs == "atoms":
        yield from _moving_together(part, result, layout, tolerance)
        return
    frames, n_rigid = rotation_frames(part.vectors, n * np.arange(m), n, tolerance)
    for rigid in np.unique(n_rigid):
        members = np.flatnonzero(n_rigid == rigid)
        flat = result.jacobians
        if len(members) < m:
            flat, frames_of = flat.reshape(m, 3 * n * n_features)[members].ravel(), frames[members]
        else:
            frames_of = frames
        yield Group(members, flat, n_features, frames_of, int(rigid), np.ones(len(members)), None)


def _moving_together(part: EnvironmentSet, result: Computed, layout: Plan, tolerance: float) -> Iterator[Group]:
    """Do as :func:`grouped` where the images of an atom move together, which each environment has its own of."""
    groups: dict[tuple[int, int], list[tuple[int, Floats, Floats, float, Floats]]] = {}
    n_features = result.features.shape[1]
    jacobians = result.jacobians.reshape(len(part), n_features, len(part.vectors) // len(part), 3)
    for i, (environment, jacobian) in enumerate(zip(part, jacobians, strict=True)):
        matrix, rotations = displacements(jacobian, environment, "atoms", tolerance)
        frame, n_rigid = complete_frame(rotations)
        # Not from the matrices: where images move together, the terms are those of the single images.
        sizes = layout.norms(jacobian[None])[0]
        growth = error_growth(environment, "atoms")
        groups.setdefault((len(frame), n_rigid), []).append((i, matrix, frame, growth, sizes))
    for (_, n_rigid), group in groups.items():
        indices, matrices, frames, growths, norms_of = (np.array(each) for each in zip(*group, strict=True))
        yield Group(indices, matrices.ravel(), n_features, frames, n_rigid, growths, norms_of)
