"""A task's descriptor: made, fitted to its reference families, and described in the columns of a table."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from nullmode._support.types import JSON
from nullmode._support.variants import constructed, load
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import DensityDescriptor, Descriptor, changed
from nullmode.descriptors._contraction import fit_contraction, unfitted_basis
from nullmode.geometry.cut import cut
from nullmode.geometry.environment import Environment
from nullmode.spectrum.truncations import sweeps
from nullmode.sweep.tasks import Task
from nullmode.tables.structures import atoms_of, sound

_COLUMNS = ("n_max", "l_max", "cutoff", "cutoff_width", "width")


def made(task: Task, parameters: JSON) -> Descriptor:
    """Make a task's descriptor with some parameters."""
    descriptor: Descriptor = constructed(
        load(task.kind, DESCRIPTORS, "descriptor"), parameters, f"descriptors.{task.descriptor}"
    )
    return descriptor


def environments_in(structures: pd.DataFrame, cutoff: float) -> list[Environment]:
    """Cut the environments of a family's centres out of rows of the structures table; skipped structures have none."""
    kept = sound(structures)
    atoms, centers = atoms_of(kept)
    numbers = kept["structure"].tolist()
    return [replace(each, structure=numbers[each.structure or 0]) for each in cut(atoms, cutoff, centers)]


def fitted(descriptors: list[Descriptor], references: Mapping[str, pd.DataFrame]) -> list[Descriptor]:
    """Fit the contractions among the radial bases to their families, once for all truncations of one.

    `references` are rows of the structures table, by the name of the family.
    """
    result = list(descriptors)
    for sweep in sweeps(descriptors):
        largest = sweep.descriptor
        basis = unfitted_basis(largest)
        if isinstance(largest, DensityDescriptor) and basis is not None and basis.reference is not None:
            # All species of the reference count, whichever the analysed set holds: they share one contraction.
            every = changed(largest, species=None)
            reference = environments_in(references[basis.reference], largest.cutoff)
            fit = fit_contraction(every, reference).radial_basis
            for index, _, _ in sweep.points:
                result[index] = changed(descriptors[index], radial_basis=fit)
    return result


def description(task: Task, parameters: JSON, descriptor: Descriptor, family: str | None) -> JSON:
    """Columns that say with which descriptor, made of `parameters`, and family, None for several, a row is computed."""
    every = _with_defaults(load(task.kind, DESCRIPTORS, "descriptor"), parameters, descriptor)
    return {
        "family": family,
        "descriptor": task.descriptor,
        "scope": task.scope,
        "correlation_order": descriptor.correlation_order,
        **{name: getattr(descriptor, name, every.get(name)) for name in _COLUMNS},
        **{name: _text(getattr(descriptor, name, every.get(name))) for name in ("density", "radial_basis")},
        "parameters": json.dumps(every, sort_keys=True),
        "rtol": task.rtol,
    }


def _with_defaults(target: Any, given: JSON, descriptor: Any) -> JSON:
    """All parameters, defaults included, of a descriptor class or of a function that makes a descriptor."""
    if isinstance(target, type):
        return asdict(descriptor) if hasattr(descriptor, "__dataclass_fields__") else {}
    bound = inspect.signature(target).bind(**given)
    bound.apply_defaults()
    return bound.arguments


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
