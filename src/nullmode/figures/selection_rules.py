"""What null modes do to a model: forces along them are zero, where they should be and where they should not."""

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from nullmode._support.types import Floats
from nullmode.figures._base import (
    CAUSES,
    Drawing,
    by_cause,
    explained,
    legend_above,
    literal,
    null_colours,
    number,
    panels,
    patches,
    title,
)
from nullmode.figures._figure import figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SHADE = 0.25
# In 1/Å: forces below are written as rounding.
_ROUNDING = 1e-9
_MARKS: tuple[dict[str, Any], ...] = (
    {"marker": "o", "mfc": "none", "mec": "0.3", "markersize": 6, "label": "true"},
    {"marker": "x", "color": "C0", "markersize": 4, "label": "linear model"},
    {"marker": "+", "color": "C3", "markersize": 5, "label": "Gaussian kernel model"},
)


@figure(explanation="selection_rules")
def draw(
    explanations: "pd.DataFrame",
    family: str,
    descriptors: list[str],
    names: list[str] | None = None,
    samples: Annotated[int, Field(ge=2)] = 40,
    amplitude: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.1,
    seed: Annotated[int, Field(ge=0)] = 0,
) -> Drawing:
    """One row per descriptor, one panel per structure: force along each mode, true and by models of the features.

    The energy is the four-body energy of Parsaeifard and Goedecker; the models are fitted to energies and forces of
    random distortions of all structures drawn. Modes are those of the descriptor, the stiffest first, null ones shaded
    by their cause; their signs are such that true forces are positive. Titles say the largest forces along null modes.

    Parameters
    ----------
    family
        With a coordinate ``name``, as ``point_groups``; four neighbours each.
    descriptors
        Each at one truncation.
    names
        Structures to draw; default all of them.
    samples
        Distortions of each structure that the models are fitted to.
    amplitude
        Standard deviation of each component of a distortion, in Å.
    seed
        Of the distortions.
    """
    chosen = {descriptor: explained(explanations, family, descriptor) for descriptor in descriptors}
    held = dict.fromkeys(name for rows in chosen.values() for name in rows["name"])
    drawn = [name for name in names or held if name in held]
    if not drawn:
        figure, [[ax]] = panels(1, 1, (4.5, 1.5))
        ax.set_axis_off()
        ax.text(0.5, 0.5, "no structure of four neighbours", transform=ax.transAxes, ha="center")
        return Drawing(figure, "No structure has four neighbours, as the energy asks for.")
    size = (1.35 * len(drawn) + 1.4, 1.7 * len(chosen) + 0.7)
    figure, axes = panels(len(chosen), len(drawn), size, sharex=True, sharey=True)
    most: dict[str, Floats] = {}
    for number_of_line, (line, (descriptor, rows)) in enumerate(zip(axes, chosen.items(), strict=True)):
        for ax, name in zip(line, drawn, strict=True):
            title_of = name if number_of_line == 0 else ""
            for cause, forces in _panel(ax, title_of, rows[rows["name"] == name]).items():
                most[cause] = np.maximum(most.get(cause, 0.0), forces)
        line[0].set_ylabel((title(rows) if len(rows) else descriptor) + "\n\nforce along mode / Å$^{-1}$")
    for ax in axes[-1]:
        ax.set_xlabel("mode k")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    colours = null_colours(most)
    handles.extend(patches(colours, alpha=_SHADE, linewidth=0))
    labels.extend(colours)
    legend_above(figure, handles, labels)
    sentences = [
        f"Along null modes by {by_cause(cause)} true forces are {_plain(true)} and those of models {_plain(model)}."
        for cause, (true, model) in most.items()
    ]
    fit = (
        f"The models are fitted to {samples} distortions of each structure, of {amplitude:g} Å in each component "
        f"(seed {seed})."
    )
    return Drawing(figure, " ".join([*(sentences or ["There are no null modes."]), fit]))


def _panel(ax: "Axes", name: str, modes: "pd.DataFrame") -> dict[str, Floats]:
    """Draw the forces on one structure; returns the largest along null modes of each cause: true, and of models."""
    from matplotlib.ticker import MaxNLocator

    true, *predicted = modes[["force", "force_linear", "force_kernel"]].to_numpy(dtype=np.float64).T
    causes = modes["cause"].to_numpy()
    sign = np.where(true < -_ROUNDING, -1, 1)
    k = np.arange(1, len(modes) + 1)
    ax.axhline(0, color="0.8", linewidth=0.6)
    most: dict[str, Floats] = {}
    for (cause, _), block in modes.assign(k=k)[causes != "seen"].groupby(["cause", "irrep"], sort=False):
        ax.axvspan(block["k"].min() - 0.5, block["k"].max() + 0.5, color=CAUSES[cause], alpha=_SHADE, linewidth=0)
    for cause in dict.fromkeys(causes[causes != "seen"]):
        null = causes == cause
        most[cause] = np.array([np.abs(true[null]).max(), np.abs(np.array(predicted)[:, null]).max()])
    for values, marks in zip((true, *predicted), _MARKS, strict=True):
        ax.plot(k, sign * values, linestyle="none", **marks)
    lines = [literal(name)] if name else []
    if most:
        true_most, model_most = np.max(list(most.values()), axis=0)
        lines += [f"null modes: true {_written(true_most)},", f"models {_written(model_most)}"]
    ax.set_title("\n".join(lines), fontsize=7)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return most


def _plain(force: float) -> str:
    return f"up to {number(force)} Å⁻¹" if force > _ROUNDING else f"below {number(_ROUNDING)} Å⁻¹"


def _written(force: float) -> str:
    return f"{force:.2g}" if force > _ROUNDING else r"$< 10^{-9}$"
