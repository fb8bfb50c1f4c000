"""Some of the features of a descriptor are a descriptor."""

import pickle

import numpy as np
import pytest
from cases import DESCRIPTORS, SETTING, TD, environment, random_methane

import nullmode as nm
from nullmode.descriptors._layout import with_layout_of

SOAP = nm.PowerSpectrum(n_max=2, l_max=2, species="H", **SETTING)


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("name", DESCRIPTORS)
def test_features_are_rows_of_the_whole(name):
    envs = [environment(each) for each in ("methane", "mixed", "crowded")]
    whole = with_layout_of(DESCRIPTORS[name], envs)
    labels = whole.feature_labels()
    chosen = list(range(len(labels) - 1, -1, -3))
    selected = nm.Selected(whole, chosen)
    assert selected.feature_labels() == [labels[k] for k in chosen]
    pairs = zip(selected.compute_batch_with_jacobian(envs), whole.compute_batch_with_jacobian(envs), strict=True)
    for (phi, jac), (every, slopes) in pairs:
        np.testing.assert_array_equal(phi, every[chosen])
        np.testing.assert_array_equal(jac, slopes[chosen])
    for each, every in zip(selected.compute_batch(envs), whole.compute_batch(envs), strict=True):
        np.testing.assert_array_equal(each, every[chosen])
    inherited = ("cutoff", "correlation_order", "parity", "rounding", "cutoff_width")
    assert [getattr(selected, each, None) for each in inherited] == [getattr(whole, each, None) for each in inherited]
    assert pickle.loads(pickle.dumps(selected)) == selected


def test_a_selection_of_a_selection_counts_in_the_latter():
    env = environment("methane")
    twice = nm.Selected(nm.Selected(SOAP, [1, 3, 5, 7]), [2, 0])
    np.testing.assert_array_equal(twice.compute(env), SOAP.compute(env)[[5, 1]])


def test_errors_of_a_function_are_kept():
    function = nm.FromCallable(lambda vectors: np.sin(vectors).ravel(), cutoff=4.0)
    env = nm.Environment.from_vectors(random_methane(1))
    [(_, _, error)] = function.compute_batch_with_error([env])
    [(_, jacobian, kept)] = nm.Selected(function, [0, 4]).compute_batch_with_error([env])
    assert error == kept > 0
    assert jacobian.shape == (2, 4, 3)


def test_what_symmetry_forbids_is_no_rank():
    """Of a regular tetrahedron, features of l = 1 and 2 are zero but for rounding; of absent species, exactly."""
    soap = nm.PowerSpectrum(n_max=4, l_max=2, species=("H", "Li"), **SETTING)
    labels = soap.feature_labels()
    forbidden = [k for k, each in enumerate(labels) if each.l in (1, 2) and each.species_2 == "H"]
    absent = [k for k, each in enumerate(labels) if each.species_2 == "Li"]
    methane = nm.Environment.from_vectors(TD)
    rows = [nm.analyze([methane], nm.Selected(soap, each)).iloc[0] for each in (forbidden, absent)]
    assert [row["status"] for row in rows] == ["rtol_below_error", "ok"]
    assert rows[1]["rank"] == 0


BAD = {
    "a layout that is open": (
        nm.PowerSpectrum(),
        [0],
        r"`descriptor` must state its species and n_neighbours_max, got",
    ),
    "none": (SOAP, [], r"`features` must be distinct whole numbers from 0 on, at least one, got \[\]"),
    "twice": (SOAP, [1, 1], r"`features` must be distinct whole numbers.*got \[1, 1\]"),
    "negative": (SOAP, [-1], r"`features` must be distinct whole numbers.*got \[-1\]"),
    "a share": (SOAP, [0.5], r"`features` must be distinct whole numbers.*got \[0.5\]"),
    "a truth value": (SOAP, [True, False], r"`features` must be distinct whole numbers.*got \[True"),
    "no descriptor": ("soap", [0], r"`descriptor` must be a nullmode.Descriptor, got 'soap'"),
}


@pytest.mark.parametrize(("descriptor", "features", "message"), BAD.values(), ids=BAD.keys())
def test_bad_selections_are_refused(descriptor, features, message):
    with pytest.raises(nm.InputError, match=message):
        nm.Selected(descriptor, features)


def test_features_beyond_the_last_are_refused():
    for use in (lambda each: each.feature_labels(), lambda each: each.compute(environment("methane"))):
        with pytest.raises(nm.InputError, match=r"`features` must be below 9, the number of features of .*, got 9"):
            use(nm.Selected(SOAP, [0, 9]))


def test_truncations_are_those_of_the_whole():
    with pytest.raises(nm.InputError, match="`n_max` must be None for a descriptor without it"):
        nm.truncation_sweep([environment("methane")], nm.Selected(SOAP, [0, 1]), n_max=[1, 2])
