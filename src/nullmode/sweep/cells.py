"""Searches and regressions of the configuration: what may stand in them, and what their jobs are given."""

from importlib.util import find_spec
from itertools import product
from typing import Any

from nullmode._support import axes
from nullmode._support.code_hash import origin
from nullmode._support.types import JSON, InputError
from nullmode._support.variants import load, source_of, suggest, validated
from nullmode.basis.radial import RADIAL_BASES
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._contraction import unfitted_basis
from nullmode.learning import MODELS, TARGETS
from nullmode.search import GIVEN, SEARCHES
from nullmode.sweep.schema import DescriptorEntry, RegressionEntry, SearchEntry, Settings


def check_search(settings: Settings, search: SearchEntry, where: str) -> None:
    """Check a search and what it names."""
    target = load(search.kind, SEARCHES, "search", f"{where}.kind")
    validated(target, search.parameters, f"{where}.parameters", skip=GIVEN)
    check_known(f"{where}.family", search.family, settings.families)
    _check_descriptor(settings, search.descriptor, f"{where}.descriptor")


def check_regression(settings: Settings, regression: RegressionEntry, where: str) -> None:
    """Check a regression and what it names."""
    check_library(where, "sklearn", "scikit-learn")
    target = load(regression.model, MODELS, "model", f"{where}.model")
    validated(target, regression.parameters, f"{where}.parameters")
    load(regression.target, TARGETS, "target", f"{where}.target")
    for key in ("training", "test"):
        for name in getattr(regression, key):
            check_known(f"{where}.{key}", name, settings.families)
    if both := set(regression.training).intersection(regression.test):
        raise InputError(f"`{where}.test` must name other families than `training`, got {min(both)!r} in both.")
    _check_descriptor(settings, regression.descriptor, f"{where}.descriptor")


def search_cell(settings: Settings, name: str) -> JSON:
    """Write a search out for its job."""
    search = settings.searches[name]
    return {
        "search": name,
        "search_kind": search.kind,
        "search_parameters": search.parameters,
        "family": search.family,
        "family_kind": settings.families[search.family].kind,
        "family_parameters": settings.families[search.family].parameters,
        **_described(settings, search.descriptor),
    }


def regression_cell(settings: Settings, name: str) -> JSON:
    """Write a regression out for its job."""
    regression = settings.regressions[name]
    families = [*regression.training, *regression.test]
    return {
        "regression": name,
        "model": regression.model,
        "model_parameters": regression.parameters,
        "target": regression.target,
        "training": regression.training,
        "test": regression.test,
        "families": {family: settings.families[family].model_dump() for family in families},
        "tolerance": settings.tolerance,
        **_described(settings, regression.descriptor),
    }


def search_code(settings: Settings, name: str) -> JSON:
    """Origin of a search: hashes of the code that searches, with a kind of descriptor, in any radial basis."""
    search = settings.searches[name]
    kinds = source_of(search.kind, SEARCHES), source_of(settings.descriptors[search.descriptor].kind, DESCRIPTORS)
    return origin("nullmode.sweep.search", *kinds, *radial_sources())


def regression_code(settings: Settings, name: str) -> JSON:
    """Origin of a regression: hashes of the code that learns a target from features, in any radial basis."""
    regression = settings.regressions[name]
    kinds = (
        source_of(regression.model, MODELS),
        source_of(regression.target, TARGETS),
        source_of(settings.descriptors[regression.descriptor].kind, DESCRIPTORS),
    )
    return origin("nullmode.sweep.regression", *kinds, *radial_sources())


def radial_sources() -> list[str]:
    """Modules of all radial bases."""
    return sorted({target.partition(":")[0] for target in RADIAL_BASES.values()})


def points(descriptor: DescriptorEntry, names: list[str]) -> list[JSON]:
    """Give every combination of the values of some axes, the last varying fastest."""
    return [
        dict(zip(names, values, strict=True))
        for values in product(*(axes.values(descriptor.grid[name]) for name in names))
    ]


def references_of(points: list[JSON]) -> list[str]:
    """Families that contractions among the radial bases are fitted to."""
    bases = (point.get("radial_basis") for point in points)
    return sorted({basis["reference"] for basis in bases if isinstance(basis, dict) and basis.get("reference")})


def _described(settings: Settings, name: str) -> JSON:
    """Write a descriptor of one truncation out for a job."""
    descriptor = settings.descriptors[name]
    [point] = points(descriptor, list(descriptor.grid))
    parameters = {**descriptor.parameters, **point}
    return {
        "descriptor": name,
        "kind": descriptor.kind,
        "scope": descriptor.scope,
        "parameters": parameters,
        "references": references_of([parameters]),
        "rtol": settings.rtol,
    }


def _check_descriptor(settings: Settings, name: str, where: str) -> None:
    """Demand a descriptor of environments, at one truncation."""
    check_known(where, name, settings.descriptors)
    descriptor = settings.descriptors[name]
    if descriptor.scope != "environment":
        raise InputError(f"`{where}` must be of scope environment, got {name!r} of whole structures. Name another.")
    check_one_truncation(where, name, descriptor)


def check_one_truncation(where: str, name: str, descriptor: DescriptorEntry) -> None:
    """Refuse a descriptor that is swept."""
    swept = [axis for axis, listed in descriptor.grid.items() if len(axes.values(listed)) > 1]
    if swept:
        raise InputError(
            f"`{where}` must have one truncation each, got {name!r} swept over {', '.join(swept)}. "
            "Name one without a grid."
        )


def check_library(where: str, module: str, name: str = "") -> None:
    """Check that a library is there which only some configurations need."""
    if find_spec(module) is None:
        raise InputError(
            f"`{where}` must be left out where {name or module} is missing. Install it with: "
            "pip install 'nullmode[reproduction]'."
        )


def check_reference(descriptor: Any, where: str, families: dict[str, Any]) -> None:
    """Refuse a radial basis that is to be fitted to no family, or to one that the configuration does not declare."""
    basis = unfitted_basis(descriptor)
    if basis is not None and basis.reference not in families:
        raise InputError(
            f"`{where}.radial_basis.reference` must name the family that the basis is fitted to, got "
            f"{basis.reference!r}. {suggest(str(basis.reference), list(families))}"
        )


def check_known(where: str, name: str, known: dict[str, Any]) -> None:
    """Refuse a name that the configuration does not declare."""
    if name not in known:
        raise InputError(
            f"`{where}` must name what the configuration declares, got {name!r}. {suggest(name, list(known))}"
        )
