"""Descriptors from the hyperparameters of other codes, and back. One file each; these tables name the functions."""

READERS = {
    "quip": "nullmode.adapters.hyperparameters.quip:from_quip",
    "gap": "nullmode.adapters.hyperparameters.gap:from_gap",
    "featomic": "nullmode.adapters.hyperparameters.featomic:from_featomic",
    "dscribe": "nullmode.adapters.hyperparameters.dscribe:from_dscribe",
    "metatrain": "nullmode.adapters.hyperparameters.metatrain:from_metatrain",
    "nullmode": "nullmode.adapters.hyperparameters.own:from_nullmode",
}
WRITERS = {
    "nullmode": "nullmode.adapters.hyperparameters.own:to_nullmode",
    "QUIP": "nullmode.adapters.hyperparameters.quip:to_quip",
    "featomic": "nullmode.adapters.hyperparameters.featomic:to_featomic",
    "dscribe": "nullmode.adapters.hyperparameters.dscribe:to_dscribe",
    "metatrain": "nullmode.adapters.hyperparameters.metatrain:to_metatrain",
}
"""What writes a descriptor as another code reads it."""
