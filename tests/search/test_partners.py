import numpy as np
import pytest
from cases import BOND, RANKS, SETTING, pair, rings, rng
from naive import same_multisets

import nullmode as nm
from nullmode import InputError
from nullmode.search._evaluation import Evaluator
from nullmode.search._polish import attributed
from nullmode.search.partners import find_partners

POWER = nm.PowerSpectrum(n_max=8, l_max=8, **SETTING)
BISPECTRUM = nm.Bispectrum(n_max=4, l_max=5, **SETTING)


def made(vectors, *species):
    return nm.Environment.from_vectors(vectors, *species)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("descriptor", [nm.RadialSpectrum(n_max=3), nm.PowerSpectrum(n_max=1, l_max=1)], ids=repr)
def test_one_neighbour_has_no_partner(descriptor):
    # Starts end at the very environment that is removed.
    partners = find_partners(made([[1.1, 0.0, 0.0]]), descriptor, n_starts=20)
    assert not partners.environments


# One member, the other, a descriptor that cannot tell them apart, the order that can.
PAIRS = {
    "A+": (pair(0.8, 0.0, 1), pair(0.8, 0.0, -1), POWER, 3),
    "A-, near its point": (pair(0.97, 0.0, -1), pair(0.97, 0.0, 1), POWER, 3),
    "bispectrum pair": (rings([0, 2, 3.7], 0.6), rings([0, 2, 3.7], 0.6, z2=-1.2), BISPECTRUM, 4),
}


@pytest.mark.law(cases=2, slow=["bispectrum pair"])
@pytest.mark.parametrize(("one", "other", "descriptor", "order"), PAIRS.values(), ids=PAIRS.keys())
def test_the_partner_is_found_without_being_told(one, other, descriptor, order):
    result = find_partners(made(one), descriptor, n_starts=40)
    assert result.converged
    (partner,) = result.environments
    assert nm.congruent(partner, made(other), 1e-7)
    assert not nm.congruent(partner, made(one), 1e-3)
    assert result.feature_distances[0] < 1e-13
    assert result.structural_distances[0] == pytest.approx(nm.superpose(made(one), made(other)).distance, abs=1e-7)
    # The features themselves, computed anew.
    phi = descriptor.compute_batch([made(one), partner])
    assert np.linalg.norm(phi[1] - phi[0]) < 1e-13 * np.linalg.norm(phi[0])
    assert result.split_by() == order
    assert all((distance > 1e-6) == (k >= order) for k, distance in result.splits[0].items())
    # Counted by hand: which sums over tuples are equal.
    assert [same_multisets(one, partner.vectors, k, 1e-6) for k in range(1, 5)] == [k < order for k in range(1, 5)]


def test_a_record_says_what_is_at_each_partner():
    result = find_partners(made(pair(0.8, 0.0)), POWER, n_starts=40)
    measured = nm.sensitivity(POWER.compute_with_jacobian(result.environments[0])[1], result.environments[0])
    np.testing.assert_allclose(result.singular_values, [measured.singular_values], rtol=1e-12)
    # Written out, since NaN equals nothing.
    assert str(result.attribution[0]) == str(nm.attribute(result.environments[0], POWER))
    assert result.history[-1].phase.endswith("partner")
    assert result.history[-1].residual == result.feature_distances[0]
    assert sum(result.outcomes.values()) == len(result.history) >= result.n_starts
    assert result.history[-1].evaluations == result.evaluations


def test_a_singular_partner_is_found_to_rounding():
    # nu = 2 has rank 17 of 18 at both members of the ring pair; equal features alone fix them to 1e-7 Å.
    result = find_partners(made(rings([0, 2, 3.7], 0.6)), POWER, n_starts=10)
    assert result.converged
    assert (result.attribution[0].rank, result.attribution[0].null_incompleteness) == (17, 1)
    assert result.singular_values[0][-1] < 1e-13 * result.singular_values[0][0]
    assert result.feature_distances[0] < 1e-12


def test_positions_that_leave_a_rank_open_are_said_to():
    start = made(rings([0, 2, 3.7], 0.6))
    evaluator = Evaluator(start, POWER)
    vectors = start.vectors + 1e-7 * rng(1).normal(size=(7, 3))
    jacobian = evaluator.evaluate([vectors])[0][1]
    why = attributed(evaluator, made(vectors), jacobian, 1e-9)
    assert (why.rank, why.ambiguous) == (18, True)
    assert "may be zero: equal features fix these positions to 1e-7 Å only" in why.diagnostic


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_found_for_a_generic_bispectrum_and_the_effort_is_told(seed):
    env = made(rng(seed).normal(size=(4, 3)))
    result = find_partners(env, BISPECTRUM, n_starts=6, seed=seed)
    assert not result.converged
    assert not result.environments
    assert result.singular_values.shape == (0, 9)
    assert result.feature_distances.shape == (0,)
    assert result.n_starts == 6
    assert result.outcomes["itself"] >= 1
    misses = [step.residual for step in result.history if step.phase == "local minimum"]
    assert result.best_residual == min(misses, default=np.inf) > 1e-6
    assert not misses or result.best_distance > 1e-3
    # A start that ended at the environment was used once more, and did not get there again.
    assert result.outcomes.get("deflated: itself", 0) == 0
    assert sum(n for phase, n in result.outcomes.items() if phase.startswith("deflated")) == result.outcomes["itself"]
    assert len(result.history) == result.n_starts + result.outcomes["itself"]


@pytest.mark.slow
def test_all_members_of_a_class_are_found_once():
    # Four in a plane at azimuths {0, a, a + 90°, 180°} and {0, a, 90°, a + 180°}: two of one class.
    a, right = 0.5, np.pi / 2
    one = np.array([0, a, a + right, 2 * right])
    other = np.array([0, a, right, a + 2 * right])
    planar = [BOND * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1) for angles in (one, other)]
    result = find_partners(made(planar[0]), POWER, most=None, n_starts=25, tolerance=1e-10)
    assert any(nm.congruent(partner, made(planar[1]), 1e-3) for partner in result.environments)
    apart = [nm.superpose(p, q).distance for p in result.environments for q in result.environments if p is not q]
    assert min(apart, default=1.0) > 1e-3


def test_mirror_images_are_partners_only_where_features_tell_them_apart():
    # For SO(3) features a chiral environment's mirror image is not its copy: it would be a partner, and is none.
    env = made(RANKS["C2"][0])
    chiral = nm.Bispectrum(n_max=3, l_max=4, parity="SO3", **SETTING)
    result = find_partners(env, chiral, most=None, n_starts=4)
    assert not any(nm.congruent(env, partner) for partner in result.environments)
    # The power spectrum is blind to handedness, and its copies include mirror images.
    assert find_partners(env, POWER, most=None, n_starts=5).outcomes["itself"] > 0


def test_a_descriptor_with_fewer_features_than_displacements_has_partners_everywhere():
    coulomb = nm.CoulombMatrix(cutoff=4.0)
    result = find_partners(made(rng(3).normal(size=(4, 3))), coulomb, most=2, n_starts=20)
    assert len(result.environments) == 2
    assert (result.feature_distances < 1e-11).all()
    assert result.singular_values[:, -1].max() == 0


def test_a_line_has_partners_that_are_none():
    line = made([[1.0, 0, 0], [-1.2, 0, 0], [2.2, 0, 0]])
    result = find_partners(line, nm.RadialSpectrum(n_max=4, cutoff=4.0), n_starts=2)
    assert result.converged
    assert result.singular_values.shape == (1, 6)
    assert result.split_by() == 2


def test_starts_depend_on_the_seed_alone():
    env = made(pair(0.8, 0.0))
    one, two = (find_partners(env, POWER, n_starts=20, seed=3) for _ in range(2))
    assert one.history == two.history
    assert np.array_equal(one.environments[0].vectors, two.environments[0].vectors)


def test_deflation_gives_the_derivative_of_what_it_minimises():
    from nullmode.search._evaluation import Evaluator
    from nullmode.search.partners import _Search

    env = made(pair(0.8, 0.0))
    search = _Search(Evaluator(env, POWER), 1e-11, 1e-3)
    x = env.vectors.ravel() + 0.1 * rng(5).normal(size=12)
    step = 1e-5
    _, slope = search._residual(x, (env,))
    for k in range(12):
        ahead, behind = (search._residual(x + sign * step * np.eye(12)[k], (env,))[0] for sign in (1, -1))
        np.testing.assert_allclose((ahead - behind) / (2 * step), slope[:, k], atol=1e-7 * np.abs(slope).max())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"most": 0}, "`most` must be"),
        ({"n_starts": 1.5}, "`n_starts` must be"),
        ({"seed": -1}, "`seed` must be"),
        ({"tolerance": 1e-20}, "`tolerance` must be"),
        ({"min_distance": 0.0}, "`min_distance` must be"),
        ({"rtol": -1, "n_starts": 1}, "`rtol` must be"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        find_partners(made(pair(0.8, 0.0)), POWER, **options)


# How far until the features change.


@pytest.mark.parametrize("epsilon", [1e-8, 1e-4, 1e-2])
@pytest.mark.parametrize("mode", [0, -2, -1, "any"])
def test_the_features_change_by_epsilon_at_the_distance(mode, epsilon):
    env = made(pair(0.9, 0.0))
    mode = rng(1).normal(size=(4, 3)) if mode == "any" else mode
    result = nm.distance_to_change(env, POWER, mode, epsilon)
    phi = POWER.compute(env)

    def change(distance):
        return np.linalg.norm(POWER.compute(made(env.vectors + distance * result.mode)) - phi) / np.linalg.norm(phi)

    assert np.linalg.norm(result.mode) == pytest.approx(1)
    assert change(result.distance) == pytest.approx(epsilon, rel=1e-6)
    assert all(change(t * result.distance) < epsilon for t in np.linspace(0.01, 0.99, 20))


def test_a_null_mode_is_quadratic_and_a_stiff_one_linear():
    env = made(pair(1.0, 0.0))
    soft, stiff = (nm.distance_to_change(env, POWER, mode, 1e-6) for mode in (-1, 0))
    assert soft.exponent == pytest.approx(2, abs=1e-2)
    assert soft.distance == pytest.approx(soft.quadratic, rel=1e-2)
    assert soft.linear == np.inf
    assert stiff.exponent == pytest.approx(1, abs=1e-3)
    assert stiff.distance == pytest.approx(stiff.linear, rel=1e-3)
    values = nm.sensitivity(POWER.compute_with_jacobian(env)[1], env).singular_values
    assert stiff.linear == pytest.approx(1e-6 * np.linalg.norm(POWER.compute(env)) / values[0])


def test_what_is_never_seen_is_infinitely_far():
    # nu = 1 does not see a neighbour turn about the centre.
    env = made(np.array([[1.0, 0, 0], [0, 1.2, 0.3]]))
    radial = nm.RadialSpectrum(n_max=6, **SETTING)
    result = nm.distance_to_change(env, radial, [[0, 0, 0], [1.0, 0, 0]], 0.3, max_distance=0.2)
    assert result.distance == np.inf
    assert np.isnan(result.exponent)
    assert result.linear == np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 1e-15), "`epsilon` must be"),
        ((9, 1e-3), "`mode` must be the index of one of 9 modes"),
        ((np.zeros((4, 3)), 1e-3), "`mode` must be an index or a displacement"),
        ((np.ones((3, 3)), 1e-3), "`mode` must be an index or a displacement"),
    ],
)
def test_impossible_questions_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        nm.distance_to_change(made(pair(0.8, 0.0)), POWER, *arguments)


def _all_distances(vectors):
    return np.concatenate([np.linalg.norm(vectors, axis=1), np.linalg.norm(vectors[:, None] - vectors, axis=2).ravel()])


SPOILED = {
    "features that are no numbers": (lambda vectors: np.full(3, np.nan) * vectors.sum(), 4.0, "must give finite"),
    "features as many as neighbours": (_all_distances, 1.4, "must give the same number of features"),
}


@pytest.mark.parametrize(("function", "cutoff", "message"), SPOILED.values(), ids=SPOILED.keys())
@pytest.mark.parametrize("search", [nm.find_singular, nm.follow_orbit, find_partners, nm.distance_to_change])
def test_what_a_search_cannot_follow_is_refused(search, function, cutoff, message):
    start = made(1.3 / 1.09 * pair(0.8, 0.1))
    moved = np.eye(12)[0].reshape(4, 3) * np.sign(start.vectors[0, 0])
    options = {
        nm.find_singular: {"accuracy": 1e-6},
        nm.follow_orbit: {"scheme": "fixed_step", "length": 4.0, "step": 0.1},
        nm.distance_to_change: {"mode": moved, "epsilon": 0.9},
    }
    with pytest.raises(InputError, match=message):
        search(start, nm.FromCallable(function, cutoff=cutoff), **options.get(search, {}))
