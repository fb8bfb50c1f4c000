import numpy as np
import pytest
from cases import TD, rng
from geometries import C2_X, GEOMETRIES, I_GENERATORS, MIRROR_XY, MIRROR_XZ, Z, orbit, turn
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import nullmode as nm
from nullmode.symmetry.point_group import PointGroups, displacement_representation, symmetric_projector
from nullmode.symmetry.schoenflies import group_order, schoenflies

EACH = pytest.mark.parametrize("name", GEOMETRIES)


def environment(name):
    vectors, species, _ = GEOMETRIES[name]
    return nm.Environment.from_vectors(vectors, species)


@EACH
def test_point_group_is_named(name):
    expected = GEOMETRIES[name][2]
    group = nm.point_group(environment(name))
    assert expected in (None, group.name)
    assert group.deviation < 1e-12


@EACH
def test_orders_of_groups_follow_from_their_names(name):
    group = nm.point_group(environment(name))
    assert group_order(group.name) == (len(group) if group.axis is None else np.inf)


@pytest.mark.law(cases=32)
@EACH
def test_operations_permute_like_neighbours_and_form_a_group(name):
    env = environment(name)
    group = nm.point_group(env)
    np.testing.assert_allclose(
        group.operations @ np.swapaxes(group.operations, 1, 2),
        np.broadcast_to(np.eye(3), (len(group), 3, 3)),
        atol=1e-12,
    )
    for operation, permutation in zip(group.operations, group.permutations, strict=True):
        np.testing.assert_allclose(env.vectors @ operation.T, env.vectors[permutation], atol=1e-12)
        np.testing.assert_array_equal(env.species[permutation], env.species)
        for other in group.operations:
            assert np.abs(group.operations - operation @ other).max(axis=(1, 2)).min() < 1e-10


@pytest.mark.law(cases=12)
@EACH
@pytest.mark.parametrize("parity", ["O3", "SO3"])
def test_rank_symmetric_is_the_dimension_of_invariant_displacements(name, parity):
    # Another way than by characters: displacements that are invariant and no rotation, by linear algebra.
    env = environment(name)
    group = nm.point_group(env)
    representation = displacement_representation(group)
    if parity == "SO3":
        representation = representation[np.linalg.det(group.operations) > 0]
    projector = representation.mean(axis=0)
    np.testing.assert_allclose(projector @ projector, projector, atol=1e-12)
    spins = np.array([np.cross(axis, env.vectors).ravel() for axis in np.eye(3)])
    invariant = np.linalg.matrix_rank(projector, tol=1e-6)
    turning = np.linalg.matrix_rank(projector @ spins.T, tol=1e-6)
    assert nm.rank_symmetric(env, parity) == invariant - turning
    if parity == "O3":
        np.testing.assert_allclose(symmetric_projector(group), projector, atol=1e-14)


@pytest.mark.law(cases=32)
@EACH
def test_modes_that_are_seen_are_totally_symmetric(name):
    # R2: a response to any other displacement would break a selection rule.
    env = environment(name)
    soap = nm.PowerSpectrum(n_max=6, l_max=6)
    result = nm.sensitivity(soap.compute_with_jacobian(env)[1], env)
    seen = result.modes[: result.rank].reshape(result.rank, -1)
    projector = symmetric_projector(nm.point_group(env))
    gap = result.singular_values[result.rank - 1] / result.singular_values[0]
    np.testing.assert_allclose(seen @ projector, seen, atol=1e-12 / gap)


def test_sixty_neighbours():
    env = nm.Environment.from_vectors(orbit(I_GENERATORS, [0.3, 1.0, 2.1]))
    assert len(env) == 60
    group = nm.point_group(env)
    assert (group.name, len(group)) == ("I", 60)
    assert nm.rank_symmetric(env) == 3


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 1.2])
def test_near_the_tolerance_the_operations_are_still_a_group(seed, share):
    env = nm.Environment.from_vectors(GEOMETRIES["cube"][0] + 1e-4 * rng(seed).normal(size=(8, 3)))
    group = nm.point_group(env, share * 3e-4)
    known = {permutation.tobytes() for permutation in group.permutations}
    assert all(one[other].tobytes() in known for one in group.permutations for other in group.permutations)
    assert group.deviation <= share * 3e-4
    products = group.operations[:, None] @ group.operations
    apart = np.abs(products[:, :, None] - group.operations).max(axis=(3, 4)).min(axis=2)
    assert apart.max() < 1e-12


@pytest.mark.parametrize("bend", [1e-3, 1e-6, 1e-8, 1e-9, 1e-10])
def test_two_neighbours_have_a_mirror_however_little_they_are_bent(bend):
    turned = [[1.0, 0, 0], [-1.3, bend, 0]] @ Rotation.random(rng=rng(3)).as_matrix()
    group = nm.point_group(nm.Environment.from_vectors(turned), max(bend / 100, 1e-12))
    assert group.name == "Cs"
    assert np.abs(group.operations @ np.swapaxes(group.operations, 1, 2) - np.eye(3)).max() < 1e-14


ROUNDED = np.round(np.outer([1.1, -1.25, 2.3], np.array([2.0, -1.0, 0.7]) / np.sqrt(5.49)), 8)


@pytest.mark.parametrize("tolerance", [1e-12, 1e-9, 1e-7, 1e-4])
def test_a_line_rounded_in_a_file_stays_a_line(tolerance):
    env = nm.Environment.from_vectors(ROUNDED)
    # Bent by 3.6e-9 Å in a plane, to the last digit.
    assert nm.point_group(env, tolerance).name == ("C∞v" if tolerance > 1e-8 else "Cs")
    result = nm.attribute(env, nm.PowerSpectrum(), tolerance=tolerance)
    # Bending a line that is bent by 1e-8 Å answers above rtol: it is no line, whatever the tolerance asked for.
    assert (result.n_dof, result.point_group, result.diagnostic) == (6, "Cs", "")
    assert result.group_grows_at < 1e-7


@pytest.mark.law(cases=4)
@pytest.mark.parametrize("n", range(2, 13))
def test_every_axial_group_is_named(n):
    high = 0.6
    generic = [np.array([0.9, 0.31, 0.45]), np.array([0.5, 0.8, -0.2]), np.array([1.2, -0.1, 0.7])]
    turning, flip = turn(Z, n), C2_X
    groups = {
        f"C{n}": [turning],
        f"C{n}v": [turning, MIRROR_XZ],
        f"C{n}h": [turning, MIRROR_XY],
        f"D{n}": [turning, flip],
        f"D{n}h": [turning, flip, MIRROR_XY],
        f"D{n}d": [turning, flip, turn(Z, 2 * n) @ MIRROR_XY],
        f"S{2 * n}": [turn(Z, 2 * n) @ MIRROR_XY],
    }
    for name, generators in groups.items():
        env = nm.Environment.from_vectors(orbit(generators, *generic[: 3 if n == 2 else 2]) * [1, 1, high])
        assert nm.point_group(env).name == name


def test_no_neighbours_have_every_symmetry():
    env = nm.Environment.from_vectors([])
    assert nm.point_group(env).name == "Kh"
    assert nm.rank_symmetric(env) == 0


@pytest.mark.parametrize(("amplitude", "name"), [(1e-8, "Td"), (1e-4, "C1")])
def test_the_tolerance_is_a_length(amplitude, name):
    noise = rng(4).uniform(-amplitude, amplitude, size=(4, 3))
    env = nm.Environment.from_vectors(TD + noise)
    assert nm.point_group(env, 1e-6).name == name
    assert nm.point_group(env, 1e-3).name == "Td"
    assert nm.point_group(env, 1e-12).name == "C1"


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(sorted(GEOMETRIES)), st.integers(0, 2**32 - 1), st.booleans())
def test_no_count_depends_on_the_frame_or_the_order(name, seed, mirrored):
    env = environment(name)
    generator = rng(seed)
    turn = Rotation.random(rng=generator).as_matrix() * (-1 if mirrored else 1)
    order = generator.permutation(len(env))
    moved = nm.Environment.from_vectors(env.vectors[order] @ turn.T, env.species[order].tolist())

    def counts(e):
        return [
            nm.point_group(e).name,
            *(nm.rank_symmetric(e, parity) for parity in ("O3", "SO3")),
            *(nm.rank_complete(e, order) for order in (1, 2)),
            *(nm.rank_complete(e, 3, parity) for parity in ("O3", "SO3") if len(e) < 15),
        ]

    assert counts(moved) == counts(env)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, np.nan, np.inf])
def test_a_tolerance_that_is_no_length_is_refused(tolerance):
    with pytest.raises(nm.InputError, match=r"`tolerance` must be a length of at least 1e-12 Å"):
        nm.point_group(environment("tetrahedron"), tolerance)


def test_a_tolerance_that_merges_neighbours_is_refused():
    with pytest.raises(nm.InputError, match=r"`tolerance` must be at most a quarter of .* 2.73e-01 Å"):
        nm.point_group(environment("tetrahedron"), 0.5)


def test_an_unknown_parity_is_refused():
    with pytest.raises(nm.InputError, match=r"`parity` must be 'O3' or 'SO3', got 'even'"):
        nm.rank_symmetric(environment("tetrahedron"), "even")


def test_groups_with_the_same_angles_have_one_name():
    names = {}
    for name in GEOMETRIES:
        group = nm.point_group(environment(name))
        if group.axis is None and len(environment(name)):
            traces = np.round(np.trace(group.operations, axis1=1, axis2=2), 6) + 0.0
            key = tuple(sorted(zip(np.linalg.det(group.operations) > 0, traces, strict=True)))
            assert names.setdefault(key, group.name) == group.name == schoenflies(group.operations)
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("noise", [0.0, 1e-5, 1e-3])
@pytest.mark.parametrize("name", ["Td", "Oh", "D3h"])
def test_one_search_gives_the_groups_at_all_tolerances(name, noise):
    name = next(key for key in GEOMETRIES if GEOMETRIES[key][2] == name)
    vectors, species, _ = GEOMETRIES[name]
    noisy = np.array(vectors) + noise * rng(3).normal(size=np.shape(vectors))
    env = nm.Environment.from_vectors(noisy, species)
    groups = PointGroups(env, 1e-2)
    for tolerance in np.geomspace(1e-7, 1e-2, 11):
        alone, found = nm.point_group(env, tolerance), groups.at(tolerance)
        assert (found.name, len(found)) == (alone.name, len(alone))
        assert found.deviation <= tolerance
