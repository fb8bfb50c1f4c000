"""Linear regression with a penalty, which leaving out one sample at a time chooses."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from nullmode._support.axes import distinct


def model(
    penalties: Annotated[
        list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1), AfterValidator(distinct)
    ] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0],  # noqa: B006
) -> Any:
    """Make a linear model with an intercept: least squares plus penalty times the weights' square.

    Parameters
    ----------
    penalties
        Of which the one is taken that predicts every sample best from all others.

    Returns
    -------
    sklearn.linear_model.RidgeCV
        Not yet fitted.
    """
    from sklearn.linear_model import RidgeCV

    return RidgeCV(alphas=penalties)
