"""Entries of the configuration written out as tasks; apart from these, so that no job depends on all keys."""

from collections.abc import Iterable
from itertools import product
from typing import Any

from nullmode._support import axes
from nullmode._support.types import JSON
from nullmode.sweep.schema import DescriptorEntry, Settings
from nullmode.sweep.tasks import RegressionTask, SearchTask


def search_task(settings: Settings, name: str) -> SearchTask:
    """Write a search out for its job."""
    search = settings.searches[name]
    return SearchTask(
        search=name,
        search_kind=search.kind,
        search_parameters=search.parameters,
        family=search.family,
        family_kind=settings.families[search.family].kind,
        family_parameters=settings.families[search.family].parameters,
        **_descriptor(settings, search.descriptor),
    )


def regression_tasks(settings: Settings, descriptor: str) -> list[RegressionTask]:
    """Write all regressions with one descriptor out for their job, which computes its features once."""
    return [
        RegressionTask(
            regression=name,
            model=regression.model,
            model_parameters=regression.parameters,
            target=regression.target,
            training=regression.training,
            test=regression.test,
            tolerance=settings.tolerance,
            **_descriptor(settings, descriptor),
        )
        for name, regression in settings.regressions.items()
        if regression.descriptor == descriptor
    ]


def points(descriptor: DescriptorEntry, names: list[str]) -> list[JSON]:
    """Give every combination of the values of some axes, the last varying fastest."""
    return [
        dict(zip(names, values, strict=True))
        for values in product(*(axes.values(descriptor.grid[name]) for name in names))
    ]


def named_references(points: Iterable[JSON]) -> list[str]:
    """Families that contractions among the radial bases of some points are fitted to."""
    bases = (point.get("radial_basis") for point in points)
    return sorted({basis["reference"] for basis in bases if isinstance(basis, dict) and basis.get("reference")})


def _descriptor(settings: Settings, name: str) -> dict[str, Any]:
    """Fields of a descriptor of one truncation."""
    descriptor = settings.descriptors[name]
    [point] = points(descriptor, list(descriptor.grid))
    parameters = {**descriptor.parameters, **point}
    return {
        "descriptor": name,
        "kind": descriptor.kind,
        "scope": descriptor.scope,
        "parameters": parameters,
        "references": named_references([parameters]),
        "rtol": settings.rtol,
    }
