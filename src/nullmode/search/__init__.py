"""Searches: from an environment and a descriptor to a record. One file each; this table names them."""

SEARCHES = {
    "singular": "nullmode.search.singular:find_singular",
    "orbit": "nullmode.search.orbit:follow_orbit",
    "partners": "nullmode.search.partners:find_partners",
}
GIVEN = ("environment", "descriptor", "rtol")
"""Parameters of a search that the workflow provides; all others are given in the configuration."""
