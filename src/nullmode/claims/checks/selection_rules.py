"""Forces along null modes: those of a four-body energy, and those that models of the features predict."""

from collections.abc import Mapping

import duckdb
import numpy as np

from nullmode.attribution.null_modes import split_null_modes
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.geometry.environment import Environment
from nullmode.learning.four_body import four_body_energy
from nullmode.learning.smooth_models import distorted, fit_model

_FEATURES = PowerSpectrum(n_max=8, l_max=8, cutoff=4.0, cutoff_width=0.5, width=0.3)
_SAMPLES = 10
_AMPLITUDE = 0.1  # Å


def forces(views: duckdb.DuckDBPyConnection) -> Mapping[str, float]:
    """Largest force along the null modes of each cause, divided by the largest force on any atom.

    "True" forces are derivatives of the four-body energy. A linear and a Gaussian-kernel model are fitted to this
    energy and its forces at random distortions of the structures of the family ``point_groups``.
    """
    rows = views.sql("SELECT positions FROM structures WHERE family = 'point_groups' ORDER BY structure").fetchall()
    environments = [Environment.from_vectors(np.reshape(row, (-1, 3))[1:]) for (row,) in rows]
    training = distorted(environments, _SAMPLES, _AMPLITUDE, seed=0)
    energies, slopes = zip(*(four_body_energy(environment.vectors) for environment in training), strict=True)
    models = [fit_model(_FEATURES, training, energies, slopes, gaussian=gaussian) for gaussian in (False, True)]
    largest = max(float(np.abs(slope).max()) for slope in slopes)
    result: dict[str, float] = {}
    for environment in environments:
        features, jacobian = _FEATURES.compute_with_jacobian(environment)
        kinds = {
            "true": [four_body_energy(environment.vectors)[1]],
            "of models": [model.forces(features, jacobian) for model in models],
        }
        for group in split_null_modes(environment, _FEATURES):
            for kind, candidates in kinds.items():
                along = max(float(np.abs(np.tensordot(group.modes, force, 2)).max()) for force in candidates) / largest
                quantity = f"{group.cause}: {kind}"
                result[quantity] = max(result.get(quantity, 0.0), along)
    return result
