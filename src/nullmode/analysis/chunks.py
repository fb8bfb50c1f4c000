"""A stream of environments in sets of one size, and the row groups that tables are written in."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nullmode.geometry.environment_set import EnvironmentSet

ROW_GROUP = 1 << 14
"""Rows of a group in a streamed table."""


def divided(environments: Any, count: int) -> Iterator[EnvironmentSet]:
    """Divide a set, or a stream of sets or sequences, into sets of `count` environments, whatever its division before.

    The last one may have fewer.
    """
    sets = [environments] if isinstance(environments, EnvironmentSet) else environments
    waiting: list[EnvironmentSet] = []
    held = 0
    for item in sets:
        waiting.append(item if isinstance(item, EnvironmentSet) else EnvironmentSet.from_environments(item))
        held += len(waiting[-1])
        if held >= count:
            joined = EnvironmentSet.joined(waiting)
            whole = held - held % count
            for first in range(0, whole, count):
                yield joined.take(np.arange(first, first + count))
            waiting = [joined.take(np.arange(whole, held))]
            held -= whole
    if held:
        yield EnvironmentSet.joined(waiting)
