"""Families as rows of the structures table; light on imports, so that an edit of the numerics makes none anew."""

from collections.abc import Iterable

import pandas as pd

from nullmode._support.code_hash import digest
from nullmode._support.types import JSON, InputError
from nullmode._support.variants import complete, load, validated
from nullmode.families import FAMILIES
from nullmode.geometry.disorder import check_ordered
from nullmode.tables import parquet
from nullmode.tables.structures import row_of


def write_structures(family: JSON, name: str, files: Iterable[str], output: str, code: JSON) -> None:
    """Do a job: generate a family of some ``kind`` and ``parameters``, and write it.

    The hashes of the `files` that it reads are kept, and `code`, the origin of this code.
    """
    kind, parameters = family["kind"], family["parameters"]
    frame = make_structures(kind, parameters, name)
    inputs = {path: {"sha256": digest(path)} for path in files}
    provenance = {
        "family": name,
        "kind": kind,
        "parameters": complete(load(kind, FAMILIES, "family"), parameters, f"families.{name}.parameters"),
        "inputs": inputs,
        **code,
    }
    parquet.write(frame, output, "structures", provenance)


def make_structures(kind: str, parameters: JSON, name: str) -> pd.DataFrame:
    """Generate a family as rows of the structures table; coordinates become further columns.

    Raises
    ------
    InputError
        If the family yields nothing, or a structure with different coordinates than the first.
    """
    target = load(kind, FAMILIES, "family")
    rows: list[JSON] = []
    for index, atoms in enumerate(target(**validated(target, parameters, f"families.{name}.parameters"))):
        check_ordered(atoms, f"families.{name}[{index}]")
        info = {key: value for key, value in atoms.info.items() if key != "centers"}
        row = row_of(atoms, index) | info
        if rows and row.keys() != rows[0].keys():
            raise InputError(f"`families.{name}` must give every structure the same coordinates, got {sorted(info)}.")
        rows.append(row)
    if not rows:
        raise InputError(f"`families.{name}` must hold at least one structure, got none.")
    return pd.DataFrame(rows)
