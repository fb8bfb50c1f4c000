"""Columns of the table of a recommendation: what each setting costs, keeps and misses."""

import pyarrow as pa

_TEXT, _INTEGER, _FLOAT = pa.string(), pa.int64(), pa.float64()

RECOMMENDED = (
    ("correlation_order", _INTEGER, "number of neighbours correlated (nu)"),
    ("radial_basis", _TEXT, "radial functions"),
    ("n_max", _INTEGER, "number of radial functions"),
    ("l_max", _INTEGER, "largest angular momentum, inclusive"),
    ("cutoff", _FLOAT, "radius of the environment", "Å"),
    ("cutoff_width", _FLOAT, "smoothing range below the cutoff", "Å"),
    ("width", _FLOAT, "standard deviation of the Gaussian density", "Å"),
    ("features", _INTEGER, "number of features for all species of the set"),
    ("resolution", _FLOAT, "of the sample, the quantile that has to reach the target"),
    ("resolution_worst", _FLOAT, "smallest of the sample"),
    ("resolution_median", _FLOAT, "median of the sample"),
    (
        "resolution_within_cutoff",
        _FLOAT,
        "smallest of what functions that end at the cutoff can reach; null for functions that do not end there",
    ),
    ("n_measured", _INTEGER, "environments whose resolution is known"),
    ("null_truncation", _INTEGER, "null values of the sample because of the truncation"),
    ("null_unresolved", _INTEGER, "null values of the sample whose cause is not known"),
    ("null_incompleteness", _INTEGER, "null values of the sample because of the body order"),
    ("null_cutoff", _INTEGER, "null values of the sample because of the cutoff"),
    ("null_width", _INTEGER, "null values of the sample because of the width"),
    (
        "unseen_force",
        _FLOAT,
        "root mean square of the force that no potential on the features gives; null where it was not looked for",
        "eV/Å",
    ),
    ("force_rms", _FLOAT, "root mean square of the force in the same structures", "eV/Å"),
    (
        "microseconds",
        _FLOAT,
        "measured time of features and Jacobian of an environment; null off the front",
        "µs",
    ),
    ("kilobytes", _FLOAT, "memory of features and Jacobian of an environment; null off the front", "kB"),
    ("misses", _TEXT, "why the setting is not enough; empty if it is"),
    ("front", pa.bool_(), "whether no other setting has fewer features and a higher resolution"),
)
"""As arguments of :class:`nullmode.tables.columns.Column`."""
