"""Environments, their spectra and their null modes as a dataset for chemiscope."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nullmode._support.types import JSON, Floats
from nullmode.analysis.explanations._cases import null_modes_of
from nullmode.descriptors._base import Descriptor
from nullmode.figures._base import CAUSES, FLOOR
from nullmode.geometry.environment import Environment, within
from nullmode.spectrum.decomposition import decompose
from nullmode.tables.columns import SENSITIVITY
from nullmode.tables.parquet import coordinates
from nullmode.views.chemiscope_page import library

if TYPE_CHECKING:
    from ase import Atoms

SOFTEST = "softest"
COLOURS = {**CAUSES, SOFTEST: "#228833"}
"""Colours of arrows: of null modes by their cause, and of the softest mode, shown where no mode is null."""
# With few features, an environment may have hundreds of null modes.
_MOST_MODES = 12
# Length of the longest arrow of a mode, and the thickness of all arrows, Å.
_LONGEST = 0.8
_THICKNESS = {"baseRadius": 0.04, "headRadius": 0.09, "headLength": 0.18}
# An atom that moves by less than this, Å, has no arrow. chemiscope turns an arrow of length zero into NaN, so that an
# invisibly small one takes its place.
_LEAST = 1e-9
_NO_ARROW: JSON = {"vector": [0.0, 0.0, 1.0], "scale": 1e-6}
_COLUMNS = (
    *(
        "n_neighbours",
        "n_dof",
        "rank",
        "null_symmetry",
        "null_incompleteness",
        "null_truncation",
        "null_cutoff",
        "null_width",
        "null_unresolved",
    ),
    *("point_group", "center_species", "status"),
)
_MEANINGS = {column.name: column.meaning for column in SENSITIVITY}
_RATIO = "log10 s_d/s_1"


class DisplayedMode(NamedTuple):
    """A mode drawn as arrows: its cause or ``softest``, its irrep's symbol if known, and displacements (n, 3)."""

    kind: str
    irrep: str
    displacements: Floats


def make_dataset(
    rows: pd.DataFrame, environments: Sequence[Environment], descriptors: Sequence[Descriptor], name: str
) -> JSON:
    """Make a dataset in which each environment is a structure, with its properties and arrows for each of its modes.

    Parameters
    ----------
    rows
        Rows of the sensitivity table, or of the analysis table with a column ``rtol``: one for each environment.
    environments, descriptors
        What each row was computed from.

    Returns
    -------
    dict
        As ``chemiscope.create_input`` makes it. Its shapes are ``null_1``, ``null_2``, … and ``softest``, the softest
        mode where none is null; the longest arrow of a mode is 0.8 Å.
    """
    inside = [within(each, descriptor.cutoff) for each, descriptor in zip(environments, descriptors, strict=True)]
    records: Any = rows[["n_dof", "singular_values", "rtol", "tolerance"]].itertuples(index=False)
    modes = [_modes(*each) for each in zip(inside, descriptors, records, strict=True)]
    shapes = sorted({shape for own in modes for shape in own}, key=lambda shape: (len(shape), shape))
    shown = [shape for shape in ("null_1", SOFTEST) if shape in shapes]
    spectra, parameters = _spectra(rows)
    properties = _properties(rows, modes, shapes) | spectra
    _add_coordinates(properties, rows)
    seen_by = " or ".join(dict.fromkeys(map(repr, descriptors)))
    dataset: JSON = library().create_input(
        structures=[_atoms(environment) for environment in inside],
        metadata={"name": name, "description": f"Environments as {seen_by} sees them."},
        properties=properties,
        parameters=parameters,
        shapes={shape: _arrows(shape, inside, modes) for shape in shapes},
        settings={
            "target": "structure",
            "map": {"x": {"property": "number"}, "y": {"property": _RATIO}, "color": {"property": "null values"}}
            | ({"symbol": "family"} if "family" in properties else {}),
            "structure": [{"shape": ",".join(shown)}],
        },
    )
    return dataset


def _modes(environment: Environment, descriptor: Descriptor, row: Any) -> dict[str, DisplayedMode]:
    """Null modes by the names of their shapes, or the softest mode where none is null."""
    if not row.n_dof or not np.isfinite(row.singular_values).all():
        return {}
    sensitivity = decompose(descriptor, environment, row.rtol, row.tolerance)
    if sensitivity.rank == sensitivity.n_dof:
        return {SOFTEST: DisplayedMode(SOFTEST, "", sensitivity.modes[-1])}
    null = null_modes_of(environment, descriptor, sensitivity, row.rtol, row.tolerance)
    return {f"null_{k + 1}": DisplayedMode(*mode) for k, mode in enumerate(null[:_MOST_MODES])}


def _arrows(shape: str, environments: list[Environment], modes: list[dict[str, DisplayedMode]]) -> JSON:
    """Arrows on every atom of every environment, the centre first."""
    arrows = []
    for environment, own in zip(environments, modes, strict=True):
        vectors = np.zeros((1 + len(environment), 3))
        colour = COLOURS[SOFTEST]
        if shape in own:
            displacements = own[shape].displacements
            vectors[1:] = displacements * _LONGEST / np.linalg.norm(displacements, axis=1).max()
            colour = COLOURS[own[shape].kind]
        arrows += [
            {"vector": vector.tolist(), "color": colour} if np.linalg.norm(vector) > _LEAST else _NO_ARROW
            for vector in vectors
        ]
    return {"kind": "arrow", "parameters": {"global": _THICKNESS, "atom": arrows}}


def _properties(rows: pd.DataFrame, modes: list[dict[str, DisplayedMode]], shapes: list[str]) -> JSON:
    """Properties of the environments: columns of the table, and what the arrows of each shape are."""
    ratios = np.maximum(rows["inverse_condition_number"].to_numpy(dtype=float, na_value=np.nan), FLOOR)
    properties: JSON = {
        "number": _property(np.arange(len(rows)), "number of the environment in this view, from 0"),
        _RATIO: _property(np.log10(ratios), f"smallest over largest singular value, at least {FLOOR:g}"),
        "null values": _property(rows["n_dof"] - rows["rank"], "displacements that do not change the features"),
        **{column: _property(rows[column], _MEANINGS[column]) for column in _COLUMNS},
    }
    for shape in shapes:
        labels = [f"{own[shape].kind} {own[shape].irrep}".strip() if shape in own else "none" for own in modes]
        properties[f"arrows {shape}"] = _property(labels, "cause and irreducible representation of these arrows")
    return properties


def _add_coordinates(properties: JSON, rows: pd.DataFrame) -> None:
    """Add where the environments come from, under names that no property has yet."""
    for column in ("family", *coordinates(rows, "sensitivity"), "structure", "center"):
        if column in rows:
            name = column
            while name in properties:
                name = f"{name} (coordinate)"
            properties[name] = _property(rows[column], "where the environment comes from")


def _spectra(rows: pd.DataFrame) -> tuple[JSON, JSON]:
    """Singular values of each environment as one more property, and the parameter that they are drawn over."""
    longest = max(1, int(rows["n_dof"].max()))
    spectra = np.full((len(rows), longest), np.nan)
    for spectrum, values in zip(spectra, rows["singular_values"], strict=True):
        if len(values):
            spectrum[: len(values)] = np.log10(np.maximum(np.divide(values, values[0] or 1.0), FLOOR))
    curve = {"target": "structure", "values": spectra, "description": "singular values, in descending order"}
    return {"log10 s_k/s_1": curve | {"parameters": ["k"]}}, {"k": {"values": np.arange(1, longest + 1), "name": "k"}}


def _property(values: Any, description: str) -> JSON:
    column = pd.Series(values).reset_index(drop=True)
    if not pd.api.types.is_numeric_dtype(column):
        return {"target": "structure", "values": column.fillna("none").astype(str).tolist(), "description": description}
    return {"target": "structure", "values": column.to_numpy(dtype=float, na_value=np.nan), "description": description}


def _atoms(environment: Environment) -> "Atoms":
    """Put the centre at the origin, and its neighbours around it."""
    from ase import Atoms

    return Atoms(
        [environment.center_species, *environment.species], np.concatenate([np.zeros((1, 3)), environment.vectors])
    )
