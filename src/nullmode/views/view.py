"""Environments with what a descriptor does not see of them, to look at: null modes as arrows, spectra, causes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nullmode._support.arguments import listed
from nullmode._support.types import JSON, Floats, InputError
from nullmode.analysis.analyze import analyze
from nullmode.attribution.null_modes import split_null_modes
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.figures._base import CAUSES, FLOOR
from nullmode.geometry.environment import Environment, environments_of, within
from nullmode.spectrum.decomposition import decompose
from nullmode.tables.parquet import coordinates
from nullmode.tables.structures import atoms_of
from nullmode.views.chemiscope_page import library, write_page

if TYPE_CHECKING:
    from ase import Atoms

SOFTEST = "softest"
_COLOURS = {**CAUSES, SOFTEST: "#228833"}
"""Colours of arrows: of null modes by their cause, and of the softest mode where none is null."""
# Arrows of at most so many null modes of an environment; with few features, there may be hundreds.
_MOST_MODES = 12
# The longest arrow of a mode, in Å, and how thick arrows are.
_LONGEST = 0.8
_SIZES = {"baseRadius": 0.04, "headRadius": 0.09, "headLength": 0.18}
_LEAST = 1e-9
# chemiscope has no arrow for what does not move: one without a length becomes not-a-numbers.
_NOWHERE: JSON = {"vector": [0.0, 0.0, 1.0], "scale": 1e-6}
_COUNTS = {
    "n_neighbours": "neighbours inside the cutoff",
    "n_dof": "displacements that are no rotation",
    "rank": "how many of them the features see",
    "null_symmetry": "null values that symmetry demands",
    "null_incompleteness": "null values of a low body order",
    "null_truncation": "null values of a small basis",
    "null_unresolved": "null values of body order or basis",
}
_TEXTS = {"point_group": "of centre and neighbours", "center_species": "element of the centre", "status": "of the row"}
_RATIO = "log10 s_d/s_1"


def write_view(
    environments: Environment | Sequence[Environment],
    descriptor: Descriptor,
    path: str | Path,
    rtol: float = 1e-9,
    tolerance: float = 1e-6,
    *,
    name: str = "Null modes",
) -> None:
    """Write a page to look at environments in a browser, with their null modes as arrows; it needs no network.

    Parameters
    ----------
    environments, descriptor, rtol, tolerance
        As in :func:`nullmode.attribute`.
    path
        Of the HTML file; its folder is made.
    name
        Heading of the page.

    Raises
    ------
    InputError
        As :func:`nullmode.analyze`, and if chemiscope is missing.
    """
    library()
    items: list[Environment] = listed(environments)
    rows = analyze(items, descriptor, rtol, attribution=True, tolerance=tolerance).assign(rtol=rtol)
    write_rows(rows, items, with_layout_of(descriptor, items), path, name)


def write_rows(
    rows: pd.DataFrame,
    environments: Sequence[Environment],
    descriptor: Descriptor,
    path: str | Path,
    name: str,
    provenance: JSON | None = None,
) -> None:
    """Write such a page from rows of a table; arguments as of :func:`dataset` and ``write_page``."""
    causes = {f"null, {cause}" if cause in CAUSES else "softest, none null": _COLOURS[cause] for cause in _COLOURS}
    write_page(dataset(rows, environments, descriptor, name), causes, path, provenance)


def chosen(
    table: pd.DataFrame, structures: Mapping[str, pd.DataFrame], cutoff: float, most: int
) -> tuple[pd.DataFrame, list[Environment]]:
    """Choose rows of families, evenly spaced, and cut out their environments.

    Parameters
    ----------
    table
        Rows of the sensitivity table of one descriptor at one truncation.
    structures
        Rows of the structures tables, by family.
    cutoff
        Radius of the environments, Å.
    most
        Rows of each family at most.

    Returns
    -------
    rows, environments
        One for each, in the order of the families.
    """
    parts: list[pd.DataFrame] = []
    environments: list[Environment] = []
    for family, known in structures.items():
        rows = table[table["family"] == family]
        rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))]
        atoms = dict(zip(known["structure"], atoms_of(known)[0], strict=True))
        for row in _tuples(rows):
            environments += environments_of(atoms[row.structure], row.structure, cutoff, np.array([row.center]))
        parts.append(rows)
    return pd.concat(parts, ignore_index=True), environments


def dataset(rows: pd.DataFrame, environments: Sequence[Environment], descriptor: Descriptor, name: str) -> JSON:
    """Make chemiscope's dataset of environments: one structure each, with properties, and arrows of each mode.

    Parameters
    ----------
    rows
        Of the sensitivity table, or of the analysis table with a column ``rtol``: one for each environment.
    environments, descriptor
        What they were computed from.
    name
        Of the dataset.

    Returns
    -------
    dict
        As ``chemiscope.create_input`` makes it. Shapes: ``null_1``, ``null_2``, … and ``softest``, the softest mode
        where none is null; the longest arrow of a mode is 0.8 Å.
    """
    inside = [within(environment, descriptor.cutoff) for environment in environments]
    modes = [_modes(item, descriptor, row) for item, row in zip(inside, _tuples(rows), strict=True)]
    shapes = sorted({shape for found in modes for shape in found}, key=lambda shape: (len(shape), shape))
    shown = [shape for shape in ("null_1", SOFTEST) if shape in shapes]
    properties, parameters = _properties(rows, modes, shapes)
    made: JSON = library().create_input(
        structures=[_atoms(environment) for environment in inside],
        metadata={"name": name, "description": f"Environments as {descriptor!r} sees them."},
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
    return made


class Shown(NamedTuple):
    """A mode with arrows.

    Attributes
    ----------
    kind
        Its cause if it is null, or ``softest``.
    irrep
        Symbol of its irreducible representation; empty if not known.
    mode, shape (n, 3)
        Displacement of each neighbour.
    """

    kind: str
    irrep: str
    mode: Floats


def _modes(environment: Environment, descriptor: Descriptor, row: Any) -> dict[str, Shown]:
    """Null modes by the names of their shapes, or the softest mode where none is null."""
    if not len(environment) or not row.n_dof:
        return {}
    found = decompose(descriptor.compute_with_jacobian(environment)[1], environment, row.rtol)
    if found.rank == found.n_dof:
        return {SOFTEST: Shown(SOFTEST, "", found.modes[-1])}
    try:
        parts = split_null_modes(environment, descriptor, row.rtol, row.tolerance)
        null = [Shown(part.cause, part.irrep, mode) for part in parts for mode in part.modes]
    except InputError:  # symmetric within the tolerance, but not to what the null modes show
        null = [Shown("unresolved", "", mode) for mode in found.modes[found.rank :]]
    return {f"null_{k + 1}": mode for k, mode in enumerate(null[:_MOST_MODES])}


def _arrows(shape: str, environments: list[Environment], modes: list[dict[str, Shown]]) -> JSON:
    """Arrows on every atom of every environment, the centre first."""
    atoms = []
    for environment, found in zip(environments, modes, strict=True):
        steps = np.zeros((1 + len(environment), 3))
        colour = _COLOURS[SOFTEST]
        if shape in found:
            mode = found[shape].mode
            steps[1:] = mode * _LONGEST / np.linalg.norm(mode, axis=1).max()
            colour = _COLOURS[found[shape].kind]
        atoms += [
            {"vector": step.tolist(), "color": colour} if np.linalg.norm(step) > _LEAST else _NOWHERE for step in steps
        ]
    return {"kind": "arrow", "parameters": {"global": _SIZES, "atom": atoms}}


def _properties(rows: pd.DataFrame, modes: list[dict[str, Shown]], shapes: list[str]) -> tuple[JSON, JSON]:
    """Properties of the environments, and the parameter that their spectra are drawn over."""
    ratios = np.maximum(rows["inverse_condition_number"].to_numpy(dtype=float), FLOOR)
    properties: JSON = {
        "number": _property(np.arange(len(rows)), "place in this view, from 0"),
        _RATIO: _property(np.log10(ratios), f"smallest over largest singular value, at least {FLOOR:g}"),
        "null values": _property(rows["n_dof"] - rows["rank"], "displacements that the features do not see"),
        **{name: _property(rows[name], text) for name, text in _COUNTS.items()},
        **{name: _property(rows[name], text) for name, text in _TEXTS.items()},
    }
    for shape in shapes:
        named = [f"{found[shape].kind} {found[shape].irrep}".strip() if shape in found else "none" for found in modes]
        properties[f"arrows {shape}"] = _property(named, "cause and irreducible representation of these arrows")
    for name in ("family", *coordinates(rows, "sensitivity"), "structure", "center"):
        if name in rows:
            properties[name] = _property(rows[name], "where the environment comes from")
    most = int(rows["n_dof"].max())
    spectra = np.full((len(rows), most), np.nan)
    for row, values in zip(spectra, rows["singular_values"], strict=True):
        row[: len(values)] = np.log10(np.maximum(np.divide(values, values[0] or 1.0), FLOOR)) if len(values) else np.nan
    curve = {
        "target": "structure",
        "values": spectra,
        "parameters": ["k"],
        "description": "singular values, descending",
    }
    return properties | {"log10 s_k/s_1": curve}, {"k": {"values": np.arange(1, most + 1), "name": "k"}}


def _property(values: Any, description: str) -> JSON:
    column = pd.Series(values).reset_index(drop=True)
    if not pd.api.types.is_numeric_dtype(column):
        return {"target": "structure", "values": column.fillna("none").astype(str).tolist(), "description": description}
    return {"target": "structure", "values": column.to_numpy(dtype=float, na_value=np.nan), "description": description}


def _atoms(environment: Environment) -> "Atoms":
    """Put the centre into the origin, and its neighbours around it."""
    from ase import Atoms

    return Atoms(
        [environment.center_species, *environment.species], np.concatenate([np.zeros((1, 3)), environment.vectors])
    )


def _tuples(rows: pd.DataFrame) -> Iterator[Any]:
    return rows.itertuples(index=False)
