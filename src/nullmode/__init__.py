"""nullmode: finds the atomic displacements that a machine-learning descriptor cannot see, and says why."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nullmode.decomposition import Sensitivity, sensitivity
    from nullmode.descriptors._base import Descriptor
    from nullmode.descriptors.power_spectrum import PowerSpectrum
    from nullmode.descriptors.radial_spectrum import RadialSpectrum
    from nullmode.environment import Environment, environments
    from nullmode.study import analyze
    from nullmode.types import InputError

__version__ = "0.1.0"

# Loaded on first use, so that checking a configuration does not wait for pandas, Numba and matplotlib.
_HOME = {
    "Descriptor": "nullmode.descriptors._base",
    "Environment": "nullmode.environment",
    "InputError": "nullmode.types",
    "PowerSpectrum": "nullmode.descriptors.power_spectrum",
    "RadialSpectrum": "nullmode.descriptors.radial_spectrum",
    "Sensitivity": "nullmode.decomposition",
    "analyze": "nullmode.study",
    "environments": "nullmode.environment",
    "sensitivity": "nullmode.decomposition",
}

__all__ = [
    "Descriptor",
    "Environment",
    "InputError",
    "PowerSpectrum",
    "RadialSpectrum",
    "Sensitivity",
    "analyze",
    "environments",
    "sensitivity",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'nullmode' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
