"""Noise on a regular methane, classified at one tolerance."""

from collections.abc import Mapping

import duckdb
import numpy as np

from nullmode.attribution.completeness import rank_complete
from nullmode.geometry.environment import Environment


def complete_ranks(views: duckdb.DuckDBPyConnection) -> Mapping[str, float]:
    """Rank of complete two-neighbour correlations at a tolerance above and below the noise; medians over the draws.

    What :func:`nullmode.attribute` reports goes to smaller tolerances where the measured rank demands it.
    """
    found = {}
    for exponent in (-7, -4):
        rows = views.sql(
            f"SELECT positions FROM structures WHERE family = 'distortions' AND path = 'noise' AND t = {exponent}"
        ).fetchall()
        draws = [np.reshape(positions, (-1, 3))[1:] for (positions,) in rows]
        ranks = [rank_complete(Environment.from_vectors(vectors), 2, tolerance=1e-6) for vectors in draws]
        found[f"complete rank at a = 1e{exponent} Å and tolerance 1e-6 Å"] = float(np.median(ranks))
    return found
