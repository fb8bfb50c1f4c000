"""Spectra of many environments are those of one after the other."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from cases import DESCRIPTORS, ENVIRONMENTS, SETTING, STRUCTURES, TD, environment, rng
from configs import CHECKOUT

import nullmode as nm
from nullmode._support.variants import load
from nullmode.linalg.batched_svd import MOST_COLUMNS

NONE = nm.Environment.from_vectors([])
COLLINEAR = nm.Environment.from_vectors([[0, 0, 1.0], [0, 0, -1.2], [0, 0, 2.2]])
# Sizes mixed, some twice, and beyond what lanes hold.
ITEMS = [NONE, *[environment(name) for name in ENVIRONMENTS], COLLINEAR, environment("methane"), NONE]
ITEMS += [nm.Environment.from_vectors(TD[:, ::-1] * [1, 1.1, 0.9]), environment("methane")]
SOAP = nm.PowerSpectrum(n_max=4, l_max=3, **SETTING)


def fixed(descriptor, items):
    """The layout of the whole set."""
    from nullmode.descriptors._layout import with_layout_of

    return with_layout_of(descriptor, items)


def same(one, other):
    for name in ("singular_values", "modes", "n_dof", "rank", "rotation_floor", "error"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


def agree(found, items, descriptor):
    """Compare with nm.sensitivity for each environment."""
    assert len(found.n_dof) == len(items)
    descriptor = fixed(descriptor, items)
    for i, item in enumerate(items):
        _, jacobian = descriptor.compute_with_jacobian(item)
        expected = nm.sensitivity(jacobian, item, rtol=1e-8)
        d = expected.n_dof
        largest = expected.singular_values.max(initial=0.0)
        assert found.n_dof[i] == d
        np.testing.assert_allclose(found.singular_values[i, :d], expected.singular_values, rtol=0, atol=3e-15 * largest)
        assert np.isnan(found.singular_values[i, d:]).all()
        assert found.rank[i] == expected.rank
        np.testing.assert_allclose(found.rotation_floor[i], expected.rotation_floor, atol=3e-15)
        np.testing.assert_allclose(found.inverse_condition_number[i], expected.inverse_condition_number, atol=3e-15)
        if found.modes is not None:
            modes = found.modes[i, :d, : len(item)]
            assert (found.modes[i, d:] == 0).all()
            assert (found.modes[i, :, len(item) :] == 0).all()
            flat = modes.reshape(d, 3 * len(item))
            np.testing.assert_allclose(flat @ flat.T, np.eye(d), atol=1e-13)
            response = np.einsum("fnx,dnx->df", jacobian, modes)
            np.testing.assert_allclose(np.linalg.norm(response, axis=1), expected.singular_values, atol=1e-13 * largest)


@pytest.mark.law(cases=16)
@pytest.mark.parametrize("name", DESCRIPTORS)
def test_every_descriptor_and_environment_as_alone(name):
    agree(nm.spectra(ITEMS, DESCRIPTORS[name], rtol=1e-8, modes=True, threads=1), ITEMS, DESCRIPTORS[name])


def test_cases_are_decomposed_in_lanes_and_by_lapack():
    columns = {3 * len(item) for item in ITEMS}
    assert min(columns) == 0
    assert max(columns) > MOST_COLUMNS


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("name", ["power", "trispectrum", "acsf", "coulomb"])
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_no_bit(name, threads):
    items = [item for item in ITEMS for _ in range(3)] + 300 * [environment("methane")]
    one = nm.spectra(items, DESCRIPTORS[name], modes=True, threads=1)
    same(one, nm.spectra(items, DESCRIPTORS[name], modes=True, threads=threads))


@pytest.mark.parametrize("name", ["power", "overlap sp"])
def test_order_and_company_change_no_bit(name):
    descriptor = fixed(DESCRIPTORS[name], ITEMS)
    order = rng(3).permutation(len(ITEMS))
    straight = nm.spectra(ITEMS, descriptor, modes=True)
    mixed = nm.spectra([ITEMS[k] for k in order], descriptor, modes=True)
    for field in ("singular_values", "modes", "rank", "rotation_floor"):
        np.testing.assert_array_equal(getattr(mixed, field), getattr(straight, field)[order])


@pytest.mark.parametrize("items", [[], [NONE], [NONE, NONE]], ids=len)
def test_nothing_to_see(items):
    found = nm.spectra(items, SOAP, modes=True)
    assert found.singular_values.shape == (len(items), 0)
    assert found.modes.shape == (len(items), 0, 0, 3)
    assert np.isnan(found.inverse_condition_number).all()
    assert found.trustworthy.all()


def test_sets_are_as_good_as_lists():
    vectors = rng(5).normal(scale=1.2, size=(700, 4, 3))
    items = [nm.Environment.from_vectors(r) for r in vectors]
    same(nm.spectra(nm.EnvironmentSet.from_vectors(vectors), SOAP), nm.spectra(items, SOAP))
    agree(nm.spectra(nm.EnvironmentSet.from_vectors(vectors[:20]), SOAP), items[:20], SOAP)


def test_species_of_the_whole_set_are_channels():
    items = nm.environments(list(STRUCTURES.values())[:3], cutoff=4.0)
    agree(nm.spectra(items, SOAP), items, SOAP)
    agree(nm.spectra(items, replace(SOAP, center_weight=0.4)), items, replace(SOAP, center_weight=0.4))
    with pytest.raises(nm.InputError, match=r"`species` must cover the environments, got .*'H'.* without C, O"):
        nm.spectra(items, replace(SOAP, species=("H",)))


def test_users_own_descriptor():
    own = load(f"{CHECKOUT}/docs/examples/my_descriptor.py:InverseMoments", {}, "")(n_moments=4)
    items = [item for item in ITEMS if len(item)]
    agree(nm.spectra(items, own, rtol=1e-8, modes=True, threads=2), items, own)


def test_estimated_errors_are_handed_on():
    items = [environment("methane"), environment("two"), environment("methane")]

    def sums(vectors, *_):
        return np.array([(np.linalg.norm(vectors, axis=1) ** -p).sum() for p in range(1, 5)])

    adapted = nm.FromCallable(sums, cutoff=4.0, derivative="finite-differences")
    found = nm.spectra(items, adapted, rtol=1e-4)
    assert (found.error > 0).all()
    for item, error, values in zip(items, found.error, found.singular_values, strict=True):
        _, jacobian, expected = adapted.compute_batch_with_error([item])[0]
        assert error == expected / values[0]
        np.testing.assert_allclose(values[: 3 * len(item) - 3], nm.sensitivity(jacobian, item, 1e-4).singular_values)
    assert found.trustworthy.all()
    assert not nm.spectra(items, adapted, rtol=1e-15).trustworthy.any()


class Own(nm.Descriptor):
    """Gives what it was made with."""

    cutoff = 4.0
    correlation_order: ClassVar[int | None] = None

    def __init__(self, jacobian):
        self.jacobian = jacobian

    def feature_labels(self, environments=None):
        raise NotImplementedError

    def compute_batch(self, environments):
        raise NotImplementedError

    def compute_batch_with_jacobian(self, environments):
        return [(np.zeros(5), self.jacobian) for _ in environments]


@pytest.mark.parametrize("kind", [np.float32, np.int64])
def test_other_kinds_of_numbers_are_taken(kind):
    jacobian = np.arange(60).reshape(5, 4, 3).astype(kind)
    values = nm.spectra([environment("methane")], Own(jacobian), rtol=0.5).singular_values
    np.testing.assert_array_equal(values, nm.spectra([environment("methane")], Own(jacobian * 1.0)).singular_values)


@pytest.mark.parametrize("bad", [np.ones((5, 12)), np.ones((5, 3, 3)), np.ones(60)], ids=["flat", "n", "one"])
def test_jacobians_of_another_shape_are_refused(bad):
    with pytest.raises(nm.InputError, match=r"must give features \(F,\) and a Jacobian \(F, 4, 3\)"):
        nm.spectra([environment("methane")], Own(bad))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", [np.s_[2, 1, 0], np.s_[:]], ids=["one", "all"])
def test_what_is_not_finite_is_no_rank(bad, where):
    jacobian = rng().normal(size=(5, 4, 3))
    jacobian[where] = bad
    found = nm.spectra([environment("methane")], Own(jacobian))
    assert np.isnan(found.singular_values).all()
    assert found.rank.tolist() == [0]
    assert not found.trustworthy.any()


def test_features_that_see_nothing():
    found = nm.spectra([environment("methane")], Own(np.zeros((5, 4, 3))))
    assert (found.singular_values == 0).all()
    assert found.rank.tolist() == [0]
    assert np.isnan(found.inverse_condition_number).all()
    assert np.isnan(found.rotation_floor).all()


NEAR = nm.environments(STRUCTURES["methane"], cutoff=3.0)
BAD = {
    "near": ((NEAR, SOAP), {}, r"`environments` must reach as far as the descriptor's cutoff \(4.0 Å\), got .* 3.0 Å"),
    "no list": ((environment("methane"), SOAP), {}, "`environments` must be a sequence"),
    "arrays": (([TD], SOAP), {}, "`environment` must be a nullmode.Environment"),
    "descriptor": ((ITEMS, "soap"), {}, "`descriptor` must be a nullmode.Descriptor, got 'soap'"),
    "rtol": ((ITEMS, SOAP), {"rtol": 0}, "`rtol` must be between 0 and 1, got 0"),
    "threads": ((ITEMS, SOAP), {"threads": 0}, "`threads` must be a whole number of at least 1, got 0"),
}


@pytest.mark.parametrize(("arguments", "options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(arguments, options, message):
    with pytest.raises(nm.InputError, match=message):
        nm.spectra(*arguments, **options)
