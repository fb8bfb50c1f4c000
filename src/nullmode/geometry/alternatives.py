"""What a file says of atoms that ASE does not keep: not there together, not listed, or of another element."""

import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from nullmode._support.elements import known_number
from nullmode._support.types import InputError

_NONE = {"", ".", "?", "0"}
_FULL = 1 - 2e-3
_NAME, _LETTER, _RESIDUE, _RESIDUE_NAME = slice(12, 16), 16, slice(17, 27), slice(17, 20)  # columns of PDB
_SHARE, _ELEMENT = slice(54, 60), slice(76, 78)
_GRO_RESIDUE, _GRO_NAME = slice(5, 10), slice(10, 15)
# Names of atoms in residues, by their place in a chain: CA to CH are no calcium, nor cerium; PB of ATP is no lead.
_REMOTE = re.compile("[CNHO][ABGDEZH]|S[GD]|P[ABG]")
# Elements that names in residues begin with.
_ORGANIC = set("CNHOSPF")
_RES_ATOM = re.compile(r"([A-Za-z]\w*)\s+\d+" + r"\s+(-?[\d.]+)" * 4)


class _Fault(NamedTuple):
    """What a file must hold, what it holds instead, and the remedy."""

    wanted: str
    text: str
    remedy: str


def check_alternatives(path: Path) -> None:
    """Refuse a file that ASE would read as other atoms than it describes, packed ones too.

    Such files of CIF, PDB, GROMACS, LAMMPS and SHELX have dummy atoms, alternatives of which each has full occupancy,
    occupancies that ASE does not read, atoms that are counted and not listed, symbols of which ASE takes the first
    letter, or no elements.

    Raises
    ------
    InputError
        Naming what the file has. Partial occupancies are judged where structures enter (:mod:`.disorder`).
    """
    from ase.io.formats import filetype, open_with_compression

    find = _READERS.get(filetype(str(path)))
    if find is None:
        return
    with open_with_compression(str(path), "rb") as file:
        found = next(find(file), None)
    if found:
        raise InputError(f"`path` must hold {found.wanted}, got {path} with {found.text}. {found.remedy}")


def _together(text: str) -> _Fault:
    remedy = "Delete those that are not, or give alternatives their occupancies."
    return _Fault("atoms that are there together", text, remedy)


def _in_cif(file: Any) -> Iterator[_Fault]:
    from ase.io.cif import parse_cif

    for block in parse_cif(file):
        if any(name.startswith("_atom_site.") for name in block):
            yield _Fault("crystals in CIF", "the mmCIF of macromolecules", "Convert it to PDB or extended XYZ.")
        labels = block.get("_atom_site_label") or []
        for label, flag in zip(labels, block.get("_atom_site_calc_flag") or [], strict=False):
            if str(flag).strip().lower() == "dum":
                yield _together(f"the dummy atom {label}")
        groups = {str(group).strip() for group in block.get("_atom_site_disorder_group") or []} - _NONE
        # A negative group is one with its images.
        several = len(groups) > 1 or any(group.startswith("-") for group in groups)
        if several and all(map(_is_full, block.get("_atom_site_occupancy") or [])):
            yield _together(f"the disorder group{'s' * (len(groups) > 1)} {', '.join(sorted(groups))}")
        for label, count in zip(labels, block.get("_atom_site_attached_hydrogens") or [], strict=False):
            if str(count).strip() not in _NONE:
                yield _Fault("all atoms", f"{count} hydrogen atoms of {label} that are not listed", "Add them.")
        yield from _unclear(block.get("_atom_site_type_symbol"), labels)


def _unclear(kinds: Any, labels: Any) -> Iterator[_Fault]:
    """Find species that are no elements, of which ASE may take a part; without them, labels in capitals."""
    remedy = "Write the element's symbol, such as Cl, as `_atom_site_type_symbol`."
    for text in map(str, kinds or labels):
        letters = "".join(takewhile(str.isalpha, text.strip()))
        if kinds:
            unclear = bool(letters) and letters != "D" and not known_number(letters)
        else:
            unclear = letters[1:2].isupper() and known_number(letters[:2].capitalize()) > 0
        if unclear:
            yield _Fault("symbols of elements", f"{text!r}, of which ASE may take another", remedy)


def _in_pdb(file: Any) -> Iterator[_Fault]:
    lines = [line.decode("latin-1").rstrip("\n") for line in file if line.startswith((b"ATOM", b"HETATM"))]
    full = [_is_full(line[_SHARE]) for line in lines]
    by_atom: dict[str, set[str]] = {}
    for line in lines:
        by_atom.setdefault(line[_NAME] + line[_RESIDUE], set()).add(line[_LETTER : _LETTER + 1].strip())
    letters = set().union(*by_atom.values()) - _NONE
    if all(full) and (len(letters) > 1 or any(len(own) > 1 for own in by_atom.values())):
        yield _together(f"the alternate locations {', '.join(sorted(letters))}")
    # ASE then keeps the occupancies of none.
    if not all(full) and any(not line[_SHARE].strip() for line in lines):
        yield _Fault("the occupancy of every atom or of none", "those of some", "Write it in columns 55 to 60.")
    for line in lines:
        name = line[_NAME]
        first = name.strip()[:2].capitalize()
        both = len(first) > 1 and known_number(first) and known_number(first[0])
        # An element of two letters begins in the first column; the name of a hydrogen may fill all four.
        ion = _is_ion(name.strip(), line[_RESIDUE_NAME]) and not known_number(name.strip().capitalize())
        if not line[_ELEMENT].strip() and (ion or (both and (name[0] == " " or " " not in name))):
            remedy = "Write the element's symbol in columns 77 and 78."
            taken = "" if ion else f", which ASE reads as {first}"
            yield _Fault("the element of every atom", f"{name.strip()!r} without one{taken}", remedy)


def _in_gro(file: Any) -> Iterator[_Fault]:
    for line in map(bytes.decode, file.read().splitlines()[2:-1]):
        name, residue = line[_GRO_NAME].strip(), line[_GRO_RESIDUE].strip()
        # Hydrogen atoms of one carbon may be numbered in front.
        letters = "".join(takewhile(str.isalpha, name.lstrip("0123456789")))
        both = len(letters) == 2 and known_number(letters.capitalize()) and not _REMOTE.fullmatch(letters)
        # Of others than these, ASE takes the first letter, or the second.
        named = letters[:1] in _ORGANIC and not both and not _is_ion(name, residue)
        if not known_number(letters) and not named:
            remedy = "Write Cl, not CL, and delete sites that are no atoms, or convert it to PDB with elements."
            yield _Fault("the element of every atom", f"{name!r}, of which ASE may take another", remedy)


def _is_ion(name: str, residue: str) -> bool:
    """Whether an atom is all of a residue, as ions are: of SOD, no letter says the element."""
    letters = "".join(takewhile(str.isalpha, name))
    return len(letters) > 1 and residue.strip().rstrip("+-0123456789").upper() == letters.upper()


def _in_dump(file: Any) -> Iterator[_Fault]:
    columns: list[bytes] = next((line.split()[2:] for line in file if line.startswith(b"ITEM: ATOMS")), [])
    if columns and not {b"element", b"mass"} & set(columns):
        remedy = "Write them with LAMMPS: dump ... id element x y z, and dump_modify ... element Na Cl."
        yield _Fault("the element of every atom", "types, which ASE reads as atomic numbers", remedy)


def _in_res(file: Any) -> Iterator[_Fault]:
    for line in map(bytes.decode, file):
        words = line.upper().split()
        if words[:1] == ["SYMM"] or (words[:1] == ["LATT"] and words[1:] != ["-1"]):
            remedy = "Convert it to CIF, or write all atoms, without symmetry (LATT -1)."
            yield _Fault("all atoms", f"symmetry, which ASE does not apply ({line.strip()})", remedy)
        atom = _RES_ATOM.match(line)
        # SHELX adds 10 to what it keeps.
        if atom and abs(float(atom[5]) % 10 - 1) > 1 - _FULL:
            remedy = "Write the structure with its occupancies as CIF."
            yield _Fault("fully occupied sites", f"the occupancy {atom[5]} of {atom[1]}", remedy)


def _is_full(share: object) -> bool:
    try:
        return float(str(share)) > _FULL
    except ValueError:
        return True


_READERS = {
    "cif": _in_cif,
    "proteindatabank": _in_pdb,
    "gromacs": _in_gro,
    "lammps-dump-text": _in_dump,
    "res": _in_res,
}
