"""Compare the estimates of ``nullmode.sweep.cost`` with measured processor time in 90 cases; run ``make cost-model``.

Each case analyses random environments in one thread, as a job of the workflow does. The table of all cases is written
into the folder named on the command line.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

import nullmode as nm
from nullmode._support.variants import load
from nullmode.analysis.rows import AnalysisOptions, measure
from nullmode.attribution.causes import EnvironmentRanks
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import changed, with_species_of
from nullmode.families._base import FamilySize
from nullmode.sweep.cost import estimate

CUTOFF = 4.0
# What is varied, its values, and the kinds of descriptor with their other parameters.
SERIES = [
    ("neighbours", [4, 6, 9, 13, 19, 27, 40], {"radial-spectrum": {}, "power-spectrum": {}}),
    ("neighbours", [4, 6, 9, 13], {"bispectrum": {"n_max": 3, "l_max": 3}, "trispectrum": {"n_max": 2, "l_max": 2}}),
    ("neighbours", [4, 8, 16, 32], {"acsf": {}, "overlap-matrix": {}, "inverse-distances": {}, "coulomb-matrix": {}}),
    ("n_max", [2, 3, 4, 6, 8, 12], {"radial-spectrum": {}, "power-spectrum": {"l_max": 6}}),
    ("n_max", [2, 3, 4, 5], {"bispectrum": {"l_max": 3}, "trispectrum": {"l_max": 2}}),
    ("l_max", [2, 4, 6, 8, 12, 16], {"power-spectrum": {"n_max": 6}}),
    ("l_max", [1, 2, 3, 4, 5], {"bispectrum": {"n_max": 3}, "trispectrum": {"n_max": 1}}),
    ("species", [1, 2, 3, 4], {"power-spectrum": {"n_max": 6, "l_max": 6}, "acsf": {}}),
    ("environments", [1, 10, 100, 300], {"power-spectrum": {}}),
    ("truncations", [1, 2, 4, 8], {"power-spectrum": {"radial_basis": "laplacian-eigenstates"}}),
]


def environments(n, species, count):
    """Draw random environments of n neighbours that keep a distance from each other, if there is room for it."""
    rng = np.random.default_rng([n, species])
    least = min(1.0, (20 / n) ** (1 / 3))
    result = []
    for _ in range(count):
        vectors = np.empty((0, 3))
        while len(vectors) < n:
            trial = rng.uniform(-CUTOFF, CUTOFF, 3)
            if least < np.linalg.norm(trial) < CUTOFF - 0.6 and (np.linalg.norm(vectors - trial, axis=1) > least).all():
                vectors = np.vstack([vectors, trial])
        result.append(nm.Environment.from_vectors(vectors, [("H", "C", "N", "O")[k % species] for k in range(n)]))
    return result


def case(varied, value, kind, parameters):
    """Estimate and measure one case, in seconds per environment."""
    n, species = value if varied == "neighbours" else 8, value if varied == "species" else 1
    items = environments(n, species, value if varied == "environments" else 200)
    parameters = parameters | ({varied: value} if varied in ("n_max", "l_max") else {})
    descriptor = with_species_of(load(kind, DESCRIPTORS, "descriptor")(**parameters, cutoff=CUTOFF), items)
    if varied == "truncations":
        sizes = range(1, value + 1)
        truncations = [changed(descriptor, n_max=n_max, l_max=l_max) for n_max in sizes for l_max in sizes]
    else:
        truncations = [descriptor]

    def seconds(count):
        ranks = [EnvironmentRanks(item) for item in items[:count]]
        start = time.process_time()
        measure(ranks, truncations, AnalysisOptions(rtol=1e-9, tolerance=1e-6), threads=1)
        return (time.process_time() - start) / count

    seconds(1)  # compiles kernels, and fills tables
    count = min(len(items), max(1, int(0.2 / seconds(min(5, len(items))))))
    size = FamilySize(structures=count, atoms=n + 1, centers=1, species=species)
    return {
        "varied": varied,
        "value": value,
        "kind": kind,
        # With a wide cutoff, since an estimate takes no more neighbours than fit into it.
        "estimated": estimate([changed(each, cutoff=2 * CUTOFF) for each in truncations], size).seconds,
        "measured": float(np.median([seconds(count) for _ in range(3)])),
    }


def main(folder):
    table = pd.DataFrame(
        case(varied, value, kind, parameters)
        for varied, values, kinds in SERIES
        for kind, parameters in kinds.items()
        for value in values
    )
    table["ratio"] = table["estimated"] / table["measured"]
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "cost_model.parquet")
    print(table.to_string(float_format="{:.2g}".format))
    share = table["ratio"].between(0.5, 2).mean()
    print(f"estimated over measured: median {table['ratio'].median():.2f}, {100 * share:.0f} % between 0.5 and 2")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/benchmarks"))
