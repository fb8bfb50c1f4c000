"""A descriptor of one's own: moments of inverse distances, to the centre and between neighbours."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, final

import numpy as np
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from nullmode import Descriptor, Environment


@final
@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class InverseMoments(Descriptor):
    """Sums of f_j / r_j^p over neighbours, then of f_j f_k / r_jk^p over pairs, for p = 1 … n_moments.

    f is a cosine that falls to zero at the cutoff. All species count alike. F = 2·n_moments.

    Parameters
    ----------
    n_moments
        Number of powers p.
    cutoff
        Radius of the environment, in Å.
    """

    correlation_order: ClassVar[int | None] = 2

    n_moments: Annotated[int, Field(ge=1, le=12)] = 6
    cutoff: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4.0

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[str]:
        """Name every feature, in order."""
        return [f"{what}^-{p}" for what in ("r_j", "r_jk") for p in range(1, self.n_moments + 1)]

    def compute_batch(self, environments: Sequence[Environment]) -> list[np.ndarray]:
        """Features (F,) of each environment."""
        return [features for features, _ in self.compute_batch_with_jacobian(environments)]

    def compute_batch_with_jacobian(self, environments: Sequence[Environment]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Features (F,) and Jacobian (F, n, 3), in 1/Å, of each environment."""
        return [self._one(environment.vectors) for environment in environments]

    def _one(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate for neighbours at `r`, shape (n, 3), in Å."""
        p = np.arange(1, self.n_moments + 1)
        distance = np.linalg.norm(r, axis=1)
        direction = r / distance[:, None]
        inside = distance < self.cutoff
        phase = np.pi * distance / self.cutoff
        f = np.where(inside, (1 + np.cos(phase)) / 2, 0)
        df = np.where(inside, -np.pi / self.cutoff * np.sin(phase) / 2, 0)

        radial = distance ** -p[:, None]
        features = radial @ f
        slope = radial * (df - p[:, None] * f / distance)
        jacobian = np.einsum("pj,jx->pjx", slope, direction)

        difference = r[:, None] - r[None, :]
        separation = np.linalg.norm(difference, axis=2)
        np.fill_diagonal(separation, np.inf)  # no neighbour is a pair with itself
        pair = separation ** -p[:, None, None]
        pair_features = np.einsum("j,pjk,k->p", f, pair, f) / 2
        pair_jacobian = np.einsum("pjk,k,j,jx->pjx", pair, f, df, direction) - np.einsum(
            "p,j,k,pjk,jk,jkx->pjx", p, f, f, pair, separation**-2, difference, optimize=True
        )
        return np.concatenate([features, pair_features]), np.concatenate([jacobian, pair_jacobian])
