"""nullmode: finds the atomic displacements that a machine-learning descriptor cannot see, and says why."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nullmode.adapters.callable import FromCallable
    from nullmode.adapters.dscribe import FromDscribe
    from nullmode.adapters.featomic import FromFeatomic
    from nullmode.adapters.quippy import FromQuippy
    from nullmode.analysis import analyze, truncation_sweep
    from nullmode.attribution import Attribution, attribute
    from nullmode.basis.scaling import RadialScaling
    from nullmode.completeness import rank_complete
    from nullmode.congruence import Superposition, congruent, superpose
    from nullmode.contraction import fit_contraction
    from nullmode.dataset import load
    from nullmode.decomposition import Sensitivity, sensitivity
    from nullmode.descriptors._base import Descriptor
    from nullmode.descriptors.acsf import ACSF
    from nullmode.descriptors.bispectrum import Bispectrum
    from nullmode.descriptors.coulomb_matrix import CoulombMatrix
    from nullmode.descriptors.inverse_distances import InverseDistances
    from nullmode.descriptors.overlap_matrix import OverlapMatrix
    from nullmode.descriptors.power_spectrum import PowerSpectrum
    from nullmode.descriptors.radial_spectrum import RadialSpectrum
    from nullmode.descriptors.trispectrum import Trispectrum
    from nullmode.environment import Environment, environments
    from nullmode.environment_set import EnvironmentSet
    from nullmode.families._base import FamilySize
    from nullmode.irreps import symmetry_adapted
    from nullmode.near_null import NearNull, explain_near_null
    from nullmode.null_modes import NullModes, split_null_modes
    from nullmode.radial.chebyshev import Chebyshev
    from nullmode.radial.dvr import DVR
    from nullmode.radial.gto import GTO
    from nullmode.radial.laplacian_eigenstates import LaplacianEigenstates
    from nullmode.radial.legendre import Legendre
    from nullmode.radial.optimal_contraction import OptimalContraction
    from nullmode.reading import read_environments
    from nullmode.scanning import scan
    from nullmode.search.change import DistanceToChange, distance_to_change
    from nullmode.search.multistart import find_singular_points
    from nullmode.search.orbit import Orbit, follow_orbit
    from nullmode.search.partners import Partners, find_partners
    from nullmode.search.singular import SingularPoint, find_singular
    from nullmode.spectrum_set import SpectrumSet, spectra
    from nullmode.structure import structure_jacobian, structure_sensitivity
    from nullmode.symmetry import PointGroup, point_group, rank_symmetric
    from nullmode.types import InputError
    from nullmode.view import write_view

__version__ = "0.1.0"

# Loaded on first use, so that checking a configuration does not wait for pandas, Numba and matplotlib.
_HOME = {
    "ACSF": "nullmode.descriptors.acsf",
    "Attribution": "nullmode.attribution",
    "Bispectrum": "nullmode.descriptors.bispectrum",
    "Chebyshev": "nullmode.radial.chebyshev",
    "CoulombMatrix": "nullmode.descriptors.coulomb_matrix",
    "DVR": "nullmode.radial.dvr",
    "Descriptor": "nullmode.descriptors._base",
    "DistanceToChange": "nullmode.search.change",
    "Environment": "nullmode.environment",
    "EnvironmentSet": "nullmode.environment_set",
    "FamilySize": "nullmode.families._base",
    "FromCallable": "nullmode.adapters.callable",
    "FromDscribe": "nullmode.adapters.dscribe",
    "FromFeatomic": "nullmode.adapters.featomic",
    "FromQuippy": "nullmode.adapters.quippy",
    "GTO": "nullmode.radial.gto",
    "InputError": "nullmode.types",
    "InverseDistances": "nullmode.descriptors.inverse_distances",
    "LaplacianEigenstates": "nullmode.radial.laplacian_eigenstates",
    "Legendre": "nullmode.radial.legendre",
    "NearNull": "nullmode.near_null",
    "NullModes": "nullmode.null_modes",
    "OptimalContraction": "nullmode.radial.optimal_contraction",
    "Orbit": "nullmode.search.orbit",
    "OverlapMatrix": "nullmode.descriptors.overlap_matrix",
    "Partners": "nullmode.search.partners",
    "PointGroup": "nullmode.symmetry",
    "PowerSpectrum": "nullmode.descriptors.power_spectrum",
    "RadialScaling": "nullmode.basis.scaling",
    "RadialSpectrum": "nullmode.descriptors.radial_spectrum",
    "Sensitivity": "nullmode.decomposition",
    "SingularPoint": "nullmode.search.singular",
    "SpectrumSet": "nullmode.spectrum_set",
    "Superposition": "nullmode.congruence",
    "Trispectrum": "nullmode.descriptors.trispectrum",
    "analyze": "nullmode.analysis",
    "attribute": "nullmode.attribution",
    "congruent": "nullmode.congruence",
    "distance_to_change": "nullmode.search.change",
    "environments": "nullmode.environment",
    "explain_near_null": "nullmode.near_null",
    "find_partners": "nullmode.search.partners",
    "find_singular": "nullmode.search.singular",
    "find_singular_points": "nullmode.search.multistart",
    "fit_contraction": "nullmode.contraction",
    "load": "nullmode.dataset",
    "follow_orbit": "nullmode.search.orbit",
    "point_group": "nullmode.symmetry",
    "rank_complete": "nullmode.completeness",
    "rank_symmetric": "nullmode.symmetry",
    "read_environments": "nullmode.reading",
    "scan": "nullmode.scanning",
    "sensitivity": "nullmode.decomposition",
    "spectra": "nullmode.spectrum_set",
    "split_null_modes": "nullmode.null_modes",
    "structure_jacobian": "nullmode.structure",
    "structure_sensitivity": "nullmode.structure",
    "superpose": "nullmode.congruence",
    "symmetry_adapted": "nullmode.irreps",
    "truncation_sweep": "nullmode.analysis",
    "write_view": "nullmode.view",
}

__all__ = [
    "ACSF",
    "DVR",
    "GTO",
    "Attribution",
    "Bispectrum",
    "Chebyshev",
    "CoulombMatrix",
    "Descriptor",
    "DistanceToChange",
    "Environment",
    "EnvironmentSet",
    "FamilySize",
    "FromCallable",
    "FromDscribe",
    "FromFeatomic",
    "FromQuippy",
    "InputError",
    "InverseDistances",
    "LaplacianEigenstates",
    "Legendre",
    "NearNull",
    "NullModes",
    "OptimalContraction",
    "Orbit",
    "OverlapMatrix",
    "Partners",
    "PointGroup",
    "PowerSpectrum",
    "RadialScaling",
    "RadialSpectrum",
    "Sensitivity",
    "SingularPoint",
    "SpectrumSet",
    "Superposition",
    "Trispectrum",
    "analyze",
    "attribute",
    "congruent",
    "distance_to_change",
    "environments",
    "explain_near_null",
    "find_partners",
    "find_singular",
    "find_singular_points",
    "fit_contraction",
    "follow_orbit",
    "load",
    "point_group",
    "rank_complete",
    "rank_symmetric",
    "read_environments",
    "scan",
    "sensitivity",
    "spectra",
    "split_null_modes",
    "structure_jacobian",
    "structure_sensitivity",
    "superpose",
    "symmetry_adapted",
    "truncation_sweep",
    "write_view",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'nullmode' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
