"""Disordered crystals: sites that an atom takes in a part of the cells, as ASE keeps them from a file."""

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from nullmode._support.types import InputError

if TYPE_CHECKING:
    from ase import Atoms

Occupancy = Literal["refuse", "majority"]
"""What becomes of structures with partly occupied sites."""
# Names of the arrays that programs keep them in, as far as these differ.
_ARRAY = re.compile("occ|sof|.*occup.*", re.IGNORECASE)
# What stands for a share that is not known.
_UNKNOWN = {"", ".", "?", "-", "none", "nan"}
# Occupancies are written with three digits or so.
_SAME = 2e-3
# Atoms nearer than this share of the sum of their covalent radii exclude each other: they are one atom on a split site.
_SPLIT = 0.6


class _Site(NamedTuple):
    """The most frequent species of an atom, its share of the cells, that of all others, and all shares as text."""

    symbol: str
    share: float
    others: float
    tied: bool
    text: str


def check_ordered(atoms: "Atoms", where: str) -> None:
    """Refuse a structure with a partly occupied site; `where` names it in the message."""
    if not has_shares(atoms):
        return
    partly = [(index, site) for index, site in enumerate(_sites(atoms)) if _is_partial(site)]
    if partly:
        index, site = partly[0]
        more = f" and {len(partly) - 1} more" * (len(partly) > 1)
        raise InputError(
            f"`{where}` must have fully occupied sites, got {site.text} at atom {index}{more}. To take the most "
            "frequent species of each: --occupancy majority, `occupancy: majority` in a configuration, or "
            "nullmode.majority_species(atoms). If you have ordered it yourself, delete what says so: "
            "atoms.info['occupancy'], or the array that holds it."
        )


def majority_species(atoms: "Atoms", where: str = "atoms") -> "Atoms":
    """Make an ordered structure of a disordered one: each site gets what it holds in most cells.

    A site that several species share gets the most frequent. Of atoms too near to each other to be in one cell (nearer
    than 0.6 times the sum of their covalent radii), the most frequent stays. A site that is empty in more cells than
    it is occupied is left out.

    Parameters
    ----------
    atoms
        A structure as ASE reads it from a file with occupancies, such as CIF.
    where
        What messages call it.

    Returns
    -------
    ase.Atoms
        A new structure without occupancies; the same atoms in the same order, less those left out.

    Raises
    ------
    InputError
        Where two are equally frequent: a choice would be arbitrary. If nothing is left.
    """
    from ase.data import atomic_numbers, covalent_radii
    from ase.neighborlist import neighbor_list

    sites = _sites(atoms)
    result: Atoms = atoms.copy()
    result.symbols = [site.symbol for site in sites]
    partial = np.flatnonzero([_is_partial(site) for site in sites])
    if not len(partial):
        return result
    if repeated := _repeated(atoms):
        raise InputError(
            f"`{where}` must list each species of a site once, got one of {repeated} more than once (as ions, or "
            "isotopes), of which only one share is known. Add up its shares in the file."
        )
    shares = np.array([site.share for site in sites])
    together = shares + [site.others for site in sites]
    dropped = np.zeros(len(atoms), dtype=bool)
    radii = [covalent_radii[atomic_numbers[sites[index].symbol]] for index in partial]
    i, j = neighbor_list("ij", result[partial], [_SPLIT * radius for radius in radii])
    for first, second in zip(partial[i], partial[j], strict=True):
        together[first] += sites[second].share + sites[second].others
        dropped[first] |= shares[first] < shares[second] - _SAME
    tied = [sites[index].text for index in partial if sites[index].tied]
    tied += [
        f"{sites[a].text} at atom {a} beside {sites[b].text} at atom {b}"
        for a, b in zip(partial[i], partial[j], strict=True)
        if not (dropped[a] or dropped[b])
    ]
    if tied:
        raise InputError(f"`{where}` must have sites with a most frequent species, got {tied[0]}. Order it yourself.")
    dropped |= shares < 1 - together - _SAME
    if dropped.all():
        raise InputError(f"`{where}` must have a site that is occupied in most cells, got none.")
    del result[dropped]
    result.info.pop("occupancy", None)
    for name in _share_arrays(atoms):
        del result.arrays[name]
    return result


def ordered(atoms: "Atoms", occupancy: Occupancy, where: str) -> "Atoms":
    """Refuse a structure with partly occupied sites, or take the majority, as `occupancy` says."""
    if occupancy == "majority":
        return majority_species(atoms, where)
    check_ordered(atoms, where)
    return atoms


def _is_partial(site: _Site) -> bool:
    return abs(site.share - 1) > _SAME or site.others > _SAME


def has_shares(atoms: "Atoms") -> bool:
    """Whether anything is said of occupancies."""
    # Most structures have positions and numbers alone.
    return "occupancy" in atoms.info or (len(atoms.arrays) > 2 and bool(_share_arrays(atoms)))


def _share_arrays(atoms: "Atoms") -> list[str]:
    return [name for name in atoms.arrays if _ARRAY.fullmatch(name)]


def _sites(atoms: "Atoms") -> list[_Site]:
    symbols = atoms.get_chemical_symbols()
    shares: list[dict[str, float]] = [{} for _ in symbols]
    known = atoms.info.get("occupancy")
    if isinstance(known, dict):
        shares = _of_kinds(atoms, {str(kind): given for kind, given in known.items() if isinstance(given, dict)})
    listed: list[Any] = [atoms.arrays[name] for name in _share_arrays(atoms)]
    if isinstance(known, list | tuple | np.ndarray) and len(known) == len(atoms):
        listed.append(known)
    for given in listed:
        # A row of several columns has the shares of several species.
        values = np.array([_number(max(np.atleast_1d(value))) for value in given])
        if abs(values.max(initial=0) - 100) < _SAME:
            values = values / 100
        # All zero where a program writes none; above 1 they are something else.
        if values.any() and values.max() < 1 + _SAME:
            shares = [{symbol: value} for symbol, value in zip(symbols, values.tolist(), strict=True)]
    return [_site(symbol, own or {symbol: 1.0}) for symbol, own in zip(symbols, shares, strict=True)]


def _of_kinds(atoms: "Atoms", known: dict[str, dict[Any, Any]]) -> list[dict[str, float]]:
    """Give each atom its species with their shares: ASE numbers the sites of a file, and gives those of each number."""
    by_kind = {kind: {str(name): _number(share) for name, share in given.items()} for kind, given in known.items()}
    kinds = [str(kind) for kind in atoms.arrays.get("spacegroup_kinds", range(len(atoms)))]
    shares = [by_kind.get(kind, {}) for kind in kinds]
    if all(abs(share - 1) <= _SAME for own in by_kind.values() for share in own.values() if share > _SAME):
        return shares
    # Some formats keep the shares and lose the numbers; atoms that were added have wrong ones.
    fits = "spacegroup_kinds" in atoms.arrays or len(by_kind) == len(atoms)
    if not fits or any(symbol not in own for symbol, own in zip(atoms.get_chemical_symbols(), shares, strict=True)):
        raise InputError(
            f"atoms.info['occupancy'] must belong to the atoms, got {len(by_kind)} sites of which it is not known, or "
            "not right, which atoms they are. Read the original file, or order the structure yourself and delete it."
        )
    return shares


def _repeated(atoms: "Atoms") -> str:
    """Find a species that the file lists more than once for a site, such as Fe2+ and Fe3+: ASE keeps one share."""
    known = atoms.info.get("occupancy")
    if not isinstance(known, dict) or "spacegroup_kinds" not in atoms.arrays:
        return ""
    present = {str(kind) for kind in atoms.arrays["spacegroup_kinds"]}
    rows: dict[frozenset[str], list[bool]] = {}
    for kind, given in known.items():
        if isinstance(given, dict) and any(abs(_number(share) - 1) > _SAME for share in given.values()):
            rows.setdefault(frozenset(map(str, given)), []).append(str(kind) in present)
    # Of the rows at one place, ASE keeps the first as an atom, and of all the shares.
    most = [species for species, kept in rows.items() if any(kept) and len(kept) > sum(kept) * len(species)]
    return " / ".join(sorted(most[0])) if most else ""


def _site(symbol: str, shares: dict[str, float]) -> _Site:
    # Of equally frequent species, the one that ASE gave the atom.
    first, *others = sorted(shares.items(), key=lambda item: (-item[1], item[0] != symbol))
    text = " / ".join(f"{name} {share:g}" for name, share in [first, *others])
    tied = bool(others) and others[0][1] > first[1] - _SAME
    return _Site(first[0], first[1], sum(share for _, share in others), tied, text)


def _number(value: Any) -> float:
    """Read an occupancy; 1 where the file holds none.

    Raises
    ------
    InputError
        If it is a text that is no number.
    """
    try:
        share = float(value)
    except (TypeError, ValueError):
        if isinstance(value, str) and value.strip().lower() not in _UNKNOWN:
            raise InputError(
                f"Occupancies must be numbers from 0 to 1, got {str(value)!r}. Write 0.5, and ? where it is not known."
            ) from None
        return 1.0
    return 1.0 if np.isnan(share) else share
