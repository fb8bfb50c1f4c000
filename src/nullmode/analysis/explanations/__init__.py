"""Explanations: functions that compute the modes that a figure draws, as rows of the explanations table.

One file each; this table names them.
"""

EXPLANATIONS = {
    "null_modes": "nullmode.analysis.explanations.null_modes:explain",
    "selection_rules": "nullmode.analysis.explanations.selection_rules:explain",
    "near_singular": "nullmode.analysis.explanations.near_singular:explain",
}
