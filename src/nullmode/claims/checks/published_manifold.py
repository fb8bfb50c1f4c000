"""Published features of a degenerate manifold of methanes, compared with the features of this package."""

from collections.abc import Mapping

import duckdb
import numpy as np

from nullmode._support.types import Floats
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.geometry.environment import Environment

# The parameters of the published features, computed with librascal. Hydrogen is centre and neighbour there, so that the
# centre's own Gaussian counts in the neighbours' channel.
_SETTING = PowerSpectrum(n_max=2, l_max=2, cutoff=4.0, cutoff_width=0.5, width=0.5, center_weight=1.0)


def differences(views: duckdb.DuckDBPyConnection) -> Mapping[str, float]:
    """Largest difference between our features and skmatter's, and within each pair of either where v = 0.

    The family ``published_pair`` holds 81 structures X-, then their partners X+; every ninth has v = 0.
    """
    from skmatter.datasets import load_degenerate_CH4_manifold

    published = load_degenerate_CH4_manifold().data["SOAP_power_spectrum"]
    rows = views.sql("SELECT positions FROM structures WHERE family = 'published_pair' ORDER BY structure").fetchall()
    # The published features treat all atoms as one species.
    environments = [Environment.from_vectors(np.reshape(row, (-1, 3))[1:], "H", "H") for (row,) in rows]
    ours = _full(np.array(_SETTING.compute_batch(environments)))
    middle = slice(4, 81, 9)
    return {
        "largest difference from the published features": float(np.abs(ours - published).max()),
        "largest difference within published pairs, v = 0": _apart(published, middle),
        "largest difference within our pairs, v = 0": _apart(ours, middle),
    }


def _apart(features: Floats, rows: slice) -> float:
    return float(np.abs(features[:81][rows] - features[81:][rows]).max())


def _full(features: Floats) -> Floats:
    """Convert our features to librascal's: all (n_1, n_2, l), with its factors and signs; shape (n, 12)."""
    index = {(label.n_1, label.n_2, label.l): k for k, label in enumerate(_SETTING.feature_labels())}
    front = (_SETTING.width**2 / np.pi) ** 1.5 / 16
    columns = [
        (front * (-1) ** l * (1 if n_1 == n_2 else np.sqrt(0.5)), index[min(n_1, n_2), max(n_1, n_2), l])
        for n_1 in range(2)
        for n_2 in range(2)
        for l in range(3)
    ]
    factors, indices = zip(*columns, strict=True)
    return np.asarray(features[:, indices] * factors)
