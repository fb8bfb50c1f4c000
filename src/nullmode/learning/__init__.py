"""Models that learn a target from features, and targets. One file each; these tables name their functions."""

MODELS = {
    "ridge": "nullmode.learning.ridge:model",
    "mlp": "nullmode.learning.mlp:model",
}
TARGETS = {
    "four_body_energy": "nullmode.learning.four_body:four_body_energy",
}
"""Functions from the neighbours' vectors, shape (n, 3), in Å, to a tuple; its first entry is the value to learn."""
