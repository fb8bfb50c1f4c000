"""What a file says of atoms that are not there together, or not at all, and ASE does not keep."""

from collections.abc import Iterator
from pathlib import Path

from nullmode._support.types import InputError

_NONE = {"", ".", "?", "0"}
_FULL = 1 - 2e-3
_LETTER, _SHARE = 16, slice(54, 60)  # columns of PDB


def check_alternatives(path: Path) -> None:
    """Refuse a CIF or PDB file with dummy atoms, or alternatives of which each has full occupancy.

    Raises
    ------
    InputError
        Naming what the file has. Partial occupancies are judged where structures enter (:mod:`.disorder`).
    """
    found = {".cif": _of_cif, ".pdb": _of_pdb}.get(path.suffix.lower(), lambda _: iter(()))(path)
    for text in found:
        raise InputError(
            f"`path` must hold atoms that are there together, got {path} with {text}. Delete those that are not, or "
            "give alternatives their occupancies."
        )


def _of_cif(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="latin-1").lower()
    # To read a file twice is for those that say anything of this.
    if "_atom_site_disorder_group" not in text and "_atom_site_calc_flag" not in text:
        return
    from ase.io.cif import parse_cif

    for block in parse_cif(str(path)):
        labels = block.get("_atom_site_label") or []
        flags = block.get("_atom_site_calc_flag") or []
        for label, flag in zip(labels, flags, strict=False):
            if str(flag).strip().lower() == "dum":
                yield f"the dummy atom {label}"
        groups = {str(group).strip() for group in block.get("_atom_site_disorder_group") or []} - _NONE
        if len(groups) > 1 and all(map(_is_full, block.get("_atom_site_occupancy") or [])):
            yield f"the disorder groups {', '.join(sorted(groups))}"


def _of_pdb(path: Path) -> Iterator[str]:
    atoms = [line for line in path.read_text(encoding="latin-1").splitlines() if line.startswith(("ATOM", "HETATM"))]
    letters = {line[_LETTER : _LETTER + 1].strip() for line in atoms} - _NONE
    if len(letters) > 1 and all(_is_full(line[_SHARE]) for line in atoms):
        yield f"the alternate locations {', '.join(sorted(letters))}"


def _is_full(share: object) -> bool:
    try:
        return float(str(share)) > _FULL
    except ValueError:
        return True
