"""What any potential sees: sums over centres with equal features, below each other."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.cluster import Icosahedron
from cases import SETTING, STRUCTURES, TD, pair, rattled, rng
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import potential_rows
from scipy.spatial.transform import Rotation

import nullmode as nm
from nullmode.spectrum.potential import equal_features

FAR = Atoms("OH2" * 2, np.vstack([molecule("H2O").positions, [9, 0, 0] - molecule("H2O").positions]))
CELLS = {
    **STRUCTURES,
    "ethene": molecule("C2H4"),
    "benzene": molecule("C6H6"),
    "wurtzite": bulk("ZnO", "wurtzite", a=3.25, c=5.2),
    "rock salt": bulk("MgO", "rocksalt", a=4.21, cubic=True),
    "two waters far apart": FAR,
    "rattled silicon": rattled(bulk("Si", cubic=True), 0.05),
}
SOAP = nm.PowerSpectrum(n_max=4, l_max=3, **SETTING)


@pytest.mark.parametrize("centers", [None, "first"])
@pytest.mark.parametrize("where", CELLS)
def test_values_are_those_of_all_jacobians_at_once(where, centers):
    atoms = CELLS[where]
    centers = centers and atoms.get_chemical_symbols()[0]
    envs = nm.environments(atoms, SOAP.cutoff, centers)
    rows, n_classes = potential_rows(envs, SOAP.compute_batch_with_jacobian(envs), len(atoms))
    values = np.linalg.svd(rows, compute_uv=False)
    result = nm.structure_sensitivity(atoms, SOAP, centers=centers, scope="potential")
    classes = nm.feature_classes(atoms, SOAP, centers)
    assert classes.labels.max() + 1 == n_classes
    values = np.concatenate([values, np.zeros(3 * len(atoms))])[: result.n_dof]
    np.testing.assert_allclose(result.singular_values, values, rtol=0, atol=1e-13 * max(values.max(), 1.0))
    linear = nm.structure_sensitivity(atoms, SOAP, centers=centers)
    assert linear.rank <= result.rank <= result.n_dof == linear.n_dof


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(sorted(CELLS)), st.integers(0, 2**32 - 1))
def test_frame_order_images_and_cells_change_nothing(where, seed):
    atoms, generator = CELLS[where], rng(seed)
    expected = nm.structure_sensitivity(atoms, SOAP, scope="potential")
    turn = Rotation.random(rng=generator).as_matrix()
    other = atoms[generator.permutation(len(atoms))]
    other.positions += generator.integers(-2, 3, size=(len(atoms), 3)) * atoms.pbc @ atoms.cell.array
    other.positions = other.positions @ turn.T + generator.normal(size=3)
    # Another cell of the same lattice: one vector added to another.
    cell = atoms.cell.array.copy()
    if atoms.pbc[:2].all():
        cell[0] += cell[1]
    other.cell = cell @ turn.T
    result = nm.structure_sensitivity(other, SOAP, scope="potential")
    # What cancels is rounded to the size of its terms, about 1/Å.
    scale = max(expected.singular_values.max(), 1.0)
    np.testing.assert_allclose(result.singular_values, expected.singular_values, rtol=0, atol=1e-11 * scale)
    assert result.rank == expected.rank


@pytest.mark.parametrize("where", [name for name, atoms in CELLS.items() if atoms.pbc.any()])
def test_a_supercell_has_the_rank_and_the_values_of_its_cell(where):
    atoms = CELLS[where]
    times = np.where(atoms.pbc, [2, 1, 1], 1)
    one, many = (nm.structure_sensitivity(each, SOAP, scope="potential") for each in (atoms, atoms * times))
    assert one.rank == many.rank
    kept = slice(one.rank)
    expected = np.sqrt(times.prod()) * one.singular_values[kept]
    np.testing.assert_allclose(many.singular_values[kept], expected, rtol=0, atol=1e-11 * expected.max(initial=1))


def test_a_potential_sees_what_one_centre_and_a_linear_model_do_not():
    # X(pi, 0) is singular for its carbon alone; the hydrogens see what it does not.
    atoms = Atoms("CH4", np.vstack([np.zeros(3), pair(1.0, 0.0)]))
    soap = nm.PowerSpectrum(n_max=6, l_max=6, width=0.3, cutoff=3.5)
    assert nm.structure_sensitivity(atoms, soap, centers="C", scope="potential").rank == 8
    assert nm.structure_sensitivity(atoms, soap, scope="potential").rank == 9
    # The hydrogens of methane are equal: their forces are too.
    methane = Atoms("CH4", np.vstack([np.zeros(3), TD]))
    assert nm.feature_classes(methane, soap).labels.tolist() == [0, 1, 1, 1, 1]
    assert nm.structure_sensitivity(methane, soap, scope="potential").rank == 1


# Structure, n_max = l_max, other parameters, ranks by a linear model and by any potential, s_d/s_1 by the latter.
PUBLISHED = {
    "Cu55, (2, 2)": (Icosahedron("Cu", 3), 0.08, 2, 2, (5.0, 1.0, 0.5), (9, 159, 159), "5e-03"),
    "Cu55, (4, 4)": (Icosahedron("Cu", 3), 0.08, 2, 4, (5.0, 1.0, 0.5), (50, 159, 159), "1.6e-02"),
    "ethane, (1, 1)": (molecule("C2H6"), 0.05, 1, 1, (4.0, 0.5, 0.3), (11, 18, 18), None),
    "ethene, (6, 6)": (molecule("C2H4"), None, 0, 6, (4.0, 0.5, 0.3), (3, 3, 12), None),
}


@pytest.mark.parametrize(
    ("atoms", "noise", "seed", "size", "lengths", "ranks", "ratio"), PUBLISHED.values(), ids=PUBLISHED.keys()
)
def test_ranks_are_those_of_the_prototype(atoms, noise, seed, size, lengths, ranks, ratio):
    atoms = atoms.copy()
    if noise:
        atoms.rattle(noise, seed=seed)
    soap = nm.PowerSpectrum(n_max=size, l_max=size, **dict(zip(SETTING, lengths, strict=True)))
    linear, any_potential = (nm.structure_sensitivity(atoms, soap, scope=each) for each in ("structure", "potential"))
    assert (linear.rank, any_potential.rank, any_potential.n_dof) == ranks
    if ratio:
        assert f"{any_potential.inverse_condition_number:.{len(ratio) - 5 - ('.' in ratio)}e}" == ratio


@pytest.mark.parametrize(
    ("distances", "labels", "ambiguous"),
    [
        ([0, 1e-3, 1], [0, 1, 2], False),
        ([0, 1e-9, 1], [0, 0, 1], False),
        ([0, 1e-7, 1], [0, 0, 1], True),
        ([0, 1e-5, 1], [0, 1, 2], True),
        # A chain of equal ones.
        ([0, 9e-7, 18e-7], [0, 0, 0], True),
        ([1, 0, 1], [0, 1, 0], False),
        ([0, np.nan, 0], [0, 1, 0], False),
    ],
)
def test_equal_features_are_a_class_and_near_ones_are_told(distances, labels, ambiguous):
    features = [np.array([np.cos(x), np.sin(x)]) for x in distances]
    found = equal_features(features, np.ones(len(features), dtype=int))
    assert found.labels.tolist() == labels
    assert found.ambiguous == ambiguous
    kinds = equal_features(features, np.arange(len(features)))
    assert kinds.labels.tolist() == list(range(len(features)))
    assert (kinds.spread, kinds.gap, kinds.ambiguous) == (0.0, np.inf, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scope": "environment"}, "`scope` must be one of structure, potential, got 'environment'"),
        ({"scope": "potential", "feature_tolerance": 0.0}, "`feature_tolerance` must be between 0 and 1, got 0.0"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(nm.InputError, match=message):
        nm.structure_sensitivity(molecule("CH4"), SOAP, **options)
