"""The configuration, checked as a whole before any job starts; importing this is light (no Numba, ase, pandas)."""

import inspect
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nullmode import axes
from nullmode._plugins import constructed, explain, load, source_of, suggest, validated
from nullmode.descriptors import DESCRIPTORS
from nullmode.entries import KEYS, DescriptorEntry, FamilyEntry, FigureEntry, SearchEntry, Settings
from nullmode.families import FAMILIES
from nullmode.figures import EVERY_TRUNCATION, FIGURES, GIVEN, ONE_TRUNCATION, PAIRED, SEARCHED
from nullmode.fingerprint import origin
from nullmode.precheck import check_contraction, check_width
from nullmode.radial import RADIAL_BASES
from nullmode.search import GIVEN as GIVEN_TO_SEARCHES
from nullmode.search import SEARCHES
from nullmode.types import JSON, InputError

__all__ = [
    "DescriptorEntry",
    "FamilyEntry",
    "FigureEntry",
    "SearchEntry",
    "Settings",
    "check",
    "points",
    "references_of",
]


# Parameters of figures that name what the configuration declares, one or many, and where it declares it.
_NAMED = (
    ("family", "families", "families"),
    ("descriptor", "descriptors", "descriptors"),
    ("search", "searches", "searches"),
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
            _known(f"{where}.families", wanted, settings.families)
        for axis in descriptor.grid:
            if axis in descriptor.parameters:
                raise InputError(f"`{where}.grid.{axis}` must not be in `parameters` as well. Remove one of them.")
        for axis in descriptor.inner if "inner" in descriptor.model_fields_set else []:
            _known(f"{where}.inner", axis, descriptor.grid)
        if (size := prod(len(axes.values(axis)) for axis in descriptor.grid.values())) > axes.MOST_POINTS:
            raise InputError(
                f"`{where}.grid` must span at most {axes.MOST_POINTS} points, got {size}. Use fewer values."
            )
        for point in points(descriptor, list(descriptor.grid)):
            made = constructed(target, {**descriptor.parameters, **point}, where)
            check_width(made, where)
            check_contraction(made, where, list(settings.families))
    for name, search in settings.searches.items():
        _check_search(settings, search, f"searches.{name}")
    for name, figure in settings.figures.items():
        where = f"figures.{name}"
        target = load(figure.kind, FIGURES, "figure", f"{where}.kind")
        checked = validated(target, figure.parameters, f"{where}.parameters", skip=GIVEN)
        for key, plural, known in _NAMED:
            for item in (*([checked[key]] if key in checked else []), *checked.get(plural, [])):
                _known(f"{where}.parameters", item, getattr(settings, known))
        # What a figure of the user's own does with its parameters is not known.
        if figure.kind in FIGURES:
            alone = "kinds" in inspect.signature(target).parameters
            paired, swept = figure.kind in PAIRED, figure.kind in EVERY_TRUNCATION
            _check_figure(settings, checked, f"{where}.parameters", alone=alone, paired=paired, swept=swept)
            if of := SEARCHED.get(figure.kind):
                got = settings.searches[checked["search"]].kind
                if got != of:
                    raise InputError(f"`{where}.parameters.search` must be of kind {of}, got one of kind {got}.")
    return settings


def search_cell(settings: Settings, name: str) -> JSON:
    """Write a search out for its job."""
    search = settings.searches[name]
    descriptor = settings.descriptors[search.descriptor]
    [point] = points(descriptor, list(descriptor.grid))
    parameters = {**descriptor.parameters, **point}
    return {
        "search": name,
        "search_kind": search.kind,
        "search_parameters": search.parameters,
        "family": search.family,
        "family_kind": settings.families[search.family].kind,
        "family_parameters": settings.families[search.family].parameters,
        "descriptor": search.descriptor,
        "kind": descriptor.kind,
        "scope": descriptor.scope,
        "parameters": parameters,
        "references": references_of([parameters]),
        "rtol": settings.rtol,
    }


def search_code(settings: Settings, name: str) -> JSON:
    """Origin of a search: hashes of the code that searches, with a kind of descriptor, in any radial basis."""
    search = settings.searches[name]
    kinds = source_of(search.kind, SEARCHES), source_of(settings.descriptors[search.descriptor].kind, DESCRIPTORS)
    return origin("nullmode.searching", *kinds, *_radial_sources())


def family_code(settings: Settings, family: str) -> JSON:
    """Origin of a family's structures: hashes of the code that generates them, versions of libraries."""
    return origin("nullmode.structures", source_of(settings.families[family].kind, FAMILIES))


def kind_code(kind: str) -> JSON:
    """Origin of what is computed with a kind of descriptor, in any radial basis."""
    return origin("nullmode.study", source_of(kind, DESCRIPTORS), *_radial_sources())


def _radial_sources() -> list[str]:
    return sorted({target.partition(":")[0] for target in RADIAL_BASES.values()})


def figure_code(settings: Settings, figure: str) -> JSON:
    """Origin of a figure: the code that draws it, and the descriptors that it computes itself."""
    kinds = [source_of(kind, DESCRIPTORS) for kind in figure_kinds(settings, figure).values()]
    return origin("nullmode.tables", source_of(settings.figures[figure].kind, FIGURES), *kinds)


def figure_families(settings: Settings, figure: str) -> list[str]:
    """Families whose structures a figure draws from; none where the sensitivity table is enough for it."""
    return _named(settings.figures[figure], "structures", "family", "families")


def figure_kinds(settings: Settings, figure: str) -> dict[str, str]:
    """Kinds of the descriptors that a figure computes itself, by name; none where the table is enough for it."""
    names = _named(settings.figures[figure], "kinds", "descriptor", "descriptors")
    return {name: settings.descriptors[name].kind for name in names}


def figure_searches(settings: Settings, figure: str) -> list[str]:
    """Name the searches whose tables a figure draws instead of the sensitivity table."""
    return _named(settings.figures[figure], "searches", "search")


def _named(entry: FigureEntry, given: str, *keys: str) -> list[str]:
    if given not in inspect.signature(load(entry.kind, FIGURES, "figure")).parameters:
        return []
    found = [entry.parameters.get(key, []) for key in keys]
    return [name for names in found for name in ([names] if isinstance(names, str) else names)]


def caption(settings: Settings, figure: str) -> str:
    """Say what a figure shows and of what: the first line of its function's text, and its parameters."""
    entry = settings.figures[figure]
    text = inspect.getdoc(load(entry.kind, FIGURES, "figure")) or entry.kind
    parts = [
        f"{name} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in entry.parameters.items()
        if not isinstance(value, dict)
    ]
    return text.partition("\n")[0] + " " + "; ".join(parts) + "."


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


def _check_search(settings: Settings, search: SearchEntry, where: str) -> None:
    """Check a search and what it names."""
    target = load(search.kind, SEARCHES, "search", f"{where}.kind")
    validated(target, search.parameters, f"{where}.parameters", skip=GIVEN_TO_SEARCHES)
    _known(f"{where}.family", search.family, settings.families)
    _known(f"{where}.descriptor", search.descriptor, settings.descriptors)
    descriptor = settings.descriptors[search.descriptor]
    if descriptor.scope != "environment":
        raise InputError(
            f"`{where}.descriptor` must be of scope environment, got {search.descriptor!r} of whole structures. "
            "Name another."
        )
    _check_one_truncation(f"{where}.descriptor", search.descriptor, descriptor)


def _check_one_truncation(where: str, name: str, descriptor: DescriptorEntry) -> None:
    swept = [axis for axis, listed in descriptor.grid.items() if len(axes.values(listed)) > 1]
    if swept:
        raise InputError(
            f"`{where}` must have one truncation each, got {name!r} swept over {', '.join(swept)}. "
            "Name one without a grid."
        )


def _check_figure(settings: Settings, checked: JSON, where: str, *, alone: bool, paired: bool, swept: bool) -> None:
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
                    f"`{where}.{key}` must be of scope environment for this figure, got {name!r} of whole structures. "
                    "Name another."
                )
            if swept:
                continue
            if key == ONE_TRUNCATION:
                _check_one_truncation(f"{where}.{key}", name, descriptor)
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


def _known(where: str, name: str, known: dict[str, Any]) -> None:
    if name not in known:
        raise InputError(
            f"`{where}` must name what the configuration declares, got {name!r}. {suggest(name, list(known))}"
        )
