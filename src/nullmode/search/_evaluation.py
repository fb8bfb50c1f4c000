"""A descriptor on one environment whose neighbours move: Jacobian, singular values, and how the Jacobian changes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nullmode._support.types import Floats, InputError
from nullmode.descriptors._base import D, check_descriptor, evaluate, with_species_of
from nullmode.geometry.environment import Environment, check_environment, within
from nullmode.linalg.rotations import infinitesimal_rotations
from nullmode.spectrum.decomposition import Sensitivity, decompose_matrix

# Of a unit displacement, in Å: the error of a central difference is some 1e-9 by its width, 1e-10 by rounding.
_STEP = 1e-5


class Evaluator:
    """Features and Jacobian of one set of neighbours wherever they are; it counts what it computes.

    Attributes
    ----------
    start
        The environment with the neighbours within the descriptor's cutoff: these stay its neighbours wherever they go.
    descriptor
        With its layout fixed.
    evaluations
        How many Jacobians were computed.

    Raises
    ------
    InputError
        If no neighbour is within the cutoff; on use, if features are not finite, or another number than before.
    """

    def __init__(self, environment: Environment, descriptor: D) -> None:
        check_environment(environment)
        check_descriptor(descriptor)
        inside = within(environment, descriptor.cutoff)
        if not len(inside):
            raise InputError("`environment` must have a neighbour within the descriptor's cutoff, got none.")
        # The neighbours are all there are: none comes in from beyond.
        self.start = replace(inside, cutoff=None)
        self.descriptor = with_species_of(descriptor, [inside])
        self.evaluations = 0
        self._n_features: int | None = None

    def environment(self, vectors: Floats) -> Environment:
        """Put the neighbours elsewhere; vectors (n, 3) in Å, copied."""
        vectors = np.array(vectors, dtype=np.float64, order="C").reshape(-1, 3)
        vectors.setflags(write=False)
        return replace(self.start, vectors=vectors)

    def evaluate(self, places: Sequence[Floats]) -> list[tuple[Floats, Floats, float]]:
        """Features (F,), Jacobian (F, n, 3) and its estimated error in 1/Å, for each of several sets of vectors."""
        self.evaluations += len(places)
        found = evaluate(self.descriptor, [self.environment(vectors) for vectors in places])
        for features, jacobian, _ in found:
            self._check_features(features, jacobian)
        return found

    def features(self, vectors: Floats) -> Floats:
        """Features (F,) alone."""
        found: Floats = self.descriptor.compute(self.environment(vectors))
        self._check_features(found, found)
        return found

    def _check_features(self, features: Floats, jacobian: Floats) -> None:
        if self._n_features is None:
            self._n_features = len(features)
        # A function of the user's own may count the neighbours within its cutoff, which a search may move beyond.
        if len(features) != self._n_features:
            raise InputError(
                f"`descriptor` must give as many features wherever neighbours are, got {len(features)} after "
                f"{self._n_features}. Give it a larger cutoff, or bound the search."
            )
        if not (np.isfinite(features).all() and np.isfinite(jacobian).all()):
            raise InputError("`descriptor` must give finite features and derivatives, got infinity or NaN.")

    def sensitivity(self, vectors: Floats, jacobian: Floats, rtol: float, ignored: Floats | None = None) -> Sensitivity:
        """Singular values and modes on the complement of the rotations; the judgement of rtol is the caller's.

        Further displacements to leave out are the columns of `ignored`, shape (3 n, k).
        """
        rigid = infinitesimal_rotations(vectors)
        left_out = rigid if ignored is None else np.concatenate([rigid, ignored], axis=1)
        return decompose_matrix(jacobian.reshape(len(jacobian), -1), left_out, rtol)[0]

    def change_along(
        self, vectors: Floats, jacobian: Floats, direction: Floats, error: float = 0.0
    ) -> tuple[Floats, float]:
        """Differentiate the Jacobian along a unit displacement, by a central difference of Jacobians.

        This is the second derivative of the features contracted with the displacement v, and so the derivative of J v.

        Parameters
        ----------
        vectors, shape (n, 3)
            Where, in Å.
        jacobian, shape (F, n, 3)
            There, in 1/Å.
        direction, shape (n, 3)
            The displacement.
        error
            Of the Jacobian (Frobenius norm), in 1/Å.

        Returns
        -------
        change, shape (F, 3 n)
            In 1/Å².
        error
            Its norm, estimated, in 1/Å². J annihilates rotations everywhere, so dJ[v] (omega x r) + J (omega x v) = 0;
            what is left of it shows the rounding and the width of the step.
        """
        direction = direction.reshape(vectors.shape)
        size = np.linalg.norm(jacobian)
        # Where the Jacobian is an estimate, a wider step divides its error.
        step = max(_STEP, float(np.cbrt(error / size)) if error and size else 0.0)
        (_, ahead, _), (_, behind, _) = self.evaluate([vectors + step * direction, vectors - step * direction])
        change = ((ahead - behind) / (2 * step)).reshape(len(jacobian), -1)
        rotations = infinitesimal_rotations(vectors)
        rest = change @ rotations + jacobian.reshape(len(jacobian), -1) @ infinitesimal_rotations(direction)
        return change, max(float(np.linalg.norm(rest) / np.linalg.norm(rotations)), error / step)
