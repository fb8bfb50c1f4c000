"""Singular values and right singular vectors of many small matrices: each lane of a vector holds one of eight.

One-sided Jacobi: columns are rotated in pairs until all are orthogonal; their norms are the singular values. No worse
than bidiagonalisation for any value, and better for small ones (Demmel and Veselić, SIAM J. Matrix Anal. Appl. 13,
1204 (1992)). Every matrix takes the same steps, so that eight of them fill the lanes of a processor.
"""

import numpy as np

from nullmode._support._jit import kernel
from nullmode._support.simd import WIDTH, any_less, load, magnitude, root, signed, splat, store, where_less
from nullmode._support.types import Floats

MOST_SWEEPS = 60
"""Convergence is quadratic: about six to ten are used; more than this would be an error of the processor."""
_EPSILON = float(np.finfo(np.float64).eps)


@kernel
def orthogonalise(work: Floats, rows: int, carried: int, columns: int) -> None:
    """Rotate the columns of eight matrices until they are orthogonal.

    A lane whose columns are orthogonal does not change any more: its result does not depend on the other seven. `work`
    holds them column by column, entry by entry, matrix by matrix. The first `rows` entries of a column decide the
    rotations; the `carried` ones are rotated too: those of an orthogonal matrix become the right singular vectors.
    """
    length = (rows + carried) * WIDTH
    limit = splat(_EPSILON * _EPSILON * rows)
    for _ in range(MOST_SWEEPS):
        moved = False
        for p in range(columns - 1):
            for q in range(p + 1, columns):
                left, right = p * length, q * length
                alpha, beta, gamma = splat(0.0), splat(0.0), splat(0.0)
                for k in range(0, rows * WIDTH, WIDTH):
                    x, y = load(work, left + k), load(work, right + k)
                    alpha += x * x
                    beta += y * y
                    gamma += x * y
                # Squares are compared, so that no root is computed if nothing rotates.
                least, square = limit * alpha * beta, gamma * gamma
                if not any_less(least, square):
                    continue
                moved = True
                # Rutishauser: the smaller of the two rotations, without cancellation. Finished lanes divide by one.
                zeta = (beta - alpha) / where_less(least, square, gamma * 2.0, splat(1.0))
                tangent = signed(splat(1.0), zeta) / (magnitude(zeta) + root(zeta * zeta + 1.0))
                tangent = where_less(least, square, tangent, splat(0.0))
                # A small term is added to the old value: otherwise the norms of columns drift with each rotation.
                secant = root(tangent * tangent + 1.0)
                sine, half = tangent / secant, tangent / (secant + 1.0)
                for k in range(0, length, WIDTH):
                    x, y = load(work, left + k), load(work, right + k)
                    store(work, left + k, x - sine * (y + half * x))
                    store(work, right + k, y + sine * (x - half * y))
        if not moved:
            break
