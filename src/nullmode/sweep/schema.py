"""Models of the configuration: its keys and their types; :mod:`nullmode.sweep.settings` checks the names in it."""

import json
import os.path
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from nullmode._support import axes
from nullmode._support.types import InputError, OnBadStructure, Scope


def _canonical(value: Any) -> Any:
    """Give what means the same one form: keys in order, and 3 for 3.0."""
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_canonical(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _canonical_grid(grid: dict[str, Any]) -> dict[str, list[Any]]:
    """Write ranges out, and sort axes and values: how a sweep is dealt to jobs follows from its points alone."""

    def order(value: Any) -> tuple[bool, float, str]:
        number = isinstance(value, int | float)
        return not number, value if number else 0, json.dumps(value, sort_keys=True, default=str)

    return {
        name: axes.distinct(sorted(map(_canonical, axes.values(axis)), key=order))
        for name, axis in sorted(grid.items())
    }


# Sorted, because Snakemake takes another order of the same parameters for a change.
Parameters = Annotated[dict[str, Any], AfterValidator(_canonical)]
_NUMBER = BeforeValidator(axes.no_booleans)
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


def _folder(value: str) -> str:
    """Give a folder the one spelling that files of it get, whatever its own."""
    for text, why in {
        "{": "Snakemake takes braces for a wildcard",
        "}": "Snakemake takes braces for a wildcard",
        "\n": "a path has one line",
        "\0": "no path holds it",
        "://": "a folder of this machine is needed",
    }.items():
        if text in value:
            raise InputError(f"must be a folder without {text!r}, since {why}, got {value!r}. Use another name.")
    if not value.strip():
        raise InputError(f"must name a folder, got {value!r}. Write . for the one in which Snakemake runs.")
    if value.startswith("~"):
        value = str(Path(value).expanduser())
    return os.path.normpath(value)


def _file(value: str) -> str:
    if not value.strip() or set("{}\n\0") & set(value):
        raise InputError(f"must name a file, without braces, got {value!r}. Leave the key out for none.")
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FamilyEntry(_Strict):
    """A family of structures.

    The values of an *axis* are a list, ``[0.7, 0.8, 0.9]``, or a range that includes both ends,
    ``{start: 0.7, stop: 0.9, step: 0.1}``. The default of ``step`` is 1, and ``stop`` must be a whole number of steps
    away from ``start``. Values must be finite and distinct. An axis has at most 100 000 values, a grid of several axes
    at most 100 000 points.
    """

    kind: str = Field(description="a family below, or ``path/to/file.py:function`` (docs/how-to-add-a-family.md)")
    parameters: Parameters = Field(default={}, description="arguments of that family")
    on_bad_structure: OnBadStructure = Field(
        default="stop",
        description="``stop``: a structure that cannot be analysed, such as one with a position that is not finite or "
        "two atoms at one place, ends the job that makes the structures. ``skip``: it is left out; its rows have the "
        "status ``bad_structure``",
    )


class DescriptorEntry(_Strict):
    """A descriptor (docs/descriptors.md explains each kind), and the parameters over which it is swept.

    A combination of values of the swept parameters, without those of ``inner``, is an *item*. Short items share a job,
    long ones are split by structures. One more value of an outer axis reruns the job that takes in the new item; one
    more value of an inner axis reruns all jobs of the descriptor.
    """

    kind: str = Field(description="a descriptor below, or ``path/to/file.py:class`` (docs/how-to-add-a-descriptor.md)")
    parameters: Parameters = Field(default={}, description="fixed parameters")
    grid: Annotated[dict[str, axes.AnyAxis], AfterValidator(_canonical_grid)] = Field(
        default={},
        description="swept parameters, each an axis (a list may hold texts); all combinations are run",
    )
    inner: list[str] = Field(default=["n_max", "l_max"], description="swept parameters that one item loops over")
    families: list[str] | None = Field(
        default=None, description="names of the families to analyse; all of them by default"
    )
    scope: Scope = Field(
        default="environment",
        description="``environment``: each centre by itself. ``structure``: features are summed over all atoms of each "
        "species, whatever the centers of the family, and all atoms move: what linear models see. ``potential``: "
        "they are summed over atoms with equal features: what any potential on them sees",
    )
    centers: list[str] | None = Field(
        default=None,
        description="symbols of the centres whose features are summed, where ``scope`` is not ``environment``; all "
        "by default",
    )
    feature_tolerance: Annotated[
        float,
        _NUMBER,
        Field(gt=0, lt=1, description="relative distance up to which features are equal, for scope ``potential``"),
    ] = 1e-6
    resolution: bool = Field(
        default=False,
        description="whether to measure the basis against its own limit (docs/theory.md): for a radial "
        "spectrum, power spectrum or bispectrum (few neighbours) of a Gaussian density, of scope environment; null in "
        "rows of other densities",
    )


class SearchEntry(_Strict):
    """A search from every environment of a family, by one descriptor.

    Guides: docs/how-to-follow-orbits.md, docs/how-to-find-singular-points.md and
    docs/how-to-find-degenerate-partners.md. A search writes two tables: ``searches/NAME/found.parquet`` (what it found)
    and ``searches/NAME/steps.parquet`` (how).
    """

    kind: str = Field(
        description="a search below, or ``path/to/file.py:function``, with the same arguments and results"
    )
    family: str = Field(description="name of the family whose environments are the starts")
    descriptor: str = Field(description="name of the descriptor, of scope environment and at one truncation")
    parameters: Parameters = Field(default={}, description="arguments of that search")


class RegressionEntry(_Strict):
    """A model that is fitted to the features of some families and predicts a target for others (docs/learning.md).

    Features and target are standardised over the training set. ``regressions/DESCRIPTOR.parquet`` has one row per
    regression and environment of both sets. An environment of a test family that is nearer than ``tolerance`` to one of
    the training set is left out. Regressions need scikit-learn, which ``nullmode[reproduction]`` installs.
    """

    model: str = Field(
        description="a model below, or ``path/to/file.py:function``, which returns an object with the methods "
        "``fit`` and ``predict`` of scikit-learn",
    )
    descriptor: str = Field(description="name of the descriptor, of scope environment and at one truncation")
    training: Annotated[list[str], Field(min_length=1), AfterValidator(axes.distinct)] = Field(
        description="names of the families that the model is fitted to"
    )
    test: Annotated[list[str], Field(min_length=1), AfterValidator(axes.distinct)] = Field(
        description="names of other families, for which the model predicts"
    )
    target: str = Field(
        default="four_body_energy",
        description="the four-body energy of Parsaeifard and Goedecker (four neighbours), or "
        "``path/to/file.py:function``, from vectors (n, 3) to a tuple that begins with the value",
    )
    parameters: Parameters = Field(default={}, description="arguments of that model")


class FigureEntry(_Strict):
    """A figure drawn from tables of the results."""

    kind: str = Field(description="a figure below, or ``path/to/file.py:name`` of a function or ``Figure`` record")
    parameters: Parameters = Field(
        default={}, description="arguments of that figure: names that this configuration declares"
    )
    claim: str = Field(
        default="",
        description="what the figure is to show: the first sentence of its caption; a label in front, such as ``R3:``, "
        "sorts the figure into the report",
    )


class ViewEntry(_Strict):
    """A page to look at environments in a browser, with their null and soft modes as arrows: ``views/NAME.html``.

    With a descriptor of scope ``structure`` or ``potential``, it shows whole structures.
    How to use it: docs/how-to-look-at-results.md. Views need chemiscope, which ``nullmode[reproduction]`` installs.
    """

    families: Annotated[list[str], Field(min_length=1, description="names of the families to look at")]
    descriptor: str = Field(
        description="name of the descriptor, of any scope, at one truncation and run on the families"
    )
    most: Annotated[
        int, _NUMBER, Field(ge=1, description="environments, or structures, of each family at most, evenly spaced")
    ] = 50


class Settings(_Strict):
    """All keys of a configuration file.

    ``config.yaml`` is the reproduction, ``test.yaml`` a small version of it.
    ``snakemake -s $NULLMODE/Snakefile --configfile my.yaml``, where NULLMODE is the checkout, runs your own instead;
    nothing of ``config.yaml`` is merged into it. If you name several files, the later ones are laid over the earlier
    ones, key by key: ``--configfile config/config.yaml config/large.yaml``, or ``make reproduce-large``, is the
    reproduction at full size.

    The whole configuration is checked before any job starts. An unknown key, an impossible value or a missing structure
    file stops the run with a message that names the place. ``make install`` writes
    ``workflow/schemas/config.schema.yaml``, which describes the keys for editors with a YAML language server; the first
    line of ``test.yaml`` names it.

    Names have letters, digits, ``_`` and ``-``, and begin with a letter or digit. A key whose default is none may be
    left out or be null.
    """

    results: Annotated[str, AfterValidator(_folder)] = Field(
        default="results", description="folder that everything is written to, relative to where Snakemake runs"
    )
    rtol: Annotated[
        float,
        _NUMBER,
        Field(gt=0, lt=1, description="singular values up to ``rtol`` times the largest one count as null"),
    ] = 1e-9
    tolerance: Annotated[
        float,
        _NUMBER,
        Field(
            gt=0,
            allow_inf_nan=False,
            description="length in Å within which two positions count as equal when symmetry is determined",
        ),
    ] = 1e-6
    target_job_seconds: Annotated[
        float,
        _NUMBER,
        Field(
            gt=0,
            allow_inf_nan=False,
            description="computing time of a job, to which work is gathered or split; 600 suits a cluster",
        ),
    ] = 120.0
    families: Annotated[
        dict[Name, FamilyEntry],
        Field(min_length=1, description="families of structures, each under a name of your choice"),
    ]
    descriptors: Annotated[
        dict[Name, DescriptorEntry], Field(min_length=1, description="descriptors, each under a name of your choice")
    ]
    searches: dict[Name, SearchEntry] = Field(
        default={}, description="searches among environments, each under the name of its folder"
    )
    regressions: dict[Name, RegressionEntry] = Field(
        default={}, description="models that learn a target from features, each under a name of your choice"
    )
    figures: dict[Name, FigureEntry] = Field(default={}, description="figures, each under the name of its files")
    views: dict[Name, ViewEntry] = Field(
        default={}, description="pages for the browser, each under the name of its file"
    )
    claims: Annotated[str, AfterValidator(_file)] | None = Field(
        default=None,
        description="file of claims (docs/claims.md) about the results, relative to where Snakemake runs",
    )


KEYS = {
    "": list(Settings.model_fields),
    "families": list(FamilyEntry.model_fields),
    "descriptors": list(DescriptorEntry.model_fields),
    "searches": list(SearchEntry.model_fields),
    "regressions": list(RegressionEntry.model_fields),
    "figures": list(FigureEntry.model_fields),
    "views": list(ViewEntry.model_fields),
}
"""Keys of the configuration and of its entries, for messages."""
