"""Descriptors that sort: overlap matrix, inverse distances, Coulomb matrix."""

from dataclasses import replace

import naive
import numpy as np
import pytest
from ase.data import covalent_radii
from ase.units import Bohr
from cases import ENVIRONMENTS, RANKS, STRUCTURES, TD, environment, rng
from geometries import GEOMETRIES
from jacobi import jacobi
from oracles import dscribe_coulomb_eigenvalues

import nullmode as nm
from nullmode.descriptors._eigenvalues import group_end
from nullmode.descriptors._layout import with_layout_of

SORTED = {
    "overlap s": nm.OverlapMatrix(orbitals="s"),
    "overlap sp": nm.OverlapMatrix(),
    "overlap sp, narrow": nm.OverlapMatrix(width_scale=0.6, cutoff_power=3),
    "inverse distances": nm.InverseDistances(),
    "coulomb": nm.CoulombMatrix(),
}
DEFAULTS = {**SORTED, "acsf": nm.ACSF()}


def shifted(r):
    return naive.cutoff(r, 4.0, 0.5)


def groups(values, blocks, degeneracy):
    """Beginnings and ends of the groups of equal features."""
    found = []
    for low, high in blocks:
        part, first = values[low:high], 0
        while first < len(part):
            last = group_end(part, first, degeneracy * np.abs(values).max())
            found.append((low + first, low + last))
            first = last
    return found


# Definitions.


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_inverse_distances_are_their_definition(where):
    env = environment(where)
    layout = sorted(set(env.species.tolist()))
    most = int((np.linalg.norm(env.vectors, axis=1) < 4).sum()) + 2
    phi = nm.InverseDistances(n_neighbours_max=most).compute(env)
    expected = naive.inverse_distances(env.vectors, env.species, layout, most, shifted)
    np.testing.assert_allclose(phi, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_coulomb_eigenvalues_are_their_definition(where):
    env = environment(where)
    place = np.vstack([np.zeros(3), env.vectors])
    charge = np.r_[env.center_species, env.species].astype(float)
    weight = np.array([1.0, *(shifted(r) for r in np.linalg.norm(env.vectors, axis=1))])
    distance = np.linalg.norm(place[:, None] - place, axis=2) / Bohr
    np.fill_diagonal(distance, 1.0)
    matrix = np.outer(charge * weight, charge * weight) / distance
    np.fill_diagonal(matrix, weight**2 * charge**2.4 / 2)
    kept = weight > 0
    # ASE's bohr is older: it differs in the ninth digit.
    phi = nm.CoulombMatrix().compute(env)
    np.testing.assert_allclose(phi, np.linalg.eigvalsh(matrix[kept][:, kept])[::-1], rtol=0, atol=2e-9 * phi[0])


@pytest.mark.parametrize("name", ["methane", "ethanol", "formic acid"])
def test_coulomb_eigenvalues_of_a_molecule_are_dscribes(name):
    env = nm.environments(STRUCTURES[name], 20.0, centers=0)[0]
    phi = nm.CoulombMatrix(cutoff=20.0).compute(env)
    np.testing.assert_allclose(phi, dscribe_coulomb_eigenvalues(STRUCTURES[name]), rtol=0, atol=2e-9 * phi[0])


@pytest.mark.parametrize("orbitals", ["s", "sp"])
@pytest.mark.parametrize("where", ["two", "smoothed", "beyond the cutoff"])
def test_overlap_eigenvalues_are_their_definition(where, orbitals):
    env = environment(where)
    descriptor = nm.OverlapMatrix(orbitals=orbitals, width_scale=0.9, cutoff_power=3)
    r = np.linalg.norm(env.vectors, axis=1)
    near = r < 4
    place = np.vstack([np.zeros(3), env.vectors[near]])
    amplitude = np.r_[1.0, (1 - (r[near] / 4) ** 2) ** 3]
    width = 0.9 * covalent_radii[np.r_[env.center_species, env.species[near]]]
    shapes = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)][: 1 if orbitals == "s" else 4]
    functions = [(a, shape) for a in range(len(place)) for shape in shapes]
    matrix = [
        [
            amplitude[a] * amplitude[b] * naive.orbital_overlap(place[a], width[a], p, place[b], width[b], q)
            for b, q in functions
        ]
        for a, p in functions
    ]
    np.testing.assert_allclose(descriptor.compute(env), np.linalg.eigvalsh(matrix)[::-1], rtol=0, atol=1e-12)


# Where symmetry makes entries equal.


@pytest.mark.law(cases=24)
@pytest.mark.parametrize("where", GEOMETRIES)
@pytest.mark.parametrize("name", DEFAULTS)
def test_symmetry_is_kept(name, where):
    # The Jacobian is that of features which the group leaves alone, so it sees totally symmetric displacements only.
    vectors, species, _ = GEOMETRIES[where]
    env = nm.Environment.from_vectors(vectors, species)
    _, jac = DEFAULTS[name].compute_with_jacobian(env)
    assert np.isfinite(jac).all()
    group = nm.point_group(env)
    for operation, permutation in zip(group.operations, group.permutations, strict=True):
        assert np.abs(jac[:, permutation] @ operation - jac).max() < 1e-8 * np.abs(jac).max()
    result = nm.sensitivity(jac, env)
    assert result.rank <= nm.rank_symmetric(env)
    assert result.rotation_floor < 1e-13


@pytest.mark.law(cases=9)
@pytest.mark.parametrize("where", ["tetrahedron", "octahedron", "CH3F", "ring 3", "cube"])
@pytest.mark.parametrize("name", SORTED)
def test_sums_over_equal_entries_are_differentiated(name, where):
    vectors, species, _ = GEOMETRIES[where]
    env = nm.Environment.from_vectors(vectors, species)
    descriptor = with_layout_of(SORTED[name], [env])
    phi, jac = descriptor.compute_with_jacobian(env)
    labels = descriptor.feature_labels([env])
    starts = [k for k, label in enumerate(labels) if label.place == 0]
    blocks = list(zip(starts, [*starts[1:], len(labels)], strict=True))
    for first, last in groups(phi, blocks, descriptor.degeneracy):
        np.testing.assert_array_equal(jac[first:last], np.broadcast_to(jac[first], jac[first:last].shape))
    # Groups that nearly meet have their kinks within the steps, and are summed together.
    found = groups(phi, blocks, 0.01)
    assert 1 < len(found) < len(phi)

    def sums(x):
        moved = descriptor.compute(nm.Environment.from_vectors(x.reshape(-1, 3), species))
        return np.array([moved[first:last].sum() for first, last in found])

    numeric, error = jacobi(sums, np.asarray(vectors, float).ravel(), step=(0.003, 0.4))
    got = np.array([jac[first:last].sum(axis=0).ravel() for first, last in found])
    scale = np.abs(jac).max()
    assert error.max() < 1e-7 * scale
    np.testing.assert_allclose(got, numeric, rtol=0, atol=max(1e-9 * scale, 10 * error.max()))


def test_single_entries_have_a_kink_at_methane():
    # Why the mean is taken: along one direction, the two slopes of a sorted entry differ.
    step = 1e-6 * np.eye(4)[0][:, None] * TD[0]
    descriptor = nm.InverseDistances()
    centre, above, below = (descriptor.compute(nm.Environment.from_vectors(TD + s * step))[0] for s in (0, 1, -1))
    assert abs(above - centre) < 1e-3 * abs(below - centre)


RANKS_SORTED = {
    # Of 9: all that symmetry allows, or fewer where entries are too few, or equal.
    "Td": {"overlap s": 1, "overlap sp": 1, "inverse distances": 1, "coulomb": 1, "acsf": 1},
    "X(pi, 0)": {"overlap s": 5, "overlap sp": 9, "inverse distances": 6, "coulomb": 4, "acsf": 8},
    "random": {"overlap s": 5, "overlap sp": 9, "inverse distances": 9, "coulomb": 4, "acsf": 9},
}


@pytest.mark.parametrize("name", RANKS_SORTED["Td"])
@pytest.mark.parametrize("where", RANKS_SORTED)
def test_attribution_says_what_theory_can(where, name):
    env = nm.Environment.from_vectors(RANKS[where][0])
    row = nm.analyze([env], DEFAULTS[name], attribution=True).iloc[0]
    rank, symmetric = RANKS_SORTED[where][name], nm.rank_symmetric(env)
    assert (row["rank"], row["rank_symmetric"], row["status"], row["diagnostic"]) == (rank, symmetric, "ok", "")
    assert row["null_symmetry"] == 9 - symmetric
    if name == "acsf":
        assert row["null_incompleteness"] == symmetric - nm.rank_complete(env, 2)
        assert row["null_unresolved"] == 0
    else:
        assert row["null_unresolved"] == symmetric - rank
        assert row["null_incompleteness"] == row["null_truncation"] == 0


# Layouts.


@pytest.mark.parametrize("name", SORTED)
def test_a_longer_layout_adds_zeros_alone(name):
    env = environment("mixed")
    taken, jac = SORTED[name].compute_with_jacobian(env)
    longer, longer_jac = replace(SORTED[name], n_neighbours_max=12).compute_with_jacobian(env)
    assert len(longer) > len(taken)
    np.testing.assert_array_equal(longer[longer != 0], taken[taken != 0])
    before, after = (nm.sensitivity(j, env).singular_values for j in (jac, longer_jac))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-10 * before[0])


@pytest.mark.parametrize("name", SORTED)
def test_a_set_has_one_layout(name):
    envs = [environment(where) for where in ("one", "methane", "crowded")]
    assert len({len(phi) for phi in SORTED[name].compute_batch(envs)}) == 1
    assert len(SORTED[name].compute_batch(envs)[0]) == len(SORTED[name].feature_labels(envs))
    assert (nm.analyze(envs, SORTED[name])["status"] == "ok").all()


@pytest.mark.parametrize("name", SORTED)
def test_more_neighbours_than_laid_out_for_are_refused(name):
    short = replace(SORTED[name], n_neighbours_max=3)
    with pytest.raises(
        nm.InputError, match=r"`n_neighbours_max` must be at least .*, got 3 for an environment with 4\."
    ):
        short.compute(environment("methane"))
    assert len(short.compute(environment("beyond the cutoff"))) == len(short.feature_labels())


@pytest.mark.parametrize("name", DEFAULTS)
def test_features_and_jacobian_are_continuous_through_the_cutoff(name):
    direction = np.array([0.6, -0.64, 0.48])
    others = np.array([[1.0, 0.1, 0.2], [-0.3, 0.9, 0.5]])
    descriptor = replace(DEFAULTS[name], **({} if name == "acsf" else {"n_neighbours_max": 3}))

    def at(r):
        return descriptor.compute_with_jacobian(nm.Environment.from_vectors(np.vstack([others, r * direction])))

    phi, jac = at(4.0)
    for step in (-1e-6, 1e-6):
        phi_near, jac_near = at(4.0 + step)
        assert np.abs(phi_near - phi).max() < 1e-9 * np.abs(phi).max()
        assert np.abs(jac_near - jac).max() < 1e-5 * np.abs(jac).max()


def test_coulomb_eigenvalues_are_continuous_where_two_are_opposite():
    # Sorted by magnitude, as published, they would jump here.
    def at(r):
        return nm.CoulombMatrix(n_neighbours_max=4).compute(
            nm.Environment.from_vectors([[r, 0, 0], [r, 0.8, 0]], "H", "H")
        )

    values = np.array([at(r) for r in np.linspace(1.1, 1.3, 201)])
    sums = values[:, 1] + values[:, -1]
    assert sums[0] * sums[-1] < 0
    assert (values[:, 1] > 0.1).all()
    assert (values[:, -1] < -0.1).all()
    assert np.abs(np.diff(values, axis=0)).max() < 2e-3


BAD = {
    "orbitals": (
        nm.OverlapMatrix,
        {"orbitals": "d"},
        r"`OverlapMatrix.orbitals` must be 's' or 'sp', got 'd'",
    ),
    "power": (nm.OverlapMatrix, {"cutoff_power": 1}, r"`OverlapMatrix.cutoff_power` must be .* equal to 2, got 1"),
    "smoothing": (nm.CoulombMatrix, {"cutoff": 2, "cutoff_width": 3}, r"`cutoff_width` must not exceed `cutoff`"),
    "smoothing, lists": (nm.InverseDistances, {"cutoff": 2, "cutoff_width": 3}, r"`cutoff_width` must not exceed"),
    "most": (nm.InverseDistances, {"n_neighbours_max": -1}, r"`InverseDistances.n_neighbours_max` must be .*, got -1"),
}


@pytest.mark.parametrize(("kind", "parameters", "message"), BAD.values(), ids=BAD.keys())
def test_bad_parameters_are_refused(kind, parameters, message):
    with pytest.raises(nm.InputError, match=message):
        kind(**parameters)


def test_an_element_without_a_radius_is_refused():
    env = nm.Environment.from_vectors(rng(1).normal(size=(3, 3)), "Lr")
    with pytest.raises(
        nm.InputError, match=r"`species` must have a covalent radius, got Lr; Cordero et al\. end with Cm\."
    ):
        nm.OverlapMatrix().compute(env)
    with pytest.raises(nm.InputError, match=r"`environment` must reach as far as the descriptor's cutoff \(4.0 Å\)"):
        nm.CoulombMatrix().compute(nm.environments(STRUCTURES["methane"], 3.0)[0])


@pytest.mark.parametrize("name", SORTED)
def test_neighbours_on_the_cutoff_find_room_or_are_left_out(name):
    # Rotated, a distance equal to the cutoff is rounded to either side, and not alike by everyone who computes it.
    inner = np.array([[1.0, 0.2, 0.1]])
    for k in range(40):
        shell = 4.0 * np.vstack([np.eye(3), -np.eye(3)]) @ np.linalg.qr(rng(k).normal(size=(3, 3)))[0]
        env = nm.Environment.from_vectors(np.vstack([inner, shell]))
        phi, jacobian = SORTED[name].compute_with_jacobian(env)
        alone = SORTED[name].compute(nm.Environment.from_vectors(inner))
        np.testing.assert_allclose(np.sort(phi[phi != 0]), np.sort(alone[alone != 0]), rtol=1e-12)
        assert np.isfinite(jacobian).all()
        assert (jacobian[:, 1:] == 0).all()
