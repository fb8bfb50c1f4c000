"""Columns of the table of a recommendation: what each setting costs, keeps and misses."""

import pyarrow as pa

from nullmode.tables.column import FLOAT, INTEGER, TEXT, Column

RECOMMENDATION = (
    Column("correlation_order", INTEGER, "number of neighbours correlated (nu)"),
    Column("radial_basis", TEXT, "radial functions"),
    Column("n_max", INTEGER, "number of radial functions"),
    Column("l_max", INTEGER, "largest angular momentum, inclusive"),
    Column("cutoff", FLOAT, "radius of the environment", "Å"),
    Column("cutoff_width", FLOAT, "smoothing range below the cutoff", "Å"),
    Column("width", FLOAT, "standard deviation of the Gaussian density", "Å"),
    Column("features", INTEGER, "number of features for all species of the set"),
    Column("resolution", FLOAT, "of the sample, the quantile that has to reach the target"),
    Column("resolution_worst", FLOAT, "smallest of the sample"),
    Column("resolution_median", FLOAT, "median of the sample"),
    Column(
        "resolution_within_cutoff",
        FLOAT,
        "smallest of what functions that end at the cutoff can reach; null for functions that do not end there",
    ),
    Column("n_measured", INTEGER, "environments whose resolution is known"),
    Column("null_truncation", INTEGER, "null values of the sample because of the truncation"),
    Column("null_unresolved", INTEGER, "null values of the sample whose cause is not known"),
    Column("null_incompleteness", INTEGER, "null values of the sample because of the body order"),
    Column("null_cutoff", INTEGER, "null values of the sample because of the cutoff"),
    Column("null_width", INTEGER, "null values of the sample because of the width"),
    Column(
        "unseen_force",
        FLOAT,
        "root mean square of the force that no potential on the features gives; null where it was not looked for",
        "eV/Å",
    ),
    Column("force_rms", FLOAT, "root mean square of the force in the same structures", "eV/Å"),
    Column(
        "microseconds",
        FLOAT,
        "measured time of features and Jacobian of an environment; null off the front",
        "µs",
    ),
    Column("kilobytes", FLOAT, "memory of features and Jacobian of an environment; null off the front", "kB"),
    Column("misses", TEXT, "why the setting is not enough; empty if it is"),
    Column("front", pa.bool_(), "whether no other setting has fewer features and a higher resolution"),
)
