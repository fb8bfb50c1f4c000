"""Chemical elements by symbol and number."""

from typing import Any

import numpy as np

from nullmode._support.arguments import as_whole, listed
from nullmode._support.types import InputError, Integers


def atomic_number(species: Any, argument: str = "species") -> int:
    """Atomic number of a symbol or an integer; anything else, or an unknown element, is an InputError."""
    number = known_number(species)
    if not number:
        raise InputError(f"`{argument}` must be chemical symbols or atomic numbers, got {species!r}.")
    return number


def known_number(species: Any) -> int:
    """Atomic number of a symbol or an integer; 0 if it is no element."""
    from ase.data import atomic_numbers, chemical_symbols

    number = atomic_numbers.get(species, 0) if isinstance(species, str) else as_whole(species) or 0
    return number if 0 < number < len(chemical_symbols) else 0


def symbol(number: int) -> str:
    """Chemical symbol of an atomic number."""
    from ase.data import chemical_symbols

    return str(chemical_symbols[number])


def numbers_of(species: Any, argument: str = "species") -> Integers:
    """Atomic numbers of several symbols or integers, or of one."""
    return np.array([atomic_number(item, argument) for item in listed(species)], dtype=np.int64)
