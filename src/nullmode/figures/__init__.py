"""Figures: from tables to a matplotlib figure and what it shows. One file each; this table names their functions."""

FIGURES = {
    "paths": "nullmode.figures.paths:draw",
    "pair_map": "nullmode.figures.pair_map:draw",
    "truncation": "nullmode.figures.truncation:draw",
    "null_causes": "nullmode.figures.null_causes:draw",
    "null_modes": "nullmode.figures.null_modes:draw",
    "selection_rules": "nullmode.figures.selection_rules:draw",
    "merging": "nullmode.figures.merging:draw",
    "crossing": "nullmode.figures.crossing:draw",
    "scopes": "nullmode.figures.scopes:draw",
    "convergence": "nullmode.figures.convergence:draw",
    "orbits": "nullmode.figures.orbits:draw",
    "partner_pairs": "nullmode.figures.partner_pairs:draw",
    "distributions": "nullmode.figures.distributions:draw",
    "spectra": "nullmode.figures.spectra:draw",
    "bases": "nullmode.figures.bases:draw",
    "four_body": "nullmode.figures.four_body:draw",
    "learning": "nullmode.figures.learning:draw",
    "near_singular": "nullmode.figures.near_singular:draw",
}
