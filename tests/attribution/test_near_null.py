"""Soft modes: each cause is found where it was put, by an amount that follows from theory."""

import functools
import runpy
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from cases import OCTAHEDRON, SETTING, TD, WATER, pair, rings, rng
from configs import CHECKOUT
from geometries import GEOMETRIES

import nullmode as nm
from nullmode.attribution import near_null
from nullmode.attribution.near_null import _resolution
from nullmode.symmetry.nearby import nearly_symmetric
from nullmode.symmetry.point_group import displacement_representation

NU_1 = nm.RadialSpectrum(**SETTING)
NU_2 = nm.PowerSpectrum(n_max=8, l_max=8, **SETTING)
NU_3 = nm.Bispectrum(n_max=3, l_max=3, **SETTING)
DIRECTION = rng(3).normal(size=(4, 3))
DIRECTION /= np.linalg.norm(DIRECTION)
FAR = (0.03, 0.01, 0.001, 0.0001)


def near_tetrahedron(a):
    return nm.Environment.from_vectors(TD + a * DIRECTION)


def at_cutoff(below, seed=5):
    vectors = rng(seed).normal(size=(4, 3))
    vectors[0] *= (SETTING["cutoff"] - below) / np.linalg.norm(vectors[0])
    return nm.Environment.from_vectors(vectors)


def random(seed):
    return nm.Environment.from_vectors(rng(seed).normal(size=(4, 3)))


# Environment, descriptor, cause of every soft mode, fewest soft modes, smallest confidence.
CASES = {
    **{f"Td + {a} Å": (near_tetrahedron(a), NU_2, "symmetry", 4, 0.6) for a in (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-7)},
    **{f"X(pi(1 - {x}), 0)": (nm.Environment.from_vectors(pair(1 - x, 0)), NU_2, "incompleteness", 1, 0.7)
       for x in (1e-3, 1e-4, 1e-6)},
    "nu = 1": (random(5), NU_1, "incompleteness", 1, 0.7),
    "nu = 2, small basis": (random(7), nm.PowerSpectrum(n_max=2, l_max=3, **SETTING), "truncation", 2, 0.9),
    "nu = 2, low l": (random(7), nm.PowerSpectrum(n_max=3, l_max=2, **SETTING), "truncation", 1, 0.9),
    "nu = 2, few features": (random(7), nm.Selected(nm.PowerSpectrum(species="H", **SETTING), range(0, 324, 27)),
                             "truncation", 2, 0.9),
    "nu = 3, small basis": (random(7), nm.Bispectrum(n_max=2, l_max=1, **SETTING), "truncation", 1, 0.9),
    **{f"H at rc - {below} Å": (at_cutoff(below), NU_2, "cutoff", 2, 0.8) for below in FAR},
    **{f"random {seed}": (random(seed), NU_2, None, 0, 0) for seed in range(5, 8)},
}  # fmt: skip


@pytest.mark.law(cases=10)
@pytest.mark.parametrize(("env", "descriptor", "cause", "fewest", "confidence"), CASES.values(), ids=CASES.keys())
def test_cause_is_found_where_it_was_put(env, descriptor, cause, fewest, confidence):
    found = nm.explain_near_null(env, descriptor)
    assert len(found) >= fewest
    assert all(mode.cause == cause for mode in found)
    assert all(confidence <= mode.confidence <= 1 for mode in found)
    assert bool(found) == (cause is not None)


@pytest.mark.law(cases=5)
@pytest.mark.parametrize(("env", "descriptor", "cause", "fewest", "confidence"), CASES.values(), ids=CASES.keys())
def test_records_hold_what_they_say(env, descriptor, cause, fewest, confidence):  # noqa: ARG001
    jacobian = descriptor.compute_with_jacobian(env)[1]
    largest = nm.sensitivity(jacobian, env).singular_values[0]
    found = nm.explain_near_null(env, descriptor)
    ratios = [mode.ratio for mode in found]
    assert ratios == sorted(ratios, reverse=True)
    for mode in found:
        assert np.isclose(np.linalg.norm(mode.mode), 1)
        assert np.isclose(np.linalg.norm(np.tensordot(jacobian, mode.mode, 2)) / largest, mode.ratio, rtol=1e-5)
        shares = np.array([mode.symmetry, mode.incompleteness, mode.truncation, mode.cutoff])
        assert ((shares >= 0) & (shares <= 1) | np.isnan(shares)).all()
        assert mode.confidence == np.nanmax(shares) / max(1, np.nansum(shares))
        assert mode.strongest_share == np.nanmax(shares)
        assert mode.strongest[0] == mode.cause


@pytest.mark.parametrize(("below", "published"), list(zip(FAR, (8e-4, 9e-5, 9e-7, 9e-9), strict=True)))
def test_softness_at_the_cutoff_is_the_published_one(below, published):
    # Sizes depend on where the others are: the law of decay is what is common.
    softest = nm.explain_near_null(at_cutoff(below), NU_2)[-1]
    assert published / 3 < softest.ratio < 3 * published
    assert softest.cutoff_weight > 0.99
    assert softest.ratio_raised_cutoff > 1e-2


def test_near_the_tetrahedron_four_modes_open_linearly_and_four_quadratically():
    # Of the distortion, breathing keeps the symmetry and rotations do nothing.
    rotations = np.linalg.qr(np.cross(np.eye(3)[:, None], TD).reshape(3, 12).T)[0]
    allowed = np.column_stack([rotations, TD.ravel() / np.linalg.norm(TD)])
    share = np.linalg.norm(DIRECTION.ravel() - allowed @ (allowed.T @ DIRECTION.ravel()))
    for a in (1e-2, 1e-3):
        found = nm.explain_near_null(near_tetrahedron(a), NU_2)
        assert [round(mode.exponent, 1) for mode in found] == [1.0] * 4 + [2.0] * 4
        for mode in found:
            assert mode.symmetric_group == "Td"
            assert np.isclose(mode.symmetric_distance, share * a, rtol=2 * a)
            assert mode.symmetric_overlap > 0.99


def test_resolution_is_what_least_squares_can_tell():
    # Displacements are recovered from features with noise; the spread of their part along v is 1/resolution.
    env = random(5)
    jacobian = NU_2.compute_with_jacobian(env)[1]
    result = nm.sensitivity(jacobian, env)
    seen = result.modes.reshape(9, 12)
    mode = seen.T @ rng(1).normal(size=9)
    mode /= np.linalg.norm(mode)
    estimator = np.linalg.pinv(jacobian.reshape(-1, 12) @ seen.T)
    spread = np.linalg.norm(mode @ seen.T @ estimator)
    assert np.isclose(_resolution(mode.reshape(4, 3), result), 1 / spread / result.singular_values[0])


def test_exponent_is_that_of_independent_distortions():
    # The law, measured by making the environments anew instead of walking the straight path.
    here, there = (nm.explain_near_null(near_tetrahedron(a), NU_2) for a in (4e-3, 1e-3))
    for one, other in zip(here, there, strict=True):
        assert np.isclose(np.log(one.ratio / other.ratio) / np.log(4), one.exponent, atol=0.05)


def test_spurious_point_leaves_the_next_order_indifferent():
    ratios = [nm.explain_near_null(nm.Environment.from_vectors(pair(1 - x, 0)), NU_2)[-1] for x in (1e-3, 1e-5)]
    assert np.isclose(ratios[0].ratio / ratios[1].ratio, 100, rtol=0.1)
    assert np.isclose(ratios[0].ratio_next_order, ratios[1].ratio_next_order, rtol=0.01)
    assert np.isclose(ratios[0].ratio_larger_basis, ratios[0].ratio, rtol=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_turning_and_renaming_change_nothing(seed):
    from scipy.spatial.transform import Rotation

    turn = Rotation.random(rng=seed).as_matrix() * (-1) ** seed
    order = rng(seed).permutation(4)
    for env in (near_tetrahedron(1e-2), at_cutoff(0.01)):
        moved = nm.Environment.from_vectors(env.vectors[order] @ turn.T)
        for one, other in zip(nm.explain_near_null(env, NU_2), nm.explain_near_null(moved, NU_2), strict=True):
            assert one.cause == other.cause
            assert np.isclose(one.confidence, other.confidence, atol=1e-4)
            assert np.isclose(one.ratio, other.ratio, rtol=1e-5)


def test_users_descriptor_is_asked_what_it_can_answer():
    moments = runpy.run_path(str(CHECKOUT / "docs/examples/my_descriptor.py"))["InverseMoments"]()
    found = nm.explain_near_null(near_tetrahedron(1e-3), moments, threshold=0.1)
    assert Counter(mode.cause for mode in found)["symmetry"] >= 4
    for mode in found:
        others = [mode.incompleteness, mode.truncation, mode.cutoff]
        assert np.isnan([*others, mode.ratio_next_order, mode.ratio_larger_basis, mode.ratio_raised_cutoff]).all()


def test_near_the_isosceles_rings_four_neighbours_see_what_three_do_not():
    # Isosceles rings have one spurious null value of nu = 3; these rings leave that shape by 1e-4.
    env = nm.Environment.from_vectors(rings([0, 1.9, -1.9 + 1e-4], 0.6))
    (soft,) = nm.explain_near_null(env, nm.Bispectrum(n_max=3, l_max=5, **SETTING), threshold=3e-3)
    assert soft.cause == "incompleteness"
    assert soft.confidence > 0.8
    assert soft.ratio < 2e-5
    assert soft.ratio_next_order > 1e-3


def test_pseudoscalars_have_no_next_order_to_ask():
    chiral = nm.Bispectrum(n_max=3, l_max=3, parity="SO3", **SETTING)
    found = nm.explain_near_null(near_tetrahedron(1e-2), chiral)
    assert len(found) >= 6
    assert all(np.isnan(mode.incompleteness) for mode in found)


@functools.cache
def contracted():
    start = nm.PowerSpectrum(n_max=4, l_max=4, radial_basis=nm.OptimalContraction(n_primitives=6), **SETTING)
    return nm.fit_contraction(start, [random(seed) for seed in range(20)])


FIVE = nm.Environment.from_vectors(
    np.vstack([OCTAHEDRON[:5], -1.3 * OCTAHEDRON[:5]]) + 1e-3 * rng(8).normal(size=(10, 3)),
    ["H", "C", "N", "O", "F"] * 2,
)
# Environment, descriptor, what of it cannot be asked.
BOUNDED = {
    "l of the couplings": (near_tetrahedron(1e-2), nm.Trispectrum(n_max=1, l_max=8, **SETTING), "larger_basis"),
    "l of the fit": (near_tetrahedron(1e-2), contracted, "larger_basis"),
    "order of the fit": (near_tetrahedron(1e-2), contracted, "next_order"),
    "features of five species": (FIVE, nm.Bispectrum(n_max=2, l_max=2, **SETTING), "next_order"),
    "largest basis": (near_tetrahedron(1e-2), nm.PowerSpectrum(n_max=12, l_max=16, **SETTING), "larger_basis"),
}


@pytest.mark.law(cases=3)
@pytest.mark.parametrize(("env", "descriptor", "question"), BOUNDED.values(), ids=BOUNDED.keys())
def test_what_a_descriptor_cannot_be_made_into_is_not_asked(env, descriptor, question):
    found = nm.explain_near_null(env, contracted() if descriptor is contracted else descriptor)
    assert found
    for mode in found:
        assert np.isnan(getattr(mode, f"ratio_{question}"))
        assert np.isnan(mode.truncation if question == "larger_basis" else mode.incompleteness)


def test_near_the_icosahedron_some_modes_open_with_the_third_power():
    vectors, species, _ = GEOMETRIES["icosahedron"]
    step = rng(8).normal(size=vectors.shape)
    step *= 1e-2 / np.linalg.norm(step)
    found = nm.explain_near_null(nm.Environment.from_vectors(vectors + step, species), NU_2)
    assert Counter(round(mode.exponent, 1) for mode in found) == {1.0: 10, 2.0: 12, 3.0: 10}
    assert {mode.cause for mode in found} == {"symmetry"}


# Ratios of a mode of ratio 1e-4, below 1e-2: with a larger basis, the next order, a raised cutoff.
SHARES = {
    "one": ((1e-2, 1e-2, 1e-4), "truncation", ("truncation",), 1.0),
    "two alike": ((1e-2, 1e-2, 1e-2), "tie", ("truncation", "cutoff"), 1.0),
    "nearly alike": ((9e-3, 1e-2, 1e-2), "tie", ("truncation", "cutoff"), 1.0),
    "none enough": ((2e-4, 2e-4, 3e-4), "none", ("cutoff",), np.log10(3) / 2),
    "none at all": ((1e-4, 1e-4, 1e-4), "none", (), 0.0),
    "nothing to try": ((None, None, None), "none", (), 0.0),
}


@pytest.mark.parametrize(("ratios", "cause", "strongest", "share"), SHARES.values(), ids=SHARES.keys())
def test_ties_are_told_and_what_helps_most(ratios, cause, strongest, share, monkeypatch):
    larger, following, raised = ratios
    changed = SimpleNamespace(larger_truncation=larger, next_order=following, raised_cutoff=raised, paths=[], scale=1.0)
    monkeypatch.setattr(near_null, "_resolution", lambda _, ratio: np.nan if ratio is None else ratio)
    found = near_null._explained(np.zeros((4, 3)), 1e-4, 1e-2, changed, 1.0)
    assert (found.cause, found.strongest) == (cause, strongest)
    assert found.strongest_share == pytest.approx(share)


def test_exact_null_values_are_not_soft():
    assert nm.explain_near_null(nm.Environment.from_vectors(TD), NU_2) == []
    assert nm.explain_near_null(nm.Environment.from_vectors(np.zeros((0, 3))), NU_2) == []


@pytest.mark.parametrize("threshold", [0, 1e-9, 2, "0.1", np.nan])
def test_bad_threshold_is_refused(threshold):
    with pytest.raises(nm.InputError, match="`threshold` must be between rtol = 1e-09 and 1"):
        nm.explain_near_null(random(5), NU_2, threshold=threshold)


def test_what_is_no_descriptor_is_refused():
    with pytest.raises(nm.InputError, match=r"`descriptor` must be a nullmode\.Descriptor"):
        nm.explain_near_null(random(5), "soap")


# The nearest symmetric structures.

NEARLY = {
    "tetrahedron": (TD, "H", "Td"),
    "octahedron": (OCTAHEDRON, "H", "Oh"),
    "cis": (OCTAHEDRON, ["H", "F", "F", "H", "H", "H"], "C2v"),
    "water": (WATER, "H", "C2v"),
    "line": (np.array([[0, 0, 1.1], [0, 0, -1.1]]), "H", "D∞h"),
    "uneven line": (np.array([[0, 0, 1.1], [0, 0, -1.3]]), "H", "C∞v"),
    "C3v": (TD * np.array([[1.3], [1], [1], [1]]), "H", "C3v"),
}


@pytest.mark.parametrize("a", [1e-2, 1e-4])
@pytest.mark.parametrize(("vectors", "species", "name"), NEARLY.values(), ids=NEARLY.keys())
def test_symmetric_structure_is_found_and_exact(vectors, species, name, a):
    step = rng(8).normal(size=vectors.shape)
    step *= a / np.linalg.norm(step)
    near = nearly_symmetric(nm.Environment.from_vectors(vectors + step, species))
    (found,) = [item for item in near if item.group.name == name]
    assert nm.point_group(found.environment, 1e-9).name == name
    # No farther than where we came from: it is the nearest of its group, up to second order.
    assert found.distance <= a * 1.01
    turned = found.environment.vectors
    moved = np.einsum("gij,nj->gni", found.group.operations, turned)
    assert np.allclose(moved, turned[found.group.permutations], rtol=0, atol=1e-10)
    representation = displacement_representation(found.group)
    assert np.allclose(representation @ turned.ravel(), turned.ravel(), atol=1e-10)
    assert np.isclose(found.broken(turned[None])[0], 0, atol=1e-10)


def test_nothing_symmetric_is_near_a_random_environment():
    assert nearly_symmetric(random(5)) == []


BEYOND = {
    "contraction": lambda: nm.fit_contraction(
        nm.PowerSpectrum(n_max=4, l_max=4, radial_basis=nm.OptimalContraction(n_primitives=6), **SETTING),
        [nm.Environment.from_vectors(rng(k).normal(size=(6, 3))) for k in range(20)],
    ),
    "largest l": lambda: nm.Trispectrum(n_max=1, l_max=7, **SETTING),
    "user's": lambda: nm.FromCallable(
        lambda v: nm.PowerSpectrum(n_max=4, l_max=4, **SETTING).compute(nm.Environment.from_vectors(v)), cutoff=4.0
    ),
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_basis_that_cannot_grow_is_explained_without(name):
    env = nm.Environment.from_vectors(rng(5).normal(size=(4, 3)))
    parts = nm.explain_near_null(env, BEYOND[name](), threshold=1.0, rtol=1e-5)
    assert len(parts) == 8


def test_an_rtol_below_the_error_of_differences_is_refused():
    adapter = nm.FromCallable(lambda v: np.sin(60 * np.linalg.norm(v, axis=1)).sum(keepdims=True), cutoff=4.0)
    env = nm.Environment.from_vectors([[1.0, 0.2, 0.1], [0.3, 1.2, 0.4]])
    with pytest.raises(nm.InputError, match=r"`rtol` must be at least the error of the Jacobian"):
        nm.explain_near_null(env, adapter, rtol=1e-12)
