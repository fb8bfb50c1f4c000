import numpy as np
import pytest
from cases import rng
from jacobi import jacobi

from nullmode.descriptors._eigenvalues import group_end, mean_projector, padded_eigenvalues


def symmetric(size, seed):
    matrix = rng(seed).normal(size=(size, size))
    return matrix + matrix.T


def rotation(size, seed):
    return np.linalg.qr(rng(seed).normal(size=(size, size)))[0]


def decomposed(matrix, length):
    m = len(matrix)
    values, padded, place = np.empty(m), np.empty(length), np.empty(m, dtype=np.int64)
    vectors = padded_eigenvalues(np.ascontiguousarray(matrix), values, padded, place)
    np.testing.assert_array_equal(padded[place], values)
    np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, matrix, rtol=0, atol=1e-13)
    return values, padded, place, vectors


def groups(values):
    found, first = [], 0
    while first < len(values):
        last = group_end(values, first, 1e-10 * np.abs(values).max())
        found.append((first, last))
        first = last
    return found


def derivatives(matrix, slope, length):
    """Derivative of each sorted eigenvalue of matrix + t slope at t = 0, as the descriptors take it."""
    values, _, place, vectors = decomposed(matrix, length)
    result = np.zeros(length)
    for first, last in groups(values):
        projector = np.empty_like(matrix)
        mean_projector(vectors, first, last, projector)
        result[place[first:last]] = (projector * slope).sum()
    return result


SPECTRA = {
    "simple": [3.0, 1.5, 0.2, -0.4],
    "pair": [3.0, 1.5, 1.5, -0.4],
    "triple": [2.0, 1.0, 1.0, 1.0, 0.5],
    "two groups": [2.0, 2.0, -1.0, -1.0, -1.0, -3.0],
    "all": [1.5, 1.5, 1.5],
    "null": [2.0, 0.0, 0.0, -1.0],
    "zero": [0.0, 0.0],
    "one": [0.5],
    "opposite": [1.0, -1.0],
}


@pytest.mark.parametrize("more", [0, 3])
@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA.keys())
def test_eigenvalues_are_those_of_the_continued_matrix(spectrum, more):
    q = rotation(len(spectrum), 3)
    matrix = q @ np.diag(spectrum) @ q.T
    full = np.zeros((len(spectrum) + more,) * 2)
    full[: len(spectrum), : len(spectrum)] = matrix
    padded = decomposed(matrix, len(full))[1]
    np.testing.assert_allclose(padded, np.linalg.eigvalsh(full)[::-1], rtol=0, atol=1e-14)


@pytest.mark.parametrize("spectrum", SPECTRA.values(), ids=SPECTRA.keys())
def test_sum_over_each_group_is_differentiated(spectrum):
    q = rotation(len(spectrum), 3)
    matrix, slope = q @ np.diag(spectrum) @ q.T, symmetric(len(spectrum), 4)
    found = groups(decomposed(matrix, len(spectrum))[0])
    assert [last - first for first, last in found] == [spectrum.count(x) for x in sorted(set(spectrum), reverse=True)]

    def sums(t):
        moved = np.linalg.eigvalsh(matrix + t * slope)[::-1]
        return np.array([moved[first:last].sum() for first, last in found])

    numeric, error = jacobi(sums, 0.0, step=(0.01, 0.4))
    got = derivatives(matrix, slope, len(spectrum))
    np.testing.assert_allclose([got[first:last].sum() for first, last in found], numeric, rtol=0, atol=1e-9)
    assert error.max() < 1e-9
    for first, last in found:
        assert (got[first:last] == got[first]).all()


@pytest.mark.parametrize("name", ["pair", "triple", "two groups", "all", "null"])
def test_derivative_does_not_hang_on_the_choice_of_vectors(name):
    # Equal matrices whose rounding differs have other eigenvectors where eigenvalues are equal.
    spectrum = SPECTRA[name]
    q, slope = rotation(len(spectrum), 5), symmetric(len(spectrum), 6)
    first = derivatives(q @ np.diag(spectrum) @ q.T, slope, len(spectrum))
    turned = rotation(len(spectrum), 7)
    second = derivatives(turned @ (q @ np.diag(spectrum) @ q.T) @ turned.T, turned @ slope @ turned.T, len(spectrum))
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("t", "expected"), [(0.0, [0.0, 0.0]), (1e-3, [1.0, -1.0]), (-1e-3, [-1.0, 1.0])])
def test_a_crossing_has_its_kink_only_where_it_is(t, expected):
    slope = np.diag([1.0, -1.0])
    np.testing.assert_allclose(derivatives(np.eye(2) + t * slope, slope, 2), expected, rtol=0, atol=1e-15)


def test_zeros_of_the_continuation_do_not_move():
    # So what a Jacobian sees does not hang on how long the features are.
    slope = np.diag([0.0, 1.0])
    for length in (2, 4, 9):
        assert sorted(derivatives(np.diag([2.0, 0.0]), slope, length)) == [0.0] * (length - 1) + [1.0]
    assert derivatives(np.diag([2.0, 0.1]), slope, 4).tolist() == [0.0, 1.0, 0.0, 0.0]
    assert derivatives(np.diag([2.0, -0.1]), slope, 4).tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(("gap", "end"), [(0.9e-6, 3), (1.1e-6, 1)])
def test_values_within_the_tolerance_are_one_group(gap, end):
    # Each is compared with the next, so that a group does not hang on where it is begun.
    values = np.array([1.0, 1.0 - gap, 1.0 - 2 * gap, 0.5])
    assert group_end(values, 0, 1e-6) == end
