"""Figures: a function from a table to a matplotlib figure and what it shows. One file each; this table names them."""

FIGURES = {
    "paths": "nullmode.figures.paths:draw",
    "pair_map": "nullmode.figures.pair_map:draw",
    "truncation": "nullmode.figures.truncation:draw",
    "null_causes": "nullmode.figures.null_causes:draw",
    "null_modes": "nullmode.figures.null_modes:draw",
    "selection_rules": "nullmode.figures.selection_rules:draw",
    "convergence": "nullmode.figures.convergence:draw",
    "orbits": "nullmode.figures.orbits:draw",
    "partner_pairs": "nullmode.figures.partner_pairs:draw",
    "distributions": "nullmode.figures.distributions:draw",
    "spectra": "nullmode.figures.spectra:draw",
    "bases": "nullmode.figures.bases:draw",
    "four_body": "nullmode.figures.four_body:draw",
    "near_singular": "nullmode.figures.near_singular:draw",
}
GIVEN = ("table", "structures", "kinds", "searches")
"""Parameters of a figure's function that the workflow fills: the sensitivity table, and for figures that compute what
no table holds the structures of its families and the kinds of its descriptors, both by name. A figure with `searches`
gets no sensitivity table but the tables of its search: what was found, and the steps, by name. All other parameters
stand in the configuration."""
SEARCHED = {"orbits": "orbit", "partner_pairs": "partners"}
"""Figures that draw one kind of search alone."""
PAIRED = ("four_body",)
"""Figures whose descriptors belong to one family each, in the same place; others draw every one on every family."""
ONE_TRUNCATION = "descriptors"
"""What this parameter of a figure names is drawn at one truncation; what ``descriptor`` names may be swept."""
EVERY_TRUNCATION = ("near_singular",)
"""Figures that draw every truncation of all their descriptors, on those of their families that each is run on."""
