"""Draw docs/figures/one_model.png: python docs/make_force_bounds.py."""

from pathlib import Path

from ase.build import molecule
from ase.calculators.emt import EMT
from matplotlib.figure import Figure

import nullmode as nm

COUNTS = (1, 2, 4, 8, 16, 32, 64)
TRUNCATIONS = ((1, 1), (2, 2), (4, 4), (6, 6))
_MEV = 1e3


def main() -> None:
    """Compute the bounds of ethanol, rattled by 0.05 Å, and draw them against the number of structures."""
    frames = [molecule("CH3CH2OH") for _ in range(max(COUNTS))]
    for seed, atoms in enumerate(frames):
        atoms.rattle(0.05, seed=seed)
        atoms.calc = EMT()
        atoms.get_forces()
    figure = Figure(figsize=(4.6, 3.0), layout="constrained")
    ax = figure.subplots()
    for k, (n_max, l_max) in enumerate(TRUNCATIONS):
        soap = nm.PowerSpectrum(n_max=n_max, l_max=l_max)
        bounds = [nm.linear_force_bound(frames[:count], soap) for count in COUNTS]
        all_, each = ([_MEV * getattr(bound, name) for bound in bounds] for name in ("one_for_all", "one_each"))
        print((n_max, l_max), [f"{value:.3g}" for value in all_], [f"{value:.3g}" for value in each])
        ax.plot(COUNTS, all_, color=f"C{k}", marker="o", markersize=3, label=f"({n_max}, {l_max})")
    force = [_MEV * nm.linear_force_bound(frames[:count], soap).force_rms for count in COUNTS]
    ax.plot(COUNTS, force, color="0.5", linestyle="--", label="the force itself")
    ax.set_xscale("log", base=2)
    ax.set_yscale("symlog", linthresh=1.0)
    ax.set_xticks(COUNTS, list(map(str, COUNTS)))
    ax.set_ylim(-0.3, 3 * max(force))
    ax.set(xlabel="structures", ylabel="least error of the forces / (meV/Å)")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False, fontsize=7)
    figure.savefig(Path(__file__).parent / "figures/one_model.png", dpi=160)


if __name__ == "__main__":
    main()
