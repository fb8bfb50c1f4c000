"""The configuration, checked as a whole before any job starts; importing this is light (no Numba, ase, pandas)."""

import inspect
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from nullmode import axes
from nullmode._plugins import constructed, explain, load, source_of, suggest, validated
from nullmode.descriptors import DESCRIPTORS
from nullmode.families import FAMILIES
from nullmode.figures import FIGURES, GIVEN, ONE_TRUNCATION
from nullmode.fingerprint import code_hash
from nullmode.precheck import check_contraction, check_width
from nullmode.radial import RADIAL_BASES
from nullmode.types import JSON, InputError, Scope


def _in_order(value: Any) -> Any:
    return {key: _in_order(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


# Sorted, since Snakemake takes the same parameters in another order for a change.
Parameters = Annotated[dict[str, Any], AfterValidator(_in_order)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FamilyEntry(_Strict):
    """A family of configurations, under the name that its tables carry."""

    kind: str = Field(description="one of nullmode's families, or path/to/file.py:function")
    parameters: Parameters = Field(default={}, description="arguments of that family")


class DescriptorEntry(_Strict):
    """A descriptor and the truncations at which it is swept."""

    kind: str = Field(description="one of nullmode's descriptors, or path/to/file.py:class")
    parameters: Parameters = Field(default={}, description="fixed parameters")
    grid: dict[str, axes.AnyAxis] = Field(
        default={},
        description="swept parameters, each a list or {start, stop, step}; all combinations are run",
    )
    inner: list[str] = Field(default=["n_max", "l_max"], description="axes of the grid looped inside one job")
    families: list[str] | None = Field(default=None, description="names of the families to analyse; default all")
    scope: Scope = Field(default="environment", description="analyse each centre's environment, or whole structures")


class FigureEntry(_Strict):
    """A figure drawn from the sensitivity table."""

    kind: str = Field(description="one of nullmode's figures, or path/to/file.py:function")
    parameters: Parameters = Field(default={}, description="arguments of that figure")


class Settings(_Strict):
    """The whole configuration."""

    results: str = Field(default="results", description="folder that everything is written to")
    rtol: Annotated[float, Field(gt=0, lt=1, description="relative tolerance of ranks")] = 1e-9
    tolerance: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="length in Å within which places count as equal")
    ] = 1e-6
    target_job_seconds: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="computing time that work is gathered or split to, per job")
    ] = 120.0
    families: Annotated[dict[Name, FamilyEntry], Field(min_length=1, description="families by name")]
    descriptors: Annotated[dict[Name, DescriptorEntry], Field(min_length=1, description="descriptors by name")]
    figures: dict[Name, FigureEntry] = Field(default={}, description="figures by name")


_KEYS = {
    "": list(Settings.model_fields),
    "families": list(FamilyEntry.model_fields),
    "descriptors": list(DescriptorEntry.model_fields),
    "figures": list(FigureEntry.model_fields),
}


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
        raise InputError(explain(error, "", _KEYS)) from None
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
    for name, figure in settings.figures.items():
        where = f"figures.{name}"
        target = load(figure.kind, FIGURES, "figure", f"{where}.kind")
        checked = validated(target, figure.parameters, f"{where}.parameters", skip=GIVEN)
        for key, known in (("family", settings.families), ("descriptor", settings.descriptors)):
            plural = "families" if key == "family" else "descriptors"
            for item in (*([checked[key]] if key in checked else []), *checked.get(plural, [])):
                _known(f"{where}.parameters", item, known)
        # What a figure of the user's own does with its parameters is not known.
        if figure.kind in FIGURES:
            alone = "kinds" in inspect.signature(target).parameters
            _check_figure(settings, checked, f"{where}.parameters", alone=alone)
    return settings


def family_code(settings: Settings, family: str) -> str:
    """Hash of the code that generates a family."""
    return code_hash("nullmode.structures", source_of(settings.families[family].kind, FAMILIES))


def kind_code(kind: str) -> str:
    """Hash of the code that analyses with a kind of descriptor, in any radial basis."""
    bases = {target.partition(":")[0] for target in RADIAL_BASES.values()}
    return code_hash("nullmode.study", source_of(kind, DESCRIPTORS), *bases)


def figure_code(settings: Settings, figure: str) -> str:
    """Hash of the code that draws a figure, and of the descriptors that it computes itself."""
    kinds = [source_of(kind, DESCRIPTORS) for kind in figure_kinds(settings, figure).values()]
    return code_hash("nullmode.tables", source_of(settings.figures[figure].kind, FIGURES), *kinds)


def figure_families(settings: Settings, figure: str) -> list[str]:
    """Families whose structures a figure draws from; none where the sensitivity table is enough for it."""
    return _named(settings.figures[figure], "structures", "family", "families")


def figure_kinds(settings: Settings, figure: str) -> dict[str, str]:
    """Kinds of the descriptors that a figure computes itself, by name; none where the table is enough for it."""
    names = _named(settings.figures[figure], "kinds", "descriptor", "descriptors")
    return {name: settings.descriptors[name].kind for name in names}


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


def _check_figure(settings: Settings, checked: JSON, where: str, *, alone: bool) -> None:
    """Check what a figure draws from; `alone`: it computes environments itself."""
    families = [checked["family"]] if "family" in checked else checked.get("families", [])
    for key in ("descriptor", "descriptors"):
        names = checked.get(key, [])
        for name in [names] if isinstance(names, str) else names:
            descriptor = settings.descriptors[name]
            if alone and descriptor.scope == "structure":
                raise InputError(
                    f"`{where}.{key}` must be of scope environment for this figure, got {name!r} of whole structures. "
                    "Name another."
                )
            swept = [axis for axis, listed in descriptor.grid.items() if len(axes.values(listed)) > 1]
            if key == ONE_TRUNCATION and swept:
                raise InputError(
                    f"`{where}.{key}` must have one truncation each, got {name!r} swept over {', '.join(swept)}. "
                    "Name one without a grid."
                )
            for family in families:
                if family not in (descriptor.families or settings.families):
                    raise InputError(
                        f"`{where}.{key}` must be run on the family, got {name!r} not run on {family!r}. Add it to "
                        f"`descriptors.{name}.families`."
                    )
    for name in checked.get("labels") or {}:
        if name not in families:
            raise InputError(
                f"`{where}.labels` must name families of the figure, got {name!r}. {suggest(name, families)}"
            )


def _known(where: str, name: str, known: dict[str, Any]) -> None:
    if name not in known:
        raise InputError(
            f"`{where}` must name what the configuration declares, got {name!r}. {suggest(name, list(known))}"
        )
