"""Radial functions fitted to a reference set."""

from dataclasses import asdict, replace

import naive
import numpy as np
import pytest
from cases import SETTING, rng

import nullmode as nm
from nullmode.descriptors._contraction import fit_contraction

PRIMITIVES = {"gto": nm.GTO(), "laplacian": nm.LaplacianEigenstates(), "legendre": nm.Legendre(transform="inverse")}
KINDS = {"power": nm.PowerSpectrum, "bispectrum": nm.Bispectrum}
SET = [
    nm.Environment.from_vectors(rng(seed).normal(scale=1.3, size=(5, 3)), ["H", "O", "H", "C", "H"])
    for seed in range(300)
]


def unfitted(primitives="gto", kind=nm.PowerSpectrum, n_max=3, n_primitives=5, l_max=2, **parameters):
    basis = nm.OptimalContraction(n_primitives=n_primitives, primitives=primitives)
    return kind(n_max=n_max, l_max=l_max, radial_basis=basis, **parameters, **SETTING)


def covariances(descriptor, environments):
    """Mean over environments, sum over species and m, of c c^T for each l, from the definition of the coefficients."""
    result = np.zeros((descriptor.l_max + 1, descriptor.n_max, descriptor.n_max))
    for env in environments:
        c = naive.coefficients(env, descriptor, sorted(set(env.species.tolist())))
        for l in range(descriptor.l_max + 1):
            part = c[:, :, l * l : (l + 1) ** 2]
            result[l] += np.einsum("snm,spm->np", part, part) / len(environments)
    return result


@pytest.mark.law(cases=1, slow=["gaussian"])
@pytest.mark.parametrize("density", ["gaussian", "delta"])
def test_functions_are_the_eigenvectors_of_the_covariance(density):
    start = unfitted("laplacian-eigenstates", density=density)
    some = SET[:6]
    fitted = fit_contraction(start, some)
    primitive = replace(start, radial_basis=nm.LaplacianEigenstates(), n_max=5)
    for l, covariance in enumerate(covariances(primitive, some)):
        u = np.array(fitted.radial_basis.matrices[l])
        diagonal = u @ covariance @ u.T
        shares = np.diag(diagonal)
        np.testing.assert_allclose(diagonal, np.diag(shares), atol=1e-9 * shares[0])
        assert (np.diff(shares) < 0).all()
        assert (shares > 0).all()
        np.testing.assert_allclose(u @ u.T, np.eye(5), atol=1e-14)
        assert (u[np.arange(5), np.abs(u).argmax(axis=1)] > 0).all()


@pytest.mark.law(cases=3)
@pytest.mark.parametrize("primitives", PRIMITIVES.values(), ids=PRIMITIVES.keys())
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_all_functions_together_are_the_primitives_turned(primitives, kind):
    start = unfitted(primitives, kind, n_max=5)
    fitted = nm.fit_contraction(start, SET)
    for env in SET[:5]:
        expected = replace(start, radial_basis=primitives).compute(env)
        assert np.linalg.norm(fitted.compute(env)) == pytest.approx(np.linalg.norm(expected), rel=1e-12)


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("n_max", [1, 2, 3])
def test_no_other_functions_hold_more_of_the_density(n_max):
    # Of the radial spectrum, whose squared norm is that of the density at l = 0.
    start = nm.RadialSpectrum(n_max=n_max, radial_basis=nm.OptimalContraction(n_primitives=6), species="H", **SETTING)
    some = [nm.Environment.from_vectors(env.vectors) for env in SET]

    def share(descriptor):
        return sum(np.sum(phi**2) for phi in descriptor.compute_batch(some))

    fitted = nm.fit_contraction(start, some)
    best = share(fitted)
    assert best <= share(replace(start, n_max=6, radial_basis=nm.GTO())) * (1 + 1e-12)
    for seed in range(20):
        turn = np.linalg.qr(rng(seed).normal(size=(6, 6)))[0]
        other = replace(fitted.radial_basis, matrices=[turn.tolist()])
        assert share(replace(fitted, radial_basis=other)) < best


def test_a_fitted_basis_serves_smaller_sets():
    fitted = nm.fit_contraction(unfitted(n_max=4, l_max=3), SET)
    env = SET[0]
    whole = dict(zip(fitted.feature_labels([env]), fitted.compute(env), strict=True))
    small = replace(fitted, n_max=2, l_max=1)
    for label, value in zip(small.feature_labels([env]), small.compute(env), strict=True):
        assert value == pytest.approx(whole[label], rel=1e-12, abs=1e-15)


def test_fit_does_not_depend_on_how_a_set_is_cut_and_ordered(monkeypatch):
    start = unfitted("laplacian-eigenstates")
    expected = np.array(nm.fit_contraction(start, SET).radial_basis.matrices)
    monkeypatch.setattr("nullmode.descriptors._contraction._CHUNK", 7)
    again = np.array(nm.fit_contraction(start, SET[::-1]).radial_basis.matrices)
    np.testing.assert_allclose(again, expected, atol=1e-11)


def test_a_fitted_descriptor_states_its_matrices():
    fitted = nm.fit_contraction(unfitted(), SET)
    stated = asdict(fitted)["radial_basis"]
    assert np.shape(stated["matrices"]) == (3, 5, 5)
    assert nm.PowerSpectrum(**asdict(fitted)) == fitted
    assert "matrices" not in repr(fitted)


def test_an_unfitted_basis_is_refused_with_the_remedy():
    with pytest.raises(nm.InputError, match=r"`radial_basis` must be fitted .* Call nullmode.fit_contraction"):
        unfitted().compute(SET[0])


def test_too_few_environments_are_refused():
    one = [nm.Environment.from_vectors([[1.0, 0.2, 0.3]])]
    with pytest.raises(nm.InputError, match=r"`environments` must tell 3 radial functions apart, .* 1 hold all"):
        nm.fit_contraction(unfitted(), one)
    for empty in ([], [nm.Environment.from_vectors([])]):
        with pytest.raises(nm.InputError, match=r"`environments` must tell 3 radial functions apart, .* 0 hold all"):
            nm.fit_contraction(unfitted(), empty)


def test_another_basis_cannot_be_fitted():
    with pytest.raises(nm.InputError, match=r"`descriptor` must have a radial basis that is fitted .*, got gto"):
        nm.fit_contraction(nm.PowerSpectrum(), SET)
