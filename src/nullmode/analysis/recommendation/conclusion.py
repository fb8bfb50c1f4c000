"""What is found and what to do: sentences, and lines of configuration."""

from typing import Any

import pandas as pd

from nullmode._support.types import Floats, InputError
from nullmode._support.variants import load
from nullmode.adapters.hyperparameters import WRITERS
from nullmode.analysis.recommendation.candidates import Grid
from nullmode.analysis.recommendation.record import Recommendation, setting, share
from nullmode.analysis.recommendation.sampling import Sample
from nullmode.analysis.recommendation.table import BODY_ORDER, LENGTHS
from nullmode.descriptors._base import LARGEST_L, DensityDescriptor

PEERS = {
    "QUIP": "quip-gaussians",
    "featomic": "gto",
    "dscribe": "dscribe-gto",
    "metatrain": "gto",
}
"""Codes, and their radial functions."""
_GROWS = 1.02
"""A resolution that is larger by this factor than at the next smaller truncation still grows."""


def conclude(
    table: pd.DataFrame,
    cheapest: dict[str, tuple[int | None, DensityDescriptor | None]],
    best: int | None,
    own: int | None,
    sample: Sample,
    *,
    target: float,
    quantile: float,
    seed: int,
    others: Floats | None,
    grid: Grid,
    left_out: list[str],
    n_whole: int,
) -> Recommendation:
    """Put the recommendation together.

    `cheapest` holds what is enough with each kind of radial functions; `best` and `own` are the rows of the cheapest of
    all, and of the setting that was given.
    """
    front = table[table["front"]].sort_values(["features", "resolution"], kind="stable")
    front = front.assign(best=front.index == best).reset_index(drop=True)
    found = {index: descriptor for index, descriptor in cheapest.values() if index is not None}
    lines: dict[str, str] = {}
    missing: list[str] = []
    other: dict[int, list[str]] = {}
    row: Any
    if best is not None:
        lines["nullmode"] = load("nullmode", WRITERS, "writer")(found[best])
        for name, basis in PEERS.items():
            if basis not in cheapest:
                missing.append(f"{name} ({basis})")
            elif (index := cheapest[basis][0]) is not None:
                try:
                    lines[name] = load(name, WRITERS, "writer")(found[index])
                except InputError:
                    continue
                if index != best:
                    other.setdefault(index, []).append(name)
    notes = []
    if own is not None and own != best:
        row = table.loc[own]
        notes.append(
            f"The given one, {setting(row)}: {row['features']} features, resolution {share(row['resolution_worst'])} "
            f"at worst, {share(row['resolution_median'])} in the median: {'not ' * bool(row['misses'])}enough."
        )
    for index, names in other.items():
        row = table.loc[index]
        notes.append(
            f"The cheapest with the functions of {' and '.join(names)}: {setting(row)}, {row['features']} features, "
            f"{share(row['resolution_worst'])} at worst."
        )
    for name, basis in PEERS.items():
        if basis in cheapest and cheapest[basis][0] is None and best is not None:
            highest = _highest(table[table["radial_basis"] == basis])
            most = "" if highest is None else f": at best {share(highest['resolution'])}"
            notes.append(f"No setting that was searched with the functions of {name} ({basis}) is enough{most}.")
    if missing:
        notes.append(f"Not searched, since their radial functions were not asked for: {', '.join(missing)}.")
    if left_out:
        notes.append(f"{len(left_out)} settings were left out, the first: {left_out[0]}")
    if any(len(getattr(grid, name)) > 1 for name in LENGTHS):
        notes.append(
            "Lengths were searched too: a resolution is a share of what they can show, so that a wide density or a "
            "short cutoff needs few features because it shows less."
        )
    if n_whole and best is not None:
        notes.append(f"No force is unseen by any potential on it, in {n_whole} structure{'s' * (n_whole > 1)}.")
    finding, advice = (
        _enough(table, best, target, quantile, seed, others)
        if best is not None
        else (_none(table, target, quantile), _cure(table, target, grid))
    )
    return Recommendation(
        target=target,
        quantile=quantile,
        table=table,
        front=front,
        best=None if best is None else found[best],
        lines=lines,
        sample=sample.table(),
        n_considered=sample.n_considered,
        others=() if others is None else tuple(map(float, others)),
        notes=tuple(notes),
        finding=finding,
        advice=advice,
    )


def _which(quantile: float) -> str:
    named = {0.0: "worst", 0.5: "median", 1.0: "best"}
    return f"{named.get(quantile, f'quantile {quantile:g} of the')} environment"


def _enough(
    table: pd.DataFrame, best: int, target: float, quantile: float, seed: int, others: Floats | None
) -> tuple[str, str]:
    row: Any = table.loc[best]
    finding = (
        f"The cheapest that keeps {target:g} in the {_which(quantile)}: {setting(row)}, {row['features']} features; "
        f"resolution {share(row['resolution_worst'])} at worst, {share(row['resolution_median'])} in the median."
    )
    advice = "What to do: take it."
    if others is not None:
        count = int((others < target).sum())
        finding += f" On {len(others)} other centres, drawn at random (seed {seed}), the worst is {others.min():.2g}"
        finding += f", {count} below the target." if count else "."
        if count and quantile == 0:
            advice = "What to do: take it, or a higher target if these centres matter."
    return finding, advice


def _highest(table: pd.DataFrame) -> Any:
    """Give the row with the highest resolution, among body orders that are enough."""
    able = table[~table["misses"].str.startswith(BODY_ORDER) & table["resolution"].notna()]
    reach = able.sort_values(["resolution", "features"], ascending=[False, True], kind="stable")
    return reach.iloc[0] if len(reach) else None


def _none(table: pd.DataFrame, target: float, quantile: float) -> str:
    highest = _highest(table)
    if highest is None:
        return f"None of {len(table)} settings is enough: {table['misses'].iloc[-1]}."
    finding = (
        f"None of {len(table)} settings is enough for {target:g} in the {_which(quantile)}: the best, "
        f"{setting(highest)}, {highest['features']} features, has resolution {share(highest['resolution_worst'])} at "
        f"worst, {share(highest['resolution_median'])} in the median"
    )
    if highest["resolution"] >= target:
        finding += f", but {highest['misses']}"
    return f"{finding}."


def _cure(table: pd.DataFrame, target: float, grid: Grid) -> str:
    """Say why no setting is enough, and what may help."""
    highest = _highest(table)
    if highest is None:
        return "What to do: take the next correlation order, or structures whose environments are smaller."
    if highest["resolution"] >= target:
        kinds = {"null by truncation": "enlarge n_max and l_max", "unseen force": "take the next correlation order"}
        cures = [cure for words, cure in kinds.items() if words in highest["misses"]]
        return f"What to do: {' and '.join(cures) or 'see column misses of the table'}."
    why = []
    ending = table[table["resolution_within_cutoff"] < target]
    for kind, rows in ending.groupby("radial_basis"):
        why.append(
            f"functions that end at the cutoff, as {kind} do, keep at most {rows['resolution_within_cutoff'].max():.2g}"
            " here, whatever their number"
        )
    # Of functions that may grow towards what the cutoff allows, and no further, more are no cure.
    free = table[~(table["resolution_within_cutoff"] < target)]
    highest = _highest(free) if len(free) else None
    if highest is None:
        cure = "search functions that reach beyond the cutoff, such as gto"
    else:
        same = ["correlation_order", "radial_basis", *LENGTHS]
        group = table[table[same].eq(highest[same]).all(axis=1)]
        axes = {"n_max": "l_max", "l_max": "n_max"}
        grows = [name for name, fixed in axes.items() if _grows(group, highest, name, fixed)]
        if grows:
            largest = " and ".join(f"{name} (up to {max(getattr(grid, name))} here)" for name in grows)
            why.append(f"of {highest['radial_basis']}, the resolution still grows with {largest}")
        else:
            why.append(f"of {highest['radial_basis']}, it no longer grows with n_max and l_max")
        at_most = f" (l_max is at most {LARGEST_L})" if "l_max" in grows else ""
        cure = f"search larger values of {' and '.join(grows)}{at_most}" if grows else "search a larger width"
    return (
        f"Why: {'; '.join(why)}. What to do: {cure}; or take a lower target, a shorter cutoff, or a larger width, "
        "which shows less."
    )


def _grows(group: pd.DataFrame, highest: Any, name: str, fixed: str) -> bool:
    """Whether the resolution still grows along n_max or l_max where the highest one has its largest value."""
    line = group[group[fixed] == highest[fixed]].sort_values(name)
    if len(line) < 2 or highest[name] < line[name].iloc[-1]:
        return len(line) < 2
    return bool(line["resolution"].iloc[-1] > _GROWS * line["resolution"].iloc[-2])
