import numpy as np
import pytest
from cases import COMPLETE, RANKS, RING_PAIRS, SETTING, STRUCTURES, pair, rings
from geometries import GEOMETRIES
from oracles import featomic_bispectrum

import nullmode as nm
from nullmode.basis.coupling import coupling


def analysed(vectors, **parameters):
    env = nm.Environment.from_vectors(vectors)
    return nm.attribute(env, nm.Bispectrum(**parameters, **SETTING))


@pytest.mark.law(cases=2)
@pytest.mark.parametrize("parity", ["O3", "SO3"])
@pytest.mark.parametrize(("name", "n_max", "l_max"), [("formic acid", 2, 3), ("crystal", 2, 2), ("methane", 4, 4)])
def test_features_are_featomics_up_to_sign(name, n_max, l_max, parity):
    atoms = STRUCTURES[name]
    species = tuple(dict.fromkeys(atoms.symbols))
    descriptor = nm.Bispectrum(n_max=n_max, l_max=l_max, parity=parity, species=species, **SETTING)
    phi = descriptor.compute(nm.environments(atoms, 4.0, centers=0)[0])
    expected = featomic_bispectrum(descriptor, atoms, 0)
    np.testing.assert_allclose(np.abs(phi), np.abs(expected), rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("parity", ["O3", "SO3"])
def test_norm_is_that_of_the_full_tensor(parity):
    # Every ordered triple of channels, coupled, squared and added.
    env = nm.Environment.from_vectors(RANKS["random"][0])
    descriptor = nm.Bispectrum(n_max=2, l_max=2, parity=parity, **SETTING)
    coefficients = coefficients_of(descriptor, env)
    total = 0.0
    table = coupling(2, parity)
    for t, triple in enumerate(table.l):
        part = slice(table.first[t], table.first[t + 1])
        value = np.zeros((2, 2, 2))
        for (a, b, c), weight in zip(table.lm[part], table.value[part], strict=True):
            value += weight * np.einsum("i,j,k->ijk", coefficients[:, a], coefficients[:, b], coefficients[:, c])
        orderings = {3: 6, 2: 3, 1: 1}[len(set(triple.tolist()))]
        total += orderings * (value**2).sum()
    assert np.linalg.norm(descriptor.compute(env)) ** 2 == pytest.approx(total, rel=1e-12)


def coefficients_of(descriptor, env):
    from nullmode.basis.density import expand, expansion
    from nullmode.descriptors._layout import pack

    batch = pack([env], ("H",), with_centers=False)
    out = expansion(descriptor._density(), 1, len(env))
    expand(batch, 0, descriptor._density(), out)
    return out.c


@pytest.mark.parametrize("parity", ["O3", "SO3"])
@pytest.mark.parametrize("l_max", [0, 1, 4, 8])
def test_coupling_tensors_are_normalised(l_max, parity):
    table = coupling(l_max, parity)
    for t, (l1, l2, l3) in enumerate(table.l):
        part = slice(table.first[t], table.first[t + 1])
        assert (table.value[part] ** 2).sum() == pytest.approx(1, rel=1e-12)
        assert l1 <= l2 <= l3 <= l1 + l2
        assert parity == "SO3" or (l1 + l2 + l3) % 2 == 0


def test_pseudoscalars_change_sign_under_reflection():
    vectors = RANKS["random"][0]
    both = nm.Bispectrum(n_max=2, l_max=3, parity="SO3", **SETTING)
    odd = np.array([(label.l_1 + label.l_2 + label.l_3) % 2 == 1 for label in both.feature_labels()])
    phi, mirrored = (both.compute(nm.Environment.from_vectors(sign * vectors)) for sign in (1, -1))
    assert odd.any()
    assert np.abs(phi[odd]).max() > 1e-3 * np.abs(phi).max()
    np.testing.assert_allclose(mirrored, np.where(odd, -phi, phi), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", RANKS)
@pytest.mark.parametrize(("parity", "column"), [("O3", 2), ("SO3", 3)])
def test_ranks_are_those_of_theory(name, parity, column):
    result = analysed(RANKS[name][0], n_max=4, l_max=5, parity=parity)
    assert result.rank == result.rank_complete == COMPLETE[name][column]


@pytest.mark.parametrize(("phi", "psi", "ranks"), RING_PAIRS.values(), ids=RING_PAIRS.keys())
def test_ranks_of_the_bispectrum_pair(phi, psi, ranks):
    for parity, rank in zip(("O3", "SO3"), ranks[1:], strict=True):
        result = analysed(rings(phi, psi), n_max=4, l_max=5, parity=parity)
        assert result.rank == result.rank_complete == rank


# Rank over l_max = 0, 1, …
SERIES = {
    "X(pi, 0)": (pair(1.0, 0.0), 4, (1, 3, 8, 9, 9, 9)),
    "nu = 3 pair": (rings([0, 2, 3.7], 0.6), 3, (2, 6, 14, 18, 18, 18)),
}


@pytest.mark.law(cases=1, slow=["X(pi, 0)"])
@pytest.mark.parametrize(("vectors", "n_max", "ranks"), SERIES.values(), ids=SERIES.keys())
def test_rank_grows_with_l_max_as_published(vectors, n_max, ranks):
    env = nm.Environment.from_vectors(vectors)
    sets = [nm.Bispectrum(n_max=n_max, l_max=l_max, **SETTING) for l_max in range(len(ranks))]
    assert tuple(nm.spectra([env], descriptor).rank[0] for descriptor in sets) == ranks


@pytest.mark.parametrize("parity", ["O3", "SO3"])
@pytest.mark.parametrize(
    ("n_max", "l_max", "species"), [(1, 0, "H"), (1, 4, "H"), (3, 3, "H"), (2, 2, ("H", "O", "C"))]
)
def test_features_are_counted_before_they_are_listed(n_max, l_max, species, parity):
    descriptor = nm.Bispectrum(n_max=n_max, l_max=l_max, species=species, parity=parity, **SETTING)
    assert descriptor._n_features(len(descriptor.species)) == len(descriptor.feature_labels()) > 0


def test_bispectrum_tells_the_degenerate_pair_apart_and_not_its_own():
    three = nm.Bispectrum(n_max=3, l_max=4, **SETTING)

    def distance(one, two):
        a, b = (three.compute(nm.Environment.from_vectors(v)) for v in (one, two))
        return np.linalg.norm(a - b) / np.linalg.norm(a)

    assert distance(pair(0.8, 0.0, 1), pair(0.8, 0.0, -1)) > 1e-3
    ring = rings([0, 2, 3.7], 0.6)
    other = np.vstack([ring[:6], [[0, 0, -1.2]]])
    assert distance(ring, other) < 1e-14


# The first pseudoscalar of these has l = 7: three neighbours of l1 + l2 + l3 odd that a sixfold axis leaves.
LATE = ("prism 6", "antiprism 6")


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("parity", ["O3", "SO3"])
def test_a_converged_basis_reaches_rank_complete(name, parity):
    vectors, species, _ = GEOMETRIES[name]
    n_max = 2 if not isinstance(species, str) else 5 if len(vectors) <= 6 else 4 if len(vectors) <= 8 else 3
    env = nm.Environment.from_vectors(vectors, species)
    descriptor = nm.Bispectrum(n_max=n_max, l_max=8 if name in LATE else 6, parity=parity, **SETTING)
    result = nm.attribute(env, descriptor)
    assert result.rank == result.rank_complete
    assert result.diagnostic == ""
