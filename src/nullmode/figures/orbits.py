"""Orbits: how far from singular they stay, what a four-body energy does on them, and how little features change."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nullmode._support.types import Floats
from nullmode.figures._base import FLOOR, Drawing, log_scale, number, panels
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd

_ENDS = {
    "closed": "a closed loop",
    "length": "not closed",
    "modes_meet": "ends where modes meet",
    "lost": "lost",
}


@figure(search="orbit")
def draw(searches: "dict[str, tuple[pd.DataFrame, pd.DataFrame]]", search: str) -> Drawing:
    """One column per orbit, along its length: s_d/s_1, change of the features, and four-body energy.

    The energy is that of Parsaeifard and Goedecker, of four neighbours; for others the row is left out.

    Parameters
    ----------
    search
        Of kind ``orbit``.
    """
    found, _ = searches[search]
    found = found[found["found"] >= 0]
    orbits = [rows for _, rows in found.groupby(["structure", "center"], sort=True)]
    if not orbits:
        figure, [[ax]] = panels(1, 1, (4.5, 1.5))
        ax.set_axis_off()
        ax.text(0.5, 0.5, "no orbit was found", transform=ax.transAxes, ha="center")
        return Drawing(figure, "No orbit was found.")
    curves = [_curves(rows) for rows in orbits]
    labels = list(dict.fromkeys(label for curve in curves for label in curve))
    size = (2.2 * len(orbits) + 0.8, 1.5 * len(labels) + 0.5)
    figure, axes = panels(len(labels), len(orbits), size, sharex="col", sharey="row")
    for column, (rows, curve) in enumerate(zip(orbits, curves, strict=True)):
        for ax, label in zip(axes[:, column], labels, strict=True):
            if label in curve:
                ax.plot(rows["length"], curve[label], color="C0")
            if label != "four-body energy":
                log_scale(ax)
        first = rows.iloc[0]
        axes[0, column].set_title(f"structure {first['structure']}, centre {first['center']}\n{_end(first)}")
        axes[-1, column].set_xlabel("length / Å")
    for ax, label in zip(axes[:, 0], labels, strict=True):
        ax.set_ylabel(label)
    return Drawing(figure, " ".join(_sentence(rows, curve) for rows, curve in zip(orbits, curves, strict=True)))


def _sentence(rows: "pd.DataFrame", curve: dict[str, Any]) -> str:
    """Say how one orbit ends, and what changes on it."""
    first, ratios = rows.iloc[0], rows["inverse_condition_number"]
    result = (
        f"Orbit from structure {first['structure']}, centre {first['center']}: {rows['length'].max():.2f} Å "
        f"long, {_end(first)}; s_d/s_1 is between {number(ratios.min())} and {number(ratios.max())}, the "
        f"features differ by at most {number(rows['feature_distance'].max())} from those at the start"
    )
    if energy := curve.get("four-body energy"):
        result += f", the energy is between {min(energy):.3f} and {max(energy):.3f}"
    return f"{result}."


def _end(first: "pd.Series") -> str:
    return _ENDS.get(first["stopped"], str(first["stopped"]))


def _curves(rows: "pd.DataFrame") -> dict[str, Any]:
    """Give what is drawn of one orbit, by the label of its axis."""
    features = rows["feature_distance"].where(rows["length"] > 0)
    curves: dict[str, Any] = {
        "$s_d / s_1$": np.maximum(rows["inverse_condition_number"], FLOOR),
        r"$|\phi - \phi_0|$": features,
    }
    vectors = [np.reshape(each, (-1, 3)) for each in rows["vectors"]]
    if len(vectors[0]) == 4:
        curves["four-body energy"] = [_energy(each) for each in vectors]
    return curves


def _energy(vectors: Floats) -> float:
    from nullmode.learning.four_body import four_body_energy

    return four_body_energy(vectors)[0]
