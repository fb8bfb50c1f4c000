"""A descriptor with one cause of softness taken away: a larger basis, the next correlation order, a raised cutoff."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, NamedTuple, cast

from nullmode.descriptors._base import DensityDescriptor, Descriptor, changed
from nullmode.descriptors.bispectrum import Bispectrum
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.descriptors.trispectrum import Trispectrum


class Basis(NamedTuple):
    """A kind of descriptor and the size of its basis."""

    kind: type[DensityDescriptor]
    n_max: int
    l_max: int


# Per correlation order, the next one, in a basis that is converged for some ten neighbours (test_ranks.py).
_NEXT = {
    1: Basis(PowerSpectrum, 8, 8),
    2: Basis(Bispectrum, 4, 5),
    3: Basis(Trispectrum, 3, 4),
}
_GROWTH = 2
_MOST = {"n_max": 12, "l_max": 16}


def with_larger_basis(descriptor: Descriptor) -> Descriptor | None:
    """Raise n_max and l_max by two, up to 12 and 16; None where neither can be raised."""
    sizes = {name: getattr(descriptor, name) for name in _fields(descriptor) & _MOST.keys()}
    grown = {name: max(size, min(size + _GROWTH, _MOST[name])) for name, size in sizes.items()}
    return _with(descriptor, grown) if grown != sizes else None


def of_next_order(descriptor: Descriptor) -> Descriptor | None:
    """Correlate one neighbour more, with the same density; None where that is not to be had, as for pseudoscalars."""
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
    """Make a descriptor; None beyond what its kind allows: the l of a fit, the features of many species."""
    try:
        return cast("Descriptor", make(**parameters))
    # Pydantic's errors too, which a user's own descriptor raises.
    except ValueError:
        return None
