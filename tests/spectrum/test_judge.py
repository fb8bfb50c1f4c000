"""The rule that judges singular values, case by case; it is written nowhere else."""

from typing import get_args

import numpy as np
import pytest

from nullmode._support.status import Status
from nullmode.spectrum.judgement import judge

NAN = np.nan
RTOL = 1e-3
# Of terms of size 1000 with a rounding of 1e-6, values up to 1e-3 are rounding.
TERMS = {"terms": 1e3, "rounding": 1e-6}
# Singular values, response, further arguments; rank, condition number, its inverse, floors, status.
CASES = {
    "all seen": ([4.0, 2.0], 0.001, {}, (2, 2.0, 0.5, 0.00025, 0.0, "ok")),
    "one null": ([4.0, 0.004], 0.0, {}, (1, 1000.0, 0.001, 0.0, 0.0, "ok")),
    "one vanishes": ([4.0, 0.0], 0.0, {}, (1, np.inf, 0.0, 0.0, 0.0, "ok")),
    "all vanish": ([0.0, 0.0], 0.0, {}, (0, NAN, NAN, NAN, 0.0, "ok")),
    "nothing can move": ([], 0.0, {}, (0, NAN, NAN, NAN, 0.0, "ok")),
    "no rigid motion": ([4.0, 2.0], NAN, {}, (2, 2.0, 0.5, NAN, 0.0, "ok")),
    "no neighbours": ([], 0.0, {"empty": True}, (0, NAN, NAN, NAN, NAN, "no_neighbours")),
    "terms cancel": ([1e-3, 5e-4], 5e-4, TERMS, (0, NAN, NAN, NAN, 1e-3, "ok")),
    "terms cancel, with noise": ([1e-3, 5e-4], 2e-3, TERMS, (0, NAN, NAN, NAN, 1e-3, "rtol_below_floor")),
    "small but true": ([0.004, 0.002], 0.0, TERMS, (2, 2.0, 0.5, 0.0, 1e-3, "ok")),
    "one is rounding": ([0.004, 1e-3], 0.001, TERMS, (1, 4.0, 0.25, 0.25, 1e-3, "ok")),
    "noise": ([4.0, 2.0], 0.0041, {}, (2, 2.0, 0.5, 0.001025, 0.0, "rtol_below_floor")),
    "error": ([4.0, 2.0], 0.0, {"error": 0.0041}, (2, 2.0, 0.5, 0.0, 0.0, "rtol_below_error")),
    "all within a small error": ([0.5, 0.2], 0.4, TERMS | {"error": 0.8}, (0, NAN, NAN, NAN, 0.8, "ok")),
    "all within a large error": ([2.0, 1.0], 0.0, TERMS | {"error": 3.0}, (2, 2.0, 0.5, 0.0, 1e-3, "rtol_below_error")),
    "noise before error": ([4.0], 0.1, {"error": 0.1}, (1, 1.0, 1.0, 0.025, 0.0, "rtol_below_floor")),
    "not finite": ([NAN, NAN], 0.1, {"finite": False, "error": 0.1}, (0, NAN, NAN, NAN, NAN, "not_finite")),
    "no neighbours before all": ([], 0.1, {"finite": False, "empty": True}, (0, NAN, NAN, NAN, NAN, "no_neighbours")),
}


@pytest.mark.parametrize("name", CASES)
def test_the_rule_holds(name):
    values, response, known, expected = CASES[name]
    judgement = judge(np.array(values), response, rtol=RTOL, **known).of_one()
    np.testing.assert_equal(tuple(judgement.values()), expected)


def test_every_status_occurs():
    # Rows of these have no values to be judged.
    assert {expected[-1] for *_, expected in CASES.values()} | {"failed", "bad_structure"} == set(get_args(Status))


def test_many_are_judged_as_each_alone():
    alike = {name: case for name, case in CASES.items() if len(case[0]) == 2}
    defaults = {"terms": 0.0, "error": 0.0, "finite": True, "empty": False}
    known = {key: np.array([case[2].get(key, default) for case in alike.values()]) for key, default in defaults.items()}
    values = np.array([case[0] for case in alike.values()])
    response = np.array([case[1] for case in alike.values()])
    judgement = judge(np.stack([values, values]), response, rtol=RTOL, rounding=1e-6, **known)
    for name, column in judgement._asdict().items():
        each = [judge(np.array(v), r, rtol=RTOL, **{"rounding": 1e-6, **k}).of_one() for v, r, k, _ in alike.values()]
        expected = [judged[name] for judged in each]
        np.testing.assert_array_equal(column, [expected, expected])
