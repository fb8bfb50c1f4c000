"""Published sizes over random methane."""

import numpy as np
import pytest

import nullmode as nm
from nullmode.families import random_methane

SETTING = {"n_max": 6, "l_max": 4, "width": 0.5, "cutoff": 4.0, "cutoff_width": 0.5}
PERCENTILES = (0.5, 5, 25, 50, 75, 95)
# Of s_d/s_1 over 9753 frames; and the relative standard deviation of each percentile for 400 frames.
EXPECTED = {
    "nu = 2": (nm.PowerSpectrum(**SETTING), (2.0e-3, 8.0e-3, 2.3e-2, 3.9e-2, 5.9e-2, 8.7e-2)),
    "nu = 3": (nm.Bispectrum(**SETTING), (7.7e-3, 2.5e-2, 5.8e-2, 8.7e-2, 1.17e-1, 1.56e-1)),
}
DEVIATION = np.array([0.37, 0.16, 0.06, 0.04, 0.04, 0.04])


@pytest.fixture(scope="module")
def measured():
    environments = nm.environments(list(random_methane.structures(n_structures=400, seed=1)), 4.0, centers="C")
    return {
        name: nm.analyze(environments, descriptor)["inverse_condition_number"].to_numpy()
        for name, (descriptor, _) in EXPECTED.items()
    }


@pytest.mark.parametrize("order", EXPECTED)
def test_percentiles_of_random_methane_are_the_published_ones(measured, order):
    got = np.percentile(measured[order], PERCENTILES)
    assert (np.abs(got / np.array(EXPECTED[order][1]) - 1) < 3 * DEVIATION).all(), got


def test_the_bispectrum_sees_more_and_for_the_same_reasons(measured):
    two, three = measured["nu = 2"], measured["nu = 3"]
    assert (three > two).mean() > 0.99
    # .79 over 9753 frames; for 400 its standard deviation is about (1 - .79²)/sqrt(400) = .02.
    assert np.corrcoef(np.log(two), np.log(three))[0, 1] == pytest.approx(0.79, abs=0.06)
