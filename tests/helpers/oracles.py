"""Independent implementations, brought to nullmode's conventions."""

from dataclasses import asdict
from functools import partial
from itertools import combinations_with_replacement, permutations

import featomic
import numpy as np
from ase import Atoms
from ase.units import Bohr
from dscribe.descriptors import ACSF, CoulombMatrix
from featomic.clebsch_gordan import DensityCorrelations
from metatensor import Labels
from scipy.special import gamma

import nullmode as nm
from nullmode._support.elements import atomic_number


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
    # featomic integrates these functions numerically; with its own choice of points its spline is good to 6e-8.
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
        n_spline_points=2000,
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
    tensor = correlations.compute(density, selected_keys=Labels(["o3_lambda"], np.array([[0]])))
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


def featomic_trispectrum(descriptor, atoms: Atoms, center: int):
    """Couplings of four channels of one centre, up to sign: (channels, L) -> value, for any order of any channels."""
    calculator = featomic.SphericalExpansion(**_hypers(descriptor, False))
    density = calculator.compute(atoms).keys_to_properties("neighbor_type")
    correlations = DensityCorrelations(n_correlations=3, max_angular=4 * descriptor.l_max, skip_redundant=False)
    tensor = correlations.compute(density, selected_keys=Labels(["o3_lambda", "o3_sigma"], np.array([[0, 1]])))

    def entry(channels, L):
        (_, _, l1), (_, _, l2), (_, _, l3), (_, _, l4) = channels
        angular = {"l_1": l1, "l_2": l2, "k_2": L, "l_3": l3, "k_3": l4, "l_4": l4}
        block = tensor.block(center_type=int(atoms.numbers[center]), **angular)
        row = block.samples.position([0, center])
        column = block.properties.position([x for s, n, _ in channels for x in (atomic_number(s), n)])
        return block.values[row, 0, column]

    return entry


def dscribe_acsf(descriptor, atoms: Atoms, center: int):
    """Features of one centre as nullmode lays them out; each function alone, since dscribe's order is its own."""
    columns = {}
    values = []
    for label in descriptor.feature_labels():
        key = label.function, label.parameters
        if key not in columns:
            parameters = label.parameters[0] if label.function == "G3" else list(label.parameters)
            chosen = {} if label.function == "G1" else {f"{label.function.lower()}_params": [parameters]}
            numbers = sorted(atomic_number(name) for name in descriptor.species)
            acsf = ACSF(r_cut=descriptor.cutoff, species=numbers, periodic=bool(atoms.pbc.any()), **chosen)
            row = acsf.create(atoms, centers=[center])[0]
            per_species = 1 + (label.function in ("G2", "G3"))
            radial = row[: len(numbers) * per_species].reshape(len(numbers), per_species)[:, -1]
            pairs = [frozenset((a, b)) for k, a in enumerate(numbers) for b in numbers[: k + 1]]
            columns[key] = dict(zip(numbers, radial, strict=True)) if label.species_2 is None else {}
            if label.species_2 is not None:
                columns[key] = dict(zip(pairs, row[len(numbers) :], strict=True))
        if label.species_2 is None:
            values.append(columns[key][atomic_number(label.species_1)])
        else:
            values.append(columns[key][frozenset(map(atomic_number, (label.species_1, label.species_2)))])
    return np.array(values)


def dscribe_coulomb_eigenvalues(atoms: Atoms):
    """Eigenvalues of a whole molecule's Coulomb matrix in Hartree, descending; dscribe takes lengths as they are."""
    scaled = Atoms(atoms.numbers, atoms.positions / Bohr)
    spectrum = CoulombMatrix(n_atoms_max=len(atoms), permutation="eigenspectrum").create(scaled)
    return np.sort(spectrum)[::-1]


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


def dscribe_soap(vectors, species, center_species, numbers, n_max, l_max, sigma, r_cut):
    """SOAP in dscribe's conventions, from closed forms alone; positions may be complex, for derivatives.

    Radial primitives r^l exp(-alpha r²), of 1e-3 at r = 1 … r_cut, in Löwdin's combination; density exp(-|r|²/2 sigma²)
    with the centre's own; p = pi sqrt(8/(2l+1)) sum_m c c. The integral over a solid harmonic and a Gaussian is the
    harmonic at its centre; the sum over m is Legendre's polynomial of the angle.
    """
    ends = np.linspace(1, r_cut, n_max)
    positions = np.concatenate([np.zeros((1, 3)), vectors])
    kinds = np.concatenate([[center_species], species])
    squares = (positions**2).sum(axis=1)
    density = 1 / (2 * sigma**2)
    blocks = {(s, t): [] for s, t in combinations_with_replacement(numbers, 2)}
    for l in range(l_max + 1):
        alpha = -np.log(1e-3 / ends**l) / ends**2
        overlap = 0.5 * gamma(l + 1.5) * np.add.outer(alpha, alpha) ** (-l - 1.5)
        size, axes = np.linalg.eigh(overlap)
        lowdin = axes / np.sqrt(size) @ axes.T
        total = density + alpha
        front = (np.pi / total) ** 1.5 * (density / total) ** l
        radial = lowdin @ (front[:, None] * np.exp(-np.multiply.outer(density * alpha / total, squares)))
        harmonic = solid_legendre(l, positions, squares) * (2 * l + 1) / (4 * np.pi)
        for (s, t), found in blocks.items():
            one, two = np.flatnonzero(kinds == s), np.flatnonzero(kinds == t)
            p = np.pi * np.sqrt(8 / (2 * l + 1)) * radial[:, one] @ harmonic[np.ix_(one, two)] @ radial[:, two].T
            found.append(p)
    result = []
    for (s, t), found in blocks.items():
        p = np.array(found)
        # l varies slowest, then n, then n'.
        kept = np.triu_indices(n_max) if s == t else np.indices((n_max, n_max)).reshape(2, -1)
        result.append(p[:, *kept].ravel())
    return np.concatenate(result)


def solid_legendre(l, positions, squares):
    """(r r')^l P_l(cos of the angle) for all pairs, by Bonnet's recursion times the lengths: no division."""
    dots = positions @ positions.T
    lengths = np.multiply.outer(squares, squares)
    before, now = np.zeros_like(dots), np.ones_like(dots)
    for k in range(l):
        before, now = now, ((2 * k + 1) * dots * now - k * lengths * before) / (k + 1)
    return now
