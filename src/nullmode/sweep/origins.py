"""What each job is computed with: hashes of the modules behind it, and versions of their libraries.

Snakemake runs a job again when its origin changes, and only then. So an origin names the kinds and the radial bases
that a job uses and no others: an edit of one radial basis leaves the jobs of all others finished.
"""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from nullmode._support.code_hash import origin
from nullmode._support.types import JSON
from nullmode._support.variants import constructed, load, source_of
from nullmode.analysis.explanations import EXPLANATIONS
from nullmode.basis.radial._base import RadialBasis
from nullmode.claims import model
from nullmode.descriptors import DESCRIPTORS
from nullmode.families import FAMILIES
from nullmode.figures import FIGURES
from nullmode.learning import MODELS, TARGETS
from nullmode.search import SEARCHES
from nullmode.sweep.entries import points
from nullmode.sweep.schema import Settings
from nullmode.sweep.settings import explanation

COLUMNS = "nullmode.tables.columns"


def structures_code(settings: Settings, family: str) -> JSON:
    """Origin of a family's structures."""
    return origin(
        "nullmode.sweep.structures", f"{COLUMNS}:STRUCTURES", source_of(settings.families[family].kind, FAMILIES)
    )


def layout_code() -> JSON:
    """Origin of the layout of a family that several jobs share."""
    return origin("nullmode.sweep.sensitivity")


def sensitivity_code(kind: str, bases: Iterable[str]) -> JSON:
    """Origin of sensitivities: of a kind of descriptor, in radial bases given by :func:`basis_modules`."""
    return origin("nullmode.sweep.sensitivity", f"{COLUMNS}:SENSITIVITY", source_of(kind, DESCRIPTORS), *bases)


def summary_code() -> JSON:
    """Origin of the merged table and its summary."""
    return origin("nullmode.sweep.summary", f"{COLUMNS}:SENSITIVITY", f"{COLUMNS}:SUMMARY")


def search_code(settings: Settings, name: str) -> JSON:
    """Origin of a search."""
    search = settings.searches[name]
    tables = f"{COLUMNS}:SEARCH", f"{COLUMNS}:SEARCH_STEPS"
    modules = source_of(search.kind, SEARCHES), *descriptor_modules(settings, search.descriptor)
    return origin("nullmode.sweep.search", *tables, *modules)


def regression_code(settings: Settings, descriptor: str) -> JSON:
    """Origin of all regressions with one descriptor."""
    used = [regression for regression in settings.regressions.values() if regression.descriptor == descriptor]
    variants = [(source_of(each.model, MODELS), source_of(each.target, TARGETS)) for each in used]
    modules = sorted({module for pair in variants for module in pair})
    return origin(
        "nullmode.sweep.regression", f"{COLUMNS}:REGRESSION", *modules, *descriptor_modules(settings, descriptor)
    )


def explanation_code(settings: Settings, figure: str) -> JSON:
    """Origin of what explains a figure."""
    asked = explanation(settings, figure)
    modules = {module for name in asked["kinds"] for module in descriptor_modules(settings, name)}
    own = "nullmode.sweep.explanation", f"{COLUMNS}:EXPLANATIONS", source_of(asked["kind"], EXPLANATIONS)
    return origin(*own, *sorted(modules))


def figure_code(settings: Settings, figure: str) -> JSON:
    """Origin of a figure."""
    shared = "nullmode.tables.parquet", "nullmode.views.captions", f"{COLUMNS}:WHERE"
    return origin(*shared, source_of(settings.figures[figure].kind, FIGURES))


def view_code(settings: Settings, view: str) -> JSON:
    """Origin of a view."""
    return origin(
        "nullmode.views.view_job",
        f"{COLUMNS}:SENSITIVITY",
        *descriptor_modules(settings, settings.views[view].descriptor),
    )


def claims_code(path: str) -> JSON:
    """Origin of the ledger of a file of claims."""
    checks = {claim.check.partition(":")[0] for claim in model.read(path).values() if claim.check}
    return origin("nullmode.claims.job", f"{COLUMNS}:TABLES", *sorted(checks))


def descriptor_modules(settings: Settings, name: str) -> list[str]:
    """Modules of a descriptor's kind and of the radial bases at all its truncations."""
    entry = settings.descriptors[name]
    target = load(entry.kind, DESCRIPTORS, "descriptor")
    made = (constructed(target, {**entry.parameters, **point}, name) for point in points(entry, list(entry.grid)))
    return [source_of(entry.kind, DESCRIPTORS), *basis_modules(made)]


def basis_modules(descriptors: Iterable[Any]) -> tuple[str, ...]:
    """Modules of the radial bases that descriptors use, those that a contraction combines included."""
    modules = {name for descriptor in descriptors for name in _modules(getattr(descriptor, "radial_basis", None))}
    # That of a user's own is in the file that defines the descriptor.
    return tuple(sorted(name for name in modules if name.startswith("nullmode.")))


def _modules(basis: Any) -> set[str]:
    if not isinstance(basis, RadialBasis) or not is_dataclass(basis):
        return set()
    inner = (_modules(getattr(basis, each.name)) for each in fields(basis))
    return {type(basis).__module__}.union(*inner)
