"""Many small matrices are decomposed as accurately as by LAPACK, and each as if it were alone."""

import numpy as np
import pytest
from cases import rng
from mpmath import mp, qr, svd_r

from nullmode._support.simd import WIDTH
from nullmode.linalg import batched_svd
from nullmode.linalg.batched_svd import MOST_COLUMNS, decompose_many, rotation_frames, singular_values

SHAPES = [
    (1, 1),
    (40, 2),
    (12, 12),
    (5, 12),
    (90, 12),
    (200, 15),
    (33, MOST_COLUMNS),
    (40, MOST_COLUMNS + 1),
    (20, MOST_COLUMNS + 8),
]
CONDITIONS = [1e2, 1e4, 1e6, 1e8, 1e10, 1e12, 1e14]


def orthogonal(n, seed):
    return np.linalg.qr(rng(seed).normal(size=(n, n)))[0]


def decomposed(matrices, n_rigid=0, frames=None, modes=True):
    matrices = np.asarray(matrices)
    m, rows, columns = matrices.shape
    if frames is None:
        frames = np.stack([np.eye(columns)] * m)
    return decompose_many(matrices.ravel(), rows * columns * np.arange(m), rows, frames, n_rigid, modes=modes)


def conditioned(shape, condition, seed=0):
    """A matrix of doubles with about these singular values; exact ones are found from it with more digits."""
    rows, columns = shape
    k = min(shape)
    values = np.geomspace(1.0, 1.0 / condition, k)
    left = np.linalg.qr(rng(seed).normal(size=(rows, k)))[0]
    return left * values @ orthogonal(columns, seed + 1)[:k]


def dependent(rows, columns, seed=0):
    """Few rows, whose columns are partly zeros, partly equal, partly sums of others."""
    matrix = rng(seed).normal(size=(rows, columns))
    matrix[:, :2] = 0.0
    matrix[:, 3] = matrix[:, 2]
    matrix[:, 5] = matrix[:, 2] + 0.3 * matrix[:, 4]
    return matrix


def exact(matrix):
    """Singular values with 50 digits."""
    with mp.workdps(50):
        rows, columns = matrix.shape
        wide = mp.matrix(matrix.tolist())
        if rows > columns:
            wide = qr(wide, mode="skinny")[1]
        values = svd_r(wide, compute_uv=False)
        found = sorted((float(x) for x in values), reverse=True)
    return np.array(found + [0.0] * (columns - len(found)))


@pytest.mark.law(cases=4)
@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_errors_are_no_larger_than_lapacks(shape, condition):
    matrices = [conditioned(shape, condition, seed) for seed in (0, 10)]
    for matrix, found in zip(matrices, decomposed(matrices).values, strict=True):
        expected = exact(matrix)
        lapack = np.zeros(shape[1])
        lapack[: min(shape)] = np.linalg.svd(matrix, compute_uv=False)
        ours, theirs = (np.abs(values - expected).max() / expected[0] for values in (found, lapack))
        rounding = np.finfo(float).eps
        assert ours <= theirs + 5 * rounding, f"ours {ours:.1e}, LAPACK's {theirs:.1e}"


@pytest.mark.law(cases=6)
@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_modes_are_right_singular_vectors(shape, condition):
    matrix = conditioned(shape, condition)
    result = decomposed([matrix])
    modes, values = result.modes[0], result.values[0]
    np.testing.assert_allclose(modes @ modes.T, np.eye(shape[1]), rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(matrix @ modes.T, axis=0), values, rtol=0, atol=1e-14 * values[0])
    # J^T J v = s² v, with more digits, as the product of doubles has them.
    with mp.workdps(40):
        j, v = mp.matrix(matrix.tolist()), mp.matrix(modes.T.tolist())
        left = j.T * (j * v)
        right = np.array(modes.T * values**2, dtype=float)
    assert np.abs(np.array(left.tolist(), dtype=float) - right).max() < 2e-14 * values[0] ** 2


def graded(exponents, rows=20, seed=3):
    return rng(seed).normal(size=(rows, len(exponents))) * 10.0 ** np.array(exponents)


@pytest.mark.parametrize(
    "exponents",
    [(0, -3, -6), (-200, 0), (200, 0, -200, 0), (-150, 150, 0), *[(0, e, 0) for e in range(-180, -119, 2)]],
    ids=str,
)
def test_columns_of_very_different_sizes(exponents):
    matrix = graded(exponents)
    expected = exact(matrix)
    found = decomposed([matrix]).values[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=4e-15 * expected[0])
    modes = decomposed([matrix]).modes[0]
    np.testing.assert_allclose(modes @ modes.T, np.eye(len(exponents)), rtol=0, atol=1e-14)


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-300, 1e-160, 1e160, 1e300])
def test_units_do_not_matter(scale):
    matrix = conditioned((30, 9), 1e3)
    expected = decomposed([matrix]).values[0]
    with np.errstate(under="ignore"):
        rounded = matrix * scale
        found = decomposed([rounded]).values[0]
    np.testing.assert_allclose(found, expected * scale, rtol=1e-13, atol=30 * 5e-324)


SPECIAL = {
    "zeros": (np.zeros((6, 4)), [0, 0, 0, 0]),
    "identity": (np.eye(5), [1, 1, 1, 1, 1]),
    "equal values": (3.0 * orthogonal(9, 4)[:, :6], [3.0] * 6),
    "pairs of equal values": (orthogonal(9, 4)[:, :4] * [2, 2, 1, 1] @ orthogonal(4, 5), [2, 2, 1, 1]),
    "rank one": (np.outer(np.ones(8), np.ones(4)), [np.sqrt(32), 0, 0, 0]),
    "a column of zeros": (np.diag([1.0, 0.0, 2.0]), [2, 1, 0]),
    "equal columns": (np.ones((4, 2)) * [[1], [2], [3], [4]], [np.sqrt(60), 0]),
    "opposite columns": (np.outer([3.0, 4.0], [1, -1, 0]), [np.sqrt(50), 0, 0]),
    "no features": (np.zeros((0, 3)), [0, 0, 0]),
    "one feature": (np.array([[3.0, 0, 4]]), [5, 0, 0]),
    "few features, first columns of zeros": (np.array([[0.0, 0, 0, 2, 0], [0, 0, 0, 0, 3]]), [3, 2, 0, 0, 0]),
    "few features, equal columns": (np.array([[1.0, 1, 1, 0], [1, 1, 1, 5]]) / 5, None),
    "one feature, first column of zeros": (np.array([[0.0, 3, 4]]), [5, 0, 0]),
}


@pytest.mark.parametrize(("matrix", "expected"), SPECIAL.values(), ids=SPECIAL.keys())
def test_special_matrices(matrix, expected):
    expected = exact(matrix) if expected is None else expected
    result = decomposed([matrix] * 3)
    np.testing.assert_allclose(result.values, [expected] * 3, rtol=0, atol=2e-15 * max(*expected, 1))
    assert (result.values[:, len(matrix) :] == 0).all()
    for modes in result.modes:
        np.testing.assert_allclose(modes @ modes.T, np.eye(len(expected)), rtol=0, atol=1e-14)
        np.testing.assert_allclose(np.linalg.norm(matrix @ modes.T, axis=0), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rows", [1, 2, 5, 8, 11, 12, 13])
def test_dependent_columns_hide_nothing(rows):
    matrices = [dependent(rows, 12, seed) for seed in range(8)]
    for matrix, found in zip(matrices, decomposed(matrices).values, strict=True):
        expected = exact(matrix)
        np.testing.assert_allclose(found, expected, rtol=0, atol=4e-15 * expected[0])


def in_many_forms(columns=9):
    return [
        conditioned((30, columns), 1e8),
        np.zeros((30, columns)),
        conditioned((30, columns), 1e2, 7) * 1e200,
        np.full((30, columns), np.nan),
        3.0 * np.eye(30, columns),
        conditioned((30, columns), 1e14, 8) * 1e-200,
        np.outer(np.ones(30), np.arange(columns)),
        graded(np.linspace(-200, 0, columns), rows=30),
        rng(6).normal(size=(30, columns)),
    ]


@pytest.mark.parametrize("columns", [1, 9, 12, MOST_COLUMNS, MOST_COLUMNS + 1])
@pytest.mark.parametrize("modes", [True, False])
def test_company_and_order_change_no_bit(columns, modes):
    matrices = np.stack(in_many_forms(columns) * 2)
    alone = [decomposed(matrix[None], modes=modes) for matrix in matrices]
    for order in (range(18), range(17, -1, -1), rng(1).permutation(18), range(7)):
        together = decomposed(matrices[list(order)], modes=modes)
        for place, i in enumerate(order):
            for name in ("values", "modes", "response"):
                np.testing.assert_array_equal(getattr(together, name)[place], getattr(alone[i], name)[0], name)


@pytest.mark.parametrize("columns", [3, 12])
def test_values_do_not_depend_on_whether_modes_are_asked_for(columns):
    matrices = in_many_forms(columns)
    np.testing.assert_array_equal(decomposed(matrices).values, decomposed(matrices, modes=False).values)


NAN = {
    "everywhere": np.s_[:, :],
    "in one entry": np.s_[2, 1],
    "in the last entry": np.s_[-1, -1],
    "in one row": np.s_[4],
    "in one column": np.s_[:, 2],
}


@pytest.mark.parametrize("columns", [4, MOST_COLUMNS + 1])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("others", [0.0, 1.0])
@pytest.mark.parametrize("where", NAN.values(), ids=NAN.keys())
def test_nan_and_infinity_give_nan(columns, bad, others, where):
    good = conditioned((40, columns), 10)
    spoilt = others * good
    spoilt[where] = bad
    result = decomposed([good, spoilt, good], frames=np.stack([orthogonal(columns, 2)] * 3))
    assert np.isnan(result.values[1]).all()
    assert np.isfinite(result.values[[0, 2]]).all()


@pytest.mark.parametrize("rows", [3, 40])
@pytest.mark.parametrize("columns", [6, 12, MOST_COLUMNS + 4])
@pytest.mark.parametrize("n_rigid", range(4))
def test_rigid_motions_are_taken_out(rows, columns, n_rigid):
    matrices = rng(9).normal(size=(10, rows, columns))
    frames = np.stack([orthogonal(columns, seed) for seed in range(10)])
    result = decomposed(matrices, n_rigid, frames)
    for i, (matrix, frame) in enumerate(zip(matrices, frames, strict=True)):
        expected = np.zeros(columns - n_rigid)
        values = np.linalg.svd(matrix @ frame[:, n_rigid:], compute_uv=False)
        expected[: len(values)] = values
        np.testing.assert_allclose(result.values[i], expected, rtol=0, atol=1e-14 * expected[0])
        response = np.linalg.norm(matrix @ frame[:, :n_rigid])
        np.testing.assert_allclose(result.response[i], response, rtol=1e-13)
        np.testing.assert_allclose(result.modes[i] @ frame[:, :n_rigid], 0, atol=1e-14)


def test_nothing_is_left_where_all_motions_are_rigid():
    result = decomposed(np.ones((2, 4, 3)), n_rigid=3)
    assert result.values.shape == (2, 0)
    assert result.modes.shape == (2, 0, 3)


@pytest.mark.parametrize("columns", [1, 7, MOST_COLUMNS])
def test_lapack_and_lanes_agree(columns, monkeypatch):
    matrices = [matrix for matrix in in_many_forms(columns) if np.isfinite(matrix).all()]
    frames = np.stack([orthogonal(columns, seed) for seed in range(len(matrices))])
    n_rigid = min(3, columns - 1)
    lanes = decomposed(matrices, n_rigid, frames)
    monkeypatch.setattr(batched_svd, "MOST_COLUMNS", 0)
    lapack = decomposed(matrices, n_rigid, frames)
    assert (np.abs(lanes.values - lapack.values) <= 1e-14 * lapack.values[:, :1]).all()
    np.testing.assert_array_equal(lanes.response, lapack.response)
    assert lanes.modes.shape == lapack.modes.shape


@pytest.mark.law(cases=8)
@pytest.mark.parametrize("d", [0, 1, 5, MOST_COLUMNS, MOST_COLUMNS + 1])
@pytest.mark.parametrize("m", [0, 1, WIDTH, WIDTH + 3])
def test_values_alone(m, d):
    matrices = rng(4).normal(size=(m, d, d))
    expected = np.linalg.svd(matrices, compute_uv=False)
    np.testing.assert_allclose(singular_values(matrices), expected, rtol=0, atol=1e-14 * max(1, d))


@pytest.mark.parametrize(
    ("vectors", "count"),
    [
        ([[0, 0, 1.0]], 2),
        ([[0, 0, 1.0], [0, 0, -2.0]], 2),
        ([[0, 0, 1.0], [0.1, 0, -2.0]], 3),
        (rng(1).normal(size=(5, 3)), 3),
        (1e6 * rng(1).normal(size=(3, 3)), 3),
    ],
)
def test_frames_are_orthogonal_and_begin_with_the_rotations(vectors, count):
    vectors = np.array(vectors)
    n = len(vectors)
    frames, n_rigid = rotation_frames(np.concatenate([np.ones((1, 3)), vectors, vectors]), np.array([1, n + 1]), n)
    assert n_rigid.tolist() == [count, count]
    np.testing.assert_array_equal(frames[0], frames[1])
    np.testing.assert_allclose(frames[0] @ frames[0].T, np.eye(3 * n), atol=1e-14)
    rotations = np.cross(np.eye(3)[:, None], vectors).reshape(3, -1)
    np.testing.assert_allclose(rotations @ frames[0][:, count:], 0, atol=1e-14 * np.abs(vectors).max())


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_few_features_of_many_neighbours_are_reduced_from_the_shorter_side(scale):
    columns, rows = MOST_COLUMNS + 8, 20
    matrices = scale * np.stack([conditioned((rows, columns), 1e6, seed) for seed in (1, 2)])
    frames = np.stack([orthogonal(columns, seed) for seed in (3, 4)])
    got = decomposed(matrices, 3, frames, modes=False)
    for k in range(2):
        turned = matrices[k] @ frames[k]
        expected = np.linalg.svd(turned[:, 3:] / scale, compute_uv=False)
        np.testing.assert_allclose(got.values[k, :rows] / scale, expected, rtol=0, atol=1e-14)
        assert not got.values[k, rows:].any()
        assert got.response[k] / scale == pytest.approx(np.linalg.norm(turned[:, :3] / scale), rel=1e-12)
    matrices[1, 0, 0] = np.nan
    got = decomposed(matrices, 3, frames, modes=False)
    assert np.isfinite(got.values[0]).all()
    assert np.isnan(got.values[1]).all()
