from dataclasses import replace

import numpy as np
import pytest
from cases import ENVIRONMENTS, LIMITED, RADIAL_BASES, SETTING, environment, in_a_sphere, pair, rng

import nullmode as nm
from nullmode.geometry.environment import within

PROJECTING = {name: each for name, each in LIMITED.items() if "dvr" not in name}
# n_max, l_max, smallest and largest resolution, by an independent code.
FIGURES = [
    ("gto", 2, 2, 0.0, 0.31215),
    ("gto", 4, 4, 0.05751, 0.60989),
    ("gto", 8, 4, 0.15702, 0.74505),
    ("gto", 8, 8, 0.43090, 0.93363),
    pytest.param("gto", 12, 10, 0.84495, 0.97649, marks=pytest.mark.slow),
    ("laplacian-eigenstates", 8, 8, 0.49518, 0.98759),
    pytest.param("laplacian-eigenstates", 12, 10, 0.85476, 0.99671, marks=pytest.mark.slow),
    pytest.param("laplacian-eigenstates", 16, 16, 0.99189, 0.99998, marks=pytest.mark.slow),
    pytest.param("laplacian-eigenstates", 20, 25, 0.99998, 1.0, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("basis", "n_max", "l_max", "worst", "best"), FIGURES)
def test_figures_of_an_independent_code(basis, n_max, l_max, worst, best):
    descriptor = nm.PowerSpectrum(radial_basis=basis, n_max=n_max, l_max=l_max, **SETTING)
    result = nm.resolution(in_a_sphere(), descriptor)
    assert [result.worst, result.values[0]] == pytest.approx([worst, best], abs=1e-5)
    assert result.worst == result.values[-1]
    assert result.projection


@pytest.mark.law(cases=11)
@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("descriptor", PROJECTING.values(), ids=PROJECTING.keys())
def test_resolutions_are_shares(descriptor, name, rotation):
    env = within(environment(name), descriptor.cutoff)
    result, limit = nm.resolution(env, descriptor), nm.limit(env, descriptor)
    assert len(result.values) == limit.rank
    assert (np.diff(result.values) <= 0).all()
    assert (result.values >= 0).all()
    assert (result.values <= 1 + 1e-10 + result.floors).all()
    # Each is the share of its displacement.
    jacobians = limit.jacobian, descriptor.compute_with_jacobian(env)[1]
    if "chebyshev" not in str(descriptor.radial_basis) and "legendre" not in str(descriptor.radial_basis):
        seen, kept = (np.linalg.norm(np.einsum("fjx,kjx->kf", each, result.modes), axis=1) for each in jacobians)
        assert (np.abs(kept / seen - result.values) <= 1e-10 + 100 * result.floors).all()
    # Neither a rotation nor the order of neighbours changes any.
    order = rng(3).permutation(len(env))
    again = nm.resolution(nm.Environment.from_vectors(env.vectors[order] @ rotation.T, env.species[order]), descriptor)
    assert len(again.values) == len(result.values)
    assert (np.abs(again.values - result.values) <= 1e-10 + 100 * result.floors).all()
    assert again.within_cutoff == pytest.approx(result.within_cutoff, abs=1e-9, nan_ok=True)


@pytest.mark.law(cases=5)
@pytest.mark.parametrize("name", ["methane", "mixed", "smoothed", "crowded"])
@pytest.mark.parametrize("basis", RADIAL_BASES.values(), ids=RADIAL_BASES.keys())
def test_larger_bases_keep_more(basis, name):
    env = environment(name)
    descriptor = nm.PowerSpectrum(n_max=4, l_max=4, radial_basis=basis, **SETTING)
    largest = nm.resolution(env, descriptor)
    smaller = [replace(descriptor, l_max=l_max) for l_max in (3, 1, 0)]
    if descriptor.nested:
        smaller += [replace(descriptor, n_max=n_max) for n_max in (3, 1)]
    for each in smaller:
        result = nm.resolution(env, each)
        assert (result.values <= largest.values + 1e-10 + largest.floors).all()


def test_resolution_belongs_to_the_span_of_the_functions():
    env = in_a_sphere()
    for bases in (("chebyshev", "legendre"), (nm.GTO(), nm.GTO(orthonormalization="cholesky"))):
        one, two = (
            nm.resolution(env, nm.PowerSpectrum(radial_basis=each, n_max=5, l_max=3, **SETTING)) for each in bases
        )
        np.testing.assert_allclose(one.values, two.values, rtol=0, atol=1e-9)


def test_functions_that_end_at_the_cutoff_keep_no_more_than_all_of_it():
    env = nm.Environment.from_vectors([[3.6, 0, 0], [0, 3.7, 0.2], [0.4, -0.3, -3.75]], "H")
    for basis in ("laplacian-eigenstates", "chebyshev"):
        result = nm.resolution(env, nm.PowerSpectrum(radial_basis=basis, n_max=8, l_max=8, **SETTING))
        assert result.worst <= result.within_cutoff + 1e-10
        assert result.within_cutoff == pytest.approx(0.85425, abs=1e-5)
    near = nm.resolution(
        nm.Environment.from_vectors(env.vectors / 3, "H"), nm.PowerSpectrum(n_max=2, l_max=2, **SETTING)
    )
    assert near.within_cutoff == 1.0


def test_points_on_which_the_density_is_sampled_are_no_projection():
    """Its features may respond more than those of the complete basis."""
    dvr = nm.resolution(in_a_sphere(), nm.PowerSpectrum(n_max=8, l_max=8, radial_basis="dvr", **SETTING))
    assert not dvr.projection
    assert dvr.values[0] > 1.1


def check_null_by_truncation(env, descriptor, rtol=1e-9):
    result, limit = nm.resolution(env, descriptor, rtol), nm.limit(env, descriptor, rtol)
    rank = nm.sensitivity(descriptor.compute_with_jacobian(env)[1], env, rtol).rank
    lost = np.count_nonzero(result.values <= np.maximum(rtol, result.floors))
    assert (limit.rank - lost, env) == (rank, env)


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("chunk", range(500))
def test_a_value_is_null_by_truncation_where_its_resolution_is_below_rtol(chunk):
    generator = rng(chunk)
    for seed in range(20 * chunk, 20 * chunk + 20):
        n = int(generator.integers(1, 13))
        species = generator.choice(["H", "C", "O"][: generator.integers(1, 4)], n)
        n_max, l_max = generator.choice([(1, 1), (2, 0), (2, 2), (3, 2), (2, 5), (4, 4)])
        descriptor = nm.PowerSpectrum(n_max=int(n_max), l_max=int(l_max), **SETTING)
        check_null_by_truncation(in_a_sphere(seed, n, species.tolist()), descriptor)


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("n_max", range(1, 5))
def test_truncations_of_the_degenerate_pair(n_max):
    """X(pi, 0) has rank 8 at any truncation of order 2; below l_max = 4 it has fewer."""
    env = nm.Environment.from_vectors(pair(1.0, 0.0))
    assert nm.limit(env, nm.PowerSpectrum(**SETTING)).rank == 8
    for l_max in range(6):
        check_null_by_truncation(env, nm.PowerSpectrum(n_max=n_max, l_max=l_max, **SETTING))
