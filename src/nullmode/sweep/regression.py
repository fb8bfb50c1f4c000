"""What a regression's job does: families to features, a model fitted to some, and rows of what it predicts for all."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nullmode._support.threads import single_threaded_blas
from nullmode._support.types import JSON, Bools, Floats, InputError
from nullmode._support.variants import constructed, load, validated
from nullmode.descriptors import DESCRIPTORS
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment import Environment, cut
from nullmode.learning import MODELS, TARGETS
from nullmode.sweep.sensitivity import description, fitted, parameters_of
from nullmode.tables import columns, parquet
from nullmode.tables.structures import atoms_of


def run_regression(
    structures: Mapping[str, pd.DataFrame], cell: JSON, references: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Fit a model to the features of some families, and predict the target of all.

    Features and target are standardised: mean 0, standard deviation 1 over the training set.

    Parameters
    ----------
    structures
        Rows of the structures table of each family of ``training`` and ``test``, by name.
    cell
        ``regression``, ``descriptor`` (names), ``kind``, ``parameters`` (of the descriptor), ``scope``, ``training``,
        ``test`` (names of families), ``target``, ``model``, ``model_parameters``, ``rtol``, ``tolerance``: a length in
        Å; environments of test families that are nearer to one of the training set are left out.
    references
        Rows of the structures table of the family that a contraction is fitted to, by name.

    Returns
    -------
    pandas.DataFrame
        Rows of the regression table, by family and in order of its environments; the same bits for the same input.

    Raises
    ------
    InputError
        For an environment without a target, or where no environment is left to test on.
    """
    target = load(cell["kind"], DESCRIPTORS, "descriptor")
    made = constructed(target, cell["parameters"], f"descriptors.{cell['descriptor']}")
    environments = {name: _cut(structures[name], made.cutoff) for name in [*cell["training"], *cell["test"]]}
    every = [environment for found in environments.values() for environment in found]
    [descriptor] = fitted([with_layout_of(made, every)], references or {})
    learned = sum(len(environments[name]) for name in cell["training"])
    with single_threaded_blas():
        features = np.stack(descriptor.compute_batch(every))
        values = np.array([_value(environment, cell["target"]) for environment in every])
        predicted = _predicted(features, values[:learned], cell)
    kept = np.concatenate([np.ones(learned, dtype=bool), _unseen(every[:learned], every[learned:], cell["tolerance"])])
    if kept.sum() == learned:
        raise InputError(
            f"`regressions.{cell['regression']}.test` must hold other environments than `training`, got none. Name "
            "other families."
        )
    where = description({**cell, "family": None}, descriptor, parameters_of(target, cell["parameters"], descriptor))
    frames, start = [], 0
    for name, found in environments.items():
        part = slice(start, start + len(found))
        frame = pd.DataFrame(
            {
                "regression": cell["regression"],
                "model": cell["model"],
                "training": ", ".join(cell["training"]),
                "role": "training" if name in cell["training"] else "test",
                **{**where, "family": name},
                "structure": [environment.structure for environment in found],
                "center": [environment.center for environment in found],
                "target": values[part],
                "predicted": predicted[part],
            }
        )
        places = structures[name][["structure", *parquet.coordinates(structures[name], "structures")]]
        frames.append(frame[kept[part]].merge(places, on="structure", suffixes=("", "_of_structure")))
        start = part.stop
    rows = pd.concat(frames, ignore_index=True)
    own = [column.name for column in columns.REGRESSION]
    return rows[[*own, *sorted(parquet.coordinates(rows, "regression"))]]


def _cut(structures: pd.DataFrame, cutoff: float) -> list[Environment]:
    atoms, centers = atoms_of(structures)
    return cut(atoms, cutoff, centers)


def _value(environment: Environment, target: str) -> float:
    try:
        value: float = load(target, TARGETS, "target")(environment.vectors)[0]
    except InputError as error:
        raise InputError(f"{error} (structure {environment.structure}, centre {environment.center})") from None
    return value


def _predicted(features: Floats, values: Floats, cell: JSON) -> Floats:
    """Predict the target of all environments, shape (n,), from features (n, F) and the targets of the first."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    make = load(cell["model"], MODELS, "model")
    options = validated(make, cell["model_parameters"], f"regressions.{cell['regression']}.parameters")
    scaled = TransformedTargetRegressor(make(**options), transformer=StandardScaler())
    with warnings.catch_warnings():
        # How many steps are taken is a parameter of the model.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit = make_pipeline(StandardScaler(), scaled).fit(features[: len(values)], values)
    return np.asarray(fit.predict(features), dtype=np.float64)


def _unseen(training: Sequence[Environment], test: Sequence[Environment], tolerance: float) -> Bools:
    """Tell which of the test's environments have no like in the training set, neighbour by neighbour; shape (n,)."""
    from scipy.spatial import KDTree

    result = np.ones(len(test), dtype=bool)
    for size in {len(environment) for environment in test}:
        known = [item.vectors.ravel() for item in training if len(item) == size]
        places = [k for k, item in enumerate(test) if len(item) == size]
        if known and size:
            tree = KDTree(np.stack(known))
            result[places] = tree.query(np.stack([test[k].vectors.ravel() for k in places]))[0] > tolerance
    return result
