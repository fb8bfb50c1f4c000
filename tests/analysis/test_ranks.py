import numpy as np
import pytest
from cases import RANKS, SERIES, SETTING, analysed, pair, random_methane, rng

import nullmode as nm

NU_1 = nm.RadialSpectrum(n_max=8, **SETTING)
NU_2 = nm.PowerSpectrum(n_max=8, l_max=8, **SETTING)


@pytest.mark.parametrize(("vectors", "nu_1", "nu_2", "n_dof"), RANKS.values(), ids=RANKS.keys())
def test_ranks_are_those_of_theory(vectors, nu_1, nu_2, n_dof):
    for descriptor, rank in ((NU_1, nu_1), (NU_2, nu_2)):
        result = analysed(descriptor, vectors)
        assert (result.rank, result.n_dof) == (rank, n_dof)
        assert result.rotation_floor < 1e-13


@pytest.mark.parametrize(("vectors", "ranks"), SERIES.values(), ids=SERIES.keys())
def test_rank_grows_with_l_max_as_published(vectors, ranks):
    got = [analysed(nm.PowerSpectrum(n_max=8, l_max=l, **SETTING), vectors).rank for l in range(len(ranks))]
    assert tuple(got) == ranks


@pytest.mark.parametrize("n_max", range(1, 5))
@pytest.mark.parametrize("l_max", range(5))
def test_rank_of_random_methane_obeys_the_law(n_max, l_max):
    # Exact (docs/theory.md, Power spectrum): what l = 0 and each further l can add, until all 9 are seen.
    law = min(n_max, 4)
    for l in range(1, l_max + 1):
        k = min(n_max, 2 * l + 1)
        law += n_max * k - k * (k - 1) // 2
    descriptor = nm.PowerSpectrum(n_max=n_max, l_max=l_max, **SETTING)
    assert {analysed(descriptor, random_methane(seed), 1e-11).rank for seed in range(5)} == {min(9, law)}


@pytest.mark.parametrize("u", [0.7, 0.75, 0.8, 0.85, 0.9, 1.0])
def test_pair_has_equal_power_spectra_at_v_0(u):
    plus, minus = (NU_2.compute(nm.Environment.from_vectors(pair(u, 0.0, sign))) for sign in (1, -1))
    assert np.abs(plus - minus).max() <= 1e-14 * np.abs(plus).max()


@pytest.mark.parametrize("v", [-0.1, 0.025])
def test_pair_is_told_apart_elsewhere(v):
    plus, minus = (NU_2.compute(nm.Environment.from_vectors(pair(0.8, v, sign))) for sign in (1, -1))
    assert np.linalg.norm(plus - minus) > 1e-2 * np.linalg.norm(plus)


def test_pair_merges_into_a_singular_point_without_symmetry():
    result = analysed(NU_2, pair(1.0, 0.0))
    assert result.rank == 8
    assert result.inverse_condition_number < 1e-14
    sharp = nm.PowerSpectrum(n_max=8, l_max=8, cutoff=2.5, cutoff_width=0.5, width=0.2)
    assert analysed(sharp, pair(1.0, 0.0)).inverse_condition_number < 1e-14


@pytest.mark.parametrize(("x", "size"), [(1e-2, 2.7e-2), (1e-3, 2.6e-3), (1e-4, 2.6e-4), (1e-5, 2.6e-5)])
def test_condition_opens_linearly_as_published(x, size):
    sharp = nm.PowerSpectrum(n_max=8, l_max=8, cutoff=2.5, cutoff_width=0.0, width=0.2)
    assert analysed(sharp, pair(1 - x, 0.0)).inverse_condition_number == pytest.approx(size, rel=0.05)


def test_features_are_quadratic_along_the_null_mode():
    vectors = pair(1.0, 0.0)
    result = analysed(NU_2, vectors)
    phi = NU_2.compute(nm.Environment.from_vectors(vectors))

    def change(k, step):
        moved = nm.Environment.from_vectors(vectors + step * result.modes[k])
        return np.linalg.norm(NU_2.compute(moved) - phi)

    assert change(-1, 2e-3) / change(-1, 1e-3) == pytest.approx(4, rel=0.02)
    assert change(0, 2e-3) / change(0, 1e-3) == pytest.approx(2, rel=0.02)


def test_near_methane_four_values_open_linearly_and_four_quadratically():
    noise = rng(3).normal(size=(4, 3))
    at = [analysed(NU_2, RANKS["Td"][0] + a * noise).singular_values for a in (1e-4, 2e-4)]
    growth = np.log2(at[1] / at[0])
    np.testing.assert_allclose(growth, [0] + 4 * [1] + 4 * [2], atol=0.02)
