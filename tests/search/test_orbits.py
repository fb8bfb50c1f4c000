"""Orbits satisfy their own definition, close, do not depend on how they were stepped, and turn with their start."""

from functools import cache

import numpy as np
import pytest
from cases import BOND, TD, pair, rng
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

import nullmode as nm
from nullmode.families.quasi_constant_orbit import start
from nullmode.search.orbit import follow_orbit, follow_orbits

SMALL = {"n_max": 4, "l_max": 6, "cutoff": 2.5, "cutoff_width": 0.0}
AMMONIA_LIKE = np.array([[1.0, 0.1, -0.2], [-0.6, 0.9, -0.1], [-0.4, -1.1, -0.3]])

# Descriptor, start, length at most in Å, whether it closes within that.
CASES = {
    "soap, far": (nm.PowerSpectrum(width=0.5, **SMALL), start(1.0), 2.0, True),
    "soap, narrow": (nm.PowerSpectrum(width=0.3, **SMALL), start(0.5), 2.0, True),
    "soap, other side": (nm.PowerSpectrum(width=0.3, **SMALL), start(-0.4), 2.0, True),
    "soap, three": (nm.PowerSpectrum(width=0.3, **SMALL), AMMONIA_LIKE, 0.2, False),
    "acsf": (nm.ACSF(cutoff=4.0), start(1.0), 0.1, False),
    "bispectrum": (nm.Bispectrum(n_max=2, l_max=3, cutoff=2.5, cutoff_width=0.5), start(1.0), 0.1, False),
}
names = pytest.mark.parametrize("name", CASES)


@cache
def followed(name, **options):
    descriptor, vectors, length, _ = CASES[name]
    return follow_orbit(nm.Environment.from_vectors(vectors), descriptor, **{"length": length, **options})


def spectrum(descriptor, vectors):
    """Features and full SVD on the complement of the rotations, each by another way than the package's."""
    phi, jacobian = descriptor.compute_with_jacobian(nm.Environment.from_vectors(vectors))
    rotations = np.array([np.cross(axis, vectors).ravel() for axis in np.eye(3)])
    basis = np.linalg.svd(rotations)[2][3:]
    u, s, v = np.linalg.svd(jacobian.reshape(len(phi), -1) @ basis.T, full_matrices=False)
    return phi, u, s, v @ basis


def vectors_of(orbit):
    return np.stack([item.vectors for item in orbit.environments])


def shapes(orbit):
    """Scalar products of the vectors, shape (k, n, n), in Å²: no rotation changes them."""
    return np.stack([item.vectors @ item.vectors.T for item in orbit.environments])


def away(curve, orbit):
    """Largest distance of shapes on an orbit from a spline through those of another, ends left out."""
    spline = CubicSpline(curve.lengths, shapes(curve))
    result = []
    for shape, length in zip(shapes(orbit), orbit.lengths, strict=True):
        if length < 0.95 * curve.lengths[-1]:
            at = np.linspace(0, curve.lengths[-1], 4001)
            for width in (curve.lengths[-1] / 4000, curve.lengths[-1] / 4e6):
                best = at[np.linalg.norm(spline(at) - shape, axis=(1, 2)).argmin()]
                at = np.clip(best + np.linspace(-width, width, 2001), 0, curve.lengths[-1])
            result.append(np.linalg.norm(spline(at) - shape, axis=(1, 2)).min())
    assert len(result) > 8
    return max(result)


@pytest.mark.law(cases=2, slow=["soap, far"])
@names
def test_every_point_satisfies_the_equations_of_the_curve(name):
    descriptor = CASES[name][0]
    orbit = followed(name)
    assert len(orbit.environments) > 8
    assert orbit.converged
    first = descriptor.compute(orbit.environments[0])
    for item, values, mode in zip(orbit.environments[1:], orbit.singular_values[1:], orbit.modes[1:], strict=True):
        phi, u, s, v = spectrum(descriptor, item.vectors)
        assert np.abs((phi - first) @ u[:, :-1] / s[:-1]).max() < 1e-9
        np.testing.assert_allclose(values, s, rtol=1e-8, atol=1e-12)
        assert abs(v[-1] @ mode.ravel()) == pytest.approx(1, abs=1e-6)


@pytest.mark.law(cases=3)
@names
def test_orbits_close_where_expected(name):
    orbit = followed(name)
    if CASES[name][3]:
        assert orbit.closed
        assert orbit.gap < 1e-7
        moved = np.linalg.norm(vectors_of(orbit) - vectors_of(orbit)[0], axis=(1, 2)).max()
        assert moved > 0.03
        np.testing.assert_allclose(shapes(orbit)[-1], shapes(orbit)[0], atol=1e-7)
        assert np.linalg.det(vectors_of(orbit)[:, :3])[[0, -1]].prod() > 0
    else:
        assert orbit.stopped == "length"
        assert orbit.lengths[-1] >= CASES[name][2]


@pytest.mark.law(cases=1, slow=["soap, far"])
@names
def test_steps_of_any_length_lead_along_one_curve(name):
    fine, coarse = followed(name, accuracy=1e-7), followed(name, accuracy=1e-4)
    assert len(coarse.lengths) < len(fine.lengths) / 2
    assert away(fine, coarse) < 1e-6


@pytest.mark.law(cases=2, slow=["soap, far"])
@names
def test_the_other_way_round_is_the_same_curve(name):
    one = followed(name)
    other = followed(name, direction=tuple(map(tuple, -one.modes[0])))
    np.testing.assert_allclose(one.modes[0], -other.modes[0], atol=1e-12)
    if one.closed:
        assert other.lengths[-1] == pytest.approx(one.lengths[-1], rel=1e-3)
        assert away(followed(name, accuracy=1e-7), other) < 1e-6


@pytest.mark.law(cases=1, slow=["soap, far"])
@names
def test_features_change_by_what_the_softest_mode_sees(name):
    descriptor = CASES[name][0]
    orbit = followed(name, accuracy=1e-6)
    steps = np.diff(orbit.lengths)
    most = np.concatenate(
        [[0], np.cumsum(steps * (orbit.singular_values[1:, -1] + orbit.singular_values[:-1, -1]) / 2)]
    )
    assert (orbit.feature_distances <= 1.1 * most + 1e-8).all()
    features = descriptor.compute_batch(orbit.environments)
    np.testing.assert_allclose(orbit.feature_distances, np.linalg.norm(features - features[0], axis=1), atol=1e-10)


def test_features_change_in_second_order_from_a_singular_point():
    descriptor = nm.PowerSpectrum(width=0.3, **SMALL)
    environment = nm.Environment.from_vectors(pair(1.0, 0.0))
    orbit = follow_orbit(environment, descriptor, length=0.02, step=0.002)
    chosen = orbit.lengths > 0.002
    slope = np.polyfit(np.log(orbit.lengths[chosen]), np.log(orbit.feature_distances[chosen]), 1)[0]
    assert slope == pytest.approx(2, abs=0.05)


@pytest.mark.law(cases=6)
@names
@pytest.mark.parametrize("scheme", ["corrected", "fixed_step"])
def test_orbits_turn_with_their_start(name, scheme):
    descriptor, vectors, _, _ = CASES[name]
    order = rng(4).permutation(len(vectors))
    turn = Rotation.random(rng=rng(3)).as_matrix() * [1, 1, -1]
    options = {"scheme": scheme, "length": 0.05, "step": 0.005}
    one = follow_orbit(nm.Environment.from_vectors(vectors), descriptor, **options)
    other = follow_orbit(
        nm.Environment.from_vectors(vectors[order] @ turn), descriptor, direction=one.modes[0][order] @ turn, **options
    )
    np.testing.assert_allclose(vectors_of(other), vectors_of(one)[:, order] @ turn, atol=1e-7)


@names
def test_bare_steps_go_along_the_softest_mode(name):
    descriptor, vectors, _, _ = CASES[name]
    orbit = followed(name, scheme="fixed_step", length=0.03, step=1e-3, every=10)
    mode = orbit.modes[0].ravel()
    for k in range(31):
        if k % 10 == 0:
            np.testing.assert_allclose(orbit.environments[k // 10].vectors, vectors, atol=1e-9)
        _, _, _, v = spectrum(descriptor, vectors)
        mode = v[-1] * np.sign(v[-1] @ mode)
        vectors = vectors + 1e-3 * mode.reshape(-1, 3)
    np.testing.assert_allclose(orbit.lengths, [0, 0.01, 0.02, 0.03])


@pytest.mark.parametrize(("length", "step", "n_steps"), [(0.05, 0.03, 1), (0.03, 0.01, 3), (0.007, 0.001, 7)])
def test_bare_steps_go_no_farther_than_asked(length, step, n_steps):
    orbit = followed("soap, narrow", scheme="fixed_step", length=length, step=step)
    np.testing.assert_allclose(orbit.lengths, step * np.arange(n_steps + 1))


def test_orbits_that_are_followed_together_are_those_of_each_alone():
    soap = nm.PowerSpectrum(n_max=4, l_max=4, width=0.5, cutoff=2.5, cutoff_width=0.0)
    starts = [nm.Environment.from_vectors(start(t)) for t in (0.1, 1.5, 1.0)]
    options = {"scheme": "fixed_step", "length": 0.02, "step": 1e-3, "every": 3}
    for first, together in zip(starts, follow_orbits(starts, soap, **options), strict=True):
        alone = follow_orbit(first, soap, **options)
        for one, other in zip(alone.environments, together.environments, strict=True):
            np.testing.assert_array_equal(one.vectors, other.vectors)
        np.testing.assert_array_equal(alone.singular_values, together.singular_values)
        assert [step.evaluations for step in alone.history] == [step.evaluations for step in together.history]


def test_bare_steps_lead_back_with_an_error_proportional_to_the_step():
    descriptor, vectors, _, _ = CASES["soap, narrow"]
    errors = []
    for step in (1e-3, 5e-4):
        options = {"scheme": "fixed_step", "length": 0.1, "step": step}
        there = follow_orbit(nm.Environment.from_vectors(vectors), descriptor, **options)
        back = follow_orbit(there.environments[-1], descriptor, direction=-there.modes[-1], **options)
        errors.append(np.linalg.norm(back.environments[-1].vectors - vectors))
    assert 1e-4 < errors[0] < 1e-2
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)


def test_bare_steps_say_how_near_they_come_back():
    orbit = followed("soap, narrow", scheme="fixed_step", length=0.5, step=2e-4, every=100)
    assert not orbit.closed
    assert 1e-5 < orbit.gap < 0.02


def test_an_orbit_ends_where_two_modes_are_as_soft():
    descriptor = nm.PowerSpectrum(n_max=8, l_max=8, width=0.2, cutoff=2.5, cutoff_width=0.0)
    orbit = follow_orbit(nm.Environment.from_vectors(start(0.15)), descriptor)
    assert orbit.stopped == "modes_meet"
    assert not orbit.converged
    assert orbit.singular_values[-1, -2] < 1.001 * orbit.singular_values[-1, -1]


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("u", [0.8, 0.9])
def test_an_orbit_is_not_lost_before_two_modes_meet(u):
    descriptor = nm.PowerSpectrum(n_max=8, l_max=8, width=0.5, cutoff=2.5, cutoff_width=0.0)
    assert follow_orbit(nm.Environment.from_vectors(pair(u, 0.0)), descriptor).stopped == "modes_meet"


def test_every_keeps_the_first_and_the_last():
    full, part = followed("soap, far"), followed("soap, far", every=7, attribution=True)
    np.testing.assert_array_equal(part.lengths[:-1], full.lengths[:-1:7])
    assert part.lengths[-1] == full.lengths[-1]
    assert len(part.attribution) == len(part.environments) == len(part.history) == len(part.modes)
    assert {item.rank for item in part.attribution} == {9}
    assert part.history[-1].evaluations == full.history[-1].evaluations


REFUSED = {
    "a symmetric start": (TD, {}, "single softest mode"),
    "one neighbour": ([[0, 0, BOND]], {}, "two neighbours"),
    "nothing near": ([[0, 0, 5.0]], {}, "within the descriptor's cutoff"),
    "no length": (start(1.0), {"length": 0}, "length"),
    "endless": (start(1.0), {"length": np.inf}, "length"),
    "a step too long": (start(1.0), {"step": 3.0}, "`step` must not exceed"),
    "no step": (start(1.0), {"step": -1e-4}, "step"),
    "accuracy": (start(1.0), {"accuracy": 0.0}, "accuracy"),
    "every": (start(1.0), {"every": 0}, "every"),
    "scheme": (start(1.0), {"scheme": "euler"}, "scheme"),
    "direction": (start(1.0), {"direction": [1.0, 0, 0]}, "`direction` must be finite and have shape"),
    "direction, words": (start(1.0), {"direction": "up"}, "direction"),
    "direction, NaN": (start(1.0), {"direction": np.full((4, 3), np.nan)}, "`direction` must be finite"),
    "rtol": (start(1.0), {"rtol": 2}, "rtol"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_impossible_requests_are_refused(case):
    vectors, options, message = REFUSED[case]
    with pytest.raises(nm.InputError, match=message):
        follow_orbit(nm.Environment.from_vectors(vectors), nm.PowerSpectrum(width=0.3, **SMALL), **options)
