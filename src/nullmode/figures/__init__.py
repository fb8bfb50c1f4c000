"""Figures: from tables to a matplotlib figure and what it shows. One file each; this table names their records."""

FIGURES = {
    "paths": "nullmode.figures.paths:FIGURE",
    "pair_map": "nullmode.figures.pair_map:FIGURE",
    "truncation": "nullmode.figures.truncation:FIGURE",
    "null_causes": "nullmode.figures.null_causes:FIGURE",
    "null_modes": "nullmode.figures.null_modes:FIGURE",
    "selection_rules": "nullmode.figures.selection_rules:FIGURE",
    "merging": "nullmode.figures.merging:FIGURE",
    "crossing": "nullmode.figures.crossing:FIGURE",
    "scopes": "nullmode.figures.scopes:FIGURE",
    "convergence": "nullmode.figures.convergence:FIGURE",
    "orbits": "nullmode.figures.orbits:FIGURE",
    "partner_pairs": "nullmode.figures.partner_pairs:FIGURE",
    "distributions": "nullmode.figures.distributions:FIGURE",
    "spectra": "nullmode.figures.spectra:FIGURE",
    "bases": "nullmode.figures.bases:FIGURE",
    "four_body": "nullmode.figures.four_body:FIGURE",
    "learning": "nullmode.figures.learning:FIGURE",
    "near_singular": "nullmode.figures.near_singular:FIGURE",
}
