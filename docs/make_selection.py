"""Print the table of fewest features in docs/how-large-must-my-basis-be.md: python docs/make_selection.py."""

import sys
import warnings
from collections.abc import Iterator

import numpy as np
from skmatter.feature_selection import CUR, FPS

import nullmode as nm
from nullmode._support.types import Floats, Integers
from nullmode.families import g2_molecules, random_methane, thermal_crystal, water_cluster

TARGET = 0.9
DRAWS = 5
SETS = {
    "CH4, random": (
        list(random_methane.structures(n_structures=120)),
        "C",
        nm.PowerSpectrum(n_max=8, l_max=8, width=0.3, cutoff=4.0, cutoff_width=0.5),
    ),
    "Si, 300 K": (
        list(thermal_crystal.structures(crystals=["Si"], temperatures=[300], repeat=2, n_centers=48, seed=1)),
        None,
        nm.PowerSpectrum(n_max=10, l_max=12, width=0.5, cutoff=5.0, cutoff_width=1.0),
    ),
    "molecules": (
        list(g2_molecules.structures(elements=["H", "C", "O"])),
        ["C", "O"],
        nm.PowerSpectrum(n_max=6, l_max=4, width=0.3, cutoff=4.0, cutoff_width=0.5),
    ),
    "(H2O)16": (
        list(water_cluster.structures(n_molecules=16, temperature=250, n_frames=3, every=500, seed=1)),
        "O",
        nm.PowerSpectrum(n_max=8, l_max=6, width=0.5, cutoff=5.0, cutoff_width=1.0),
    ),
}


def environments(name: str) -> tuple[list[nm.Environment], list[nm.Environment]]:
    """Cut the environments of a set out; every third is held out."""
    structures, centers, descriptor = SETS[name]
    if centers is None:
        centers = list(structures[0].info["centers"])
    with warnings.catch_warnings():
        # Hydrogen atoms at random places are farther apart than those of molecules.
        warnings.filterwarnings("ignore", "coordinates must be in Å")
        found = nm.environments(structures, cutoff=descriptor.cutoff, centers=centers)
    found = [each for each in found if len(each) > 1]
    return [each for i, each in enumerate(found) if i % 3 != 2], found[2::3]


def orders(descriptor: nm.Selected, members: list[nm.Environment]) -> Iterator[tuple[str, Integers]]:
    """Rank all features by FPS and CUR, each of the features and of their derivatives in a set, and at random."""
    count = len(descriptor.feature_labels())
    results = descriptor.compute_batch_with_jacobian(members)
    values = np.array([features for features, _ in results])
    slopes = np.concatenate([jacobian.reshape(count, -1).T for _, jacobian in results])
    for data in (values - values.mean(axis=0), slopes):
        scaled = data / np.linalg.norm(data) * np.sqrt(len(data))
        yield "FPS", _complete(FPS(n_to_select=count - 1, initialize=0), scaled)
        for options in ({"recompute_every": 1, "k": 1}, {"recompute_every": 0, "k": 30}):
            yield "CUR", _complete(CUR(n_to_select=count - 1, **options), scaled)
    for seed in range(DRAWS):
        yield "random", np.random.default_rng(seed).permutation(count)


def _complete(selector: object, data: Floats) -> Integers:
    """Fit a selector; what it does not rank comes last."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranked = np.asarray(selector.fit(data).selected_idx_)
    return np.concatenate([ranked, np.setdiff1d(np.arange(data.shape[1]), ranked)])


def resolutions(descriptor: nm.Descriptor, features: Integers, members: list[nm.Environment]) -> Floats:
    """Resolution of some features, against all, for each environment."""
    chosen = nm.Selected(descriptor, features.tolist())
    return np.array([nm.resolution(each, chosen, reference="full").worst for each in members])


def needed(descriptor: nm.Descriptor, order: Integers, members: list[nm.Environment]) -> int:
    """Count the first features of an order that reach the target; more never keep less."""
    low, high = 1, len(order)
    while low < high:
        middle = (low + high) // 2
        if np.nanmin(resolutions(descriptor, order[:middle], members)) >= TARGET:
            high = middle
        else:
            low = middle + 1
    return low


def row(name: str) -> str:
    """Write a row: how many features each needs, and what they keep on the environments held out."""
    members, others = environments(name)
    result = nm.select_features(members, SETS[name][2], TARGET, held_out=others)
    whole = result.descriptor.descriptor
    best: dict[str, list[tuple[int, float, float]]] = {}
    for method, order in orders(whole, members):
        count = needed(whole, order, members)
        kept = resolutions(whole, order[: len(result.features)], members)
        held = resolutions(whole, order[:count], others)
        best.setdefault(method, []).append((count, float(np.nanmin(kept)), float(np.nanmin(held))))
        print("   ", name, method, *best[method][-1], file=sys.stderr)
    cells = [f"{len(result.features)}"]
    for found in best.values():
        count, kept, _ = min(found)
        cells.append(f"{count} ({kept:.2f})")
    low, middle = np.nanmin(result.held_out), np.nanmedian(result.held_out)
    return (
        f"| {name} | {len(members)}, {len(others)} | {result.n_features} | "
        + " | ".join(cells)
        + f" | {low:.2f}, {middle:.2f} |"
    )


if __name__ == "__main__":
    heads = ["set", "environments, held out", "all features", "`select_features`", "FPS", "CUR", "random"]
    print("| " + " | ".join([*heads, "held out: smallest, median"]) + " |\n" + "|---" * (len(heads) + 1) + "|")
    for name in SETS:
        print(row(name), flush=True)
