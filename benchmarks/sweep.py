"""A sweep over 72 truncations of nu = 2 against its largest point and against 72 separate runs, one thread.

Prints medians over rounds that take turns, so that a busy machine slows all alike; run with ``make benchmark``.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time
from dataclasses import replace
from unittest.mock import patch

import numpy as np

import nullmode as nm
from nullmode.families import random_methane
from nullmode.linalg.batched_svd import singular_values
from nullmode.spectrum import truncations

N_STRUCTURES = 1000
ROUNDS = 5
N_MAX, L_MAX = range(1, 9), range(9)


def factors(descriptor, environments, n_max, l_max, stacks):
    """Coefficients, Jacobian and every triangular factor of a sweep; the singular values are left to be timed alone."""

    def keep(stack):
        stacks.append(stack)
        return np.zeros(stack.shape[:-1])

    stacks.clear()
    with patch.object(truncations.batched_svd, "singular_values", keep):
        nm.truncation_sweep(environments, descriptor, n_max, l_max, threads=1)


def tasks(soap, environments):
    stacks = []
    largest_l = [lambda n=n: factors(soap, environments, [n], [8], []) for n in N_MAX]
    return {
        "largest point": [largest_l[-1]],
        "largest l of each n": largest_l,
        "72 factors": [lambda: factors(soap, environments, N_MAX, L_MAX, stacks)],
        "72 SVDs": [lambda: [singular_values(stack) for stack in stacks]],
        "sweep": [lambda: nm.truncation_sweep(environments, soap, N_MAX, L_MAX, threads=1)],
        "72 runs": [
            lambda n=n, l=l: nm.analyze(environments, replace(soap, n_max=n, l_max=l), threads=1)
            for n in N_MAX
            for l in L_MAX
        ],
    }


def main():
    structures = list(random_methane.structures(n_structures=N_STRUCTURES, seed=1))
    environments = nm.environments(structures, cutoff=4.0, centers="C")
    setting = {"n_max": 8, "l_max": 8, "cutoff": 4.0, "cutoff_width": 0.5, "width": 0.3}
    for basis in ("gto", "laplacian-eigenstates"):
        soap = nm.PowerSpectrum(radial_basis=basis, **setting)
        work = tasks(soap, environments)
        seconds = {name: [] for name in work}
        for _ in range(ROUNDS + 1):
            for name, runs in work.items():
                start = time.perf_counter()
                for run in runs:
                    run()
                seconds[name].append(time.perf_counter() - start)
        # The first round compiles, tabulates and fills caches.
        times = {name: 1e6 * np.median(values[1:]) / N_STRUCTURES for name, values in seconds.items()}
        unit = "largest point" if soap.nested else "largest l of each n"
        print(f"{basis}, of one CH4:", ", ".join(f"{name} {value:.0f} µs" for name, value in times.items()))
        print(f"  72 factors / {unit}: {times['72 factors'] / times[unit]:.2f}")
        print(f"  sweep / (72 factors + 72 SVDs): {times['sweep'] / (times['72 factors'] + times['72 SVDs']):.2f}")
        print(f"  72 runs / sweep: {times['72 runs'] / times['sweep']:.1f}")


if __name__ == "__main__":
    main()
