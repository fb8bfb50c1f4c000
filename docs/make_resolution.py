"""Print the tables of docs/how-large-must-my-basis-be.md: python docs/make_resolution.py."""

from dataclasses import replace
from typing import cast

import nullmode as nm
from nullmode.families import degenerate_pair, g2_molecules, random_methane, thermal_crystal, water_cluster

SETS = {
    "Si, 300 K": (
        list(thermal_crystal.structures(crystals=["Si"], temperatures=[300], repeat=2, n_centers=4, seed=1)),
        None,
    ),
    "Cu, 300 K": (
        list(thermal_crystal.structures(crystals=["Cu"], temperatures=[300], repeat=3, n_centers=2, seed=1)),
        None,
    ),
    "random CH4": (list(random_methane.structures(n_structures=30, seed=1)), "C"),
    "X+(π, 0)": (list(degenerate_pair.structures(u=[1.0], v=[0.0], signs=[1])), None),
    "molecules": (list(g2_molecules.structures(elements=["H", "C", "O"]))[::8], None),
    "(H2O)16": (list(water_cluster.structures(n_molecules=16, temperature=250, n_frames=1, every=200, seed=1)), "O"),
}
FEATOMIC = {
    "cutoff": {"radius": 5.0, "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
    "density": {"type": "Gaussian", "width": 0.3},
    "basis": {"type": "TensorProduct", "max_angular": 4, "radial": {"type": "Gto", "max_radial": 6}},
}
DSCRIBE = {"r_cut": 6.0, "n_max": 8, "l_max": 6, "species": ["H"]}
QUIP = "soap n_max={} l_max={} atom_sigma=0.5 cutoff=5.0 cutoff_transition_width=1.0"
SETTINGS = {
    "silicon GAP": nm.from_quip(QUIP.format(10, 12)),
    "metatrain": nm.from_metatrain({"architecture": {"name": "gap"}}),
    "featomic": nm.from_featomic(FEATOMIC),
    "DScribe": nm.from_dscribe(DSCRIBE),
    "QUIP, quick": nm.from_quip(QUIP.format(8, 4)),
    "QUIP, accurate": nm.from_quip(QUIP.format(12, 6)),
}
NOTHING = 1e-12
BASES = {
    "GTO": "gto",
    "Laplacian": "laplacian-eigenstates",
    "contraction": nm.OptimalContraction(n_primitives=16),
    "Chebyshev": "chebyshev",
    "Legendre": nm.Legendre(transform="inverse"),
    "DVR": "dvr",
}
TARGETS = (0.5, 0.9)
GRID = {"n_max": [2, 4, 6, 8, 10, 12, 14, 16], "l_max": [2, 4, 6, 8, 10, 12, 14, 16, 20]}


def environments(name: str, descriptor: nm.PowerSpectrum) -> list[nm.Environment]:
    """Cut a few environments out of a set."""
    structures, centers = SETS[name]
    found = []
    for atoms in structures:
        own = atoms.info.get("centers")
        found += nm.environments(atoms, cutoff=descriptor.cutoff, centers=centers if own is None else list(own))
    # Neighbours of molecules are few; most of an environment's rows must move something.
    return [each for each in found if len(each) > 1][:: max(1, len(found) // 16)]


def published() -> str:
    """Write the smallest and the median resolution of each set at each setting."""
    lines = ["| setting | " + " | ".join(SETS) + " |", "|---|" + "---|" * len(SETS)]
    for label, setting in SETTINGS.items():
        # Channels of the species of each set.
        descriptor = replace(cast("nm.PowerSpectrum", setting.descriptor), species=None)
        cells = []
        for name in SETS:
            rows = nm.analyze(environments(name, descriptor), descriptor, resolution=True)
            values = rows["resolution"].where(rows["resolution"] > NOTHING, 0)
            cells.append(f"{values.min():.2g}, {values.median():.2g}")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def needed(basis: str, width: float) -> str:
    """Write the fewest features of one species that reach a resolution in half of the environments of each set."""
    lines = []
    for name in SETS:
        descriptor = nm.PowerSpectrum(width=width, cutoff=5.0, cutoff_width=0.5, n_max=16, l_max=20)
        envs = environments(name, descriptor)
        descriptor = replace(descriptor, radial_basis=BASES[basis])
        if basis == "contraction":
            # So many functions are told apart by many environments only.
            own = environments("random CH4", descriptor) if name.startswith("X") else envs
            if len(own) < descriptor.n_max:
                continue
            descriptor = nm.fit_contraction(replace(descriptor, n_max=10), own)
        sizes = [n for n in GRID["n_max"] if n <= descriptor.n_max]
        rows = nm.truncation_sweep(envs, descriptor, resolution=True, n_max=sizes, l_max=GRID["l_max"])
        median = rows.groupby(["n_max", "l_max"])["resolution"].median().reset_index()
        median["features"] = (median["l_max"] + 1) * median["n_max"] * (median["n_max"] + 1) // 2
        cells = []
        for target in TARGETS:
            enough = median[median["resolution"] >= target].sort_values("features")
            first = enough.iloc[0] if len(enough) else None
            cells.append(
                "none" if first is None else f"({first['n_max']:.0f}, {first['l_max']:.0f}): {first['features']:.0f}"
            )
        best = median["resolution"].max()
        within = rows["resolution_within_cutoff"].median()
        lines.append(f"| {name} | {width} | {basis} | " + " | ".join(cells) + f" | {best:.2g} | {within:.2g} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


if __name__ == "__main__":
    published()
    for basis in BASES:
        for width in (0.5, 0.3):
            needed(basis, width)
