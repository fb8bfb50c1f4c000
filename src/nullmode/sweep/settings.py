"""The configuration, checked as a whole before any job starts; importing this is light (no Numba, ase, pandas)."""

import inspect
from math import prod
from pathlib import Path

from pydantic import ValidationError

from nullmode._support import axes
from nullmode._support.code_hash import origin
from nullmode._support.types import JSON, InputError
from nullmode._support.variants import constructed, explain, load, source_of, suggest, validated
from nullmode.descriptors import DESCRIPTORS
from nullmode.families import FAMILIES
from nullmode.figures import DRAWN, EVERY_TRUNCATION, FIGURES, GIVEN, NAMED, ONE_TRUNCATION, PAIRED, SEARCHED
from nullmode.sweep.cells import (
    check_known,
    check_library,
    check_one_truncation,
    check_reference,
    check_regression,
    check_search,
    points,
    radial_sources,
)
from nullmode.sweep.schema import (
    KEYS,
    FigureEntry,
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
        Naming each unknown key and each impossible value with its place.
    """
    try:
        settings = Settings.model_validate(config)
    except ValidationError as error:
        raise InputError(explain(error, "", KEYS)) from None
    for name, family in settings.families.items():
        where = f"families.{name}"
        target = load(family.kind, FAMILIES, "family", f"{where}.kind")
        checked = validated(target, family.parameters, f"{where}.parameters")
        if (path := checked.get("path")) is not None and not Path(path).is_file():
            raise InputError(f"`{where}.parameters.path` must be an existing file, got {path} (from {Path.cwd()}).")
    for name, descriptor in settings.descriptors.items():
        where = f"descriptors.{name}"
        target = load(descriptor.kind, DESCRIPTORS, "descriptor", f"{where}.kind")
        for wanted in descriptor.families or []:
            check_known(f"{where}.families", wanted, settings.families)
        for axis in descriptor.grid:
            if axis in descriptor.parameters:
                raise InputError(f"`{where}.grid.{axis}` must not be in `parameters` as well. Remove one of them.")
        for axis in descriptor.inner if "inner" in descriptor.model_fields_set else []:
            check_known(f"{where}.inner", axis, descriptor.grid)
        if (size := prod(len(axes.values(axis)) for axis in descriptor.grid.values())) > axes.MOST_POINTS:
            raise InputError(
                f"`{where}.grid` must span at most {axes.MOST_POINTS} points, got {size}. Use fewer values."
            )
        for point in points(descriptor, list(descriptor.grid)):
            check_reference(constructed(target, {**descriptor.parameters, **point}, where), where, settings.families)
    for name, search in settings.searches.items():
        check_search(settings, search, f"searches.{name}")
    for name, regression in settings.regressions.items():
        check_regression(settings, regression, f"regressions.{name}")
    for name, figure in settings.figures.items():
        where = f"figures.{name}"
        target = load(figure.kind, FIGURES, "figure", f"{where}.kind")
        checked = validated(target, figure.parameters, f"{where}.parameters", skip=GIVEN)
        for key, plural, known in NAMED:
            for item in (*([checked[key]] if key in checked else []), *checked.get(plural, [])):
                check_known(f"{where}.parameters", item, getattr(settings, known))
        # What a figure of the user's own does with its parameters is not known.
        if figure.kind in FIGURES:
            alone = "kinds" in inspect.signature(target).parameters
            paired, swept = figure.kind in PAIRED, figure.kind in EVERY_TRUNCATION
            _check_figure(settings, checked, f"{where}.parameters", alone=alone, paired=paired, swept=swept)
            if of := SEARCHED.get(figure.kind):
                got = settings.searches[checked["search"]].kind
                if got != of:
                    raise InputError(f"`{where}.parameters.search` must be of kind {of}, got one of kind {got}.")
    for name, view in settings.views.items():
        _check_view(settings, view, f"views.{name}")
    if settings.claims:
        check_library("claims", "duckdb")
    return settings


def family_code(settings: Settings, family: str) -> JSON:
    """Origin of a family's structures: hashes of the code that generates them, versions of libraries."""
    return origin("nullmode.sweep.structures", source_of(settings.families[family].kind, FAMILIES))


def kind_code(kind: str) -> JSON:
    """Origin of what is computed with a kind of descriptor, in any radial basis."""
    return origin("nullmode.sweep.sensitivity", source_of(kind, DESCRIPTORS), *radial_sources())


def figure_code(settings: Settings, figure: str) -> JSON:
    """Origin of a figure: the code that draws it, and the descriptors that it computes itself."""
    kinds = [source_of(kind, DESCRIPTORS) for kind in figure_kinds(settings, figure).values()]
    return origin(
        "nullmode.tables.parquet", "nullmode.views.captions", source_of(settings.figures[figure].kind, FIGURES), *kinds
    )


def view_code(settings: Settings, view: str) -> JSON:
    """Origin of a view: the code that makes it, with a kind of descriptor, in any radial basis."""
    kind = settings.descriptors[settings.views[view].descriptor].kind
    return origin("nullmode.views.view", source_of(kind, DESCRIPTORS), *radial_sources())


def figure_tables(settings: Settings, figure: str) -> list[tuple[str, str, str, str]]:
    """Tables that a figure draws from.

    Returns
    -------
    list of tuple
        Of each: the parameter of the figure's function that it goes to, its name there (empty for the sensitivity
        table), which of :data:`nullmode.tables.columns.TABLES` it is, and its file in the folder of results.
    """
    entry = settings.figures[figure]
    found = [
        (given, name, table, file.format(name))
        for given, (keys, files) in DRAWN.items()
        for name in _named(entry, given, *keys)
        for table, file in files.items()
    ]
    whole = "table" in inspect.signature(load(entry.kind, FIGURES, "figure")).parameters
    return [*([("table", "", "sensitivity", "tables/sensitivity.parquet")] if whole else []), *found]


def figure_kinds(settings: Settings, figure: str) -> dict[str, str]:
    """Kinds of the descriptors that a figure computes itself, by name; none where the table is enough for it."""
    names = _named(settings.figures[figure], "kinds", "descriptor", "descriptors")
    return {name: settings.descriptors[name].kind for name in names}


def _named(entry: FigureEntry, given: str, *keys: str) -> list[str]:
    if given not in inspect.signature(load(entry.kind, FIGURES, "figure")).parameters:
        return []
    found = [entry.parameters.get(key, []) for key in keys]
    return [name for names in found for name in ([names] if isinstance(names, str) else names)]


def _check_figure(
    settings: Settings, checked: JSON, where: str, *, alone: bool, paired: bool = False, swept: bool = False
) -> None:
    """Check what a figure draws from.

    `alone`: it computes environments itself; `paired`: a descriptor per family; `swept`: draws all that there is.
    """
    families = [checked["family"]] if "family" in checked else checked.get("families", [])
    if paired and len(checked[ONE_TRUNCATION]) != len(families):
        raise InputError(
            f"`{where}.{ONE_TRUNCATION}` must be one for each family, got {len(checked[ONE_TRUNCATION])} for "
            f"{len(families)}."
        )
    for key in ("descriptor", "descriptors"):
        names = checked.get(key, [])
        for place, name in enumerate([names] if isinstance(names, str) else names):
            descriptor = settings.descriptors[name]
            if alone and descriptor.scope == "structure":
                raise InputError(
                    f"`{where}.{key}` must be of scope environment here, got {name!r} of whole structures. "
                    "Name another."
                )
            if swept:
                continue
            if key == ONE_TRUNCATION:
                check_one_truncation(f"{where}.{key}", name, descriptor)
            for family in [families[place]] if paired else families:
                if family not in (descriptor.families or settings.families):
                    raise InputError(
                        f"`{where}.{key}` must be run on the family, got {name!r} not run on {family!r}. Add it to "
                        f"`descriptors.{name}.families`."
                    )
    labelled = [*families, *checked.get(ONE_TRUNCATION, [])]
    for name in checked.get("labels") or {}:
        if name not in labelled:
            raise InputError(
                f"`{where}.labels` must name what the figure draws, got {name!r}. {suggest(name, labelled)}"
            )


def _check_view(settings: Settings, view: ViewEntry, where: str) -> None:
    """Check a view, what it names, and that it can be made."""
    for family in view.families:
        check_known(f"{where}.families", family, settings.families)
    check_known(f"{where}.descriptor", view.descriptor, settings.descriptors)
    _check_figure(settings, {"families": view.families, "descriptor": view.descriptor}, where, alone=True)
    check_one_truncation(f"{where}.descriptor", view.descriptor, settings.descriptors[view.descriptor])
    check_library(where, "chemiscope")
