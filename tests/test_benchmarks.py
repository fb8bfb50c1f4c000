"""What is timed side by side is the same work; and the floor counts what has to be done."""

from math import factorial

import codes
import counted
import floor
import numpy as np
import pandas as pd
import pytest
import side_by_side
from cases import SETTING, rng
from configs import CHECKOUT

import nullmode as nm
from nullmode.basis.spline import interpolate

STRUCTURES = codes.methane(2)
SIZE = 4, 4


def singular_values(jacobians):
    return np.linalg.svd(jacobians, compute_uv=False)


def ours():
    return singular_values(codes.jacobian_stack(STRUCTURES, *SIZE))


def of_featomic():
    (block,) = codes.featomic_gradients(STRUCTURES, *SIZE)().blocks()
    gradient = block.gradient("positions")
    jacobian = np.zeros((len(STRUCTURES), 5, 3, gradient.values.shape[-1]))
    jacobian[gradient.samples["sample"], gradient.samples["atom"]] = gradient.values
    return jacobian[:, 1:].reshape(len(STRUCTURES), 12, -1).swapaxes(1, 2)


def of_dscribe():
    slopes, _ = codes.dscribe_derivatives(STRUCTURES, *SIZE)()
    return slopes.reshape(len(STRUCTURES), 12, -1).swapaxes(1, 2)


def of_quippy():
    results = codes.quippy_gradients(STRUCTURES, *SIZE)()
    assert all(set(map(tuple, one["grad_index_0based"])) == {(0, k) for k in range(5)} for one in results)
    slopes = [one["grad_data"][np.argsort(one["grad_index_0based"][:, 1])][1:] for one in results]
    return np.array(slopes).reshape(len(STRUCTURES), 12, -1).swapaxes(1, 2)


def test_featomic_has_the_same_singular_values():
    # Its default spline is good to 1e-8 of the features.
    np.testing.assert_allclose(singular_values(of_featomic()), ours(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("jacobians", [of_featomic, of_dscribe, of_quippy])
def test_peers_differentiate_by_every_neighbour_and_nothing_else(jacobians):
    values = singular_values(jacobians())
    assert ((values > 1e-5 * values[:, :1]).sum(axis=1) == 9).all()
    displacements = [
        np.cross(axis, atoms.positions[1:] - atoms.positions[0]).ravel() for atoms in STRUCTURES for axis in np.eye(3)
    ]
    seen = np.einsum("sfc,sxc->sfx", jacobians(), np.reshape(displacements, (len(STRUCTURES), 3, 12)))
    assert np.abs(seen).max() < 1e-5 * values.max()


def scalars_of_featomic():
    """Values (n_structures, F'), and the root of the number of orderings of each (l1, l2, l3)."""
    values, weights = [], []
    for key, block in codes.featomic_bispectrum(STRUCTURES, *SIZE)().items():
        angular = [key[name] for name in ("l_1", "l_2", "l_3")]
        orderings = factorial(3) / np.prod([factorial(angular.count(l)) for l in set(angular)])
        values.append(block.values[:, 0])
        weights += [np.sqrt(orderings)] * block.values.shape[-1]
    return np.concatenate(values, axis=1), np.array(weights)


def test_featomic_has_the_same_order_3():
    results = codes.bispectrum(STRUCTURES, *SIZE)()
    values, weights = scalars_of_featomic()
    norms = np.linalg.norm(values * weights, axis=1)
    np.testing.assert_allclose(norms, [np.linalg.norm(phi) for phi, _ in results], rtol=1e-6)
    differences = codes.featomic_bispectrum_differences(STRUCTURES, *SIZE)() * weights
    expected = [singular_values(jacobian.reshape(len(phi), -1)) for phi, jacobian in results]
    np.testing.assert_allclose(singular_values(differences), expected, rtol=1e-4, atol=1e-6)


def test_linear_algebra_and_spectra_agree():
    stack = codes.jacobian_stack(STRUCTURES, *SIZE)
    for threads in (1, 2):
        items = codes.environments(STRUCTURES)
        values, modes = codes.spectra(items, codes.power_spectrum(*SIZE), threads)
        for algebra in (codes.stacked_svd, codes.svd_of_triangles):
            np.testing.assert_allclose(algebra(stack)[1][:, :9], values, rtol=1e-9)
        responses = np.linalg.norm(np.einsum("sfc,sdc->sdf", stack, modes.reshape(2, 9, 12)), axis=-1)
        np.testing.assert_allclose(responses, values, rtol=1e-9)


def test_clusters_are_what_the_floor_counts():
    for make, _, neighbours in codes.SETS.values():
        for item in codes.environments(make(2)):
            counts = [list(item.species).count(s) for s in dict.fromkeys(item.species)]
            assert tuple(counts) == neighbours
            assert np.linalg.norm(item.vectors, axis=1).max() < codes.CUTOFF - codes.CUTOFF_WIDTH


@pytest.mark.parametrize(
    ("n_max", "l_max", "species"),
    [(1, 0, [0]), (1, 1, [0, 0]), (3, 2, [0, 0, 0, 0]), (2, 4, [0, 0]), (2, 3, [0, 1, 0]), (4, 6, [0, 0, 0])],
)
def test_operations_are_those_of_a_count(n_max, l_max, species):
    vectors = rng(4).uniform(-1.5, 1.5, size=(len(species), 3))
    descriptor = nm.PowerSpectrum(n_max=n_max, l_max=l_max, **SETTING)
    features, jacobian, count = counted.power_spectrum(descriptor, vectors, species)
    environment = nm.Environment.from_vectors(vectors, ["H" if s == 0 else "O" for s in species])
    phi, jac = descriptor.compute_with_jacobian(environment)
    np.testing.assert_allclose(features, phi, rtol=1e-9, atol=1e-12 * np.abs(phi).max())
    np.testing.assert_allclose(jacobian, jac, rtol=1e-9, atol=1e-11 * np.abs(jac).max())
    neighbours = [species.count(s) for s in sorted(set(species))]
    assert count == sum(floor.operations(n_max, l_max, neighbours).values())


def test_operations_of_qr_are_no_more_than_a_count():
    matrix = rng(5).normal(size=(60, 12))
    triangle, count = counted.householder(matrix)
    np.testing.assert_allclose(np.abs(triangle), np.abs(np.linalg.qr(matrix, mode="r")), atol=1e-12)
    formula = floor.linear_algebra(60, 4)["QR"]
    assert formula <= count < 1.3 * formula


@pytest.mark.parametrize(("n_max", "kept"), [(4, 10), (6, 18), (8, 26), (12, 26)])
def test_few_rows_hold_the_singular_values(n_max, kept):
    soap = codes.power_spectrum(n_max, 3)
    (item,) = codes.environments(STRUCTURES[:1])
    radial = np.empty((2, 4, 4 * n_max))
    for j, distance in enumerate(np.linalg.norm(item.vectors, axis=1)):
        interpolate(soap.basis.table, distance, radial[0, j], radial[1, j])
    upper = np.triu_indices(n_max)
    weight = np.where(upper[0] == upper[1], 1.0, np.sqrt(2))
    blocks = codes.jacobian_stack(STRUCTURES[:1], n_max, 3)[0].reshape(4, -1, 12)
    turned = np.zeros_like(blocks)
    for l, block in enumerate(blocks):
        q, _ = np.linalg.qr(radial.reshape(8, 4, n_max)[:, l].T, mode="complete")
        matrices = np.zeros((12, n_max, n_max))
        matrices[:, *upper] = (block / weight[:, None]).T
        matrices[:, *upper[::-1]] = matrices[:, *upper]
        turned[l] = (q.T @ matrices @ q)[:, *upper].T * weight[:, None]
        assert (np.abs(turned[l]).max(axis=1) > 1e-12 * np.abs(blocks).max()).sum() == kept
    turned[np.abs(turned) <= 1e-12 * np.abs(blocks).max()] = 0.0
    expected = singular_values(blocks.reshape(-1, 12))
    np.testing.assert_allclose(singular_values(turned.reshape(-1, 12)), expected, rtol=1e-9, atol=1e-12)


def test_page_has_the_numbers_of_the_formulae():
    page = (CHECKOUT / "docs/performance.md").read_text(encoding="utf-8")
    for name, (n_max, l_max) in [(name, size) for name, sizes in side_by_side.SIZES.items() for size in sizes]:
        neighbours = codes.SETS[name][2]
        counts = floor.operations(n_max, l_max, neighbours)
        counts |= floor.linear_algebra(floor.n_features(n_max, l_max, neighbours), sum(neighbours))
        numbers = [f"{count / 1000:.1f}" for count in (*counts.values(), sum(counts.values()))]
        assert f"| {name} ({n_max}, {l_max}) | {' | '.join(numbers)} |" in page


@pytest.mark.slow
def test_a_short_run_writes_table_and_plot(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(side_by_side, "SIZES", {"CH4": [(4, 4)]})
    monkeypatch.setattr(side_by_side.codes, "SETS", {"CH4": (codes.methane, 2, (4,))})
    monkeypatch.setattr(side_by_side, "N_WHOLE", 3)
    monkeypatch.setattr(side_by_side, "memory", lambda: pd.DataFrame(columns=[*side_by_side.COLUMNS[:-1], "memory"]))
    side_by_side.main(["--rounds", "1", "--output", str(tmp_path)])
    table = pd.read_parquet(tmp_path / "side_by_side.parquet")
    assert (table["median"] > 0).all()
    assert set(table.loc[table["task"] == side_by_side.JACOBIAN, "code"]) == {*codes.CODES, "floor"}
    assert (tmp_path / "side_by_side.png").exists()
    assert "dgemm" in capsys.readouterr().out
