"""Features from elsewhere keep every law, and are what their own codes say."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from cases import ENVIRONMENTS, RANKS, SETTING, STRUCTURES, TD, environment, rng, stretched
from dscribe.descriptors import ACSF, SOAP
from featomic import SoapPowerSpectrum, SoapRadialSpectrum, SortedDistances, SphericalExpansion
from jacobi import jacobi
from oracles import dscribe_soap
from scipy.spatial.transform import Rotation

import nullmode as nm
from nullmode.decomposition import decompose
from nullmode.elements import atomic_number
from nullmode.structures import make_structures
from nullmode.study import run_cell

ELEMENTS = ("H", "Li", "C", "N", "O")
SHIFTED = {"type": "ShiftedCosine", "width": SETTING["cutoff_width"]}
CUTOFF = {"radius": SETTING["cutoff"], "smoothing": SHIFTED}
DENSITY = {"type": "Gaussian", "width": SETTING["width"], "center_atom_weight": 0.0}
OURS = nm.PowerSpectrum(n_max=5, l_max=4, **SETTING)


def gto(n_max):
    return {"radial": {"type": "Gto", "max_radial": n_max - 1}, "spline_accuracy": None}


def featomic_power(n_max=5, l_max=4):
    basis = {"type": "TensorProduct", "max_angular": l_max, **gto(n_max)}
    return SoapPowerSpectrum(cutoff=CUTOFF, density=DENSITY, basis=basis)


def dscribe_power(n_max=4, l_max=4, **others):
    return SOAP(**{"species": ELEMENTS, "r_cut": 4.0, "n_max": n_max, "l_max": l_max, "sigma": 0.3} | others)


def quip(n_max=5, l_max=4, species=(1, 3, 6, 7, 8), center=6):
    numbers = " ".join(map(str, species))
    return (
        f"soap cutoff=4.0 cutoff_transition_width=0.5 n_max={n_max} l_max={l_max} atom_sigma=0.3 "
        f"n_Z=1 Z={{{center}}} n_species={len(species)} species_Z={{{numbers}}}"
    )


def ours(vectors, species, center_species):
    return OURS.compute(nm.Environment.from_vectors(vectors, species, center_species))


def our_jacobian(vectors, species, center_species):
    return OURS.compute_with_jacobian(nm.Environment.from_vectors(vectors, species, center_species))[1]


def ours_in_single_precision(vectors, species, center_species):
    return ours(vectors, species, center_species).astype(np.float32)


SYMMETRY = {"correlation_order": 2, "parity": "O3"}
DISTANCES = SortedDistances(cutoff=4.0, max_neighbors=20, separate_neighbor_types=True)
ACSF_SET = {"g2_params": [[1, 0.5], [1, 1.5]], "g4_params": [[0.1, 1, 1], [0.1, 2, -1]]}
# name -> descriptor, and whether it differentiates itself
ADAPTERS = {
    "featomic power": (nm.FromFeatomic(featomic_power()), True),
    "featomic radial": (
        nm.FromFeatomic(SoapRadialSpectrum(cutoff=CUTOFF, density=DENSITY, basis=gto(5)), ELEMENTS),
        True,
    ),
    "featomic distances": (nm.FromFeatomic(DISTANCES, ELEMENTS), False),
    "dscribe SOAP": (nm.FromDscribe(dscribe_power()), True),
    "dscribe SOAP, sparse": (nm.FromDscribe(dscribe_power(sparse=True)), True),
    "dscribe SOAP, crossover": (nm.FromDscribe(dscribe_power(compression={"mode": "crossover"})), True),
    "dscribe SOAP, compressed": (nm.FromDscribe(dscribe_power(compression={"mode": "mu2"})), False),
    "dscribe ACSF": (nm.FromDscribe(ACSF(species=ELEMENTS, r_cut=4.0, **ACSF_SET)), False),
    "quippy": (nm.FromQuippy(quip()), True),
    "callable": (nm.FromCallable(ours, cutoff=4.0, **SYMMETRY), False),
    "callable with Jacobian": (nm.FromCallable(ours, our_jacobian, cutoff=4.0, **SYMMETRY), True),
}
# Sorted distances have kinks where two are equal, which no difference resolves.
SMOOTH = [name for name in ADAPTERS if name != "featomic distances"]
EVERY = [pytest.param(a, e, id=f"{a}-{e}") for a in SMOOTH for e in ENVIRONMENTS if e != "crowded"]


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
    seen = decompose(jac, environment(where), 1e-9)
    assert seen.rotation_floor < 1e-14 + error / seen.singular_values[0] < 1e-9


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


@pytest.mark.parametrize("name", ADAPTERS)
def test_neighbours_left_out_would_not_have_counted(name):
    # The peer itself is asked, with a cutoff of ours so wide that nothing is left out.
    adapter = ADAPTERS[name][0]
    if "callable" in name:
        pytest.skip("its cutoff is the user's word")
    wide = replace(adapter, cutoff=9.0)
    near = rng(8).normal(size=(3, 3))
    far = np.array([0.0, 0.6, 0.8]) * adapter.cutoff * 1.001
    values = [wide.compute(nm.Environment.from_vectors(v)) for v in (near, np.vstack([near, far]))]
    np.testing.assert_array_equal(*values)


@pytest.mark.parametrize("name", ADAPTERS)
def test_batches_equal_single_environments(name):
    envs = [environment(e) for e in ENVIRONMENTS if e != "crowded"] + [nm.Environment.from_vectors([])]
    adapter = nm.descriptors._base.with_species_of(ADAPTERS[name][0], envs)
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


@pytest.mark.parametrize("name", SMOOTH)
def test_analysis_is_the_same_with_two_threads(name):
    adapter, exact = ADAPTERS[name]
    envs = [nm.Environment.from_vectors(TD + rng(k).normal(scale=0.1, size=(4, 3))) for k in range(600)][
        : 600 if exact else 40
    ]
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
    assert why.rank_complete == {1: 2, 2: 4}[order]
    assert why.null_unresolved == 0
    assert why.diagnostic == ""
    row = nm.analyze([env], adapter, attribution=True).iloc[0]
    assert (row["rank"], row["null_symmetry"]) == (why.rank, 5)


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
    cell = {"family": "noisy", "descriptor": name, "kind": f"{path}:{name}", "points": points}
    table = run_cell(structures, {**cell, "rtol": 1e-9, "tolerance": 1e-6})
    assert len(table) == len(points) * len(structures) > 0
    assert (table["status"] == "ok").all()
    found = table.drop_duplicates("parameters")
    assert [json.loads(text) for text in found["parameters"]] == [
        {"cutoff": 4.0} | ({"n_max": 3} if name == "soap" else {}) | point for point in points
    ]
    assert found["n_max"].tolist() == [point.get("n_max") for point in points]
    assert (table["rank"] <= table["n_dof"]).all()


# Values.


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


# The error of differences.


@pytest.mark.parametrize("function", [ours, ours_in_single_precision])
@pytest.mark.parametrize("where", ["methane", "two", "along axes", "mixed", "smoothed"])
def test_estimated_error_bounds_the_true_one(where, function):
    env = environment(where)
    adapter = nm.FromCallable(function, cutoff=4.0)
    _, jac, error = adapter.compute_batch_with_error([env])[0]
    true = np.linalg.norm((jac - OURS.compute_with_jacobian(env)[1]).reshape(len(jac), -1), 2)
    assert 0.3 * true < error < 10 * true


@pytest.mark.parametrize("where", ["methane", "along axes"])
def test_an_rtol_below_the_error_is_refused(where):
    env = environment(where)
    adapter = nm.FromCallable(ours_in_single_precision, cutoff=4.0, correlation_order=2)
    _, jac, error = adapter.compute_batch_with_error([env])[0]
    largest = np.linalg.norm(jac.reshape(len(jac), -1), 2)
    floor = nm.sensitivity(jac, env, rtol=1e-3).rotation_floor
    # Along the axes rotations show little of the error: an rtol between the two would pass by the floor alone.
    between = 0.5 * error / largest
    assert (between > 10 * floor) == (where == "along axes")
    for call in (
        lambda: nm.sensitivity(jac, env, rtol=between, jacobian_error=error),
        lambda: nm.attribute(env, adapter, rtol=between),
    ):
        with pytest.raises(nm.InputError, match=r"`rtol` must be at least .*Use a larger rtol or a more accurate"):
            call()
    assert nm.analyze(env, adapter, rtol=between)["status"].tolist() == ["rtol_below_error"]
    assert nm.analyze(env, adapter, rtol=3 * error / largest)["status"].tolist() == ["ok"]


def test_a_kink_shows_in_the_error():
    # Sorted distances 0.04 Å apart: differences step over the crossing.
    adapter = ADAPTERS["featomic distances"][0]
    where = [environment("two"), environment("methane")]
    assert nm.analyze(where, adapter, rtol=1e-5)["status"].tolist() == ["rtol_below_error", "ok"]


def test_what_is_not_finite_is_marked():
    adapter = nm.FromCallable(lambda v: np.array([np.nan * v.sum(), v[0, 0]]), cutoff=4.0)
    assert nm.analyze(environment("methane"), adapter)["status"].tolist() == ["not_finite"]


# Automatic differentiation. Neither library is in requirements.lock; docs/how-to-use-another-descriptor.md has the
# command that runs these.


def moments(library):
    """Power sums of 1/r and of the cosines between neighbours, in any library with NumPy's names."""

    def features(v):
        r = library.sqrt((v * v).sum(1))
        u = v / r[:, None]
        weight = library.exp(-r)
        cosines = u @ u.T
        radial = [(weight * r**-p).sum() for p in range(1, 7)]
        angular = [(weight[:, None] * cosines**p * weight).sum() for p in range(1, 7)]
        return library.stack([*radial, *angular])

    return features


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.mark.parametrize("n", [2, 4, 6])
@pytest.mark.parametrize("derivative", ["auto", "jax"])
def test_jax_differentiates_what_is_written_in_it(jax, derivative, n):
    # Six neighbours are more coordinates than features: there JAX goes backward.
    compare(moments(jax.numpy), derivative, n)


@pytest.mark.parametrize("n", [2, 4, 6])
@pytest.mark.parametrize("derivative", ["auto", "torch"])
def test_torch_differentiates_what_is_written_in_it(torch, derivative, n):
    function = moments(torch)
    compare((lambda v: function(torch.as_tensor(v))) if derivative == "auto" else function, derivative, n)


def compare(function, derivative, n):
    env = nm.Environment.from_vectors(rng(n).normal(size=(n, 3)))
    exact = nm.FromCallable(function, cutoff=9.0, derivative=derivative, **SYMMETRY)
    differenced = nm.FromCallable(moments(np), cutoff=9.0, **SYMMETRY)
    phi, jac, error = exact.compute_batch_with_error([env])[0]
    expected, numeric, bound = differenced.compute_batch_with_error([env])[0]
    assert error == 0 < bound
    np.testing.assert_allclose(phi, expected, rtol=1e-13)
    assert np.linalg.norm(jac - numeric) < 3 * bound
    assert nm.sensitivity(jac, env).rotation_floor < 1e-14
    frame = nm.analyze([env] * 3, exact, threads=2)
    assert frame["status"].tolist() == ["ok"] * 3


def test_jax_in_single_precision_is_refused(jax):
    env = environment("methane")
    jax.config.update("jax_enable_x64", False)
    with pytest.raises(nm.InputError, match=r"double precision, got single, JAX's default\. Call jax\.config\.update"):
        nm.FromCallable(moments(jax.numpy), cutoff=9.0).compute_with_jacobian(env)
    jax.config.update("jax_enable_x64", True)
    cast = nm.FromCallable(lambda v: moments(jax.numpy)(v).astype("float32"), cutoff=9.0)
    with pytest.raises(nm.InputError, match=r"double precision, got float32\. Make its constants"):
        cast.compute_with_jacobian(env)


def test_torch_in_single_precision_is_refused(torch):
    cast = nm.FromCallable(lambda v: moments(torch)(v).float(), cutoff=9.0, derivative="torch")
    with pytest.raises(nm.InputError, match=r"double precision, got torch\.float32\. Make its constants"):
        cast.compute_with_jacobian(environment("methane"))


# What is refused.

PEERS = {
    "featomic": lambda: nm.FromFeatomic(featomic_power()),
    "dscribe": lambda: nm.FromDscribe(dscribe_power()),
    "quippy-ase": lambda: nm.FromQuippy(quip()),
    "jax": lambda: nm.FromCallable(moments(np), cutoff=4, derivative="jax").compute_with_jacobian(environment("one")),
    "torch": lambda: nm.FromCallable(moments(np), cutoff=4, derivative="torch").compute_with_jacobian(
        environment("one")
    ),
}


@pytest.mark.parametrize("package", PEERS)
def test_a_missing_peer_is_named_with_the_command_that_installs_it(package, monkeypatch):
    name = package.partition("-")[0]
    for module in [name, *(known for known in sys.modules if known.startswith(f"{name}."))]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(nm.InputError, match=rf"` must find {name}, got: .*Run: pip install {package}$"):
        PEERS[package]()


def square(v):
    return (v**2).sum(axis=1)


ENV = nm.Environment.from_vectors(np.eye(3), "O")
BAD = {
    "no calculator": (lambda: nm.FromFeatomic(OURS), r"`calculator` must be one of featomic's, got PowerSpectrum"),
    "components": (
        lambda: nm.FromFeatomic(
            SphericalExpansion(
                cutoff=CUTOFF, density=DENSITY, basis={"type": "TensorProduct", "max_angular": 1, **gto(2)}
            )
        ).compute(ENV),
        r"`calculator` must give invariant features of centres, got spherical expansion",
    ),
    "featomic species": (
        lambda: nm.FromFeatomic(featomic_power(), ("H", "C")).compute(ENV),
        r"`species` must cover the environments, got \('H', 'C'\) without O\. Add them",
    ),
    "featomic labels": (
        lambda: nm.FromFeatomic(featomic_power()).feature_labels(),
        r"`environments` must be given where `species` is None",
    ),
    "no descriptor": (lambda: nm.FromDscribe("SOAP"), r"`descriptor` must be dscribe's SOAP or ACSF, got 'SOAP'"),
    "periodic": (
        lambda: nm.FromDscribe(dscribe_power(periodic=True)),
        r"`descriptor` must be made with periodic=False, got True",
    ),
    "averaged": (
        lambda: nm.FromDscribe(dscribe_power(average="inner")),
        r"`descriptor` must be made with average='off', got 'inner'",
    ),
    "single precision": (
        lambda: nm.FromDscribe(dscribe_power(dtype="float32")),
        r"`descriptor` must be made with dtype='float64', got 'float32'",
    ),
    "dscribe species": (
        lambda: nm.FromDscribe(dscribe_power(species=("H", "C"))).compute(ENV),
        r"got \('H', 'C'\) without O\. Make the descriptor with them",
    ),
    "no string": (lambda: nm.FromQuippy(7), r"`arguments` must be QUIP's string, got 7"),
    "QUIP's no": (lambda: nm.FromQuippy("soap cutoff=4"), r"must be what QUIP can do, got 'soap cutoff=4': soap_init"),
    "QUIP's masks": (
        lambda: nm.FromQuippy("power_so4 cutoff=4 j_max=2").compute(ENV),
        r"must be what QUIP can do, .*: power_SO4_calc cannot use atom masks yet",
    ),
    "QUIP's average": (lambda: nm.FromQuippy(quip() + " average=T"), r"must name a descriptor of single centres, got"),
    "QUIP's neighbours": (
        lambda: nm.FromQuippy(quip(species=(1,))).compute(ENV),
        r"got \('H', 'C'\) without O\. Name them in species_Z",
    ),
    "QUIP's centre": (
        lambda: nm.FromQuippy(quip(center=1)).compute(ENV),
        r"`arguments` must name a descriptor of single centres that takes C for one",
    ),
    "QUIP's pairs": (
        lambda: nm.FromQuippy("distance_2b cutoff=4 Z1=6 Z2=8").compute(ENV),
        r"`arguments` must name a descriptor of single centres",
    ),
    "no function": (lambda: nm.FromCallable(3, cutoff=4), r"`function` must be callable, got 3"),
    "no cutoff": (lambda: nm.FromCallable(square), r"`cutoff` must be a positive length in Å, got None"),
    "cutoff": (lambda: nm.FromCallable(square, cutoff=-1), r"`cutoff` must be a positive length in Å, got -1"),
    "order": (lambda: nm.FromCallable(square, cutoff=4, correlation_order=0), r"`correlation_order` must be a whole"),
    "parity": (lambda: nm.FromCallable(square, cutoff=4, parity="O(3)"), r"`parity` must be 'O3' or 'SO3', got 'O\(3"),
    "way": (
        lambda: nm.FromCallable(square, cutoff=4, derivative="guess"),
        r"`derivative` must be one of auto, finite-differences, jax, torch, got 'guess'",
    ),
    "both": (
        lambda: nm.FromCallable(square, square, "jax", cutoff=4),
        r"`derivative` must be 'auto' where a jacobian is given, got 'jax'",
    ),
    "parameters": (
        lambda: nm.FromCallable(lambda a, b, c, d: a + b + c + d, cutoff=4),
        r"`function` must take vectors, .* got 4 parameters without default",
    ),
    "no signature": (lambda: nm.FromCallable(max, cutoff=4), r"`function` must have a signature, got <built-in"),
    "matrix": (
        lambda: nm.FromCallable(lambda v: v, cutoff=4).compute(ENV),
        r"`function` must return features of shape \(F,\), got \(3, 3\)",
    ),
    "texts": (
        lambda: nm.FromCallable(lambda v: v.astype(str).ravel(), cutoff=4).compute(ENV),
        r"must hold real numbers, got texts",
    ),
    "Jacobian": (
        lambda: nm.FromCallable(square, lambda v: np.zeros((len(v), 9)), cutoff=4).compute_with_jacobian(ENV),
        r"`jacobian` must return derivatives of shape \(F, n, 3\) = \(3, 3, 3\), got \(3, 9\)",
    ),
    "labels": (lambda: nm.FromCallable(square, cutoff=4).feature_labels(), r"`environments` must hold one at least"),
    "cut shorter": (
        lambda: nm.FromCallable(square, cutoff=4).compute(nm.environments(STRUCTURES["methane"], cutoff=3.0)[0]),
        r"`environment` must reach as far as the descriptor's cutoff \(4.0 Å\), got one cut at 3.0 Å",
    ),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_worked_with_is_refused(call, message):
    with pytest.raises(nm.InputError, match=message):
        call()


def test_a_function_gets_what_it_has_parameters_for():
    got = []

    def three(vectors, species, center_species, scale=2.0):
        got.append((vectors.shape, species.tolist(), center_species))
        return scale * square(vectors)

    env = nm.Environment.from_vectors([[1, 0, 0], [0, 5, 0], [0, 0, 1]], ["O", "H", "N"], "Si")
    phi, jac = nm.FromCallable(three, cutoff=4).compute_with_jacobian(env)
    assert got[0] == ((2, 3), [8, 7], 14)
    np.testing.assert_allclose(phi, [2, 2])
    assert jac.shape == (2, 3, 3)
    np.testing.assert_array_equal(jac[:, 1], 0)
    np.testing.assert_allclose(jac[0, 0], [4, 0, 0], atol=1e-10)
    assert nm.FromCallable(square, cutoff=4).compute(env).shape == (2,)
    assert nm.FromCallable(lambda v, s: s * square(v), cutoff=4).compute(env).tolist() == [8, 7]
