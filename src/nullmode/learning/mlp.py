"""A small neural network."""

from typing import Annotated, Any

from pydantic import Field


def model(
    hidden: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] = [32, 32],  # noqa: B006
    penalty: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01,
    steps: Annotated[int, Field(ge=1)] = 2000,
    seed: Annotated[int, Field(ge=0)] = 0,
) -> Any:
    """Make a multilayer perceptron of hyperbolic tangents, to be fitted by L-BFGS.

    Parameters
    ----------
    hidden
        Neurons of each hidden layer.
    penalty
        Factor of the sum of squared weights.
    steps
        Largest number of steps of the optimiser. Stopping early is part of the model: it keeps the weights small.
    seed
        Of the random initial weights.
    """
    from sklearn.neural_network import MLPRegressor

    return MLPRegressor(
        hidden_layer_sizes=hidden,
        activation="tanh",
        solver="lbfgs",
        alpha=penalty,
        max_iter=steps,
        # The optimiser counts evaluations too, and would stop at 15 000 of them.
        max_fun=100 * steps,
        random_state=seed,
    )
