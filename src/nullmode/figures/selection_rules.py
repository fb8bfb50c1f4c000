"""What null modes do to a model: forces along them are zero, where they should be and where they should not."""

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from nullmode._support.types import Floats
from nullmode.figures._base import CAUSES, Drawing, legend_above, number, patches, select, style, title
from nullmode.figures._cases import descriptor_of, environments_of, tolerances
from nullmode.figures._figure import Figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nullmode.descriptors._base import Descriptor
    from nullmode.geometry.environment import Environment
    from nullmode.learning.smooth_models import SmoothModel

_SHADE = 0.25
# In 1/Å: forces below are written as rounding.
_ROUNDING = 1e-9
_MARKS: tuple[dict[str, Any], ...] = (
    {"marker": "o", "mfc": "none", "mec": "0.3", "markersize": 6, "label": "true"},
    {"marker": "x", "color": "C0", "markersize": 4, "label": "linear model"},
    {"marker": "+", "color": "C3", "markersize": 5, "label": "Gaussian kernel model"},
)


def draw(
    table: "pd.DataFrame",
    structures: "dict[str, pd.DataFrame]",
    kinds: dict[str, str],
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
    table
        The sensitivity table.
    structures
        Structures tables of the families, by name.
    kinds
        Kinds of the descriptors, by name.
    family
        With a coordinate ``name``, as ``point_groups``; four neighbours each.
    descriptors
        Each at one truncation.
    names
        Structures to draw; default every one.
    samples
        Distortions of each structure to fit to.
    amplitude
        Standard deviation of each component of a distortion, in Å.
    seed
        Of the distortions.
    """
    import matplotlib.pyplot as plt

    with style():
        chosen = [select(table, family, descriptor, single=True) for descriptor in descriptors]
        made = [descriptor_of(rows, kinds) for rows in chosen]
        drawn = [environments_of(structures[family], descriptor.cutoff, names) for descriptor in made]
        size = (1.35 * len(drawn[0]) + 1.4, 1.7 * len(made) + 0.7)
        figure, axes = plt.subplots(
            len(made), len(drawn[0]), sharex=True, sharey=True, squeeze=False, figsize=size, layout="constrained"
        )
        most: dict[str, Floats] = {}
        for line, rows, descriptor, cases in zip(axes, chosen, made, drawn, strict=True):
            models = _fitted(descriptor, list(cases.values()), samples, amplitude, seed)
            for ax, (name, environment) in zip(line, cases.items(), strict=True):
                for cause, forces in _panel(ax, name, environment, descriptor, models, tolerances(rows, name)).items():
                    most[cause] = np.maximum(most.get(cause, 0.0), forces)
            line[0].set_ylabel(title(rows) + "\n\nforce along mode / Å$^{-1}$")
        for ax in axes[-1]:
            ax.set_xlabel("mode k")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        colours = {f"null: {cause}": colour for cause, colour in CAUSES.items() if cause in most}
        handles.extend(patches(colours, alpha=_SHADE, linewidth=0))
        labels.extend(colours)
        legend_above(figure, handles, labels)
        plt.close(figure)
        said = [
            f"along null modes by {cause} true forces are {_plain(true)} and those of models {_plain(model)}"
            for cause, (true, model) in most.items()
        ]
        return Drawing(figure, f"In 1/Å, {'; '.join(said)}." if said else "There are no null modes.")


FIGURE = Figure(draw)


def _fitted(
    descriptor: "Descriptor", environments: "list[Environment]", samples: int, amplitude: float, seed: int
) -> "list[SmoothModel]":
    """Fit a linear and a kernel model to distortions of some environments."""
    from nullmode.geometry.environment import Environment
    from nullmode.learning.smooth_models import fit_model, four_body_energy

    rng = np.random.default_rng(seed)
    training = [
        Environment.from_vectors(
            environment.vectors + rng.normal(scale=amplitude, size=environment.vectors.shape),
            environment.species.tolist(),
            environment.center_species,
        )
        for environment in environments
        for _ in range(samples)
    ]
    energies, forces = zip(*(four_body_energy(environment.vectors) for environment in training), strict=True)
    return [fit_model(descriptor, training, energies, forces, gaussian=gaussian) for gaussian in (False, True)]


def _panel(
    ax: "Axes",
    name: str,
    environment: "Environment",
    descriptor: "Descriptor",
    models: "list[SmoothModel]",
    within: tuple[float, float],
) -> dict[str, Floats]:
    """Draw the forces on one environment; returns the largest along null modes of each cause: true, and of models."""
    from matplotlib.ticker import MaxNLocator

    from nullmode.attribution.null_modes import split_null_modes
    from nullmode.learning.smooth_models import four_body_energy
    from nullmode.spectrum.decomposition import decompose

    rtol, tolerance = within
    features, jacobian = descriptor.compute_with_jacobian(environment)
    result = decompose(jacobian, environment, rtol)
    parts = split_null_modes(environment, descriptor, rtol, tolerance)
    modes = np.concatenate([result.modes[: result.rank], *(part.modes for part in parts)])
    true = _along(modes, four_body_energy(environment.vectors)[1])
    sign = np.where(true < -_ROUNDING, -1, 1)
    k = np.arange(1, len(modes) + 1)
    ax.axhline(0, color="0.8", linewidth=0.6)
    predicted = [_along(modes, model.forces(features, jacobian)) for model in models]
    most: dict[str, Floats] = {}
    start = result.rank
    for part in parts:
        end = start + len(part.modes)
        ax.axvspan(start + 0.5, end + 0.5, color=CAUSES[part.cause], alpha=_SHADE, linewidth=0)
        forces = np.array([np.abs(each[..., start:end]).max() for each in (true, np.array(predicted))])
        most[part.cause] = np.maximum(most.get(part.cause, 0.0), forces)
        start = end
    for values, marks in zip((true, *predicted), _MARKS, strict=True):
        ax.plot(k, sign * values, linestyle="none", **marks)
    if parts:
        true_most, model_most = np.max(list(most.values()), axis=0)
        name += f"\nnull modes: true {_written(true_most)},\nmodels {_written(model_most)}"
    ax.set_title(name, fontsize=7)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return most


def _plain(force: float) -> str:
    return f"up to {number(force)}" if force > _ROUNDING else f"below {number(_ROUNDING)}"


def _written(force: float) -> str:
    return f"{force:.2g}" if force > _ROUNDING else r"$< 10^{-9}$"


def _along(modes: Floats, forces: Floats) -> Floats:
    return np.asarray(np.tensordot(modes, forces, 2))
