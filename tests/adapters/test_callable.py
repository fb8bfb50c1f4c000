"""Functions as descriptors: the error of differences, and automatic differentiation."""

import numpy as np
import pytest
from ase.build import bulk, molecule
from cases import environment, rattled, rng
from peers import (
    ADAPTERS,
    OURS,
    SYMMETRY,
    moments,
    ours,
    ours_in_single_precision,
    square,
)

import nullmode as nm
from nullmode.geometry.cut import checked_structures
from nullmode.spectrum.decomposition import displacements, error_growth
from nullmode.spectrum.whole_structure import sum_jacobians, whole_structures

# The error of differences.


@pytest.mark.law(cases=6)
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


def sharp(vectors):
    """Distances alone, along which differences miss the slope, while rotations show nothing."""
    return np.sin(25 * np.linalg.norm(vectors, axis=1) + np.arange(3)[:, None]).sum(axis=1)


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("structure", [molecule("CH3OH"), bulk("NaCl", "rocksalt", 5.6), bulk("Fe", cubic=True)])
def test_an_rtol_below_the_error_is_refused_for_whole_structures(structure):
    structure = rattled(structure, 0.05)
    adapter = nm.FromCallable(sharp, cutoff=4.0)
    exact = nm.FromCallable(
        sharp,
        lambda v: np.einsum(
            "qj,jx->qjx",
            25 * np.cos(25 * np.linalg.norm(v, axis=1) + np.arange(3)[:, None]),
            v / np.linalg.norm(v, axis=1)[:, None],
        ),
        cutoff=4.0,
    )
    case = whole_structures(*checked_structures([structure], 4.0, None))[0]
    total = sum_jacobians(case, adapter)
    true = np.linalg.norm((total.jacobian - sum_jacobians(case, exact).jacobian).reshape(len(total.features), -1), 2)
    assert 0 < true <= total.error
    assert sum_jacobians(case, exact).error == 0
    size = np.linalg.norm(total.jacobian.reshape(len(total.features), -1), 2)
    low, high = 0.5 * total.error / size, 2 * total.error / size
    statuses = [nm.analyze(structure, adapter, rtol, scope="structure")["status"][0] for rtol in (low, high)]
    assert statuses == ["rtol_below_error", "ok"]
    with pytest.raises(nm.InputError, match=r"`rtol` must be at least the error of the Jacobian over its size"):
        nm.structure_sensitivity(structure, adapter, low)
    nm.structure_sensitivity(structure, adapter, high)


def test_errors_of_images_add_up_where_they_move_together():
    env = nm.environments(rattled(bulk("NaCl", "rocksalt", 5.6), 0.2), 4.5)[0]
    every = np.eye(3 * len(env)).reshape(-1, len(env), 3)
    moved, _ = displacements(every, env, "atoms")
    growth = error_growth(env, "atoms")
    assert growth >= np.linalg.norm(moved, 2) * (1 - 1e-12) > 2
    adapter = nm.FromCallable(sharp, cutoff=4.5)
    _, jac, error = adapter.compute_batch_with_error([env])[0]
    matrix, _ = displacements(jac, env, "atoms")
    rtol = (1 + growth) / 2 * error / np.linalg.norm(matrix, 2)
    with pytest.raises(nm.InputError, match=r"`rtol` must be at least the error of the Jacobian"):
        nm.sensitivity(jac, env, rtol, "atoms", jacobian_error=error)
    assert nm.analyze(env, adapter, rtol, degrees_of_freedom="atoms")["status"].tolist() == ["rtol_below_error"]


def test_a_kink_shows_in_the_error():
    # Sorted distances 0.04 Å apart: differences step over the crossing.
    adapter = ADAPTERS["featomic distances"][0]
    where = [environment("two"), environment("methane")]
    assert nm.analyze(where, adapter, rtol=1e-5)["status"].tolist() == ["rtol_below_error", "ok"]


def test_what_is_not_finite_is_marked():
    adapter = nm.FromCallable(lambda v: np.array([np.nan * v.sum(), v[0, 0]]), cutoff=4.0)
    assert nm.analyze(environment("methane"), adapter)["status"].tolist() == ["not_finite"]


# Automatic differentiation. Neither library is in requirements.lock: make test-jax-torch.


@pytest.fixture
def jax():
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def torch():
    import torch

    return torch


@pytest.mark.jax_torch
@pytest.mark.parametrize("n", [2, 4, 6])
@pytest.mark.parametrize("derivative", ["auto", "jax"])
def test_jax_differentiates_what_is_written_in_it(jax, derivative, n):
    # Six neighbours are more coordinates than features: there JAX goes backward.
    compare(moments(jax.numpy), derivative, n)


@pytest.mark.jax_torch
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
    np.testing.assert_allclose(exact.compute(env), phi, rtol=1e-14)
    assert np.linalg.norm(jac - numeric) < 3 * bound
    assert nm.sensitivity(jac, env).rotation_floor < 1e-14
    frame = nm.analyze([env] * 3, exact, threads=2)
    assert frame["status"].tolist() == ["ok"] * 3


@pytest.mark.jax_torch
def test_jax_in_single_precision_is_refused(jax):
    env = environment("methane")
    jax.config.update("jax_enable_x64", False)
    with pytest.raises(nm.InputError, match=r"double precision, got single, JAX's default\. Call jax\.config\.update"):
        nm.FromCallable(moments(jax.numpy), cutoff=9.0).compute_with_jacobian(env)
    jax.config.update("jax_enable_x64", True)
    cast = nm.FromCallable(lambda v: moments(jax.numpy)(v).astype("float32"), cutoff=9.0)
    with pytest.raises(nm.InputError, match=r"double precision, got float32\. Make its constants"):
        cast.compute_with_jacobian(env)


@pytest.mark.jax_torch
def test_torch_in_single_precision_is_refused(torch):
    cast = nm.FromCallable(lambda v: moments(torch)(v).float(), cutoff=9.0, derivative="torch")
    with pytest.raises(nm.InputError, match=r"double precision, got torch\.float32\. Make its constants"):
        cast.compute_with_jacobian(environment("methane"))


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


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_units_of_features_do_not_count_in_whole_structures(unit):
    adapter = nm.FromCallable(
        lambda v: unit * np.exp(-(v**2).sum(axis=1)).sum(keepdims=True),
        lambda v: unit * (-2 * v * np.exp(-(v**2).sum(axis=1))[:, None])[None],
        cutoff=4.0,
    )
    result = nm.structure_sensitivity(molecule("H2O"), adapter)
    assert result.rank == 2
    assert 0 < result.rotation_floor < 1e-14


@pytest.mark.parametrize("scope", ["environment", "structure"])
@pytest.mark.parametrize("jacobian", [None, lambda vectors: np.zeros((0, *vectors.shape))], ids=["none", "own"])
def test_a_descriptor_without_features_sees_nothing(jacobian, scope, tmp_path):
    own = nm.FromCallable(lambda vectors: vectors[:0, 0], jacobian, cutoff=3.0)
    rows = nm.analyze([molecule("NH3")], own, scope=scope)
    assert (rows["rank"] == 0).all()
    assert (rows["n_dof"] == 6).all()
    nm.write_view(nm.environments([molecule("NH3")], 3.0), own, tmp_path / "view.html")


@pytest.mark.parametrize("search", [nm.find_singular, nm.follow_orbit])
def test_searches_refuse_a_descriptor_without_features(search):
    own = nm.FromCallable(lambda vectors: vectors[:0, 0], cutoff=3.0)
    [nitrogen] = nm.environments(molecule("NH3"), 3.0, [0])
    with pytest.raises(nm.InputError, match=r"`descriptor` must have features .*, got none at all\. Give"):
        search(nitrogen, own)
