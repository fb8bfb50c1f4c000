"""What jobs are given: a sensitivity, a search or a regression of the configuration, written out in full.

Records are plain data, so that Snakemake can hand them to a job and tables can keep them: :func:`as_json` writes one,
its class reads it back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from nullmode._support.types import JSON, Scope


@dataclass(frozen=True, kw_only=True)
class SensitivityTask:
    """One family, or some of its structures, under one descriptor at some truncations.

    Attributes
    ----------
    family, family_kind, family_parameters
        Name, kind and parameters of the family.
    descriptor, kind, scope, parameters
        Name, kind, scope and fixed parameters of the descriptor.
    points
        All parameters of each truncation.
    references
        Families that contractions among the radial bases are fitted to.
    structures
        Numbers of the first structure and of the one after the last, None where the family ends; None for all.
    layouts
        Cutoffs, in Å, for which a part of a family needs the layout of the whole: see :func:`~.sensitivity.layout`.
    centers, feature_tolerance
        Of whole structures, symbols of the centres, None for all, and as in :func:`nullmode.analyze`.
    rtol, tolerance, resolution
        As in :func:`nullmode.analyze`.
    """

    family: str
    family_kind: str = ""
    family_parameters: JSON = field(default_factory=dict)
    descriptor: str
    kind: str
    scope: Scope
    parameters: JSON = field(default_factory=dict)
    points: list[JSON]
    references: list[str] = field(default_factory=list)
    structures: list[int | None] | None = None
    layouts: list[float] = field(default_factory=list)
    centers: list[str] | None = None
    feature_tolerance: float = 1e-6
    rtol: float
    tolerance: float
    resolution: bool = False


@dataclass(frozen=True, kw_only=True)
class SearchTask:
    """A search from every environment of a family, with a descriptor of one truncation."""

    search: str
    search_kind: str
    search_parameters: JSON
    family: str
    family_kind: str = ""
    family_parameters: JSON = field(default_factory=dict)
    descriptor: str
    kind: str
    scope: Scope = "environment"
    parameters: JSON
    references: list[str] = field(default_factory=list)
    rtol: float


@dataclass(frozen=True, kw_only=True)
class RegressionTask:
    """A model that learns a target from the features of a descriptor of one truncation.

    Attributes
    ----------
    training, test
        Families that the model is fitted to, and others that it predicts for.
    tolerance
        Length in Å; environments of test families that are nearer to one of the training set are left out.
    """

    regression: str
    model: str
    model_parameters: JSON
    target: str
    training: list[str]
    test: list[str]
    tolerance: float
    descriptor: str
    kind: str
    scope: Scope = "environment"
    parameters: JSON
    references: list[str] = field(default_factory=list)
    rtol: float


Task = SensitivityTask | SearchTask | RegressionTask


def as_json(task: Task) -> JSON:
    """Write a task as plain data."""
    return {each.name: getattr(task, each.name) for each in fields(task)}


def families_of(tasks: Iterable[Task]) -> list[str]:
    """Families whose structures tasks need, each once."""
    names = [[*task.training, *task.test] if isinstance(task, RegressionTask) else [task.family] for task in tasks]
    return list(dict.fromkeys(name for listed in names for name in listed))


def references_of(tasks: Iterable[Task]) -> list[str]:
    """Families that contractions of tasks are fitted to, each once."""
    return list(dict.fromkeys(name for task in tasks for name in task.references))
