"""The last digits of an environment with given features, where a mode is nearly null and features hardly fix it."""

from dataclasses import replace

import numpy as np

from nullmode._support.types import Floats
from nullmode.attribution.causes import Attribution, attribute
from nullmode.geometry.environment import Environment
from nullmode.search._evaluation import Evaluator

# Equal features fix a mode with a smaller s_k/s_1 to about 1e-7 Å, the root of rounding, or hardly better.
_SOFT = 1e-5
# What an error of 1e-7 Å can make of a singular value that is zero, over the largest.
_UNCERTAIN = 1e-6
_FAR = 1e-4  # Å
_ROUNDS = 8
_NULL = 1e-12
_RCOND = 1e-8


def polished(evaluator: Evaluator, vectors: Floats, target: Floats, tolerance: float) -> Floats | None:
    """Move neighbours to the singular point next to them that has the features `target`; None if there is none.

    Gauss-Newton for equal features together with J v = 0 for every soft mode v: at a singular point, features change to
    second order along v, but J v changes to first order.

    Parameters
    ----------
    vectors, shape (n, 3)
        Where the features are equal to rounding already, in Å.
    tolerance
        Largest distance of the features from the target, over its norm.
    """
    norm, x = float(np.linalg.norm(target)), vectors
    for _ in range(_ROUNDS):
        features, jacobian, error = evaluator.evaluate([x])[0]
        flat = jacobian.reshape(len(jacobian), -1)
        result = evaluator.sensitivity(x, jacobian, _NULL)
        values = result.singular_values
        soft = values < _SOFT * values[0]
        distance = float(np.linalg.norm(features - target)) / norm
        if distance <= tolerance and (values[soft] <= _NULL * values[0]).all():
            return x
        stiff = result.modes[~soft].reshape(-1, flat.shape[1])
        left = flat @ stiff.T / values[~soft]
        residuals, slopes = [(features - target) / norm], [flat / norm]
        for mode in result.modes[soft]:
            change, _ = evaluator.change_along(x, jacobian, mode, error)
            # With v free to turn, J v changes only outside the range of J on the other modes.
            slopes.append((change - left @ (left.T @ change)) / values[0])
            residuals.append(flat @ mode.ravel() / values[0])
        step = np.linalg.lstsq(np.concatenate(slopes), -np.concatenate(residuals), rcond=_RCOND)[0]
        x = x + step.reshape(x.shape)
        if not np.linalg.norm(x - vectors) <= _FAR:
            return None
    return None


def undecided(values: Floats, rtol: float) -> Floats:
    """Choose, among singular values, those that may be zero at positions that are found by equal features."""
    return np.asarray(values[(values > rtol * values[0]) & (values < _UNCERTAIN * values[0])])


def attributed(evaluator: Evaluator, environment: Environment, jacobian: Floats, rtol: float) -> Attribution:
    """Say why values are null in an environment that was found by its features, or that its positions leave it open."""
    why = attribute(environment, evaluator.descriptor, rtol)
    values = evaluator.sensitivity(environment.vectors, jacobian, rtol).singular_values
    loose = undecided(values, rtol)
    if not len(loose):
        return why
    text = f"s_d/s_1 = {loose[-1] / values[0]:.0e} may be zero: equal features fix these positions to 1e-7 Å only"
    return replace(why, ambiguous=True, diagnostic=f"{why.diagnostic} {text}".strip())
