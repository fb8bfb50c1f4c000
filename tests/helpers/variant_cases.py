"""Small cases of every family, search and model: laws that hold for all of a kind run over these tables."""

import os

from configs import CHECKOUT

from nullmode import families
from nullmode._support.variants import load

# The whole table takes minutes at 200: NULLMODE_DRAWS=200 pytest tests/families/test_theory_families.py
DRAWS = int(os.environ.get("NULLMODE_DRAWS", "8"))
SMALL = CHECKOUT / "tests/data/small.extxyz"
FAMILIES = {
    "methane_distortion": {},
    "degenerate_pair": {},
    "mode_displacement": {"n_max": 4, "l_max": 4, "amplitudes": [-3, -2]},
    "twofold_pair": {},
    "twofold_point": {},
    "cone_point": {},
    "integer_pair": {},
    "homometric_set": {},
    "ring_pair": {},
    "point_groups": {},
    "cutoff_approach": {"n_structures": 3},
    "random_methane": {"n_structures": 5},
    "quasi_constant_orbit": {"t": [1.0, 0.5], "n_max": 4, "l_max": 6, "length": 0.1, "every": 2},
    "g2_molecules": {"elements": ["H", "O"]},
    "thermal_crystal": {"crystals": ["Cu", "NaCl"], "temperatures": [300], "repeat": 1},
    "cluster_dynamics": {"shells": 2, "n_frames": 2, "every": 5, "equilibration": 5},
    "water_cluster": {"n_molecules": 2, "n_frames": 2, "every": 5, "equilibration": 5},
    "file": {"path": SMALL},
}
"""Parameters of a family that make few structures."""

SEARCHES = {
    "singular": ({"attempts": 3}, {"mode", "manifold_dimension", "message"}),
    "orbit": ({"length": 0.05}, {"length", "mode", "feature_distance", "gap", "stopped"}),
    "partners": ({"n_starts": 2}, {"feature_distance", "structural_distance", "splits", "best_residual"}),
}
"""Parameters of a quick search, and the columns that only this kind of search has."""

MODELS = {"ridge": {"penalties": [1e-6]}, "mlp": {"hidden": [8], "steps": 200}}
"""Parameters of a model that is learned quickly."""


def made(kind, **parameters):
    return list(load(kind, families.FAMILIES, "family")(**parameters))
