"""Features and full Jacobian of random CH4 (C centre), one thread, side by side with featomic in one process.

Prints medians over rounds that take turns, so that a busy machine slows both alike; run with ``make benchmark``.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time

import featomic
import numpy as np
from metatensor import Labels
from rich.console import Console
from rich.table import Table

import nullmode as nm
from nullmode.families import random_methane

N_STRUCTURES = 200
ROUNDS = 7
SIZES = [(4, 4), (8, 8), (12, 10)]


def peer(n_max, l_max, structures):
    calculator = featomic.SoapPowerSpectrum(
        cutoff={"radius": 4.0, "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
        density={"type": "Gaussian", "width": 0.3, "center_atom_weight": 0.0},
        basis={"type": "TensorProduct", "max_angular": l_max, "radial": {"type": "Gto", "max_radial": n_max - 1}},
    )
    # The carbon is the first atom and hydrogen the only neighbour, as nullmode computes it.
    samples = Labels(["atom"], np.array([[0]]))
    keys = Labels(["center_type", "neighbor_1_type", "neighbor_2_type"], np.array([[6, 1, 1]]))
    return lambda: calculator.compute(structures, gradients=["positions"], selected_samples=samples, selected_keys=keys)


def ours(soap, environments):
    return lambda: soap.compute_batch_with_jacobian(environments)


def analysed(soap, environments):
    def run():
        results = soap.compute_batch_with_jacobian(environments)
        return [nm.sensitivity(jac, env) for env, (_, jac) in zip(environments, results, strict=True)]

    return run


def main():
    structures = list(random_methane.structures(n_structures=N_STRUCTURES, seed=1))
    environments = nm.environments(structures, cutoff=4.0, centers="C")
    table = Table("n_max, l_max", "featomic / µs", "nullmode / µs", "ratio", "with SVD and modes / µs")
    for n_max, l_max in SIZES:
        soap = nm.PowerSpectrum(n_max=n_max, l_max=l_max, cutoff=4.0, cutoff_width=0.5, width=0.3)
        tasks = [peer(n_max, l_max, structures), ours(soap, environments), analysed(soap, environments)]
        seconds = np.empty((ROUNDS + 1, len(tasks)))
        for times in seconds:
            for place, task in enumerate(tasks):
                start = time.perf_counter()
                task()
                times[place] = time.perf_counter() - start
        # The first round compiles and fills caches.
        featomic_time, time_, with_svd = 1e6 * np.median(seconds[1:], axis=0) / N_STRUCTURES
        ratio = f"{featomic_time / time_:.1f}"
        table.add_row(f"{n_max}, {l_max}", f"{featomic_time:.0f}", f"{time_:.1f}", ratio, f"{with_svd:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
