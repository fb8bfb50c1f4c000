"""Families near singular environments, and a singular point that the published pair passes."""

import itertools

import numpy as np
import pytest
from cases import pair, rng
from scipy.spatial.distance import pdist
from variant_cases import DRAWS, made

import nullmode as nm


@pytest.mark.parametrize(
    "options", [{}, {"u": 0.8, "v": 0.03, "width": 0.4, "n_max": 5, "l_max": 6}], ids=["X", "pair"]
)
def test_displacements_are_of_their_amplitude_along_one_direction_and_no_rotation(options):
    start, *displaced = made("mode_displacement", amplitudes=[-4, -1], **options)
    assert start.info == {"centers": [0], "mode": "none", "amplitude": 0.0, "pair": 0}
    rotations = [np.cross(axis, start.positions[1:]).ravel() for axis in np.eye(3)]
    directions = []
    for atoms in (displaced[:2], displaced[2:]):
        assert [item.info["amplitude"] for item in atoms] == [1e-4, 0.1]
        small, large = ((item.positions - start.positions)[1:].ravel() for item in atoms)
        assert np.allclose([np.linalg.norm(small), np.linalg.norm(large)], [1e-4, 0.1], rtol=1e-9)
        assert np.allclose(small / 1e-4, large / 0.1, rtol=0, atol=1e-9)
        assert np.abs(rotations @ large).max() < 1e-12
        directions.append(large / 0.1)
    assert abs(np.dot(*directions)) < 1e-12


@pytest.mark.parametrize(("u", "power"), [(1.0, 2), (0.8, 1)])
def test_features_change_most_along_the_stiffest_mode_and_least_along_the_softest(u, power):
    # Two features that differ by rounding alone would pass for anything: amplitudes are large enough.
    start, *displaced = made("mode_displacement", u=u, amplitudes=[-3, -2.7])
    phi, *others = nm.PowerSpectrum().compute_batch(
        [nm.Environment.from_vectors(a.positions[1:]) for a in (start, *displaced)]
    )
    change = {
        (a.info["mode"], a.info["amplitude"]): np.linalg.norm(f - phi) for a, f in zip(displaced, others, strict=True)
    }
    rng = np.random.default_rng(0)
    rotations = np.linalg.qr(np.array([np.cross(axis, start.positions[1:]).ravel() for axis in np.eye(3)]).T)[0]
    for amplitude in (1e-3, 10**-2.7):
        free = rng.normal(size=(200, 12))
        free -= free @ rotations @ rotations.T
        moved = start.positions[1:] + amplitude * (free / np.linalg.norm(free, axis=1)[:, None]).reshape(-1, 4, 3)
        random = [
            np.linalg.norm(f - phi)
            for f in nm.PowerSpectrum().compute_batch([nm.Environment.from_vectors(m) for m in moved])
        ]
        assert change["softest", amplitude] < min(random) < max(random) < 1.02 * change["stiffest", amplitude]
    for mode, expected in (("softest", power), ("stiffest", 1)):
        grown = np.log(change[mode, 10**-2.7] / change[mode, 1e-3]) / np.log(10**0.3)
        assert abs(grown - expected) < 0.02, mode


def test_modes_are_in_the_order_asked_for():
    assert [a.info["mode"] for a in made("mode_displacement", modes=["softest"], amplitudes=[-2])] == [
        "none",
        "softest",
    ]


def test_one_hydrogen_approaches_the_cutoff_and_the_others_stay():
    random = [a.positions for a in made("random_methane", n_structures=4, seed=3)]
    items = made("cutoff_approach", cutoff=5.0, distances=[0.5, 1e-5], n_structures=4, seed=3)
    assert [(a.info["distance_to_cutoff"], a.info["sample"]) for a in items] == list(
        itertools.product([0.5, 1e-5], range(4))
    )
    for atoms in items:
        before = random[atoms.info["sample"]]
        assert np.array_equal(atoms.positions[:4], before[:4])
        length = np.linalg.norm(atoms.positions[4])
        assert abs(5.0 - length - atoms.info["distance_to_cutoff"]) < 1e-12
        assert np.allclose(atoms.positions[4] / length, before[4] / np.linalg.norm(before[4]))


# Four equal bonds, and two opposite angles that are equal.


def with_equal_opposite_angles(generator):
    """Four neighbours at one distance, the last such that its angle with the second is that of first and third."""
    while True:
        one, two, three = (v / np.linalg.norm(v) for v in generator.normal(size=(3, 3)))
        aside = np.cross(two, generator.normal(size=3))
        aside /= np.linalg.norm(aside)
        cosine = one @ three
        vectors = 1.1 * np.array([one, two, three, cosine * two + np.sqrt(1 - cosine**2) * aside])
        if pdist(vectors).min() > 0.3 and np.diff(np.sort(pdist(vectors)))[1:].min() > 1e-2:
            return vectors


@pytest.mark.parametrize("seed", range(DRAWS))
def test_equal_opposite_angles_are_singular_where_bonds_are_equal(seed):
    vectors = with_equal_opposite_angles(rng(seed))
    env, other = nm.Environment.from_vectors(vectors), nm.Environment.from_vectors(vectors * [[1], [1], [1], [1.1]])
    assert nm.rank_symmetric(env) == 9
    assert [nm.rank_complete(env, k, tolerance=1e-8) for k in (2, 3)] == [8, 9]
    assert nm.rank_complete(other, 2, tolerance=1e-8) == 9


def test_the_published_pair_passes_such_a_point_near_where_it_merges():
    # The root of A·B' = C·B in u, for C at v = 0.
    latitude, third = 3 * np.pi / 8, np.pi / 6
    cosine = np.cos(third) * np.cos(latitude) * np.cos(0.8 * np.pi) - np.sin(latitude) * np.sin(third)
    u = 0.2 + np.arccos(cosine / np.cos(third)) / np.pi
    assert abs(2 - u - 0.9807876231580008) < 1e-15  # as written in config/config.yaml
    for sign, at in ((1, u), (-1, 2 - u)):
        env = nm.Environment.from_vectors(pair(at, 0.0, sign))
        assert [nm.rank_complete(env, k, tolerance=1e-9) for k in (2, 3)] == [8, 9]
        assert nm.point_group(env).name == "C1"
        assert nm.rank_complete(nm.Environment.from_vectors(pair(at, 0.0, -sign)), 2, tolerance=1e-9) == 9
