import sys
from concurrent.futures import ThreadPoolExecutor

import mpmath as mp
import naive
import numpy as np
import pytest

import nullmode as nm
from nullmode.basis.radial import gto

LOEWDIN = nm.GTO()


@pytest.mark.law(cases=7)
@pytest.mark.parametrize(
    ("n", "l", "r"), [(0, 0, 0.0), (0, 0, 1.0), (3, 4, 1.09), (7, 2, 3.9), (2, 10, 0.05), (5, 25, 2.0)]
)
@pytest.mark.parametrize("width", [0.05, 0.3, 1.0])
def test_primitive_integrals_equal_the_closed_form_in_many_digits(n, l, r, width):
    # One primitive alone: undo the orthonormalisation.
    n_max, radius = 8, 4.0
    root = gto.orthonormalization(n_max, "loewdin").astype(float)
    integrals = LOEWDIN.integrals(np.array([r]), n_max, l, radius, width)[0, :, l].astype(float)
    got = np.linalg.solve(root, integrals.T).T[:, n]
    with mp.workdps(50):
        s, sigma = mp.mpf(float(gto.primitive_widths(n_max, radius)[n])), mp.mpf(width)
        p = 1 / (2 * s**2) + 1 / (2 * sigma**2)
        a, b = mp.mpf(n + l + 3) / 2, l + mp.mpf(3) / 2
        norm = mp.sqrt(2 * s ** (-2 * n - 3) / mp.gamma(n + mp.mpf(3) / 2))

        def exact(x):
            front = norm * (mp.pi * sigma**2) ** mp.mpf(-0.75) * mp.pi**1.5 * mp.gamma(a) / mp.gamma(b)
            shape = (x / (2 * sigma**2)) ** l * p**-a * mp.exp(-(x**2) / (2 * sigma**2))
            return front * shape * mp.hyp1f1(a, b, x**2 / (4 * sigma**4 * p))

        expected = np.array([float(mp.diff(exact, mp.mpf(r), k) / mp.factorial(k)) for k in range(4)])
    scale = np.abs(LOEWDIN.integrals(np.linspace(0, radius, 40), n_max, l, radius, width)[:, :, l]).max(axis=(0, 2))
    # Solving for the primitive loses what the overlap's condition number takes.
    np.testing.assert_allclose(got / scale, expected / scale, rtol=1e-12, atol=1e-13)


def test_orthonormal_functions_are_orthonormal():
    functions = naive.gto_functions(5, 4.0)
    r = np.linspace(0, 40, 200001)
    values = np.array([function(r) for function in functions])
    np.testing.assert_allclose(np.trapezoid(values[:, None] * values * r**2, r), np.eye(5), atol=1e-9)


@pytest.mark.law(cases=1, slow=["12"])
@pytest.mark.parametrize("n_max", [4, 8, 12])
def test_loewdin_keeps_its_digits(n_max):
    root = gto.orthonormalization(n_max, "loewdin")
    np.testing.assert_allclose(root, root.T, rtol=1e-15)
    n = np.arange(n_max)
    r = np.linspace(0, 12, 400001)
    primitives = r ** n[:, None] * np.exp(-(r**2) / (2 * gto.primitive_widths(n_max, 1.0).astype(float)[:, None] ** 2))
    primitives /= np.sqrt(np.trapezoid(primitives**2 * r**2, r))[:, None]
    functions = root.astype(float) @ primitives
    gram = np.trapezoid(functions[:, None] * functions * r**2, r)
    np.testing.assert_allclose(gram, np.eye(n_max), atol=1e-15 / LOEWDIN.smallest_eigenvalue(n_max, 0, 4.0) + 1e-12)


@pytest.mark.parametrize(("n_max", "smallest"), [(4, 2.8e-2), (8, 1.2e-4), (12, 1.3e-7), (16, 1.1e-10)])
def test_smallest_eigenvalue_is_reported(n_max, smallest):
    assert LOEWDIN.smallest_eigenvalue(n_max, 0, 4.0) == pytest.approx(smallest, rel=0.05)


def test_threads_do_not_disturb_each_other():
    # The first tiles of a set need the functions at once; mpmath's shared precision is one for all threads.
    sizes = [3, 4, 5, 6]
    compute = gto.orthonormalization.__wrapped__
    expected = [compute(n, "loewdin") for n in sizes]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda n: compute(n, "loewdin"), 3 * sizes))
    finally:
        sys.setswitchinterval(interval)
    for one, other in zip(results, 3 * expected, strict=True):
        np.testing.assert_array_equal(one, other)
