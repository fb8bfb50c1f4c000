"""Families as rows of the structures table, and those rows as environments."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from nullmode._plugins import load, validated
from nullmode.environment import Environment, cut
from nullmode.families import FAMILIES
from nullmode.types import JSON, InputError


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
        info = {key: value for key, value in atoms.info.items() if key != "centers"}
        row = {
            "structure": index,
            "numbers": atoms.numbers.tolist(),
            "positions": atoms.positions.ravel().tolist(),
            "cell": np.array(atoms.cell).ravel().tolist(),
            "pbc": atoms.pbc.astype(int).tolist(),
            "centers": list(map(int, atoms.info.get("centers", range(len(atoms))))),
            **info,
        }
        if rows and row.keys() != rows[0].keys():
            raise InputError(f"`families.{name}` must give every structure the same coordinates, got {sorted(info)}.")
        rows.append(row)
    if not rows:
        raise InputError(f"`families.{name}` must hold at least one structure, got none.")
    return pd.DataFrame(rows)


def environments_of(structures: pd.DataFrame, cutoff: float) -> list[Environment]:
    """Cut the environments out of rows of the structures table, with neighbours up to `cutoff` (Å)."""
    from ase import Atoms

    atoms, centers = [], []
    rows: Iterator[Any] = structures.itertuples()
    for row in rows:
        cell = np.reshape(row.cell, (3, 3))
        atoms.append(Atoms(row.numbers, np.reshape(row.positions, (-1, 3)), cell=cell, pbc=row.pbc))
        centers.append(np.asarray(row.centers, dtype=np.int64))
    return cut(atoms, cutoff, centers)
