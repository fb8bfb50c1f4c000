"""Descriptors from elsewhere that laws must hold for: one line per adapter."""

import numpy as np
from cases import SETTING
from dscribe.descriptors import ACSF, SOAP
from featomic import SoapPowerSpectrum, SoapRadialSpectrum, SortedDistances

import nullmode as nm

ELEMENTS = ("H", "Li", "C", "N", "O")
SHIFTED = {"type": "ShiftedCosine", "width": SETTING["cutoff_width"]}
CUTOFF = {"radius": SETTING["cutoff"], "smoothing": SHIFTED}
DENSITY = {"type": "Gaussian", "width": SETTING["width"], "center_atom_weight": 0.0}
OURS = nm.PowerSpectrum(n_max=5, l_max=4, **SETTING)


def gto(n_max):
    return {"radial": {"type": "Gto", "max_radial": n_max - 1}, "spline_accuracy": None}


def featomic_power(n_max=5, l_max=4):
    basis = {"type": "TensorProduct", "max_angular": l_max, **gto(n_max)}
    return SoapPowerSpectrum(cutoff=CUTOFF, density=DENSITY, basis=basis)


def dscribe_power(n_max=4, l_max=4, **others):
    return SOAP(**{"species": ELEMENTS, "r_cut": 4.0, "n_max": n_max, "l_max": l_max, "sigma": 0.3} | others)


def quip(n_max=5, l_max=4, species=(1, 3, 6, 7, 8), center=6):
    numbers = " ".join(map(str, species))
    return (
        f"soap cutoff=4.0 cutoff_transition_width=0.5 n_max={n_max} l_max={l_max} atom_sigma=0.3 "
        f"n_Z=1 Z={{{center}}} n_species={len(species)} species_Z={{{numbers}}}"
    )


def ours(vectors, species, center_species):
    return OURS.compute(nm.Environment.from_vectors(vectors, species, center_species))


def our_jacobian(vectors, species, center_species):
    return OURS.compute_with_jacobian(nm.Environment.from_vectors(vectors, species, center_species))[1]


def ours_in_single_precision(vectors, species, center_species):
    return ours(vectors, species, center_species).astype(np.float32)


SYMMETRY = {"correlation_order": 2, "parity": "O3"}
DISTANCES = SortedDistances(cutoff=4.0, max_neighbors=20, separate_neighbor_types=True)
ACSF_SET = {"g2_params": [[1, 0.5], [1, 1.5]], "g4_params": [[0.1, 1, 1], [0.1, 2, -1]]}
# name -> descriptor, and whether it differentiates itself
ADAPTERS = {
    "featomic power": (nm.FromFeatomic(featomic_power()), True),
    "featomic radial": (
        nm.FromFeatomic(SoapRadialSpectrum(cutoff=CUTOFF, density=DENSITY, basis=gto(5)), ELEMENTS),
        True,
    ),
    "featomic distances": (nm.FromFeatomic(DISTANCES, ELEMENTS), False),
    "dscribe SOAP": (nm.FromDscribe(dscribe_power()), True),
    "dscribe SOAP, sparse": (nm.FromDscribe(dscribe_power(sparse=True)), True),
    "dscribe SOAP, crossover": (nm.FromDscribe(dscribe_power(compression={"mode": "crossover"})), True),
    "dscribe SOAP, compressed": (nm.FromDscribe(dscribe_power(compression={"mode": "mu2"})), False),
    "dscribe ACSF": (nm.FromDscribe(ACSF(species=ELEMENTS, r_cut=4.0, **ACSF_SET)), False),
    "quippy": (nm.FromQuippy(quip()), True),
    "callable": (nm.FromCallable(ours, cutoff=4.0, **SYMMETRY), False),
    "callable with Jacobian": (nm.FromCallable(ours, our_jacobian, cutoff=4.0, **SYMMETRY), True),
}
# Sorted distances have kinks where two are equal, which no difference resolves.
SMOOTH = [name for name in ADAPTERS if name != "featomic distances"]


def moments(library):
    """Power sums of 1/r and of the cosines between neighbours, in any library with NumPy's names."""

    def features(v):
        r = library.sqrt((v * v).sum(1))
        u = v / r[:, None]
        weight = library.exp(-r)
        cosines = u @ u.T
        radial = [(weight * r**-p).sum() for p in range(1, 7)]
        angular = [(weight[:, None] * cosines**p * weight).sum() for p in range(1, 7)]
        return library.stack([*radial, *angular])

    return features


def square(v):
    return (v**2).sum(axis=1)
