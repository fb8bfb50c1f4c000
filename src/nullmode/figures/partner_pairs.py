"""Degenerate partners: environments with equal features, side by side."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from nullmode._support.types import Floats
from nullmode.figures._base import Drawing, listing, style
from nullmode.figures._figure import Figure
from nullmode.figures._molecules import molecule, views

if TYPE_CHECKING:
    import pandas as pd

    from nullmode.geometry.environment import Environment

_EQUAL = 1e-8
"""Features that differ by less, over their norm, are equal."""


def draw(
    searches: "dict[str, tuple[pd.DataFrame, pd.DataFrame]]",
    search: str,
    most: Annotated[int, Field(ge=1)] = 6,
) -> Drawing:
    """One row per pair: the environment and its partner, laid on it as well as can be and seen from the same side.

    Parameters
    ----------
    searches
        What was found and the steps, by name of the search.
    search
        Of kind ``partners``.
    most
        Pairs to draw, in order of the starts.
    """
    import matplotlib.pyplot as plt

    found, _ = searches[search]
    chosen = found[found["found"] >= 0].sort_values(["structure", "center", "found"]).head(most)
    rows = list(chosen.to_dict("records"))
    with style():
        figure, axes = plt.subplots(
            max(len(rows), 1), 2, squeeze=False, figsize=(3.8, 1.6 * max(len(rows), 1) + 0.3), layout="constrained"
        )
        for ax in axes.flat:
            ax.set_axis_off()
        for line, row in zip(axes, rows, strict=False):
            pair = _pair(row)
            view = _view(np.concatenate([item.vectors for item in pair]))
            for ax, item in zip(line, pair, strict=True):
                molecule(ax, item, view)
            limits = [(ax.get_xlim(), ax.get_ylim()) for ax in line]
            (left, low), (right, high) = np.min(limits, axis=0)[:, 0], np.max(limits, axis=0)[:, 1]
            for ax in line:
                ax.set(xlim=(left, right), ylim=(low, high))
            line[0].set_title(f"structure {row['structure']}, centre {row['center']}")
            line[1].set_title(f"{row['structural_distance']:.2f} Å away, {_split(row)}")
        if not rows:
            figure.text(0.5, 0.5, "no partner found", ha="center")
        plt.close(figure)
        said = [f"{row['structural_distance']:.2f} Å away, {_split(row)}" for row in rows]
        starts = found.groupby(["structure", "center"]).ngroups
        return Drawing(
            figure,
            f"Partners drawn, of {starts} environments: {len(rows)}; {listing(said)}." if rows else "None found.",
        )


FIGURE = Figure(draw, search="partners")


def _split(row: dict[Any, Any]) -> str:
    """Say which correlations tell the two apart."""
    splits = {int(order): distance for order, distance in json.loads(row["splits"]).items()}
    order = next((order for order, distance in sorted(splits.items()) if distance > _EQUAL), None)
    return f"split by ν = {order}" if order else "split by none tried"


def _pair(row: dict[Any, Any]) -> "tuple[Environment, Environment]":
    """Give the environment and its partner, laid on it."""
    from nullmode.geometry.environment import Environment
    from nullmode.symmetry.superposition import superpose

    kinds = list(row["species"]), row["center_species"]
    first, second = (
        Environment.from_vectors(np.reshape(row[name], (-1, 3)), *kinds) for name in ("start_vectors", "vectors")
    )
    turned = second.vectors @ superpose(second, first).operation.T
    return first, Environment.from_vectors(turned, *kinds)


def _view(vectors: Floats) -> Floats:
    """Choose the view, (3, 3), in which no two atoms of either environment lie too close."""
    from scipy.spatial.distance import pdist

    halves = np.split(vectors, 2)
    atoms = [np.concatenate([np.zeros((1, 3)), half]) for half in halves]
    return max(views(), key=lambda view: round(min(pdist(item @ view[:2].T).min() for item in atoms), 6))
