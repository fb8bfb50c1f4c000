"""Descriptors: features of an environment with their full Jacobian. One file each; this table names them."""

DESCRIPTORS = {
    "radial-spectrum": "nullmode.descriptors.radial_spectrum:RadialSpectrum",
    "power-spectrum": "nullmode.descriptors.power_spectrum:PowerSpectrum",
    "bispectrum": "nullmode.descriptors.bispectrum:Bispectrum",
    "trispectrum": "nullmode.descriptors.trispectrum:Trispectrum",
    "acsf": "nullmode.descriptors.acsf:ACSF",
    "overlap-matrix": "nullmode.descriptors.overlap_matrix:OverlapMatrix",
    "inverse-distances": "nullmode.descriptors.inverse_distances:InverseDistances",
    "coulomb-matrix": "nullmode.descriptors.coulomb_matrix:CoulombMatrix",
}
