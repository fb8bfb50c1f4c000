"""nullmode: finds the atomic displacements that a machine-learning descriptor cannot see, and says why."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nullmode._support.types import InputError
    from nullmode.adapters.callable import FromCallable
    from nullmode.adapters.dscribe import FromDscribe
    from nullmode.adapters.featomic import FromFeatomic
    from nullmode.adapters.quippy import FromQuippy
    from nullmode.analysis.analyze import analyze, truncation_sweep
    from nullmode.analysis.scan import scan
    from nullmode.attribution.causes import Attribution, attribute
    from nullmode.attribution.completeness import rank_complete
    from nullmode.attribution.near_null import NearNull, explain_near_null
    from nullmode.attribution.null_modes import NullModes, split_null_modes
    from nullmode.basis.radial.chebyshev import Chebyshev
    from nullmode.basis.radial.dvr import DVR
    from nullmode.basis.radial.gto import GTO
    from nullmode.basis.radial.laplacian_eigenstates import LaplacianEigenstates
    from nullmode.basis.radial.legendre import Legendre
    from nullmode.basis.radial.optimal_contraction import OptimalContraction
    from nullmode.basis.scaling import RadialScaling
    from nullmode.descriptors._base import Descriptor
    from nullmode.descriptors._contraction import fit_contraction
    from nullmode.descriptors.acsf import ACSF
    from nullmode.descriptors.bispectrum import Bispectrum
    from nullmode.descriptors.coulomb_matrix import CoulombMatrix
    from nullmode.descriptors.inverse_distances import InverseDistances
    from nullmode.descriptors.overlap_matrix import OverlapMatrix
    from nullmode.descriptors.power_spectrum import PowerSpectrum
    from nullmode.descriptors.radial_spectrum import RadialSpectrum
    from nullmode.descriptors.trispectrum import Trispectrum
    from nullmode.families._base import FamilySize
    from nullmode.geometry.environment import Environment, environments
    from nullmode.geometry.environment_set import EnvironmentSet
    from nullmode.geometry.read import read_environments
    from nullmode.search.change import DistanceToChange, distance_to_change
    from nullmode.search.multistart import find_singular_points
    from nullmode.search.orbit import Orbit, follow_orbit
    from nullmode.search.partners import Partners, find_partners
    from nullmode.search.singular import SingularPoint, find_singular
    from nullmode.spectrum.batch import SpectrumSet, spectra
    from nullmode.spectrum.decomposition import Sensitivity, sensitivity
    from nullmode.spectrum.whole_structure import structure_jacobian, structure_sensitivity
    from nullmode.symmetry.irreps import symmetry_adapted
    from nullmode.symmetry.point_group import PointGroup, point_group, rank_symmetric
    from nullmode.symmetry.superposition import Superposition, congruent, superpose
    from nullmode.tables.dataset import load
    from nullmode.views.view import write_view

__version__ = "0.1.0"

# Loaded on first use, so that checking a configuration does not wait for pandas, Numba and matplotlib.
_HOME = {
    "ACSF": "nullmode.descriptors.acsf",
    "Attribution": "nullmode.attribution.causes",
    "Bispectrum": "nullmode.descriptors.bispectrum",
    "Chebyshev": "nullmode.basis.radial.chebyshev",
    "CoulombMatrix": "nullmode.descriptors.coulomb_matrix",
    "DVR": "nullmode.basis.radial.dvr",
    "Descriptor": "nullmode.descriptors._base",
    "DistanceToChange": "nullmode.search.change",
    "Environment": "nullmode.geometry.environment",
    "EnvironmentSet": "nullmode.geometry.environment_set",
    "FamilySize": "nullmode.families._base",
    "FromCallable": "nullmode.adapters.callable",
    "FromDscribe": "nullmode.adapters.dscribe",
    "FromFeatomic": "nullmode.adapters.featomic",
    "FromQuippy": "nullmode.adapters.quippy",
    "GTO": "nullmode.basis.radial.gto",
    "InputError": "nullmode._support.types",
    "InverseDistances": "nullmode.descriptors.inverse_distances",
    "LaplacianEigenstates": "nullmode.basis.radial.laplacian_eigenstates",
    "Legendre": "nullmode.basis.radial.legendre",
    "NearNull": "nullmode.attribution.near_null",
    "NullModes": "nullmode.attribution.null_modes",
    "OptimalContraction": "nullmode.basis.radial.optimal_contraction",
    "Orbit": "nullmode.search.orbit",
    "OverlapMatrix": "nullmode.descriptors.overlap_matrix",
    "Partners": "nullmode.search.partners",
    "PointGroup": "nullmode.symmetry.point_group",
    "PowerSpectrum": "nullmode.descriptors.power_spectrum",
    "RadialScaling": "nullmode.basis.scaling",
    "RadialSpectrum": "nullmode.descriptors.radial_spectrum",
    "Sensitivity": "nullmode.spectrum.decomposition",
    "SingularPoint": "nullmode.search.singular",
    "SpectrumSet": "nullmode.spectrum.batch",
    "Superposition": "nullmode.symmetry.superposition",
    "Trispectrum": "nullmode.descriptors.trispectrum",
    "analyze": "nullmode.analysis.analyze",
    "attribute": "nullmode.attribution.causes",
    "congruent": "nullmode.symmetry.superposition",
    "distance_to_change": "nullmode.search.change",
    "environments": "nullmode.geometry.environment",
    "explain_near_null": "nullmode.attribution.near_null",
    "find_partners": "nullmode.search.partners",
    "find_singular": "nullmode.search.singular",
    "find_singular_points": "nullmode.search.multistart",
    "fit_contraction": "nullmode.descriptors._contraction",
    "load": "nullmode.tables.dataset",
    "follow_orbit": "nullmode.search.orbit",
    "point_group": "nullmode.symmetry.point_group",
    "rank_complete": "nullmode.attribution.completeness",
    "rank_symmetric": "nullmode.symmetry.point_group",
    "read_environments": "nullmode.geometry.read",
    "scan": "nullmode.analysis.scan",
    "sensitivity": "nullmode.spectrum.decomposition",
    "spectra": "nullmode.spectrum.batch",
    "split_null_modes": "nullmode.attribution.null_modes",
    "structure_jacobian": "nullmode.spectrum.whole_structure",
    "structure_sensitivity": "nullmode.spectrum.whole_structure",
    "superpose": "nullmode.symmetry.superposition",
    "symmetry_adapted": "nullmode.symmetry.irreps",
    "truncation_sweep": "nullmode.analysis.analyze",
    "write_view": "nullmode.views.view",
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
