"""Singular points from the same starts by nullmode and by Nelder-Mead, the public practice, side by side.

Both look for s_d/s_1 <= 1e-13 within the same bounds. Nelder-Mead (scipy, adaptive) minimises s_d/s_1 plus what is
crossed of the bounds, over all coordinates; where it stalls, or ends at a symmetric point that is not wanted, it starts
again from a place moved at random, as nullmode does. Run with ``python benchmarks/search.py``.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time

import numpy as np
import pandas as pd
from scipy.optimize import minimize

import nullmode as nm
from nullmode.families import degenerate_pair, random_methane
from nullmode.search._bounds import Bounds
from nullmode.search._evaluation import Evaluator

ACCURACY = 1e-13
# Beyond these numbers of evaluations Nelder-Mead no longer gets anywhere.
RUN, RUNS = 5000, 2
SETTING = {"n_max": 8, "l_max": 8, "cutoff": 4.0, "cutoff_width": 0.5, "width": 0.3}


def nelder_mead(start, descriptor, asymmetry):
    """Vectors, s_d/s_1 and number of evaluations of a simplex search; asymmetry 0 takes any singular point."""
    evaluator = Evaluator(start, descriptor)
    first = evaluator.start.vectors
    bounds = Bounds(
        start=first,
        closest=0.5,
        farthest=np.maximum(np.linalg.norm(first, axis=1), descriptor.cutoff - descriptor.cutoff_width),
        displacement=np.inf,
        asymmetry=0.0,
    )

    def ratio(vectors):
        jacobian = evaluator.evaluate([vectors])[0][1]
        return evaluator.sensitivity(vectors, jacobian, 1e-9).inverse_condition_number

    def objective(x):
        vectors = x.reshape(-1, 3)
        return ratio(vectors) + bounds.crossed(vectors, set())[0].sum()

    def stop(intermediate_result):
        if intermediate_result.fun <= ACCURACY:
            raise StopIteration

    rng = np.random.default_rng(0)
    options = {"maxfev": RUN, "maxiter": RUN, "xatol": 1e-14, "fatol": 1e-17, "adaptive": True}
    for run in range(RUNS):
        moved = first.ravel() + 0.2 * np.sqrt(run) * rng.normal(size=first.size)
        end = minimize(objective, moved, method="Nelder-Mead", options=options, callback=stop)
        vectors = end.x.reshape(-1, 3)
        symmetric = asymmetry and nm.point_group(nm.Environment.from_vectors(vectors), 1e-5).name != "C1"
        if end.fun <= ACCURACY and not symmetric:
            break
    return vectors, ratio(vectors), evaluator.evaluations


def ours(start, descriptor, asymmetry):
    found = nm.find_singular(start, descriptor, asymmetry=asymmetry, accuracy=ACCURACY)
    values = found.singular_values[0]
    return found.environments[0].vectors, values[-1] / values[0], found.evaluations


def main():
    methane = nm.environments(list(random_methane.structures(n_structures=50, seed=0)), cutoff=4.0, centers="C")
    pair = nm.environments(list(degenerate_pair.structures(u=[0.9], v=[0.03], signs=[1])), cutoff=4.0, centers="C")
    descriptor = nm.PowerSpectrum(**SETTING)
    nm.find_singular(pair[0], descriptor)
    rows = []
    for name, starts in (("X+(.9 pi, .03 pi)", pair), ("50 random CH4", methane)):
        for wanted, asymmetry in (("any", 0.0), ("without symmetry", 0.3)):
            for method, search in (("nullmode", ours), ("Nelder-Mead", nelder_mead)):
                begin = time.process_time()
                ends = [search(start, descriptor, asymmetry) for start in starts]
                seconds = time.process_time() - begin
                ratios, counts = np.array([end[1] for end in ends]), [end[2] for end in ends]
                row = {"starts": name, "singular points": wanted, "method": method, "C1, spurious": 0}
                for vectors, ratio, _ in ends:
                    if ratio <= ACCURACY:
                        why = nm.attribute(nm.Environment.from_vectors(vectors), descriptor, tolerance=1e-6)
                        row["C1, spurious"] += why.point_group == "C1" and why.rank < why.rank_symmetric
                row |= {"<= 1e-13": (ratios <= ACCURACY).sum(), "<= 1e-6": (ratios <= 1e-6).sum()}
                row |= {"evaluations: median": np.median(counts), "mean": np.mean(counts), "CPU s": round(seconds, 1)}
                rows.append(row)
    print(pd.DataFrame(rows).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
