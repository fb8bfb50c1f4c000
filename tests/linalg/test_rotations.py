"""Laws of rotations between sets of vectors."""

import numpy as np
import pytest

from nullmode.linalg.rotations import (
    axis_frame,
    closest_operation,
    infinitesimal_rotations,
    pair_operations,
    rotation_basis,
)


def rng():
    return np.random.default_rng(7)


def operation(determinant):
    matrix = np.linalg.qr(rng().normal(size=(3, 3)))[0]
    return matrix * np.sign(np.linalg.det(matrix)) * determinant


@pytest.mark.parametrize("determinant", [1, -1])
@pytest.mark.parametrize("n", [3, 8])
def test_the_closest_operation_is_the_one_that_was_applied(n, determinant):
    source = rng().normal(size=(n, 3))
    expected = operation(determinant)
    target = source @ expected.T
    for wanted in (None, determinant):
        np.testing.assert_allclose(closest_operation(source, target, wanted), expected, atol=1e-12)
    other = closest_operation(source, target, -determinant)
    assert np.isclose(np.linalg.det(other), -determinant)
    assert np.linalg.norm(source @ other.T - target) > 1e-3


@pytest.mark.parametrize("determinant", [1, -1, None])
def test_no_small_turn_brings_the_vectors_closer(determinant):
    source, target = rng().normal(size=(2, 6, 3))
    best = closest_operation(source, target, determinant)
    np.testing.assert_allclose(best @ best.T, np.eye(3), atol=1e-12)
    least = np.linalg.norm(source @ best.T - target)
    for axis in np.eye(3):
        for angle in (-1e-3, 1e-3):
            turn = np.eye(3) + np.sin(angle) * np.cross(np.eye(3), axis)
            turned = source @ (np.linalg.qr(turn)[0] * np.sign(np.diag(np.linalg.qr(turn)[1])) @ best).T
            assert np.linalg.norm(turned - target) > least


def test_many_targets_are_superposed_as_each_alone():
    source, targets = rng().normal(size=(6, 3)), rng().normal(size=(4, 6, 3))
    alone = [closest_operation(source, target, 1) for target in targets]
    np.testing.assert_array_equal(closest_operation(source, targets, 1), alone)


# Lengths and angle of the pair, whether it fixes the operation.
PAIRS = {
    "wide": ([1.0, 0, 0], [0.3, 1.2, 0], True),
    "narrow": ([1.0, 0, 0], [1.3, 1e-4, 0], True),
    "on a line": ([0, 0, 1.5], [0, 0, -0.7], False),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pair_operations_take_the_pair_to_its_image(name):
    first, second, fixed = PAIRS[name]
    a, b = np.array([first]), np.array([second])
    expected = operation(1)
    found = pair_operations((a, b), (a @ expected.T, b @ expected.T))
    np.testing.assert_allclose(np.linalg.det(found), [1, -1])
    for matrix in found:
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(matrix @ [first, second][0], expected @ first, atol=1e-10)
        np.testing.assert_allclose(matrix @ second, expected @ second, atol=1e-10)
    assert np.allclose(found[0], expected, atol=1e-10) == fixed
    np.testing.assert_array_equal(
        pair_operations((a, b), (a @ expected.T, b @ expected.T), reflections=False), found[:1]
    )


@pytest.mark.parametrize("axis", [[0, 0, 1.0], [2.0, 0, 0], [1.0, -2.0, 0.5]])
def test_a_frame_ends_along_its_axis(axis):
    frame = axis_frame(np.array(axis))
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
    assert np.isclose(abs(frame[2] @ axis), np.linalg.norm(axis))


def test_infinitesimal_rotations_are_cross_products():
    vectors = rng().normal(size=(5, 3))
    for omega in rng().normal(size=(3, 3)):
        expected = np.cross(omega, vectors)
        np.testing.assert_allclose(infinitesimal_rotations(vectors) @ omega, expected.ravel(), atol=1e-14)


@pytest.mark.parametrize(("vectors", "count"), [([[0, 0, 1.0], [0, 0, -2.0]], 2), ([[0, 0, 1.0], [0, 1.0, 0]], 3)])
def test_a_line_has_two_rotations(vectors, count):
    basis = rotation_basis(np.array(vectors), 1e-6)
    assert basis.shape[1] == count
    np.testing.assert_allclose(basis.T @ basis, np.eye(count), atol=1e-12)
