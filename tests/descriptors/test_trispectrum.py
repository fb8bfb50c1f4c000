from collections import Counter
from itertools import combinations_with_replacement, groupby, permutations

import numpy as np
import pytest
from cases import RING_PAIRS, SETTING, STRUCTURES, rings, rng
from geometries import GEOMETRIES
from oracles import featomic_trispectrum
from scipy.spatial.transform import Rotation

import nullmode as nm
from nullmode.basis.density import expand, expansion
from nullmode.basis.quartet import coupled, independent
from nullmode.descriptors._layout import pack


def coefficients(descriptor, environments):
    """Density coefficients of each environment, flattened; shape (n_environments, K (l_max + 1)²)."""
    density = descriptor._density()
    batch = pack(environments, descriptor.species, with_centers=descriptor.center_weight != 0)
    out = expansion(density, len(descriptor.species), max(len(environment) for environment in environments))
    result = []
    for i in range(len(environments)):
        expand(batch, i, density, out)
        result.append(out.c[:, : (density.l_max + 1) ** 2].ravel())
    return np.array(result)


def rotations(degree):
    """Rotations and weights that integrate products of Wigner matrices up to a degree exactly over SO(3)."""
    turns = 2 * np.pi * np.arange(degree + 1) / (degree + 1)
    nodes, weights = np.polynomial.legendre.leggauss(degree // 2 + 1)
    angles = np.stack(np.meshgrid(turns, np.arccos(nodes), turns, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = np.broadcast_to(weights[None, :, None], (degree + 1, len(nodes), degree + 1)).ravel()
    return Rotation.from_euler("ZYZ", angles).as_matrix(), grid / grid.sum()


SPECIES = {"species": ("H", "O"), **SETTING}
ISOMETRIES = {
    "nu 1": nm.RadialSpectrum(n_max=3, **SPECIES),
    "nu 2": nm.PowerSpectrum(n_max=2, l_max=3, **SPECIES),
    "nu 3": nm.Bispectrum(n_max=2, l_max=2, **SPECIES),
    "nu 3, chiral": nm.Bispectrum(n_max=2, l_max=2, parity="SO3", **SPECIES),
    "nu 4": nm.Trispectrum(n_max=2, l_max=2, **SPECIES),
    "nu 4, angles": nm.Trispectrum(n_max=1, l_max=4, **SPECIES),
    "nu 4, centre": nm.Trispectrum(n_max=3, l_max=1, center_weight=0.7, **SPECIES),
}


@pytest.mark.law(cases=3)
@pytest.mark.parametrize("descriptor", ISOMETRIES.values(), ids=ISOMETRIES.keys())
def test_products_of_features_are_averages_over_rotations(descriptor):
    # The full tensor over all ordered tuples has the product ∫ (c · R c')^nu dR: no coupling coefficient in sight.
    # Equal products of all pairs are equal norms and distances.
    kinds = (["H", "H", "O", "H"], ["O", "H", "O"], ["H"] * 5)
    vectors = [rng(seed).normal(size=(len(kind), 3)) for seed, kind in enumerate(kinds)]
    envs = [nm.Environment.from_vectors(v, kind, "O") for v, kind in zip(vectors, kinds, strict=True)]
    order = descriptor.correlation_order
    matrices, weights = rotations(order * descriptor.l_max)
    signs = (1, -1) if descriptor.parity == "O3" else (1,)
    c = coefficients(descriptor, envs)
    expected = np.zeros((3, 3))
    for column, (v, kind) in enumerate(zip(vectors, kinds, strict=True)):
        for sign in signs:
            turned = [nm.Environment.from_vectors(sign * v @ matrix, kind, "O") for matrix in matrices]
            overlaps = c @ coefficients(descriptor, turned).T
            expected[:, column] += (overlaps**order) @ weights / len(signs)
    phi = np.array(descriptor.compute_batch(envs))
    np.testing.assert_allclose(phi @ phi.T, expected, rtol=0, atol=1e-12 * expected.max())


@pytest.mark.law(cases=2, slow=["methane-2-3"])
@pytest.mark.parametrize(("name", "n_max", "l_max"), [("methane", 2, 3), ("formic acid", 1, 2), ("crystal", 2, 1)])
def test_features_are_featomics(name, n_max, l_max):
    atoms = STRUCTURES[name]
    species = tuple(dict.fromkeys(atoms.symbols))
    descriptor = nm.Trispectrum(n_max=n_max, l_max=l_max, species=species, **SETTING)
    phi = descriptor.compute(nm.environments(atoms, 4.0, centers=0)[0])
    entry = featomic_trispectrum(descriptor, atoms, 0)
    scale = np.abs(phi).max()
    n_distinct = 0
    labelled = zip(descriptor.feature_labels(), phi, strict=True)
    for channels, group in groupby(labelled, key=lambda pair: pair[0][:12]):
        values = np.array([value for _, value in group])
        four = [channels[i : i + 3] for i in (0, 3, 6, 9)]
        l = [channel[2] for channel in four]
        steps = range(max(abs(l[0] - l[1]), abs(l[2] - l[3])), min(l[0] + l[1], l[2] + l[3]) + 1)
        expected = np.array([entry(four, L) for L in steps])
        expected *= np.sqrt(len(set(permutations(four))))
        # Of equal channels featomic keeps dependent entries: their norm is that of our fewer ones.
        assert np.linalg.norm(values) == pytest.approx(np.linalg.norm(expected), abs=1e-12 * scale)
        if len(set(four)) == 4:
            n_distinct += 1
            np.testing.assert_allclose(np.abs(values), np.abs(expected), rtol=0, atol=1e-12 * scale)
    assert n_distinct > 10


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("l1", range(9))
@pytest.mark.parametrize("l2", range(9))
def test_couplings_are_orthogonal_matrices(l1, l2):
    size = (2 * l1 + 1) * (2 * l2 + 1)
    matrix = coupled(l1, l2).reshape(size, size)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(size), rtol=0, atol=1e-12)


def invariants(groups):
    """Number of scalars in a product of symmetric powers, {l: power} per group, by integrating characters."""
    points = 4 * sum(l * power for l, power in groups) + 4
    angle = 2 * np.pi * np.arange(points) / points
    product = np.ones(points)
    for l, power in groups:
        eigenvalues = np.exp(1j * np.outer(np.arange(-l, l + 1), angle))
        # The character of a symmetric power: the sum over all multisets of eigenvalues.
        product = product * sum(np.prod(some, axis=0) for some in combinations_with_replacement(eigenvalues, power))
    return np.mean(product * (1 - np.cos(angle))).real


PATTERNS = [(0, 1, 2, 3), (0, 0, 1, 2), (0, 1, 2, 2), (0, 0, 1, 1), (0, 0, 0, 1), (0, 1, 1, 1), (0, 0, 0, 0)]


@pytest.mark.parametrize("same", PATTERNS, ids=str)
def test_independent_couplings_are_as_many_as_group_theory_says(same):
    n_checked = 0
    for values in combinations_with_replacement(range(5), len(set(same))):
        l = tuple(values[k] for k in same)
        if sum(l) % 2:
            continue
        basis = independent(l, same)
        groups = [(values[k], power) for k, power in Counter(same).items()]
        assert len(basis) == pytest.approx(invariants(groups), abs=1e-9)
        np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), rtol=0, atol=1e-13)
        n_checked += len(basis)
    assert n_checked >= 5


def test_independent_couplings_follow_the_documented_rule():
    np.testing.assert_allclose(independent((1, 1, 1, 1), (0, 0, 0, 0)), [[np.sqrt(5) / 3, 0, 2 / 3]], atol=1e-15)
    # Two equal densities keep the even L of their pair; L = 1 … 5 and 0 … 4 here.
    np.testing.assert_allclose(independent((2, 3, 3, 3), (0, 1, 2, 2)), np.eye(5)[[1, 3]], atol=1e-15)
    np.testing.assert_allclose(independent((2, 2, 3, 3), (0, 0, 1, 1)), np.eye(5)[::2], atol=1e-15)


@pytest.mark.parametrize(("n_max", "l_max", "species"), [(2, 2, "H"), (1, 4, "H"), (1, 2, ("H", "O")), (3, 1, "H")])
def test_no_feature_depends_linearly_on_others(n_max, l_max, species):
    descriptor = nm.Trispectrum(n_max=n_max, l_max=l_max, species=species, **SETTING)
    n_features = len(descriptor.feature_labels())
    draw = rng(1)
    envs = [
        nm.Environment.from_vectors(draw.normal(size=(12, 3)), draw.choice(descriptor.species, 12))
        for _ in range(4 * n_features)
    ]
    phi = np.array(descriptor.compute_batch(envs))
    assert np.linalg.matrix_rank(phi / np.linalg.norm(phi, axis=0), tol=1e-6) == n_features > 20


def test_a_smaller_truncation_is_a_part_of_a_larger_one():
    env = nm.Environment.from_vectors(rng(5).normal(size=(6, 3)), ["H", "O"] * 3)
    large = nm.Trispectrum(n_max=2, l_max=3, **SPECIES)
    named = dict(zip(large.feature_labels(), large.compute(env), strict=True))
    small = nm.Trispectrum(n_max=2, l_max=2, **SPECIES)
    got = small.compute(env)
    np.testing.assert_allclose(got, [named[label] for label in small.feature_labels()], atol=1e-13 * np.abs(got).max())
    one = nm.Trispectrum(n_max=2, l_max=3, species=("O",), **SETTING)
    assert set(one.feature_labels()) < set(named)
    assert set(nm.Trispectrum(n_max=1, l_max=3, **SPECIES).feature_labels()) < set(named)


@pytest.mark.parametrize(("n_max", "l_max"), [(2, 2), (3, 3), (3, 4)])
def test_trispectrum_tells_the_bispectrums_pair_apart(n_max, l_max):
    ring = rings([0, 2, 3.7], 0.6)
    other = np.vstack([ring[:6], [[0, 0, -1.2]]])

    def distance(kind):
        a, b = (
            kind(n_max=n_max, l_max=l_max, **SETTING).compute(nm.Environment.from_vectors(v)) for v in (ring, other)
        )
        return np.linalg.norm(a - b) / np.linalg.norm(a)

    assert distance(nm.Bispectrum) < 1e-13
    assert distance(nm.Trispectrum) > 1e-3


@pytest.mark.parametrize(("phi", "psi", "ranks"), RING_PAIRS.values(), ids=RING_PAIRS.keys())
def test_spurious_null_modes_of_the_bispectrum_are_lifted(phi, psi, ranks):
    env = nm.Environment.from_vectors(rings(phi, psi))
    result = nm.attribute(env, nm.Trispectrum(n_max=3, l_max=4, **SETTING))
    assert result.rank == result.rank_complete == result.rank_symmetric
    assert result.rank > ranks[1] or ranks[1] in (6, 18)


# The twist of D5 is first seen by m = 5; among harmonics with the symmetry of O, the second after the sphere has l = 6.
SLOW = {"twisted prism 5": (2, 5), "chiral O": (2, 6)}


@pytest.mark.law(cases=12, slow=["chiral O", "dodecahedron"])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_converged_basis_reaches_rank_complete(name):
    vectors, species, _ = GEOMETRIES[name]
    env = nm.Environment.from_vectors(vectors, species)
    n_max, l_max = SLOW.get(name, (3 if len(set(env.species.tolist())) < 3 else 2, 4))
    result = nm.attribute(env, nm.Trispectrum(n_max=n_max, l_max=l_max, **SETTING))
    assert result.rank == result.rank_complete
    assert result.diagnostic == ""


@pytest.mark.parametrize(
    ("name", "l_max"),
    [("twisted prism 5", 4), pytest.param("chiral O", 5, marks=pytest.mark.slow)],
)
def test_a_basis_without_the_first_telling_harmonic_is_called_truncation(name, l_max):
    vectors, species, _ = GEOMETRIES[name]
    result = nm.attribute(nm.Environment.from_vectors(vectors, species), nm.Trispectrum(l_max=l_max, **SETTING))
    assert (result.null_truncation, result.null_incompleteness, result.ambiguous) == (1, 0, False)


def test_too_many_features_are_refused_with_their_number():
    species = ("H", "C", "N", "O", "F")
    message = r"must leave at most 1000000 features, got 1283025 for 5 species at n_max=3, l_max=4\. Use smaller ones"
    with pytest.raises(nm.InputError, match=message):
        nm.Trispectrum(n_max=3, l_max=4, species=species, **SETTING)
    # Where the set names the species, on use.
    large, five = (
        nm.Trispectrum(n_max=3, l_max=4, **SETTING),
        nm.Environment.from_vectors(rng().normal(size=(5, 3)), species),
    )
    with pytest.raises(nm.InputError, match=message):
        large.compute(five)
    with pytest.raises(nm.InputError, match=message):
        large.feature_labels([five])
