"""Selection rules: any smooth model of the features is blind along null modes, which is right only by symmetry."""

import numpy as np
import pytest
from cases import RANKS, SETTING, TD, pair, rng

import nullmode as nm
from nullmode.learning.four_body import four_body_energy
from nullmode.learning.smooth_models import _functions, fit_model

NU_2 = nm.PowerSpectrum(n_max=6, l_max=6, **SETTING)
NU_3 = nm.Bispectrum(n_max=3, l_max=3, **SETTING)
POINTS = {name: RANKS[name][0] for name in ("Td", "C3v", "C2v", "D2d", "D2", "C2", "Cs", "X(pi, 0)", "random")}


def around(vectors, n, seed):
    return [nm.Environment.from_vectors(vectors + 0.1 * rng([seed, k]).normal(size=(4, 3))) for k in range(n)]


def labelled(environments):
    energies, forces = zip(*(four_body_energy(env.vectors) for env in environments), strict=True)
    return environments, energies, forces


@pytest.fixture(scope="module", params=["linear", "kernel"])
def models(request):
    training = labelled([env for k, vectors in enumerate(POINTS.values()) for env in around(vectors, 30, k)])
    gaussian = request.param == "kernel"
    return {descriptor: fit_model(descriptor, *training, gaussian=gaussian) for descriptor in (NU_2, NU_3)}


def along_modes(descriptor, model, vectors):
    """Rank, and the true and the predicted force along each mode."""
    env = nm.Environment.from_vectors(vectors)
    features, jacobian = descriptor.compute_with_jacobian(env)
    result = nm.sensitivity(jacobian, env)
    forces = four_body_energy(env.vectors)[1], model.forces(features, jacobian)
    return result.rank, *(np.tensordot(result.modes, force, 2) for force in forces)


def test_forces_are_the_slope_of_the_energy():
    vectors = TD + rng(4).normal(scale=0.2, size=(4, 3))
    numeric = np.empty((4, 3))
    for place in np.ndindex(4, 3):
        step = np.zeros((4, 3))
        step[place] = 1e-5
        numeric[place] = (four_body_energy(vectors - step)[0] - four_body_energy(vectors + step)[0]) / 2e-5
    assert np.allclose(four_body_energy(vectors)[1], numeric, atol=1e-8)


def test_energy_is_that_of_its_definition():
    # Planes of a tetrahedron meet at a cosine of 1/3; six pairs of them. A plane has parallel normals.
    assert np.isclose(four_body_energy(TD)[0], 6 / 9)
    assert np.isclose(four_body_energy(RANKS["planar"][0])[0], 6)
    with pytest.raises(nm.InputError, match=r"`vectors` must have shape \(4, 3\) for the four-body energy"):
        four_body_energy(TD[:3])


@pytest.mark.parametrize("centers", [None, rng(1).normal(size=(5, 4))], ids=["linear", "kernel"])
def test_slopes_are_those_of_the_functions(centers):
    features = rng(2).normal(size=4)
    slopes = _functions(features, centers, 1.3)[1]
    for place, step in enumerate(1e-5 * np.eye(4)):
        above, below = (_functions(features + sign * step, centers, 1.3)[0] for sign in (1, -1))
        assert np.allclose(slopes[:, place], (above - below) / 2e-5, atol=1e-9)


@pytest.mark.law(cases=1)
def test_models_predict_forces_that_they_were_not_fitted_to(models):
    # A share of the forces' square. Two neighbours at a time cannot see all of an energy of four; three can do better.
    held_out, _, true = labelled(
        [env for k, vectors in enumerate(POINTS.values()) for env in around(vectors, 5, 99 + k)]
    )
    shares = {}
    for descriptor, model in models.items():
        predicted = [model.forces(*descriptor.compute_with_jacobian(env)) for env in held_out]
        shares[descriptor] = 1 - np.sum(np.subtract(predicted, true) ** 2) / np.sum(np.square(true))
    assert shares[NU_2] > 0.4
    assert shares[NU_3] > 0.8


def test_model_forces_are_the_slope_of_one_energy(models):
    # The work along a closed path vanishes.
    corners = [TD, TD + rng(1).normal(scale=0.1, size=(4, 3)), TD + rng(2).normal(scale=0.1, size=(4, 3))]
    nodes, weights = np.polynomial.legendre.leggauss(20)
    for descriptor, model in models.items():
        work, largest = 0.0, 0.0
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
                env = nm.Environment.from_vectors(start + node * (end - start))
                part = np.sum(model.forces(*descriptor.compute_with_jacobian(env)) * (end - start))
                work, largest = work + weight * part, max(largest, abs(part))
        assert abs(work) < 1e-7 * largest


@pytest.mark.parametrize("name", POINTS)
def test_models_are_blind_along_null_modes(models, name):
    for descriptor, model in models.items():
        rank, true, predicted = along_modes(descriptor, model, POINTS[name])
        assert np.abs(predicted[rank:]).max(initial=0) < 1e-10
        assert np.abs(predicted[:rank]).max() > 1e-3
        if name != "X(pi, 0)":
            assert np.abs(true[rank:]).max(initial=0) < 1e-12


def test_at_the_spurious_point_blindness_is_wrong_and_the_next_order_cures_it(models):
    rank, true, predicted = along_modes(NU_2, models[NU_2], pair(1.0, 0.0))
    assert rank == 8
    assert abs(true[8]) > 4
    assert abs(predicted[8]) < 1e-10
    rank, true, predicted = along_modes(NU_3, models[NU_3], pair(1.0, 0.0))
    assert rank == 9
    assert np.linalg.norm(predicted - true) < 0.5 * np.linalg.norm(true)


@pytest.mark.parametrize("fourth", [(0.0, 0.0, 2.1), (0.3, 0.0, 1.0)])
def test_three_neighbours_on_a_line_have_no_four_body_energy(fourth):
    line = [[0.0, 0.0, height] for height in (1.0, -1.0, 1.7)]
    with pytest.raises(nm.InputError, match="no three neighbours on a line for the four-body energy, got 0, 1, 2"):
        four_body_energy(np.array([*line, fourth]))
    assert np.isfinite(four_body_energy(np.array([*line[:2], [1e-6, 0, 1.7], [0.3, 0.0, 1.0]]))[0])
