"""Smooth models of an energy: linear functions of the features, and sums of Gaussians."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nullmode._support.types import Floats
from nullmode.descriptors._base import Descriptor
from nullmode.geometry.environment import Environment

# Directions with singular values below this share of the largest, which the data hardly determine, are left out.
_NOISE = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SmoothModel:
    """An energy, linear in smooth functions of the features: the features themselves, or Gaussians at some of them.

    Attributes
    ----------
    weights, shape (m,)
        One for each function.
    centers, shape (m, F)
        Where the Gaussians sit; None for a linear model.
    length
        Width of the Gaussians, in the unit of the features.
    """

    weights: Floats
    centers: Floats | None
    length: float

    def forces(self, features: Floats, jacobian: Floats) -> Floats:
        """Predict the forces on the neighbours, shape (n, 3), from features (F,) and Jacobian (F, n, 3)."""
        slopes = _functions(features, self.centers, self.length)[1]
        return np.asarray(-np.tensordot(self.weights @ slopes, jacobian, 1))


def distorted(environments: Sequence[Environment], samples: int, amplitude: float, seed: int) -> list[Environment]:
    """Displace all neighbours of each environment at random, `samples` times: a training set for models around them.

    Each component of a displacement has the standard deviation `amplitude`, in Å.
    """
    rng = np.random.default_rng(seed)
    return [
        Environment.from_vectors(
            environment.vectors + rng.normal(scale=amplitude, size=environment.vectors.shape),
            environment.species.tolist(),
            environment.center_species,
        )
        for environment in environments
        for _ in range(samples)
    ]


def fit_model(
    descriptor: Descriptor,
    environments: Sequence[Environment],
    energies: Sequence[float],
    forces: Sequence[Floats],
    *,
    gaussian: bool,
) -> SmoothModel:
    """Fit a linear or a Gaussian-kernel model to energies and forces by least squares.

    Parameters
    ----------
    descriptor
        Computes the features that the model takes.
    environments
        Training set; the Gaussians of a kernel model sit on its features and are as wide as their median distance.
    energies, forces
        Of each environment; forces (n, 3) on the neighbours. The mean energy is subtracted before the fit.
    gaussian
        Whether to fit a sum of Gaussians, and not a linear model.
    """
    computed = descriptor.compute_batch_with_jacobian(environments)
    features = np.stack([phi for phi, _ in computed])
    centers, length = None, 1.0
    if gaussian:
        from scipy.spatial.distance import pdist

        centers, length = features, float(np.median(pdist(features)))
    functions = [_functions(phi, centers, length) for phi in features]
    values = np.stack([value for value, _ in functions])
    slopes = [
        -(slope @ jacobian.reshape(len(jacobian), -1)).T
        for (_, slope), (_, jacobian) in zip(functions, computed, strict=True)
    ]
    design = np.concatenate([values - values.mean(axis=0), *slopes])
    target = np.concatenate([np.subtract(energies, np.mean(energies)), *(np.ravel(force) for force in forces)])
    weights = np.linalg.lstsq(design, target, rcond=_NOISE)[0]
    return SmoothModel(weights=weights, centers=centers, length=length)


def _functions(features: Floats, centers: Floats | None, length: float) -> tuple[Floats, Floats]:
    """Compute the values (m,) of a model's functions and their slopes (m, F)."""
    if centers is None:
        return features, np.eye(len(features))
    away = features - centers
    values: Floats = np.exp(-(away**2).sum(axis=1) / (2 * length**2))
    return values, -values[:, None] * away / length**2
