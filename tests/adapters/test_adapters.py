"""Features from elsewhere keep every law, and are what their own codes say."""

import json
from dataclasses import replace

import numpy as np
import pytest
from cases import ENVIRONMENTS, RANKS, SETTING, STRUCTURES, TD, environment, rng, stretched
from dscribe.descriptors import ACSF
from jacobi import jacobi
from oracles import dscribe_soap
from peers import (
    ADAPTERS,
    ELEMENTS,
    OURS,
    SMOOTH,
    dscribe_power,
    featomic_power,
    ours,
    quip,
)
from scipy.spatial.transform import Rotation
from tasks import sensitivities

import nullmode as nm
from nullmode._support.elements import atomic_number
from nullmode.spectrum.decomposition import decompose
from nullmode.sweep.structures import make_structures

G2 = [[4.0, k / 3] for k in range(1, 12)]
EVERY = [pytest.param(a, e, id=f"{a}-{e}") for a in SMOOTH for e in ENVIRONMENTS if e != "crowded"]


@pytest.mark.law(cases=6, slow=["featomic power-mixed", "featomic power-methane"])
@pytest.mark.parametrize(("name", "where"), EVERY)
def test_jacobian_is_the_derivative(name, where):
    adapter, (vectors, species) = ADAPTERS[name][0], ENVIRONMENTS[where]
    phi, jac = adapter.compute_with_jacobian(environment(where))
    np.testing.assert_array_equal(phi, adapter.compute(environment(where)))
    assert jac.shape == (len(phi), len(vectors), 3)

    def features(x):
        return adapter.compute(nm.Environment.from_vectors(x.reshape(-1, 3), species))

    numeric, error = jacobi(features, vectors.ravel(), step=(0.01, 0.4))
    scale = np.abs(jac).max()
    np.testing.assert_allclose(
        jac.reshape(len(phi), -1), numeric, rtol=0, atol=max(1e-9 * scale, 10 * np.abs(error).max())
    )
    assert error.max() < 3e-6 * scale


@pytest.mark.law(cases=12)
@pytest.mark.parametrize(("name", "where"), EVERY)
def test_features_are_invariant_and_jacobian_equivariant(name, where):
    adapter, exact = ADAPTERS[name]
    vectors, species = ENVIRONMENTS[where]
    phi, jac, error = adapter.compute_batch_with_error([environment(where)])[0]
    assert (error == 0) == exact
    turn = -Rotation.random(rng=2).as_matrix()
    order = rng(3).permutation(len(vectors))
    kinds = species if isinstance(species, str) else [species[k] for k in order]
    moved = nm.Environment.from_vectors(vectors[order] @ turn.T, kinds)
    phi_moved, jac_moved, error_moved = adapter.compute_batch_with_error([moved])[0]
    np.testing.assert_allclose(phi_moved, phi, rtol=0, atol=1e-12 * np.abs(phi).max())
    tolerance = 1e-12 * np.abs(jac).max() + error + error_moved
    np.testing.assert_allclose(jac_moved, jac[:, order] @ turn.T, rtol=0, atol=tolerance)
    seen = decompose(adapter, environment(where), 1e-9)
    assert seen.rotation_floor < 1e-14 + error / seen.singular_values[0] < 1e-9


@pytest.mark.law(cases=6, slow=["featomic distances"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_only_neighbours_within_the_cutoff_count(name):
    adapter = ADAPTERS[name][0]
    near = rng(8).normal(size=(3, 3))
    edge = np.array([0.0, 0.6, 0.8]) * adapter.cutoff

    def at(scale):
        return adapter.compute_with_jacobian(nm.Environment.from_vectors(np.vstack([near, edge * scale])))

    alone, alone_jac = adapter.compute_with_jacobian(nm.Environment.from_vectors(near))
    for beyond in (1.001, 1.5):
        phi, jac = at(beyond)
        np.testing.assert_array_equal(phi, alone)
        np.testing.assert_array_equal(jac[:, :3], alone_jac)
        np.testing.assert_array_equal(jac[:, 3], 0)
    assert np.abs(at(0.99)[0] - alone).max() > 1e-9 * np.abs(alone).max()


# The cutoff of a callable is the user's word.
@pytest.mark.parametrize("name", [name for name in ADAPTERS if "callable" not in name])
def test_neighbours_left_out_would_not_have_counted(name):
    # The peer itself is asked, with a cutoff of ours so wide that nothing is left out.
    adapter = ADAPTERS[name][0]
    wide = replace(adapter, cutoff=9.0)
    near = rng(8).normal(size=(3, 3))
    far = np.array([0.0, 0.6, 0.8]) * adapter.cutoff * 1.001
    values = [wide.compute(nm.Environment.from_vectors(v)) for v in (near, np.vstack([near, far]))]
    np.testing.assert_array_equal(*values)


@pytest.mark.law(cases=5, slow=["featomic distances"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_batches_equal_single_environments(name):
    envs = [environment(e) for e in ENVIRONMENTS if e != "crowded"] + [nm.Environment.from_vectors([])]
    adapter = nm.descriptors._layout.with_layout_of(ADAPTERS[name][0], envs)
    if "callable" in name:
        envs = [env for env in envs if set(env.species) == {1}]  # ours, wrapped, takes its species from each
    assert len(envs) > 3
    values = adapter.compute_batch(envs)
    for env, (phi, jac), value in zip(envs, adapter.compute_batch_with_jacobian(envs), values, strict=True):
        single, single_jac = adapter.compute_with_jacobian(env)
        np.testing.assert_array_equal(phi, single)
        np.testing.assert_array_equal(value, single)
        np.testing.assert_array_equal(jac, single_jac)
        assert jac.shape == (len(adapter.feature_labels([env])), len(env), 3)
        assert np.isfinite(phi).all()


# What nullmode makes of them.


@pytest.mark.law(cases=2, slow=["featomic power", "dscribe SOAP, compressed", "quippy"])
@pytest.mark.parametrize("name", SMOOTH)
def test_analysis_is_the_same_with_two_threads(name):
    adapter, exact = ADAPTERS[name]
    # At most 256 to a thread at a time.
    count = 300 if exact else 40
    envs = [nm.Environment.from_vectors(TD + rng(k).normal(scale=0.1, size=(4, 3))) for k in range(count)]
    one, two = (nm.analyze(envs, adapter, rtol=1e-9, threads=threads) for threads in (1, 2))
    assert (one["status"] == "ok").all()
    for first, second in zip(one["singular_values"], two["singular_values"], strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", SMOOTH)
def test_causes_are_told_apart_as_far_as_the_order_is_known(name):
    adapter, _ = ADAPTERS[name]
    order = adapter.correlation_order
    env = nm.Environment.from_vectors(stretched(1.15, 1.15, 1, 1))
    why = nm.attribute(env, adapter)
    assert why.null_symmetry == 5
    assert why.rank_complete == {1: 2, 2: 4, None: None}[order]
    assert order or why.null_truncation == 0
    assert not order or why.null_unresolved == 0
    assert why.diagnostic == ""
    row = nm.analyze([env], adapter, attribution=True).iloc[0]
    assert (row["rank"], row["null_symmetry"]) == (why.rank, 5)


GENERIC = [[1.1, 0.1, 0.2], [-0.4, 1.0, -0.3], [-0.5, -0.9, 0.8], [-0.2, 0.3, -1.4]]
COMPRESSED = "n_species=3 species_Z={1 6 9}"
TURBO = (
    "soap_turbo rcut_hard=4 l_max=6 n_species=3 alpha_max={5 5 5} species_Z={1 6 9} central_index=2 "
    + " ".join(f"{key}={{0.4 0.4 0.4}}" for key in ("atom_sigma_r", "atom_sigma_t"))
    + " atom_sigma_r_scaling={0 0 0} atom_sigma_t_scaling={0 0 0} amplitude_scaling={1 1 1} central_weight={1 1 1}"
)


def soap(**compression):
    return nm.FromDscribe(dscribe_power(6, 6, species=("H", "C", "F"), compression=compression))


def weightless():
    return nm.FromDscribe(
        dscribe_power(species=("H", "C", "F"), weighting={"function": "pow", "c": 0, "d": 1, "m": 2, "r0": 2.0})
    )


def changed_later():
    made = dscribe_power(6, 6, species=("H", "C", "F"))
    adapter = nm.FromDscribe(made)
    made.compression = {"mode": "crossover"}
    return adapter


def quip_soap(options):
    return nm.FromQuippy(f"soap cutoff=4.0 n_max=6 l_max=6 atom_sigma=0.4 Z=6 {options}")


# The order that is declared, None where the features span no order.
DECLARED = {
    "dscribe": (lambda: soap(mode="off"), 2),
    "dscribe, crossover": (lambda: soap(mode="crossover"), None),
    "dscribe, mu1nu1": (lambda: soap(mode="mu1nu1"), None),
    "dscribe, mu2": (lambda: soap(mode="mu2"), None),
    "dscribe, a species of weight 0": (
        lambda: soap(mode="off", species_weighting={"H": 1.0, "C": 1.0, "F": 0.0}), None,
    ),
    "dscribe, no weight": (weightless, None),
    "dscribe, changed later": (changed_later, 2),
    "dscribe, radial": (lambda: nm.FromDscribe(ACSF(species=("H", "C", "F"), r_cut=4.0, g2_params=G2)), 1),
    "quippy": (lambda: quip_soap(COMPRESSED), 2),
    "quippy, spelt out": (lambda: quip_soap(f"{COMPRESSED} nu_R=2 nu_S=2 K=0 coupling=T Z_mix=F"), 2),
    "quippy, no species": (lambda: quip_soap(""), None),
    **{
        f"quippy, {option}": (lambda option=option: quip_soap(f"{COMPRESSED} {option}"), None)
        for option in (
            *("nu_R=1", "nu_R=0", "nu_S=1", "nu_S=0"),
            *("diagonal_radial=T", "K=3 Z_mix=T", "K=3 R_mix=T", "Z_map={1 6 9}"),
        )
    },
    "quippy, turbo": (lambda: nm.FromQuippy(TURBO), 2),
    **{
        f"quippy, turbo, {mode}": (lambda mode=mode: nm.FromQuippy(f"{TURBO} compress_mode={mode}"), None)
        for mode in ("trivial", "0_0", "1_1", "2_2")
    },
    "ours, radial": (lambda: nm.ACSF(g2=[(1, k / 3) for k in range(1, 12)], g4=()), 1),
}  # fmt: skip


@pytest.mark.law(cases=13)
@pytest.mark.parametrize("name", DECLARED)
def test_a_declared_order_is_one_that_the_features_span(name):
    made, order = DECLARED[name]
    descriptor = made()
    assert descriptor.correlation_order == order
    why = nm.attribute(nm.Environment.from_vectors(GENERIC, ["H", "H", "F", "F"]), descriptor, rtol=1e-8)
    assert why.null_truncation == 0
    assert why.null_unresolved == (0 if order else why.rank_symmetric - why.rank)


def test_a_weight_that_vanishes_is_the_cutoff():
    made = dscribe_power(weighting={"function": "poly", "r0": 2.0, "c": 1, "m": 1})
    assert nm.FromDscribe(made).cutoff == 2.0


def test_an_unknown_order_leaves_causes_unresolved():
    env = nm.Environment.from_vectors(RANKS["X(pi, 0)"][0])
    known, unknown = (nm.attribute(env, nm.FromCallable(ours, cutoff=4.0, correlation_order=k)) for k in (2, None))
    assert (known.rank, known.null_incompleteness, known.null_unresolved) == (8, 1, 0)
    assert (unknown.rank, unknown.null_incompleteness, unknown.null_unresolved) == (8, 0, 1)
    assert unknown.rank_complete is None


RICH = {
    "featomic": nm.FromFeatomic(featomic_power(8, 8)),
    "quippy": nm.FromQuippy(quip(8, 8, (1,))),
    "dscribe": nm.FromDscribe(dscribe_power(8, 8, species=("H", "C"))),
    "callable": nm.FromCallable(
        lambda v: nm.PowerSpectrum(**SETTING).compute(nm.Environment.from_vectors(v)), cutoff=4.0
    ),
}


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("peer", RICH)
@pytest.mark.parametrize("name", RANKS)
def test_every_power_spectrum_has_the_rank_of_theory(peer, name):
    vectors, _, rank, n_dof = RANKS[name]
    env = nm.Environment.from_vectors(vectors)
    result = nm.sensitivity(RICH[peer].compute_with_jacobian(env)[1], env, rtol=1e-9)
    assert (result.rank, result.n_dof) == (rank, n_dof)


def test_structures_are_analysed_with_all_their_centres():
    frame = nm.analyze([STRUCTURES["ethanol"], STRUCTURES["formic acid"]], ADAPTERS["featomic power"][0])
    expected = nm.analyze([STRUCTURES["ethanol"], STRUCTURES["formic acid"]], OURS)
    assert frame["rank"].tolist() == expected["rank"].tolist()
    for mine, theirs in zip(expected["singular_values"], frame["singular_values"], strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=0, atol=1e-11 * mine[0])


FACTORIES = """
import nullmode as nm


def soap(n_max: int = 3, cutoff: float = 4.0) -> nm.Descriptor:
    return nm.FromQuippy(f"soap cutoff={cutoff} n_max={n_max} l_max=4 atom_sigma=0.5 Z=6 n_species=1 species_Z={{1}}")


def function(cutoff: float = 4.0) -> nm.Descriptor:
    return nm.FromCallable(lambda v: (v**2).sum(axis=1).sum(keepdims=True), cutoff=cutoff)
"""


@pytest.mark.parametrize(("name", "points"), [("soap", [{"n_max": 2}, {"n_max": 6}]), ("function", [{}])])
def test_a_file_with_a_function_that_makes_one_is_swept(tmp_path, name, points):
    path = tmp_path / "factories.py"
    path.write_text(FACTORIES)
    structures = make_structures("methane_distortion", {"paths": ["noise"], "noise": [-1.0]}, "noisy")
    task = {"family": "noisy", "descriptor": name, "kind": f"{path}:{name}", "points": points}
    table = sensitivities(structures, task)
    assert len(table) == len(points) * len(structures) > 0
    assert (table["status"] == "ok").all()
    found = table.drop_duplicates("parameters")
    assert [json.loads(text) for text in found["parameters"]] == [
        {"cutoff": 4.0} | ({"n_max": 3} if name == "soap" else {}) | point for point in points
    ]
    assert found["n_max"].tolist() == [point.get("n_max") for point in points]
    assert (table["rank"] <= table["n_dof"]).all()


# Values.


@pytest.mark.law(cases=9)
@pytest.mark.parametrize(("n_max", "l_max"), [(4, 4), (8, 8)])
@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_featomics_power_spectrum_is_ours(where, n_max, l_max):
    adapter = nm.FromFeatomic(featomic_power(n_max, l_max))
    soap = nm.PowerSpectrum(n_max=n_max, l_max=l_max, **SETTING)
    env = environment(where)
    place = {label: k for k, label in enumerate(adapter.feature_labels([env]))}
    columns, weights = [], []
    for s, n, t, m, l in soap.feature_labels([env]):
        one, two = sorted([(atomic_number(s), n), (atomic_number(t), m)])
        columns.append(place[one[0], two[0], l, one[1], two[1]])
        weights.append(np.sqrt(2) if s == t and n != m else 1.0)
    tolerance = max(1e-12, 1e-14 / soap.basis.smallest_eigenvalue)
    # Three times: featomic 0.6.7 loses digits of slopes beyond 2.4 Å, where the crowd stands.
    for mine, theirs in zip(soap.compute_with_jacobian(env), adapter.compute_with_jacobian(env), strict=True):
        np.testing.assert_allclose(
            (theirs[columns].T * weights).T, mine, rtol=0, atol=3 * tolerance * np.abs(mine).max()
        )


@pytest.mark.parametrize("where", ENVIRONMENTS)
def test_dscribes_soap_is_its_definition(where):
    adapter = nm.FromDscribe(dscribe_power(4, 4))
    env = environment(where)
    phi, jac = adapter.compute_with_jacobian(env)
    numbers = sorted(map(atomic_number, ELEMENTS))

    def features(vectors):
        return dscribe_soap(vectors, env.species, env.center_species, numbers, 4, 4, 0.3, 4.0)

    expected = features(env.vectors)
    np.testing.assert_allclose(phi, expected, rtol=0, atol=1e-11 * np.abs(expected).max())
    step = 1e-30
    slopes = np.empty_like(jac)
    for j, a in np.ndindex(env.vectors.shape):
        moved = env.vectors.astype(complex)
        moved[j, a] += 1j * step
        slopes[:, j, a] = features(moved).imag / step
    # Derivatives of dscribe 2.1.2 at l = 1 are all too large by 2.48e-11 of themselves: a rounded constant.
    np.testing.assert_allclose(jac, slopes, rtol=0, atol=3e-11 * np.abs(slopes).max())


def test_a_truncation_that_cannot_be_raised_is_not_blamed():
    # Six neighbours at nearly equal radii: the width hides one of them from every radial basis.
    directions = rng(3).normal(size=(6, 3))
    radii = 2.0 + 0.005 * np.arange(6)
    env = nm.Environment.from_vectors(directions / np.linalg.norm(directions, axis=1, keepdims=True) * radii[:, None])
    radial = nm.RadialSpectrum(n_max=12, width=0.5, cutoff=4.0, cutoff_width=0.0)
    foreign = nm.FromCallable(lambda v: radial.compute(nm.Environment.from_vectors(v)), cutoff=4.0, correlation_order=1)
    for descriptor, counts in ((radial, (0, 3, 0)), (foreign, (0, 0, 3))):
        why = nm.attribute(env, descriptor, rtol=1e-6)
        assert (why.rank, why.rank_complete) == (3, 6)
        assert (why.null_truncation, why.null_width, why.null_unresolved) == counts
