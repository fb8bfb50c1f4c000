"""Whole structures: sums over centres, their Jacobians over all atoms, and the rigid motions of each boundary."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene, molecule
from cases import SETTING, STRUCTURES, TD, pair, rattled, rng
from hypothesis import given, settings
from hypothesis import strategies as st
from jacobi import jacobi
from oracles import featomic_features
from scipy.spatial.transform import Rotation

import nullmode as nm
from nullmode.analysis.rows import AnalysisOptions
from nullmode.analysis.whole_rows import measure_whole
from nullmode.attribution.whole_structure import StructureRanks
from nullmode.geometry.cut import checked_structures
from nullmode.spectrum.whole_structure import whole_structures
from nullmode.tables import parquet


def periodic(symbols, positions, cell, pbc):
    return Atoms(symbols, positions, cell=cell, pbc=pbc)


SLAB = periodic("C2H", [*graphene().positions, [0.3, 0.2, 1.2]], graphene().cell.array + np.diag([0, 0, 9]), (1, 1, 0))
CHAIN = periodic(
    "CHCH", [[0, 0.4, 0], [0.1, 1.4, 0.2], [0, -0.4, 1.2], [0, -1.4, 1.1]], np.diag([0, 0, 2.4]), (0, 0, 1)
)
TILTED = CHAIN.copy()
TILTED.rotate(40, (1, 2, 0.5), rotate_cell=True)

# Crystals smaller than the cutoff, in which atoms see images of themselves; name -> structure.
WHOLE = {
    **STRUCTURES,
    "one atom in a cell": bulk("Fe"),
    "linear": molecule("CO2"),
    "two atoms": molecule("CO"),
    "slab": rattled(SLAB, 0.05),
    "chain": rattled(CHAIN, 0.05),
    "tilted chain": rattled(TILTED, 0.05),
}
DESCRIPTORS = {
    "radial": nm.RadialSpectrum(n_max=4, **SETTING),
    "power": nm.PowerSpectrum(n_max=4, l_max=3, **SETTING),
    "power with centre": nm.PowerSpectrum(n_max=3, l_max=3, center_weight=0.7, **SETTING),
    "bispectrum": nm.Bispectrum(n_max=2, l_max=2, parity="SO3", **SETTING),
}
EVERY = [pytest.param(d, s, id=f"{d}-{s}") for d in DESCRIPTORS for s in WHOLE]


def summed(descriptor, atoms):
    """Features per species of the centres, by the definition."""
    envs = nm.environments(atoms, descriptor.cutoff)
    features = descriptor.compute_batch(envs)
    kinds = np.array([env.center_species for env in envs])
    return np.concatenate([np.sum([features[i] for i in np.flatnonzero(kinds == z)], axis=0) for z in np.unique(kinds)])


def moved(atoms, displacement):
    atoms = atoms.copy()
    atoms.positions += np.reshape(displacement, (-1, 3))
    return atoms


def size(descriptor, atoms):
    """Largest entry of a single centre's Jacobian: what the errors of sums that cancel are measured against."""
    envs = nm.environments(atoms, descriptor.cutoff)
    return max(np.abs(jac).max(initial=0) for _, jac in descriptor.compute_batch_with_jacobian(envs))


@pytest.mark.law(cases=10)
@pytest.mark.parametrize(("name", "where"), EVERY)
def test_features_are_sums_and_the_jacobian_is_their_derivative(name, where):
    descriptor, atoms = DESCRIPTORS[name], WHOLE[where]
    phi, jac = nm.structure_jacobian(atoms, descriptor)
    np.testing.assert_allclose(phi, summed(descriptor, atoms), rtol=0, atol=1e-14 * np.abs(phi).max())
    assert jac.shape == (len(phi), len(atoms), 3)
    # All columns by two differences each would take long: random directions, of which three tell columns apart.
    directions = rng(7).normal(size=(3, 3 * len(atoms)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    numeric, error = jacobi(lambda t: summed(descriptor, moved(atoms, t @ directions)), np.zeros(3), step=(0.01, 0.4))
    scale = size(descriptor, atoms)
    assert error.max() < 3e-6 * scale
    got = jac.reshape(len(phi), -1) @ directions.T
    np.testing.assert_allclose(got, numeric, rtol=0, atol=max(1e-9 * scale, 10 * error.max()))


@pytest.mark.law(cases=5)
@pytest.mark.parametrize("center_weight", [0.0, 1.0])
@pytest.mark.parametrize("kind", [nm.RadialSpectrum, nm.PowerSpectrum])
@pytest.mark.parametrize("where", STRUCTURES)
def test_sums_are_those_of_featomic(where, kind, center_weight):
    atoms = STRUCTURES[where]
    angular = {"l_max": 6} if kind is nm.PowerSpectrum else {}
    species = tuple(dict.fromkeys(atoms.symbols))
    descriptor = kind(n_max=6, species=species, center_weight=center_weight, **angular, **SETTING)
    phi, jac = nm.structure_jacobian(atoms, descriptor)
    kinds = np.unique(atoms.numbers)
    expected = np.zeros((len(kinds), len(descriptor.feature_labels())))
    gradients = np.zeros((*expected.shape, len(atoms), 3))
    for center, number in enumerate(atoms.numbers):
        block = np.searchsorted(kinds, number)
        features, gradient = featomic_features(descriptor, atoms, center)
        expected[block] += features
        gradients[block] += gradient
    tolerance = max(1e-12, 1e-14 / descriptor.basis.smallest_eigenvalue)
    assert np.abs(phi - expected.ravel()).max() <= tolerance * np.abs(expected).max()
    # featomic's slopes are off by up to 1e-10 beyond 2.4 Å (see test_one_neighbour_equals_forty_digits).
    assert np.abs(jac - gradients.reshape(jac.shape)).max() <= 1e-10 * size(descriptor, atoms)


def rigid(atoms):
    """Displacements that change nothing: translations, and rotations about axes that keep the lattice."""
    motions = [np.tile(axis, (len(atoms), 1)) for axis in np.eye(3)]
    centred = atoms.positions - atoms.positions.mean(axis=0)
    if atoms.pbc.sum() == 0:
        motions += [np.cross(axis, centred) for axis in np.eye(3)]
    if atoms.pbc.sum() == 1:
        motions.append(np.cross(atoms.cell.array[atoms.pbc][0], centred))
    return np.array(motions).reshape(len(motions), -1)


@pytest.mark.parametrize(("name", "where"), EVERY)
def test_rigid_motions_are_null_and_not_among_the_modes(name, where):
    descriptor, atoms = DESCRIPTORS[name], WHOLE[where]
    _, jac = nm.structure_jacobian(atoms, descriptor)
    motions = rigid(atoms)
    motions /= np.linalg.norm(motions, axis=1, keepdims=True) + 1e-300
    flat = jac.reshape(len(jac), -1)
    assert np.linalg.norm(flat @ motions.T, 2) <= 1e-13 * max(np.linalg.norm(flat, 2), size(descriptor, atoms))
    result = nm.structure_sensitivity(atoms, descriptor)
    assert result.n_dof == 3 * len(atoms) - np.linalg.matrix_rank(motions, tol=1e-6)
    modes = result.modes.reshape(result.n_dof, 3 * len(atoms))
    np.testing.assert_allclose(modes @ modes.T, np.eye(result.n_dof), atol=1e-13)
    np.testing.assert_allclose(modes @ motions.T, 0, atol=1e-13)
    expected = np.linalg.svd(flat, compute_uv=False)[: result.n_dof]
    expected = np.concatenate([expected, np.zeros(result.n_dof - len(expected))])
    np.testing.assert_allclose(result.singular_values, expected, rtol=0, atol=1e-13 * size(descriptor, atoms))


def line(n, pbc, bend=0.0):
    positions = 1.3 * np.arange(n)[:, None] * [0.48, 0.6, 0.64] + [0.1, 0.2, 0.3]
    positions[-1, 0] += bend
    return periodic(f"C{n}", positions, 1.3 * n * np.array([[0.48, 0.6, 0.64], [1, 0, 0], [0, 1, 0]]), pbc)


# Structure, degrees of freedom.
FREEDOMS = {
    "molecule": (molecule("CH4"), 9),
    "planar molecule": (molecule("C6H6"), 30),
    "linear molecule": (line(4, False), 7),
    "nearly linear molecule": (line(4, False, 1e-9), 7),
    "bent molecule": (line(4, False, 0.01), 6),
    "atom": (Atoms("H"), 0),
    "rod": (WHOLE["chain"], 8),
    "rod of one atom": (line(1, (1, 0, 0)), 0),
    "line": (line(3, (1, 0, 0)), 6),
    "line but for rounding": (line(3, (1, 0, 0), 1e-9), 6),
    "bent line": (line(3, (1, 0, 0), 0.01), 5),
    "slab": (WHOLE["slab"], 6),
    "crystal": (bulk("MgO", "rocksalt", 4.21), 3),
    "crystal of one atom": (bulk("Fe"), 0),
}


@pytest.mark.parametrize(("atoms", "n_dof"), FREEDOMS.values(), ids=FREEDOMS.keys())
def test_degrees_of_freedom_are_those_of_the_boundary(atoms, n_dof):
    result = nm.structure_sensitivity(atoms, DESCRIPTORS["power"])
    assert result.n_dof == n_dof == len(result.singular_values)
    assert result.modes.shape == (n_dof, len(atoms), 3)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(sorted(WHOLE)), st.sampled_from(sorted(DESCRIPTORS)), st.integers(0, 2**32 - 1))
def test_nothing_depends_on_frame_order_origin_or_cell_of_an_atom(where, name, seed):
    descriptor, atoms, generator = DESCRIPTORS[name], WHOLE[where], rng(seed)
    phi, jac = nm.structure_jacobian(atoms, descriptor)
    turn = Rotation.random(rng=generator).as_matrix()
    order = generator.permutation(len(atoms))
    other = atoms[order]
    other.positions += generator.integers(-2, 3, size=(len(atoms), 3)) * atoms.pbc @ atoms.cell.array
    other.positions = other.positions @ turn.T + generator.normal(size=3)
    other.cell = atoms.cell.array @ turn.T
    phi_moved, jac_moved = nm.structure_jacobian(other, descriptor)
    np.testing.assert_allclose(phi_moved, phi, rtol=0, atol=1e-12 * np.abs(phi).max())
    np.testing.assert_allclose(jac_moved, jac[:, order] @ turn.T, rtol=0, atol=1e-12 * size(descriptor, atoms))


@pytest.mark.parametrize("where", [name for name, atoms in WHOLE.items() if atoms.pbc.any()])
def test_a_supercell_repeats_its_cell(where):
    atoms, descriptor = WHOLE[where], DESCRIPTORS["power"]
    times = np.where(atoms.pbc, 2, 1)
    phi, jac = nm.structure_jacobian(atoms, descriptor)
    phi_many, jac_many = nm.structure_jacobian(atoms * times, descriptor)
    np.testing.assert_allclose(phi_many, times.prod() * phi, rtol=0, atol=1e-12 * np.abs(phi_many).max())
    atol = 1e-12 * size(descriptor, atoms)
    np.testing.assert_allclose(jac_many, np.tile(jac, (1, times.prod(), 1)), rtol=0, atol=atol)


def test_centers_choose_what_is_summed():
    atoms, descriptor = molecule("CH3CH2OH"), DESCRIPTORS["power"].__class__(species=("H", "C", "O"), **SETTING)
    phi, jac = nm.structure_jacobian(atoms, descriptor)
    blocks = [nm.structure_jacobian(atoms, descriptor, centers=c) for c in ("H", "C", "O")]
    np.testing.assert_array_equal(phi, np.concatenate([block for block, _ in blocks]))
    np.testing.assert_array_equal(jac, np.concatenate([block for _, block in blocks]))


@pytest.mark.parametrize(("hydrogens", "alone", "whole"), [(pair(1.0, 0.0), 8, 9), (TD, 1, 1)], ids=["X(pi, 0)", "Td"])
def test_the_whole_molecule_lifts_spurious_null_values_and_no_others(hydrogens, alone, whole):
    atoms = Atoms("CH4", np.vstack([np.zeros(3), hydrogens]))
    soap = nm.PowerSpectrum(n_max=6, l_max=6, width=0.3, cutoff=3.5)
    env = nm.environments(atoms, 3.5, centers="C")[0]
    assert nm.sensitivity(soap.compute_with_jacobian(env)[1], env).rank == alone
    result = nm.structure_sensitivity(atoms, soap)
    assert (result.rank, result.n_dof) == (whole, 9)


@pytest.mark.parametrize(("shift", "rank"), [(0.0, 0), (1e-15, 0), (1e-11, 1), (1e-7, 1), (1e-3, 2), (0.2, 3)])
def test_what_is_left_where_centres_cancel_is_no_response(shift, rank):
    # Invariants of Oh on a vector have degrees 2, 4 and 6: values open as a, a³ and a⁵.
    crystal = bulk("MgO", "rocksalt", 4.21)
    crystal.positions[1] += shift * np.array([0.4, 0.7, 1.1])
    result = nm.structure_sensitivity(crystal, nm.PowerSpectrum(n_max=4, l_max=4, **SETTING))
    assert result.rank == rank
    assert np.isnan(result.inverse_condition_number) == (rank == 0)


class Noisy(nm.Descriptor):
    """A power spectrum whose Jacobian is wrong by a part in a million."""

    cutoff = 4.0
    soap = nm.PowerSpectrum(n_max=4, l_max=3, **SETTING)

    def feature_labels(self, environments=None):
        return self.soap.feature_labels(environments)

    def compute_batch(self, environments):
        return self.soap.compute_batch(environments)

    def compute_batch_with_jacobian(self, environments):
        wrong = rng(0)
        results = self.soap.compute_batch_with_jacobian(environments)
        return [(phi, jac + 1e-6 * np.abs(jac).max() * wrong.normal(size=jac.shape)) for phi, jac in results]


@pytest.mark.parametrize("where", ["crystal", "slab", "ethanol"])
def test_noise_is_told_though_translations_are_always_null(where):
    with pytest.raises(nm.InputError, match=r"`rtol` must be at least the rotation floor \d.\de-0[567]"):
        nm.structure_sensitivity(WHOLE[where], Noisy())


@pytest.mark.parametrize(
    "atoms",
    [Atoms("H"), Atoms("HH", [[0, 0, 0], [0, 0, 9]]), periodic("Ar", [[0, 0, 0]], 9 * np.eye(3), True)],
    ids=["atom", "two far apart", "thin gas"],
)
def test_a_structure_where_nobody_has_a_neighbour_sees_nothing(atoms):
    for descriptor in DESCRIPTORS.values():
        _, jac = nm.structure_jacobian(atoms, descriptor)
        assert jac.shape[1:] == (len(atoms), 3)
        assert (jac == 0).all()
        result = nm.structure_sensitivity(atoms, descriptor)
        assert result.rank == 0
        assert np.isnan([result.inverse_condition_number, result.rotation_floor]).all()


def test_rows_fit_the_analysis_table(tmp_path):
    atoms = [WHOLE["methane"], Atoms("H"), WHOLE["crystal"]]
    descriptor = nm.PowerSpectrum(n_max=4, l_max=3, species=("H", "C", "O", "Mg"), **SETTING)
    cases = [StructureRanks(structure) for structure in whole_structures(*checked_structures(atoms, 4.0, None))]
    frame, _ = measure_whole(cases, [descriptor], AnalysisOptions(rtol=1e-9))
    parquet.write(frame.drop(columns="point"), tmp_path / "rows.parquet", "analysis", {})
    read = parquet.read(tmp_path / "rows.parquet", "analysis")
    assert read["structure"].tolist() == [0, 1, 2]
    assert read["status"].tolist() == ["ok", "no_neighbours", "ok"]
    assert read["center_species"].isna().all()
    assert read["n_neighbours"].tolist() == [20, 0, sum(map(len, nm.environments(atoms[2], 4.0)))]


BAD = {
    "no structure": (([],), r"`atoms` must be ase.Atoms, got list"),
    "coincident": ((Atoms("HH", np.zeros((2, 3))),), r"`atoms\[0\].positions` must be distinct"),
    "centers": ((molecule("CH4"), None, "O"), r"`centers` must occur in the structures, got 'O'"),
    "descriptor": ((molecule("CH4"), "soap"), r"`descriptor` must be a nullmode.Descriptor, got 'soap'"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(arguments, message):
    atoms, descriptor, centers = (*arguments, *(None,) * (3 - len(arguments)))
    with pytest.raises(nm.InputError, match=message):
        nm.structure_jacobian(atoms, descriptor or DESCRIPTORS["power"], centers)
