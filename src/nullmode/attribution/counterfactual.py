"""A descriptor without one cause of softness: with a larger truncation, the next correlation order, a raised cutoff."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, NamedTuple, cast

from nullmode.descriptors._base import DensityDescriptor, Descriptor, changed
from nullmode.descriptors.bispectrum import Bispectrum
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.descriptors.trispectrum import Trispectrum


class Truncation(NamedTuple):
    """A kind of descriptor and its truncation."""

    kind: type[DensityDescriptor]
    n_max: int
    l_max: int


# For each correlation order the next one, with a truncation that is converged for some ten neighbours.
_NEXT = {
    1: Truncation(PowerSpectrum, 8, 8),
    2: Truncation(Bispectrum, 4, 5),
    3: Truncation(Trispectrum, 3, 4),
}
_GROWTH = 2
_MOST = {"n_max": 12, "l_max": 16}


def with_larger_truncation(descriptor: Descriptor) -> Descriptor | None:
    """Raise n_max and l_max by two, up to 12 and 16; None where neither can be raised."""
    sizes = {name: getattr(descriptor, name) for name in _fields(descriptor) & _MOST.keys()}
    grown = {name: max(size, min(size + _GROWTH, _MOST[name])) for name, size in sizes.items()}
    return _with(descriptor, grown) if grown != sizes else None


def of_next_order(descriptor: Descriptor) -> Descriptor | None:
    """Correlate one more neighbour, with the same density; None where no such descriptor exists."""
    following = _NEXT.get(descriptor.correlation_order or 0)
    if following is None or not isinstance(descriptor, DensityDescriptor) or descriptor.parity == "SO3":
        return None
    density = {field.name: getattr(descriptor, field.name) for field in fields(cast("Any", DensityDescriptor))}
    return _made(following.kind, density | {"n_max": following.n_max, "l_max": following.l_max})


def with_raised_cutoff(descriptor: Descriptor) -> Descriptor | None:
    """Raise the cutoff by ``cutoff_width``; None for a descriptor that does not smooth."""
    if not {"cutoff", "cutoff_width"} <= _fields(descriptor):
        return None
    smoothing = getattr(descriptor, "cutoff_width", 0.0)
    return _with(descriptor, {"cutoff": descriptor.cutoff + smoothing}) if smoothing else None


def _fields(descriptor: Descriptor) -> set[str]:
    anything: Any = descriptor
    return {field.name for field in fields(anything)} if is_dataclass(anything) else set()


def _with(descriptor: Descriptor, changes: dict[str, Any]) -> Descriptor | None:
    return _made(partial(changed, descriptor), changes)


def _made(make: Callable[..., Any], parameters: dict[str, Any]) -> Descriptor | None:
    """Make a descriptor; None for parameters that its kind refuses, such as an l_max that was not fitted."""
    try:
        return cast("Descriptor", make(**parameters))
    # ValueError includes the errors of Pydantic, which a user's own descriptor may raise.
    except ValueError:
        return None
