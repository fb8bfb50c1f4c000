"""The triangular factor of a stack of matrices that is too tall for memory."""

import numpy as np

from nullmode._support.types import Floats, Integers

_LEAST_ROWS = 256
"""LAPACK is slow on fewer rows at a time."""


class StackedFactor:
    """The factor R of matrices below each other, given one at a time; memory is O(columns²).

    R has the singular values and the row space of the stack: never through the Gram matrix, which loses every singular
    value below 1e-8 of the largest.

    Parameters
    ----------
    columns
        Of the stack.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._rows = np.zeros((0, columns))
        self._pending: list[tuple[Floats, Integers]] = []
        self._n_pending = 0

    def add(self, block: Floats, columns: Integers) -> None:
        """Append rows (m, c) whose entries are in the given columns (c,), distinct; the others are zero."""
        if len(block) > block.shape[1]:
            block = np.asarray(np.linalg.qr(block, mode="r"))
        self._pending.append((block, columns))
        self._n_pending += len(block)
        # The triangle so far is reduced again each time.
        if self._n_pending >= max(3 * self.columns, _LEAST_ROWS):
            self._reduce()

    def triangle(self) -> Floats:
        """Give R, shape (min(rows, columns), columns)."""
        self._reduce()
        return self._rows

    def _reduce(self) -> None:
        first = len(self._rows)
        stack = np.zeros((first + self._n_pending, self.columns))
        stack[:first] = self._rows
        for block, columns in self._pending:
            stack[first : first + len(block), columns] = block
            first += len(block)
        self._pending, self._n_pending = [], 0
        self._rows = np.asarray(np.linalg.qr(stack, mode="r"))
