"""Regressions: models are what their definitions say, and none tells apart what the features do not."""

import warnings

import numpy as np
import pandas as pd
import pytest
from tasks import predicted
from variant_cases import MODELS as OPTIONS

import nullmode as nm
from nullmode.learning import MODELS
from nullmode.sweep.structures import make_structures
from nullmode.tables import parquet
from nullmode.tables.structures import atoms_of

each_model = pytest.mark.parametrize("model", MODELS)
SETTING = {"cutoff": 4.0, "width": 0.3}
NU_2 = {"descriptor": "soap", "kind": "power-spectrum", "parameters": {"n_max": 5, "l_max": 5, **SETTING}}
NU_3 = {"descriptor": "bispectrum", "kind": "bispectrum", "parameters": {"n_max": 3, "l_max": 4, **SETTING}}
FAMILIES = {
    "pairs": make_structures("degenerate_pair", {"u": [0.7, 0.8, 0.9, 1.0], "v": [-0.05, 0, 0.05]}, "pairs"),
    "others": make_structures("degenerate_pair", {"u": [0.75, 0.85, 0.95], "v": [0]}, "others"),
    "noise": make_structures("methane_distortion", {"paths": ["noise"], "noise": [-0.8], "samples": 30}, "noise"),
}


def run(model, families=None, **changes):
    task = {
        **{"regression": "r", "model": model, "model_parameters": OPTIONS[model], "target": "four_body_energy"},
        **{"training": ["pairs"], "test": ["others"]},
        **NU_2,
        **changes,
    }
    return predicted(families or FAMILIES, task)


def measured(kind, names):
    """Features and energies by other means than a regression's."""
    descriptor = {"soap": nm.PowerSpectrum, "bispectrum": nm.Bispectrum}[kind["descriptor"]](**kind["parameters"])
    vectors = [atoms.positions[1:] for name in names for atoms in atoms_of(FAMILIES[name])[0]]
    features = np.stack([descriptor.compute(nm.Environment.from_vectors(each)) for each in vectors])
    return features, np.array([energy(each) for each in vectors])


def energy(vectors):
    normals = []
    for left_out in range(4):
        a, b, c = np.delete(vectors, left_out, axis=0)
        normal = np.cross(b - a, c - a)
        normals.append(normal / np.linalg.norm(normal))
    return sum((normals[i] @ normals[j]) ** 2 for i in range(4) for j in range(i))


def standardised(features, energies, learned):
    known = features[:learned]
    spread = known.std(axis=0)
    return (features - known.mean(axis=0)) / spread, energies[:learned].mean(), energies[:learned].std()


def least_squares(x, y, penalty):
    """Weights that minimise |x w - y|² + penalty |w|², from one least-squares problem."""
    width = x.shape[1]
    stacked = np.vstack([x, np.sqrt(penalty) * np.eye(width)])
    return np.linalg.lstsq(stacked, np.concatenate([y, np.zeros(width)]))[0]


@pytest.mark.parametrize("kind", [NU_2, NU_3], ids=["nu 2", "nu 3"])
@pytest.mark.parametrize("penalty", [1e-3, 1.0])
def test_ridge_is_penalised_least_squares_of_standardised_features(kind, penalty):
    rows = run("ridge", training=["noise"], test=["others"], model_parameters={"penalties": [penalty]}, **kind)
    features, energies = measured(kind, ["noise", "others"])
    x, mean, spread = standardised(features, energies, 30)
    weights = least_squares(x[:30], (energies[:30] - mean) / spread, penalty)
    np.testing.assert_allclose(rows["target"], energies, rtol=1e-12)
    np.testing.assert_allclose(rows["predicted"], mean + spread * x @ weights, rtol=1e-7)


def test_ridge_takes_the_penalty_that_predicts_what_is_left_out():
    penalties = [1e-4, 1e-2, 1.0, 100.0]
    every = {
        penalty: run("ridge", training=["noise"], model_parameters={"penalties": [penalty]}) for penalty in penalties
    }
    features, energies = measured(NU_2, ["noise"])
    x, mean, spread = standardised(features, energies, 30)
    y = (energies - mean) / spread
    errors = {}
    for penalty in penalties:
        left_out = []
        for k in range(30):
            a, b = np.delete(x, k, axis=0), np.delete(y, k)
            weights = least_squares(a - a.mean(axis=0), b - b.mean(), penalty)
            left_out.append(y[k] - b.mean() - (x[k] - a.mean(axis=0)) @ weights)
        errors[penalty] = np.mean(np.square(left_out))
    best = min(errors, key=errors.get)
    assert best not in (penalties[0], penalties[-1])
    chosen = run("ridge", training=["noise"], model_parameters={"penalties": penalties})
    np.testing.assert_array_equal(chosen["predicted"], every[best]["predicted"])


def test_network_is_the_one_of_its_parameters():
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    rows = run("mlp", model_parameters={"hidden": [5, 3], "steps": 10, "penalty": 0.1, "seed": 7}, training=["noise"])
    features, energies = measured(NU_2, ["noise", "others"])
    x, mean, spread = standardised(features, energies, 30)
    network = MLPRegressor(
        hidden_layer_sizes=(5, 3), activation="tanh", solver="lbfgs", alpha=0.1, max_iter=10, random_state=7
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(x[:30], (energies[:30] - mean) / spread)
    layer = x
    for weights, offsets in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
        layer = np.tanh(layer @ weights + offsets)
    predicted = layer @ network.coefs_[-1][:, 0] + network.intercepts_[-1]
    np.testing.assert_allclose(rows["predicted"], mean + spread * predicted, rtol=1e-6)
    assert rows.loc[rows["role"] == "training", "predicted"].std() > 0.01


def members(rows):
    """True and predicted energies of the members of each pair, the distance to the merging point beside."""
    some = rows[(rows["family"] == "others") & (rows["v"] == 0)]
    both = [some[some["sign"] == sign].set_index("u").sort_index() for sign in (-1, 1)]
    assert len(both[0]) == 3
    true, predicted = (np.array([part[name] for part in both]) for name in ("target", "predicted"))
    return true, predicted, np.pi * 1.09 * (1 - both[0].index.to_numpy())


@each_model
def test_no_model_tells_apart_what_features_do_not(model):
    true, predicted, _ = members(run(model))
    assert np.abs(predicted[0] - predicted[1]).max() < 1e-9
    assert predicted.std() > 1e-3
    errors = np.sqrt(np.mean((predicted - true) ** 2, axis=0))
    bound = np.abs(true[0] - true[1]) / 2
    assert bound.min() > 0.3
    assert (errors > bound * (1 - 1e-9)).all()


@each_model
def test_the_next_order_learns_it(model):
    true, predicted, _ = members(run(model, **NU_3))
    assert np.sqrt(np.mean((predicted - true) ** 2)) < 0.2 * np.abs(true[0] - true[1]).min()


@each_model
def test_slopes_along_the_null_mode_vanish_where_pairs_merge(model):
    near = make_structures("degenerate_pair", {"u": [0.91, 0.99, 0.999], "v": [0]}, "others")
    families = {**FAMILIES, "others": near}
    for kind, low, high in ((NU_2, 0, 1e-6), (NU_3, 2.5, 4.5)):
        true, predicted, distance = members(run(model, families, **kind))
        true_slope, slope = (np.abs(e[0] - e[1])[-1] / (2 * distance[-1]) for e in (true, predicted))
        assert 3 < true_slope < 4
        assert low <= slope <= high


@each_model
def test_same_input_gives_the_same_bytes(model, tmp_path):
    for name in ("a", "b"):
        parquet.write(run(model), tmp_path / name, "regression", {})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_rows_say_what_they_are_about():
    rows = run("ridge", training=["noise", "pairs"])
    assert set(rows["training"]) == {"noise, pairs"}
    assert rows.groupby("family", sort=False)["role"].first().to_dict() == {
        "noise": "training",
        "pairs": "training",
        "others": "test",
    }
    assert rows.groupby("family").size().to_dict() == {"noise": 30, "pairs": 24, "others": 6}
    for name, part in rows.groupby("family"):
        for coordinate in ("sign", "u", "t"):
            known = FAMILIES[name].get(coordinate)
            assert part[coordinate].isna().all() if known is None else part[coordinate].tolist() == known.tolist()


def test_what_was_learned_is_not_tested():
    mixed = pd.concat([FAMILIES["others"], FAMILIES["pairs"][3:6]], ignore_index=True)
    mixed["structure"] = range(len(mixed))
    rows = run("ridge", {**FAMILIES, "others": mixed})
    assert rows[rows["role"] == "test"]["structure"].tolist() == list(range(6))
    with pytest.raises(nm.InputError, match=r"`regressions\.r\.test` must hold other environments than `training`"):
        run("ridge", {**FAMILIES, "others": FAMILIES["pairs"]})


def test_an_environment_without_a_target_is_named():
    four = make_structures("point_groups", {"names": ["Td"]}, "others")
    wrong = pd.concat([four, make_structures("ring_pair", {"psi": [10]}, "others")[["structure", *four.columns[1:6]]]])
    wrong["structure"] = range(len(wrong))
    with pytest.raises(nm.InputError, match=r"shape \(4, 3\) .* \(structure 1, centre 0\)"):
        run("ridge", {**FAMILIES, "others": wrong})


def test_a_target_that_is_not_finite_is_named(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("def target(vectors):\n    return (float('nan'),)\n")
    with pytest.raises(nm.InputError, match=r"must be finite, got nan for structure 0, centre 0"):
        run("ridge", target=f"{own}:target")


def test_models_of_ones_own(tmp_path, monkeypatch):
    own = tmp_path / "own.py"
    own.write_text(
        "from sklearn.dummy import DummyRegressor\ndef model(value: float):\n"
        "    return DummyRegressor(strategy='constant', constant=value)\n"
    )
    monkeypatch.setitem(OPTIONS, f"{own}:model", {"value": 2.0})
    rows = run(f"{own}:model")
    known = rows.loc[rows["role"] == "training", "target"]
    assert np.allclose(rows["predicted"], known.mean() + 2 * known.std(ddof=0))


def test_regressions_use_a_fitted_contraction():
    basis = {"kind": "optimal-contraction", "n_primitives": 8, "reference": "noise"}
    kind = {**NU_2, "parameters": {**NU_2["parameters"], "radial_basis": basis}}
    task = {"regression": "r", "model": "ridge", "model_parameters": OPTIONS["ridge"], "target": "four_body_energy"}
    # Pairs have one bond length, where all radial functions say the same.
    task |= {"training": ["noise"], "test": ["others"], **kind}
    fitted = predicted(FAMILIES, task, {"noise": FAMILIES["noise"]})
    assert "optimal-contraction" in fitted["radial_basis"][0]
    assert not np.allclose(fitted["predicted"], run("ridge", training=["noise"])["predicted"], rtol=1e-6)


def test_all_regressions_are_read_together(tmp_path):
    for model in MODELS:
        content = {"regression": model, "model": model, "training": ["pairs"], **NU_2}
        parquet.write(run(model, regression=model), tmp_path / f"regressions/{model}.parquet", "regression", content)
    assert set(nm.load(tmp_path, "regression")["regression"]) == set(MODELS)
    other = {"regression": "mlp", "model": "ridge", **NU_2}
    parquet.write(run("ridge", regression="mlp"), tmp_path / "regressions/other.parquet", "regression", other)
    with pytest.raises(nm.InputError, match="`model` of regression mlp"):
        nm.load(tmp_path, "regression")
