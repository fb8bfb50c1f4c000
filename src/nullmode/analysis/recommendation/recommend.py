"""The cheapest settings that keep a stated share of what a complete basis sees."""

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nullmode._support.arguments import as_real, as_whole, check_threads, check_tolerance
from nullmode._support.threads import single_threaded_blas
from nullmode._support.types import InputError
from nullmode.analysis.analyze import analyze
from nullmode.analysis.recommendation.candidates import L_MAX, N_MAX, ORDERS, Grid, grid_of, made
from nullmode.analysis.recommendation.conclusion import conclude
from nullmode.analysis.recommendation.record import Recommendation
from nullmode.analysis.recommendation.sampling import draw
from nullmode.analysis.recommendation.table import LENGTHS, front_of, summed_up
from nullmode.analysis.rows import AnalysisOptions, measure
from nullmode.analysis.sample import small_enough
from nullmode.attribution.geometry_ranks import Cases
from nullmode.descriptors._base import DensityDescriptor
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.geometry.environment import Centers, Environment, within
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.geometry.forces import forces_of
from nullmode.limits.metric import primitives
from nullmode.spectrum.decomposition import check_rtol

if TYPE_CHECKING:
    from ase import Atoms

_FRAMES, _ATOMS = 8, 200
"""Structures that are looked at as a whole, and how many atoms they have together at most."""
_UNSEEN, _SHARE = 1e-3, 1e-3
"""Unseen force counts above so many eV/Å, and above this share of the force."""
_TIME = 0.02
"""Seconds for which features are computed again and again to measure their time."""
_ENTRIES = 30_000_000


def recommend(
    structures: "Atoms | Sequence[Atoms]",
    descriptor: DensityDescriptor | None = None,
    target: float = 0.5,
    *,
    n_max: int | Sequence[int] = N_MAX,
    l_max: int | Sequence[int] = L_MAX,
    radial_basis: Any = None,
    correlation_order: int | Sequence[int] = ORDERS,
    cutoff: float | Sequence[float] | None = None,
    cutoff_width: float | Sequence[float] | None = None,
    width: float | Sequence[float] | None = None,
    quantile: float = 0.0,
    centers: Centers = None,
    seed: int = 0,
    rtol: float = 1e-9,
    tolerance: float = 1e-6,
    threads: int | None = None,
    progress: bool = False,
) -> Recommendation:
    """Find the cheapest settings of a density descriptor that are large enough for a set of structures.

    A setting is large enough if its resolution (:func:`nullmode.resolution`) reaches the target in a sample of the
    environments, if none of their displacements is null by truncation, nor by a body order that a higher one of the
    grid cures, and if any potential on the features of whole structures reaches all of the forces that the structures
    carry. The cheapest has the fewest features.

    The sample is drawn to cover the set: of each species of the centre, up to 32 environments that are as different as
    possible (farthest-point sampling of a small power spectrum; no random numbers), with about 300 neighbours in all if
    each has 20 or more. The recommended setting is then measured on half as many others, drawn at random with a seed.

    Parameters
    ----------
    structures
        Molecules or crystals, with forces or without.
    descriptor
        What is not searched: lengths in Å, weights, species; by default ``PowerSpectrum()``. If it is given, its own
        truncation is compared as well.
    target
        Resolution to reach, between 0 and 1.
    n_max, l_max, radial_basis, correlation_order
        What is searched, one value or several. By default the radial functions are GTO, Laplacian eigenstates, and the
        descriptor's own; ``quip-gaussians`` and ``dscribe-gto`` take their lengths from the descriptor's.
        correlation_order is 1 (radial spectrum), 2 (power spectrum) or 3 (bispectrum, up to n_max = l_max = 6).
    cutoff, cutoff_width, width
        In Å, to search them as well. A resolution is a share of what one set of lengths can show: it tells
        which basis is large enough for them, not which lengths show more.
    quantile
        Which resolution of the sample must reach the target: 0 for the worst environment, 0.5 for the median.
    centers, rtol, tolerance, threads, progress
        As in :func:`nullmode.analyze`.
    seed
        Of the random numbers for the environments on which the result is checked.

    Raises
    ------
    InputError
        For a target outside (0, 1), values out of range, a descriptor of another kind or without a limit, and as
        :func:`nullmode.environments`.
    """
    from ase import Atoms

    base: Any = PowerSpectrum() if descriptor is None else descriptor
    asked = {"n_max": n_max, "l_max": l_max, "radial_basis": radial_basis, "correlation_order": correlation_order}
    lengths = {"cutoff": cutoff, "cutoff_width": cutoff_width, "width": width}
    grid = check_asked(base, target, quantile, seed, **asked, **lengths)
    check_rtol(rtol)
    check_tolerance(tolerance)
    check_threads(threads)
    listed = [structures] if isinstance(structures, Atoms) else list(structures)
    sample = draw(listed, base, centers, grid.cutoff[0], grid.cutoff[-1], _FRAMES, seed)
    descriptors, left_out = made(
        sample.descriptor, grid, len(sample.descriptor.species or ()), max(map(len, sample.chosen))
    )
    own = None
    if descriptor is not None and base.cutoff in grid.cutoff and base.correlation_order in grid.orders:
        if sample.descriptor not in descriptors:
            descriptors.append(sample.descriptor)
        own = descriptors.index(sample.descriptor)
    options = AnalysisOptions(rtol=rtol, attribution=True, resolution=True, tolerance=tolerance)
    rows = _measured(sample.chosen, descriptors, options, threads=threads, progress=progress)
    table = summed_up(rows, descriptors, quantile, target)
    whole = small_enough((listed[k] for k in sample.structures), _ATOMS)
    whole = [atoms for atoms in whole if forces_of(atoms) is not None]
    known: Any = {"centers": centers, "rtol": rtol, "tolerance": tolerance, "threads": threads}
    cheapest = {kind: _cheapest(table, descriptors, whole, known, kind) for kind in table["radial_basis"].unique()}
    passing = [index for index in cheapest.values() if index is not None]
    best = min(passing, key=lambda index: _cost(table, index), default=None)
    table["front"] = front_of(table)
    for index in {*np.flatnonzero(table["front"]), *passing}:
        table.loc[index, ["microseconds", "kilobytes"]] = timed(descriptors[index], sample.chosen)
    others = None
    if best is not None and sample.others:
        measured = analyze(sample.others, descriptors[best], rtol, resolution=True, threads=threads)
        others = measured["resolution"].to_numpy(dtype=np.float64)
    return conclude(
        table,
        {kind: (index, None if index is None else descriptors[index]) for kind, index in cheapest.items()},
        best,
        own,
        sample,
        target=target,
        quantile=quantile,
        seed=seed,
        others=others,
        grid=grid,
        left_out=left_out,
        n_whole=len(whole),
    )


def check_asked(descriptor: Any, target: Any, quantile: Any, seed: Any, **asked: Any) -> Grid:
    """Refuse what :func:`recommend` refuses of its arguments, but for the structures; give what is searched."""
    if not 0 < as_real(target) < 1:
        raise InputError(f"`target` must be a resolution between 0 and 1, got {target!r}. Take 0.5, or 0.9.")
    if not 0 <= as_real(quantile) <= 1:
        raise InputError(f"`quantile` must be from 0, the worst environment, to 1, got {quantile!r}.")
    if (as_whole(seed) or 0) < 0 or as_whole(seed) is None:
        raise InputError(f"`seed` must be a whole number of at least 0, got {seed!r}.")
    return grid_of(descriptor, **asked)


def _measured(
    environments: list[Environment],
    descriptors: list[DensityDescriptor],
    options: AnalysisOptions,
    *,
    threads: int | None,
    progress: bool,
) -> pd.DataFrame:
    """Analyse environments by descriptors, of which those with one cutoff share their limits."""
    frames = []
    for cutoff in sorted({each.cutoff for each in descriptors}):
        own = [index for index, each in enumerate(descriptors) if each.cutoff == cutoff]
        # Limits that are found with the best within the cutoff serve the other functions, too.
        own.sort(key=lambda index: not primitives(descriptors[index].radial_basis).ends_at_cutoff)
        cases = Cases(EnvironmentSet.from_environments([within(each, cutoff) for each in environments]))
        rows, _ = measure(cases, [descriptors[k] for k in own], options, threads=threads, progress=progress)
        frames.append(rows.assign(point=np.array(own)[rows["point"]]))
    return pd.concat(frames, ignore_index=True)


def _cost(table: pd.DataFrame, index: int) -> tuple[int, float]:
    """Rank settings by their features, and equal ones by their resolution."""
    return int(table["features"].iloc[index]), -float(table["resolution"].iloc[index])


def _cheapest(
    table: pd.DataFrame, descriptors: list[DensityDescriptor], whole: "list[Atoms]", known: Any, basis: str
) -> int | None:
    """Find the cheapest setting with some radial functions that misses nothing; write why others miss into the table.

    Whole structures are analysed for the cheapest one alone, and for the next if that has unseen force.
    """
    while True:
        able = np.flatnonzero((table["radial_basis"] == basis) & (table["misses"] == ""))
        if not len(able):
            return None
        index = min(map(int, able), key=lambda each: _cost(table, each))
        if not whole:
            return index
        rows = analyze(whole, descriptors[index], scope="potential", attribution=True, **known)
        squares = (rows[["unseen_force", "force_rms"]].astype(np.float64) ** 2).mean()
        unseen, force = np.sqrt(squares.to_numpy())
        table.loc[index, ["unseen_force", "force_rms"]] = unseen, force
        if not unseen > max(_UNSEEN, _SHARE * force):
            return index
        why = f"unseen force of {1e3 * unseen:.2g} meV/Å"
        table.loc[index, "misses"] = why
        if not rows[["null_truncation", "null_unresolved"]].fillna(0).to_numpy().any():
            # No truncation changes it: others of the same body order and lengths need not be tried.
            same = table[["correlation_order", *LENGTHS]].eq(table.loc[index, ["correlation_order", *LENGTHS]])
            table.loc[same.all(axis=1) & (table["misses"] == ""), "misses"] = f"{why}, whatever the truncation"


def timed(descriptor: DensityDescriptor, environments: list[Environment]) -> tuple[float, float]:
    """Measure microseconds for features and Jacobian of an environment on one processor, and count their kilobytes."""
    inside = [within(each, descriptor.cutoff) for each in environments]
    features = len(descriptor.compute(inside[0]))
    sizes = np.array([features * (1 + 3 * len(each)) for each in inside])
    inside = inside[: max(1, int(np.searchsorted(np.cumsum(sizes), _ENTRIES)))]
    shortest, total = np.inf, 0.0
    with single_threaded_blas():
        # The first run may make a table, and is not counted.
        descriptor.compute_batch_with_jacobian(inside[:1])
        while total < _TIME:
            start = perf_counter()
            descriptor.compute_batch_with_jacobian(inside)
            elapsed = perf_counter() - start
            shortest, total = min(shortest, elapsed), total + elapsed
    return 1e6 * shortest / len(inside), float(8 * sizes.mean() / 1000)
