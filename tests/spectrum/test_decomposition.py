import naive
import numpy as np
import pytest
from ase.build import bulk
from cases import DESCRIPTORS, ENVIRONMENTS, SETTING, environment, rng
from mpmath import mp
from scipy.linalg import null_space

import nullmode as nm
from nullmode.linalg.householder import block_of, triangularise

EVERY = [pytest.param(d, e, id=f"{d}-{e}") for d in DESCRIPTORS for e in ENVIRONMENTS]


def textbook(jacobian, vectors):
    """Full SVD on the complement of the rotations; singular values (padded) and frame."""
    flat = jacobian.reshape(len(jacobian), -1)
    frame = null_space(naive.rotations(vectors), rcond=1e-8)
    values = np.linalg.svd(flat @ frame, compute_uv=False)
    return np.concatenate([values, np.zeros(frame.shape[1] - len(values))]), frame


@pytest.mark.law(cases=12)
@pytest.mark.parametrize(("name", "where"), EVERY)
def test_singular_values_are_those_of_the_textbook(name, where):
    env = environment(where)
    _, jac = DESCRIPTORS[name].compute_with_jacobian(env)
    result = nm.sensitivity(jac, env)
    expected, frame = textbook(jac, env.vectors)
    assert result.n_dof == frame.shape[1] == len(result.singular_values)
    np.testing.assert_allclose(result.singular_values, expected, rtol=0, atol=1e-14 * expected[0])
    assert (result.singular_values[len(jac) :] == 0).all()


@pytest.mark.law(cases=12)
@pytest.mark.parametrize(("name", "where"), EVERY)
def test_modes_are_orthonormal_rotation_free_and_respond_with_their_value(name, where):
    env = environment(where)
    _, jac = DESCRIPTORS[name].compute_with_jacobian(env)
    result = nm.sensitivity(jac, env)
    assert result.modes.shape == (result.n_dof, len(env), 3)
    modes = result.modes.reshape(result.n_dof, -1)
    np.testing.assert_allclose(modes @ modes.T, np.eye(result.n_dof), atol=1e-13)
    np.testing.assert_allclose(modes @ naive.rotations(env.vectors).T, 0, atol=1e-13)
    response = np.linalg.norm(jac.reshape(len(jac), -1) @ modes.T, axis=0)
    np.testing.assert_allclose(response, result.singular_values, rtol=0, atol=1e-13 * result.singular_values[0])


@pytest.mark.law(cases=12)
@pytest.mark.parametrize(("name", "where"), EVERY)
def test_numbers_follow_from_the_singular_values(name, where):
    env = environment(where)
    _, jac = DESCRIPTORS[name].compute_with_jacobian(env)
    result = nm.sensitivity(jac, env, rtol=1e-8)
    s = result.singular_values
    assert (np.diff(s) <= 0).all()
    assert result.rank == (s > 1e-8 * s[0]).sum()
    assert result.rtol == 1e-8
    assert result.inverse_condition_number == s[-1] / s[0]
    assert result.condition_number == (np.inf if s[-1] == 0 else s[0] / s[-1])
    flat = jac.reshape(len(jac), -1)
    floor = np.linalg.norm(flat @ naive.rotations(env.vectors).T, 2) / s[0]
    assert result.rotation_floor == pytest.approx(floor, abs=5e-15)


COUNTS = {
    "none": ([], 0),
    "one": ([[0.3, 0.4, 0.5]], 1),
    "collinear": ([[0, 0, 1.0], [0, 0, -1.2], [0, 0, 2.2]], 7),
    "collinear along x": ([[1.0, 0, 0], [-1.2, 0, 0], [2.2, 0, 0]], 7),
    "collinear along y": ([[0, 1.0, 0], [0, -1.2, 0], [0, 2.2, 0]], 7),
    "collinear anywhere": (np.outer([1.0, -1.2, 2.2], [0.5, -0.6, 0.7]), 7),
    "collinear but for rounding": ([[0.1, 0.2, 0.3], [-0.2, -0.4, -0.6 + 1e-12]], 4),
    "bent": ([[0, 0, 1.0], [0, 0.01, -1.2]], 3),
    "planar": ([[0, 1.0, 1.0], [0, 1.0, -1.2], [0, -1, 0]], 6),
}


@pytest.mark.parametrize(("vectors", "n_dof"), COUNTS.values(), ids=COUNTS.keys())
def test_degrees_of_freedom_are_counted(vectors, n_dof):
    env = nm.Environment.from_vectors(vectors)
    _, jac = nm.PowerSpectrum(n_max=4, l_max=4, **SETTING).compute_with_jacobian(env)
    result = nm.sensitivity(jac, env)
    assert result.n_dof == n_dof
    assert result.modes.shape == (n_dof, len(env), 3)
    if n_dof == 0:
        assert result.rank == 0
        assert np.isnan([result.condition_number, result.inverse_condition_number]).all()


def test_fewer_features_than_displacements_are_padded_with_exact_zeros():
    env = environment("methane")
    _, jac = nm.RadialSpectrum(n_max=3, **SETTING).compute_with_jacobian(env)
    result = nm.sensitivity(jac, env)
    assert result.n_dof == 9
    assert (result.singular_values[3:] == 0).all()
    assert result.singular_values[2] > 0
    assert result.condition_number == np.inf
    assert result.inverse_condition_number == 0


def test_an_environment_that_is_not_seen_has_rank_0():
    env = nm.Environment.from_vectors([[4.5, 0.1, 0], [0, -5.0, 1]])
    _, jac = nm.PowerSpectrum(n_max=3, l_max=2, **SETTING).compute_with_jacobian(env)
    result = nm.sensitivity(jac, env)
    assert result.rank == 0
    assert result.n_dof == 3
    assert np.isnan([result.condition_number, result.inverse_condition_number, result.rotation_floor]).all()
    np.testing.assert_allclose(result.modes.reshape(3, -1) @ result.modes.reshape(3, -1).T, np.eye(3), atol=1e-14)


@pytest.mark.law(cases=4)
@pytest.mark.parametrize("condition", 10.0 ** np.arange(2, 15, 2))
@pytest.mark.parametrize("shape", [(60, 12), (12, 12), (324, 12)])
def test_small_singular_values_are_kept(condition, shape):
    # Against 50 digits: the error of the smallest is that of a backward-stable method, not of the Gram matrix.
    generator = rng(int(np.log10(condition)))
    vectors = generator.normal(size=(4, 3))
    env = nm.Environment.from_vectors(vectors)
    frame = null_space(naive.rotations(vectors))
    left = np.linalg.qr(generator.normal(size=(shape[0], 9)))[0]
    right = np.linalg.qr(generator.normal(size=(9, 9)))[0]
    matrix = left * np.geomspace(1, 1 / condition, 9) @ right @ frame.T
    result = nm.sensitivity(matrix.reshape(shape[0], 4, 3), env, rtol=1e-4)
    with mp.workdps(50):
        exact = mp.svd_r(mp.matrix((matrix @ frame).tolist()), compute_uv=False)
        smallest = float(min(exact))
    assert result.singular_values[-1] == pytest.approx(smallest, rel=0, abs=3e-15)
    assert result.singular_values[0] == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (3, 5), (5, 5), (40, 6)])
def test_triangle_has_the_gram_matrix_of_its_source(shape):
    matrix = rng(3).normal(size=shape)
    matrix[:, -1] = 0
    r = np.full((shape[1], shape[1]), np.nan)
    # Blocks of eight rows, so that some matrices take many.
    scale = triangularise(matrix.ravel(), 0, shape[0], block_of(8, shape[1]), r)
    np.testing.assert_allclose(scale**2 * r.T @ r, matrix.T @ matrix, atol=1e-14 * np.linalg.norm(matrix) ** 2)
    assert (np.tril(r, -1) == 0).all()


BAD = {
    "shape": (np.zeros((5, 3, 3)), {}, r"`jacobian` must have shape \(F, 4, 3\) for this environment, got \(5, 3, 3\)"),
    "nan": (np.full((5, 4, 3), np.nan), {}, r"`jacobian` must be finite, got 60 entries that are not"),
    "complex": (np.full((5, 4, 3), 1j), {}, r"`jacobian` must hold real numbers, got complex numbers"),
    "texts": ("jacobian", {}, r"`jacobian` must hold real numbers, got texts"),
    "ragged": ([[[1.0, 0, 0]], []], {}, r"`jacobian` must be an array with rows of one length"),
    "rtol, text": (np.ones((5, 4, 3)), {"rtol": "a"}, r"`rtol` must be between 0 and 1, got 'a'"),
    "rtol, none": (np.ones((5, 4, 3)), {"rtol": None}, r"`rtol` must be between 0 and 1, got None"),
    "rtol": (np.ones((5, 4, 3)), {"rtol": 0.0}, r"`rtol` must be between 0 and 1, got 0.0"),
    "dof": (np.ones((5, 4, 3)), {"degrees_of_freedom": "all"}, r"`degrees_of_freedom` must be .* got 'all'"),
    "noise": (rng().normal(size=(20, 4, 3)), {}, r"`rtol` must be at least the rotation floor \d.* got 1.0e-09"),
}


@pytest.mark.parametrize(("jacobian", "options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(jacobian, options, message):
    with pytest.raises(nm.InputError, match=message):
        nm.sensitivity(jacobian, environment("methane"), **options)


@pytest.mark.parametrize("scale", [1e-200, 1e-150, 1e150, 1e200])
def test_the_unit_of_the_features_does_not_matter(scale):
    env = environment("methane")
    _, jac = nm.PowerSpectrum(n_max=3, l_max=2, **SETTING).compute_with_jacobian(env)
    expected, result = nm.sensitivity(jac, env), nm.sensitivity(scale * jac, env)
    assert result.rank == expected.rank
    np.testing.assert_allclose(result.singular_values / scale, expected.singular_values, rtol=1e-9, atol=1e-15)


def test_the_jacobian_is_left_as_it_was():
    env = environment("methane")
    _, jac = nm.PowerSpectrum(n_max=3, l_max=2, **SETTING).compute_with_jacobian(env)
    before = jac.copy()
    nm.sensitivity(jac, env)
    np.testing.assert_array_equal(jac, before)


def test_images_of_an_atom_move_together():
    crystal = bulk("NaCl", "rocksalt", 5.64)
    crystal.positions[1] += 0.1, -0.05, 0.2
    env = nm.environments(crystal, 4.0, centers=0)[0]
    soap = nm.PowerSpectrum(n_max=4, l_max=4, **SETTING)
    _, jac = soap.compute_with_jacobian(env)
    together = nm.sensitivity(jac, env, degrees_of_freedom="atoms")
    assert together.n_dof == 3
    assert together.modes.shape == (3, 1, 3)
    assert np.isnan(together.rotation_floor)
    # What moving the one other atom does to the features, by differences.
    numeric = []
    for step in 1e-5 * np.eye(3):
        ends = []
        for sign in (1, -1):
            moved = crystal.copy()
            moved.positions[1] += sign * step
            ends.append(soap.compute(nm.environments(moved, 4.0, centers=0)[0]))
        numeric.append((ends[0] - ends[1]) / 2e-5)
    expected = np.linalg.svd(np.array(numeric).T, compute_uv=False)
    np.testing.assert_allclose(together.singular_values, expected, rtol=1e-7)
    apart = nm.sensitivity(jac, env)
    assert apart.n_dof == 3 * len(env) - 3


def test_a_molecule_has_the_same_answer_either_way():
    env = environment("mixed")
    _, jac = nm.PowerSpectrum(n_max=4, l_max=4, **SETTING).compute_with_jacobian(env)
    apart, together = (nm.sensitivity(jac, env, degrees_of_freedom=dof) for dof in ("neighbours", "atoms"))
    assert apart.n_dof == together.n_dof
    np.testing.assert_allclose(together.singular_values, apart.singular_values, rtol=1e-10)
