"""The share of near-singular environments, by cause: sets of which the cause is known."""

import drawn
import numpy as np
import pandas as pd
import pytest
from cases import TD, rng
from tasks import sensitivities

from nullmode._support.types import InputError
from nullmode.figures import near_singular
from nullmode.sweep import settings, structures

CAUSES = ["symmetry", "incompleteness", "truncation", "unresolved", "cutoff", "none"]


def frames(vectors):
    rows = [
        {
            "structure": k,
            "numbers": [6] + [1] * len(each),
            "positions": np.vstack([np.zeros(3), each]).ravel().tolist(),
            "cell": [0.0] * 9,
            "pbc": [0, 0, 0],
            "centers": [0],
            "forces": None,
            "stress": None,
            "defect": None,
        }
        for k, each in enumerate(vectors)
    ]
    return pd.DataFrame(rows)


def generic(seed):
    return rng(seed).normal(size=(4, 3))


def at_the_cutoff(seed, gap=0.003):
    vectors = generic(seed)
    vectors[0] *= (4.0 - gap) / np.linalg.norm(vectors[0])
    return vectors


SETS = {
    "generic": frames([generic(seed) for seed in (5, 6, 7)]),
    "methane": frames([TD]),
    "shaken": frames([TD + 1e-4 * rng(seed).normal(size=(4, 3)) for seed in range(3)]),
    "cutoff": frames([at_the_cutoff(seed) for seed in (5, 6)]),
    "vanishing": frames([at_the_cutoff(5, gap=1e-7)]),
    "X": structures.make_structures("point_groups", {"names": ["X"]}, "X"),
    "half": frames([generic(5), TD + 1e-4 * rng(1).normal(size=(4, 3)), generic(6), TD]),
}


def run(family, points, descriptor="soap"):
    task = {
        **{"family": family, "descriptor": descriptor, "kind": "power-spectrum", "scope": "environment"},
        **{"points": points, "rtol": 1e-9, "tolerance": 1e-6},
    }
    return sensitivities(SETS[family], task, threads=1)


def found(family, points, explained=3, threshold=1e-3, descriptor="soap"):
    table = run(family, points, descriptor)
    parameters = {"families": [family], "descriptors": [descriptor], "threshold": threshold, "explained": explained}
    modes = drawn.explained("near_singular", table, SETS, {descriptor: "power-spectrum"}, parameters)
    return near_singular.shares(table, modes, [family], [descriptor], threshold)


FINE, COARSE = {"n_max": 8, "l_max": 8}, {"n_max": 2, "l_max": 2}


@pytest.mark.parametrize(
    ("family", "point", "share", "cause"),
    [
        ("generic", FINE, 0, None),
        ("methane", FINE, 0, None),
        ("shaken", FINE, 1, "symmetry"),
        ("cutoff", FINE, 1, "cutoff"),
        ("vanishing", FINE, 1, "cutoff"),
        ("X", FINE, 1, "incompleteness"),
        ("generic", COARSE, 1, "truncation"),
        ("half", FINE, 0.25, "symmetry"),
    ],
)
def test_sets_of_one_cause_have_it(family, point, share, cause):
    (row,) = found(family, [point]).to_dict("records")
    assert row["environments"] == len(SETS[family])
    assert row["near_singular"] == share
    assert np.isclose(sum(row[name] for name in CAUSES), share)
    if cause:
        assert row[cause] >= 0.5 * share
        assert row["soft_modes"] > 0
    else:
        assert row["soft_modes"] == 0
        assert row["median_ratio"] > 1e-3


def test_every_truncation_is_a_choice():
    result = found("generic", [COARSE, FINE])
    assert result["near_singular"].tolist() == [1, 0]
    assert len(set(result["choice"])) == 2


def test_result_says_why_and_which_choice_leaves_fewest():
    table, parameters = (
        run("generic", [COARSE, FINE]),
        {"families": ["generic"], "descriptors": ["soap"], "explained": 2},
    )
    modes = drawn.explained("near_singular", table, SETS, {"soap": "power-spectrum"}, parameters)
    said = near_singular.draw(table, modes, **parameters).result
    assert "generic: 100 % (truncation 100) and 0 % (soap: ν = 2, (8, 8), σ 0.3, r_c 4, w 0.5). " in said
    assert said.endswith("at most 2 environments per bar.")


# Shares of the first choice and of the others.
CURES = {
    "one better": ([1.0, 0.25, 0.5], " and 25 % (b)"),
    "two better alike": ([1.0, 0.25, 0.25], " and 25 % (b and 1 other)"),
    "all alike": ([1.0, 1.0, 1.0], ", and no other choice leaves fewer"),
    "the first is best": ([0.2, 1.0, 0.2], ", and no other choice leaves fewer"),
    "one choice": ([1.0], ""),
}


@pytest.mark.parametrize(("shares", "said"), CURES.values(), ids=CURES.keys())
def test_no_choice_is_a_cure_that_leaves_as_many(shares, said):
    rows = pd.DataFrame({"near_singular": shares, "choice": list("abc")[: len(shares)]})
    assert near_singular._cure(rows, rows["near_singular"]) == said


def test_few_environments_tell_the_causes_of_all():
    all_asked, one_asked = (found("shaken", [FINE], explained=n).iloc[0] for n in (3, 1))
    assert all_asked["near_singular"] == one_asked["near_singular"] == 1
    assert np.isclose(sum(one_asked[name] for name in CAUSES), 1)


def test_the_threshold_decides():
    (row,) = found("generic", [FINE], threshold=1.0).to_dict("records")
    assert row["near_singular"] == 1


def config(**parameters):
    return {
        "results": "results",
        "families": {"a": {"kind": "point_groups"}, "b": {"kind": "random_methane"}},
        "descriptors": {
            "swept": {"kind": "power-spectrum", "grid": {"n_max": [2, 3]}, "families": ["a"]},
            "whole": {"kind": "power-spectrum", "scope": "structure"},
        },
        "figures": {"near": {"kind": "near_singular", "parameters": {"families": ["a", "b"], **parameters}}},
    }


def test_descriptors_may_be_swept_and_lack_a_family():
    settings.check(config(descriptors=["swept"]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"descriptors": ["other"]}, "must name what the configuration declares"),
        ({"descriptors": ["whole"]}, "must be of scope environment"),
        ({"descriptors": ["swept"], "threshold": 2}, r"figures\.near\.parameters\.threshold"),
        ({"descriptors": ["swept"], "labels": {"c": "C"}}, "must name"),
    ],
)
def test_impossible_figures_are_refused(parameters, message):
    with pytest.raises(InputError, match=message):
        settings.check(config(**parameters))
