"""Chemical elements by symbol and number."""

from typing import Any

import numpy as np

from nullmode._support.arguments import as_whole, listed
from nullmode._support.types import InputError, Integers

LARGEST_NUMBER = 118
"""Atomic number of the last element."""


def atomic_number(species: Any, argument: str = "species") -> int:
    """Atomic number of a symbol or an integer; anything else, or an unknown element, is an InputError."""
    number = known_number(species)
    if not number:
        meant = element_meant(species) if isinstance(species, str) else ""
        raise InputError(f"`{argument}` must be chemical symbols or atomic numbers, got {species!r}. {meant}".rstrip())
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
    """Atomic numbers of several symbols or integers, or of one; an InputError names the place of another."""
    items = listed(species)
    for index, item in enumerate(items):
        if not known_number(item) and len(items) > 1:
            got = "the placeholder X (0)" if item == 0 and as_whole(item) is not None else repr(item)
            meant = element_meant(item) if isinstance(item, str) else ""
            message = f"`{argument}` must be chemical symbols or atomic numbers, got {got} at index {index}. {meant}"
            raise InputError(message.rstrip())
    return np.array([atomic_number(item, argument) for item in items], dtype=np.int64)


def element_meant(text: str) -> str:
    """Say how to write the element that a text stands for, such as ``D``, ``O1`` or ``8``; empty if there is none."""
    letters = text.rstrip("0123456789+-*'_").capitalize()
    meant = "H" if letters in ("D", "T") else letters
    if text.isdecimal() and (number := known_number(int(text))):
        return f"Write {symbol(number)}, or the number without quotes."
    return f"Write {meant}." if known_number(meant) else ""
