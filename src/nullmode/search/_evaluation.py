"""A descriptor on one environment whose neighbours move: Jacobian, singular values, derivative of the Jacobian."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nullmode._support.types import Floats, InputError
from nullmode.descriptors._base import D, check_descriptor, evaluate
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment import Environment, check_environment, within
from nullmode.linalg.rotations import infinitesimal_rotations, rotations_of
from nullmode.spectrum.decomposition import Sensitivity, decompose_matrix
from nullmode.spectrum.judgement import size_of_terms

# Step along a unit displacement, in Å: the width causes an error of about 1e-9, rounding of about 1e-10.
_STEP = 1e-5


class Evaluator:
    """Computes features and Jacobian of a fixed set of neighbours at any positions, and counts the Jacobians.

    The neighbours are those within the cutoff of the descriptor at the `start`, wherever they move. An InputError is
    raised if there is none, and on use, if features are not finite or their number changes.
    """

    def __init__(self, environment: Environment, descriptor: D) -> None:
        check_environment(environment)
        check_descriptor(descriptor)
        inside = within(environment, descriptor.cutoff)
        if not len(inside):
            raise InputError("`environment` must have a neighbour within the descriptor's cutoff, got none.")
        # No cutoff: there are no further neighbours that could come in.
        self.start = replace(inside, cutoff=None)
        self.descriptor = with_layout_of(descriptor, [inside])
        self.evaluations = 0
        self._n_features: int | None = None

    def environment(self, vectors: Floats) -> Environment:
        """Environment with the neighbours at other positions (n, 3) in Å, which are copied."""
        vectors = np.array(vectors, dtype=np.float64, order="C").reshape(-1, 3)
        vectors.setflags(write=False)
        return replace(self.start, vectors=vectors)

    def evaluate(self, positions: Sequence[Floats]) -> list[tuple[Floats, Floats, float]]:
        """Features (F,), Jacobian (F, n, 3) and its estimated error in 1/Å, for each of several arrays of vectors."""
        self.evaluations += len(positions)
        results = evaluate(self.descriptor, [self.environment(vectors) for vectors in positions])
        for features, jacobian, _ in results:
            self._check_features(features, jacobian)
        return results

    def features(self, vectors: Floats) -> Floats:
        """Features (F,) without their Jacobian."""
        features: Floats = self.descriptor.compute(self.environment(vectors))
        self._check_features(features, features)
        return features

    def _check_features(self, features: Floats, jacobian: Floats) -> None:
        if self._n_features is None:
            self._n_features = len(features)
        # The number may depend on the neighbours within the cutoff in a user's function; a search may move them out.
        if len(features) != self._n_features:
            raise InputError(
                f"`descriptor` must give the same number of features everywhere, got {len(features)} after "
                f"{self._n_features}. Give it a larger cutoff, or bound the search."
            )
        if not len(features):
            raise InputError(
                "`descriptor` must have features that change with the environment, got none at all. Give it some."
            )
        if not (np.isfinite(features).all() and np.isfinite(jacobian).all()):
            raise InputError("`descriptor` must give finite features and derivatives, got infinity or NaN.")

    def sensitivity(self, vectors: Floats, jacobian: Floats, rtol: float, ignored: Floats | None = None) -> Sensitivity:
        """Singular values and modes without rotations; the caller judges whether rtol is sensible.

        The columns of `ignored`, shape (3 n, k), are further displacements to leave out.
        """
        rigid = rotations_of(vectors)
        left_out = rigid if ignored is None else np.concatenate([rigid, ignored], axis=1)
        known = {"terms": size_of_terms(None, jacobian), "rounding": self.descriptor.rounding}
        return decompose_matrix(jacobian.reshape(len(jacobian), -1), left_out, rtol, **known)[0]

    def change_along(
        self, vectors: Floats, jacobian: Floats, direction: Floats, error: float = 0.0
    ) -> tuple[Floats, float]:
        """Differentiate the Jacobian along a unit displacement, by a central difference of Jacobians.

        This is the second derivative of the features contracted with the displacement v, and so the derivative of J v;
        shape (F, 3 n), in 1/Å². The norm of its error is estimated from that of the error of the Jacobian, and from
        rotations. J annihilates these everywhere, so dJ[v] (omega x r) + J (omega x v) = 0; the remainder shows the
        rounding and the effect of the width of the step.
        """
        direction = direction.reshape(vectors.shape)
        size = np.linalg.norm(jacobian)
        # If the Jacobian is an estimate, a wider step reduces the effect of its error.
        step = max(_STEP, float(np.cbrt(error / size)) if error and size else 0.0)
        (_, ahead, _), (_, behind, _) = self.evaluate([vectors + step * direction, vectors - step * direction])
        change = ((ahead - behind) / (2 * step)).reshape(len(jacobian), -1)
        rotations = infinitesimal_rotations(vectors)
        rest = change @ rotations + jacobian.reshape(len(jacobian), -1) @ infinitesimal_rotations(direction)
        return change, max(float(np.linalg.norm(rest) / np.linalg.norm(rotations)), error / step)
