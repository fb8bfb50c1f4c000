"""How many-dimensional the set of singular points is around one of them."""

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
    """Count the directions in which singular points around a singular point lie; -1 if they cannot be found again.

    Points at random, 1e-4 Å away (or less, if most get lost), are taken back to singular ones by Gauss-Newton, whose
    shortest steps end near the closest. What these differ by spans the tangent space. Unlike the kernel of the second
    derivative it tells a direction of singular points from one in which null values open to second order.

    Parameters
    ----------
    evaluator
        Of the environment.
    vectors, shape (n, 3)
        The singular point, in Å.
    symmetric, ignored
        Displacements that keep a symmetry, shape (3 n, q), and a basis of the others: only the former are looked at.
    accuracy
        As for the search.
    """
    n = len(vectors)
    bounds = Bounds(start=vectors, closest=0.0, farthest=np.full(n, np.inf), displacement=np.inf, asymmetry=0.0)
    basis = without_rotations(symmetric, vectors)
    room = Moves(start=vectors, basis=basis, held=np.zeros(n, dtype=np.bool_))
    descent = Descent(evaluator, room, bounds, ignored, accuracy)
    d = len(descent.view.seen.singular_values)
    rng = np.random.default_rng(0)
    for length in _AWAY:
        ends = []
        for _ in range(2 * d):
            away = rng.normal(size=(basis.shape[1],))
            view = descent.settle(length / np.linalg.norm(away) * away)
            if descent.arrived() and np.linalg.norm(view.a) < 2 * length:
                ends.append(view.a / length)
        if len(ends) >= 1.5 * d:
            return int(np.count_nonzero(np.linalg.svd(np.array(ends), compute_uv=False) > _SPANNED))
    return -1
