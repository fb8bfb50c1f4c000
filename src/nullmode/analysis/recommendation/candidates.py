"""The settings that are compared: truncations, radial functions, body orders, and on request lengths."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import product
from typing import Any, NamedTuple

from nullmode._support.arguments import as_real, as_whole, listed
from nullmode._support.types import InputError
from nullmode.adapters.hyperparameters.dscribe import PADDING
from nullmode.basis.radial._base import RadialBasis, resolved
from nullmode.basis.radial.dscribe_gto import DscribeGTO
from nullmode.basis.radial.quip_gaussians import QuipGaussians
from nullmode.descriptors._base import LARGEST_L, DensityDescriptor, changed
from nullmode.descriptors.bispectrum import Bispectrum
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.descriptors.radial_spectrum import RadialSpectrum
from nullmode.limits.limit import check_limited

N_MAX = (2, 4, 6, 8, 10, 12, 14)
L_MAX = (2, 4, 6, 8, 10, 12, 14, 16, 20)
BASES = ("gto", "laplacian-eigenstates")
ORDERS = (1, 2)
KINDS: dict[int, type[DensityDescriptor]] = {1: RadialSpectrum, 2: PowerSpectrum, 3: Bispectrum}
_MOST_OF_BISPECTRUM = 6
"""Largest n_max and l_max of a bispectrum: its features grow with the cube of the channels."""
_MOST_ENTRIES = 30_000_000
"""Largest number of entries of a Jacobian, 240 MB; settings with more are left out."""


class Grid(NamedTuple):
    """Values that are combined; `bases` holds names, instances, or mappings, as a descriptor takes them."""

    n_max: list[int]
    l_max: list[int]
    bases: list[Any]
    orders: list[int]
    cutoff: list[float]
    cutoff_width: list[float]
    width: list[float]


def grid_of(
    descriptor: Any,
    *,
    n_max: Any = N_MAX,
    l_max: Any = L_MAX,
    radial_basis: Any = None,
    correlation_order: Any = ORDERS,
    cutoff: Any = None,
    cutoff_width: Any = None,
    width: Any = None,
) -> Grid:
    """Check what is to be combined; None stands for the values of a descriptor, and for its functions beside others."""
    if type(descriptor) not in KINDS.values():
        names = ", ".join(kind.__name__ for kind in KINDS.values())
        raise InputError(f"`descriptor` must be one of {names}, got {descriptor!r:.80}. Its lengths are those of all.")
    check_limited(descriptor)
    own = descriptor.radial_basis
    bases = [*BASES, *([] if own.kind in BASES else [own])] if radial_basis is None else listed(radial_basis)
    lengths = {"cutoff": cutoff, "cutoff_width": cutoff_width, "width": width}
    result = Grid(
        n_max=_wholes("n_max", n_max, range(1, 1001)),
        l_max=_wholes("l_max", l_max, range(LARGEST_L + 1)),
        bases=bases,
        orders=_wholes("correlation_order", correlation_order, range(1, 4)),
        **{
            name: [getattr(descriptor, name)] if value is None else _reals(name, value)
            for name, value in lengths.items()
        },
    )
    if not result.bases:
        raise InputError("`radial_basis` must name at least one, got none.")
    for basis in result.bases:
        # Those whose own lengths follow from the descriptor's are made with these.
        if basis not in ("quip-gaussians", "dscribe-gto"):
            resolved(basis)
    return result


def made(
    descriptor: DensityDescriptor, grid: Grid, n_species: int, n_neighbours: int
) -> tuple[list[DensityDescriptor], list[str]]:
    """Make a descriptor of each setting; and say why some are left out.

    Parameters
    ----------
    descriptor
        What is not in the grid, with its species.
    n_species, n_neighbours
        Of all channels, and of the largest environment.

    Raises
    ------
    InputError
        If none is possible.
    """
    result: list[DensityDescriptor] = []
    left_out: list[str] = []
    for order, cutoff, cutoff_width, width, basis in product(
        grid.orders, grid.cutoff, grid.cutoff_width, grid.width, grid.bases
    ):
        for n, l in _truncations(grid, order):
            try:
                lengths = {"cutoff": cutoff, "cutoff_width": cutoff_width, "width": width}
                each = of_order(descriptor, order, n_max=n, **l, **_with_functions(descriptor, basis, lengths))
            except InputError as error:
                left_out.append(str(error))
                continue
            if 3 * n_neighbours * n_features(each) > _MOST_ENTRIES:
                left_out.append(
                    f"`n_max`, `l_max` must leave a Jacobian of at most {_MOST_ENTRIES} entries, got {n_features(each)}"
                    f" features of {n_species} species and {n_neighbours} neighbours."
                )
                continue
            result.append(each)
    if not result:
        raise InputError(left_out[0])
    return result, left_out


def of_order(descriptor: DensityDescriptor, order: int, **values: Any) -> DensityDescriptor:
    """Make a descriptor of another body order with the density of a given one."""
    kind = KINDS[order]
    if isinstance(descriptor, kind):
        return changed(descriptor, **values)
    shared = {field.name: getattr(descriptor, field.name) for field in fields(DensityDescriptor) if field.init}
    return kind(**shared | values)


def n_features(descriptor: DensityDescriptor) -> int:
    """Count the features of a descriptor that states its species."""
    return descriptor._n_features(len(descriptor.species or ()))


def _truncations(grid: Grid, order: int) -> Iterator[tuple[int, dict[str, int]]]:
    if order == 1:
        yield from ((n, {}) for n in grid.n_max)
        return
    for n, l in product(grid.n_max, grid.l_max):
        if order < 3 or max(n, l) <= _MOST_OF_BISPECTRUM:
            yield n, {"l_max": l}


def _with_functions(descriptor: DensityDescriptor, basis: Any, lengths: dict[str, float]) -> dict[str, Any]:
    """Give the lengths, and radial functions whose own lengths follow from them as in the code that they are of."""
    cutoff, width = lengths["cutoff"], lengths["width"]
    if basis == descriptor.radial_basis and all(getattr(descriptor, name) == x for name, x in lengths.items()):
        return {**lengths, "radial_basis": basis}
    name = basis.kind if isinstance(basis, RadialBasis) else basis
    if name == "quip-gaussians":
        basis = QuipGaussians(width=width) if isinstance(basis, str) else changed_basis(basis, width=width)
    elif name == "dscribe-gto":
        # dscribe has no smoothing, and its environments reach further than its functions.
        return {"cutoff": cutoff, "cutoff_width": 0.0, "width": width, "radial_basis": _dscribe(cutoff, width)}
    return {**lengths, "radial_basis": basis}


def _dscribe(cutoff: float, width: float) -> DscribeGTO:
    inner = cutoff - PADDING * width
    if inner <= 1:
        raise InputError(
            f"`cutoff` must exceed 1 Å + {PADDING:.2f} widths for dscribe-gto, got {cutoff} Å: dscribe's environments "
            "reach so far beyond its r_cut."
        )
    return DscribeGTO(r_cut=inner)


def changed_basis(basis: Any, **values: Any) -> Any:
    """Make the same radial basis with other values of some parameters."""
    return type(basis)(**{field.name: getattr(basis, field.name) for field in fields(basis)} | values)


def _wholes(name: str, given: Any, known: range) -> list[int]:
    values: Sequence[Any] = listed(given)
    whole = [as_whole(value) for value in values]
    if not whole or any(value is None or value not in known for value in whole) or len({*whole}) < len(whole):
        raise InputError(
            f"`{name}` must be distinct whole numbers from {known[0]} to {known[-1]}, at least one, got {given!r}."
        )
    return sorted(value for value in whole if value is not None)


def _reals(name: str, given: Any) -> list[float]:
    values = [as_real(value) for value in listed(given)]
    if not values or not all(0 <= value < float("inf") for value in values) or len({*values}) < len(values):
        raise InputError(f"`{name}` must be distinct lengths in Å, at least one, got {given!r}.")
    return sorted(values)
