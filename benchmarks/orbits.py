"""Orbits of methane around a singular environment, as published (arXiv:2205.01062) and as nullmode follows them.

Twelve orbits (width of the density, distance t of the start) with GTOs and with radial functions fitted to random
methane, in the published 20000 steps of 1e-4 Å, of which every hundredth was published, and corrected. Prints
inverse condition numbers (min/median/max), ranges of the four-body energy, and how the orbits end. Run with
``python benchmarks/orbits.py``; takes some minutes on one core.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd

import nullmode as nm
from nullmode.families import random_methane
from nullmode.families.quasi_constant_orbit import FORWARD, start
from nullmode.learning.four_body import four_body_energy

PUBLISHED = {
    (0.5, 1.0): "2.1e-05/3.8e-04/9.4e-04",
    (0.5, 0.1): "1.4e-05/3.6e-04/6.6e-04",
    (0.5, 0.5): "6.0e-06/3.5e-04/6.5e-04",
    (0.5, 1.5): "4.6e-05/8.6e-04/1.8e-03",
    (0.3, 1.0): "3.3e-04/4.8e-03/9.9e-03",
    (0.3, 0.1): "3.9e-05/3.1e-03/5.6e-03",
    (0.3, 0.5): "1.6e-04/3.0e-03/5.7e-03",
    (0.3, 1.5): "6.3e-04/1.2e-02/2.1e-02",
    (0.2, 1.0): "6.4e-04/1.1e-02/2.0e-02",
    (0.2, 0.1): "2.6e-04/5.7e-03/1.0e-02",
    (0.2, 0.5): "8.2e-04/5.6e-03/1.0e-02",
    (0.2, 1.5): "5.4e-04/2.6e-02/4.7e-02",
}
PUBLISHED_ENERGY = {0.5: "0.922-1.226", 0.3: "0.934-1.252", 0.2: "0.940-1.263"}
SETTING = {"n_max": 8, "l_max": 8, "cutoff": 2.5, "cutoff_width": 0.0}
STEPS = {"scheme": "fixed_step", "length": 2.0, "step": 1e-4}
KEPT = 100
N_REFERENCES = 2000


def contracted(width):
    """The same with radial functions fitted to random methane."""
    frames = random_methane.structures(n_structures=N_REFERENCES, seed=1, radius=2.5)
    reference = nm.environments(list(frames), cutoff=2.5, centers="C")
    basis = nm.OptimalContraction(n_primitives=16)
    return nm.fit_contraction(nm.PowerSpectrum(radial_basis=basis, width=width, **SETTING), reference)


def observables(orbit):
    """Inverse condition numbers and four-body energies along an orbit."""
    values = orbit.singular_values
    energies = np.array([four_body_energy(item.vectors)[0] for item in orbit.environments])
    return values[:, -1] / values[:, 0], energies


def spread(values):
    return f"{values.min():.1e}/{np.median(values):.1e}/{values.max():.1e}"


def span(values):
    return f"{values.min():.3f}-{values.max():.3f}"


def main():
    rows = []
    worst = dict.fromkeys(["GTO", "fitted"], (0.0, 0.0))
    for (width, t), published in PUBLISHED.items():
        environment = nm.Environment.from_vectors(start(t))
        gto, fitted = nm.PowerSpectrum(width=width, **SETTING), contracted(width)
        every = nm.follow_orbit(environment, gto, direction=FORWARD, **STEPS)
        other = nm.follow_orbit(environment, fitted, direction=FORWARD, every=KEPT, **STEPS)
        curve = nm.follow_orbit(environment, gto, direction=FORWARD, length=4.0, accuracy=1e-5)
        (all_, energy), (cn, fitted_energy), (smooth, smooth_energy) = map(observables, (every, other, curve))
        # The last step was not published; both ends of the other are.
        kept = {"GTO": all_[:-1:KEPT], "fitted": cn[:-1]}
        wanted = np.array(published.split("/"), dtype=float)
        for name, values in kept.items():
            off = max(abs(np.median(values) / wanted[1] - 1), abs(values.max() / wanted[2] - 1))
            low = abs(np.log10(values.min() / wanted[0]))
            worst[name] = max(worst[name][0], off), max(worst[name][1], low)
        row = {"width / Å": width, "t": t, "s_d/s_1, published": published}
        row |= {f"{name}, every 100th": spread(values) for name, values in kept.items()}
        row |= {"GTO, all": spread(all_), "GTO, corrected": spread(smooth)}
        row |= {"energy, published": PUBLISHED_ENERGY[width] if t == 1 else ""}
        row |= {
            "with GTO": span(energy),
            "with fitted": span(fitted_energy),
            "with GTO, corrected": span(smooth_energy),
        }
        row |= {"bare steps: nearest return / Å": f"{every.gap:.1e}", "corrected: ends": curve.stopped}
        row |= {"length / Å": f"{curve.lengths[-1]:.4f}", "gap / Å": f"{curve.gap:.0e}"}
        rows.append(row | {"Jacobians": curve.history[-1].evaluations})
    frame = pd.DataFrame(rows).set_index(["width / Å", "t"])
    for columns in (frame.columns[:5], frame.columns[5:9], frame.columns[9:]):
        print(frame[columns].to_string(), end="\n\n")
    for name, (off, low) in worst.items():
        print(f"{name}: medians and maxima within {off:.0%} of the published, minima within 10^{low:.2f}")


if __name__ == "__main__":
    main()
