"""The analysis of structures or environments by one descriptor, or by many truncations of it, as a table."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
import pandas as pd

from nullmode._support.arguments import as_whole, check_threads, check_tolerance, listed
from nullmode._support.types import InputError, Scope
from nullmode.analysis.failed_rows import raise_if_all
from nullmode.analysis.rows import AnalysisOptions, measure
from nullmode.analysis.whole_rows import measure_whole
from nullmode.attribution.geometry_ranks import Cases
from nullmode.attribution.whole_structure import StructureRanks
from nullmode.descriptors._base import Descriptor, changed, check_descriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.cut import checked_structures, environments
from nullmode.geometry.environment import Centers, Environment, within
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.limits.limit import check_limited
from nullmode.spectrum.decomposition import DegreesOfFreedom, check_rtol
from nullmode.spectrum.potential import EQUAL, check_feature_tolerance
from nullmode.spectrum.whole_structure import whole_structures

if TYPE_CHECKING:
    from ase import Atoms


def analyze(
    what: "Atoms | Environment | Sequence[Atoms] | Sequence[Environment] | EnvironmentSet",
    descriptor: Descriptor,
    rtol: float = 1e-9,
    *,
    scope: Scope = "environment",
    centers: Centers = None,
    degrees_of_freedom: DegreesOfFreedom = "neighbours",
    attribution: bool = False,
    resolution: bool = False,
    tolerance: float = 1e-6,
    feature_tolerance: float = EQUAL,
    threads: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Analyse every environment, or every whole structure: what the descriptor sees of its displacements.

    Parameters
    ----------
    what
        Structures, whose centres are analysed, or environments, in a list or a set.
    descriptor
        One of nullmode's or your own.
    rtol
        Singular values up to rtol times the largest count as null.
    scope
        ``environment``: each centre by itself. ``structure`` and ``potential``: all atoms of a structure move, and what
        linear models on the features of all centres see of it, or any potential on them, as in
        :func:`nullmode.structure_sensitivity`.
    centers
        Symbols or indices of the centres, where structures are given; None for all.
    degrees_of_freedom
        As in :func:`nullmode.sensitivity`.
    attribution, tolerance
        Whether to count null values by cause, in the columns of :class:`nullmode.Attribution`; and the length in Å
        within which positions are symmetric, or on a line.
    resolution
        Whether to measure the basis against its own limit, as :func:`nullmode.resolution` does; for scope
        ``environment`` and descriptors that have a limit.
    feature_tolerance
        Relative distance up to which features of two centres are equal; only for scope ``potential``.
    threads
        How many to use; default all this process may.
    progress
        Show a progress bar on stderr.

    Returns
    -------
    pandas.DataFrame
        One row per environment (structure), in input order; columns as in ``docs/tables.md``. Where an analysis is not
        possible, ``status`` and ``message`` give the reason; the other rows are not affected.

    Raises
    ------
    InputError
        For bad structures (see :func:`nullmode.environments`), rtol, or a descriptor that refuses all of them, for
        instance because it does not cover the species.
    """
    options = checked_options(
        descriptor, rtol, degrees_of_freedom, attribution, resolution, tolerance, threads, scope, feature_tolerance
    )
    errors: list[Exception] = []
    if scope == "environment":
        cases, descriptor = _cases(what, descriptor, centers)
        frame, _ = measure(cases, [descriptor], options, threads=threads, progress=progress, errors=errors)
    else:
        structures = whole_structures(*checked_structures(cast("Any", what), descriptor.cutoff, centers))
        descriptor = with_layout_of(descriptor, [item for structure in structures for item in structure.environments])
        wholes = [StructureRanks(structure, scope, feature_tolerance) for structure in structures]
        frame, _ = measure_whole(wholes, [descriptor], options, threads=threads, progress=progress, errors=errors)
    raise_if_all(errors, bool((frame["status"] == "failed").all()))
    return frame.drop(columns="point")


def truncation_sweep(
    what: "Atoms | Environment | Sequence[Atoms] | Sequence[Environment] | EnvironmentSet",
    descriptor: Descriptor,
    n_max: int | Sequence[int] | None = None,
    l_max: int | Sequence[int] | None = None,
    rtol: float = 1e-9,
    *,
    centers: Centers = None,
    degrees_of_freedom: DegreesOfFreedom = "neighbours",
    attribution: bool = False,
    resolution: bool = False,
    tolerance: float = 1e-6,
    threads: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Analyse every environment at every combination of n_max and l_max, in little more time than the largest needs.

    The Jacobian is computed once, at the largest truncation (once per n_max if the radial functions depend on n_max).
    Its triangular factor is then updated block by block. The results equal those of separate analyses, to rounding.

    Parameters
    ----------
    what
        Structures, whose centres are analysed, or environments, in a list or a set.
    descriptor
        A descriptor of a neighbour density; it supplies `n_max` or `l_max` where these are None.
    n_max, l_max
        One number or several.
    rtol, centers, degrees_of_freedom, attribution, resolution, tolerance, threads, progress
        As in :func:`analyze`.

    Returns
    -------
    pandas.DataFrame
        ``n_max`` and ``l_max`` (those that the descriptor has), then the columns of :func:`analyze`. Rows are ordered
        by n_max, then l_max, then as the environments.

    Raises
    ------
    InputError
        As :func:`analyze`; for an n_max or l_max that is out of range, or that the descriptor does not have.
    """
    options = checked_options(descriptor, rtol, degrees_of_freedom, attribution, resolution, tolerance, threads)
    points = _points(descriptor, {"n_max": n_max, "l_max": l_max})
    cases, descriptor = _cases(what, descriptor, centers)
    descriptors = [changed(descriptor, **point) for point in points]
    errors: list[Exception] = []
    frame, _ = measure(cases, descriptors, options, threads=threads, progress=progress, errors=errors)
    raise_if_all(errors, bool((frame["status"] == "failed").all()))
    for position, name in enumerate(points[0]):
        frame.insert(position, name, np.array([point[name] for point in points])[frame["point"]])
    return frame.drop(columns="point")


def checked_options(
    descriptor: Any,
    rtol: float,
    dofs: DegreesOfFreedom,
    attribution: bool,
    resolution: bool,
    tolerance: float,
    threads: Any,
    scope: Scope = "environment",
    feature_tolerance: float = EQUAL,
) -> AnalysisOptions:
    """Refuse what :func:`analyze` refuses of its arguments, but for the structures."""
    check_rtol(rtol)
    check_descriptor(descriptor)
    check_tolerance(tolerance)
    check_threads(threads)
    if attribution and dofs != "neighbours":
        raise InputError(f"`degrees_of_freedom` must be 'neighbours' for attribution, got {dofs!r}.")
    if scope not in get_args(Scope):
        raise InputError(f"`scope` must be one of {', '.join(get_args(Scope))}, got {scope!r}.")
    if scope != "environment":
        if resolution:
            raise InputError(f"`resolution` must be left out for scope {scope!r}: limits are those of environments.")
        if dofs != "neighbours":
            raise InputError(f"`degrees_of_freedom` must be left out for scope {scope!r}: there, all atoms move.")
        check_feature_tolerance(feature_tolerance)
    if resolution:
        check_limited(descriptor)
    return AnalysisOptions(
        rtol=rtol, degrees_of_freedom=dofs, attribution=attribution, resolution=resolution, tolerance=tolerance
    )


def _points(descriptor: Any, asked: dict[str, Any]) -> list[dict[str, int]]:
    known = {field.name for field in fields(descriptor)} if is_dataclass(descriptor) else set()
    axes: dict[str, list[int]] = {}
    for name, wanted in asked.items():
        if name not in known:
            if wanted is not None:
                raise InputError(f"`{name}` must be None for a descriptor without it, got {wanted!r}: {descriptor!r}.")
            continue
        items = [getattr(descriptor, name)] if wanted is None else listed(wanted)
        if not items or any(as_whole(item) is None for item in items) or len(set(items)) < len(items):
            raise InputError(f"`{name}` must be distinct whole numbers, at least one, got {wanted!r}.")
        axes[name] = [int(item) for item in items]
    if not axes:
        raise InputError(
            f"`descriptor` must have n_max or l_max to be swept, got {descriptor!r}. Use nullmode.analyze."
        )
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def _cases(what: Any, descriptor: Descriptor, centers: Centers) -> tuple[Cases, Descriptor]:
    items = _environments(what, descriptor.cutoff, centers)
    reach = None
    if not isinstance(items, EnvironmentSet):
        reach = np.array([np.inf if item.cutoff is None else item.cutoff for item in items])
        items = EnvironmentSet.from_environments(items)
    inside = items.within(descriptor.cutoff)
    return Cases(inside, reach), with_layout_of(descriptor, inside)


def listed_environments(what: Any, descriptor: Descriptor, centers: Centers) -> tuple[list[Environment], Descriptor]:
    """List environments within the cutoff, and give the descriptor their layout; errors as :func:`analyze`."""
    items = [within(item, descriptor.cutoff) for item in _environments(what, descriptor.cutoff, centers)]
    return items, with_layout_of(descriptor, items)


def _environments(what: Any, cutoff: float, centers: Centers) -> EnvironmentSet | list[Environment]:
    from ase import Atoms

    items: Any = [what] if isinstance(what, Atoms | Environment) else listed(what)
    kinds = {True} if isinstance(what, EnvironmentSet) else {isinstance(item, Environment) for item in items}
    if kinds == {True}:
        if centers is not None:
            raise InputError(f"`centers` must be None where environments are given, got {centers!r}.")
        return what if isinstance(what, EnvironmentSet) else cast("list[Environment]", items)
    if True in kinds:
        raise InputError("`what` must hold either structures or environments, got both.")
    return environments(items, cutoff=cutoff, centers=centers)
