"""Descriptors from the hyperparameters of other codes. One file each; this table names what reads them."""

READERS = {
    "quip": "nullmode.adapters.hyperparameters.quip:from_quip",
    "gap": "nullmode.adapters.hyperparameters.gap:from_gap",
    "featomic": "nullmode.adapters.hyperparameters.featomic:from_featomic",
    "dscribe": "nullmode.adapters.hyperparameters.dscribe:from_dscribe",
    "metatrain": "nullmode.adapters.hyperparameters.metatrain:from_metatrain",
    "nullmode": "nullmode.adapters.hyperparameters.own:from_nullmode",
}
