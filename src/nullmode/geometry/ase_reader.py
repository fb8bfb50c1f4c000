"""What ASE says of a file that it cannot read, in words that name the place and the remedy."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nullmode._support.elements import element_meant, known_number
from nullmode._support.types import InputError
from nullmode.geometry.alternatives import check_alternatives

# Of a CIF file without occupancies; ASE then drops one of the two atoms.
_ONE_PLACE = r"scaled_positions \d+ and \d+ are equivalent"


@contextmanager
def reading(path: Path, where: str = "") -> Iterator[None]:
    """Context in which ASE reads a file; `where` says how far it came, and is empty at first.

    Raises
    ------
    InputError
        In place of whatever ASE's readers raise, and if they would drop an atom or take it for another.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=_ONE_PLACE)
        try:
            if not where:
                check_alternatives(path)
            yield
        except (StopIteration, InputError):
            raise
        except Exception as error:  # ASE's readers raise whatever their parsers meet
            if re.fullmatch(_ONE_PLACE, str(error)):
                raise InputError(
                    f"`path` must hold one atom at each place, got {path} with two at one, of which ASE would drop "
                    "one. Give their shares as `_atom_site_occupancy`, or delete one."
                ) from None
            _check_symbol(error, path)
            reason = f"{type(error).__name__}: {error}{where}"
            raise InputError(f"`path` must be a structure file that ASE reads, got {path}: {reason}.") from error


def _check_symbol(error: Exception, path: Path) -> None:
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
