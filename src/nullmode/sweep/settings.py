"""The configuration, checked as a whole before any job starts; importing this is light (no Numba, ase, pandas)."""

import inspect
import sys
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from nullmode._support import axes
from nullmode._support.elements import numbers_of
from nullmode._support.types import JSON, InputError
from nullmode._support.variants import constructed, explain, load, suggest, validated
from nullmode.analysis.explanations import EXPLANATIONS
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import Descriptor
from nullmode.descriptors._contraction import unfitted_basis
from nullmode.families import FAMILIES
from nullmode.figures._figure import GIVEN as GIVEN_TO_FIGURES
from nullmode.figures._figure import load_figure, named
from nullmode.learning import MODELS, TARGETS
from nullmode.limits.limit import check_limited
from nullmode.search import GIVEN as GIVEN_TO_SEARCHES
from nullmode.search import SEARCHES
from nullmode.sweep.entries import points
from nullmode.sweep.schema import (
    KEYS,
    DescriptorEntry,
    FamilyEntry,
    FigureEntry,
    RegressionEntry,
    SearchEntry,
    Settings,
    ViewEntry,
)


def check(config: JSON) -> Settings:
    """Check a configuration and everything that it names, without running anything.

    Parameters
    ----------
    config
        As read from YAML.

    Raises
    ------
    InputError
        Naming each unknown key and each impossible value by its path in the configuration.
    """
    try:
        settings = Settings.model_validate(config)
    except ValidationError as error:
        raise InputError(explain(error, "", KEYS)) from None
    for name, family in settings.families.items():
        _check_family(family, f"families.{name}")
    for name, descriptor in settings.descriptors.items():
        _check_descriptor(settings, descriptor, f"descriptors.{name}")
    for name, search in settings.searches.items():
        _check_search(settings, search, f"searches.{name}")
    for name, regression in settings.regressions.items():
        _check_regression(settings, regression, f"regressions.{name}")
    for name, figure in settings.figures.items():
        _check_figure(settings, figure, f"figures.{name}")
    for name, view in settings.views.items():
        _check_view(settings, view, f"views.{name}")
    if settings.claims:
        _check_library("claims", "duckdb")
    return settings


def figure_tables(settings: Settings, figure: str) -> list[tuple[str, str, str, str]]:
    """Tables that a figure draws from.

    Returns
    -------
    list of tuple
        Of each: the parameter of the figure's function that it goes to, its name there (empty where the parameter is
        one table), which of :data:`nullmode.tables.columns.TABLES` it is, and its file in the folder of results.
    """
    entry = settings.figures[figure]
    names = named(entry.parameters)
    files = {
        "table": [("", "sensitivity", "tables/sensitivity.parquet")],
        "structures": [(name, "structures", f"structures/{name}.parquet") for name in names["families"]],
        "searches": [
            (name, table, f"searches/{name}/{file}.parquet")
            for name in names["searches"]
            for table, file in (("search", "found"), ("search_steps", "steps"))
        ],
        "predictions": [
            (name, "regression", f"regressions/{settings.regressions[name].descriptor}.parquet")
            for name in names["regressions"]
        ],
        "explanations": [("", "explanations", f"explanations/{figure}.parquet")],
    }
    return [(given, *file) for given in load_figure(entry.kind).given for file in files[given]]


def explanation(settings: Settings, figure: str) -> JSON:
    """Write out for its job what explains a figure: nothing, or the ``kind`` of the explanation.

    Besides, the names of ``families``, the ``kinds`` of descriptors by name, and ``parameters`` of its function.
    """
    entry = settings.figures[figure]
    record = load_figure(entry.kind)
    if not record.explanation:
        return {}
    target = load(record.explanation, EXPLANATIONS, "explanation")
    checked = validated(record.draw, entry.parameters, f"figures.{figure}.parameters", skip=GIVEN_TO_FIGURES)
    names = named(checked)
    return {
        "kind": record.explanation,
        "families": names["families"],
        "kinds": {name: settings.descriptors[name].kind for name in names["descriptors"]},
        "parameters": {name: checked[name] for name in inspect.signature(target).parameters if name in checked},
    }


def _refuse_booleans(target: Any, parameters: JSON, where: str) -> None:
    """Refuse true and false where a number or a text is asked for: Python would count them as 1 and 0."""
    for name, parameter in inspect.signature(target).parameters.items():
        value, hint = parameters.get(name), parameter.annotation
        if not isinstance(hint, str) and not _takes_booleans(hint):
            try:
                axes.no_booleans(value)
            except InputError as error:
                raise InputError(f"`{where}.{name}`: {error}") from None


def _takes_booleans(hint: Any) -> bool:
    return hint in (bool, Any, object, inspect.Parameter.empty) or any(map(_takes_booleans, get_args(hint)))


def _check_family(family: FamilyEntry, where: str) -> None:
    target = load(family.kind, FAMILIES, "family", f"{where}.kind")
    _refuse_booleans(target, family.parameters, f"{where}.parameters")
    checked = validated(target, family.parameters, f"{where}.parameters")
    if (path := checked.get("path")) is not None and not Path(path).is_file():
        raise InputError(f"`{where}.parameters.path` must be an existing file, got {path} (from {Path.cwd()}).")


def _check_descriptor(settings: Settings, descriptor: DescriptorEntry, where: str) -> None:
    target = load(descriptor.kind, DESCRIPTORS, "descriptor", f"{where}.kind")
    swept = {name: axes.values(axis) for name, axis in descriptor.grid.items()}
    _refuse_booleans(target, {**descriptor.parameters, **swept}, where)
    _check_known(f"{where}.families", descriptor.families or [], settings.families)
    for axis in descriptor.grid:
        if axis in descriptor.parameters:
            raise InputError(f"`{where}.grid.{axis}` must not be in `parameters` as well. Remove one of them.")
    if descriptor.centers is not None:
        if descriptor.scope == "environment":
            raise InputError(f"`{where}.centers` must be left out for scope environment: its family has the centres.")
        numbers_of(descriptor.centers, f"{where}.centers")
    if "inner" in descriptor.model_fields_set:
        _check_known(f"{where}.inner", descriptor.inner, descriptor.grid)
    if (size := prod(len(axes.values(axis)) for axis in descriptor.grid.values())) > axes.MOST_POINTS:
        raise InputError(f"`{where}.grid` must span at most {axes.MOST_POINTS} points, got {size}. Use fewer values.")
    without_limit: list[InputError] = []
    every = points(descriptor, list(descriptor.grid))
    for point in every:
        made = constructed(target, {**descriptor.parameters, **point}, where)
        if not isinstance(made, Descriptor):
            raise InputError(
                f"`{where}.kind` must name a subclass of Descriptor, got {descriptor.kind!r}, which gives "
                f"{type(made).__name__}. See docs/how-to-add-a-descriptor.md."
            )
        if descriptor.resolution:
            try:
                check_limited(made)
            except InputError as error:
                without_limit.append(error)
        basis = unfitted_basis(made)
        if basis is not None and basis.reference not in settings.families:
            raise InputError(
                f"`{where}.radial_basis.reference` must name the family that the basis is fitted to, got "
                f"{basis.reference!r}. {suggest(str(basis.reference), list(settings.families))}"
            )
    if descriptor.resolution and descriptor.scope != "environment":
        raise InputError(
            f"`{where}.resolution` must be false for scope {descriptor.scope}, got true: limits are of environments."
        )
    # Of a sweep over densities, rows of the delta density have none.
    if without_limit and len(without_limit) == len(every):
        raise InputError(
            f"`{where}.resolution` must be false for a descriptor without a limit, got true: {without_limit[0]}"
        )


def _check_search(settings: Settings, search: SearchEntry, where: str) -> None:
    target = load(search.kind, SEARCHES, "search", f"{where}.kind")
    _refuse_booleans(target, search.parameters, f"{where}.parameters")
    validated(target, search.parameters, f"{where}.parameters", skip=GIVEN_TO_SEARCHES)
    _check_known(f"{where}.family", [search.family], settings.families)
    _check_one_descriptor(settings, search.descriptor, f"{where}.descriptor")


def _check_regression(settings: Settings, regression: RegressionEntry, where: str) -> None:
    _check_library(where, "sklearn", "scikit-learn")
    target = load(regression.model, MODELS, "model", f"{where}.model")
    _refuse_booleans(target, regression.parameters, f"{where}.parameters")
    validated(target, regression.parameters, f"{where}.parameters")
    load(regression.target, TARGETS, "target", f"{where}.target")
    _check_known(f"{where}.training", regression.training, settings.families)
    _check_known(f"{where}.test", regression.test, settings.families)
    if both := set(regression.training).intersection(regression.test):
        raise InputError(f"`{where}.test` must name other families than `training`, got {min(both)!r} in both.")
    _check_one_descriptor(settings, regression.descriptor, f"{where}.descriptor")


def _check_figure(settings: Settings, entry: FigureEntry, where: str) -> None:
    figure = load_figure(entry.kind, f"{where}.kind")
    where = f"{where}.parameters"
    _refuse_booleans(figure.draw, entry.parameters, where)
    checked = validated(figure.draw, entry.parameters, where, skip=GIVEN_TO_FIGURES)
    names = named(checked)
    for section, listed in names.items():
        _check_known(where, listed, getattr(settings, section))
    for name in names["searches"]:
        if figure.search and (kind := settings.searches[name].kind) != figure.search:
            raise InputError(f"`{where}.search` must be of kind {figure.search}, got one of kind {kind}.")
    if figure.truncations == "unknown":
        return
    families, descriptors = names["families"], names["descriptors"]
    key = f"{where}.{'descriptor' if 'descriptor' in checked else 'descriptors'}"
    if figure.paired and len(descriptors) != len(families):
        raise InputError(f"`{key}` must be one for each family, got {len(descriptors)} for {len(families)}.")
    for index, name in enumerate(descriptors):
        if figure.explanation:
            _check_scope(settings, name, key)
        if figure.truncations == "one":
            _check_one_truncation(settings, name, key)
        if figure.truncations != "all":
            _check_run_on(settings, name, [families[index]] if figure.paired else families, key)
    labelled = [*families, *checked.get("descriptors", [])]
    for name in checked.get("labels") or {}:
        if name not in labelled:
            raise InputError(
                f"`{where}.labels` must name what the figure draws, got {name!r}. {suggest(name, labelled)}"
            )


def _check_view(settings: Settings, view: ViewEntry, where: str) -> None:
    _check_known(f"{where}.families", view.families, settings.families)
    _check_known(f"{where}.descriptor", [view.descriptor], settings.descriptors)
    _check_one_truncation(settings, view.descriptor, f"{where}.descriptor")
    _check_run_on(settings, view.descriptor, view.families, f"{where}.descriptor")
    _check_library(where, "chemiscope")


def _check_one_descriptor(settings: Settings, name: str, where: str) -> None:
    """Demand a descriptor of environments, at one truncation."""
    _check_known(where, [name], settings.descriptors)
    _check_scope(settings, name, where)
    _check_one_truncation(settings, name, where)


def _check_scope(settings: Settings, name: str, where: str) -> None:
    scope = settings.descriptors[name].scope
    if scope != "environment":
        raise InputError(f"`{where}` must be of scope environment, got {name!r} of scope {scope}. Name another.")


def _check_one_truncation(settings: Settings, name: str, where: str) -> None:
    swept = [axis for axis, listed in settings.descriptors[name].grid.items() if len(axes.values(listed)) > 1]
    if swept:
        raise InputError(
            f"`{where}` must have one truncation each, got {name!r} swept over {', '.join(swept)}. "
            "Name one without a grid."
        )


def _check_run_on(settings: Settings, name: str, families: list[str], where: str) -> None:
    run = settings.descriptors[name].families or settings.families
    for family in families:
        if family not in run:
            raise InputError(
                f"`{where}` must be run on the family, got {name!r} not run on {family!r}. Add it to "
                f"`descriptors.{name}.families`."
            )


def _check_known(where: str, names: list[str], known: dict[str, Any]) -> None:
    for name in names:
        if name not in known:
            raise InputError(
                f"`{where}` must name what the configuration declares, got {name!r}. {suggest(name, list(known))}"
            )


def _check_library(where: str, module: str, name: str = "") -> None:
    """Demand a library that only some configurations need."""
    if find_spec(module) is None:
        raise InputError(
            f"`{where}` needs {name or module}, which is not installed. "
            f"Run: {sys.executable} -m pip install {name or module}"
        )
