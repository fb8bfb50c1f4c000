"""What each job is computed with: hashes of the modules behind it, and versions of their libraries.

Snakemake runs a job again when its origin changes, and only then. So an origin names the kinds and the radial bases
that a job uses and no others: an edit of one radial basis leaves the jobs of all others finished.
"""

import inspect
import os
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from nullmode._support.code_hash import digest, origin
from nullmode._support.files import PLAN_FILE
from nullmode._support.own_modules import files_in
from nullmode._support.types import JSON
from nullmode._support.variants import constructed, load, module_from, source_of, validated
from nullmode.analysis.explanations import EXPLANATIONS
from nullmode.basis.radial import RADIAL_BASES
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
from nullmode.sweep.tasks import SensitivityTask

COLUMNS = "nullmode.tables.columns"
# Asked for by every job: 5 ms each time would be a minute for 10 000 jobs.
_digest = cache(digest)


@cache
def _origin(*roots: str) -> JSON:
    for root in roots:
        if root.endswith(".py"):
            # As a job does: another user's file may have imported a module of the same name meanwhile.
            module_from(Path(root), "file", root)
    return origin(*roots)


def structures_code(settings: Settings, family: str) -> JSON:
    """Origin of a family's structures."""
    return _origin(
        "nullmode.sweep.structures", f"{COLUMNS}:STRUCTURES", source_of(settings.families[family].kind, FAMILIES)
    )


def files_of_family(settings: Settings, family: str) -> dict[str, str]:
    """Files that the parameters of a family name, each with the hash of its bytes."""
    entry = settings.families[family]
    target = load(entry.kind, FAMILIES, "family")
    return _hashed(validated(target, entry.parameters, f"families.{family}.parameters"), entry.kind)


def layout_code() -> JSON:
    """Origin of the layout of a family that several jobs share."""
    return _origin("nullmode.sweep.sensitivity")


def sensitivity_code(kind: str, bases: Iterable[str], tasks: Iterable[SensitivityTask] = ()) -> JSON:
    """Origin of sensitivities: of a kind of descriptor, in radial bases given by :func:`basis_modules`."""
    tasks = list(tasks)
    # A resolution is measured with functions that a contraction orthonormalises.
    further = [source_of("optimal-contraction", RADIAL_BASES)] if any(task.resolution for task in tasks) else []
    modules = sorted({*bases, *further})
    code = _origin("nullmode.sweep.sensitivity", f"{COLUMNS}:SENSITIVITY", source_of(kind, DESCRIPTORS), *modules)
    return code | _files((kind, task.points) for task in tasks)


def summary_code() -> JSON:
    """Origin of the merged table and its summary."""
    return _origin("nullmode.sweep.summary", f"{COLUMNS}:SENSITIVITY", f"{COLUMNS}:SUMMARY")


def search_code(settings: Settings, name: str) -> JSON:
    """Origin of a search."""
    search = settings.searches[name]
    tables = f"{COLUMNS}:SEARCH", f"{COLUMNS}:SEARCH_STEPS"
    modules = source_of(search.kind, SEARCHES), *descriptor_modules(settings, search.descriptor)
    own = (search.kind, search.parameters), _parameters(settings, search.descriptor)
    return _origin("nullmode.sweep.search", *tables, *modules) | _files(own)


def regression_code(settings: Settings, descriptor: str) -> JSON:
    """Origin of all regressions with one descriptor."""
    used = [regression for regression in settings.regressions.values() if regression.descriptor == descriptor]
    variants = [(source_of(each.model, MODELS), source_of(each.target, TARGETS)) for each in used]
    modules = sorted({module for pair in variants for module in pair})
    own = [(each.model, each.parameters) for each in used]
    return _origin(
        "nullmode.sweep.regression", f"{COLUMNS}:REGRESSION", *modules, *descriptor_modules(settings, descriptor)
    ) | _files([*own, _parameters(settings, descriptor)])


def explanation_code(settings: Settings, figure: str) -> JSON:
    """Origin of what explains a figure."""
    asked = explanation(settings, figure)
    modules = {module for name in asked["kinds"] for module in descriptor_modules(settings, name)}
    own = "nullmode.sweep.explanation", f"{COLUMNS}:EXPLANATIONS", source_of(asked["kind"], EXPLANATIONS)
    return _origin(*own, *sorted(modules)) | _files(_parameters(settings, name) for name in asked["kinds"])


def figure_code(settings: Settings, figure: str) -> JSON:
    """Origin of a figure."""
    shared = "nullmode.tables.parquet", "nullmode.views.captions", f"{COLUMNS}:WHERE"
    entry = settings.figures[figure]
    return _origin(*shared, source_of(entry.kind, FIGURES)) | _files([(entry.kind, entry.parameters)])


def view_code(settings: Settings, view: str) -> JSON:
    """Origin of a view."""
    descriptor = settings.views[view].descriptor
    modules = descriptor_modules(settings, descriptor)
    code = _origin("nullmode.views.view_job", f"{COLUMNS}:SENSITIVITY", *modules)
    return code | _files([_parameters(settings, descriptor)])


def claims_code(path: str) -> JSON:
    """Origin of the ledger of a file of claims."""
    checks = {claim.check.partition(":")[0] for claim in model.read(path).values() if claim.check}
    return _origin("nullmode.claims.job", f"{COLUMNS}:TABLES", *sorted(checks))


def _parameters(settings: Settings, descriptor: str) -> tuple[str, Any]:
    entry = settings.descriptors[descriptor]
    return entry.kind, {**entry.parameters, **entry.grid}


def _files(given: Iterable[tuple[str, Any]]) -> JSON:
    """Files that parameters of a user's own kinds name, with their hashes; other kinds read none."""
    own = [(kind, parameters) for kind, parameters in given if ".py:" in kind]
    named = [_hashed(_complete(kind, each), kind) for kind, listed in own for each in _list(listed)]
    files = {name: digits for each in named for name, digits in each.items()}
    return {"files": files} if files else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _complete(kind: str, parameters: JSON) -> JSON:
    """Add the defaults of a user's own kind to parameters."""
    return {**_defaults(kind), **parameters}


@cache
def _defaults(kind: str) -> JSON:
    known = inspect.signature(load(kind, {}, "kind")).parameters.values()
    return {each.name: each.default for each in known if each.default is not each.empty}


def _hashed(values: Any, kind: str) -> dict[str, str]:
    # A user's file may look for them beside it.
    own, is_own, _ = kind.partition(".py:")
    return {name: _digest(name) for name in _named(values, Path(own).parent if is_own else None)}


def _named(value: Any, beside: Path | None = None) -> list[str]:
    """Existing files that values name at any depth, here or `beside` a user's file; of a folder, all files in it."""
    if isinstance(value, str | Path):
        try:
            names = _spelled(value) or ([str(beside / value)] if beside and (beside / value).is_file() else [])
            return [file for name in names for file in _read_with(name)]
        except (OSError, ValueError, RuntimeError):  # a text that no file could be called, or ~ of nobody
            return []
    if isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, type)):
        value = vars(value) if hasattr(value, "__dict__") else [getattr(value, each.name) for each in fields(value)]
    inner = [*value, *value.values()] if isinstance(value, Mapping) else value
    return [name for each in inner for name in _named(each, beside)] if isinstance(inner, list | tuple | Set) else []


def _spelled(value: str | Path) -> list[str]:
    """Files that a text or a path stands for, or words of it.

    Such as ``~/a``, ``$HOME/a``, ``a.xyz@:5`` as in ASE, ``a/**/*.xyz``, a folder, and ``GAP param_file=a.xml``.
    """
    text = os.path.expandvars(value)
    if found := _at(text):
        return found
    words = [word for word in re.split(r"[\s,;:=|<>\"'{}()]+", text) if word and word != text]
    return [file for word in words if Path(word).expanduser().is_file() for file in _at(word)]


def _at(text: str) -> list[str]:
    """Files that one path stands for."""
    path = Path(text).expanduser()
    if path.is_file():
        return [str(path)]
    if path.is_dir():
        # What a run writes must not count.
        holds_a_run = (path / PLAN_FILE).exists() or Path.cwd().is_relative_to(path.resolve())
        return [] if holds_a_run else [str(file) for file in files_in(path)]
    before, at, _ = str(path).rpartition("@")
    if at and Path(before).is_file():
        return [before]
    if not re.search(r"[*?[]", str(path)) or not path.suffix:
        return []
    matches = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    return sorted(str(file) for file in matches if file.is_file())


def _read_with(name: str) -> list[str]:
    """List a file, and those beside it from which ASE takes the species of a POSCAR that does not say them."""
    path = Path(name)
    if not re.search(r"POSCAR|CONTCAR|CENTCAR|\.vasp$", path.name) or _says_species(path):
        return [name]
    beside = [path.with_name(other + packed) for other in ("POTCAR", "OUTCAR") for packed in ("", ".gz", ".bz2")]
    return [name, *(str(each) for each in beside if each.is_file())]


def _says_species(path: Path) -> bool:
    """Whether the sixth line of a POSCAR holds symbols, and not the numbers of atoms; of a packed one, take no."""
    with path.open("rb") as file:
        lines = [file.readline() for _ in range(6)]
    return bool(re.match(rb"\s*[A-Za-z]", lines[5]))


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
