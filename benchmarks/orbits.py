"""Orbits of methane around a singular environment, as published (arXiv:2205.01062) and as nullmode follows them.

Twelve orbits (width of the density, distance t of the start) with GTOs and with radial functions fitted to random
methane, in the published 20000 steps of 1e-4 Å, of which every hundredth was published, and corrected. Prints
inverse condition numbers (min/median/max) and ranges of the four-body energy side by side; writes orbits.{pdf,svg,png}.
Run with ``python benchmarks/orbits.py [FOLDER]``; takes some minutes on one core.
"""

import os

# Before the libraries start their threads.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import nullmode as nm
from nullmode.families import random_methane
from nullmode.families.quasi_constant_orbit import FORWARD, start
from nullmode.figures._base import save, style
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
WIDTHS, STARTS = (0.5, 0.3, 0.2), (1.0, 0.1, 0.5, 1.5)
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
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results/benchmarks")
    numbers = Table("width/Å", "t", "published", "GTO, every 100th", "fitted, every 100th", "all GTO", "GTO, corrected")
    energies = Table("width/Å", "t", "published", "GTO", "fitted", "GTO, corrected")
    ends = Table("width/Å", "t", "nearest return of bare steps/Å", "corrected: ends", "length/Å", "gap/Å", "Jacobians")
    worst = dict.fromkeys(["GTO", "fitted"], (0.0, 0.0))
    drawn = {}
    for width, t in track(PUBLISHED, console=Console(stderr=True)):
        environment = nm.Environment.from_vectors(start(t))
        gto, fitted = nm.PowerSpectrum(width=width, **SETTING), contracted(width)
        every = nm.follow_orbit(environment, gto, direction=FORWARD, **STEPS)
        other = nm.follow_orbit(environment, fitted, direction=FORWARD, every=KEPT, **STEPS)
        curve = nm.follow_orbit(environment, gto, direction=FORWARD, length=4.0, accuracy=1e-5)
        (all_, energy), (cn, fitted_energy), (smooth, smooth_energy) = map(observables, (every, other, curve))
        # The last step was not published; both ends of the other are.
        found = {"GTO": all_[:-1:KEPT], "fitted": cn[:-1]}
        wanted = np.array(PUBLISHED[width, t].split("/"), dtype=float)
        for name, values in found.items():
            off = max(abs(np.median(values) / wanted[1] - 1), abs(values.max() / wanted[2] - 1))
            low = abs(np.log10(values.min() / wanted[0]))
            worst[name] = max(worst[name][0], off), max(worst[name][1], low)
        name = f"{width:g}", f"{t:g}"
        numbers.add_row(*name, PUBLISHED[width, t], *map(spread, found.values()), spread(all_), spread(smooth))
        wanted_energy = PUBLISHED_ENERGY[width] if t == 1 else ""
        energies.add_row(*name, wanted_energy, span(energy), span(fitted_energy), span(smooth_energy))
        ends.add_row(
            *name,
            f"{every.gap:.1e}",
            curve.stopped,
            f"{curve.lengths[-1]:.4f}",
            f"{curve.gap:.0e}",
            str(curve.history[-1].evaluations),
        )
        drawn[width, t] = (every.lengths, all_, energy), (curve.lengths, smooth, smooth_energy)
    console = Console(width=170)
    for table in (numbers, energies, ends):
        console.print(table)
    for name, (off, low) in worst.items():
        console.print(f"{name}: medians and maxima within {off:.0%} of the published, minima within 10^{low:.2f}")
    save(draw(drawn), folder / "orbits")
    console.print(f"Figure: {folder / 'orbits.png'}")


def draw(drawn):
    """Inverse condition numbers (above) and energies (below) along each orbit; a row of pairs per width."""
    with style():
        figure, axes = plt.subplots(2 * len(WIDTHS), len(STARTS), figsize=(11, 11), layout="constrained")
        for (width, t), curves in drawn.items():
            row, column = 2 * WIDTHS.index(width), STARTS.index(t)
            above, below = axes[row, column], axes[row + 1, column]
            for (lengths, values, energy), name, line in zip(
                curves, ("20000 steps of 1e-4 Å", "corrected"), ({"color": "0.65"}, {"color": "C3"}), strict=True
            ):
                above.semilogy(lengths, values, label=name, **line)
                below.plot(lengths, energy, **line)
            above.set_title(f"width {width:g} Å, t = {t:g}")
            above.axhline(float(PUBLISHED[width, t].split("/")[1]), color="C0", linewidth=0.6, label="published median")
            if t == 1:
                for value in PUBLISHED_ENERGY[width].split("-"):
                    below.axhline(float(value), color="C0", linewidth=0.6, linestyle="--")
        for line in axes[::2]:
            line[0].set_ylabel("$s_d / s_1$")
        for line in axes[1::2]:
            line[0].set_ylabel("four-body energy")
        for ax in axes[-1]:
            ax.set_xlabel("length of the orbit / Å")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
        plt.close(figure)
        return figure


if __name__ == "__main__":
    main()
