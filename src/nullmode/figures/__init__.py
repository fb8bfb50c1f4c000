"""Figures: a function from the sensitivity table to a matplotlib figure. One file each; this table names them."""

FIGURES = {
    "paths": "nullmode.figures.paths:draw",
    "pair_map": "nullmode.figures.pair_map:draw",
    "truncation": "nullmode.figures.truncation:draw",
}
ONE_TRUNCATION = "descriptors"
"""What this parameter of a figure names is drawn at one truncation; what ``descriptor`` names may be swept."""
