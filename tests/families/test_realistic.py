"""Realistic families are what they say: molecules intact, temperatures right, nothing too close."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.emt import EMT
from ase.calculators.tip3p import TIP3P, angleHOH, rOH
from ase.collections import g2
from ase.constraints import FixBondLengths
from ase.data import atomic_masses, atomic_numbers
from scipy.spatial.distance import pdist, squareform
from variant_cases import FAMILIES, made

import nullmode as nm
from nullmode import InputError
from nullmode.families._dynamics import RigidTriatomics, frames
from nullmode.families.thermal_crystal import debye_displacement
from nullmode.sweep import structures
from nullmode.tables.structures import atoms_of_row

# Molecules.


def test_molecules_are_those_of_ase():
    items = made("g2_molecules")
    assert len(items) == sum(len(g2[name]) > 1 for name in g2.names) == 148
    for atoms in items:
        assert atoms.symbols.formula == g2[atoms.info["name"]].symbols.formula
        assert np.array_equal(atoms.positions, g2[atoms.info["name"]].positions)


def test_molecules_are_chosen_by_elements_and_names():
    few = made("g2_molecules", elements=["H", "O"])
    assert {str(atoms.symbols) for atoms in few} == {"H2", "O2", "O3", "OH", "OH2", "O2H2"}
    assert [a.info["name"] for a in made("g2_molecules", names=["NH3", "H2O"])] == ["NH3", "H2O"]


# Crystals.


@pytest.mark.parametrize(
    ("crystal", "repeat", "shells"),
    [
        ("Si", 2, {2.352: 4, 3.840: 12, 4.503: 12}),
        ("Cu", 3, {2.556: 12, 3.615: 6, 4.427: 24}),
        ("Fe", 4, {2.482: 8, 2.866: 6, 4.053: 12}),
        ("NaCl", 2, {2.820: 6, 3.988: 12}),
    ],
)
def test_perfect_crystals_have_their_shells(crystal, repeat, shells):
    (atoms,) = made("thermal_crystal", crystals=[crystal], displacements=[0], repeat=repeat, n_centers=4)
    found = nm.environments(atoms, cutoff=4.6, centers=atoms.info["centers"])
    assert len(found) == 4
    for env in found:
        radii = np.linalg.norm(env.vectors, axis=1)
        for radius, count in shells.items():
            assert np.count_nonzero(np.isclose(radii, radius, atol=2e-3)) == count


def test_noise_has_its_displacement_in_each_component():
    perfect, *noisy = made("thermal_crystal", crystals=["Cu"], displacements=[0, 0.05], samples=20)[19:]
    moved = np.array([atoms.positions - perfect.positions for atoms in noisy])
    assert len(noisy) == 20
    assert np.allclose(moved.std(axis=(0, 1)), 0.05, rtol=0.05)
    assert abs(moved.mean()) < 0.001
    assert len({atoms.positions.tobytes() for atoms in noisy}) == 20


# B = 8 pi² <u²> at 280 K from measured phonon densities of states, Å²: Peng, Ren, Dudarev and Whelan, Acta Cryst. A 52,
# 456 (1996), table 1, as github.com/mason-daniel/simulated_tem has it. Debye temperatures of the heat capacity give up
# to a quarter less, in diamond lattices.
@pytest.mark.parametrize(
    ("crystal", "debye", "b"),
    [("Cu", 343, 0.526), ("Al", 428, 0.746), ("Fe", 470, 0.310), ("Si", 645, 0.463), ("Ge", 374, 0.573)],
)
def test_thermal_displacements_are_those_of_measured_phonons(crystal, debye, b):
    mass = atomic_masses[atomic_numbers[crystal]]
    (atoms,) = made("thermal_crystal", crystals=[crystal], temperatures=[280], n_centers=1)
    assert np.isclose(atoms.info["displacement"], debye_displacement(mass, debye, 280), rtol=1e-12)
    assert 0.75 < atoms.info["displacement"] / np.sqrt(b / (8 * np.pi**2)) < 1


def test_crystals_bring_the_forces_and_stress_of_emt_where_it_has_the_elements():
    frame = structures.make_structures("thermal_crystal", {"crystals": ["Cu", "Si"], "temperatures": [300]}, "crystals")
    copper, silicon = map(atoms_of_row, frame.itertuples())
    expected = copper.copy()
    expected.calc = EMT()
    np.testing.assert_allclose(copper.arrays["forces"], expected.get_forces())
    np.testing.assert_allclose(copper.info["stress"], expected.get_stress(voigt=False))
    row = nm.analyze(copper, nm.PowerSpectrum(n_max=2, l_max=2, cutoff=4.0), scope="structure").iloc[0]
    assert row["stress_rms"] == pytest.approx(np.linalg.norm(copper.info["stress"]) / 3)
    assert "forces" not in silicon.arrays
    assert "stress" not in silicon.info


def test_displacements_have_the_limits_of_the_debye_model():
    hbar = units._hbar * units.J * units.s
    cold = 3 * hbar**2 / (4 * 60 * units.kB * 300)
    hot = 3 * hbar**2 * 1e5 / (60 * units.kB * 300**2)
    assert np.isclose(debye_displacement(60, 300, 0) ** 2, cold, rtol=1e-12)
    assert np.isclose(debye_displacement(60, 300, 1e5) ** 2, hot, rtol=1e-5)


# Clusters.


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("shape", ["icosahedron", "cuboctahedron"])
@pytest.mark.parametrize(("shells", "count"), [(2, 13), (3, 55)])
def test_clusters_stay_together_at_their_temperature(shape, shells, count):
    items = made("cluster_dynamics", shape=shape, shells=shells, n_frames=6, every=40)
    assert [atoms.info["frame"] for atoms in items] == list(range(6))
    for atoms in items:
        assert len(atoms) == count
        apart = squareform(pdist(atoms.positions)) + 10 * np.eye(count)
        # Copper's nearest neighbours are 2.55 Å apart in the crystal.
        assert 2.1 < apart.min() < 2.55
        assert 2.35 < np.median(apart.min(axis=1)) < 2.6
        assert apart.min(axis=1).max() < 2.9
    mean = np.mean([atoms.info["kinetic_temperature"] for atoms in items])
    # Of 3 N degrees of freedom and six frames, with room for their correlation.
    assert abs(mean / 300 - 1) < 4 * np.sqrt(2 / (3 * count * 3))


# Water.


@pytest.fixture(scope="module")
def droplet():
    return made("water_cluster", n_molecules=8, n_frames=6, every=60, seed=3)


@pytest.mark.slow
def test_water_molecules_stay_what_they_are(droplet):
    assert len(droplet) == 6
    for atoms in droplet:
        assert str(atoms.symbols) == "OH2" * 8
        for k in range(0, 24, 3):
            assert np.allclose([atoms.get_distance(k, k + 1), atoms.get_distance(k, k + 2)], rOH, rtol=0, atol=1e-8)
            assert np.isclose(atoms.get_angle(k + 1, k, k + 2), angleHOH, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_water_is_a_droplet_of_hydrogen_bonds(droplet):
    for atoms in droplet[-3:]:
        oxygens = squareform(pdist(atoms.positions[::3]))
        nearest = (oxygens + 10 * np.eye(8)).min(axis=1)
        assert nearest.min() > 2.4
        assert np.median(nearest) < 3.2
        molecule = np.repeat(np.arange(8), 3)
        apart = squareform(pdist(atoms.positions))[molecule[:, None] != molecule]
        assert apart.min() > 1.4


def test_water_has_its_temperature(droplet):
    mean = np.mean([atoms.info["kinetic_temperature"] for atoms in droplet])
    assert abs(mean / 250 - 1) < 4 * np.sqrt(2 / (6 * 8 * 3))


@pytest.mark.slow
def test_rigid_molecules_move_as_with_the_constraint_of_ase():
    def end(constraint):
        atoms = made("water_cluster", n_molecules=3, n_frames=1, equilibration=1)[0]
        atoms.calc = TIP3P(rc=100.0)
        atoms.set_constraint(constraint(atoms))
        return list(frames(atoms, np.random.default_rng(5), 300, 2.0, 10, 2, 10))[-1]

    pairs = [(k + i, k + j) for k in (0, 3, 6) for i, j in ((0, 1), (0, 2), (1, 2))]
    ours = end(lambda atoms: RigidTriatomics(np.array([atoms.get_distance(*pair) for pair in pairs[:3]])))
    theirs = end(lambda _: FixBondLengths(pairs))
    start = made("water_cluster", n_molecules=3, n_frames=1, equilibration=1)[0]
    assert np.abs(ours.positions - start.positions).max() > 0.1
    assert np.allclose(ours.positions, theirs.positions, rtol=0, atol=1e-6)
    assert np.isclose(ours.info["kinetic_temperature"], theirs.info["kinetic_temperature"], rtol=1e-6)


def test_molecules_that_cannot_be_kept_rigid_are_an_error(droplet):
    constraint = RigidTriatomics(np.array([rOH, rOH, 1.5]))
    turned = droplet[0].positions[:, [1, 2, 0]] * 3
    with pytest.raises(InputError, match="`temperature` and `time_step` must let the molecules keep their shape"):
        constraint.adjust_positions(droplet[0], turned)


# What is refused.


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("g2_molecules", {"names": ["H2O", "H"]}, "`names` must be molecules of two or more atoms .* got 'H'"),
        ("g2_molecules", {"elements": ["Q"]}, "`elements` must be chemical symbols"),
        ("g2_molecules", {"elements": ["Ar"]}, "`elements` must allow at least one molecule"),
        ("thermal_crystal", {"crystals": ["Cu"]}, "exactly one of `temperatures` and `displacements`"),
        ("thermal_crystal", {"crystals": ["Cu"], "temperatures": [300], "displacements": [0.1]}, "exactly one"),
        ("thermal_crystal", {"crystals": ["Cu"], "temperatures": [-1]}, "must be at least 0, got -1"),
        ("thermal_crystal", {"crystals": ["Xx"], "temperatures": [1]}, r"families\.a\.parameters\.crystals"),
        (
            "thermal_crystal",
            {"crystals": ["Cu", "Fe"], "temperatures": [1], "repeat": 1, "n_centers": 3},
            "`n_centers` must be at most the 2 atoms",
        ),
        ("cluster_dynamics", {"element": "Fe"}, r"families\.a\.parameters\.element"),
        ("cluster_dynamics", {"time_step": 50}, r"families\.a\.parameters\.time_step"),
        ("water_cluster", {"time_step": 10}, r"families\.a\.parameters\.time_step"),
    ],
)
def test_impossible_realistic_sets_are_refused(kind, parameters, message):
    with pytest.raises(InputError, match=message):
        structures.make_structures(kind, parameters, "a")


@pytest.mark.parametrize("kind", ["thermal_crystal", "cluster_dynamics", "water_cluster"])
def test_seeds_make_other_structures(kind):
    one, other = (made(kind, **FAMILIES[kind], seed=seed)[-1] for seed in (0, 1))
    assert isinstance(one, Atoms)
    assert not np.allclose(one.positions, other.positions)
