"""Where a file that ASE cannot read holds a symbol that is no element."""

from pathlib import Path

from nullmode._support.elements import element_meant, known_number
from nullmode._support.types import InputError


def check_symbol(error: Exception, path: Path) -> None:
    """Refuse a file in place of ASE's reader, if its error names a symbol that is in the file and is no element."""
    symbol = str(error.args[0]) if isinstance(error, KeyError) and error.args else ""
    if symbol and not known_number(symbol) and (place := _place_of(symbol, path)):
        message = f"`path` must hold symbols of elements, got {symbol!r} at {place} of {path}. {element_meant(symbol)}"
        raise InputError(message.strip()) from None


def _place_of(symbol: str, path: Path) -> str:
    """Name the atom and the frame in (extended) XYZ, else the line; empty where the symbol is not found."""
    # Counted down from the number of atoms; ASE has capitalised the symbol.
    frame, size, left, is_xyz = -1, 0, 0, True
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file):
            if is_xyz and left == 0:
                is_xyz = line.strip().isdecimal()
                frame, size, left = frame + 1, int(line) if is_xyz else 0, int(line) + 1 if is_xyz else 0
                continue
            left -= 1
            if (not is_xyz or left < size) and symbol.lower() in line.lower().split():
                return f"atom {size - 1 - left} of frame {frame}" if is_xyz else f"line {number + 1}"
    return ""
