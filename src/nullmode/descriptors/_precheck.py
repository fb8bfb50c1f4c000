"""What a job would refuse of a descriptor, refused before any job starts; what is imported came with the descriptor."""

from typing import Any

from nullmode._support.types import InputError
from nullmode._support.variants import suggest


def check_width(descriptor: Any, where: str) -> None:
    """Refuse a density too sharp to be tabulated; to tabulate every basis here would take too long."""
    from nullmode.basis.radial._table import INTERVALS_PER_WIDTH, MOST_INTERVALS
    from nullmode.descriptors._base import DensityDescriptor

    if (
        isinstance(descriptor, DensityDescriptor)
        and descriptor.density == "gaussian"
        and INTERVALS_PER_WIDTH * descriptor.cutoff / descriptor.width > MOST_INTERVALS
    ):
        raise InputError(
            f"`{where}.width` must be broad enough to be tabulated up to the cutoff, got {descriptor.width} Å at a "
            f"cutoff of {descriptor.cutoff} Å: that takes more than {MOST_INTERVALS} intervals. Use a larger width or "
            "a smaller cutoff."
        )


def check_contraction(descriptor: Any, where: str, families: list[str]) -> None:
    """Refuse a contraction that is to be fitted to no family, or to one that the configuration does not declare."""
    from nullmode.basis.radial.optimal_contraction import OptimalContraction

    basis = getattr(descriptor, "radial_basis", None)
    if not isinstance(basis, OptimalContraction) or basis.matrices is not None or basis.reference in families:
        return
    raise InputError(
        f"`{where}.radial_basis.reference` must name the family that the contraction is fitted to, got "
        f"{basis.reference!r}. {suggest(str(basis.reference), families)}"
    )
