"""Where all is seen and nothing equivalent, causes are known at once, and are those that a search for them finds."""

import numpy as np
import pandas as pd
import pytest
from cases import OCTAHEDRON, SETTING, TD, rng

import nullmode as nm
from nullmode.analysis import cause_columns
from nullmode.symmetry.nearby import generic_lengths
from nullmode.symmetry.point_group import largest_tolerance, point_group

POWER = nm.PowerSpectrum(n_max=8, l_max=8, **SETTING)
DESCRIPTORS = {
    "power": POWER,
    "of no known order": nm.InverseDistances(cutoff=4.0),
    "chiral": nm.Bispectrum(n_max=3, l_max=3, parity="SO3", **SETTING),
}


def environments(count):
    draw = rng(4)
    random = [draw.normal(size=(draw.integers(2, 7), 3)) for _ in range(count)]
    flat = [np.r_[each[:3], [[0.7, 0.9, 1e-4]]] * [1, 1, 1e-3] for each in random if len(each) > 2][:5]
    near = [
        base + a * draw.normal(size=base.shape)
        for base in (TD, OCTAHEDRON)
        for a in (1e-8, 1e-6, 1e-5, 1e-3, 3e-3, 1e-2, 0.1)
    ]
    species = ["H", "H", "F", "O", "H", "F", "F"]
    mixed = [nm.Environment.from_vectors(each, species[: len(each)]) for each in random[: count // 3]]
    return [nm.Environment.from_vectors(each) for each in [*random, *flat, *near]] + mixed


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("tolerance", [1e-6, 1e-3])
@pytest.mark.parametrize("name", DESCRIPTORS)
def test_the_short_cut_gives_what_the_search_gives(name, tolerance, monkeypatch):
    envs, descriptor = environments(20 if name == "power" else 12), DESCRIPTORS[name]
    options = {"attribution": True, "tolerance": tolerance, "rtol": 1e-9}
    short = nm.analyze(envs, descriptor, **options)
    monkeypatch.setattr(cause_columns, "are_generic", lambda part, *_: np.zeros(len(part), dtype=bool))
    long = nm.analyze(envs, descriptor, **options)
    pd.testing.assert_frame_equal(short, long, check_exact=True)
    assert (short["rank"] == short["n_dof"]).any()


def test_nothing_is_equivalent_below_the_length():
    envs = environments(40)
    lengths = [generic_lengths(env.vectors[None], env.species[None])[0] if len(env) > 2 else 0.0 for env in envs]
    assert (np.array(lengths) > 1e-3).sum() > 30
    for env, length in zip(envs, lengths, strict=True):
        assert length <= largest_tolerance(env.vectors) * (1 + 1e-12)
        if length > 1e-9:
            assert point_group(env, 0.999 * length).name == "C1"
