"""What a regression job does: families to features of one descriptor, models fitted to some, and their predictions."""

import math
import numbers
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from nullmode._support.threads import single_threaded_blas
from nullmode._support.types import JSON, Bools, Floats, InputError
from nullmode._support.variants import load, validated
from nullmode.descriptors._layout import with_layout_of
from nullmode.geometry.environment import Environment
from nullmode.learning import MODELS, TARGETS
from nullmode.sweep.descriptor import description, environments_in, fitted, made
from nullmode.sweep.tasks import RegressionTask, as_json, families_of, references_of
from nullmode.tables import columns, parquet


def write_regressions(
    tasks: Sequence[RegressionTask], structures: Sequence[str], references: Sequence[str], output: str, code: JSON
) -> None:
    """Do a job: write the rows of all regressions with one descriptor, a row group for each.

    The files are the structures of :func:`~.tasks.families_of` and :func:`~.tasks.references_of` the tasks, in order.
    `code`, the origin of this code, is kept.
    """
    files = {
        **dict(zip(families_of(tasks), structures, strict=True)),
        **dict(zip(references_of(tasks), references, strict=True)),
    }
    frames = {name: parquet.read(path, "structures") for name, path in files.items()}
    provenance = {"tasks": [as_json(task) for task in tasks], **code, "inputs": parquet.inputs(files)}
    parquet.write_groups(run_regressions(frames, tasks, frames), output, "regression", provenance)


def run_regressions(
    structures: Mapping[str, pd.DataFrame],
    tasks: Sequence[RegressionTask],
    references: Mapping[str, pd.DataFrame] | None = None,
) -> list[pd.DataFrame]:
    """Fit models to the features of some families, and predict the target of all.

    Features and target are standardised: mean 0, standard deviation 1 over the training set.

    Parameters
    ----------
    structures
        Rows of the structures table of each family of all regressions, by name.
    tasks
        The regressions, all with one descriptor.
    references
        Rows of the structures table of the family that a contraction is fitted to, by name.

    Returns
    -------
    list of pandas.DataFrame
        Rows of the regression table, a frame for each regression, by family and in order of its environments; the same
        bits for the same input.

    Raises
    ------
    InputError
        For an environment without a target, or where no environment is left to test on.
    """
    given = made(tasks[0], tasks[0].parameters)
    environments = {name: environments_in(structures[name], given.cutoff) for name in families_of(tasks)}
    features: dict[tuple[str, str], list[Floats]] = {}
    result = []
    for task in tasks:
        names = [*task.training, *task.test]
        every = [environment for name in names for environment in environments[name]]
        # The layout of features follows from the families of this regression.
        laid_out = with_layout_of(given, every)
        [descriptor] = fitted([laid_out], references or {})
        with single_threaded_blas():
            for key in ((name, repr(laid_out)) for name in names):
                if key not in features:
                    features[key] = descriptor.compute_batch(environments[key[0]])
        rows = [phi for name in names for phi in features[name, repr(laid_out)]]
        where = description(task, task.parameters, descriptor, family=None)
        result.append(_rows(task, {name: environments[name] for name in names}, np.stack(rows), where, structures))
    return result


def _rows(
    task: RegressionTask,
    environments: Mapping[str, list[Environment]],
    features: Floats,
    where: JSON,
    structures: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Rows of one regression, from its environments by family and their features, shape (n, F)."""
    every = [environment for listed in environments.values() for environment in listed]
    learned = sum(len(environments[name]) for name in task.training)
    with single_threaded_blas():
        values = np.array([_value(environment, task.target) for environment in every])
        predicted = _predicted(features, values[:learned], task)
    kept = np.concatenate([np.ones(learned, dtype=bool), _unseen(every[:learned], every[learned:], task.tolerance)])
    if kept.sum() == learned:
        raise InputError(
            f"`regressions.{task.regression}.test` must hold other environments than `training`, got none. Name "
            "other families."
        )
    frames, start = [], 0
    for name, listed in environments.items():
        chunk = slice(start, start + len(listed))
        frame = pd.DataFrame(
            {
                "regression": task.regression,
                "model": task.model,
                "training": ", ".join(task.training),
                "role": "training" if name in task.training else "test",
                **{**where, "family": name},
                "structure": [environment.structure for environment in listed],
                "center": [environment.center for environment in listed],
                "target": values[chunk],
                "predicted": predicted[chunk],
            }
        )
        coordinates = structures[name][["structure", *parquet.coordinates(structures[name], "structures")]]
        frames.append(frame[kept[chunk]].merge(coordinates, on="structure"))
        start = chunk.stop
    rows = pd.concat(frames, ignore_index=True)
    own = [column.name for column in columns.REGRESSION]
    return rows[[*own, *sorted(parquet.coordinates(rows, "regression"))]]


def _value(environment: Environment, target: str) -> float:
    try:
        answer = load(target, TARGETS, "target")(environment.vectors)
    except InputError as error:
        raise InputError(f"{error} (structure {environment.structure}, centre {environment.center})") from None
    value = answer[0] if isinstance(answer, tuple) and answer else None
    if not isinstance(value, numbers.Real):
        raise InputError(f"The target {target} must give a tuple that begins with a number, got {answer!r}.")
    if not math.isfinite(value):
        raise InputError(
            f"The target {target} must be finite, got {value} for structure {environment.structure}, centre "
            f"{environment.center}. Leave it out, or mend the target."
        )
    return float(value)


def _predicted(features: Floats, values: Floats, task: RegressionTask) -> Floats:
    """Predict the target of all environments, shape (n,), from features (n, F) and the targets of the first."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    make = load(task.model, MODELS, "model")
    options = validated(make, task.model_parameters, f"regressions.{task.regression}.parameters")
    model = make(**options)
    if not (hasattr(model, "fit") and hasattr(model, "predict")):
        raise InputError(
            f"`regressions.{task.regression}.model` must give an object with `fit` and `predict`, got "
            f"{type(model).__name__} from {task.model}. Return a regressor of scikit-learn, or one like it."
        )
    scaled = TransformedTargetRegressor(model, transformer=StandardScaler())
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
        known = [each.vectors.ravel() for each in training if len(each) == size]
        same = [k for k, each in enumerate(test) if len(each) == size]
        if known and size:
            tree = KDTree(np.stack(known))
            result[same] = tree.query(np.stack([test[k].vectors.ravel() for k in same]))[0] > tolerance
    return result
