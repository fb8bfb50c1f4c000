"""Families of configurations: a function from parameters to structures. One file each; this table names them.

A structure is an ``ase.Atoms``; every number or text in its ``info`` is a coordinate and becomes a column of the
tables, except ``info["centers"]``: the indices of the central atoms (all atoms where it is missing). Structures with
the same integer coordinate ``pair`` are compared: the tables then hold the distance of their features.
"""

FAMILIES = {
    "methane_distortion": "nullmode.families.methane_distortion:structures",
    "degenerate_pair": "nullmode.families.degenerate_pair:structures",
    "mode_displacement": "nullmode.families.mode_displacement:structures",
    "twofold_pair": "nullmode.families.twofold_pair:structures",
    "twofold_point": "nullmode.families.twofold_point:structures",
    "cone_point": "nullmode.families.cone_point:structures",
    "integer_pair": "nullmode.families.integer_pair:structures",
    "homometric_set": "nullmode.families.homometric_set:structures",
    "ring_pair": "nullmode.families.ring_pair:structures",
    "point_groups": "nullmode.families.point_groups:structures",
    "cutoff_approach": "nullmode.families.cutoff_approach:structures",
    "random_methane": "nullmode.families.random_methane:structures",
    "quasi_constant_orbit": "nullmode.families.quasi_constant_orbit:structures",
    "g2_molecules": "nullmode.families.g2_molecules:structures",
    "thermal_crystal": "nullmode.families.thermal_crystal:structures",
    "cluster_dynamics": "nullmode.families.cluster_dynamics:structures",
    "water_cluster": "nullmode.families.water_cluster:structures",
    "file": "nullmode.families.file:structures",
}
