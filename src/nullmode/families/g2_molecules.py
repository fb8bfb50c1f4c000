"""Small molecules of the G2 test set, as ASE ships them."""

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from nullmode._support.axes import distinct
from nullmode._support.types import InputError
from nullmode.families._base import FamilySize, Structures, sized, with_emt

if TYPE_CHECKING:
    from ase import Atoms


def _check_names(names: list[str]) -> list[str]:
    from ase.collections import g2

    for name in names:
        if name not in g2.names or len(g2[name]) < 2:
            raise InputError(
                f"`names` must be molecules of two or more atoms of ase.collections.g2, got {name!r}. "
                "List them: python -c 'from ase.collections import g2; print(g2.names)'."
            )
    return names


def _check_elements(elements: list[str]) -> list[str]:
    from nullmode._support.elements import atomic_number

    for element in elements:
        atomic_number(element, "elements")
    return elements


Names = Annotated[list[str], Field(min_length=1), AfterValidator(distinct), AfterValidator(_check_names)]
Elements = Annotated[list[str], Field(min_length=1), AfterValidator(distinct), AfterValidator(_check_elements)]


def _chosen(names: list[str] | None, elements: list[str] | None) -> "list[tuple[str, Atoms]]":
    from ase.collections import g2

    molecules = [(name, g2[name]) for name in names or g2.names]
    return [
        (name, atoms)
        for name, atoms in molecules
        if len(atoms) > 1 and (elements is None or set(atoms.symbols) <= set(elements))
    ]


def _size(names: list[str] | None, elements: list[str] | None) -> FamilySize | None:
    molecules = _chosen(names, elements)
    atoms = [atom.symbol for _, molecule in molecules for atom in molecule]
    mean = len(atoms) / max(1, len(molecules))
    return FamilySize(len(molecules), mean, mean, len(set(atoms))) if molecules else None


@sized(_size)
def structures(names: Names | None = None, elements: Elements | None = None) -> Structures:
    """Take molecules from ase.collections.g2, all atoms as centres; single atoms are left out.

    Geometries of Curtiss, Raghavachari, Redfern and Pople, J. Chem. Phys. 106, 1063 (1997), MP2(full)/6-31G(d), with
    six digits, so that symmetric molecules are symmetric to about 1e-6 Å.

    Parameters
    ----------
    names
        Names of molecules, as in ``g2.names``; default all.
    elements
        Take only molecules of these elements; default any.

    Yields
    ------
    ase.Atoms
        Coordinate: ``name``. With the forces of ASE's EMT, which is no model of molecules, where it has the elements.

    Raises
    ------
    InputError
        If no molecule is left.
    """
    chosen = _chosen(names, elements)
    if not chosen:
        raise InputError(
            f"`elements` must allow at least one molecule, got {elements}, which allows none. Add elements or names."
        )
    for name, atoms in chosen:
        atoms.info = {"name": name}
        yield with_emt(atoms)
