import mpmath as mp
import naive
import numpy as np
import pytest
from cases import rng

from nullmode.basis import cutoff, harmonics, radial, spline
from nullmode.types import InputError

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
    harmonics.harmonics(x, y, z, l_max, norm, np.empty(norm.size + 2 * l_max + 2), values, gradients, 0)
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


@pytest.mark.parametrize(
    ("n_max", "l_max", "radius", "width"),
    [(4, 4, 4.0, 0.3), (8, 8, 4.0, 0.3), (12, 10, 4.0, 0.3), (8, 8, 2.5, 0.1), (6, 25, 5.0, 0.5), (1, 0, 3.0, 1.0)],
)
def test_table_keeps_its_stated_error(n_max, l_max, radius, width):
    basis = radial.gto_basis(n_max, l_max, radius, width)
    assert basis.value_error <= radial.TABLE_ERROR
    r = np.sort(rng(1).uniform(0, radius, 200))
    exact = radial.gto_integrals(r, n_max, l_max, radius, width)
    values, slopes = np.empty((2, 200, (l_max + 1) * n_max))
    for k in range(200):
        spline.interpolate(basis.table, r[k], values[k], slopes[k])
    shape = (200, l_max + 1, n_max)
    scale = np.abs(exact).max(axis=0)
    value_error = np.abs(values.reshape(shape) - exact[:, 0]) / scale[0]
    slope_error = np.abs(slopes.reshape(shape) - exact[:, 1]) / scale[1]
    assert value_error.max() <= 1.5 * basis.value_error + 1e-15
    assert slope_error.max() <= 1.5 * basis.derivative_error + 1e-13
    assert basis.derivative_error < 1e-11


@pytest.mark.parametrize(
    ("n", "l", "r"), [(0, 0, 0.0), (0, 0, 1.0), (3, 4, 1.09), (7, 2, 3.9), (2, 10, 0.05), (5, 25, 2.0)]
)
@pytest.mark.parametrize("width", [0.05, 0.3, 1.0])
def test_primitive_integrals_equal_the_closed_form_in_many_digits(n, l, r, width):
    # One primitive alone: undo the orthonormalisation.
    n_max, radius = 8, 4.0
    got = np.linalg.solve(
        radial.loewdin(n_max).astype(float), radial.gto_integrals(np.array([r]), n_max, l, radius, width)[0, :, l].T
    ).T[:, n]
    with mp.workdps(50):
        s, sigma = mp.mpf(float(radial.primitive_widths(n_max, radius)[n])), mp.mpf(width)
        p = 1 / (2 * s**2) + 1 / (2 * sigma**2)
        a, b = mp.mpf(n + l + 3) / 2, l + mp.mpf(3) / 2
        norm = mp.sqrt(2 * s ** (-2 * n - 3) / mp.gamma(n + mp.mpf(3) / 2))

        def exact(x):
            front = norm * (mp.pi * sigma**2) ** mp.mpf(-0.75) * mp.pi**1.5 * mp.gamma(a) / mp.gamma(b)
            shape = (x / (2 * sigma**2)) ** l * p**-a * mp.exp(-(x**2) / (2 * sigma**2))
            return front * shape * mp.hyp1f1(a, b, x**2 / (4 * sigma**4 * p))

        expected = np.array([float(mp.diff(exact, mp.mpf(r), k) / mp.factorial(k)) for k in range(4)])
    scale = np.abs(radial.gto_integrals(np.linspace(0, radius, 40), n_max, l, radius, width)[:, :, l]).max(axis=(0, 2))
    # Solving for the primitive loses what the overlap's condition number takes.
    np.testing.assert_allclose(got / scale, expected / scale, rtol=1e-12, atol=1e-13)


def test_orthonormal_functions_are_orthonormal():
    functions = naive.gto_functions(5, 4.0)
    r = np.linspace(0, 40, 200001)
    values = np.array([function(r) for function in functions])
    np.testing.assert_allclose(np.trapezoid(values[:, None] * values * r**2, r), np.eye(5), atol=1e-9)


@pytest.mark.parametrize("n_max", [4, 8, 12])
def test_loewdin_keeps_its_digits(n_max):
    root = radial.loewdin(n_max)
    np.testing.assert_allclose(root, root.T, rtol=1e-15)
    n = np.arange(n_max)
    r = np.linspace(0, 12, 400001)
    primitives = r ** n[:, None] * np.exp(
        -(r**2) / (2 * radial.primitive_widths(n_max, 1.0).astype(float)[:, None] ** 2)
    )
    primitives /= np.sqrt(np.trapezoid(primitives**2 * r**2, r))[:, None]
    functions = root.astype(float) @ primitives
    gram = np.trapezoid(functions[:, None] * functions * r**2, r)
    np.testing.assert_allclose(gram, np.eye(n_max), atol=1e-15 / radial.smallest_eigenvalue(n_max) + 1e-12)


@pytest.mark.parametrize(("n_max", "smallest"), [(4, 2.8e-2), (8, 1.2e-4), (12, 1.3e-7), (16, 1.1e-10)])
def test_smallest_eigenvalue_is_reported(n_max, smallest):
    assert radial.smallest_eigenvalue(n_max) == pytest.approx(smallest, rel=0.05)


def test_a_basis_without_digits_is_refused():
    with pytest.raises(
        InputError, match=r"`n_max` must leave .* got n_max=24: the smallest eigenvalue .* smaller n_max"
    ):
        radial.smallest_eigenvalue(24)


def test_a_basis_too_sharp_to_tabulate_is_refused():
    with pytest.raises(InputError, match=r"`width` must be broad enough .* got width=0.004"):
        radial.gto_basis(1, 0, 4.0, 0.004)
