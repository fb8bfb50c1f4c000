import naive
import numpy as np
import pytest
from cases import RANKS, STRUCTURES, environment
from jacobi import jacobi
from oracles import dscribe_acsf

import nullmode as nm

SETS = {
    "default": {},
    "every function": {
        "g2": [(1.0, 1.0), (0.2, 0.0), (4.0, 2.5)],
        "g3": [0.0, 1.0, 3.3],
        "g4": [(0.01, 1, 1), (0.1, 2.5, -1), (0.0, 8, 0.5)],
        "g5": [(0.05, 1, -1), (0.2, 3.7, 1), (0.3, 16, 1)],
    },
}


@pytest.mark.parametrize("cutoff", [3.0, 4.0, 6.0])
@pytest.mark.parametrize("parameters", SETS.values(), ids=SETS.keys())
@pytest.mark.parametrize("name", STRUCTURES)
def test_features_are_dscribes(name, parameters, cutoff):
    # At a cutoff of 3 Å many pairs of neighbours are farther apart than it: dscribe skips these in G4.
    atoms = STRUCTURES[name]
    descriptor = nm.ACSF(cutoff=cutoff, species=sorted(set(atoms.numbers.tolist()), reverse=True), **parameters)
    phi = descriptor.compute(nm.environments(atoms, cutoff, centers=0)[0])
    expected = dscribe_acsf(descriptor, atoms, 0)
    # dscribe 2.1.2 takes a power of -1e-16 where an atom's images lie on one line: NaN for a fractional zeta.
    fractional = [
        label.function in ("G4", "G5") and label.parameters[1] % 1 > 0 for label in descriptor.feature_labels()
    ]
    known = np.isfinite(expected)
    assert (known | fractional).all()
    assert np.isfinite(phi).all()
    np.testing.assert_allclose(phi[known], expected[known], rtol=0, atol=1e-12 * np.abs(expected[known]).max())


def test_pairs_farther_apart_than_the_cutoff_count_in_g5_alone():
    angular = [(0.1, 2.0, -1.0)]
    env = nm.Environment.from_vectors([[2.0, 0, 0], [-2.1, 0.1, 0]])
    phi, jac = nm.ACSF(cutoff=4.0, g2=[], g4=angular, g5=angular).compute_with_jacobian(env)
    assert phi[1] == 0
    assert (jac[1] == 0).all()
    assert phi[2] > 1e-3


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("zeta", [1.0, 1.5, 2.0, 4.3, 16.0])
@pytest.mark.parametrize("sign", [1.0, -1.0, 0.3])
@pytest.mark.parametrize("direction", [[0, 0, 1.0], [0.48, 0.6, 0.64], [1, 1, 1.0]])
@pytest.mark.parametrize("side", [1, -1])
def test_collinear_neighbours_have_derivatives(zeta, sign, direction, side):
    descriptor = nm.ACSF(g2=[], g4=[(0.1, zeta, sign)], g5=[(0.1, zeta, sign)])
    direction = np.array(direction) / np.linalg.norm(direction)
    vectors = np.array([1.1 * direction, 1.7 * side * direction])
    phi, jac = descriptor.compute_with_jacobian(nm.Environment.from_vectors(vectors))
    assert np.isfinite(phi).all()
    closed = side * sign == -1
    assert (np.abs(phi[1:]) < 1e-30).all() == closed
    # At zeta = 1 + small the angular part is a power of the angle just above 2: its slope is zero all the same.
    numeric, error = jacobi(
        lambda x: descriptor.compute(nm.Environment.from_vectors(x.reshape(2, 3))), vectors.ravel(), step=(1e-3, 0.4)
    )
    np.testing.assert_allclose(jac.reshape(3, 6), numeric, rtol=0, atol=max(1e-7, 10 * error.max()))
    assert error.max() < 1e-6
    rotations = naive.rotations(vectors)
    assert np.abs(jac.reshape(3, 6) @ rotations.T).max() < 1e-14


@pytest.mark.parametrize("cutoff", [4.0, 6.0])
def test_default_set_follows_its_rule(cutoff):
    labels = nm.ACSF(cutoff=cutoff).feature_labels()
    assert [label.function for label in labels] == ["G1"] + ["G2"] * 8 + ["G4"] * 18
    eta, shift = np.array([label.parameters for label in labels if label.function == "G2"]).T
    assert (shift[0], shift[-1]) == (cutoff / 8, 7 * cutoff / 8)
    np.testing.assert_allclose(eta, 1 / (2 * np.diff(shift)[0] ** 2))
    np.testing.assert_allclose(np.diff(shift), np.diff(shift)[0])
    eta, zeta, sign = np.array([label.parameters for label in labels if label.function == "G4"]).T
    np.testing.assert_allclose(sorted(set(1 / np.sqrt(2 * eta))), np.linspace(cutoff / 4, 7 * cutoff / 8, 3))
    assert set(zip(zeta, sign, strict=True)) == {(z, s) for z in (1.0, 4.0, 16.0) for s in (1.0, -1.0)}


@pytest.mark.parametrize("cutoff", [4.0, 6.0])
@pytest.mark.parametrize(("vectors", "rank"), [(v, rank) for v, _, rank, _ in RANKS.values()], ids=RANKS.keys())
def test_default_set_sees_all_that_two_neighbours_tell(vectors, rank, cutoff):
    result = nm.attribute(nm.Environment.from_vectors(vectors), nm.ACSF(cutoff=cutoff))
    assert result.rank == result.rank_complete == rank
    assert (result.null_truncation, result.null_unresolved, result.diagnostic) == (0, 0, "")


def test_species_are_laid_out_as_asked_for():
    env = environment("mixed")
    taken = nm.ACSF().compute(env)
    turned = nm.ACSF(species=(8, "N", 6, "H"))
    by_name = dict(zip(turned.feature_labels(), turned.compute(env), strict=True))
    for label, value in zip(nm.ACSF().feature_labels([env]), taken, strict=True):
        swapped = label._replace(species_1=label.species_2, species_2=label.species_1)
        assert by_name[label if label in by_name else swapped] == pytest.approx(value, rel=1e-13, abs=1e-15)
    assert len(taken) == 4 * 9 + 10 * 18
    with pytest.raises(nm.InputError, match=r"`species` must cover the environments, got \('H', 'C'\) without N, O"):
        nm.ACSF(species=("H", "C")).compute(env)


BAD = {
    "zeta": ({"g4": [(0.1, 0.5, 1)]}, r"`ACSF.g4.0.1` must be greater than or equal to 1, got 0.5"),
    "lambda": ({"g5": [(0.1, 1, 2)]}, r"`ACSF.g5.0.2` must be less than or equal to 1, got 2"),
    "eta": ({"g2": [(-1, 0)]}, r"`ACSF.g2.0.0` must be greater than or equal to 0, got -1"),
    "kappa": ({"g3": [np.inf]}, r"`ACSF.g3.0` must be a finite number, got inf"),
    "pair": ({"g2": [1.0]}, r"`ACSF.g2.0` must be a valid tuple, got 1.0"),
    "unknown": ({"g6": []}, r"`ACSF.g6` is not known\. .* Known: cutoff, g2, g3, g4, g5, species|`ACSF.g6` is not"),
    "species": ({"species": ("H", 1)}, r"`species` must be distinct, got \('H', 'H'\)"),
    "element": ({"species": "Qq"}, r"`species` must be chemical symbols or atomic numbers, got 'Qq'"),
}


@pytest.mark.parametrize(("parameters", "message"), BAD.values(), ids=BAD.keys())
def test_bad_parameters_are_refused(parameters, message):
    with pytest.raises(nm.InputError, match=message):
        nm.ACSF(**parameters)
