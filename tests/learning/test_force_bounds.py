"""No model errs less in the forces of a set than the features allow: linear ones, and a network or kernel."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT
from cases import SETTING, pair, rattled, rng

import nullmode as nm
from nullmode.learning import mlp, ridge
from nullmode.learning.four_body import four_body_energy
from nullmode.learning.smooth_models import fit_model

# Blind to one displacement at X(pi, 0), which no distorted methane of the set is.
SOAP = nm.PowerSpectrum(n_max=4, l_max=4, **SETTING)
X = pair(1.0, 0.0)
SHAPES = [X, *(X + 0.1 * rng([7, k]).normal(size=(4, 3)) for k in range(14))]
TRAINING = [X + 0.15 * rng([8, k]).normal(size=(4, 3)) for k in range(200)]


def methane(hydrogens):
    atoms = Atoms("CH4", np.vstack([np.zeros(3), hydrogens]))
    atoms.arrays["forces"] = np.vstack([np.zeros(3), four_body_energy(hydrogens)[1]])
    return atoms


def bounds():
    """Least errors on the set: of a linear model of the carbon's features, and of any potential on them."""
    atoms = [methane(hydrogens) for hydrogens in SHAPES]
    unseen = nm.analyze(atoms, SOAP, scope="potential", centers="C")["unseen_force"]
    return nm.linear_force_bound(atoms, SOAP, centers="C"), float(np.sqrt(np.mean(unseen**2)))


def error_of(gradient, shapes=SHAPES):
    """Root mean square error of a model's forces on all atoms, by the gradient of its energy in the features."""
    squares = []
    for hydrogens in shapes:
        features, jacobian = SOAP.compute_with_jacobian(nm.Environment.from_vectors(hydrogens))
        error = -np.tensordot(gradient(features), jacobian, 1) - four_body_energy(hydrogens)[1]
        squares.append((error**2).sum() + (error.sum(axis=0) ** 2).sum())
    return np.sqrt(np.sum(squares) / (15 * len(shapes)))


def learned(model):
    """Fit a model of the package to energies, as a regression does; returns the gradient of its energy."""
    features = np.array(SOAP.compute_batch([nm.Environment.from_vectors(each) for each in TRAINING]))
    energies = np.array([four_body_energy(each)[0] for each in TRAINING])
    mean, spread = features.mean(axis=0), features.std(axis=0)
    scale = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0)
    fitted = model.fit((features - mean) * scale, energies)

    def gradient(phi):
        if hasattr(fitted, "coef_"):
            return fitted.coef_ * scale
        layers, hidden = [], (phi - mean) * scale
        for weights, shift in zip(fitted.coefs_[:-1], fitted.intercepts_[:-1], strict=True):
            hidden = np.tanh(hidden @ weights + shift)
            layers.append(hidden)
        back = fitted.coefs_[-1][:, 0]
        for weights, value in zip(fitted.coefs_[-2::-1], layers[::-1], strict=True):
            back = weights @ (back * (1 - value**2))
        return back * scale

    def energy(phi):
        return fitted.predict(((phi - mean) * scale)[None])[0]

    step = 1e-5 * rng(3).normal(size=len(mean)) * spread
    start = features[0]
    numeric = energy(start + step) - energy(start - step)
    assert 2 * gradient(start) @ step == pytest.approx(numeric, rel=1e-4)
    return gradient


def smooth(shapes, *, gaussian):
    environments = [nm.Environment.from_vectors(each) for each in shapes]
    energies, forces = zip(*(four_body_energy(each) for each in shapes), strict=True)
    model = fit_model(SOAP, environments, energies, forces, gaussian=gaussian)
    return lambda phi: -model.forces(phi, np.eye(len(phi))[:, :, None])[:, 0]


def bound_at_x():
    return float(nm.analyze(methane(X), SOAP, scope="potential", centers="C")["unseen_force"].iloc[0])


def test_blindness_bounds_every_model():
    linear, potential = bounds()
    # One structure of fifteen is blind: most of its force is lost, and nothing of the others'.
    assert potential == pytest.approx(bound_at_x() / np.sqrt(len(SHAPES)), rel=1e-6)
    assert 0.1 * linear.force_rms < potential < linear.one_for_all < linear.force_rms
    gradients = {
        "ridge": learned(ridge.model()),
        "network": learned(mlp.model(hidden=[12], penalty=30.0)),
        "least squares": smooth(SHAPES, gaussian=False),
        "kernel": smooth([*SHAPES, *TRAINING[:50]], gaussian=True),
    }
    errors = {name: error_of(gradient) for name, gradient in gradients.items()}
    assert min(errors["ridge"], errors["least squares"]) >= linear.one_for_all
    assert min(errors["network"], errors["kernel"]) >= potential
    # They have learned something.
    assert max(errors.values()) < linear.force_rms
    # At the singular point they are all bounded alike, and the best gradient reaches the bound.
    assert all(error_of(gradient, [X]) >= bound_at_x() > 1 for gradient in gradients.values())
    rows = nm.structure_jacobian(methane(X), SOAP, "C")[1].reshape(-1, 15)
    best = np.linalg.lstsq(rows.T, -methane(X).arrays["forces"].ravel(), rcond=1e-9)[0]
    assert error_of(lambda _: best, [X]) == pytest.approx(bound_at_x(), rel=1e-6)


def test_a_ridge_model_of_forces_reaches_the_bound_as_its_penalty_vanishes():
    soap = nm.PowerSpectrum(n_max=1, l_max=1, species=("H", "C", "O"), **SETTING)
    structures = [rattled(molecule("CH3CH2OH"), 0.05, seed) for seed in range(6)]
    for atoms in structures:
        atoms.calc = EMT()
        atoms.get_forces()
    least = nm.linear_force_bound(structures, soap).one_for_all
    rows = np.concatenate([-nm.structure_jacobian(atoms, soap)[1].reshape(-1, 27).T for atoms in structures])
    forces = np.concatenate([atoms.get_forces().ravel() for atoms in structures])
    size = np.linalg.norm(rows, 2) ** 2
    errors = []
    for penalty in (1e-1, 1e-4, 1e-8, 1e-12):
        # Forces have no intercept.
        model = ridge.model(penalties=[penalty * size]).set_params(fit_intercept=False).fit(rows, forces)
        errors.append(np.sqrt(np.mean((model.predict(rows) - forces) ** 2)))
    assert all(error >= least * (1 - 1e-9) for error in errors)
    assert np.all(np.diff(errors) < 0)
    assert errors[-1] == pytest.approx(least, rel=1e-3)
