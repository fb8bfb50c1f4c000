"""Pairs of environments that a descriptor hardly tells apart: for each, the nearest other one in feature space."""

from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nullmode._support.arguments import as_real, check_threads, check_tolerance
from nullmode._support.elements import symbol
from nullmode._support.threads import processors, progress_bar, single_threaded_blas
from nullmode._support.types import Bools, Floats, InputError, Integers
from nullmode.analysis.analyze import listed_environments
from nullmode.descriptors._base import Descriptor, check_descriptor
from nullmode.geometry.environment import Centers, Environment
from nullmode.geometry.forces import energies_of, forces_of
from nullmode.symmetry.superposition import congruent, superpose
from nullmode.tables import columns

if TYPE_CHECKING:
    from ase import Atoms

EQUAL = 1e-7
"""Relative feature distance up to which two environments may be congruent: congruent ones have equal features."""
_IN_MEMORY = 1 << 29
"""Bytes of features; more are kept in a temporary file."""
_AT_ONCE = 1024
_SAMPLE = 4000
_DIMENSIONS = 12
_FIRST, _GROWTH, _MOST = 4, 4, 256
"""Candidates of an environment: at first, growth until the nearest is certain, and at most."""


class _Nearest(NamedTuple):
    """Of each environment: the index of the nearest other one, -1 if there is none, its distance, if it is certain."""

    other: Integers
    distance: Floats
    certain: Bools


def near_pairs(
    what: "Atoms | Environment | Sequence[Atoms] | Sequence[Environment]",
    descriptor: Descriptor,
    *,
    centers: Centers = None,
    tolerance: float = 1e-6,
    superpose_below: float = 1e-2,
    threads: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Find for every environment the nearest one in feature space that is not congruent to it.

    Only environments around centres of one species are compared. A pair that is far apart in structure and close in
    features is what the descriptor does not tell apart, however it behaves at first order; where the smallest distance
    is large, the data hold no such pair.

    Where structures bring energies of single atoms, or forces, rows have the difference of the energies of the two
    centres, and of the forces on them after superposition: what a model has to get from features that are nearly equal,
    or, of the forces, from those of the neighbours. Energies of single atoms are as their maker divides them.

    Candidates come from a tree of projected features, which are never farther apart than the features themselves.
    Distances are those of the features. More candidates are taken until the nearest one is certain.

    Parameters
    ----------
    what
        Structures, whose centres are compared, or environments.
    descriptor
        One of nullmode's or your own.
    centers
        Symbols or indices of the centres, where structures are given; None for all.
    tolerance
        Root mean square distance in Å up to which environments are congruent.
    superpose_below
        The structural distance, and the difference of forces, are computed for pairs whose relative feature distance is
        below this; superposition takes much longer than the search.
    threads
        How many to use for the tree; default all this process may.
    progress
        Show a progress bar on stderr.

    Returns
    -------
    pandas.DataFrame
        One row per environment, in input order; columns as in ``docs/tables.md``.

    Raises
    ------
    InputError
        As :func:`nullmode.analyze`; for energies or forces of a wrong shape.
    """
    check_descriptor(descriptor)
    check_tolerance(tolerance)
    check_threads(threads)
    if not as_real(superpose_below) >= 0:
        raise InputError(f"`superpose_below` must be a number from 0 on, got {superpose_below!r}.")
    environments, descriptor = listed_environments(what, descriptor, centers)
    energies, forces = _references(what, environments)
    species = np.array([environment.center_species for environment in environments])
    rows = {
        "structure": [-1 if e.structure is None else e.structure for e in environments],
        "center": [e.center for e in environments],
        "center_species": [symbol(number) for number in species],
    }
    other, distance = np.full(len(environments), -1), np.full(len(environments), np.nan)
    norms, searched = distance.copy(), np.zeros(len(environments), dtype=np.int64)
    certain, structural = np.ones(len(environments), dtype=bool), distance.copy()
    force_difference = distance.copy()
    with single_threaded_blas(), progress_bar(len(environments), progress) as advance:
        for number in np.unique(species):
            own = np.flatnonzero(species == number)
            chosen = [environments[k] for k in own]
            features = _features(chosen, descriptor)
            result = _nearest(chosen, features, tolerance, threads or processors())
            other[own] = np.where(result.other >= 0, own[result.other], -1)
            distance[own], certain[own], searched[own] = result.distance, result.certain, len(own)
            norms[own] = _norms(features)
            advance(len(own))
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = distance / np.maximum(norms, norms[other])
        for k in np.flatnonzero(relative < superpose_below):
            structural[k], operation = _superposed(environments[k], environments[other[k]])
            force_difference[k] = np.linalg.norm(operation @ forces[k] - forces[other[k]])
    found = other >= 0
    frame = pd.DataFrame(
        {
            **rows,
            "other": other,
            "other_structure": np.where(found, np.array(rows["structure"])[other], -1),
            "other_center": np.where(found, np.array(rows["center"])[other], -1),
            "feature_distance": distance,
            "relative_distance": relative,
            "structural_distance": structural,
            "energy_difference": np.where(found, np.abs(energies - energies[other]), np.nan),
            "force_difference": force_difference,
            "n_searched": searched,
            "certain": certain,
        }
    )
    return frame[[column.name for column in columns.NEAR_PAIRS]]


def _features(environments: Sequence[Environment], descriptor: Descriptor) -> Floats:
    """Compute features (m, F), in a temporary file if they are many."""
    features: Any = np.empty((0, 0))
    for start in range(0, len(environments), _AT_ONCE):
        computed = np.array(descriptor.compute_batch(environments[start : start + _AT_ONCE]))
        if start == 0:
            shape = len(environments), computed.shape[1]
            features = np.empty(shape) if 8 * shape[0] * shape[1] <= _IN_MEMORY else _on_disk(shape)
        features[start : start + len(computed)] = computed
    return np.asarray(features)


def _on_disk(shape: tuple[int, int]) -> Floats:
    # The array keeps the file, which has no name, until it goes.
    with TemporaryFile() as file:
        return np.memmap(file, np.float64, "w+", shape=shape)


def _norms(features: Floats) -> Floats:
    parts = [features[start : start + _AT_ONCE] for start in range(0, len(features), _AT_ONCE)]
    return np.concatenate([np.linalg.norm(part, axis=1) for part in parts])


def _projected(features: Floats) -> Floats:
    """Project on directions of large variance, shape (m, k); they are orthonormal, so that no distance grows."""
    sample = features[:: max(1, len(features) // _SAMPLE)]
    directions = np.linalg.svd(sample - sample.mean(axis=0), full_matrices=False)[2][:_DIMENSIONS].T
    return np.concatenate([features[k : k + _AT_ONCE] @ directions for k in range(0, len(features), _AT_ONCE)])


def _nearest(environments: Sequence[Environment], features: Floats, tolerance: float, threads: int) -> _Nearest:
    """Find the nearest environment of each that is not congruent to it."""
    from scipy.spatial import KDTree

    projected, norms = _projected(features), _norms(features)
    first, copies = _distinct(environments, features, projected, norms, tolerance)
    tree: Any = KDTree(projected[first])
    m = len(first)
    nearest = _Nearest(np.full(m, -1), np.full(m, np.nan), np.ones(m, dtype=bool))
    open_ones, count = np.arange(m), _FIRST
    while len(open_ones) and m > 1:
        count = min(count, m)
        left = []
        for start in range(0, len(open_ones), _AT_ONCE // _FIRST):
            asked = open_ones[start : start + _AT_ONCE // _FIRST]
            bound, found = tree.query(projected[first[asked]], count, workers=threads)
            apart = np.linalg.norm(features[first[asked], None] - features[first[found]], axis=2)
            apart[found == asked[:, None]] = np.inf
            for k, one in enumerate(asked.tolist()):
                here = environments[first[one]]
                for c in np.argsort(apart[k], kind="stable").tolist():
                    alike = apart[k, c] <= EQUAL * norms[first[one]]
                    if not (alike and congruent(here, environments[first[found[k, c]]], tolerance)):
                        break
                    apart[k, c] = np.inf
                best = int(apart[k].argmin())
                if np.isfinite(apart[k, best]):
                    nearest.other[one], nearest.distance[one] = first[found[k, best]], apart[k, best]
                # No other one is nearer than the last candidate is in the projection.
                nearest.certain[one] = apart[k, best] <= bound[k, -1] or count == m
                if not nearest.certain[one]:
                    left.append(one)
        open_ones = np.array(left, dtype=np.int64)
        if count >= _MOST:
            break
        count *= _GROWTH
    return _Nearest(nearest.other[copies], nearest.distance[copies], nearest.certain[copies])


def _distinct(
    environments: Sequence[Environment], features: Floats, projected: Floats, norms: Floats, tolerance: float
) -> tuple[Integers, Integers]:
    """Find the first of congruent environments, and for each environment which of these it is a copy of.

    Copies whose features are rounded to different sides of a step are found later, as candidates.
    """
    step = EQUAL * max(float(norms.max(initial=0.0)), np.finfo(np.float64).tiny)
    _, group = np.unique(np.floor(projected / step + 0.37), axis=0, return_inverse=True)
    first: list[int] = []
    members: dict[int, list[int]] = {}
    copies = np.empty(len(environments), dtype=np.int64)
    for k, number in enumerate(group.ravel().tolist()):
        for one in members.setdefault(number, []):
            apart = np.linalg.norm(features[k] - features[first[one]])
            if apart <= EQUAL * norms[k] and congruent(environments[k], environments[first[one]], tolerance):
                copies[k] = one
                break
        else:
            copies[k] = len(first)
            members[number].append(len(first))
            first.append(k)
    return np.array(first), copies


def _superposed(one: Environment, other: Environment) -> tuple[float, Floats]:
    """Root mean square distance after the best superposition, in Å, and its operation; NaN if the species differ."""
    if sorted(one.species.tolist()) != sorted(other.species.tolist()):
        return float("nan"), np.full((3, 3), np.nan)
    best = superpose(one, other)
    return best.distance, best.operation


def _references(what: Any, environments: Sequence[Environment]) -> tuple[Floats, Floats]:
    """Collect reference energies (m,) of the centres, and forces (m, 3) on them; NaN where there are none."""
    from ase import Atoms

    energies, forces = np.full(len(environments), np.nan), np.full((len(environments), 3), np.nan)
    structures = [what] if isinstance(what, Atoms) else what
    if not isinstance(structures[0], Atoms):
        return energies, forces
    of_atoms = [energies_of(atoms, f"what[{k}]") for k, atoms in enumerate(structures)]
    on_atoms = [forces_of(atoms, f"what[{k}]") for k, atoms in enumerate(structures)]
    for row, environment in enumerate(environments):
        index = environment.structure or 0
        for result, given in ((energies, of_atoms[index]), (forces, on_atoms[index])):
            if given is not None:
                result[row] = given[environment.center]
    return energies, forces
