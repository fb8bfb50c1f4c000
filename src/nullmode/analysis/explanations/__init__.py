"""Explanations: functions that compute the modes that a figure draws, as rows of the explanations table.

One file each; this table names them. A function takes the sensitivity table, the structures tables of the families by
name, the kinds of the descriptors by name, and parameters of the figure.
"""

EXPLANATIONS = {
    "null_modes": "nullmode.analysis.explanations.null_modes:explain",
    "selection_rules": "nullmode.analysis.explanations.selection_rules:explain",
    "near_singular": "nullmode.analysis.explanations.near_singular:explain",
}
