"""Environments or whole structures, their spectra and their modes as a dataset for chemiscope."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nullmode._support.threads import processors, progress_bar, single_threaded_blas
from nullmode._support.types import JSON, Floats
from nullmode.analysis.verdict.judge import described
from nullmode.attribution.near_null import SOFT
from nullmode.figures._base import CAUSES, FLOOR, by_cause
from nullmode.tables.columns import SENSITIVITY
from nullmode.tables.parquet import coordinates
from nullmode.views.chemiscope_page import library
from nullmode.views.displayed import SOFT_MODE, SOFTEST, Displayed, DisplayedMode, bonds

if TYPE_CHECKING:
    from ase import Atoms

COLOURS = {**CAUSES, SOFT_MODE: "#228833", SOFTEST: "#55aa88"}
"""Colours of arrows: of null modes by their cause, of soft modes, and of the softest where none is null or soft."""
CENTER = "centre"
"""Name of the shape that marks the centre of an environment."""
# The longest arrow of a mode is a tenth of the diagonal of the box around the atoms, within these bounds, Å.
_LONGEST = 0.8, 1.8
# Of an arrow of the larger length, Å. Shorter ones are thinner: below half of the longest, as their length.
_THICKNESS = {"baseRadius": 0.09, "headRadius": 0.21, "headLength": 0.45}
# An atom that moves by less than this share of the atom that moves most has no arrow. chemiscope turns an arrow of
# length zero into NaN, so that an invisibly small one takes its place.
_LEAST = 0.03
_NO_ARROW: JSON = {"vector": [0.0, 0.0, 1.0], "scale": 1e-6}
# Digits of arrows after the point: more would only make the page larger.
_DIGITS = 4
_LEGEND = {
    "unresolved": "null by a cause that is not told apart",
    SOFT_MODE: "soft (seen, below {:g} s₁)",
    SOFTEST: "the softest (none is null or soft)",
}
_COUNTS = (
    "null_symmetry",
    "null_incompleteness",
    "null_truncation",
    "null_cutoff",
    "null_width",
    "null_unresolved",
)
_COLUMNS = ("n_neighbours", "n_dof", "rank", *_COUNTS, "point_group", "center_species", "status")
_OF_FORCES = ("force_rms", "unseen_force", "unseen_share")
_MEANINGS = {column.name: column.meaning for column in SENSITIVITY}
_RATIO, _SEEN, _NULL, _N_SOFT = "log10 s_d/s_1", "log10 s_r/s_1", "null values", "soft values"


class Dataset(NamedTuple):
    """What a page shows: a dataset of chemiscope's, texts about each entry and its modes, and the legend's colours."""

    chemiscope: JSON
    entries: list[JSON]
    legend: dict[str, str]


def make_dataset(rows: pd.DataFrame, shown: Sequence[Displayed], name: str, progress: bool = False) -> Dataset:
    """Make a dataset in which each entry is a structure, with its properties and arrows for each of its modes.

    Parameters
    ----------
    rows
        Rows of the sensitivity table, or of the analysis table with a column ``rtol``: one for each entry.
    shown
        What each row was computed from, all with one bound of soft values.
    progress
        Show a progress bar on stderr.

    Returns
    -------
    Dataset
        With what ``chemiscope.create_input`` makes. Its shapes are ``null_1``, ``null_2``, … and ``soft_1``, …;
        ``centre`` marks the centres of environments.
    """
    modes: list[dict[str, DisplayedMode]] = []
    with (
        single_threaded_blas(),
        progress_bar(len(rows), progress, "modes") as advance,
        ThreadPoolExecutor(max_workers=processors()) as pool,
    ):
        for own in pool.map(Displayed.modes, shown, rows.itertuples(index=False)):
            modes.append(own)
            advance(1)
    atoms = [each.atoms() for each in shown]
    shapes = sorted({shape for own in modes for shape in own}, key=lambda shape: (len(shape), shape))
    longest = [_longest(each.positions) for each in atoms]
    drawn = {shape: _arrows(shape, atoms, longest, modes) for shape in shapes}
    marked = any(each.has_center for each in shown)
    if marked:
        drawn[CENTER] = _mark(0.62, 0.035)
    spectra, parameters = _spectra(rows)
    soft = shown[0].soft if shown else SOFT
    properties = _properties(rows, modes, shapes, soft) | spectra
    _add_coordinates(properties, rows)
    seen_by = " or ".join(dict.fromkeys(described(each.descriptor) for each in shown))
    first = next(iter(modes[0]), "") if modes else ""
    dataset: JSON = library().create_input(
        structures=atoms,
        metadata={"name": name, "description": shown[0].caption.format(seen_by) if shown else ""},
        properties=properties,
        parameters=parameters,
        shapes=drawn,
        settings={
            "target": "structure",
            "map": _axes(properties) | ({"symbol": "family"} if "family" in properties else {}),
            "structure": [{"shape": ",".join(filter(None, (first, CENTER * marked))), "unitCell": True}],
        },
    )
    for structure, drawn_atoms in zip(dataset["structures"], atoms, strict=True):
        structure["bonds"] = bonds(drawn_atoms.positions, drawn_atoms.numbers)
    kinds = {mode.kind for own in modes for mode in own.values()}
    return Dataset(
        dataset,
        [_entry(row, own) for (_, row), own in zip(rows.iterrows(), modes, strict=True)],
        {
            _LEGEND.get(kind, f"null by {by_cause(kind)}").format(soft): colour
            for kind, colour in COLOURS.items()
            if kind in kinds
        },
    )


def _longest(positions: Floats) -> float:
    """Length of the longest arrow of a structure, Å."""
    return float(np.clip(np.linalg.norm(np.ptp(positions, axis=0)) / 10, *_LONGEST))


def _arrows(shape: str, atoms: "list[Atoms]", longest: list[float], modes: list[dict[str, DisplayedMode]]) -> JSON:
    """Arrows on every atom of every entry."""
    arrows = []
    for each, most, own in zip(atoms, longest, modes, strict=True):
        if shape not in own:
            arrows += [_NO_ARROW] * len(each)
            continue
        displacements = own[shape].displacements
        lengths = np.linalg.norm(displacements, axis=1)
        shares = lengths / lengths.max()
        scales = np.round(most / _LONGEST[1] * np.minimum(1.0, 2 * shares), _DIGITS)
        drawn = shares > _LEAST
        vectors = np.zeros_like(displacements)
        # chemiscope multiplies lengths and thicknesses by the scale.
        vectors[drawn] = displacements[drawn] * (most / lengths.max() / scales[drawn])[:, None]
        colour = COLOURS[own[shape].kind]
        arrows += [
            {"vector": vector, "color": colour, "scale": scale} if is_drawn else _NO_ARROW
            for vector, scale, is_drawn in zip(np.round(vectors, _DIGITS).tolist(), scales.tolist(), drawn, strict=True)
        ]
    return {"kind": "arrow", "parameters": {"global": _THICKNESS, "atom": arrows}}


def _mark(radius: float, thickness: float) -> JSON:
    """Three perpendicular rings around the origin, with radii in Å."""
    around, across = 36, 6
    i, j = (grid.ravel() for grid in np.indices((around, across)))
    long, short = 2 * np.pi * i / around, 2 * np.pi * j / across
    reach = radius + thickness * np.cos(short)
    one = np.stack([reach * np.cos(long), reach * np.sin(long), thickness * np.sin(short)], axis=1)
    a, b = across * i + j, across * ((i + 1) % around) + j
    c, d = across * i + (j + 1) % across, across * ((i + 1) % around) + (j + 1) % across
    faces = np.concatenate([np.stack([a, b, d], axis=1), np.stack([a, d, c], axis=1)])
    vertices = np.concatenate([np.roll(one, turn, axis=1) for turn in range(3)])
    triangles = np.concatenate([faces + turn * len(one) for turn in range(3)])
    ring = {"vertices": np.round(vertices, _DIGITS).tolist(), "simplices": triangles.tolist(), "color": "#000000"}
    return {"kind": "custom", "parameters": {"global": ring}}


def _properties(rows: pd.DataFrame, modes: list[dict[str, DisplayedMode]], shapes: list[str], soft: float) -> JSON:
    """Properties of the entries: columns of the table, and what the arrows of each shape are."""
    ratios = np.maximum(rows["inverse_condition_number"].to_numpy(dtype=float, na_value=np.nan), FLOOR)
    seen = [_ratios(values, rank) for values, rank in zip(rows["singular_values"], rows["rank"], strict=True)]
    properties: JSON = {
        "number": _property(np.arange(len(rows)), "number in this view, from 0"),
        _RATIO: _property(np.log10(ratios), f"smallest over largest singular value, at least {FLOOR:g}"),
        _SEEN: _property(
            [np.log10(own[-1]) if len(own) else np.nan for own in seen],
            "smallest singular value that is seen over the largest",
        ),
        _NULL: _property(rows["n_dof"] - rows["rank"], "displacements that do not change the features"),
        _N_SOFT: _property([int((own < soft).sum()) for own in seen], f"values that are seen and below {soft:g} s_1"),
        **{column: _property(rows[column], _MEANINGS[column]) for column in _COLUMNS if rows[column].notna().any()},
    }
    for column in _OF_FORCES:
        if column in rows and rows[column].notna().any():
            properties[column] = _property(rows[column], _MEANINGS[column])
    for shape in shapes:
        labels = [own[shape].label if shape in own else "none" for own in modes]
        properties[f"arrows {shape}"] = _property(labels, "cause and irreducible representation of these arrows")
    return properties


def _ratios(values: Floats, rank: Any) -> Floats:
    """Singular values that are seen, over the largest."""
    own = np.asarray(values, dtype=float)
    return own[:rank] / own[0] if len(own) and rank and np.isfinite(own).all() else np.empty(0)


def _axes(properties: JSON) -> JSON:
    """Choose what the map shows: what differs among the entries."""

    def differing(*names: str) -> JSON:
        for name in names:
            values = np.asarray(properties[name]["values"], dtype=float)
            known = values[np.isfinite(values)]
            if len(known) and np.ptp(known) > 0:
                return {"property": name}
        return {"property": names[-1]}

    colour = differing(_NULL, _N_SOFT, _SEEN)
    return {"x": {"property": "number"}, "y": differing(_RATIO, _SEEN), "color": colour}


def _entry(row: Any, modes: dict[str, DisplayedMode]) -> JSON:
    """Texts about one entry: where it is from, what is seen of it, and each mode."""
    counts = {by_cause(name.removeprefix("null_")): row[name] for name in _COUNTS if not pd.isna(row[name])}
    null = int(row["n_dof"] - row["rank"])
    causes = ", ".join(f"{count} by {cause}" for cause, count in counts.items() if count) or "cause not known"
    seen = f"{row['rank']} of {row['n_dof']} displacements seen, {null or 'none'} null"
    named = {"point_group": "point group {}", "status": "status {}"}
    notes = [text.format(row[name]) for name, text in named.items() if not pd.isna(row[name]) and row[name] != "ok"]
    listed = [
        {
            "shape": shape,
            "colour": COLOURS[mode.kind],
            "label": mode.label,
            "ratio": "0" if np.isnan(mode.ratio) else f"{mode.ratio:.1e}",
        }
        for shape, mode in modes.items()
    ]
    return {
        "where": _where(row),
        "seen": "; ".join([seen + (f": {causes}" if null else ""), *notes]),
        "modes": listed,
        "further": null - sum(shape.startswith("null_") for shape in modes) if modes else 0,
    }


def _where(row: Any) -> str:
    number = f"frame {row['frame']}" if "frame" in row else f"structure {row['structure']}"
    atom = "" if pd.isna(row["center_species"]) else f", atom {row['center']} ({row['center_species']})"
    named = " ".join(str(row[name]) for name in ("family", "name") if name in row)
    return ", ".join(filter(None, (named, number))) + atom


def _add_coordinates(properties: JSON, rows: pd.DataFrame) -> None:
    """Add where the entries come from, under names that no property has yet."""
    for column in ("family", *coordinates(rows, "sensitivity"), "structure", "center"):
        if column in rows and not (column == "center" and (rows[column] < 0).all()):
            name = column
            while name in properties:
                name = f"{name} (coordinate)"
            properties[name] = _property(rows[column], "where it comes from")


def _spectra(rows: pd.DataFrame) -> tuple[JSON, JSON]:
    """Singular values of each entry as one more property, and the parameter that they are drawn over."""
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
