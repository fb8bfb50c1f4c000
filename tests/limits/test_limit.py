from dataclasses import replace

import mpmath
import numpy as np
import pytest
from cases import ENVIRONMENTS, LIMITED, SCALING, SETTING, environment, in_a_sphere, rng

import nullmode as nm
from nullmode.descriptors.complete import span, triples
from nullmode.descriptors.complete.densities import Densities
from nullmode.descriptors.complete.rows import reduce_rows, scratch
from nullmode.limits.resolution import references

# Descriptors with one limit each, that of the first radial basis.
DISTINCT = {name: each for name, each in LIMITED.items() if name.count(",") < 2}
# A Laplacian basis as good as complete for neighbours near the centre, in what a limit depends on.
WIDE = {"cutoff": 6.0, "cutoff_width": 0.5, "width": 0.9, "n_max": 12, "radial_basis": "laplacian-eigenstates"}
NEARLY_COMPLETE = {
    "radial": nm.RadialSpectrum(**WIDE),
    "radial with centre": nm.RadialSpectrum(**WIDE, center_weight=0.6),
    "power": nm.PowerSpectrum(**WIDE, l_max=9),
    "power with centre": nm.PowerSpectrum(**WIDE, l_max=9, center_weight=0.6),
    "power, scaled": nm.PowerSpectrum(**WIDE, l_max=9, radial_scaling=SCALING),
    "power, smoothed": nm.PowerSpectrum(**(WIDE | {"cutoff_width": 6.0}), l_max=9),
}
NEAR = {
    "methane": ENVIRONMENTS["methane"],
    "mixed": (rng(4).normal(size=(5, 3)) * 0.7, ["H", "O", "C", "H", "O"]),
    "along axes": ENVIRONMENTS["along axes"],
}


def test_singular_values_are_those_of_an_independent_code():
    values = nm.limit(in_a_sphere(), nm.PowerSpectrum(**SETTING)).singular_values
    np.testing.assert_allclose(values[[0, 4, 8]], [0.51405414, 0.14698684, 0.08397056], rtol=0, atol=1e-8)


@pytest.mark.slow
def test_a_truncation_past_the_largest_one_reaches_the_limit():
    soap = nm.PowerSpectrum(n_max=40, l_max=25, **(SETTING | {"cutoff": 5.0}), radial_basis="laplacian-eigenstates")
    # Descriptors take l_max up to 25, where 1.7e-6 is missing; the kernels have no such bound.
    object.__setattr__(soap, "l_max", 30)
    env = in_a_sphere()
    reached = nm.sensitivity(soap.compute_with_jacobian(env)[1], env).singular_values
    np.testing.assert_allclose(reached, nm.limit(env, soap).singular_values, rtol=1e-8)


def samples_of(distances, quadrature, width, l_max):
    """Samples of the Gaussians (l, p, n), and of their derivatives times the width."""
    n, n_points = len(distances), len(quadrature[0])
    room = span.room_for(n, n_points, l_max)
    span.fill_samples(np.array(distances), *span.whole_lanes(*quadrature), width, room)
    columns = room.samples[:, :, :n_points].swapaxes(1, 2)
    return columns[..., :n], columns[..., n : 2 * n]


def coefficients_of(distances, quadrature, width, l):
    """Coefficients of the Gaussians (K, n) in orthonormal functions, and of their derivatives."""
    n = len(distances)
    room = span.room_for(n, len(quadrature[0]), l)
    span.fill_samples(np.array(distances), *span.whole_lanes(*quadrature), width, room)
    kinds = np.append(np.zeros(2 * n, dtype=np.int64), -1)
    negligible = 2 * np.finfo(float).eps * span.largest_norm(room)
    rows = [room.factors[: span.factorise(l, kinds, 0, slopes, negligible, room)].copy() for slopes in (False, True)]
    value, slope = np.split(np.concatenate(rows)[:, : 2 * n], 2, axis=1)
    return value, slope / width


@pytest.mark.parametrize("width", [0.3, 0.1])
def test_overlaps_of_the_functions_are_those_in_closed_form(width):
    """∫ r² g_l(r; a) g_l(r; b) dr = 4 pi exp(-(a² + b²)/4 width²) i_l(a b/2 width²), and its derivatives."""
    distances, l_max = np.array([0.7, 1.0, 1.02, 2.5]), 30
    found = [
        np.concatenate(coefficients_of(distances, span.points(2.5, width), width, l), axis=1) for l in range(l_max + 1)
    ]
    overlaps = [each.T @ each for each in found]

    with mpmath.workdps(40):
        for l in (0, 1, 5, l_max):

            def overlap(a, b, l=l):
                z = a * b / (2 * mpmath.mpf(width) ** 2)
                bessel = mpmath.sqrt(mpmath.pi / (2 * z)) * mpmath.besseli(l + 0.5, z)
                return 4 * mpmath.pi * mpmath.exp(-(a**2 + b**2) / (4 * mpmath.mpf(width) ** 2)) * bessel

            orders = [(a, k) for k in (0, 1) for a in distances.tolist()]
            expected = [
                [
                    float(mpmath.diff(overlap, (a, b), (k, m)) if k or m else overlap(mpmath.mpf(a), b))
                    for b, m in orders
                ]
                for a, k in orders
            ]
            scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
            # Of functions far weaker than others, the quadrature keeps fewer digits.
            allowed = 1e-12 * np.maximum(scale, 1e-6 * scale.max())
            # What is shorter than 1e-15 of the longest function, whose length is about 1/width, is left out.
            assert (np.abs(overlaps[l] - expected) <= allowed + 1e-15 / width * np.sqrt(scale.max())).all()


def test_functions_within_the_cutoff_are_integrated_up_to_it():
    value, _ = samples_of([2.6, 3.1], span.points_within(3.0, 0.3), 0.3, 12)
    fine = (np.arange(20000) + 0.5) * 3.0 / 20000
    exact, _ = samples_of([2.6, 3.1], (fine, fine * np.sqrt(3.0 / 20000)), 0.3, 12)
    exact = np.swapaxes(exact, 1, 2) @ exact
    np.testing.assert_allclose(np.swapaxes(value, 1, 2) @ value, exact, rtol=1e-6)


def test_functions_closer_than_the_width_are_told_apart():
    """Gram matrices lose what functions differ by below 1e-8; their smallest singular value falls as the distance."""
    smallest = []
    for apart in (1e-3, 1e-6, 1e-9):
        triangle, _ = coefficients_of([1.0, 1.0 + apart], span.points(1.0 + apart, 0.3), 0.3, 0)
        smallest.append(np.linalg.svd(triangle, compute_uv=False)[-1] / apart)
    np.testing.assert_allclose(smallest, smallest[0], rtol=1e-3)


def test_a_limit_keeps_what_neighbours_of_nearly_one_distance_differ_by():
    apart = np.array([1e-4, 1e-7, 1e-11])
    envs = [nm.Environment.from_vectors([[1.0, 0, 0], [0, 1.0 + each, 0]]) for each in apart]
    smallest = [nm.limit(env, nm.RadialSpectrum(**SETTING)).singular_values[1] for env in envs]
    np.testing.assert_allclose(smallest / apart, smallest[0] / apart[0], rtol=1e-3)


def test_sums_over_harmonics_up_to_the_largest_l():
    """One channel of two neighbours: p_l = sqrt(2l+1)/4 pi sum_ij v_i v_j P_l(cos_ij), differentiated by mpmath."""
    vectors = np.array([[0.3, -0.4, 0.9], [1.0, 0.2, 0.1]])
    n_l = span.LARGEST_L + 1
    value, slope = np.zeros((2, n_l, 1, 2, 9))
    value[..., 0], slope[..., 0] = rng(1).normal(size=(2, n_l, 1, 2))

    def row_of(l):
        channels = np.zeros((2, n_l, 1), dtype=np.int64)
        channels[:, l] = 1
        triangle, features, last = np.empty((1, 6, 6)), np.empty(1), np.empty(1)
        reduce_rows(
            Densities(vectors[None], value, slope, np.zeros((n_l, 1, 9)), channels),
            scratch(2, 9),
            64,
            features,
            last,
            triangle,
        )
        assert np.linalg.norm(triangle[0, 1:]) < 1e-13 * np.linalg.norm(triangle)
        if l == n_l - 1:
            assert last[0] == pytest.approx(np.linalg.norm(triangle))
        return triangle[0, 0].reshape(2, 3)

    lengths = np.linalg.norm(vectors, axis=1)
    unit = vectors / lengths[:, None]
    cosine = unit[0] @ unit[1]
    with mpmath.workdps(60):
        for l in (0, 1, 2, 7, 40, 100, 150, span.LARGEST_L):
            v, s = value[l, 0, :, 0], slope[l, 0, :, 0]
            p = float(mpmath.legendre(l, cosine))
            dp = float(mpmath.diff(lambda t, l=l: mpmath.legendre(l, t), cosine))
            expected = np.empty((2, 3))
            for j, i in ((0, 1), (1, 0)):
                expected[j] = 2 * s[j] * (v[j] + v[i] * p) * unit[j]
                expected[j] += 2 * v[0] * v[1] * dp * (unit[i] - cosine * unit[j]) / lengths[j]
            expected *= np.sqrt(2 * l + 1) / (4 * np.pi)
            # The sign of a factor's rows is free.
            row = row_of(l)
            row *= np.sign((row * expected).sum())
            np.testing.assert_allclose(row, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.law(cases=6)
@pytest.mark.parametrize("vectors", NEAR.values(), ids=NEAR.keys())
@pytest.mark.parametrize("descriptor", NEARLY_COMPLETE.values(), ids=NEARLY_COMPLETE.keys())
def test_the_limit_is_what_a_large_basis_tends_to(descriptor, vectors):
    env = nm.Environment.from_vectors(*vectors, "O")
    limit = nm.limit(env, descriptor)
    found = nm.sensitivity(descriptor.compute_with_jacobian(env)[1], env)
    assert limit.rank == found.rank
    scale = found.singular_values[0]
    np.testing.assert_allclose(found.singular_values, limit.singular_values, rtol=1e-4, atol=1e-8 * scale)
    # Not only the values: products of displacements' images.
    products = [
        np.tensordot(each, each, axes=(0, 0)) for each in (limit.jacobian, descriptor.compute_with_jacobian(env)[1])
    ]
    np.testing.assert_allclose(products[1], products[0], rtol=0, atol=1e-6 * np.abs(products[0]).max())
    assert limit.remainder <= 1e-11 * scale
    assert limit.rotation_floor < 1e-13 or np.isnan(limit.rotation_floor)


@pytest.mark.law(cases=8)
@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("descriptor", DISTINCT.values(), ids=DISTINCT.keys())
def test_a_limit_does_not_depend_on_truncation_rotation_or_order(descriptor, name, rotation):
    env = environment(name)
    limit = nm.limit(env, descriptor)
    order = rng(3).permutation(len(env))
    other = nm.Environment.from_vectors(env.vectors[order] @ rotation.T, env.species[order])
    smaller = replace(descriptor, n_max=1, radial_basis="laplacian-eigenstates")
    for again in (nm.limit(other, descriptor), nm.limit(env, smaller)):
        assert (again.rank, again.n_dof) == (limit.rank, limit.n_dof)
        scale = max(limit.singular_values, default=0.0)
        np.testing.assert_allclose(again.singular_values, limit.singular_values, rtol=0, atol=1e-13 * scale)


def test_environments_do_not_depend_on_those_they_are_computed_with():
    envs = [in_a_sphere(seed) for seed in range(40)] + [in_a_sphere(9, n) for n in (2, 3, 9)]
    descriptor = nm.PowerSpectrum(**SETTING, species=("H",))
    options = descriptor, 1e-9, "neighbours", 1e-6
    for together, env in zip(references(envs, *options), envs, strict=True):
        [alone] = references([env], *options)
        assert (together.whitening == alone.whitening).all()
        assert together[1:] == alone[1:]


def test_nothing_near_is_nothing_seen():
    for vectors in ([], [[0, 0, 4.5]]):
        limit = nm.limit(nm.Environment.from_vectors(vectors), nm.PowerSpectrum(**SETTING))
        assert limit.rank == limit.jacobian.size == len(limit.singular_values) == 0
        assert np.isnan(nm.resolution(nm.Environment.from_vectors(vectors), nm.PowerSpectrum(**SETTING)).worst)


REFUSED = {
    "delta": (nm.PowerSpectrum(density="delta"), "grow without bound"),
    "acsf": (nm.ACSF(cutoff=4.0), "no limit"),
    "coulomb": (nm.CoulombMatrix(cutoff=4.0), "no limit"),
    "any function": (nm.FromCallable(lambda env: env.vectors[:, 0], cutoff=4.0), "no limit"),
    "trispectrum": (nm.Trispectrum(n_max=1, l_max=2), "order up to 3"),
    "none": (3, "must be a nullmode.Descriptor"),
}


@pytest.mark.parametrize(("descriptor", "message"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("function", [nm.limit, nm.resolution])
def test_descriptors_without_a_limit_are_refused(function, descriptor, message):
    with pytest.raises(nm.InputError, match=message):
        function(in_a_sphere(), descriptor)


def test_bad_arguments_are_refused_before_any_work():
    env, descriptor = in_a_sphere(), nm.PowerSpectrum(**SETTING)
    for call, message in (
        (lambda: nm.limit(env.vectors, descriptor), "environment"),
        (lambda: nm.limit(env, descriptor, rtol=2.0), "rtol"),
        (lambda: nm.limit(env, replace(descriptor, species=("O",))), "species"),
        (lambda: nm.resolution(env, descriptor, tolerance=-1.0), "tolerance"),
        (lambda: nm.limit(in_a_sphere(0, 300), replace(descriptor, width=0.05)), "at most 200000000"),
    ):
        with pytest.raises(nm.InputError, match=message):
            call()


TRIPLES = {
    "O3": nm.Bispectrum(**(WIDE | {"n_max": 8}), l_max=4),
    "SO3": nm.Bispectrum(**(WIDE | {"n_max": 8}), l_max=4, parity="SO3"),
    "SO3 with centre": nm.Bispectrum(**(WIDE | {"n_max": 8}), l_max=4, parity="SO3", center_weight=0.6),
}


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("descriptor", TRIPLES.values(), ids=TRIPLES.keys())
def test_the_limit_of_a_bispectrum_is_what_a_large_basis_tends_to(descriptor):
    env = nm.Environment.from_vectors(rng(4).normal(scale=0.5, size=(3, 3)), ["H", "O", "H"], "O")
    limit, found = nm.limit(env, descriptor), descriptor.compute_with_jacobian(env)[1]
    expected = np.tensordot(found, found, axes=(0, 0))
    got = np.tensordot(limit.jacobian, limit.jacobian, axes=(0, 0))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
    assert limit.rotation_floor < 1e-13
    assert limit.remainder < 1e-6 * limit.singular_values[0]
    result = nm.resolution(env, descriptor)
    assert (result.values <= 1 + 1e-8).all()
    assert result.worst > 0.999


def test_the_limit_of_a_bispectrum_is_refused_where_it_is_too_large():
    with pytest.raises(nm.InputError, match="at most 2000000000 entries"):
        nm.limit(in_a_sphere(1, 20), nm.Bispectrum(n_max=2, l_max=2, **(SETTING | {"width": 0.2})))


def test_harmonics_up_to_the_largest_l_of_triples():
    """Values by mpmath's associated Legendre functions, gradients by their differences."""
    l_max = triples.LARGEST_L_OF_TRIPLES
    direction = np.array([[0.48, -0.6, 0.64]])
    harmonic, gradient = triples._complex_harmonics(direction, l_max)
    theta, phi = mpmath.acos(mpmath.mpf("0.64")), mpmath.atan2(mpmath.mpf("-0.6"), mpmath.mpf("0.48"))
    along, across = (
        np.array([0.48 * 0.64, -0.6 * 0.64, -(1 - 0.64**2)]) / np.sqrt(1 - 0.64**2),
        np.array([0.6, 0.48, 0]),
    )
    across /= np.linalg.norm(across)
    with mpmath.workdps(40):
        for l, m in ((0, 0), (3, 2), (25, -7), (60, 0), (l_max, 1), (l_max, 40), (l_max, l_max)):

            def value(t, p, l=l, m=m):
                return mpmath.spherharm(l, m, t, p)

            expected = complex(value(theta, phi))
            slope = complex(mpmath.diff(value, (theta, phi), (1, 0))) * along
            slope = slope + complex(mpmath.diff(value, (theta, phi), (0, 1))) / np.sqrt(1 - 0.64**2) * across
            assert abs(harmonic[l][0, l + m]) == pytest.approx(abs(expected), rel=1e-11, abs=1e-13)
            assert np.abs(gradient[l][:, l + m]) == pytest.approx(np.abs(slope), rel=1e-9, abs=1e-9)
