"""Sets hold what their environments hold, and refuse what these refuse."""

import numpy as np
import pytest
from cases import ENVIRONMENTS, STRUCTURES, TD, environment, rng

import nullmode as nm

NONE = nm.Environment.from_vectors([])
ALL = [environment(name) for name in ENVIRONMENTS] + [NONE]
CUT = nm.environments(list(STRUCTURES.values()), cutoff=3.5)
EITHER = pytest.mark.parametrize("items", [ALL, CUT, [NONE], []], ids=["vectors", "structures", "empty", "none"])


def agree(one, other):
    np.testing.assert_array_equal(one.vectors, other.vectors)
    np.testing.assert_array_equal(one.species, other.species)
    for name in ("center_species", "center", "structure"):
        assert getattr(one, name) == getattr(other, name), name


@EITHER
def test_environments_come_back(items):
    held = nm.EnvironmentSet.from_environments(items)
    assert len(held) == len(items)
    assert held.cutoff == (3.5 if items is CUT else np.inf)
    for one, other in zip(held, items, strict=True):
        agree(one, other)
        assert one.cutoff == other.cutoff


@EITHER
def test_joined_sets_are_the_set_of_all(items):
    parts = [nm.EnvironmentSet.from_environments(items[k : k + 3]) for k in range(0, max(1, len(items)), 3)]
    joined = nm.EnvironmentSet.joined(parts)
    for one, other in zip(joined, items, strict=True):
        agree(one, other)


def test_nearest_cutoff_counts():
    mixed = nm.EnvironmentSet.from_environments([*ALL, *CUT])
    assert mixed.cutoff == 3.5
    assert nm.EnvironmentSet.joined([nm.EnvironmentSet.from_environments(part) for part in (ALL, CUT)]).cutoff == 3.5


@pytest.mark.parametrize("places", [[], [2], [5, 0, 0, 8, 3], range(9)], ids=str)
def test_chosen_environments_are_taken_in_order(places):
    taken = nm.EnvironmentSet.from_environments(ALL).take(np.array(places, dtype=np.int64))
    for one, place in zip(taken, places, strict=True):
        agree(one, ALL[place])


@pytest.mark.parametrize("places", [[-2, 0, -5], [True, False] * 4 + [True]], ids=str)
def test_places_are_numpys(places):
    every = nm.EnvironmentSet.from_environments(ALL[:9])
    expected = np.arange(9)[places]
    for one, place in zip(every.take(np.array(places)), expected, strict=True):
        agree(one, ALL[place])


@pytest.mark.parametrize("cutoff", [0.5, 1.2, 4.0, 100.0])
def test_within_keeps_what_is_nearer(cutoff):
    from nullmode.geometry.environment import within

    for one, other in zip(nm.EnvironmentSet.from_environments(ALL).within(cutoff), ALL, strict=True):
        agree(one, within(other, cutoff))


@pytest.mark.parametrize("shape", [(5, 4, 3), (1, 1, 3), (0, 4, 3), (3, 0, 3)])
def test_vectors_make_the_environments_of_vectors(shape):
    vectors = rng(1).normal(size=shape)
    held = nm.EnvironmentSet.from_vectors(vectors, species="O", center_species=7)
    for one, r in zip(held, vectors, strict=True):
        agree(one, nm.Environment.from_vectors(r, "O", 7))
    # A copy: what happens to the caller's array does not matter.
    before = held.vectors.copy()
    vectors += 1.0
    np.testing.assert_array_equal(held.vectors, before)


GOOD = np.stack([TD, 1.1 * TD])


def changed(place, value):
    vectors = GOOD.copy()
    vectors[place] = value
    return vectors


BAD = {
    "shape": (TD, {}, r"`vectors` must have shape \(m, n, 3\), got \(4, 3\)"),
    "plane": (GOOD[:, :, :2], {}, r"`vectors` must have shape \(m, n, 3\), got \(2, 4, 2\)"),
    "ragged": ([TD, TD[:2]], {}, "`vectors` must be an array with rows of one length"),
    "texts": ("CH4", {}, "`vectors` must hold real numbers"),
    "complex": (1j * GOOD, {}, "`vectors` must hold real numbers, got complex"),
    "nan": (changed((1, 2, 0), np.nan), {}, "`vectors` must be finite .* in environment 1"),
    "far": (changed((0, 2, 0), 2e6), {}, r"`vectors` must be finite and at most 1e\+06 Å, got others in environment 0"),
    "on the centre": (
        changed((1, 2), 0.0),
        {},
        "distinct and off the centre, got two coincident atoms in environment 1",
    ),
    "on another": (changed((1, 2), 1.1 * TD[0]), {}, "distinct and off the centre, .* in environment 1"),
    "element": (GOOD, {"species": "Qq"}, "`species`"),
    "elements": (GOOD, {"species": ["H", "H", "H", "O"]}, "`species`"),
    "centre": (GOOD, {"center_species": 200}, "`center_species`"),
}


@pytest.mark.parametrize(("vectors", "options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_vectors_are_refused(vectors, options, message):
    with pytest.raises(nm.InputError, match=message):
        nm.EnvironmentSet.from_vectors(vectors, **options)


@pytest.mark.parametrize("bad", [[TD], [1, 2], ALL[0], "CH4"], ids=["arrays", "numbers", "one", "text"])
def test_only_environments_make_a_set(bad):
    with pytest.raises(nm.InputError, match=r"`environments?` must be"):
        nm.EnvironmentSet.from_environments(bad)
