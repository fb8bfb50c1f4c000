"""Array aliases of the whole package; shapes and units stand in the docstrings that use them."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]
"""Real numbers of any precision."""
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
Parity = Literal["O3", "SO3"]
"""Group under which features are invariant: ``O3`` (true scalars) or ``SO3`` (pseudoscalars kept)."""
Scope = Literal["environment", "structure", "potential"]
"""What a row describes: the environment of one centre, or a structure as linear models or any potential see it."""
WholeScope = Literal["structure", "potential"]
OnBadStructure = Literal["stop", "skip"]
"""What to do with a structure that no environment can be cut out of."""
JSON = dict[str, Any]


class InputError(ValueError):
    """An argument is invalid; the message names the argument, the rule, the value, and the remedy."""
