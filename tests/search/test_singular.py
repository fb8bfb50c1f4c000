"""Singular points: laws over starts, bounds, what must not be found, many starts."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from ase.build import bulk, molecule
from cases import BOND, COMMENT, RANKS, TD, f1, f2, pair, rings, rng, stretched
from naive import spectrum
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

import nullmode as nm

POWER = nm.PowerSpectrum(n_max=8, l_max=8)
BISPECTRUM = nm.Bispectrum(n_max=3, l_max=5)
MOVED = 0.02 * rng(1).normal(size=(4, 3))
RANDOM = rng(5).normal(size=(4, 3))

# name -> vectors, species, descriptor, options; rank, dimension of the set of singular points around what is found
# (None: not the same for all).
FOUND = {
    "X+": (pair(0.9, 0.03), "H", POWER, {}, 8, None),
    "X+ at fixed radii": (pair(0.9, 0.03), "H", POWER, {"fixed_radii": True, "max_displacement": 0.5}, 8, None),
    "X+, one atom moves": (pair(0.97, 0.005), "H", POWER, {"fixed_atoms": [0, 1, 2], "fixed_radii": True}, 8, 6),
    "X(pi, 0) itself": (pair(1.0, 0.0), "H", POWER, {}, 8, 6),
    "F1": (f1() + MOVED, "H", POWER, {"max_displacement": 0.2}, 8, 6),
    "F2 itself": (f2(), "H", POWER, {}, 8, 5),
    "the Comment's": (COMMENT, "H", POWER, {"asymmetry": 0.2}, 8, 5),
    "random": (RANDOM, "H", POWER, {}, 8, None),
    "random, small basis": (RANDOM, "H", nm.PowerSpectrum(n_max=2, l_max=2), {}, 8, 9),
    "random, nu = 1": (RANDOM, "H", nm.RadialSpectrum(n_max=5), {}, 4, 9),
    "two species": (f1() + MOVED, ["H", "H", "F", "H"], POWER, {}, 8, None),
    "rings, nu = 3": (rings([0, 1.9, -1.9], 0.6) + 0.01 * rng(1).normal(size=(7, 3)), "H", BISPECTRUM,
                      {"max_displacement": 0.1}, 17, 5),
    "a symmetric start": (stretched(1.15, 0.9, 1, 1), "H", POWER, {}, None, None),
}  # fmt: skip
NOT_FOUND = {
    "nu = 3 near random": (RANDOM, nm.Bispectrum(n_max=4, l_max=5), {"max_displacement": 0.3, "attempts": 3}),
    "nu = 2 too near": (RANDOM, POWER, {"max_displacement": 0.02, "attempts": 3}),
    "methane": (TD, POWER, {}),
    "three atoms": (RANDOM[:2], POWER, {"attempts": 3}),
}


SLOW = pytest.param("a symmetric start", marks=pytest.mark.slow)


@pytest.fixture(scope="module", params=[name if name != "a symmetric start" else SLOW for name in FOUND])
def found(request):
    vectors, species, descriptor, options, rank, dimension = FOUND[request.param]
    start = nm.Environment.from_vectors(vectors, species)
    return start, descriptor, options, rank, dimension, nm.find_singular(start, descriptor, **options)


def test_point_is_singular(found):
    _, descriptor, _, rank, _, point = found
    assert point.converged
    assert point.message == ""
    end = point.environments[0]
    values = spectrum(end, descriptor)
    np.testing.assert_allclose(point.singular_values[0], values, atol=1e-13 * values[0])
    assert values[-1] <= 1.1e-13 * values[0]
    assert str(point.attribution) == str((nm.attribute(end, descriptor),))  # NaN equals NaN
    assert rank in (None, point.attribution[0].rank)
    assert point.spurious


def test_mode_is_lost_and_no_rotation(found):
    _, descriptor, _, _, _, point = found
    end = point.environments[0]
    jacobian = descriptor.compute_with_jacobian(end)[1]
    assert np.linalg.norm(point.mode) == pytest.approx(1)
    np.testing.assert_allclose(
        np.einsum("fjx,jx->f", jacobian, point.mode), 0, atol=2e-13 * spectrum(end, descriptor)[0]
    )
    np.testing.assert_allclose(np.cross(end.vectors, point.mode).sum(axis=0), 0, atol=1e-12)


def test_bounds_hold(found):
    start, descriptor, options, _, _, point = found
    end = point.environments[0]
    assert (end.species == start.species).all()
    atoms = np.vstack([np.zeros(3), end.vectors])
    assert pdist(atoms).min() > 0.5 - 1e-8
    assert np.linalg.norm(end.vectors, axis=1).max() < descriptor.cutoff - descriptor.cutoff_width + 1e-8
    assert point.distance == pytest.approx(np.linalg.norm(end.vectors - start.vectors))
    assert point.distance <= options.get("max_displacement", np.inf) + 1e-8
    still = options.get("fixed_atoms", [])
    np.testing.assert_array_equal(end.vectors[still], start.vectors[still])
    if options.get("fixed_radii"):
        np.testing.assert_allclose(np.linalg.norm(end.vectors, axis=1), BOND, rtol=1e-14)


def test_no_symmetric_point_is_near(found):
    start, _, options, _, _, point = found
    if len(nm.point_group(start)) > 1:
        pytest.skip("a symmetric start keeps its symmetry")
    vectors, species = point.environments[0].vectors, start.species
    for permutation in permutations(range(len(vectors))):
        images = list(permutation)
        if len(vectors) > 4 or (species[images] != species).any():
            continue
        for sign in (1, -1):
            best = sign * Rotation.align_vectors(sign * vectors[images], vectors)[0].as_matrix()
            missed = np.linalg.norm(vectors @ best.T - vectors[images])
            if (permutation, sign) != (tuple(range(len(vectors))), 1):
                # What is nearer than a quarter of the smallest distance is looked for.
                assert missed > min(options.get("asymmetry", 0.3), pdist(vectors).min() / 4) - 1e-8


def test_history_ends_at_the_accuracy(found):
    point = found[-1]
    evaluations = [step.evaluations for step in point.history]
    assert evaluations == sorted(evaluations)
    assert evaluations[-1] <= point.evaluations
    assert min(step.residual for step in point.history) <= 1e-13


def test_set_of_singular_points_has_the_dimension_of_theory(found):
    dimension, point = found[-2:]
    assert dimension in (None, point.manifold_dimension)
    assert 0 <= point.manifold_dimension <= len(point.opening_rates) == point.attribution[0].rank_symmetric
    # What opens to first order is no direction of singular points.
    opening = np.count_nonzero(point.opening_rates > 1e-6 * point.opening_rates.max(initial=1e-3))
    assert point.manifold_dimension <= len(point.opening_rates) - opening


@pytest.mark.parametrize(("vectors", "first_order", "dimension"), [(f1(), 3, 6), (f2(), 2, 5), (COMMENT, 2, 5)])
def test_values_of_the_families_open_to_their_order(vectors, first_order, dimension):
    point = nm.find_singular(nm.Environment.from_vectors(vectors), POWER, asymmetry=0.1)
    assert point.distance < 1e-7
    assert np.count_nonzero(point.opening_rates > 1e-6) == first_order
    assert point.manifold_dimension == dimension


def test_incompleteness_is_singular_in_any_basis(found):
    _, descriptor, _, _, _, point = found
    if not point.attribution[0].null_incompleteness or descriptor.correlation_order != 2:
        pytest.skip("due to the basis, or of another order")
    values = spectrum(point.environments[0], nm.PowerSpectrum(n_max=10, l_max=6, width=0.5))
    assert values[-1] < 1e-11 * values[0]


def test_symmetric_start_keeps_its_symmetry():
    point = nm.find_singular(nm.Environment.from_vectors(stretched(1.15, 0.9, 1, 1)), POWER)
    assert point.point_group == "Cs"
    assert (point.attribution[0].rank, point.attribution[0].rank_symmetric) == (5, 6)


def test_known_point_is_found_again():
    start = nm.Environment.from_vectors(pair(0.97, 0.005))
    point = nm.find_singular(start, POWER, fixed_atoms=[0, 1, 2], fixed_radii=True)
    np.testing.assert_allclose(point.environments[0].vectors, pair(1.0, 0.0), atol=1e-10)


def test_last_steps_are_newtons():
    start = nm.Environment.from_vectors(pair(0.97, 0.005))
    point = nm.find_singular(start, POWER, fixed_atoms=[0, 1, 2], fixed_radii=True)
    residuals = [step.residual for step in point.history if step.residual < 1e-5]
    assert len(residuals) >= 2
    assert residuals[0] > 1e-10
    # Quadratic: the exponent is 2, less what is rounding.
    assert all(after < max(before**1.5, 1e-14) for before, after in pairwise(residuals))


def test_equal_starts_end_at_equal_points():
    ends = [nm.find_singular(nm.Environment.from_vectors(RANDOM), POWER) for _ in range(2)]
    assert ends[0].environments[0].vectors.tobytes() == ends[1].environments[0].vectors.tobytes()


def test_largest_radius_is_kept_by_those_within_it():
    start = nm.Environment.from_vectors(RANDOM)
    before = np.linalg.norm(RANDOM, axis=1)
    limit = np.sort(before)[-2] + 0.01
    point = nm.find_singular(start, POWER, max_radius=limit)
    assert point.converged
    assert (np.linalg.norm(point.environments[0].vectors, axis=1) <= np.maximum(before, limit) + 1e-8).all()


def test_symmetric_points_are_found_where_they_are_let():
    start = nm.Environment.from_vectors(RANDOM)
    ends = [nm.find_singular(start, POWER, asymmetry=0, attempts=1, max_displacement=d) for d in (0.5, 1.0, 2.0)]
    assert all(end.converged for end in ends)


@pytest.mark.parametrize("name", NOT_FOUND)
def test_what_is_not_there_is_not_found(name):
    vectors, descriptor, options = NOT_FOUND[name]
    point = nm.find_singular(nm.Environment.from_vectors(vectors), descriptor, **options)
    assert not point.converged
    assert point.message
    assert point.manifold_dimension == -1
    assert len(point.opening_rates) == 0
    assert point.distance <= options.get("max_displacement", np.inf) + 0.01


# Many starts.


def copies():
    turn = Rotation.random(rng=rng(1)).as_matrix()
    starts = [f2(), f2() @ turn.T, f2()[[2, 0, 3, 1]] * [1, 1, -1], f1(), RANDOM]
    return [nm.Environment.from_vectors(vectors) for vectors in starts]


def test_congruent_points_count_once():
    points = nm.find_singular_points(copies(), POWER, max_displacement=0.05, attempts=2)
    assert [point.converged for point in points] == [True, True, False]
    assert sorted(sorted(point.starts) for point in points) == [[0, 1, 2], [3], [4]]


def test_nearest_comes_first():
    starts = [nm.Environment.from_vectors(f1() + scale * MOVED) for scale in (1.0, 0.3, 0.0)]
    points = nm.find_singular_points(starts, POWER, max_displacement=0.2, asymmetry=0)
    assert points[0].starts == (2,)
    assert len(points) == 3
    assert [point.distance for point in points] == sorted(point.distance for point in points)


def test_progress_goes_to_stderr(capsys):
    nm.find_singular_points(copies()[:1], POWER, progress=True)
    printed = capsys.readouterr()
    assert not printed.out
    assert "starts" in printed.err


BAD = {
    "min_distance": [
        ({"min_distance": 0.0}, "greater than 0, got 0.0"),
        ({"min_distance": 3.0}, "smallest distance of the st"),
    ],
    "max_radius": [({"max_radius": -1.0}, "greater than 0, got -1.0")],
    "max_displacement": [({"max_displacement": np.inf}, "finite number, got inf")],
    "asymmetry": [({"asymmetry": -0.1}, "greater than or equal to 0")],
    "attempts": [({"attempts": 0}, "equal to 1, got 0"), ({"attempts": 2.5}, "valid integer, .*got 2.5")],
    "seed": [({"seed": -1}, "equal to 0, got -1"), ({"seed": None}, "valid integer, got None")],
    "accuracy": [({"accuracy": 0}, "greater than 0, got 0"), ({"accuracy": 1e-18}, "relative error")],
    "rtol": [({"rtol": 2}, "less than 1, got 2")],
    "tolerance": [({"tolerance": 0}, "equal to 0.0+1, got 0")],
    "fixed_atoms": [({"fixed_atoms": True}, "something to move"), ({"fixed_atoms": [4]}, "0 to 3")],
    "fixed_radii": [({"fixed_radii": ["H"]}, "indices")],
}


@pytest.mark.parametrize(
    ("argument", "options", "message"), [(name, *case) for name, cases in BAD.items() for case in cases]
)
def test_bad_arguments_are_named(argument, options, message):
    start = nm.Environment.from_vectors(RANKS["random"][0] * 1.3)
    with pytest.raises(nm.InputError, match=f"`{argument}`.*{message}"):
        nm.find_singular(start, POWER, **options)


@pytest.mark.parametrize("seed", [None, -1, 0.5])
def test_bad_seed_of_a_set_is_named(seed):
    with pytest.raises(nm.InputError, match="`seed` must be"):
        nm.find_singular_points([nm.Environment.from_vectors(TD)], POWER, seed=seed)


@pytest.mark.parametrize(("start", "descriptor"), [(TD, POWER), (nm.Environment.from_vectors(TD), "power")])
def test_other_kinds_of_input_are_refused(start, descriptor):
    with pytest.raises(nm.InputError, match=r"`environment` must be|`descriptor` must be"):
        nm.find_singular(start, descriptor)


def test_sets_are_checked():
    with pytest.raises(nm.InputError, match="at least one"):
        nm.find_singular_points([], POWER)
    with pytest.raises(nm.InputError, match=r"environments\[0\]: `attempts` must be"):
        nm.find_singular_points(copies()[:2], POWER, attempts=0)


# From ASE, whose positions are symmetric to 1e-9 Å, or exactly so.
SYMMETRIC = {
    name: nm.environments(molecule(name), centers=[0])[0] for name in ("CH4", "SiH4", "NH3", "CO2", "N2", "H2O")
}
SYMMETRIC |= {
    "cubic site": nm.environments(bulk("NaCl", "rocksalt", 5.6), cutoff=3.0, centers=[0])[0],
    "far": nm.Environment.from_vectors([[0, 0, 9.0]]),
    "random": nm.Environment.from_vectors(RANDOM),
}


def test_every_start_of_a_set_is_told_of():
    points = nm.find_singular_points(list(SYMMETRIC.values()), POWER, max_displacement=0.02, attempts=1)
    told = {name: point for point in points for k, name in enumerate(SYMMETRIC) if k in point.starts}
    assert set(told) == set(SYMMETRIC)
    assert {name for name, point in told.items() if point.status == "refused"} == {"far"}
    assert points[-1].message.startswith("environments[7]: `environment` must have a neighbour within")
    assert not points[-1].point_group
    for name in ("CH4", "SiH4", "N2", "cubic site"):
        assert "only one displacement keeps the symmetry" in told[name].message
    for name, start in SYMMETRIC.items():
        if name != "far":
            assert told[name].distance <= 0.05
            assert len(told[name].environments[0]) == len(start)


@pytest.mark.parametrize("noise", [1e-13, 1e-9, 1e-7])
def test_a_start_symmetric_within_the_tolerance_is_symmetric(noise):
    exact = nm.Environment.from_vectors(stretched(1.15, 0.9, 1, 1))
    moved = nm.Environment.from_vectors(exact.vectors + noise * rng(3).normal(size=(4, 3)))
    end = nm.find_singular(moved, POWER, attempts=1, max_displacement=0.05).environments[0]
    # Exactly, and not only as well as the start.
    assert len(nm.point_group(end, 1e-12)) == len(nm.point_group(exact)) > 1
