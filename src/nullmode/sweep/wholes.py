"""Whole structures of a sweep: the environments of all their atoms, and the ranks that geometry allows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nullmode._support.elements import numbers_of
from nullmode._support.types import InputError, Scope
from nullmode.attribution.whole_structure import StructureRanks
from nullmode.geometry.environment import Environment
from nullmode.spectrum.whole_structure import whole_structures

if TYPE_CHECKING:
    from ase import Atoms


class Question(NamedTuple):
    """What is asked about structures: as in the entry of the descriptor in the configuration."""

    scope: Scope
    centers: tuple[str, ...] | None = None
    feature_tolerance: float = 1e-6


def wholes(
    atoms: "Sequence[Atoms]", cutoff: float, question: Question, *, part: bool = False
) -> tuple[list[Environment], list[StructureRanks]]:
    """Cut the environments of all atoms out, and keep those of the chosen centres for each whole structure.

    The layout of features is that of all atoms, whatever the centres. Structures without chosen centres are left out.
    The centres of the family are for environments, and do not matter here. Of a `part` of a family, none may be left.

    Raises
    ------
    InputError
        If the centres do not occur.
    """
    structures = whole_structures(atoms, cutoff, [np.arange(len(each)) for each in atoms])
    every = [environment for structure in structures for environment in structure.environments]
    if question.scope == "environment":
        return every, []
    if question.centers is not None:
        chosen = numbers_of(list(question.centers))
        structures = [
            replace(structure, environments=[each for each in structure.environments if each.center_species in chosen])
            for structure in structures
        ]
        structures = [structure for structure in structures if structure.environments]
        if atoms and not structures and not part:
            raise InputError(
                f"`centers` must occur in the structures, got {', '.join(question.centers)}, which none of them holds."
            )
    return every, [StructureRanks(each, question.scope, question.feature_tolerance) for each in structures]
