import naive
import numpy as np
import pytest
from cases import DESCRIPTORS, ENVIRONMENTS, SCALING, SETTING, STRUCTURES, environment, rng
from jacobi import jacobi
from oracles import featomic_features, fold_by_atom
from scipy.spatial.transform import Rotation
from skmatter.datasets import load_degenerate_CH4_manifold

import nullmode as nm
from nullmode.families import degenerate_pair

# Sorted lists are smooth only until two of their entries meet.
FIRST_STEP = {"inverse distances": 1e-4}
EVERY = [pytest.param(d, e, id=f"{d}-{e}") for d in DESCRIPTORS for e in ENVIRONMENTS]


def computed(descriptor, vectors, species, center="C"):
    return descriptor.compute(nm.Environment.from_vectors(vectors, species, center))


@pytest.mark.law(cases=16)
@pytest.mark.parametrize(("name", "where"), EVERY)
def test_jacobian_is_the_derivative(name, where):
    descriptor, (vectors, species) = DESCRIPTORS[name], ENVIRONMENTS[where]
    phi, jac = descriptor.compute_with_jacobian(environment(where))
    np.testing.assert_array_equal(phi, descriptor.compute(environment(where)))

    def features(x):
        return computed(descriptor, x.reshape(-1, 3), species)

    # First steps of .25 Å, the default, would leave the range in which the sharpest density is smooth.
    numeric, error = jacobi(features, vectors.ravel(), step=(FIRST_STEP.get(name, 0.01), 0.4))
    scale = np.abs(jac).max()
    assert error.max() < 3e-6 * scale
    np.testing.assert_allclose(
        jac.reshape(len(phi), -1), numeric, rtol=0, atol=max(1e-9 * scale, 10 * np.abs(error).max())
    )


@pytest.mark.law(cases=12)
@pytest.mark.parametrize(("name", "where"), EVERY)
def test_features_are_invariant_and_jacobian_equivariant(name, where):
    descriptor, (vectors, species) = DESCRIPTORS[name], ENVIRONMENTS[where]
    phi, jac = descriptor.compute_with_jacobian(environment(where))
    scale = np.abs(phi).max()
    for seed, sign in ((1, 1), (2, -1 if descriptor.parity == "O3" else 1)):
        turn = sign * Rotation.random(rng=seed).as_matrix()
        order = rng(seed).permutation(len(vectors))
        kinds = species if isinstance(species, str) else [species[k] for k in order]
        moved = nm.Environment.from_vectors(vectors[order] @ turn.T, kinds)
        phi_moved, jac_moved = descriptor.compute_with_jacobian(moved)
        np.testing.assert_allclose(phi_moved, phi, rtol=0, atol=2e-14 * scale)
        np.testing.assert_allclose(jac_moved, jac[:, order] @ turn.T, rtol=0, atol=1e-13 * np.abs(jac).max())


@pytest.mark.law(cases=12)
@pytest.mark.parametrize(("name", "where"), EVERY)
def test_rigid_rotations_are_null(name, where):
    _, jac = DESCRIPTORS[name].compute_with_jacobian(environment(where))
    flat = jac.reshape(len(jac), -1)
    response = flat @ naive.rotations(ENVIRONMENTS[where][0]).T
    assert np.linalg.norm(response, 2) <= 1e-13 * np.linalg.norm(flat, 2)


@pytest.mark.law(cases=8)
@pytest.mark.parametrize("center_weight", [0.0, 1.0])
@pytest.mark.parametrize(("n_max", "l_max"), [(4, 4), (6, 6), (8, 8), (12, 10)])
@pytest.mark.parametrize("kind", [nm.RadialSpectrum, nm.PowerSpectrum])
@pytest.mark.parametrize("name", STRUCTURES)
def test_features_and_jacobian_are_featomics(name, kind, n_max, l_max, center_weight):
    atoms = STRUCTURES[name]
    angular = {"l_max": l_max} if kind is nm.PowerSpectrum else {}
    species = tuple(dict.fromkeys(atoms.symbols))
    descriptor = kind(n_max=n_max, species=species, center_weight=center_weight, **angular, **SETTING)
    env = nm.environments(atoms, 4.0, centers=0)[0]
    phi, jac = descriptor.compute_with_jacobian(env)
    expected, gradients = featomic_features(descriptor, atoms, 0)
    tolerance = max(1e-12, 1e-14 / descriptor.basis.smallest_eigenvalue)
    assert np.abs(phi - expected).max() <= tolerance * np.abs(expected).max()
    others = np.arange(len(atoms)) != 0
    difference = (fold_by_atom(jac, env, len(atoms)) - gradients)[:, others]
    # Sums over periodic images cancel: the error is measured against what is summed.
    assert np.abs(difference).max() <= tolerance * np.abs(jac).max()


# Its cubic spline of functions that it has not in closed form, of 2000 points, is good to 1e-11, its slopes to 2e-9.
OTHERS = {
    "scaled": ({"radial_scaling": SCALING}, 1e-12, 1e-12),
    "laplacian": ({"radial_basis": "laplacian-eigenstates"}, 3e-11, 1e-8),
    "laplacian, centre": ({"radial_basis": "laplacian-eigenstates", "center_weight": 1.0}, 3e-11, 1e-8),
    "laplacian, scaled": ({"radial_basis": "laplacian-eigenstates", "radial_scaling": SCALING}, 3e-11, 1e-8),
    "laplacian, delta": ({"radial_basis": "laplacian-eigenstates", "density": "delta"}, 3e-11, 1e-8),
}


@pytest.mark.law(cases=1)
@pytest.mark.parametrize(("parameters", "of_values", "of_slopes"), OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("name", ["methane", "formic acid", "crystal"])
def test_other_functions_and_densities_are_featomics(name, parameters, of_values, of_slopes):
    atoms = STRUCTURES[name]
    species = tuple(dict.fromkeys(atoms.symbols))
    descriptor = nm.PowerSpectrum(n_max=4, l_max=3, species=species, **parameters, **SETTING)
    env = nm.environments(atoms, 4.0, centers=0)[0]
    phi, jac = descriptor.compute_with_jacobian(env)
    expected, gradients = featomic_features(descriptor, atoms, 0)
    assert np.abs(phi - expected).max() <= of_values * np.abs(expected).max()
    difference = fold_by_atom(jac, env, len(atoms)) - gradients
    assert np.abs(difference[:, 1:]).max() <= of_slopes * np.abs(jac).max()


@pytest.mark.law(cases=8)
@pytest.mark.parametrize("r", [0.5, 1.1, 2.1, 2.8, 3.3])
@pytest.mark.parametrize(("n_max", "l_max"), [(4, 4), (8, 8), (12, 10)])
def test_one_neighbour_equals_forty_digits(n_max, l_max, r):
    # featomic 0.6.7 is off by up to 1e-10 of the largest slope beyond 2.4 Å; this oracle is not.
    descriptor = nm.PowerSpectrum(n_max=n_max, l_max=l_max, **SETTING)
    direction = np.array([0.48, 0.6, 0.64])
    phi, jac = descriptor.compute_with_jacobian(nm.Environment.from_vectors([r * direction]))
    value, slope = naive.exact_integrals(r * np.linalg.norm(direction), n_max, l_max, 4.0, 0.3)
    expected = []
    for label in descriptor.feature_labels():
        n, p, l = label.n_1, label.n_2, label.l
        front = (-1) ** l * np.sqrt(2 * l + 1) / (4 * np.pi) * (1 if n == p else np.sqrt(2))
        expected.append(
            [front * value[n, l] * value[p, l], front * (value[n, l] * slope[p, l] + slope[n, l] * value[p, l])]
        )
    expected = np.array(expected)
    got = np.column_stack([phi, jac[:, 0] @ direction])
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-13 * np.abs(expected).max())


@pytest.mark.parametrize("where", ["methane", "mixed", "smoothed"])
def test_features_are_their_definition(where):
    env = environment(where)
    species = sorted(set(env.species.tolist()))
    descriptor = nm.PowerSpectrum(n_max=3, l_max=3, **SETTING)
    c = naive.coefficients(env, descriptor, species)
    pairs = naive.power_spectrum(c, 3)
    phi = descriptor.compute(env)
    names = {nm.Environment.from_vectors([[1, 0, 0]], s).species[0]: k for k, s in enumerate(species)}
    for value, label in zip(phi, descriptor.feature_labels([env]), strict=True):
        q, p = (
            names[nm.Environment.from_vectors([[1, 0, 0]], s).species[0]] * 3 + n
            for s, n in ((label.species_1, label.n_1), (label.species_2, label.n_2))
        )
        weight = 1.0 if q == p else np.sqrt(2)
        assert value == pytest.approx(weight * pairs[q, p, label.l], abs=1e-10 * np.abs(phi).max())
    assert np.linalg.norm(phi) == pytest.approx(np.linalg.norm(list(pairs.values())), rel=1e-9)
    radial = nm.RadialSpectrum(n_max=3, **SETTING).compute(env)
    np.testing.assert_allclose(radial, c[:, :, 0].ravel(), atol=1e-10 * np.abs(c).max())


def test_published_degenerate_manifold_is_reproduced():
    # librascal, cutoff 4, n_max 2, l_max 2, width .5, smoothing .5: no free factor.
    published = load_degenerate_CH4_manifold().data["SOAP_power_spectrum"]
    descriptor = nm.PowerSpectrum(n_max=2, l_max=2, cutoff=4.0, cutoff_width=0.5, width=0.5, center_weight=1.0)
    structures = list(degenerate_pair.structures())
    assert published.shape == (162, 12)
    assert len(structures) == 162
    index = {(label.n_1, label.n_2, label.l): k for k, label in enumerate(descriptor.feature_labels())}
    front = (0.5**2 / np.pi) ** 1.5 / 16
    for row, atoms in zip(published, structures, strict=True):
        # One species: the centre's density goes to the neighbours' channel.
        phi = descriptor.compute(nm.Environment.from_vectors(atoms.positions[1:], "H", "H"))
        columns = []
        for n_1 in range(2):
            for n_2 in range(2):
                weight = 1.0 if n_1 == n_2 else np.sqrt(0.5)
                columns += [front * (-1) ** l * weight * phi[index[(*sorted((n_1, n_2)), l)]] for l in range(3)]
        np.testing.assert_allclose(columns, row, rtol=0, atol=2e-8)


def test_published_manifold_is_degenerate_at_v_0():
    published = load_degenerate_CH4_manifold().data["SOAP_power_spectrum"]
    np.testing.assert_allclose(published[:81][4::9], published[81:][4::9], atol=1e-7)


@pytest.mark.parametrize("kind", [nm.RadialSpectrum, nm.PowerSpectrum])
@pytest.mark.parametrize("edge", [4.0, 3.5])
def test_features_and_jacobian_are_continuous_through_the_smoothing(kind, edge):
    descriptor = kind(n_max=6, **SETTING)
    direction = np.array([0.6, -0.64, 0.48])
    others = np.array([[1.0, 0.1, 0.2], [-0.3, 0.9, 0.5]])

    def at(r):
        return descriptor.compute_with_jacobian(nm.Environment.from_vectors(np.vstack([others, r * direction])))

    phi, jac = at(edge)
    for step in (-1e-7, 1e-7):
        phi_near, jac_near = at(edge + step)
        assert np.abs(phi_near - phi).max() < 1e-6 * np.abs(phi).max()
        assert np.abs(jac_near - jac).max() < 1e-5 * np.abs(jac).max()


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_neighbours_outside_the_cutoff_count_nothing(name):
    descriptor = DESCRIPTORS[name]
    near = rng(8).normal(size=(3, 3))
    far = np.vstack([near, [[0.0, 5.01, 0.2]]])
    phi, jac = descriptor.compute_with_jacobian(nm.Environment.from_vectors(far))
    expected, expected_jac = descriptor.compute_with_jacobian(nm.Environment.from_vectors(near))
    np.testing.assert_array_equal(phi, expected)
    np.testing.assert_array_equal(jac[:, :3], expected_jac)
    np.testing.assert_array_equal(jac[:, 3], 0)


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_batches_equal_single_environments(name):
    descriptor = nm.descriptors._layout.with_layout_of(DESCRIPTORS[name], [environment(e) for e in ENVIRONMENTS])
    envs = [environment(e) for e in ENVIRONMENTS] + [nm.Environment.from_vectors([])]
    results = descriptor.compute_batch_with_jacobian(envs)
    values = descriptor.compute_batch(envs)
    for env, (phi, jac), value in zip(envs, results, values, strict=True):
        single, single_jac = descriptor.compute_with_jacobian(env)
        np.testing.assert_array_equal(phi, single)
        np.testing.assert_array_equal(value, single)
        np.testing.assert_array_equal(jac, single_jac)
        assert jac.shape == (len(phi), len(env), 3)


def test_species_layout_is_as_asked_for():
    env = environment("mixed")
    soap = nm.PowerSpectrum(n_max=2, l_max=1, **SETTING)
    taken = soap.compute(env)
    explicit = nm.PowerSpectrum(n_max=2, l_max=1, species=("H", "C", "N", "O"), **SETTING)
    np.testing.assert_array_equal(explicit.compute(env), taken)
    turned = nm.PowerSpectrum(n_max=2, l_max=1, species=(8, "N", 6, "H"), **SETTING)
    assert np.linalg.norm(turned.compute(env)) == pytest.approx(np.linalg.norm(taken), rel=1e-14)
    by_name = {
        frozenset([(a, n), (b, m)]) | {l}: v
        for (a, n, b, m, l), v in zip(turned.feature_labels(), turned.compute(env), strict=True)
    }
    for (a, n, b, m, l), value in zip(explicit.feature_labels(), taken, strict=True):
        assert by_name[frozenset([(a, n), (b, m)]) | {l}] == pytest.approx(value, rel=1e-12, abs=1e-14)
    wider = nm.PowerSpectrum(n_max=2, l_max=1, species=("H", "C", "N", "O", "S"), **SETTING)
    assert np.linalg.norm(wider.compute(env)) == pytest.approx(np.linalg.norm(taken), rel=1e-14)
    assert len(wider.compute(env)) == len(wider.feature_labels()) == 2 * 10 * 11 // 2


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_labels_name_every_feature(name):
    descriptor = DESCRIPTORS[name]
    for where in ("methane", "crowded"):
        env = environment(where)
        labels = descriptor.feature_labels([env])
        assert len(labels) == len(set(labels)) == len(descriptor.compute(env))
    assert len(descriptor.feature_labels()) == len(computed(descriptor, [[1.0, 0, 0]], "C", "C"))


BAD = {
    "n_max": ({"n_max": 0}, r"`PowerSpectrum.n_max` must be greater than or equal to 1, got 0"),
    "n_max, text": ({"n_max": "many"}, r"`PowerSpectrum.n_max` must be a valid integer, .* got 'many'"),
    "n_max, digits": ({"n_max": 24}, r"`n_max` must leave the GTO functions distinguishable, got n_max=24"),
    "l_max": ({"l_max": -1}, r"`PowerSpectrum.l_max` must be greater than or equal to 0, got -1"),
    "l_max, large": ({"l_max": 26}, r"`PowerSpectrum.l_max` must be less than or equal to 25, got 26"),
    "width": ({"width": 0}, r"`PowerSpectrum.width` must be greater than 0, got 0"),
    "width nan": ({"width": np.nan}, r"`PowerSpectrum.width` must be .*got nan"),
    "cutoff": ({"cutoff": 0}, r"`PowerSpectrum.cutoff` must be greater than 0, got 0"),
    "cutoff_width": ({"cutoff_width": -0.1}, r"`PowerSpectrum.cutoff_width` must be .* to 0, got -0.1"),
    "smoothing": ({"cutoff": 2, "cutoff_width": 3}, r"`cutoff_width` must not exceed `cutoff`, got 3.0 Å > 2.0 Å"),
    "species": ({"species": ("H", "Qq")}, r"`species` must be chemical symbols or atomic numbers, got 'Qq'"),
    "species, float": ({"species": 5.5}, r"`species` must be chemical symbols or atomic numbers, got 5.5"),
    "species, truth": ({"species": [True]}, r"`species` must be chemical symbols or atomic numbers, got True"),
    "species twice": ({"species": ("H", 1)}, r"`species` must be distinct, got \('H', 'H'\)"),
    "unknown": ({"nmax": 3}, r"`PowerSpectrum.nmax` is not known. Did you mean `n_max`\?"),
    "no parameter": (
        {"soap": 3},
        r"is not known. Known: n_max, radial_basis, density, .*, radial_scaling, species, l_max\.$",
    ),
}


@pytest.mark.parametrize(("parameters", "message"), BAD.values(), ids=BAD.keys())
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(nm.InputError, match=message):
        nm.PowerSpectrum(**parameters)


def test_what_is_no_environment_is_refused():
    with pytest.raises(nm.InputError, match=r"`environment` must be a nullmode.Environment, got Atoms"):
        nm.PowerSpectrum().compute(STRUCTURES["methane"])


@pytest.mark.parametrize("method", ["compute_batch", "compute_batch_with_jacobian", "feature_labels"])
@pytest.mark.parametrize("species", [None, "H"])
def test_a_single_environment_is_no_batch(method, species):
    call = getattr(nm.PowerSpectrum(species=species), method)
    with pytest.raises(nm.InputError, match=r"`environments` must be a sequence, got a single .* Pass a list"):
        call(environment("methane"))
    with pytest.raises(nm.InputError, match=r"`environment` must be a nullmode.Environment, got int"):
        call([5])


def test_one_species_may_stand_alone():
    assert nm.PowerSpectrum(species=np.int64(1)) == nm.PowerSpectrum(species="H") == nm.PowerSpectrum(species=[1])


def test_descriptors_are_frozen_and_keyword_only():
    soap = nm.PowerSpectrum()
    with pytest.raises(AttributeError):
        soap.n_max = 3
    with pytest.raises(nm.InputError, match="positional"):
        nm.PowerSpectrum(8)
    assert soap == nm.PowerSpectrum(n_max=8)
    assert hash(soap) == hash(nm.PowerSpectrum(n_max=8))


def test_an_environment_cut_shorter_than_the_descriptor_is_refused():
    env = nm.environments(STRUCTURES["methane"], cutoff=3.0)[0]
    with pytest.raises(nm.InputError, match=r"`environment` must reach .* cutoff \(4.0 Å\), got one cut at 3.0 Å"):
        nm.PowerSpectrum(**SETTING).compute(env)


def test_a_species_outside_the_layout_is_refused():
    with pytest.raises(nm.InputError, match=r"`species` must cover the environments, got \('H',\) without O"):
        nm.PowerSpectrum(species=("H",)).compute(nm.Environment.from_vectors(np.eye(3), "O"))
    with pytest.raises(nm.InputError, match=r"without C\. Add them"):
        nm.PowerSpectrum(species=("H",), center_weight=1.0).compute(nm.Environment.from_vectors(np.eye(3)))
