"""Families as rows of the structures table; light on imports, so that an edit of the numerics makes none anew."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pandas as pd

from nullmode._support.code_hash import digest
from nullmode._support.types import JSON, InputError, OnBadStructure
from nullmode._support.variants import load, validated
from nullmode.families import FAMILIES
from nullmode.geometry.disorder import check_ordered
from nullmode.geometry.structure import check_sound
from nullmode.sweep.family import check_size, content_of_family
from nullmode.tables import columns, parquet
from nullmode.tables.structures import row_of

if TYPE_CHECKING:
    from ase import Atoms

_DOCUMENTED = {column.name for column in columns.STRUCTURES}


def write_structures(family: JSON, name: str, files: Iterable[str], output: str, code: JSON) -> None:
    """Do a job: generate a family, given as in the configuration, and write it.

    The hashes of the `files` that it reads are kept, and `code`, the origin of this code.
    """
    kind, parameters = family["kind"], family["parameters"]
    frame = make_structures(kind, parameters, name, family["on_bad_structure"])
    check_size(kind, parameters, name, len(frame))
    provenance = {**content_of_family(name, family, {path: digest(path) for path in files}), **code}
    parquet.write(frame, output, "structures", provenance)


def make_structures(kind: str, parameters: JSON, name: str, on_bad_structure: OnBadStructure = "stop") -> pd.DataFrame:
    """Generate a family as rows of the structures table; coordinates become further columns.

    Parameters
    ----------
    kind, parameters, name
        As in the configuration.
    on_bad_structure
        What to do with a structure that no environment can be cut out of: raise, or keep its row with the ``defect``.

    Raises
    ------
    InputError
        If the family yields nothing, something else than structures, coordinates that no table can hold, or a structure
        with other coordinates than the first; for a bad structure; if all are bad.
    """
    rows: list[JSON] = []
    for index, atoms in enumerate(_yielded(kind, parameters, name)):
        where = f"families.{name}[{index}]"
        check_ordered(atoms, where)
        row = row_of(atoms, index, where)
        if rows and _kinds(row) != _kinds(rows[0]):
            raise InputError(
                f"`families.{name}` must give every structure the same coordinates, of the same kinds, got "
                f"{_kinds(row)} of structure {index}, and {_kinds(rows[0])} of the first."
            )
        try:
            check_sound(atoms, where)
        except InputError as error:
            if on_bad_structure == "stop":
                own = ", ".join(f"{key} {row[key]}" for key in _kinds(row))
                raise InputError(
                    f"{error} That is {own or f'structure {index}'} of the family {name}. Mend it, or skip all such "
                    f"structures: `families.{name}.on_bad_structure: skip`."
                ) from None
            row["defect"] = str(error)
        rows.append(row)
    if not rows:
        raise InputError(f"`families.{name}` must hold at least one structure, got none.")
    if all(row["defect"] for row in rows):
        raise InputError(f"`families.{name}` must hold a sound structure, got none. The first: {rows[0]['defect']}")
    return pd.DataFrame(rows)


def _yielded(kind: str, parameters: JSON, name: str) -> "Iterator[Atoms]":
    """Run a family, and refuse anything but structures."""
    from ase import Atoms

    target = load(kind, FAMILIES, "family")
    made = target(**validated(target, parameters, f"families.{name}.parameters"))
    if isinstance(made, Atoms) or not isinstance(made, Iterable):
        raise InputError(f"`families.{name}` must yield structures, got {type(made).__name__}. Yield each ase.Atoms.")
    for index, atoms in enumerate(made):
        if not isinstance(atoms, Atoms):
            raise InputError(
                f"`families.{name}` must yield ase.Atoms, got {type(atoms).__name__} for structure {index}."
            )
        yield atoms


def _kinds(row: JSON) -> dict[str, str]:
    """Kind of each coordinate, by name."""
    kinds = {bool: "truth value", int: "number", float: "number", str: "text"}
    return {key: kinds[type(row[key])] for key in sorted(row.keys() - _DOCUMENTED)}
