"""Degenerate partners looked for from one member of each pair, and where there should be none; how hard it is.

Twenty random A± by the power spectrum and five random ring pairs by the bispectrum, whose other member the search is
not told; twenty random methanes by the bispectrum. One line per target; "back home" counts the starts that led back
to the target. Run with ``make benchmark``; some minutes.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time

import numpy as np
import pandas as pd

import nullmode as nm
from nullmode.families import random_methane, ring_pair, twofold_pair

N_STARTS = 100
SETTING = {"cutoff": 4.0, "cutoff_width": 0.5, "width": 0.3}
POWER = nm.PowerSpectrum(n_max=8, l_max=8, **SETTING)
BISPECTRUM = nm.Bispectrum(n_max=4, l_max=5, **SETTING)


def random_pairs(generator):
    """Parameters anywhere; pairs that come within 0.01 Å of congruence are drawn again."""

    def drawn(draw):
        while True:
            one, other = (nm.Environment.from_vectors(vectors) for vectors in draw())
            if nm.superpose(one, other).distance > 0.01:
                return one, other

    def twofold():
        angles = {name: generator.uniform(0, 180) for name in ("gamma", "alpha", "theta")}
        lengths = {name: generator.uniform(0.8, 1.5) for name in ("r_a", "r_b", "r_c")}
        phi = generator.uniform(0, 360)
        return [twofold_pair.hydrogens(**angles, **lengths, phi=phi, sign=sign) for sign in (1, -1)]

    def rings():
        azimuths, psi = generator.uniform(0, 360, size=3).tolist(), generator.uniform(0, 360)
        radius, height, cap = generator.uniform([0.8, 0.2, 0.8], [1.3, 0.8, 1.5])
        size = {"radius": radius, "height": height, "cap": cap, "shift": 0.0}
        return [ring_pair.hydrogens(azimuths=azimuths, psi=psi, **size, sign=sign) for sign in (1, -1)]

    return [(*drawn(twofold), POWER) for _ in range(20)], [(*drawn(rings), BISPECTRUM) for _ in range(5)]


def main():
    twofold, rings = random_pairs(np.random.default_rng(0))
    methanes = nm.environments(list(random_methane.structures(20, seed=1)), cutoff=4.0, centers="C")
    cases = {"A±": twofold, "rings": rings, "generic": [(env, None, BISPECTRUM) for env in methanes]}
    # Kernels compile first.
    nm.find_partners(twofold[0][0], POWER)
    nm.find_partners(rings[0][0], BISPECTRUM, n_starts=10)
    rows = []
    for kind, targets in cases.items():
        for k, (env, partner, descriptor) in enumerate(targets):
            start = time.perf_counter()
            result = nm.find_partners(env, descriptor, n_starts=N_STARTS, seed=k)
            seconds = time.perf_counter() - start
            row = {"target": f"{kind} {k}", "found": result.converged, "it is the one": ""}
            if result.converged and partner is not None:
                row["it is the one"] = nm.congruent(result.environments[0], partner)
            row |= {"starts": result.n_starts, "Jacobians": result.evaluations}
            row |= {"s": f"{seconds:.2f}", "back home": result.outcomes.get("itself", 0)}
            if result.converged:
                row["feature distance"] = f"{result.feature_distances[0]:.0e}"
                row["apart / Å"] = f"{result.structural_distances[0]:.3f}"
                row["split by"] = f"nu = {result.split_by()}"
            row["best other minimum, there"] = f"{result.best_residual:.0e}, {result.best_distance:.2f} Å"
            rows.append(row)
    print(f"Partners from at most {N_STARTS} starts")
    print(pd.DataFrame(rows).fillna("").to_string(index=False))


if __name__ == "__main__":
    main()
