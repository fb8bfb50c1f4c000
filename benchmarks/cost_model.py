"""Compare the estimates of ``nullmode.sweep.cost`` with measured processor time in 90 cases (``make cost-model``)."""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time

import numpy as np

import nullmode as nm
from nullmode._support.variants import load
from nullmode.analysis.rows import AnalysisOptions, measure
from nullmode.attribution.geometry_ranks import Cases
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._base import changed
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment_set import EnvironmentSet
from nullmode.sweep.cost import estimates

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


def random_environment(rng, n, species):
    """Draw n neighbours that keep a distance from each other and from the smoothed range below the cutoff."""
    least, vectors = min(1.0, (20 / n) ** (1 / 3)), np.zeros((1, 3))
    while len(vectors) <= n:
        trial = rng.uniform(-CUTOFF, CUTOFF, 3)
        if np.linalg.norm(trial) < CUTOFF - 0.6 and (np.linalg.norm(vectors - trial, axis=1) > least).all():
            vectors = np.vstack([vectors, trial])
    return nm.Environment.from_vectors(vectors[1:], [("H", "C", "N", "O")[k % species] for k in range(n)])


def case(varied, value, kind, parameters):
    """Estimate and measure the seconds per environment of one case, in one thread."""
    n, species = (value if varied == name else least for name, least in (("neighbours", 8), ("species", 1)))
    rng = np.random.default_rng([n, species])
    items = [random_environment(rng, n, species) for _ in range(value if varied == "environments" else 200)]
    fixed = {"cutoff": CUTOFF} | parameters | ({varied: value} if varied in ("n_max", "l_max") else {})
    descriptor = with_layout_of(load(kind, DESCRIPTORS, "descriptor")(**fixed), items)
    steps = range(1, value + 1) if varied == "truncations" else []
    truncations = [changed(descriptor, n_max=n_max, l_max=l_max) for n_max in steps for l_max in steps] or [descriptor]

    def seconds(count):
        ranks = Cases(EnvironmentSet.from_environments(items[:count]))
        start = time.process_time()
        measure(ranks, truncations, AnalysisOptions(rtol=1e-9, tolerance=1e-6), threads=1)
        return (time.process_time() - start) / count

    seconds(1)  # compiles kernels, and fills tables
    count = min(len(items), max(1, int(0.2 / seconds(min(5, len(items))))))
    # An estimate takes no more neighbours than fit into the cutoff: let there be room for all.
    wide = [changed(each, cutoff=2 * CUTOFF) for each in truncations]
    size = nm.FamilySize(structures=count, atoms=n + 1, centers=1, species=species)
    return estimates(wide, [size])[size].seconds, np.median([seconds(count) for _ in range(3)])


ratios = []
for varied, values, kinds in SERIES:
    for kind, parameters in kinds.items():
        for value in values:
            estimated, measured = case(varied, value, kind, parameters)
            ratios.append(estimated / measured)
            print(f"{kind:18}{varied:>13} {value:3}: {measured:7.5f} s, estimated {estimated:7.5f} s", flush=True)
share = np.mean([0.5 <= ratio <= 2 for ratio in ratios])
print(f"{len(ratios)} cases: estimated over measured is {np.median(ratios):.2f} (median), in [0.5, 2] for {share:.0%}")
