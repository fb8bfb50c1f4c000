"""Adapters: features from elsewhere (featomic, dscribe, quippy, any function) as descriptors. One file each."""
