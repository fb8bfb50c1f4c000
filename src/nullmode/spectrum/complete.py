"""Singular values of what a descriptor's density and body order see in a complete basis."""

import numpy as np

from nullmode._support.status import Status
from nullmode.descriptors._base import DensityDescriptor
from nullmode.descriptors.complete.jacobians import Complete, complete
from nullmode.geometry.environment import Environment
from nullmode.linalg.rotations import LINEAR
from nullmode.spectrum.decomposition import Sensitivity, decompose_matrix, displacements
from nullmode.spectrum.judgement import coarseness, norm


def decompose_complete(
    environment: Environment, descriptor: DensityDescriptor, rtol: float, tolerance: float = LINEAR
) -> tuple[Sensitivity, Status, Complete | None]:
    """Decompose the Jacobian in the complete basis, which is given too; None without neighbours.

    Parameters
    ----------
    environment
        Within the cutoff.
    descriptor, rtol, tolerance
        As in :func:`nullmode.limit`.

    Raises
    ------
    InputError
        For a Jacobian too large for the memory.
    """
    found = next(iter(complete([environment], descriptor))) if len(environment) else None
    jacobian = found.jacobians[0] if found else np.zeros((0, 0, 3))
    features = float(found.features[0]) if found else 0.0
    matrix, rotations = displacements(jacobian, environment, "neighbours", tolerance)
    terms = max(norm(jacobian), features) * coarseness(environment.extent)
    return *decompose_matrix(matrix, rotations, rtol, terms=terms, rounding=descriptor.rounding), found
