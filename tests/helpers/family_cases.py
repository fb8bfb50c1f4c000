"""Parameters of families that tests share."""

import os

from nullmode._support.variants import load
from nullmode.families import FAMILIES

# The whole table takes minutes at 200: NULLMODE_DRAWS=200 pytest tests/families/test_theory_families.py
DRAWS = int(os.environ.get("NULLMODE_DRAWS", "8"))
REALISTIC = {
    "g2_molecules": {"elements": ["H", "C"]},
    "thermal_crystal": {"crystals": ["Si", "NaCl"], "temperatures": [100, 300], "samples": 2, "n_centers": 5},
    "cluster_dynamics": {"shells": 2, "n_frames": 3, "every": 2, "equilibration": 2},
    "water_cluster": {"n_molecules": 3, "n_frames": 2, "every": 2, "equilibration": 2},
}


def made(kind, **parameters):
    return list(load(kind, FAMILIES, "family")(**parameters))
