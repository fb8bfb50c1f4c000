"""Rows of what could not be analysed: an error in one row stays in that row."""

from typing import TYPE_CHECKING

import numpy as np

from nullmode._support.elements import symbol
from nullmode._support.failure import reason
from nullmode._support.types import JSON
from nullmode.geometry.environment import Environment

if TYPE_CHECKING:
    from nullmode.attribution.whole_structure import StructureRanks


def failed_environment(environment: Environment, error: Exception) -> JSON:
    """Columns of an environment that could not be analysed."""
    return {
        "structure": environment.structure,
        "center": environment.center,
        "center_species": symbol(environment.center_species),
        "n_neighbours": len(environment),
        "n_at_cutoff": environment.at_cutoff,
        "n_dof": 0,
        "rank": 0,
        "singular_values": np.empty(0),
        "status": "failed",
        "message": reason(error),
    }


def failed_structure(case: "StructureRanks", error: Exception) -> JSON:
    """Columns of a structure that could not be analysed."""
    environments = case.structure.environments
    counts = {
        "n_neighbours": sum(len(environment) for environment in environments),
        "n_at_cutoff": sum(environment.at_cutoff for environment in environments),
    }
    whole = {"structure": case.structure.index, "center": -1, "center_species": None}
    return failed_environment(environments[0], error) | whole | counts


def raise_if_all(errors: list[Exception], all_failed: bool) -> None:
    """Raise the first error where nothing could be analysed: then it is the arguments that are wrong, not a row."""
    refused = [error for error in errors if not isinstance(error, MemoryError)]
    if refused and all_failed:
        raise refused[0]
