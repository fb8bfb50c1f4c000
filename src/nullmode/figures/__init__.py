"""Figures: a function from a table to a matplotlib figure and what it shows. One file each; this table names them."""

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
DRAWN = {
    "structures": (("family", "families"), {"structures": "structures/{}.parquet"}),
    "searches": (
        ("search",),
        {"search": "searches/{}/found.parquet", "search_steps": "searches/{}/steps.parquet"},
    ),
    "predictions": (("regressions",), {"regression": "regressions/{}.parquet"}),
}
"""Parameters of a figure's function that are tables by name; the keys of the configuration that name them, and which
tables these are, in which files of the results. Several of one name come as a tuple."""
GIVEN = ("table", *DRAWN, "kinds")
"""Parameters of a figure's function that the workflow fills: the sensitivity table, those of ``DRAWN``, and for a
figure that computes itself the kinds of its descriptors by name. All others stand in the configuration."""
SEARCHED = {"orbits": "orbit", "partner_pairs": "partners"}
"""Figures that draw one kind of search alone."""
NAMED = (
    ("family", "families", "families"),
    ("descriptor", "descriptors", "descriptors"),
    ("search", "searches", "searches"),
    ("regression", "regressions", "regressions"),
)
"""Parameters of figures that name what the configuration declares, one or many, and where it declares it."""
PAIRED = ("four_body",)
"""Figures whose descriptors belong to one family each, in the same place; others draw every one on every family."""
ONE_TRUNCATION = "descriptors"
"""What this parameter of a figure names is drawn at one truncation; what ``descriptor`` names may be swept."""
EVERY_TRUNCATION = ("near_singular",)
"""Figures that draw every truncation of all their descriptors, on those of their families that each is run on."""
