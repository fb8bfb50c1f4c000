"""Searches and regressions of the configuration, written out for their jobs."""

from itertools import product

from nullmode._support import axes
from nullmode._support.code_hash import origin
from nullmode._support.types import JSON
from nullmode._support.variants import source_of
from nullmode.basis.radial import RADIAL_BASES
from nullmode.descriptors import DESCRIPTORS
from nullmode.learning import MODELS, TARGETS
from nullmode.search import SEARCHES
from nullmode.sweep.schema import DescriptorEntry, Settings


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
