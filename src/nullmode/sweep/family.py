"""What the structures of a family follow from, said once for the plan and for the job that makes them."""

from collections.abc import Mapping
from math import inf
from numbers import Integral, Real
from typing import Any

from nullmode._support.failure import reason
from nullmode._support.types import JSON, InputError
from nullmode._support.variants import complete, load, validated
from nullmode.families import FAMILIES
from nullmode.families._base import FamilySize

_MOST_OFF = 2
"""By which factor the number of structures may differ from what a family says beforehand."""


def content_of_family(name: str, family: JSON, files: Mapping[str, str]) -> JSON:
    """Write out a family as in the configuration, its parameters with all defaults, and the hashes of its files."""
    target = load(family["kind"], FAMILIES, "family")
    return {
        **family,
        "family": name,
        "parameters": complete(target, family["parameters"], f"families.{name}.parameters"),
        "inputs": {path: {"sha256": sha256} for path, sha256 in files.items()},
    }


def size_of(kind: str, parameters: JSON, name: str) -> FamilySize | None:
    """Ask a family how much it holds, if it can say.

    Raises
    ------
    InputError
        If its function `size` fails, or gives something else than a size.
    """
    target = load(kind, FAMILIES, "family")
    if not hasattr(target, "size"):
        return None
    given = validated(target, parameters, f"families.{name}.parameters")
    try:
        size: FamilySize | None = target.size(**given)
    except InputError:
        raise
    except Exception as error:  # whatever a user's function raises
        raise InputError(f"`size` of {kind} must take the parameters of {name}, got {reason(error)}") from error
    if size is None or _possible(size):
        return size
    raise InputError(
        f"`size` of {kind} must return a nullmode.FamilySize of whole numbers and means that are not negative, or None "
        f"where it cannot tell, got {size!r} for {name}."
    )


def _possible(size: Any) -> bool:
    if not isinstance(size, FamilySize):
        return False
    counts = all(isinstance(count, Integral) and count >= 0 for count in (size.structures, size.species))
    return counts and all(isinstance(mean, Real) and 0 <= mean < inf for mean in (size.atoms, size.centers))


def check_size(kind: str, parameters: JSON, name: str, made: int) -> None:
    """Refuse a user's family that holds far more or fewer structures than it said: jobs were dealt for those.

    A plan takes estimates: the last job of a family takes all structures that follow.

    Raises
    ------
    InputError
        Naming both numbers.
    """
    size = size_of(kind, parameters, name) if ".py:" in kind else None
    if size is not None and not size.structures / _MOST_OFF <= made <= size.structures * _MOST_OFF:
        raise InputError(
            f"`size` of {kind} must say how many structures {name} holds, within a factor of {_MOST_OFF}, got "
            f"{size.structures} of {made}. Correct it, or leave it out."
        )
