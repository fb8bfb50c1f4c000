"""Laws that every radial basis keeps, with both densities."""

import json
from dataclasses import asdict

import mpmath as mp
import naive
import numpy as np
import pytest
from cases import RADIAL_BASES, RANKS, SETTING, analysed, random_methane, rng

import nullmode as nm
from nullmode.basis import spline
from nullmode.basis.radial import laplacian_eigenstates
from nullmode.basis.radial._base import LARGEST_N
from nullmode.basis.radial._table import TABLE_ERROR, tabulated

N_MAX, L_MAX, CUTOFF = 5, 4, 4.0
EVERY = pytest.mark.parametrize("basis", RADIAL_BASES.values(), ids=RADIAL_BASES.keys())
ORTHONORMAL = (
    "gto",
    "gto, cholesky",
    "quip-gaussians",
    "dscribe-gto",
    "laplacian",
    "contracted gto",
    "contracted laplacian",
)


@EVERY
@pytest.mark.parametrize("l", [0, 1, L_MAX])
def test_functions_are_the_textbooks(basis, l):
    r = np.array([0.0, 0.3, 1.09, 2.2, 3.9])
    got = basis.functions(r, N_MAX, L_MAX, CUTOFF)[:, 0, l]
    expected = np.array([function(r) for function in naive.radial_functions(basis, l, N_MAX, CUTOFF)]).T
    np.testing.assert_allclose(got.astype(float), expected, rtol=0, atol=2e-12 * np.abs(expected).max())


@pytest.mark.law(cases=8)
@EVERY
@pytest.mark.parametrize(("l", "r"), [(0, 0.01), (0, 1.09), (1, 3.9), (L_MAX, 0.6), (L_MAX, 2.2)])
@pytest.mark.parametrize("width", [0.15, 0.5])
def test_integrals_are_the_textbooks(basis, l, r, width):
    got = basis.integrals(np.array([r]), N_MAX, L_MAX, CUTOFF, width)[0, 0, l]
    expected = naive.gaussian_integrals(basis, l, r, N_MAX, CUTOFF, width)
    scale = np.abs(basis.integrals(np.linspace(0, CUTOFF, 9), N_MAX, L_MAX, CUTOFF, width)[:, 0]).max()
    np.testing.assert_allclose(got.astype(float), expected, rtol=0, atol=2e-12 * float(scale))


SIZES = [(4, 4, 4.0, 0.3), (8, 8, 4.0, 0.3), (12, 10, 4.0, 0.3), (8, 8, 2.5, 0.1), (6, 25, 5.0, 0.5), (1, 0, 3.0, 1.0)]


@pytest.mark.law(cases=4)
@pytest.mark.parametrize(("n_max", "l_max", "radius", "width"), [*SIZES, *((*size[:3], None) for size in SIZES)])
@pytest.mark.parametrize("name", [name for name in RADIAL_BASES if "contracted" not in name])
def test_table_keeps_its_stated_error(name, n_max, l_max, radius, width):
    basis = RADIAL_BASES[name]
    n_max = min(n_max, 8) if name == "dscribe-gto" else n_max  # more of these resemble each other
    table = tabulated(basis, n_max, l_max, radius, width)
    # Functions of the last GTOs, each orthogonal to all before, are small differences of large terms.
    assert table.value_error <= (1e-13 if name == "gto, cholesky" else 3 * TABLE_ERROR)
    assert table.derivative_error < 1e-11
    r = np.sort(rng(1).uniform(0, radius, 200))
    sizes = n_max, l_max, radius
    exact = basis.functions(r, *sizes) if width is None else basis.integrals(r, *sizes, width)
    values, slopes = np.empty((2, 200, (l_max + 1) * n_max))
    for k in range(200):
        spline.interpolate(table.table, r[k], values[k], slopes[k])
    shape = (200, l_max + 1, n_max)
    scale = np.abs(exact).max(axis=0)
    value_error = np.abs(values.reshape(shape) - exact[:, 0]) / scale[0]
    slope_error = np.abs(slopes.reshape(shape) - exact[:, 1]) / np.where(scale[1] > 0, scale[1], 1)
    assert value_error.max() <= 2 * table.value_error + 1e-14
    assert slope_error.max() <= 2 * table.derivative_error + 1e-13


@pytest.mark.law(cases=1)
@pytest.mark.parametrize(("n", "l", "width"), [(0, 0, 1.0), (3, 2, 0.05), (11, 0, 0.3), (11, 10, 0.5), (5, 20, 0.3)])
def test_quadrature_keeps_its_digits(n, l, width):
    basis = nm.LaplacianEigenstates()
    r = np.array([0.05, 3.3])
    got = basis.integrals(r, n + 1, l, CUTOFF, width)[:, :2, l, n]
    with mp.workdps(30):
        zero = mp.besseljzero(l + mp.mpf(1) / 2, n + 1)
        front = mp.sqrt(2 / mp.mpf(CUTOFF) ** 3) / abs(spherical(mp.besselj, l + 1, zero))

        def integral(distance):
            def integrand(x):
                kernel = spherical(mp.besseli, l, distance * x / mp.mpf(width) ** 2)
                gaussian = mp.exp(-(x**2 + distance**2) / (2 * mp.mpf(width) ** 2))
                return x**2 * front * spherical(mp.besselj, l, zero * x / CUTOFF) * kernel * gaussian

            low, high = max(mp.mpf("1e-30"), distance - 14 * width), min(CUTOFF, distance + 14 * width)
            value = mp.quad(integrand, mp.linspace(low, high, 5))
            return 4 * mp.pi * (mp.pi * mp.mpf(width) ** 2) ** mp.mpf(-0.75) * value

        expected = [integral(mp.mpf(float(x))) for x in r]
        step = mp.mpf(10) ** -9
        slopes = [(integral(mp.mpf(float(x)) + step) - integral(mp.mpf(float(x)) - step)) / (2 * step) for x in r[1:]]
    scale = np.abs(basis.integrals(np.linspace(0, CUTOFF, 50), n + 1, l, CUTOFF, width)[:, :2, l, n]).max(axis=0)
    np.testing.assert_allclose(got[:, 0] / scale[0], np.array(expected, float) / scale[0], rtol=0, atol=3e-15)
    np.testing.assert_allclose(got[1:, 1] / scale[1], np.array(slopes, float) / scale[1], rtol=0, atol=3e-14)


def spherical(function, l, x):
    return mp.sqrt(mp.pi / (2 * x)) * function(l + mp.mpf(1) / 2, x)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "l"), [(0, 0), (49, 0), (0, 25), (49, 25), (7, 3)])
def test_zeros_are_those_of_the_bessel_functions(n, l):
    got = laplacian_eigenstates.zeros(50, 25)[l, n]
    assert float(got) == pytest.approx(float(mp.besseljzero(l + 0.5, n + 1)), rel=1e-15)


@EVERY
@pytest.mark.parametrize("width", [None, 0.3])
def test_smaller_sets_are_the_first_functions_where_a_basis_nests(basis, width):
    r = np.linspace(0.1, CUTOFF, 7)

    def values(n_max):
        if width is None:
            return basis.functions(r, n_max, 3, CUTOFF)[:, :2]
        return basis.integrals(r, n_max, 3, CUTOFF, width)[:, :2]

    large, small = values(5)[..., :3], values(3)
    difference = float(np.abs(large - small).max() / np.abs(large).max())
    assert difference < 1e-15 if basis.nested else difference > 1e-2


@pytest.mark.law(cases=13)
@pytest.mark.parametrize("name", RADIAL_BASES)
@pytest.mark.parametrize("n_max", [1, 3, 5])
def test_smallest_eigenvalue_is_that_of_the_overlap(name, n_max):
    basis = RADIAL_BASES[name]
    # GTOs and QUIP's Gaussians are orthonormal on all distances.
    reach = 10 * CUTOFF if "gto" in name or "quip" in name else CUTOFF
    t, weights = np.polynomial.legendre.leggauss(400)
    r = reach * (1 + t) / 2
    for l in (0, 2):
        values = (
            basis.functions(r, n_max, 2, CUTOFF)[:, 0, l].astype(float) * (r * np.sqrt(weights * reach / 2))[:, None]
        )
        overlap = values.T @ values
        if name in ORTHONORMAL:
            np.testing.assert_allclose(overlap, np.eye(n_max), atol=1e-13)
        else:
            norm = np.sqrt(np.diag(overlap))
            smallest = np.linalg.eigvalsh(overlap / np.outer(norm, norm))[0]
            assert basis.smallest_eigenvalue(n_max, 2, CUTOFF) == pytest.approx(smallest, rel=1e-10)
            assert n_max == 1 or smallest < 0.99


def test_orthonormal_primitives_have_the_eigenvalue_one():
    for name in ("laplacian", "contracted laplacian"):
        assert RADIAL_BASES[name].smallest_eigenvalue(5, 4, CUTOFF) == 1.0


@EVERY
@pytest.mark.parametrize("density", ["gaussian", "delta"])
def test_a_descriptor_is_made_again_from_its_json(basis, density):
    descriptor = nm.PowerSpectrum(n_max=3, l_max=2, radial_basis=basis, density=density)
    again = nm.PowerSpectrum(**json.loads(json.dumps(asdict(descriptor))))
    assert again == descriptor
    assert hash(again) == hash(descriptor)
    assert asdict(descriptor)["radial_basis"]["kind"] == basis.kind


def test_a_basis_may_be_named():
    assert nm.PowerSpectrum(radial_basis="gto") == nm.PowerSpectrum()
    assert nm.PowerSpectrum(radial_basis={"kind": "legendre"}).radial_basis == nm.Legendre()
    assert nm.PowerSpectrum(radial_basis=nm.DVR()) == nm.PowerSpectrum(radial_basis="dvr")


def test_labels_state_what_departs_from_the_default():
    labels = [str(basis) for basis in RADIAL_BASES.values()]
    assert labels[:2] == ["gto", "gto(cholesky)"]
    assert labels[4:7] == ["chebyshev(exponential, decay=3.0)", "legendre", "legendre(inverse)"]
    assert labels[-1] == "optimal-contraction(n_primitives=5, primitives=laplacian-eigenstates)"
    assert len(set(labels)) == len(labels)


BAD = {
    "unknown": (
        {"radial_basis": "gtoo"},
        r"`PowerSpectrum.radial_basis`: `kind` must be a known .* Did you mean `gto`",
    ),
    "unknown parameter": (
        {"radial_basis": {"kind": "legendre", "transfrm": "inverse"}},
        r"`radial_basis.transfrm` is not known. Did you mean `transform`",
    ),
    "unknown transform": ({"radial_basis": {"kind": "legendre", "transform": "log"}}, r"'linear', 'inverse' or 'expo"),
    "of another transform": ({"radial_basis": {"kind": "legendre", "decay": 3}}, r"`decay` must be left out where it"),
    "no kind": ({"radial_basis": {"transform": "inverse"}}, r"`kind` must be a known radial basis, got None"),
    "no basis": ({"radial_basis": 5}, r"`radial_basis` must be a name, a mapping with `kind`, or a .* got 5"),
    "contracted twice": (
        {"radial_basis": {"kind": "optimal-contraction", "primitives": "optimal-contraction"}},
        r"`primitives` must be a radial basis that needs no fit",
    ),
    "too few primitives": (
        {"radial_basis": nm.OptimalContraction(n_primitives=4), "n_max": 5},
        r"`n_max` must not exceed `n_primitives`, got 5 > 4",
    ),
    "l beyond the fit": (
        {"radial_basis": RADIAL_BASES["contracted gto"], "n_max": 5, "l_max": 5},
        r"`l_max` must not exceed that of the fit, got 5 > 4",
    ),
    "matrices of another size": (
        {"radial_basis": {"kind": "optimal-contraction", "n_primitives": 2, "matrices": [[[1.0]]]}},
        r"`matrices` must hold one of 2 rows and columns per l, got shapes \[\(1, 1\)\]",
    ),
    "many functions": ({"radial_basis": "dvr", "n_max": 51}, r"`n_max` must be at most 50, got 51"),
    "similar functions": ({"n_max": 24}, r"`n_max` must leave the GTO functions .* got n_max=24: the smallest"),
    "similar polynomials": (
        {"radial_basis": {"kind": "legendre", "transform": "inverse", "scale": 0.1, "power": 12}, "n_max": 10},
        r"`n_max` must leave the Legendre functions distinguishable",
    ),
    "delta on the centre": (
        {"density": "delta", "center_weight": 1.0},
        r"`center_weight` must be 0 for a delta density, got 1.0.* Use density='gaussian'",
    ),
    "unknown density": ({"density": "slater"}, r"`PowerSpectrum.density` must be 'gaussian' or 'delta'"),
    "no scaling": (
        {"radial_scaling": {"rate": 0, "scale": 1, "exponent": 2}},
        r"`PowerSpectrum.radial_scaling.rate` must be greater than 0, got 0",
    ),
    "scaling, unknown": (
        {"radial_scaling": {"rate": 1, "scale": 1, "power": 2}},
        r"`PowerSpectrum.radial_scaling.power`",
    ),
}


@pytest.mark.parametrize(("parameters", "message"), BAD.values(), ids=BAD.keys())
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(nm.InputError, match=message):
        nm.PowerSpectrum(**parameters)


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("basis", [nm.Legendre(), nm.LaplacianEigenstates(), nm.DVR()], ids=str)
def test_the_largest_sets_can_be_tabulated(basis):
    table = tabulated(basis, LARGEST_N, 1, CUTOFF, 0.5)
    assert table.value_error < 1e-12
    assert table.derivative_error < 1e-10


@pytest.mark.parametrize("basis", [nm.Legendre(), nm.LaplacianEigenstates()], ids=str)
def test_functions_that_a_broad_density_leaves_nothing_of_are_no_fault(basis):
    table = tabulated(basis, 30, 2, CUTOFF, 2.0)
    assert table.value_error < 1e-12
    strength = np.abs(table.table.nodes[:, 0]).max(axis=0).reshape(3, 30)
    assert strength[:, -1].max() < 0.05 * strength.max()


def test_what_is_too_sharp_to_tabulate_is_refused():
    with pytest.raises(nm.InputError, match=r"`width` must be broad enough .* got width=0.004"):
        _ = nm.PowerSpectrum(n_max=1, l_max=0, width=0.004).basis
    steep = nm.Chebyshev(transform="exponential", decay=20)
    with pytest.raises(nm.InputError, match=r"`radial_basis` must be smooth enough .* got chebyshev.* with n_max=30"):
        _ = nm.PowerSpectrum(n_max=30, l_max=0, density="delta", radial_basis=steep).basis


@pytest.mark.law(cases=5)
@pytest.mark.parametrize("density", ["gaussian", "delta"])
@pytest.mark.parametrize("name", [name for name in RADIAL_BASES if "contracted" not in name])
def test_ranks_are_those_of_theory_in_every_basis(name, density):
    descriptor = nm.PowerSpectrum(n_max=8, l_max=8, radial_basis=RADIAL_BASES[name], density=density, **SETTING)
    for where, (vectors, _, rank, _) in RANKS.items():
        assert analysed(descriptor, vectors).rank == rank, where
    for seed in range(5):
        assert analysed(descriptor, random_methane(seed)).rank == 9


@pytest.mark.law(cases=3)
@pytest.mark.parametrize("density", ["gaussian", "delta"])
@pytest.mark.parametrize("n_max", range(1, 5))
def test_rank_of_random_methane_obeys_the_law_in_a_nested_basis(n_max, density):
    # The ranks of theory, as for GTOs.
    law = min(n_max, 4)
    for l_max in range(5):
        k = min(n_max, 2 * l_max + 1)
        law += (n_max * k - k * (k - 1) // 2) if l_max else 0
        descriptor = nm.PowerSpectrum(
            n_max=n_max, l_max=l_max, radial_basis="laplacian-eigenstates", density=density, **SETTING
        )
        assert {analysed(descriptor, random_methane(seed), 1e-11).rank for seed in range(3)} == {min(9, law)}
