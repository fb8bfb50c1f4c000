"""Figures: a function from the sensitivity table to a matplotlib figure. One file each; this table names them."""

FIGURES = {
    "paths": "nullmode.figures.paths:draw",
    "pair_map": "nullmode.figures.pair_map:draw",
    "truncation": "nullmode.figures.truncation:draw",
    "null_causes": "nullmode.figures.null_causes:draw",
    "null_modes": "nullmode.figures.null_modes:draw",
    "selection_rules": "nullmode.figures.selection_rules:draw",
}
GIVEN = ("table", "structures", "kinds")
"""Parameters of a figure's function that the workflow fills: the sensitivity table, and for figures that compute what
no table holds the structures of its families and the kinds of its descriptors, both by name. All others stand in the
configuration."""
ONE_TRUNCATION = "descriptors"
"""What this parameter of a figure names is drawn at one truncation; what ``descriptor`` names may be swept."""
