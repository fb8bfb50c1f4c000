"""The same work in each code: random environments, features with their full Jacobian, singular values and modes.

Every function takes structures whose first atom, a carbon, is the centre, and returns the call that is timed; what can
be prepared once, is. All codes see the neighbours alone: the carbon's own density is left out.
"""

import featomic
import numpy as np
from ase import Atoms
from ase.io import read, write
from dscribe.descriptors import SOAP
from featomic.clebsch_gordan import DensityCorrelations
from metatensor import Labels
from quippy.descriptors import Descriptor
from scipy.spatial.distance import pdist

import nullmode as nm
from nullmode.analysis.stream import analyze_file
from nullmode.families import random_methane
from nullmode.tables import parquet

CUTOFF, CUTOFF_WIDTH, WIDTH = 4.0, 0.5, 0.3
FIRST_ATOM = Labels(["atom"], np.array([[0]]))
STEP = 1e-4


def methane(n_structures):
    return list(random_methane.structures(n_structures=n_structures, seed=1))


def clusters(n_structures, symbols, min_distance=0.7, radius=3.3):
    """A carbon with neighbours anywhere in a sphere, none too close, all outside the smoothing range of the cutoff."""
    rng = np.random.default_rng(1)
    found = []
    while len(found) < n_structures:
        positions = np.zeros((1, 3))
        while len(positions) <= len(symbols):
            trial = np.vstack([positions, rng.uniform(-radius, radius, 3)])
            if np.linalg.norm(trial[-1]) < radius and pdist(trial).min() > min_distance:
                positions = trial
        found.append(Atoms(["C", *symbols], positions))
    return found


# Name -> structures, and how many neighbours of each species they have.
SETS = {
    "CH4": (methane, 200, (4,)),
    "15 H": (lambda n: clusters(n, ["H"] * 15), 50, (15,)),
    "40 H": (lambda n: clusters(n, ["H"] * 40), 20, (40,)),
    "4 H, 4 O": (lambda n: clusters(n, ["H", "O"] * 4), 100, (4, 4)),
}


def environments(structures):
    return nm.environments(structures, cutoff=CUTOFF, centers="C")


def environment_set(structures):
    return nm.EnvironmentSet.from_environments(environments(structures))


def power_spectrum(n_max, l_max):
    return nm.PowerSpectrum(n_max=n_max, l_max=l_max, cutoff=CUTOFF, cutoff_width=CUTOFF_WIDTH, width=WIDTH)


def spectra(items, descriptor, threads=1):
    """Singular values (m, d) and modes (m, d, n, 3) of m environments alike in size."""
    found = nm.spectra(items, descriptor, modes=True, threads=threads)
    return found.singular_values, found.modes


def nullmode(structures, n_max, l_max):
    soap, items = power_spectrum(n_max, l_max), environments(structures)
    return lambda: soap.compute_batch_with_jacobian(items)


def nullmode_spectra(structures, n_max, l_max):
    soap, items = power_spectrum(n_max, l_max), environment_set(structures)
    return lambda: spectra(items, soap)


def hypers(n_max, l_max):
    return {
        "cutoff": {"radius": CUTOFF, "smoothing": {"type": "ShiftedCosine", "width": CUTOFF_WIDTH}},
        "density": {"type": "Gaussian", "width": WIDTH, "center_atom_weight": 0.0},
        "basis": {
            "type": "TensorProduct",
            "max_angular": l_max,
            "radial": {"type": "Gto", "max_radial": n_max - 1},
        },
    }


def neighbour_types(structures):
    return sorted({int(number) for atoms in structures for number in atoms.numbers[1:]})


def featomic_gradients(structures, n_max, l_max):
    """Of the carbon alone, blocks of the neighbours' species alone; with featomic's default spline."""
    calculator = featomic.SoapPowerSpectrum(**hypers(n_max, l_max))
    types = neighbour_types(structures)
    pairs = [[6, a, b] for a in types for b in types if a <= b]
    keys = Labels(["center_type", "neighbor_1_type", "neighbor_2_type"], np.array(pairs))
    return lambda: calculator.compute(
        structures, gradients=["positions"], selected_samples=FIRST_ATOM, selected_keys=keys
    )


def dscribe_derivatives(structures, n_max, l_max):
    """About the carbon's place, the carbon itself left out: with it dscribe would compute its species' blocks, too."""
    soap = SOAP(species=neighbour_types(structures), r_cut=CUTOFF, n_max=n_max, l_max=l_max, sigma=WIDTH)
    neighbours = [Atoms(atoms.numbers[1:], atoms.positions[1:]) for atoms in structures]
    centers = [[atoms.positions[0]] for atoms in structures]
    return lambda: soap.derivatives(neighbours, centers, method="analytical", return_descriptor=True, n_jobs=1)


def quippy_gradients(structures, n_max, l_max):
    types = neighbour_types(structures)
    soap = Descriptor(
        f"soap cutoff={CUTOFF} cutoff_transition_width={CUTOFF_WIDTH} n_max={n_max} l_max={l_max} atom_sigma={WIDTH} "
        f"n_Z=1 Z={{6}} n_species={len(types)} species_Z={{{' '.join(map(str, types))}}} central_weight=0.0 normalise=F"
    )
    # So wide that no image comes near.
    boxed = [Atoms(atoms.numbers, atoms.positions, cell=[30.0] * 3) for atoms in structures]
    return lambda: soap.calc(boxed, grad=True)


# Features and full Jacobian of order 2.
CODES = {
    "nullmode": nullmode,
    "featomic": featomic_gradients,
    "dscribe": dscribe_derivatives,
    "quippy": quippy_gradients,
}


def stacked_svd(jacobians):
    return np.linalg.svd(jacobians, full_matrices=False)


def svd_of_triangles(jacobians):
    return np.linalg.svd(np.linalg.qr(jacobians, mode="r"))


def jacobian_stack(structures, n_max, l_max):
    """Jacobians (n_structures, F, 3 n), each pair of channels once: the least that a peer's user has to decompose."""
    results = nullmode(structures, n_max, l_max)()
    return np.stack([jacobian.reshape(len(phi), -1) for phi, jacobian in results])


def analyzed(structures, n_max, l_max, *, attribution):
    """From structures to the table of :func:`nullmode.analyze`."""
    soap = power_spectrum(n_max, l_max)
    return lambda: nm.analyze(structures, soap, centers="C", attribution=attribution, threads=1)


def analyzed_file(structures, n_max, l_max, folder):
    """From an extended XYZ file to a table on disk, causes included: what nullmode analyze does, but for its start."""
    soap = power_spectrum(n_max, l_max)
    write(folder / "structures.xyz", structures, format="extxyz")

    def run():
        analyze_file(
            folder / "structures.xyz",
            soap,
            lambda fixed: parquet.streamed_frames(folder / "table.parquet", "analysis", {"descriptor": repr(fixed)}),
            centers="C",
            attribution=True,
            threads=1,
        )

    return run


def read_by_ase(structures, folder):
    """ASE's own reader of the same file."""
    write(folder / "structures.xyz", structures, format="extxyz")
    return lambda: read(folder / "structures.xyz", index=":")


def bispectrum(structures, n_max, l_max):
    descriptor = nm.Bispectrum(n_max=n_max, l_max=l_max, cutoff=CUTOFF, cutoff_width=CUTOFF_WIDTH, width=WIDTH)
    items = environments(structures)
    return lambda: descriptor.compute_batch_with_jacobian(items)


def featomic_bispectrum(structures, n_max, l_max):
    """Scalars of even parity of order 3, each (l1, l2, l3) once; the fastest of the settings tried."""
    expansion = featomic.SphericalExpansion(**hypers(n_max, l_max))
    correlations = DensityCorrelations(n_correlations=2, max_angular=l_max, skip_redundant=True)
    scalars = Labels(["o3_lambda", "o3_sigma"], np.array([[0, 1]]))
    keys = Labels(["center_type", "neighbor_type"], np.array([[6, number] for number in neighbour_types(structures)]))

    def run():
        density = expansion.compute(structures, selected_samples=FIRST_ATOM, selected_keys=keys)
        return correlations.compute(
            density.keys_to_properties("neighbor_type"), angular_cutoff=l_max, selected_keys=scalars
        )

    return run


def featomic_bispectrum_differences(structures, n_max, l_max):
    """The Jacobian by central differences: all structures with one coordinate moved, in one call."""
    moved = []
    for atoms in structures:
        for index in np.ndindex(len(atoms) - 1, 3):
            for step in (STEP, -STEP):
                other = atoms.copy()
                other.positions[index[0] + 1, index[1]] += step
                moved.append(other)
    values = featomic_bispectrum(moved, n_max, l_max)

    def run():
        phi = np.concatenate([block.values[:, 0] for block in values().blocks()], axis=1)
        phi = phi.reshape(len(structures), -1, 2, phi.shape[1])
        return (phi[:, :, 0] - phi[:, :, 1]) / (2 * STEP)

    return run
