"""Derivatives that the search for singular points goes by, against differences and finite displacements."""

import numpy as np
import pytest
from cases import DESCRIPTORS, environment, f1, f2, pair, rng
from naive import spectrum
from scipy.spatial.transform import Rotation

import nullmode as nm
from nullmode.search._bounds import Bounds, remainder
from nullmode.search._descent import Descent
from nullmode.search._evaluation import Evaluator
from nullmode.search._moves import allowed_moves, symmetric_basis

POWER = nm.PowerSpectrum(n_max=8, l_max=8)


def descent(name="methane", descriptor=POWER, **limits):
    evaluator = Evaluator(environment(name), descriptor)
    start = evaluator.start
    group = nm.point_group(start)
    symmetric, others = symmetric_basis(group)
    moves = allowed_moves(
        start.vectors, symmetric, group, limits.get("fixed_atoms", ()), limits.get("fixed_radii", False)
    )
    n = len(start)
    bounds = Bounds(start=start.vectors, closest=1.7, farthest=np.full(n, 1.0), displacement=0.01, asymmetry=2.0)
    result = Descent(evaluator, moves, bounds, others, 1e-13)
    result.avoided |= {((1, 0, *range(2, n)), 1), ((*range(1, n), 0), -1), (tuple(range(n)), -1)}
    return result


def slope_of(function, a, step=1e-6):
    return np.array([(function(a + step * e) - function(a - step * e)) / (2 * step) for e in np.eye(len(a))]).T


SMOOTH = ["power", "power, sharp", "bispectrum", "bispectrum, chiral", "acsf", "inverse distances", "power, scaled"]


@pytest.mark.law(cases=4)
@pytest.mark.parametrize("limits", [{}, {"fixed_radii": [0, 2]}, {"fixed_atoms": [1], "fixed_radii": [1, 3]}], ids=str)
@pytest.mark.parametrize("name", SMOOTH)
def test_slope_of_half_the_squared_residual(name, limits):
    search = descent(descriptor=DESCRIPTORS[name], **limits)
    a = 0.03 * rng(2).normal(size=search.state.a.shape)

    def half(a):
        search._begin("", a)
        return search._residual() @ search._residual() / 2

    half(a)
    exact = search._slope().T @ search._residual()
    np.testing.assert_allclose(exact, slope_of(half, a), rtol=1e-5, atol=1e-6 * abs(exact).max())


@pytest.mark.parametrize("vectors", [f1(), f2(), pair(1.0, 0.0), pair(0.0, 0.0)])
def test_null_value_opens_at_its_rate(vectors):
    evaluator = Evaluator(nm.Environment.from_vectors(vectors), POWER)
    group = nm.point_group(evaluator.start)
    symmetric, others = symmetric_basis(group)
    moves = allowed_moves(vectors, symmetric, group, (), ())
    wide = Bounds(start=vectors, closest=0.1, farthest=np.full(4, 9.0), displacement=9.0, asymmetry=0.0)
    search = Descent(evaluator, moves, wide, others, 1e-13)
    modes = search.state.sensitivity.modes
    along = rng(7).normal(size=(4, 3))
    h = 1e-6
    value = spectrum(evaluator.environment(vectors + h * along), POWER)[-1]
    assert value / h == pytest.approx(
        np.linalg.norm(search.opening(modes[-1:], len(modes) - 1) @ along.ravel()), rel=1e-4
    )


@pytest.mark.parametrize("limits", [{}, {"fixed_radii": True}, {"fixed_radii": [0], "fixed_atoms": [2]}], ids=str)
def test_slope_of_places(limits):
    moves = descent(**limits)._moves
    a = 0.1 * rng(3).normal(size=moves.basis.shape[1])
    np.testing.assert_allclose(moves.slope(a), slope_of(lambda a: moves.vectors(a).ravel(), a), atol=1e-9)


def test_slope_of_what_is_crossed():
    search = descent()
    vectors = search.state.vectors + 0.1

    def crossed(x):
        return search._bounds.crossed(x.reshape(-1, 3), search.avoided)[0]

    assert np.count_nonzero(crossed(vectors)) >= 8
    slope = search._bounds.crossed(vectors, search.avoided)[1]
    np.testing.assert_allclose(slope, slope_of(crossed, vectors.ravel()), atol=1e-7)


@pytest.mark.parametrize("sign", [1, -1])
def test_remainder_is_the_least_over_operations(sign):
    vectors, operation = rng(4).normal(size=(5, 3)), ((2, 0, 1, 4, 3), sign)
    least = remainder(vectors, operation)[0]
    turns = sign * Rotation.random(2000, rng=rng(0)).as_matrix()
    others = np.linalg.norm(vectors @ turns.transpose(0, 2, 1) - vectors[list(operation[0])], axis=(1, 2))
    assert least <= others.min() < 1.2 * least


@pytest.mark.parametrize("name", SMOOTH)
def test_change_of_the_jacobian_is_certified(name):
    descriptor, env = DESCRIPTORS[name], environment("methane")
    evaluator = Evaluator(env, descriptor)
    direction = rng(6).normal(size=(4, 3))
    direction /= np.linalg.norm(direction)
    _, jacobian, _ = evaluator.evaluate([env.vectors])[0]
    change, error = evaluator.change_along(env.vectors, jacobian, direction)

    def ahead(t):
        return evaluator.evaluate([env.vectors + t * direction])[0][1].reshape(change.shape)

    h = 2e-3
    better = (8 * (ahead(h) - ahead(-h)) - (ahead(2 * h) - ahead(-2 * h))) / (12 * h)
    assert np.linalg.norm(change - better) < 1e-6 * np.linalg.norm(change)
    assert error < 1e-6 * np.linalg.norm(change)


def test_certificate_shows_a_wrong_jacobian():
    env = environment("methane")
    evaluator = Evaluator(env, POWER)
    _, jacobian, _ = evaluator.evaluate([env.vectors])[0]
    change, error = evaluator.change_along(env.vectors, 1.001 * jacobian, rng(6).normal(size=(4, 3)) / 3)
    assert error > 1e-5 * np.linalg.norm(change)
