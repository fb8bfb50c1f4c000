"""Degenerate partners: environments with equal features, side by side."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from nullmode._support.types import Floats
from nullmode.figures._base import Drawing, listing, panels
from nullmode.figures._figure import figure
from nullmode.figures._molecules import Molecule, draw_molecule, molecule_of, views

if TYPE_CHECKING:
    import pandas as pd

_EQUAL = 1e-8
"""Features that differ by less, over their norm, are equal."""


@figure(search="partners")
def draw(
    searches: "dict[str, tuple[pd.DataFrame, pd.DataFrame]]", search: str, most: Annotated[int, Field(ge=1)] = 6
) -> Drawing:
    """One row per pair: an environment and its partner, superposed as closely as possible, seen from the same side.

    Parameters
    ----------
    search
        Of kind ``partners``.
    most
        Pairs to draw, in order of the starts.
    """
    found, _ = searches[search]
    chosen = found[found["found"] >= 0].sort_values(["structure", "center", "found"]).head(most)
    rows = list(chosen.to_dict("records"))
    figure, axes = panels(max(len(rows), 1), 2, (3.8, 1.6 * max(len(rows), 1) + 0.3))
    for ax in axes.flat:
        ax.set_axis_off()
    for line, row in zip(axes, rows, strict=False):
        pair = _pair(row)
        view = _view(pair)
        for ax, molecule in zip(line, pair, strict=True):
            draw_molecule(ax, molecule, view)
        limits = [(ax.get_xlim(), ax.get_ylim()) for ax in line]
        (left, low), (right, high) = np.min(limits, axis=0)[:, 0], np.max(limits, axis=0)[:, 1]
        for ax in line:
            ax.set(xlim=(left, right), ylim=(low, high))
        line[0].set_title(f"structure {row['structure']}, centre {row['center']}")
        line[1].set_title(f"{row['structural_distance']:.2f} Å away, {_split(row)}")
    if not rows:
        figure.text(0.5, 0.5, "no partner found", ha="center")
    phrases = [f"{row['structural_distance']:.2f} Å away, {_split(row)}" for row in rows]
    starts = found.groupby(["structure", "center"]).ngroups
    result = f"Partners drawn, of {starts} environments: {len(rows)}; {listing(phrases)}."
    return Drawing(figure, result if rows else "No partner was found.")


def _split(row: dict[Any, Any]) -> str:
    """Say which is the lowest correlation order, of those tried, that tells the two apart."""
    splits = {int(order): distance for order, distance in json.loads(row["splits"]).items()}
    order = next((order for order, distance in sorted(splits.items()) if distance > _EQUAL), None)
    return f"told apart by ν = {order}" if order else "told apart by no order tried"


def _pair(row: dict[Any, Any]) -> tuple[Molecule, Molecule]:
    """Give the environment, and its partner turned to lie on it."""
    from nullmode.geometry.environment import Environment
    from nullmode.symmetry.superposition import superpose

    first, second = molecule_of(row, "start_vectors"), molecule_of(row)
    start, partner = (
        Environment.from_vectors(each.vectors, each.numbers[1:], each.numbers[0]) for each in (first, second)
    )
    return first, second._replace(vectors=second.vectors @ superpose(partner, start).operation.T)


def _view(pair: tuple[Molecule, Molecule]) -> Floats:
    """Choose the view, (3, 3), in which no two atoms of either environment lie too close."""
    from scipy.spatial.distance import pdist

    return max(views(), key=lambda view: round(min(pdist(each.atoms @ view[:2].T).min() for each in pair), 6))
