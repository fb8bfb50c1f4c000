"""Types, checks of arguments, files, hashes of code, variants, threads, the one Numba policy: no physics."""
