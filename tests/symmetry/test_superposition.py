import itertools

import numpy as np
import pytest
from cases import BOND, ENVIRONMENTS, environment, pair, polar, rings, rng, turned
from geometries import GEOMETRIES
from scipy.spatial.transform import Rotation

import nullmode as nm
from nullmode import InputError
from nullmode.symmetry.superposition import distance_bound

LINE = np.array([[0, 0, 1.1], [0, 0, -0.7], [0, 0, 2.0], [0, 0, -1.6]])
SHAPES = {
    **{name: (environment(name).vectors, environment(name).species.tolist()) for name in ENVIRONMENTS},
    **{name: (vectors, kinds) for name, (vectors, kinds, _) in GEOMETRIES.items()},
    "long line": (np.outer(np.linspace(0.7, 3, 9) * (-1) ** np.arange(9), [1.0, 2, 2]), "H"),
    "almost a line": (np.outer(np.linspace(0.7, 3, 9), [0, 0, 1.0]) + rng(4).normal(scale=1e-5, size=(9, 3)), "H"),
    "almost a plane": (rng(5).normal(size=(10, 3)) * [1.5, 1.5, 1e-5], "H"),
    "thirty": (rng(6).normal(scale=1.5, size=(30, 3)), "H"),
    "thirty, mixed": (rng(7).normal(scale=1.5, size=(30, 3)), [1, 8, 14] * 10),
    "none": (np.empty((0, 3)), "H"),
}


def made(name):
    return nm.Environment.from_vectors(*SHAPES[name])


def moved(env, seed, *, mirror=False, noise=0.0):
    """The environment, turned (and reflected), its neighbours in another order and displaced by noise."""
    generator = rng(seed)
    turn = Rotation.random(rng=generator).as_matrix() * (-1 if mirror else 1)
    order = generator.permutation(len(env))
    vectors = (env.vectors @ turn.T)[order] + generator.normal(scale=noise, size=(len(env), 3))
    return nm.Environment.from_vectors(vectors, env.species[order].tolist(), env.center_species)


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("name", SHAPES)
def test_an_image_is_recognised_and_the_map_is_found(name, mirror):
    env = made(name)
    image = moved(env, 1, mirror=mirror)
    result = nm.superpose(env, image)
    scale = np.linalg.norm(env.vectors, axis=1).max(initial=1)
    assert result.distance <= result.deviation <= 1e-14 * 10 * scale
    assert np.allclose(env.vectors @ result.operation.T, image.vectors[result.permutation], rtol=0, atol=1e-12)
    assert np.array_equal(env.species, image.species[result.permutation])
    assert np.allclose(result.operation @ result.operation.T, np.eye(3), rtol=0, atol=1e-14)
    assert nm.congruent(env, image)
    assert nm.congruent(env, image, tolerance=1e-12)


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("name", SHAPES)
def test_mirror_images_are_told_apart_unless_a_rotation_does_the_same(name):
    env = made(name)
    achiral = (np.linalg.det(nm.point_group(env).operations) < 0).any() or name.startswith("almost a line")
    assert nm.congruent(env, moved(env, 2, mirror=True), 1e-5, reflections=False) == achiral
    assert nm.congruent(env, moved(env, 2), reflections=False)
    assert np.linalg.det(nm.superpose(env, moved(env, 2, mirror=True), reflections=False).operation) > 0


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("name", [name for name in SHAPES if len(made(name)) > 1 and not name.startswith("almost")])
def test_noise_is_measured_and_the_tolerance_decides(name):
    env = made(name)
    for noise in (1e-8, 1e-4):
        other = moved(env, 3, mirror=True, noise=noise)
        result = nm.superpose(env, other)
        apart = env.vectors @ result.operation.T - other.vectors[result.permutation]
        assert result.distance == pytest.approx(np.sqrt((apart**2).sum(axis=1).mean()), rel=1e-12)
        assert result.deviation == pytest.approx(np.linalg.norm(apart, axis=1).max(), rel=1e-12)
        assert 0.01 * noise < result.distance < 3 * noise
        assert distance_bound(env, other) <= result.distance * (1 + 1e-12)
        assert nm.congruent(env, other, 1.001 * result.distance)
        assert not nm.congruent(env, other, 0.999 * result.distance)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pair(0.8, 0.0, 1), pair(0.8, 0.0, -1)),
        (rings([0, 2, 3.7], 0.6), rings([0, 2, 3.7], 0.6, z2=-1.2)),
        (BOND * polar(0.0, np.radians([0, 90, 180, 270])), BOND * polar(0.0, np.radians([0, 90, 180, 269.99]))),
        (LINE, LINE * [1, 1, -1] + [0, 0, 0.1]),
    ],
    ids=["A+ and A-", "bispectrum pair", "square", "lines"],
)
def test_what_differs_is_not_congruent(one, other):
    one, other = nm.Environment.from_vectors(one), nm.Environment.from_vectors(other)
    assert not nm.congruent(one, other)
    assert nm.superpose(one, other).distance > 1e-5


def test_near_congruence_goes_to_the_nearer_of_two_assignments():
    # Almost C3: any of three rotations is off by 1e-3 Å, the fourth permutation exact.
    ring = polar(0.3, 2 * np.pi / 3 * np.arange(3)) + 1e-3 * rng(8).normal(size=(3, 3))
    vectors = np.vstack([ring, turned(1.0, ring) * [1.4, 1.4, -0.7], [[0, 0, 1.3], [0, 0, -1.7]]])
    env = nm.Environment.from_vectors(vectors)
    assert nm.superpose(env, moved(env, 9)).distance < 1e-14
    assert nm.congruent(env, moved(env, 9), 1e-9)


@pytest.mark.parametrize("reflections", [True, False])
def test_the_distance_is_the_least_over_all_assignments(reflections):
    generator = rng(10)
    for n in (1, 2, 3, 4, 5):
        a, b = generator.normal(size=(2, n, 3))
        result = nm.superpose(*(nm.Environment.from_vectors(v) for v in (a, b)), reflections=reflections)
        assert result.exhaustive
        # Kabsch's bound from singular values, for each assignment by itself.
        best = np.inf
        for order in itertools.permutations(range(n)):
            matrix = a.T @ b[list(order)]
            s = np.linalg.svd(matrix, compute_uv=False)
            if not reflections and np.linalg.det(matrix) < 0:
                s[2] *= -1
            best = min(best, (a**2).sum() + (b**2).sum() - 2 * s.sum())
        assert result.distance == pytest.approx(np.sqrt(best / n), abs=1e-7)


def test_many_neighbours_are_superposed_about_as_well_as_by_all_assignments(monkeypatch):
    generator = rng(11)
    pairs = [[nm.Environment.from_vectors(generator.normal(size=(6, 3))) for _ in range(2)] for _ in range(20)]
    best = np.array([nm.superpose(*both).distance for both in pairs])
    monkeypatch.setattr("nullmode.symmetry.superposition._MOST_ASSIGNMENTS", 1)
    found = [nm.superpose(*both) for both in pairs]
    assert not any(result.exhaustive for result in found)
    distances = np.array([result.distance for result in found])
    assert (distances >= best - 1e-12).all()
    assert np.count_nonzero(distances < best + 1e-9) >= 18
    assert (distances < 1.1 * best).all()


def test_species_and_centres_count():
    vectors = rng(12).normal(size=(4, 3))
    one = nm.Environment.from_vectors(vectors, ["H", "H", "O", "O"])
    swapped = nm.Environment.from_vectors(vectors, ["H", "O", "H", "O"])
    assert not nm.congruent(one, swapped)
    assert nm.superpose(one, swapped).distance > 0.1
    many, kinds = rng(13).normal(scale=1.5, size=(16, 3)), [1, 8] * 8
    one, exchanged = nm.Environment.from_vectors(many, kinds), nm.Environment.from_vectors(many, kinds[::-1])
    result = nm.superpose(one, exchanged)
    assert not result.exhaustive
    assert np.array_equal(one.species, exchanged.species[result.permutation])
    assert result.distance > 0.1
    assert not nm.congruent(one, nm.Environment.from_vectors(vectors, ["H", "H", "O", "O"], "N"))
    assert not nm.congruent(one, nm.Environment.from_vectors(vectors[:3], ["H", "H", "O"]))
    with pytest.raises(InputError, match="`second` must have the composition of `first`"):
        nm.superpose(one, nm.Environment.from_vectors(vectors))
    with pytest.raises(InputError, match="`tolerance` must be"):
        nm.congruent(one, one, 0.0)
    with pytest.raises(InputError, match=r"must be a nullmode\.Environment"):
        nm.superpose(one, vectors)
