"""What the workflow's jobs do: a job's cell to table rows, rows to a summary."""

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nullmode._support.arguments import check_tolerance
from nullmode._support.types import JSON, Floats, Scope
from nullmode._support.variants import constructed, load
from nullmode.analysis.analyze import analyze
from nullmode.analysis.rows import AnalysisOptions, measure, measure_whole
from nullmode.attribution.causes import EnvironmentRanks
from nullmode.attribution.whole_structure import StructureRanks
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import DensityDescriptor, Descriptor, changed
from nullmode.descriptors._contraction import fit_contraction, unfitted_basis
from nullmode.descriptors._layout import Layout
from nullmode.geometry.environment import Environment, cut, environments_of
from nullmode.spectrum.decomposition import check_rtol
from nullmode.spectrum.truncations import sweeps
from nullmode.spectrum.whole_structure import Structure, whole_structures
from nullmode.tables import columns, parquet
from nullmode.tables.structures import atoms_of

if TYPE_CHECKING:
    pass


def run_cell(
    structures: pd.DataFrame,
    cell: JSON,
    references: Mapping[str, pd.DataFrame] | None = None,
    layouts: Mapping[float, JSON] | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Analyse one family, or a part of it, with one descriptor at every truncation of a job.

    Parameters
    ----------
    structures
        Rows of the structures table; of a part, those that :func:`read_part` reads.
    cell
        ``family``, ``descriptor`` (names), ``kind``, ``scope``, ``points`` (parameters of each descriptor), ``rtol``,
        ``tolerance``; ``block``: how many points in a row share their Jacobians where they can (default all of them);
        ``structures``: first and end of the part to be analysed (default all).
    references
        Rows of the structures table of each family that a contraction is fitted to, by name.
    layouts
        Of the whole family, by cutoff, where `structures` are a part: see :func:`layout_of`.
    threads, progress
        As in :func:`analyze`.

    Returns
    -------
    pandas.DataFrame
        Rows of the sensitivity table: points in order, then environments, or structures. They are the same, bit by bit,
        in whatever jobs the points and the structures are.
    """
    place = {column: structures[column] for column in parquet.coordinates(structures, "structures")}
    paired = "pair" in place
    analysis = AnalysisOptions(rtol=check_rtol(cell["rtol"]), tolerance=check_tolerance(cell["tolerance"]))
    target = load(cell["kind"], DESCRIPTORS, "descriptor")
    where = f"descriptors.{cell['descriptor']}"
    points: list[Descriptor] = [constructed(target, parameters, where) for parameters in cell["points"]]
    block = cell.get("block") or len(points)
    options: JSON = {"threads": threads, "progress": progress, "keep_features": paired}
    part = cell.get("structures") is not None
    frames = []
    for cutoff in dict.fromkeys(descriptor.cutoff for descriptor in points):
        places = [k for k, descriptor in enumerate(points) if descriptor.cutoff == cutoff]
        wholes, environments = _cut(structures, cutoff, cell["scope"], part=part)
        if not environments:
            continue
        whole_family = (layouts or {}).get(cutoff)
        layout = Layout(**whole_family) if whole_family else Layout.of(environments, cutoff)
        theories = (
            [EnvironmentRanks(item) for item in environments] if wholes is None else [StructureRanks(s) for s in wholes]
        )
        for _, members in groupby(places, lambda k: k // block):
            truncations = list(members)
            descriptors = [layout.fix(points[k]) for k in truncations]
            descriptions = pd.DataFrame(
                [
                    description(cell, descriptor, parameters_of(target, cell["points"][k], descriptor))
                    for k, descriptor in zip(truncations, descriptors, strict=True)
                ]
            )
            answer: Any = measure if wholes is None else measure_whole
            frame, features = answer(theories, fitted(descriptors, references or {}), analysis, **options)
            for name, values in place.items():
                frame[name] = values.to_numpy()[frame["structure"]]
            frame["structure"] = structures["structure"].to_numpy()[frame["structure"]]
            frame["pair_distance"] = _pair_distances(frame, features) if paired else np.nan
            frame = descriptions.loc[frame["point"]].reset_index(drop=True).join(frame)
            frame["point"] = np.array(truncations)[frame["point"]]
            frames.append(frame)
    if not frames:
        return pd.DataFrame(columns=[*(column.name for column in columns.SENSITIVITY), *place])
    rows: pd.DataFrame = pd.concat(frames).sort_values("point", kind="stable").drop(columns="point")
    if part:
        rows = rows[_within(rows["structure"], cell["structures"])]
    return rows.reset_index(drop=True)


def read_part(path: str | Path, cell: JSON) -> pd.DataFrame:
    """Read the structures that a job needs: its own, and the first of each pair that they belong to."""
    if cell.get("structures") is None:
        return parquet.read(path, "structures")
    known = parquet.read(path, "structures", columns=["structure", "pair"])
    own = known[_within(known["structure"], cell["structures"])]
    needed = set(own["structure"])
    if "pair" in known:
        needed.update(known[known["pair"].isin(own["pair"])].groupby("pair")["structure"].min())
    return parquet.read(path, "structures", filters=[("structure", "in", needed)])


def _within(numbers: "pd.Series[Any]", structures: Sequence[int | None]) -> "pd.Series[bool]":
    start, stop = structures
    return (numbers >= start) & (numbers < (np.inf if stop is None else stop))


def layout_of(structures: pd.DataFrame, scope: Scope, cutoff: float) -> JSON:
    """Find what a whole family holds within a cutoff (Å): its parts give their features a common layout by it.

    Raises
    ------
    InputError
        If no centre of the family has a neighbour.
    """
    return asdict(Layout.of(_cut(structures, cutoff, scope)[1], cutoff))


def _cut(
    structures: pd.DataFrame, cutoff: float, scope: Scope, *, part: bool = False
) -> tuple[list[Structure] | None, list[Environment]]:
    """Cut out the whole structures, if the scope asks for them, and the environments; of a part, there may be none."""
    atoms, centers = atoms_of(structures)
    if scope == "structure":
        # The family's centres are for environments; a whole structure is the sum over all its atoms.
        wholes = whole_structures(atoms, cutoff, [np.arange(len(item)) for item in atoms])
        return wholes, [environment for structure in wholes for environment in structure.environments]
    if not part:
        return None, cut(atoms, cutoff, centers)
    numbered = enumerate(zip(atoms, centers, strict=True))
    return None, [item for k, (one, chosen) in numbered for item in environments_of(one, k, cutoff, chosen)]


def fitted(descriptors: list[Descriptor], references: Mapping[str, pd.DataFrame]) -> list[Descriptor]:
    """Fit the contractions among the radial bases to their families, once for all truncations of one."""
    result = list(descriptors)
    for sweep in sweeps(descriptors):
        largest = sweep.descriptor
        basis = unfitted_basis(largest)
        if isinstance(largest, DensityDescriptor) and basis is not None and basis.reference is not None:
            atoms, centers = atoms_of(references[basis.reference])
            # All species of the reference count, whichever the analysed set holds: they share one contraction.
            every = changed(largest, species=None)
            fit = fit_contraction(every, cut(atoms, largest.cutoff, centers)).radial_basis
            for index, _, _ in sweep.points:
                result[index] = changed(descriptors[index], radial_basis=fit)
    return result


def united(parts: Iterable[pd.DataFrame], descriptors: Sequence[str]) -> pd.DataFrame:
    """Put the tables of jobs into one, in an order that does not depend on which rows were in which job.

    Rows go by descriptor, in the order given, then by family, parameters (numbers first), structure and centre;
    coordinates by name.
    """
    # A part of a family may hold no centre.
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    places = sorted(parquet.coordinates(frame, "sensitivity"))
    frame = frame[[*frame.columns.difference(places, sort=False), *places]]
    first = frame["descriptor"].map({name: place for place, name in enumerate(descriptors)})
    where = [column.name for column in columns.WHERE if column.name != "descriptor"]
    keys = [*where, "structure", "center"]
    return (
        frame.assign(first=first).sort_values(["first", *keys], kind="stable", ignore_index=True).drop(columns="first")
    )


def summarize(frame: pd.DataFrame) -> pd.DataFrame:
    """Statistics per family, descriptor, truncation and text coordinate (such as a path): rows of the summary table."""
    parameters = [column.name for column in columns.WHERE]
    texts = [name for name in parquet.coordinates(frame, "sensitivity") if pd.api.types.is_string_dtype(frame[name])]
    rows = []
    for key, group in frame.groupby([*parameters, *texts], dropna=False, sort=False):
        ok = group[group["status"] == "ok"]
        row = dict(zip([*parameters, *texts], key, strict=True))
        percentiles = {f"inverse_condition_number_p{str(p).replace('.', '_')}": p for p in (0.5, 5, 25, 50, 75, 95)}
        row |= {"n_environments": len(group), "n_ok": len(ok)}
        row |= {f"rank_{name}": ok["rank"].agg(name) for name in ("min", "median", "max")}
        row["fraction_deficient"] = (ok["rank"] < ok["n_dof"]).mean()
        row |= {name: ok["inverse_condition_number"].quantile(p / 100) for name, p in percentiles.items()}
        row["rotation_floor_max"] = ok["rotation_floor"].max()
        rows.append(row)
    return pd.DataFrame(rows)


def _pair_distances(frame: pd.DataFrame, features: list[list[Floats]]) -> list[float]:
    """Distance of each row's features from those of the first row with its point, pair and centre, over their norm."""
    first: dict[tuple[int, int, int], Floats] = {}
    result = []
    every = (phi for point in features for phi in point)
    for point, pair, center, phi in zip(frame["point"], frame["pair"], frame["center"], every, strict=True):
        partner = first.setdefault((point, pair, center), phi)
        result.append(float(np.linalg.norm(phi - partner) / np.linalg.norm(partner)))
    return result


def parameters_of(target: Any, given: JSON, descriptor: Any) -> JSON:
    """All parameters, defaults included, of a descriptor class or of a function that makes a descriptor."""
    if isinstance(target, type):
        return asdict(descriptor) if hasattr(descriptor, "__dataclass_fields__") else {}
    bound = inspect.signature(target).bind(**given)
    bound.apply_defaults()
    return bound.arguments


def description(cell: JSON, descriptor: Descriptor, parameters: JSON) -> JSON:
    """Columns that say with which family and descriptor a row was computed."""
    columns = ("n_max", "l_max", "cutoff", "cutoff_width", "width")
    return {
        "family": cell["family"],
        "descriptor": cell["descriptor"],
        "scope": cell["scope"],
        "correlation_order": descriptor.correlation_order,
        **{name: getattr(descriptor, name, parameters.get(name)) for name in columns},
        **{name: _label(getattr(descriptor, name, parameters.get(name))) for name in ("density", "radial_basis")},
        "parameters": json.dumps(parameters, sort_keys=True),
        "rtol": cell["rtol"],
    }


def _label(value: Any) -> str | None:
    return None if value is None else str(value)


def warm_kernels(kind: str) -> None:
    """Compile the kernels of one of the package's descriptors, on an environment of two neighbours."""
    environment = Environment.from_vectors([[1.0, 0.0, 0.0], [0.0, 1.1, 0.2]])
    analyze(environment, load(kind, DESCRIPTORS, "descriptor")(), threads=1)
