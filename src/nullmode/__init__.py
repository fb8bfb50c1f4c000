"""nullmode: finds the atomic displacements that a machine-learning descriptor cannot see, and says why."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nullmode.analysis import analyze
    from nullmode.attribution import Attribution, attribute
    from nullmode.basis.scaling import RadialScaling
    from nullmode.completeness import rank_complete
    from nullmode.contraction import fit_contraction
    from nullmode.decomposition import Sensitivity, sensitivity
    from nullmode.descriptors._base import Descriptor
    from nullmode.descriptors.bispectrum import Bispectrum
    from nullmode.descriptors.power_spectrum import PowerSpectrum
    from nullmode.descriptors.radial_spectrum import RadialSpectrum
    from nullmode.environment import Environment, environments
    from nullmode.irreps import symmetry_adapted
    from nullmode.radial.chebyshev import Chebyshev
    from nullmode.radial.dvr import DVR
    from nullmode.radial.gto import GTO
    from nullmode.radial.laplacian_eigenstates import LaplacianEigenstates
    from nullmode.radial.legendre import Legendre
    from nullmode.radial.optimal_contraction import OptimalContraction
    from nullmode.symmetry import PointGroup, point_group, rank_symmetric
    from nullmode.types import InputError

__version__ = "0.1.0"

# Loaded on first use, so that checking a configuration does not wait for pandas, Numba and matplotlib.
_HOME = {
    "Attribution": "nullmode.attribution",
    "Bispectrum": "nullmode.descriptors.bispectrum",
    "Chebyshev": "nullmode.radial.chebyshev",
    "DVR": "nullmode.radial.dvr",
    "Descriptor": "nullmode.descriptors._base",
    "Environment": "nullmode.environment",
    "GTO": "nullmode.radial.gto",
    "InputError": "nullmode.types",
    "LaplacianEigenstates": "nullmode.radial.laplacian_eigenstates",
    "Legendre": "nullmode.radial.legendre",
    "OptimalContraction": "nullmode.radial.optimal_contraction",
    "PointGroup": "nullmode.symmetry",
    "PowerSpectrum": "nullmode.descriptors.power_spectrum",
    "RadialScaling": "nullmode.basis.scaling",
    "RadialSpectrum": "nullmode.descriptors.radial_spectrum",
    "Sensitivity": "nullmode.decomposition",
    "analyze": "nullmode.analysis",
    "attribute": "nullmode.attribution",
    "environments": "nullmode.environment",
    "fit_contraction": "nullmode.contraction",
    "point_group": "nullmode.symmetry",
    "rank_complete": "nullmode.completeness",
    "rank_symmetric": "nullmode.symmetry",
    "sensitivity": "nullmode.decomposition",
    "symmetry_adapted": "nullmode.irreps",
}

__all__ = [
    "DVR",
    "GTO",
    "Attribution",
    "Bispectrum",
    "Chebyshev",
    "Descriptor",
    "Environment",
    "InputError",
    "LaplacianEigenstates",
    "Legendre",
    "OptimalContraction",
    "PointGroup",
    "PowerSpectrum",
    "RadialScaling",
    "RadialSpectrum",
    "Sensitivity",
    "analyze",
    "attribute",
    "environments",
    "fit_contraction",
    "point_group",
    "rank_complete",
    "rank_symmetric",
    "sensitivity",
    "symmetry_adapted",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'nullmode' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
