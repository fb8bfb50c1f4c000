"""Searches and regressions of the configuration: what may stand in them."""

from importlib.util import find_spec
from typing import Any

from nullmode._support import axes
from nullmode._support.types import InputError
from nullmode._support.variants import load, suggest, validated
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


def check_known(where: str, name: str, known: dict[str, Any]) -> None:
    """Refuse a name that the configuration does not declare."""
    if name not in known:
        raise InputError(
            f"`{where}` must name what the configuration declares, got {name!r}. {suggest(name, list(known))}"
        )
