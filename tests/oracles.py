"""Independent implementations, brought to nullmode's conventions."""

from dataclasses import asdict
from functools import partial
from itertools import permutations

import featomic
import numpy as np
from ase import Atoms
from featomic.clebsch_gordan import DensityCorrelations

import nullmode as nm
from nullmode.elements import atomic_number


def _hypers(descriptor, radial_only):
    if descriptor.radial_basis.kind == "laplacian-eigenstates":
        return _splined_hypers(descriptor)
    smoothing = {"type": "ShiftedCosine", "width": descriptor.cutoff_width}
    basis = {"radial": {"type": "Gto", "max_radial": descriptor.n_max - 1}, "spline_accuracy": None}
    if not radial_only:
        basis |= {"type": "TensorProduct", "max_angular": descriptor.l_max}
    return {
        "cutoff": {
            "radius": descriptor.cutoff,
            "smoothing": smoothing if descriptor.cutoff_width else {"type": "Step"},
        },
        "density": {
            "type": "Gaussian",
            "width": descriptor.width,
            "center_atom_weight": descriptor.center_weight,
            "scaling": None if descriptor.radial_scaling is None else _scaling(descriptor).get_hypers(),
        },
        "basis": basis,
    }


def _scaling(descriptor):
    return featomic.density.Willatt2018(**asdict(descriptor.radial_scaling))


def _splined_hypers(descriptor):
    # featomic integrates these functions numerically; its spline is good to about 6e-8.
    functions = {
        l: featomic.basis.SphericalBessel(angular_channel=l, max_radial=descriptor.n_max - 1, radius=descriptor.cutoff)
        for l in range(descriptor.l_max + 1)
    }
    gaussian = partial(featomic.density.Gaussian, width=descriptor.width)
    kind = gaussian if descriptor.density == "gaussian" else featomic.density.DiracDelta
    spliner = featomic.splines.SoapSpliner(
        cutoff=featomic.cutoff.Cutoff(
            radius=descriptor.cutoff, smoothing=featomic.cutoff.ShiftedCosine(width=descriptor.cutoff_width)
        ),
        density=kind(
            center_atom_weight=descriptor.center_weight,
            scaling=None if descriptor.radial_scaling is None else _scaling(descriptor),
        ),
        basis=featomic.basis.Explicit(by_angular=functions, spline_accuracy=1e-8),
    )
    return spliner.get_hypers()


def featomic_features(descriptor, atoms: Atoms, center: int):
    """Features (F,) and their derivatives with respect to every atom (F, N, 3) as nullmode lays them out."""
    radial_only = isinstance(descriptor, nm.RadialSpectrum)
    calculator = (featomic.SoapRadialSpectrum if radial_only else featomic.SoapPowerSpectrum)(
        **_hypers(descriptor, radial_only)
    )
    tensor = calculator.compute(atoms, gradients=["positions"])
    labels = descriptor.feature_labels()
    features = np.zeros(len(labels))
    jacobian = np.zeros((len(labels), len(atoms), 3))
    for key, block in tensor.items():
        if key["center_type"] != atoms.numbers[center]:
            continue
        sample = np.flatnonzero(block.samples["atom"] == center)[0]
        gradient = block.gradient("positions")
        rows = np.flatnonzero(gradient.samples["sample"] == sample)
        which = gradient.samples["atom"][rows]
        properties = {tuple(p): i for i, p in enumerate(block.properties.values.tolist())}
        for index, label in enumerate(labels):
            where = _column(label, key, properties, radial_only)
            if where is not None:
                column, weight = where
                features[index] = weight * block.values[sample, column]
                jacobian[index, which] = weight * gradient.values[rows][:, :, column]
    return features, jacobian


def featomic_bispectrum(descriptor, atoms: Atoms, center: int):
    """Features of one centre, up to the sign of each entry, as nullmode lays them out."""
    calculator = featomic.SphericalExpansion(**_hypers(descriptor, False))
    density = calculator.compute(atoms).keys_to_properties("neighbor_type")
    correlations = DensityCorrelations(n_correlations=2, max_angular=3 * descriptor.l_max, skip_redundant=False)
    tensor = correlations.compute(density)
    result = []
    for label in descriptor.feature_labels():
        channels = [(label.species_1, label.n_1, label.l_1), (label.species_2, label.n_2, label.l_2)]
        channels.append((label.species_3, label.n_3, label.l_3))
        block = tensor.block(
            o3_lambda=0,
            o3_sigma=1 - 2 * (sum(l for _, _, l in channels) % 2),
            center_type=int(atoms.numbers[center]),
            l_1=label.l_1,
            l_2=label.l_2,
            k_2=label.l_3,
            l_3=label.l_3,
        )
        row = block.samples.position([0, center])
        column = block.properties.position([x for s, n, _ in channels for x in (atomic_number(s), n)])
        orderings = len(set(permutations(channels)))
        result.append(np.sqrt(orderings) * block.values[row, 0, column])
    return np.array(result)


def _column(label, key, properties, radial_only):
    if radial_only:
        if atomic_number(label.species) != key["neighbor_type"]:
            return None
        return properties[(label.n,)], 1.0
    types = atomic_number(label.species_1), atomic_number(label.species_2)
    first, second = (label.n_1, label.n_2)
    if types[0] > types[1]:
        types, first, second = types[::-1], second, first
    if types != (key["neighbor_1_type"], key["neighbor_2_type"]):
        return None
    weight = np.sqrt(2) if types[0] == types[1] and first != second else 1.0
    return properties[(label.l, first, second)], weight


def fold_by_atom(jacobian, environment, n_atoms):
    """Derivatives per neighbour summed over the images of each atom: (F, n_atoms, 3)."""
    folded = np.zeros((len(jacobian), n_atoms, 3))
    for j, atom in enumerate(environment.atoms):
        folded[:, atom] += jacobian[:, j]
    return folded
