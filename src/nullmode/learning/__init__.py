"""Models that learn a target from features: functions that make one, and targets; these tables name them."""

MODELS = {
    "ridge": "nullmode.learning.ridge:model",
    "mlp": "nullmode.learning.mlp:model",
}
TARGETS = {
    "four_body_energy": "nullmode.learning.four_body:four_body_energy",
}
"""Functions from the neighbours' vectors, shape (n, 3), in Å, to a value and something that is not learned."""
