"""The null modes, sorted: as many as the counts say, null indeed, and of the symmetry that their names say."""

from collections import Counter

import numpy as np
import pytest
from cases import SETTING, TD, pair, rng
from geometries import GEOMETRIES

import nullmode as nm

TABLE = {name: (vectors, species) for name, (vectors, species, _) in GEOMETRIES.items()} | {
    "C3v": (TD * np.array([[1.3], [1], [1], [1]]), "H"),
}
NU_2 = nm.PowerSpectrum(n_max=8, l_max=8, **SETTING)
DESCRIPTORS = {
    "nu 1": nm.RadialSpectrum(**SETTING),
    "nu 2": NU_2,
    "nu 2, small": nm.PowerSpectrum(n_max=2, l_max=2, **SETTING),
    "nu 3, chiral": nm.Bispectrum(n_max=3, l_max=3, parity="SO3", **SETTING),
}


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("name", [name for name in GEOMETRIES if len(GEOMETRIES[name][0]) <= 8])
@pytest.mark.parametrize("descriptor", DESCRIPTORS.values(), ids=DESCRIPTORS.keys())
def test_parts_add_up_to_the_counts(name, descriptor):
    vectors, species, _ = GEOMETRIES[name]
    env = nm.Environment.from_vectors(vectors, species)
    why = nm.attribute(env, descriptor)
    parts = nm.split_null_modes(env, descriptor)
    counts = Counter()
    for part in parts:
        counts[part.cause] += len(part.modes)
    assert counts["symmetry"] == why.null_symmetry
    assert sum(counts.values()) == why.n_dof - why.rank
    if counts["incompleteness"] or counts["truncation"]:
        assert counts["incompleteness"] == why.null_incompleteness
        assert counts["truncation"] == why.null_truncation
    modes = np.concatenate([part.modes for part in parts] or [np.zeros((0, len(env), 3))]).reshape(-1, 3 * len(env))
    assert np.allclose(modes @ modes.T, np.eye(len(modes)), atol=1e-9)
    jacobian = descriptor.compute_with_jacobian(env)[1].reshape(-1, 3 * len(env))
    assert np.linalg.norm(jacobian @ modes.T) <= 1e-8 * np.linalg.norm(jacobian)


def test_modes_of_methane_and_of_the_spurious_point():
    def content(vectors):
        parts = nm.split_null_modes(nm.Environment.from_vectors(vectors), NU_2)
        return [(part.cause, part.irrep, len(part.modes)) for part in parts]

    assert content(TD) == [("symmetry", "E", 2), ("symmetry", "T2", 6)]
    assert content(pair(1.0, 0.0)) == [("incompleteness", "A", 1)]


@pytest.mark.parametrize("noise", [3e-5, 3e-4, 3e-3])
@pytest.mark.parametrize("name", ["tetrahedron", "octahedron", "cube", "C3v", "cis MA4B2"])
def test_noise_within_the_tolerance_changes_no_name(name, noise):
    vectors, species = TABLE[name]
    exact = nm.Environment.from_vectors(vectors, species)
    step = rng(1).normal(size=vectors.shape)
    near = nm.Environment.from_vectors(vectors + noise * step / np.linalg.norm(step, axis=1).max(), species)
    rtol, tolerance = 30 * noise, 3 * noise
    assert nm.point_group(near, tolerance).name == nm.point_group(exact).name
    modes = nm.split_null_modes(near, NU_2, rtol, tolerance)
    found, expected = (
        [(part.cause, part.irrep, len(part.modes)) for part in parts]
        for parts in (modes, nm.split_null_modes(exact, NU_2))
    )
    assert found == expected
    jacobian = NU_2.compute_with_jacobian(near)[1].reshape(-1, vectors.size)
    flat = np.concatenate([part.modes for part in modes]).reshape(-1, vectors.size)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-12)
    assert np.linalg.norm(jacobian @ flat.T, 2) <= rtol * np.linalg.norm(jacobian, 2)


def test_equal_spaces_have_equal_modes():
    # Other descriptors, other singular vectors, the same spaces.
    env = nm.Environment.from_vectors(TD)
    for one, other in zip(
        nm.split_null_modes(env, NU_2), nm.split_null_modes(env, DESCRIPTORS["nu 3, chiral"]), strict=True
    ):
        assert np.allclose(one.modes, other.modes, atol=1e-8)


def test_totally_symmetric_null_modes_keep_the_group():
    vectors, species, _ = GEOMETRIES["cis MA4B2"]
    env = nm.Environment.from_vectors(vectors, species)
    (part,) = [p for p in nm.split_null_modes(env, NU_2) if p.cause != "symmetry"]
    assert (part.cause, part.irrep) == ("incompleteness", "A1")
    moved = nm.Environment.from_vectors(vectors + 0.05 * part.modes[0], species)
    assert nm.point_group(moved).name == "C2v"


@pytest.mark.parametrize("a", [1e-5, 1e-6, 1e-7, 1e-8, 1e-9])
def test_a_converged_basis_is_not_blamed_near_a_symmetric_structure(a):
    env = nm.Environment.from_vectors(TD + a * rng(1).normal(size=(4, 3)))
    parts = nm.split_null_modes(env, NU_2)
    assert parts
    assert {part.cause for part in parts} <= {"symmetry", "unresolved"}


def test_causes_that_cannot_be_told_apart_are_not():
    vectors, species, _ = GEOMETRIES["cis MA4B2"]
    env = nm.Environment.from_vectors(vectors, species)
    small = nm.PowerSpectrum(n_max=2, l_max=0, **SETTING)
    why = nm.attribute(env, small)
    assert min(why.null_incompleteness, why.null_truncation) > 0
    assert {part.cause for part in nm.split_null_modes(env, small)} == {"symmetry", "unresolved"}


def test_a_line_within_the_tolerance_has_the_modes_of_a_line():
    # H and N about C, written with four digits.
    near = nm.Environment.from_vectors([[-0.2417, 0.3626, 0.9669], [0.2645, -0.3968, -1.0582]], ["H", "N"])
    why = nm.attribute(near, NU_2, 1e-3, 3e-4)
    parts = nm.split_null_modes(near, NU_2, 1e-3, 3e-4)
    assert (why.point_group, why.n_dof, why.rank) == ("C∞v", 4, 2)
    assert [(part.cause, len(part.modes)) for part in parts] == [("symmetry", 2)]


@pytest.mark.parametrize("name", ["tetrahedron", "octahedron", "cube", "C3v"])
def test_partners_are_even_or_odd(name):
    """Of a threefold space with twofold axes, each mode keeps its direction or is reversed under each of them."""
    vectors, species = TABLE[name]
    env = nm.Environment.from_vectors(vectors, species)
    group = nm.point_group(env)
    mirrors = [k for k, g in enumerate(group.operations) if np.allclose(g @ g, np.eye(3)) and abs(np.trace(g)) < 2]
    along = env.vectors / np.linalg.norm(env.vectors, axis=1, keepdims=True)
    for part in nm.split_null_modes(env, NU_2):
        stretch = np.square(np.einsum("kjx,jx->kj", part.modes, along)).sum(axis=1)
        assert (np.diff(stretch) < 1e-9).all()
        for mode in part.modes:
            images = np.zeros((len(mirrors), *mode.shape))
            for image, k in zip(images, mirrors, strict=True):
                image[group.permutations[k]] = mode @ group.operations[k].T
            overlaps = np.abs(np.einsum("gjx,jx->g", images, mode))
            assert (overlaps > 1 - 1e-9).any(), part.irrep
