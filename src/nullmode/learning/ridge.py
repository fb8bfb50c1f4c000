"""Linear regression with a penalty that is chosen by leaving out one sample at a time."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from nullmode._support.axes import distinct


def model(
    penalties: Annotated[
        list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1), AfterValidator(distinct)
    ] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0],  # noqa: B006
) -> Any:
    """Make a linear model with an intercept: least squares plus a penalty times the sum of squared weights.

    Parameters
    ----------
    penalties
        Penalties to choose from: the one is taken with which all other samples predict each sample best.
    """
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=penalties)
