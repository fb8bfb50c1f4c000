"""The laws of the constructions from theory, for random values of all their parameters."""

import numpy as np
import pytest
from cases import SETTING, pair, rings, rng
from naive import same_multisets
from scipy.spatial.distance import pdist
from variant_cases import DRAWS

import nullmode as nm
from nullmode import InputError
from nullmode._support.axes import MOST_POINTS
from nullmode._support.variants import load
from nullmode.families import FAMILIES
from nullmode.sweep.structures import make_structures

COMMENT = [
    (-0.48292545, -0.01172688, 0.98098615),
    (0.79969229, -0.54679906, -0.50714015),
    (0.78736755, 0.62878750, 0.45254563),
    (-0.66861222, 0.86029185, 0.09243308),
]


def between(low, high, *avoided, margin=4.0):
    """Draw uniformly, away from values at which something special happens."""

    def draw(generator):
        while True:
            value = generator.uniform(low, high)
            if all(abs(value - special) > margin for special in avoided):
                return [value]

    return draw


RIGHT = (-360, -270, -180, -90, 0, 90, 180, 270, 360)
SLANT = between(10, 170, 90)
LENGTH = between(0.8, 1.4)


def scalene(generator):
    """Azimuths of three in general position."""
    while True:
        angles = np.sort(generator.uniform(0, 360, size=3))
        gaps = np.sort(np.diff(angles, append=angles[0] + 360))
        if gaps[0] > 20 and np.diff(gaps).min() > 5:
            return angles.tolist()


# Draws of the parameters; up to which order members agree (0: no pair), and rank_complete for nu = 2 and 3.
LAWS = {
    "twofold_pair": (
        {
            "gamma": between(20, 160, 90), "alpha": SLANT, "theta": SLANT, "phi": between(0, 360, *RIGHT),
            "r_a": LENGTH, "r_b": LENGTH, "r_c": LENGTH,
        },
        2, (9, 9),
    ),
    "twofold_point": (
        {
            "theta": SLANT, "alpha": SLANT, "phi": between(0, 360, *RIGHT),
            "r_a": LENGTH, "r_b": LENGTH, "r_c": LENGTH,
        },
        0, (8, 9),
    ),
    "cone_point": (
        {
            "theta": SLANT, "phi_2": between(30, 170, 120, 90), "phi_3": between(190, 330, 240, 270),
            "r": LENGTH, "r_axis": LENGTH,
        },
        0, (8, 9),
    ),
    "integer_pair": ({"c": between(0.3, 8), "scale": between(0.15, 0.3)}, 2, (9, 9)),
    "homometric_set": (
        {
            "a": between(8, 82, 45), "chi": between(0, 360, *RIGHT), "delta": between(8, 82),
            "r": LENGTH, "r_pair": LENGTH, "r_axis": LENGTH, "members": lambda _: [0, 1, 2, 3],
        },
        2, (17, 18),
    ),
    "ring_pair": (
        {
            "psi": between(0, 360, 0, 180, 360), "radius": LENGTH, "height": between(0.3, 0.9), "cap": LENGTH,
            "azimuths": scalene,
        },
        3, (17, 18),
    ),
}  # fmt: skip


def members(kind, seed):
    """Neighbours of the structures of one random draw."""
    draws, *_ = LAWS[kind]
    for attempt in range(1000):
        generator = rng([seed, attempt])
        found = list(load(kind, FAMILIES, "")(**{name: draw(generator) for name, draw in draws.items()}))
        vectors = [atoms.positions[1:] for atoms in found]
        # Where neighbours nearly meet, or nearly repeat a dot product, rank and multisets depend on the tolerance.
        if min(pdist(v).min() for v in vectors) > 0.2:
            return vectors
    raise AssertionError("no draw with neighbours apart")


@pytest.mark.law(cases=5)
@pytest.mark.parametrize("seed", range(DRAWS))
@pytest.mark.parametrize("kind", [kind for kind, (_, order, _) in LAWS.items() if order])
def test_members_agree_up_to_their_order_and_are_not_congruent(kind, seed):
    first, *others = members(kind, seed)
    order = LAWS[kind][1]
    assert others
    for other in others:
        assert all(same_multisets(first, other, k, 1e-10) for k in range(1, order + 1))
        # Counting quadruples takes a second.
        if order < 3 or seed < 2:
            assert not same_multisets(first, other, order + 1, 1e-6)
    environments = [nm.Environment.from_vectors(v) for v in (first, *others)]
    apart = [nm.superpose(e, f).distance for e in environments for f in environments if e is not f]
    assert min(apart) > 1e-3


@pytest.mark.parametrize("seed", range(DRAWS))
@pytest.mark.parametrize("kind", LAWS)
def test_ranks_are_those_predicted(kind, seed):
    _, _, ranks = LAWS[kind]
    for vectors in members(kind, seed):
        env = nm.Environment.from_vectors(vectors)
        assert nm.rank_symmetric(env) == 3 * len(env) - 3
        assert tuple(nm.rank_complete(env, k, tolerance=1e-8) for k in (2, 3)) == ranks


@pytest.mark.law(cases=8, slow=["twofold_point"])
@pytest.mark.parametrize("kind", LAWS)
def test_a_converged_basis_sees_what_is_predicted(kind):
    order, ranks = LAWS[kind][1:]
    power = nm.PowerSpectrum(n_max=8, l_max=8, **SETTING)
    bispectrum = nm.Bispectrum(n_max=4, l_max=5, **SETTING)
    chiral = nm.Bispectrum(n_max=3, l_max=4, parity="SO3", **SETTING)
    environments = [nm.Environment.from_vectors(v) for v in members(kind, 3)]
    for descriptor, rank in ((power, ranks[0]), (bispectrum, ranks[1]), (chiral, None)):
        phi = descriptor.compute_batch(environments)
        for env, other in zip(environments, phi, strict=True):
            if rank is not None:
                assert nm.sensitivity(descriptor.compute_with_jacobian(env)[1], env).rank == rank
            if env is not environments[0]:
                distance = np.linalg.norm(other - phi[0]) / np.linalg.norm(phi[0])
                assert distance < 1e-13 if descriptor.correlation_order <= order else distance > 1e-6


# What was published is among them.


def vectors_of(kind, **parameters):
    return [nm.Environment.from_vectors(atoms.positions[1:]) for atoms in load(kind, FAMILIES, "")(**parameters)]


@pytest.mark.parametrize("u", [0.7, 0.8, 0.9, 1.0])
def test_the_twofold_pair_holds_the_published_one(u):
    direction = pair(u, 0.0)[1] / 1.09
    theta, phi = np.degrees([np.arccos(direction[0]), np.arctan2(direction[2], direction[1])])
    minus, plus = vectors_of("twofold_pair", gamma=[180 * u], theta=[theta], phi=[phi])
    assert nm.congruent(plus, nm.Environment.from_vectors(pair(u, 0.0, 1)), 1e-12)
    assert nm.congruent(minus, nm.Environment.from_vectors(pair(u, 0.0, -1)), 1e-12)


def test_the_integer_pair_is_a_twofold_pair():
    minus, plus = vectors_of("integer_pair", c=[3])
    five, root, angle = 5 * 0.25, np.sqrt(2), np.degrees
    twofold = vectors_of(
        "twofold_pair", gamma=[angle(np.arctan2(3, 5))], alpha=[45], theta=[angle(np.arctan(root))], phi=[45],
        r_a=[five * root], r_b=[five * np.sqrt(3)], r_c=[0.25 * np.sqrt(34)],
    )  # fmt: skip
    found = [[nm.congruent(one, other, 1e-12) for other in twofold] for one in (minus, plus)]
    assert np.sum(found, axis=0).tolist() == np.sum(found, axis=1).tolist() == [1, 1]
    (merged,) = vectors_of("integer_pair", c=[0], signs=[1])
    assert (nm.rank_complete(merged, 2), nm.rank_complete(merged, 3)) == (8, 9)
    assert nm.point_group(merged).name == "C1"


def test_the_point_of_the_comment_is_a_cone_point():
    published = nm.Environment.from_vectors(COMMENT)
    length = np.linalg.norm(published.vectors, axis=1)
    directions = published.vectors / length[:, None]
    # Which of the four makes equal angles with three others at equal distances.
    gram = directions @ directions.T
    spread = [np.ptp(np.delete(gram[k], k)) + np.ptp(np.delete(length, k)) for k in range(4)]
    top = int(np.argmin(spread))
    three = np.delete(directions, top, axis=0)
    x = directions[top]
    y = three[0] - (three[0] @ x) * x
    y /= np.linalg.norm(y)
    azimuth = np.degrees(np.arctan2(three @ np.cross(x, y), three @ y))
    (point,) = vectors_of(
        "cone_point", theta=[np.degrees(np.arccos((three @ x).mean()))], phi_2=[azimuth[1]], phi_3=[azimuth[2]],
        r=[np.delete(length, top).mean()], r_axis=[length[top]],
    )  # fmt: skip
    assert nm.superpose(point, published).distance < 1e-7
    power = nm.PowerSpectrum(n_max=8, l_max=8, cutoff=2.5, cutoff_width=0.0, width=0.3)
    exact, printed = (
        nm.sensitivity(power.compute_with_jacobian(env)[1], env).inverse_condition_number for env in (point, published)
    )
    assert exact < 1e-14
    assert 1e-11 < printed < 1e-8


def test_the_homometric_set_holds_the_published_triplet():
    s = np.sqrt(0.5)
    four, turned = [(1, 0, 0), (s, -s, 0), (0, -1, 0), (-s, s, 0)], [(1, 0, 0), (s, s, 0), (0, -1, 0), (-s, -s, 0)]
    published = [
        [*four, (0, -s, -s), (0, 0, -1), (0, s, s)],
        [*four, (0, -s, s), (0, 0, -1), (0, s, -s)],
        [*turned, (0, -s, s), (0, 0, -1), (0, s, -s)],
    ]
    made = vectors_of("homometric_set", members=[0, 1, 2, 3])
    for one, other in zip(made, published, strict=False):
        assert nm.congruent(one, nm.Environment.from_vectors(other), 1e-12)
    assert nm.congruent(made[1], made[3], 1e-12)
    assert not any(nm.congruent(made[i], made[j], 1e-3) for i, j in ((0, 1), (0, 2), (1, 2)))


# Ranks of 18 for nu = 2, nu = 3 (O3) and nu = 3 (SO3): r = 1, psi = .6 rad, z1 = .5, z2 = 1.2.
RING_RANKS = {
    "generic": ([0, 2, 3.7], 0.6, (17, 18, 18)),
    "isosceles": ([0, 1.9, -1.9], 0.6, (12, 17, 17)),
    "equilateral": ([0, 2 * np.pi / 3, 4 * np.pi / 3], 0.6, (6, 6, 6)),
    "aligned": ([0, 2, 3.7], 0.0, (11, 17, 18)),
    "opposed": ([0, 2, 3.7], np.pi, (10, 17, 18)),
}


@pytest.mark.parametrize(("azimuths", "psi", "ranks"), RING_RANKS.values(), ids=RING_RANKS.keys())
def test_ring_pairs_have_the_ranks_of_theory(azimuths, psi, ranks):
    above, below = vectors_of("ring_pair", azimuths=np.degrees(azimuths).tolist(), psi=[np.degrees(psi)])
    assert nm.congruent(above, nm.Environment.from_vectors(rings(azimuths, psi)), 1e-12)
    for env in (above, below):
        assert (nm.rank_complete(env, 2), nm.rank_complete(env, 3), nm.rank_complete(env, 3, "SO3")) == ranks
    # They merge where they are singular without need.
    generic = azimuths == [0, 2, 3.7] and psi == 0.6
    assert nm.congruent(above, below) == (not generic)


def test_a_shift_moves_the_last_atom_of_both_rings():
    shifted = vectors_of("ring_pair", azimuths=[0, 115, 212], shift=[-5, 7], psi=[30])
    chosen = [vectors_of("ring_pair", azimuths=[0, 115, angle], psi=[30]) for angle in (207, 219)]
    for one, other in zip(shifted, [both[k] for k in (0, 1) for both in chosen], strict=True):
        assert np.allclose(one.vectors, other.vectors, rtol=0, atol=1e-12)


@pytest.mark.parametrize("azimuths", [[0, 47, 131, 290], [0, 31, 103, 187, 290]])
def test_rings_of_more_atoms_do_the_same(azimuths):
    above, below = (env.vectors for env in vectors_of("ring_pair", azimuths=azimuths, psi=[25]))
    assert all(same_multisets(above, below, k, 1e-10) for k in (1, 2, 3))
    assert not nm.congruent(*(nm.Environment.from_vectors(v) for v in (above, below)), 1e-3)


@pytest.mark.parametrize("kind", LAWS)
def test_pairs_of_the_tables_are_members_of_one_set(kind):
    frame = make_structures(kind, {}, kind)
    order = LAWS[kind][1]
    assert ("pair" in frame) == (order > 0)
    if order:
        for _, rows in frame.groupby("pair"):
            first, *others = (np.reshape(positions, (-1, 3))[1:] for positions in rows["positions"])
            assert all(same_multisets(first, other, k, 1e-10) for other in others for k in range(1, order + 1))


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("twofold_pair", {"r_c": [0]}, "values must be greater than 0"),
        ("twofold_point", {"theta": [200]}, "values must be at most 180"),
        ("homometric_set", {"a": [90]}, "values must be at most 89.999"),
        ("homometric_set", {"members": [4]}, r"parameters\.members"),
        ("ring_pair", {"azimuths": [0, 90]}, r"parameters\.azimuths"),
        ("integer_pair", {"signs": []}, r"parameters\.signs"),
        ("twofold_pair", {"phi": {"start": 1, "stop": MOST_POINTS}}, f"at most {MOST_POINTS} points"),
        ("cone_point", {"theta": {"start": 1, "stop": 179}, "phi_2": {"start": 1, "stop": 999}}, "points, got 178821"),
    ],
)
def test_impossible_parameters_are_refused(kind, parameters, message):
    with pytest.raises(InputError, match=message):
        make_structures(kind, parameters, "a")
