"""Dimension of the set of singular points around one of them."""

import numpy as np

from nullmode._support.types import Floats
from nullmode.search._bounds import Bounds
from nullmode.search._descent import Descent
from nullmode.search._evaluation import Evaluator
from nullmode.search._moves import Moves, without_rotations

_AWAY = (1e-4, 1e-5, 1e-6)  # Å
_SPANNED = 0.1


def manifold_dimension(
    evaluator: Evaluator, vectors: Floats, symmetric: Floats, ignored: Floats, accuracy: float
) -> int:
    """Count the directions in which a singular point has further ones nearby; -1 if these cannot be found.

    From random points 1e-4 Å away (or less, if most do not converge), Gauss-Newton steps of least length lead to
    singular points near the closest one. Their differences span the tangent space. Unlike the kernel of the second
    derivative, this distinguishes a direction of singular points from one in which null values grow to second order.
    Only `symmetric` displacements, shape (3 n, q), are considered; the `ignored` ones are a basis of all others.
    """
    n = len(vectors)
    bounds = Bounds(start=vectors, closest=0.0, farthest=np.full(n, np.inf), displacement=np.inf, asymmetry=0.0)
    basis = without_rotations(symmetric, vectors)
    moves = Moves(start=vectors, basis=basis, radius_is_fixed=np.zeros(n, dtype=np.bool_))
    descent = Descent(evaluator, moves, bounds, ignored, accuracy)
    d = len(descent.state.sensitivity.singular_values)
    rng = np.random.default_rng(0)
    for length in _AWAY:
        ends = []
        for _ in range(2 * d):
            away = rng.normal(size=(basis.shape[1],))
            state = descent.settle(length / np.linalg.norm(away) * away)
            if descent.arrived() and np.linalg.norm(state.a) < 2 * length:
                ends.append(state.a / length)
        if len(ends) >= 1.5 * d:
            return int(np.count_nonzero(np.linalg.svd(np.array(ends), compute_uv=False) > _SPANNED))
    return -1
