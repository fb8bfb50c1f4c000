"""A descriptor without one cause of softness: with a larger truncation, the next correlation order, a raised cutoff."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, cast

from nullmode.descriptors._base import DensityDescriptor, Descriptor, changed
from nullmode.descriptors._selected import changed_whole, whole_of
from nullmode.descriptors.bispectrum import Bispectrum
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.descriptors.radial_spectrum import RadialSpectrum
from nullmode.descriptors.trispectrum import Trispectrum

# A descriptor of each correlation order; truncations converge for about ten neighbours (tests/analysis/test_ranks.py).
LADDER: dict[int, tuple[type[Any], dict[str, int]]] = {
    1: (RadialSpectrum, {"n_max": 8}),
    2: (PowerSpectrum, {"n_max": 8, "l_max": 8}),
    3: (Bispectrum, {"n_max": 4, "l_max": 5}),
    4: (Trispectrum, {"n_max": 3, "l_max": 4}),
}
_GROWTH = 2
_MOST = {"n_max": 12, "l_max": 16}


def with_larger_truncation(descriptor: Descriptor) -> Descriptor | None:
    """Raise n_max and l_max by two, up to 12 and 16; None where neither can be raised. Of a selection, take all."""
    if (whole := whole_of(descriptor)) is not descriptor:
        return whole
    sizes = {name: getattr(descriptor, name) for name in _fields(descriptor) & _MOST.keys()}
    grown = {name: max(size, min(size + _GROWTH, _MOST[name])) for name, size in sizes.items()}
    return _made(partial(changed, descriptor), grown) if grown != sizes else None


def of_next_order(descriptor: Descriptor) -> Descriptor | None:
    """Correlate one more neighbour, with the same density; None where no such descriptor exists."""
    descriptor = whole_of(descriptor)
    order = descriptor.correlation_order or 0
    if order not in (1, 2, 3) or not isinstance(descriptor, DensityDescriptor) or descriptor.parity == "SO3":
        return None
    density = {field.name: getattr(descriptor, field.name) for field in fields(cast("Any", DensityDescriptor))}
    kind, size = LADDER[order + 1]
    return _made(kind, density | size)


def with_raised_cutoff(descriptor: Descriptor) -> Descriptor | None:
    """Raise the cutoff by ``cutoff_width``; None for a descriptor that does not smooth."""
    if not {"cutoff", "cutoff_width"} <= _fields(whole_of(descriptor)):
        return None
    smoothing = getattr(descriptor, "cutoff_width", 0.0)
    return _made(partial(changed_whole, descriptor), {"cutoff": descriptor.cutoff + smoothing}) if smoothing else None


def _fields(descriptor: Descriptor) -> set[str]:
    anything: Any = descriptor
    return {field.name for field in fields(anything)} if is_dataclass(anything) else set()


def _made(make: Callable[..., Any], parameters: dict[str, Any]) -> Descriptor | None:
    """Make a descriptor; None for parameters that its kind refuses, such as an l_max that was not fitted."""
    try:
        return cast("Descriptor", make(**parameters))
    # ValueError includes the errors of Pydantic, which a user's own descriptor may raise.
    except ValueError:
        return None
