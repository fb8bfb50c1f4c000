"""Models of the configuration: its keys and their types; :mod:`nullmode.sweep.settings` checks the names in it."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nullmode._support import axes
from nullmode._support.types import Scope


def _in_order(value: Any) -> Any:
    return {key: _in_order(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


# Sorted, because Snakemake takes another order of the same parameters for a change.
Parameters = Annotated[dict[str, Any], AfterValidator(_in_order)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FamilyEntry(_Strict):
    """A family of configurations, under the name that its tables carry."""

    kind: str = Field(description="one of nullmode's families, or path/to/file.py:function")
    parameters: Parameters = Field(default={}, description="arguments of that family")


class DescriptorEntry(_Strict):
    """A descriptor and the truncations at which it is swept."""

    kind: str = Field(description="one of nullmode's descriptors, or path/to/file.py:class")
    parameters: Parameters = Field(default={}, description="fixed parameters")
    grid: dict[str, axes.AnyAxis] = Field(
        default={},
        description="swept parameters, each a list or {start, stop, step}; all combinations are computed",
    )
    inner: list[str] = Field(
        default=["n_max", "l_max"], description="axes of the grid that are not split over several jobs"
    )
    families: list[str] | None = Field(default=None, description="names of the families to analyse; default: all")
    scope: Scope = Field(default="environment", description="analyse each centre's environment, or whole structures")


class SearchEntry(_Strict):
    """A search that starts from every environment of a family."""

    kind: str = Field(description="one of nullmode's searches, or path/to/file.py:function")
    family: str = Field(description="name of the family that the starting environments belong to")
    descriptor: str = Field(description="name of the descriptor, of scope environment and at one truncation")
    parameters: Parameters = Field(default={}, description="arguments of that search")


class RegressionEntry(_Strict):
    """A model that learns a target from features."""

    model: str = Field(description="one of nullmode's models, or path/to/file.py:function")
    descriptor: str = Field(description="name of the descriptor, of scope environment and at one truncation")
    training: Annotated[list[str], Field(min_length=1), AfterValidator(axes.distinct)] = Field(
        description="names of the families that the model is fitted to"
    )
    test: Annotated[list[str], Field(min_length=1), AfterValidator(axes.distinct)] = Field(
        description="names of other families, for which the model predicts the target"
    )
    target: str = Field(
        default="four_body_energy", description="one of nullmode's targets, or path/to/file.py:function"
    )
    parameters: Parameters = Field(default={}, description="arguments of that model")


class FigureEntry(_Strict):
    """A figure drawn from tables of the results."""

    kind: str = Field(description="one of nullmode's figures, or path/to/file.py:name of a function or Figure record")
    parameters: Parameters = Field(default={}, description="arguments of that figure")
    claim: str = Field(default="", description="what the figure shows: the first sentence of its caption")


class ViewEntry(_Strict):
    """A page to look at environments in a browser, with their null modes as arrows."""

    families: Annotated[list[str], Field(min_length=1, description="names of the families to show")]
    descriptor: str = Field(description="name of the descriptor, of scope environment and at one truncation")
    most: Annotated[
        int, Field(ge=1, description="largest number of environments of each family; they are evenly spaced")
    ] = 50


class Settings(_Strict):
    """The whole configuration."""

    results: str = Field(default="results", description="folder that everything is written to")
    rtol: Annotated[float, Field(gt=0, lt=1, description="relative tolerance of ranks")] = 1e-9
    tolerance: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="length in Å within which two positions count as equal")
    ] = 1e-6
    target_job_seconds: Annotated[
        float, Field(gt=0, allow_inf_nan=False, description="computing time in seconds that each job aims at")
    ] = 120.0
    families: Annotated[dict[Name, FamilyEntry], Field(min_length=1, description="families by name")]
    descriptors: Annotated[dict[Name, DescriptorEntry], Field(min_length=1, description="descriptors by name")]
    searches: dict[Name, SearchEntry] = Field(default={}, description="searches by name")
    regressions: dict[Name, RegressionEntry] = Field(default={}, description="regressions by name")
    figures: dict[Name, FigureEntry] = Field(default={}, description="figures by name")
    views: dict[Name, ViewEntry] = Field(default={}, description="interactive views by name")
    claims: str | None = Field(default=None, description="file of claims that the results are compared with")


KEYS = {
    "": list(Settings.model_fields),
    "families": list(FamilyEntry.model_fields),
    "descriptors": list(DescriptorEntry.model_fields),
    "searches": list(SearchEntry.model_fields),
    "regressions": list(RegressionEntry.model_fields),
    "figures": list(FigureEntry.model_fields),
    "views": list(ViewEntry.model_fields),
}
"""Keys of the configuration and of its entries, for messages."""
