import naive
import numpy as np
import pytest
from cases import rng

from nullmode.basis import cutoff, harmonics, scaling

L_MAX = 25
DIRECTIONS = {
    "x": (1, 0, 0),
    "-x": (-1, 0, 0),
    "y": (0, 1, 0),
    "-y": (0, -1, 0),
    "z": (0, 0, 1),
    "-z": (0, 0, -1),
    "near the pole": (1e-9, -2e-9, 1),
    "in the plane": (1, 1, 0),
    **{f"random {k}": tuple(v) for k, v in enumerate(rng(4).normal(size=(5, 3)))},
}


def evaluate(direction, l_max=L_MAX):
    x, y, z = np.array(direction) / np.linalg.norm(direction)
    norm = harmonics.norms(l_max)
    values, gradients = np.empty(((l_max + 1) ** 2, 3)), np.empty(((l_max + 1) ** 2, 3))
    once = np.empty((1, (l_max + 1) ** 2))
    work = np.empty(norm.size + 2 * l_max + 2)
    harmonics.harmonics(x, y, z, l_max, norm, work, once, values, gradients, 0)
    assert (values == once.T).all()
    return values[:, 0], gradients


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS.keys())
def test_harmonics_equal_the_textbook(direction):
    values, _ = evaluate(direction)
    expected = [naive.real_harmonic(l, m, np.array(direction)) for l in range(L_MAX + 1) for m in range(-l, l + 1)]
    np.testing.assert_allclose(values, expected, rtol=0, atol=2e-13)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS.keys())
def test_harmonic_gradients_are_the_derivative_on_the_sphere(direction):
    direction = np.array(direction) / np.linalg.norm(direction)
    _, gradients = evaluate(direction)
    h = 1e-3
    # A five-point formula of Y(r/|r|), whose error is about (l h)⁴/30 of the derivative's size.
    for k, step in enumerate(h * np.eye(3)):
        at = [evaluate(direction + factor * step)[0] for factor in (-2, -1, 1, 2)]
        numeric = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)
        np.testing.assert_allclose(gradients[:, k], numeric, rtol=0, atol=2e-4)
        low = slice(0, 49)
        np.testing.assert_allclose(gradients[low, k], numeric[low], rtol=0, atol=1e-8)


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS.keys())
def test_harmonics_obey_the_addition_theorem_and_stay_tangential(direction):
    values, gradients = evaluate(direction)
    unit = np.array(direction) / np.linalg.norm(direction)
    for l in range(L_MAX + 1):
        part = slice(l * l, (l + 1) ** 2)
        assert values[part] @ values[part] == pytest.approx((2 * l + 1) / (4 * np.pi), rel=1e-13)
        squares = np.sum(gradients[part] ** 2)
        assert squares == pytest.approx(l * (l + 1) * (2 * l + 1) / (4 * np.pi), rel=1e-12, abs=1e-13)
        np.testing.assert_allclose(gradients[part] @ unit, 0, atol=1e-12 * (l + 1) ** 2)


def test_first_harmonics_are_ordered_y_z_x():
    np.testing.assert_allclose(evaluate((1, 2, 3), 1)[0][1:] * np.sqrt(4 * np.pi / 3 * 14), [2, 3, 1], rtol=1e-14)


@pytest.mark.parametrize(("radius", "width"), [(4.0, 0.5), (4.0, 4.0), (2.5, 0.0)])
def test_cutoff_is_the_definition_and_its_derivative(radius, width):
    for r in np.linspace(0.01, radius + 0.3, 53):
        value, derivative = cutoff.shifted_cosine(r, radius, width)
        assert value == pytest.approx(naive.cutoff(r, radius, width), abs=1e-15)
        h = 1e-6
        if width and min(abs(r - radius), abs(r - radius + width)) > 2 * h:
            numeric = (naive.cutoff(r + h, radius, width) - naive.cutoff(r - h, radius, width)) / (2 * h)
            assert derivative == pytest.approx(numeric, abs=1e-8)


@pytest.mark.parametrize(("rate", "scale", "exponent"), [(1.0, 2.0, 3.0), (0.3, 1.5, 7.0), (5.0, 0.8, 1.0)])
def test_scaling_is_the_definition_and_its_derivative(rate, scale, exponent):
    for r in np.linspace(0.05, 5.0, 23):
        value, derivative = scaling.scaling(r, rate, scale, exponent)
        assert value == pytest.approx(rate / (rate + (r / scale) ** exponent), rel=1e-14)
        h = 1e-5
        above, below = (scaling.scaling(r + step, rate, scale, exponent)[0] for step in (h, -h))
        assert derivative == pytest.approx((above - below) / (2 * h), abs=1e-8)


@pytest.mark.parametrize(("r", "scale", "weight"), [(3.0, 1e-3, 0.0), (1e-6, 1e6, 1.0)])
def test_scaling_stays_a_number_where_its_power_leaves_the_range(r, scale, weight):
    assert scaling.scaling(r, 1.0, scale, 100.0) == (weight, 0.0)
