"""Regular methane with noise: which displacements count as null at one tolerance."""

from collections.abc import Mapping

import duckdb
import numpy as np

from nullmode.attribution.completeness import rank_complete
from nullmode.geometry.environment import Environment


def complete_ranks(views: duckdb.DuckDBPyConnection) -> Mapping[str, float]:
    """Rank of complete two-neighbour correlations for noise below and above the tolerance; medians over the draws.

    :func:`nullmode.attribute` lowers its tolerance where the measured rank demands it; this function does not.
    """
    ranks = {}
    for exponent in (-7, -4):
        rows = views.sql(
            f"SELECT positions FROM structures WHERE family = 'distortions' AND path = 'noise' AND t = {exponent}"
        ).fetchall()
        draws = [np.reshape(positions, (-1, 3))[1:] for (positions,) in rows]
        drawn = [rank_complete(Environment.from_vectors(vectors), 2, tolerance=1e-6) for vectors in draws]
        ranks[f"complete rank at a = 1e{exponent} Å and tolerance 1e-6 Å"] = float(np.median(drawn))
    return ranks
