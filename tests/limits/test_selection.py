"""Few features that keep a resolution: they do, none can be spared, and no subset can be much smaller."""

from itertools import combinations

import numpy as np
import pytest
from cases import SETTING, environment, in_a_sphere, random_methane, rng
from scipy.linalg import orth
from scipy.optimize import linprog
from skmatter.feature_selection import CUR, FPS

import nullmode as nm
from nullmode.limits.selection import few_rows, smallest_values

SOAP = nm.PowerSpectrum(n_max=8, l_max=8, **SETTING)
METHANES = [nm.Environment.from_vectors(random_methane(seed)) for seed in range(20)]
MIXED = [in_a_sphere(seed, 3 + seed % 3, ["H", "O", "H", "C", "O"][: 3 + seed % 3]) for seed in range(6)]
LAPLACIAN = nm.PowerSpectrum(n_max=10, l_max=8, radial_basis="laplacian-eigenstates", **SETTING)
SETS = {
    "methane": (METHANES[:8], SOAP, 0.9, "full"),
    "methane, little": (METHANES[:8], SOAP, 0.1, "full"),
    "methane, limit": (METHANES[:8], LAPLACIAN, 0.4, "limit"),
    "mixed": (MIXED, nm.PowerSpectrum(n_max=4, l_max=3, **SETTING), 0.8, "full"),
    "mixed, limit": (MIXED, nm.PowerSpectrum(n_max=7, l_max=6, **SETTING), 0.05, "limit"),
    "chebyshev": (METHANES[:3], nm.PowerSpectrum(n_max=4, l_max=4, radial_basis="chebyshev", **SETTING), 0.5, "full"),
    "bispectrum": (METHANES[:3], nm.Bispectrum(n_max=2, l_max=3, **SETTING), 0.9, "full"),
    "no order": (METHANES[:3], nm.OverlapMatrix(cutoff=4.0), 0.5, "full"),
    "a function": (METHANES[:3], nm.FromCallable(lambda v: np.sort((v @ v.T).ravel()), cutoff=4.0), 0.5, "full"),
    "some of some": (METHANES[:4], nm.Selected(nm.PowerSpectrum(species="H"), range(0, 324, 2)), 0.7, "full"),
}


def smallest(jacobians, chosen):
    """Smallest |J_S u|/|J u| of each, by scipy's orthonormal basis of what J sees."""
    seen = [orth(each.reshape(len(each), -1), rcond=1e-9) for each in jacobians]
    return np.array([np.linalg.svd(each[chosen], compute_uv=False)[-1] for each in seen])


@pytest.mark.law(cases=5)
@pytest.mark.parametrize(("envs", "descriptor", "target", "reference"), SETS.values(), ids=SETS.keys())
def test_a_subset_keeps_what_it_says(envs, descriptor, target, reference):
    result = nm.select_features(envs, descriptor, target, reference)
    whole = result.descriptor.descriptor
    jacobians = [whole.compute_with_jacobian(each)[1] for each in envs]
    assert result.n_features == len(jacobians[0]) > len(result.features) == len(result.labels)
    assert result.labels == [whole.feature_labels(envs)[k] for k in result.features]
    assert (np.diff(result.features) > 0).all()
    assert result.worst == result.resolutions.min() >= target
    again = [nm.resolution(each, result.descriptor, reference=reference) for each in envs]
    np.testing.assert_allclose(result.resolutions, [each.worst for each in again], rtol=0, atol=1e-9)
    if reference == "full":
        np.testing.assert_allclose(result.resolutions, smallest(jacobians, result.features), rtol=0, atol=1e-7)
        np.testing.assert_allclose(result.whole, 1.0, rtol=0, atol=1e-6)
    else:
        np.testing.assert_allclose(result.whole, [nm.resolution(each, whole).worst for each in envs], atol=1e-12)
        assert (result.resolutions <= result.whole + 1e-12).all()


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("name", ["methane", "mixed", "mixed, limit", "no order"])
def test_no_feature_can_be_spared(name):
    envs, descriptor, target, reference = SETS[name]
    result = nm.select_features(envs, descriptor, target, reference)
    whole = result.descriptor.descriptor
    for k in range(0, len(result.features), max(1, len(result.features) // 12)):
        fewer = nm.Selected(whole, np.delete(result.features, k).tolist())
        assert min(nm.resolution(each, fewer, reference=reference).worst for each in envs) < target + 1e-9


def fewest(jacobians, target):
    """Bound from below by a linear programme: weights x of features, 0 to 1; sum x_f (a_f v)² >= target² for any v."""
    seen = [orth(each.reshape(len(each), -1)) for each in jacobians]
    cuts = [each**2 @ np.eye(each.shape[1]) for each in seen]
    while True:
        rows = np.concatenate(cuts, axis=1).T
        result = linprog(np.ones(rows.shape[1]), -rows, np.full(len(rows), -(target**2)), bounds=(0, 1))
        new = []
        for each in seen:
            values, vectors = np.linalg.eigh(each.T @ (each * result.x[:, None]))
            new.append((each @ vectors[:, values < target**2 - 1e-3]) ** 2)
        if not sum(each.shape[1] for each in new):
            return result.fun
        cuts += new


def test_no_subset_can_be_much_smaller():
    envs = METHANES[:10]
    found = len(nm.select_features(envs, SOAP, 0.9).features)
    bound = fewest([SOAP.compute_with_jacobian(each)[1] for each in envs], 0.9)
    assert bound <= found <= 1.07 * bound


@pytest.mark.parametrize("seed", range(4))
def test_of_few_features_it_is_one_more_than_the_best_subset_at_most(seed):
    generator = rng(seed)
    envs = [nm.Environment.from_vectors(generator.normal(size=(2, 3)) + [1, 0, 0]) for _ in range(2)]
    soap = nm.PowerSpectrum(n_max=2, l_max=2, species="H", **SETTING)
    jacobians = [soap.compute_with_jacobian(each)[1] for each in envs]
    found = len(nm.select_features(envs, soap, 0.8).features)
    best = next(
        size
        for size in range(3, 10)
        if any(smallest(jacobians, list(each)).min() >= 0.8 for each in combinations(range(9), size))
    )
    assert best <= found <= best + 1


@pytest.mark.parametrize("seed", range(20))
def test_a_target_that_all_rows_just_reach_is_reached(seed):
    generator = rng(seed)
    matrices = [generator.normal(size=(12, k)) * 10.0 ** -generator.integers(0, 9, size=(12, 1)) for k in (2, 3, 3)]
    for matrix in matrices:
        matrix[3] = 0.0
    target = smallest_values(matrices).min()
    kept = few_rows(matrices, target)
    assert smallest_values([each[kept] for each in matrices]).min() >= target
    assert len(kept) >= 11


def test_fewer_than_by_other_rules():
    result = nm.select_features(METHANES, SOAP)
    computed = SOAP.compute_batch_with_jacobian(METHANES)
    features = np.array([phi for phi, _ in computed])
    slopes = np.concatenate([jac.reshape(324, -1).T for _, jac in computed])
    orders = [rng(seed).permutation(324) for seed in range(3)]
    for data in (features - features.mean(axis=0), slopes):
        scaled = data / np.linalg.norm(data) * np.sqrt(len(data))
        rules = FPS(n_to_select=200, initialize=0), CUR(n_to_select=200, recompute_every=0, k=15)
        orders += [rule.fit(scaled).selected_idx_ for rule in rules]
    count = len(result.features)
    assert count < 120
    for order in orders:
        kept = smallest([jac for _, jac in computed], np.asarray(order)[: count + 10])
        assert kept.min() < 0.9
    assert result.worst >= 0.9


def test_environments_held_out_are_measured_and_have_no_say():
    held_out = [nm.Environment.from_vectors(random_methane(seed)) for seed in range(40, 50)]
    alone, both = (nm.select_features(METHANES, SOAP, held_out=each) for each in ((), held_out))
    np.testing.assert_array_equal(both.features, alone.features)
    expected = [nm.resolution(each, both.descriptor, reference="full").worst for each in held_out]
    np.testing.assert_allclose(both.held_out, expected, rtol=0, atol=1e-9)
    assert 0.3 < both.held_out.min() < 0.9
    assert len(alone.held_out) == 0


def test_species_of_environments_held_out_have_features():
    water = nm.Environment.from_vectors([[0.9, 0.1, 0.0], [-0.3, 0.9, 0.1]], "O")
    result = nm.select_features(METHANES[:3], nm.PowerSpectrum(n_max=2, l_max=2, **SETTING), held_out=[water])
    assert result.descriptor.descriptor.species == ("H", "O")
    assert result.held_out[0] == 0.0


def test_environments_that_show_nothing_have_no_resolution():
    alone = nm.Environment.from_vectors([])
    result = nm.select_features([METHANES[0], alone], SOAP, held_out=[alone])
    np.testing.assert_array_equal(np.isnan(result.resolutions), [False, True])
    assert np.isnan(result.held_out).all()
    assert len(result.features) == len(nm.select_features(METHANES[:1], SOAP).features)


def test_shares_of_the_limit_in_tables():
    envs = METHANES[:5]
    result = nm.select_features(envs, LAPLACIAN, 0.4, "limit")
    rows = nm.analyze(envs, result.descriptor, resolution=True)
    np.testing.assert_allclose(rows["resolution"], result.resolutions, rtol=0, atol=1e-12)
    whole = nm.analyze(envs, LAPLACIAN, resolution=True)
    for name in ("rank_limit", "resolution_within_cutoff"):
        np.testing.assert_array_equal(rows[name], whole[name])
    assert (rows["resolution_note"] == "").all()


METHANE = environment("methane")
BAD = {
    "missed": (
        {"descriptor": SOAP, "reference": "limit"},
        r"`resolution` must be at most what all features .* keep, 0\.\d+ \(of environment \d+\), got 0.9",
    ),
    "none": ({"resolution": 0}, r"`resolution` must be between 0 and 1, got 0"),
    "all": ({"resolution": 1.0}, r"`resolution` must be between 0 and 1, got 1.0"),
    "a text": ({"resolution": "high"}, r"`resolution` must be between 0 and 1, got 'high'"),
    "another reference": ({"reference": "best"}, r"`reference` must be one of limit, full, got 'best'"),
    "no environment": (
        {"environments": []},
        r"`environments` must hold one of which the full reference sees",
    ),
    "one": ({"environments": METHANE}, r"`environments` must be a sequence, got a single Environment"),
    "no limit": (
        {"descriptor": nm.ACSF(cutoff=4.0), "reference": "limit"},
        r"`descriptor` must expand a density in a basis that can be completed",
    ),
    **{
        basis: (
            {"descriptor": nm.PowerSpectrum(n_max=3, radial_basis=basis), "reference": "limit"},
            r"`descriptor` must have radial functions that are orthonormal under r² dr against the limit, got",
        )
        for basis in ("dvr", "chebyshev", "legendre")
    },
}


@pytest.mark.parametrize(("given", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(given, message):
    with pytest.raises(nm.InputError, match=message):
        nm.select_features(**{"environments": METHANES[:3], "descriptor": SOAP} | given)


def test_too_much_for_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr("nullmode.limits.selection.MOST_ENTRIES", 5 * 324 * 9)
    nm.select_features(METHANES[:5], SOAP)
    with pytest.raises(nm.InputError, match=r"got 17496 in the first 6 of 20. Pass fewer"):
        nm.select_features(METHANES, SOAP)


def test_resolutions_of_what_is_not_selected_are_refused():
    with pytest.raises(nm.InputError, match=r"must be a nullmode.Selected for reference='full', got Power"):
        nm.resolution(METHANE, SOAP, reference="full")
    some = nm.Selected(nm.PowerSpectrum(radial_basis="legendre", n_max=4, species="H", **SETTING), range(20))
    with pytest.raises(nm.InputError, match=r"orthonormal under r² dr where features are selected, got legendre"):
        nm.resolution(METHANE, some)


def test_equal_radial_functions_are_one_basis():
    """What is remembered for one object must serve another one that is equal."""
    env = nm.Environment.from_vectors(np.eye(3) * [[1.0], [1.1], [1.2]], "H")
    for _ in range(2):
        few = nm.Selected(nm.PowerSpectrum(n_max=3, l_max=2, radial_basis=nm.GTO(), species="H"), [0, 1, 7, 12])
        assert 0 <= nm.resolution(env, few).worst <= 1
