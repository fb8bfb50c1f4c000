"""The cases that laws are stated over: one line per descriptor, environment or structure."""

import numpy as np
from ase.build import bulk, molecule
from scipy.spatial.distance import pdist

import nullmode as nm
from nullmode.families.degenerate_pair import hydrogens

BOND = 1.09
SETTING = {"cutoff": 4.0, "cutoff_width": 0.5, "width": 0.3}
SCALING = nm.RadialScaling(rate=1.0, scale=1.5, exponent=4)


def rng(seed=0):
    return np.random.default_rng(seed)


def rattled(atoms, amplitude=0.1, seed=0):
    atoms = atoms.copy()
    atoms.positions += rng(seed).normal(scale=amplitude, size=atoms.positions.shape)
    return atoms


def polar(latitude, azimuth):
    latitude, azimuth = np.broadcast_arrays(latitude, azimuth)
    return np.stack([np.cos(latitude) * np.cos(azimuth), np.cos(latitude) * np.sin(azimuth), np.sin(latitude)], axis=-1)


def in_plane(*eighths):
    return BOND * polar(0.0, np.pi / 4 * np.array(eighths))


def pair(u, v, sign=1):
    return BOND * hydrogens(np.pi * u, np.pi * v, sign)


def rings(phi, psi, z1=0.5, z2=1.2):
    """The pair with equal bispectrum (science: two rings and a cap)."""
    phi = np.array(phi)
    upper = np.stack([np.cos(phi), np.sin(phi), np.full(3, z1)], axis=1)
    lower = np.stack([np.cos(phi + psi), np.sin(phi + psi), np.full(3, -z1)], axis=1)
    return np.vstack([upper, lower, [[0, 0, z2]]])


def f1():
    """A pair related by a twofold axis, one atom on it, one anywhere (science: F1)."""
    b = np.array([0.7, 0.6, 0.5])
    return np.array([b, b * [-1, -1, 1], [0, 0, -1.2], [0.9, -0.8, 0.3]])


def f2():
    """Three atoms at one distance and one angle to the fourth (science: F2)."""
    return np.vstack([1.1 * polar(0.3, np.array([0.0, 1.5, 3.4])), [[0, 0, 1.3]]])


# The Comment's point, of family F2 (arXiv:2205.01062).
COMMENT = np.array(
    [
        [-0.48292545, -0.01172688, 0.98098615],
        [0.79969229, -0.54679906, -0.50714015],
        [0.78736755, 0.62878750, 0.45254563],
        [-0.66861222, 0.86029185, 0.09243308],
    ]
)

TD = BOND / np.sqrt(3) * np.array([[1, 1, 1], [-1, -1, 1], [1, -1, -1], [-1, 1, -1]])
OCTAHEDRON = BOND * np.vstack([np.eye(3), -np.eye(3)])
AMMONIA = 1.01 * polar(np.radians(-20.0), 2 * np.pi / 3 * np.arange(3))
WATER = 0.96 * polar(0.0, np.radians([0, 104.5]))


def stretched(*factors):
    return TD * np.array(factors)[:, None]


def turned(axis_angle, vectors):
    c, s = np.cos(axis_angle), np.sin(axis_angle)
    return vectors @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


def d2(angle=0.4):
    return np.vstack([turned(angle, TD[:2]), TD[2:]])


def c2_chiral():
    upper = BOND * polar(np.radians([35.0, 35.0]), np.radians([0.0, 180.0]))
    lower = 1.2 * BOND * polar(np.radians([-20.0, -20.0]), np.radians([50.0, 230.0]))
    return np.vstack([upper, lower])


def flattened(t=0.4):
    shape = TD * [1, 1, 1 - t]
    return BOND * shape / np.linalg.norm(shape, axis=1, keepdims=True)


# Vectors, expected ranks for nu = 1 and 2, n_dof.
RANKS = {
    "Td": (TD, 1, 1, 9),
    "C3v": (stretched(1.15, 1, 1, 1), 2, 3, 9),
    "C2v": (stretched(1.15, 1.15, 1, 1), 2, 4, 9),
    "Cs": (stretched(1.15, 0.9, 1, 1), 3, 6, 9),
    "C2": (c2_chiral(), 2, 5, 9),
    "D2": (d2(), 1, 3, 9),
    "D2d": (flattened(), 1, 2, 9),
    "D4h": (in_plane(0, 2, 4, 6), 1, 1, 9),
    "D2h": (BOND * polar(0.0, np.radians([25.0, 155.0, 205.0, 335.0])), 1, 2, 9),
    "planar": (np.array([[1.0, 0.1, 0], [-0.3, 1.1, 0], [-1.2, -0.2, 0], [0.2, -0.9, 0]]), 4, 7, 9),
    "plane 0134": (in_plane(0, 1, 3, 4), 1, 4, 9),
    "plane 0125": (in_plane(0, 1, 2, 5), 1, 4, 9),
    "random": (rng(5).normal(size=(4, 3)), 4, 9, 9),
    "NH3": (AMMONIA, 1, 2, 6),
    "octahedron": (OCTAHEDRON, 1, 1, 15),
    "H2O": (WATER, 1, 2, 3),
    "X(pi, 0)": (pair(1.0, 0.0), 1, 8, 9),
    "X(0, 0)": (pair(0.0, 0.0), 1, 8, 9),
    "X(.8pi, 0)": (pair(0.8, 0.0), 1, 9, 9),
}

# Vectors, n_max, and nu = 2 ranks for l_max = 0, 1, …
SERIES = {
    "random": (rng(5).normal(size=(4, 3)), (4, 9, 9, 9, 9, 9, 9, 9, 9)),
    "X(.8pi, 0)": (pair(0.8, 0.0), (1, 3, 5, 7, 8, 9, 9, 9, 9)),
    "X(pi, 0)": (pair(1.0, 0.0), (1, 3, 5, 7, 8, 8, 8, 8, 8)),
    "nu = 3 pair": (rings([0, 2, 3.7], 0.6), (2, 6, 9, 11, 13, 14, 15, 16, 17)),
}

# Environments that laws must hold for: name -> vectors, species.
ENVIRONMENTS = {
    "methane": (TD + rng(1).normal(scale=0.2, size=(4, 3)), "H"),
    "one": (np.array([[0.3, -0.4, 0.9]]), "H"),
    "two": (np.array([[0.3, -0.4, 0.9], [1.0, 0.2, 0.1]]), "H"),
    "along axes": (np.array([[0, 0, 1.1], [0, 0, -1.3], [0, 1.2, 0], [1.0, 0, 0], [-1.4, 0, 0]]), "H"),
    "mixed": (rng(2).normal(scale=1.2, size=(7, 3)), ["H", "O", "H", "C", "O", "H", "N"]),
    "smoothed": (np.array([[3.7, 0.1, 0.2], [0.2, -3.8, 0.4], [0.8, 0.3, 0.9]]), ["O", "H", "H"]),
    "beyond the cutoff": (np.array([[0.9, 0.1, 0.2], [0.2, -4.8, 0.4], [0.1, 1.0, 0.9]]), "H"),
    "crowded": (rng(3).normal(scale=1.3, size=(20, 3)), ["H", "Li"] * 10),
}

# Any orthogonal matrices of 5 primitives, for l = 0 … 4, in place of fitted ones.
TURNS = np.linalg.qr(rng(9).normal(size=(5, 5, 5)))[0].tolist()
RADIAL_BASES = {
    "gto": nm.GTO(),
    "gto, cholesky": nm.GTO(orthonormalization="cholesky"),
    "laplacian": nm.LaplacianEigenstates(),
    "chebyshev": nm.Chebyshev(),
    "chebyshev, exponential": nm.Chebyshev(transform="exponential", decay=3.0),
    "legendre": nm.Legendre(),
    "legendre, inverse": nm.Legendre(transform="inverse"),
    "dvr": nm.DVR(),
    "quip-gaussians": nm.QuipGaussians(width=0.3),
    "dscribe-gto": nm.DscribeGTO(),
    "contracted gto": nm.OptimalContraction(n_primitives=5, matrices=TURNS),
    "contracted laplacian": nm.OptimalContraction(n_primitives=5, matrices=TURNS, primitives="laplacian-eigenstates"),
}

DESCRIPTORS = {
    "radial": nm.RadialSpectrum(n_max=5, **SETTING),
    "radial with centre": nm.RadialSpectrum(n_max=4, center_weight=1.0, **SETTING),
    "power": nm.PowerSpectrum(n_max=5, l_max=4, **SETTING),
    "power, one function": nm.PowerSpectrum(n_max=1, l_max=3, **SETTING),
    "power, no angles": nm.PowerSpectrum(n_max=4, l_max=0, **SETTING),
    "power with centre": nm.PowerSpectrum(n_max=4, l_max=3, center_weight=0.7, **SETTING),
    "power, sharp": nm.PowerSpectrum(n_max=4, l_max=6, cutoff=5.0, cutoff_width=1.0, width=0.1),
    "power, all smoothed": nm.PowerSpectrum(n_max=4, l_max=3, cutoff=4.0, cutoff_width=4.0, width=0.3),
    "bispectrum": nm.Bispectrum(n_max=3, l_max=3, **SETTING),
    "bispectrum, chiral": nm.Bispectrum(n_max=2, l_max=2, parity="SO3", center_weight=0.5, **SETTING),
    "trispectrum": nm.Trispectrum(n_max=1, l_max=3, **SETTING),
    "trispectrum with centre": nm.Trispectrum(n_max=2, l_max=1, center_weight=0.5, **SETTING),
    "power, step": nm.PowerSpectrum(n_max=4, l_max=3, cutoff=4.2, cutoff_width=0.0, width=0.5),
    "acsf": nm.ACSF(cutoff=4.0),
    "acsf, every function": nm.ACSF(
        cutoff=4.5, g2=[(2, 1), (0.3, 0)], g3=[0, 1.5], g4=[(0.1, 2.5, 1), (0.05, 1, -1)], g5=[(0.2, 4, -0.6)]
    ),
    "overlap s": nm.OverlapMatrix(cutoff=5.0, orbitals="s", cutoff_power=3),
    "overlap sp": nm.OverlapMatrix(cutoff=4.0, width_scale=0.4, degeneracy=1e-10),
    "inverse distances": nm.InverseDistances(cutoff=4.0),
    "coulomb": nm.CoulombMatrix(cutoff=4.0),
    "power, selected": nm.Selected(
        nm.PowerSpectrum(n_max=2, l_max=2, species=["H", "Li", "C", "N", "O", "F", "Mg", "Fe"], **SETTING),
        features=[0, 1, 2, 5, 9, 64, 200, 140],
    ),
    "power, scaled": nm.PowerSpectrum(n_max=3, l_max=3, radial_scaling=SCALING, **SETTING),
    "radial, delta": nm.RadialSpectrum(n_max=5, density="delta", radial_basis="laplacian-eigenstates", **SETTING),
    "bispectrum, delta, scaled": nm.Bispectrum(
        n_max=2, l_max=2, density="delta", radial_basis="chebyshev", radial_scaling=SCALING, **SETTING
    ),
    "bispectrum, laplacian": nm.Bispectrum(
        n_max=2, l_max=2, parity="SO3", center_weight=0.5, radial_basis="laplacian-eigenstates", **SETTING
    ),
    **{
        f"power, {name}, {density}": nm.PowerSpectrum(
            n_max=3, l_max=2, radial_basis=basis, density=density, center_weight=weight, **SETTING
        )
        for name, basis in RADIAL_BASES.items()
        for density, weight in (("gaussian", 0.3), ("delta", 0.0))
    },
}

# Those whose features have a limit.
LIMITED = {
    name: each
    for name, each in DESCRIPTORS.items()
    if isinstance(each, nm.PowerSpectrum | nm.RadialSpectrum) and each.density == "gaussian"
}

STRUCTURES = {
    "methane": molecule("CH4"),
    "ethanol": molecule("CH3CH2OH"),
    "formic acid": rattled(molecule("HCOOH"), 0.05),
    "crystal": rattled(bulk("MgO", "rocksalt", 4.21), 0.05),
    "metal": rattled(bulk("Fe", cubic=True), 0.1),
}


def environment(name):
    vectors, species = ENVIRONMENTS[name]
    return nm.Environment.from_vectors(vectors, species)


# nu 1 / nu 2 / nu 3 O(3) / nu 3 SO(3).
COMPLETE = {
    "Td": (1, 1, 1, 1),
    "C3v": (2, 3, 3, 3),
    "C2v": (2, 4, 4, 5),
    "Cs": (3, 6, 6, 9),
    "C2": (2, 5, 5, 5),
    "D2": (1, 3, 3, 3),
    "D2d": (1, 2, 2, 3),
    "D4h": (1, 1, 1, 1),
    "D2h": (1, 2, 2, 3),
    "planar": (4, 7, 7, 9),
    "plane 0134": (1, 4, 4, 5),
    "plane 0125": (1, 4, 4, 4),
    "random": (4, 9, 9, 9),
    "NH3": (1, 2, 2, 2),
    "octahedron": (1, 1, 1, 1),
    "H2O": (1, 2, 2, 2),
    "X(pi, 0)": (1, 8, 9, 9),
    "X(0, 0)": (1, 8, 9, 9),
    "X(.8pi, 0)": (1, 9, 9, 9),
}
# nu 2 / nu 3 O(3) / nu 3 SO(3) of 18.
RING_PAIRS = {
    "generic": ([0, 2, 3.7], 0.6, (17, 18, 18)),
    "isosceles": ([0, 1.9, -1.9], 0.6, (12, 17, 17)),
    "equilateral": ([0, 2 * np.pi / 3, 4 * np.pi / 3], 0.6, (6, 6, 6)),
    "psi = 0": ([0, 2, 3.7], 0.0, (11, 17, 18)),
    "psi = pi": ([0, 2, 3.7], np.pi, (10, 17, 18)),
}


def analysed(descriptor, vectors, rtol=1e-9):
    env = nm.Environment.from_vectors(vectors)
    return nm.sensitivity(descriptor.compute_with_jacobian(env)[1], env, rtol)


def in_a_sphere(seed=5, n=4, species="H"):
    """Neighbours that are uniform in a sphere of 3 Å, however close; the default is that of docs/theory.md."""
    generator = rng(seed)
    vectors = generator.normal(size=(n, 3))
    vectors *= (3 * generator.random((n, 1)) ** (1 / 3)) / np.linalg.norm(vectors, axis=1, keepdims=True)
    return nm.Environment.from_vectors(vectors, species)


def random_methane(seed):
    generator = rng(seed)
    while True:
        vectors = generator.uniform(-3, 3, size=(4, 3))
        if (np.linalg.norm(vectors, axis=1) < 3).all() and pdist(np.vstack([np.zeros(3), vectors])).min() > 0.5:
            return vectors
