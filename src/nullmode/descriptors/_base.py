"""The interface of descriptors, and the base class of all descriptors of a neighbour density."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, cast

import numpy as np
from pydantic import Field, model_validator

from nullmode._support.arguments import Length, real_array
from nullmode._support.types import Floats, InputError, Parity
from nullmode._support.variants import variant
from nullmode.basis.density import Batch, Density
from nullmode.basis.harmonics import norms
from nullmode.basis.radial._base import AnyRadialBasis
from nullmode.basis.radial._table import Basis, check_width, tabulated
from nullmode.basis.radial.gto import GTO
from nullmode.basis.scaling import RadialScaling
from nullmode.descriptors._layout import Layout, pack, species_of
from nullmode.descriptors._parameters import (
    Cutoff,
    CutoffWidth,
    SpeciesChoice,
    check_reach,
    check_smoothing,
)
from nullmode.geometry.environment import Environment

LARGEST_L = 25
"""Largest angular momentum: the harmonics are tested up to it against an independent implementation."""
MOST_FEATURES = 1_000_000
"""Largest number of features of an environment: more is probably a mistake, and fills the memory."""
ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Relative rounding of a Jacobian, over the size of its terms: docs/theory.md says how it was measured."""
D = TypeVar("D", bound="Descriptor")


class Descriptor(ABC):
    """Features of an environment, with their Jacobian.

    Your own descriptor derives from this class, is a frozen keyword-only dataclass, and defines the three abstract
    methods and the class variables; then everything else in nullmode works with it.

    Attributes
    ----------
    correlation_order
        Number of neighbours that are correlated (nu); None if that has no meaning.
    parity
        ``O3`` if features are also invariant under reflections, else ``SO3``; None if unknown.
    rounding
        Relative rounding of the Jacobian, over the larger of its norm and that of the features over 1 Å. Singular
        values up to this share of it are never counted.
    cutoff
        In Å; features do not depend on neighbours beyond it.
    """

    correlation_order: ClassVar[int | None] = None
    parity: ClassVar[Parity | None] = None
    rounding: ClassVar[float] = ROUNDING
    cutoff: float

    @abstractmethod
    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[Any]:
        """Name every feature, in order.

        Parameters
        ----------
        environments
            The set that an open layout is taken from; without it, one neighbour of one species, named ``X``.
        """

    @abstractmethod
    def compute_batch(self, environments: Sequence[Environment]) -> list[Floats]:
        """Features of each environment, shape (F,)."""

    @abstractmethod
    def compute_batch_with_jacobian(self, environments: Sequence[Environment]) -> list[tuple[Floats, Floats]]:
        """Features (F,) and Jacobian (F, n, 3), in 1/Å, of each environment; the centre is fixed."""

    def compute(self, environment: Environment) -> Floats:
        """Features of one environment, shape (F,)."""
        return self.compute_batch([environment])[0]

    def compute_with_jacobian(self, environment: Environment) -> tuple[Floats, Floats]:
        """Features (F,) and Jacobian (F, n, 3) of one environment: derivatives in 1/Å, the centre fixed."""
        return self.compute_batch_with_jacobian([environment])[0]


class InexactDescriptor(Descriptor):
    """A descriptor whose Jacobian is an estimate, such as finite differences, with an estimated error (abstract)."""

    @abstractmethod
    def compute_batch_with_error(self, environments: Sequence[Environment]) -> list[tuple[Floats, Floats, float]]:
        """Features (F,), Jacobian (F, n, 3) and its error (Frobenius norm), in 1/Å, of each environment."""


class BatchDescriptor(Descriptor):
    """A descriptor whose kernel computes many environments at once, with one layout for all (abstract)."""

    @abstractmethod
    def _run(self, environments: Sequence[Environment], *, with_jacobian: bool) -> tuple[Floats, list[Floats]]:
        """Features (n_environments, F), and the Jacobian (F, n, 3) of each if asked for."""

    def compute_batch(self, environments: Sequence[Environment]) -> list[Floats]:
        """Features of each environment, shape (F,), in input order; one layout for all."""
        features, _ = self._run(environments, with_jacobian=False)
        return list(features)

    def compute_batch_with_jacobian(self, environments: Sequence[Environment]) -> list[tuple[Floats, Floats]]:
        """Features (F,) and Jacobian (F, n, 3) of each environment, in input order; one layout for all.

        The arrays of one call share memory: copy an array if you keep it longer than the others.
        """
        features, jacobians = self._run(environments, with_jacobian=True)
        return list(zip(features, jacobians, strict=True))


def allocated(
    environments: Sequence[Environment], n_features: int, *, with_jacobian: bool
) -> tuple[Floats, Floats, list[Floats]]:
    """Allocate features (n_environments, F), Jacobians laid end to end, and a view (F, n, 3) of each Jacobian."""
    features = np.empty((len(environments), n_features))
    sizes = [3 * n_features * len(environment) for environment in environments] if with_jacobian else []
    jacobian = np.empty(sum(sizes))
    views = [
        jacobian[end - size : end].reshape(n_features, len(environment), 3)
        for environment, size, end in zip(environments, sizes, accumulate(sizes), strict=False)
    ]
    return features, jacobian, views


def evaluate(descriptor: Descriptor, environments: Sequence[Environment]) -> list[tuple[Floats, Floats, float]]:
    """Features, Jacobian and its estimated error; 0 for analytic derivatives (see the rotation floor for rounding)."""
    if isinstance(descriptor, InexactDescriptor):
        return descriptor.compute_batch_with_error(environments)
    results: Any = descriptor.compute_batch_with_jacobian(environments)
    if isinstance(descriptor, BatchDescriptor):
        return [(phi, jac, 0.0) for phi, jac in results]
    if not isinstance(results, Iterable) or len(results := list(results)) != len(environments):
        raise _not_computed(descriptor, f"a list of {len(environments)}", results)
    return [(*_computed(descriptor, len(each), pair), 0.0) for each, pair in zip(environments, results, strict=True)]


def _computed(descriptor: Descriptor, n: int, pair: Any) -> tuple[Floats, Floats]:
    """Check what a descriptor of a user's own gives for one environment of n neighbours."""
    if not isinstance(pair, Sequence) or len(pair) != 2:
        raise _not_computed(descriptor, "a pair, features and Jacobian, for each environment", pair)
    features, jacobian = (real_array(f"features and Jacobian of {type(descriptor).__name__}", each) for each in pair)
    if features.ndim != 1 or jacobian.shape != (len(features), n, 3):
        raise _not_computed(
            descriptor,
            f"features (F,) and a Jacobian (F, {n}, 3) for an environment of {n} neighbours",
            f"shapes {features.shape} and {jacobian.shape}",
        )
    return features, jacobian


def _not_computed(descriptor: Descriptor, wanted: str, got: Any) -> InputError:
    shown = got if isinstance(got, str) else f"{got!r:.80}"
    return InputError(
        f"`{type(descriptor).__name__}.compute_batch_with_jacobian` must give {wanted}, got {shown}. "
        "See docs/how-to-add-a-descriptor.md."
    )


def check_descriptor(descriptor: Any) -> None:
    """Refuse anything but a Descriptor."""
    if not isinstance(descriptor, Descriptor):
        raise InputError(f"`descriptor` must be a nullmode.Descriptor, got {descriptor!r}. Make one: PowerSpectrum().")


def changed(descriptor: D, **parameters: Any) -> D:
    """Make the same descriptor with other values of some parameters."""
    return cast("D", replace(cast("Any", descriptor), **parameters))


@variant
class DensityDescriptor(BatchDescriptor):
    """A function of the density coefficients c_nlm of the neighbours' species (abstract).

    The density is a normalised Gaussian on each neighbour, (pi width²)^(-3/4) exp(-|r - r_j|²/(2 width²)), or a delta
    function, times the cutoff function at r_j, in radial functions and real spherical harmonics.

    Parameters
    ----------
    n_max
        Number of radial functions, n = 0 … n_max - 1.
    radial_basis
        The functions: a name, a mapping with ``kind`` and parameters, or an instance such as ``nm.GTO()``.
    density
        ``gaussian``, or ``delta`` (the A basis of the atomic cluster expansion).
    cutoff
        Radius of the environment, in Å.
    cutoff_width
        Range below the cutoff in which a shifted cosine takes neighbours to zero, in Å; 0 is a step.
    width
        Standard deviation of the Gaussian density, in Å; not read for a delta density.
    center_weight
        Weight of the centre's own Gaussian, added to its species' channel; 0 for a delta density.
    radial_scaling
        Further weight of each neighbour by its distance; None for none.
    species
        Symbols or atomic numbers of the channels, in order; None takes them from the set, by atomic number.

    Raises
    ------
    InputError
        For a value out of range, an unknown parameter, a width too small for the cutoff, functions that cannot be told
        apart, or more than a million features (on use, where the species are those of the set).
    """

    n_max: Annotated[int, Field(ge=1, description="number of radial functions")] = 8
    radial_basis: Annotated[AnyRadialBasis, Field(description="radial functions, by name or {kind, …}")] = GTO()
    density: Annotated[Literal["gaussian", "delta"], Field(description="of each neighbour")] = "gaussian"
    cutoff: Cutoff = 4.0
    cutoff_width: CutoffWidth = 0.5
    width: Annotated[Length, Field(description="standard deviation of the Gaussian density, Å")] = 0.3
    center_weight: Annotated[float, Field(allow_inf_nan=False, description="weight of the centre's own Gaussian")] = 0.0
    radial_scaling: Annotated[
        RadialScaling | None, Field(description="further weight of each neighbour by its distance; default: none")
    ] = None
    species: SpeciesChoice = None

    l_max: ClassVar[int]

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        check_smoothing(self.cutoff, self.cutoff_width)
        if self.density == "delta" and self.center_weight != 0.0:
            raise InputError(
                f"`center_weight` must be 0 for a delta density, got {self.center_weight}: a delta function "
                "on the centre has no angular expansion. Use density='gaussian'."
            )
        if self.density == "gaussian":
            check_width(self.width, self.cutoff)
        self.radial_basis.check(self.n_max, self.l_max, self.cutoff)
        # Without species, as many as there are at least.
        self._checked_size(len(self.species) if self.species else 1)
        return self

    def _checked_size(self, n_species: int) -> int:
        count = self._n_features(n_species)
        if count > MOST_FEATURES:
            raise InputError(
                f"`n_max`, `l_max` must leave at most {MOST_FEATURES} features, got {count} for {n_species} species at "
                f"n_max={self.n_max}, l_max={self.l_max}. Use smaller ones."
            )
        return count

    @property
    def nested(self) -> bool:
        """Whether the features at a smaller n_max are among those at a larger one, as they are for l_max."""
        return self.radial_basis.nested

    @abstractmethod
    def _n_features(self, n_species: int) -> int: ...

    @abstractmethod
    def _evaluate(self, batch: Batch, n_species: int, features: Floats, jacobian: Floats) -> None: ...

    @property
    def basis(self) -> Basis:
        """The tabulated radial basis with its own error figures."""
        width = self.width if self.density == "gaussian" else None
        return tabulated(self.radial_basis, self.n_max, self.l_max, self.cutoff, width)

    def _run(self, environments: Sequence[Environment], *, with_jacobian: bool) -> tuple[Floats, list[Floats]]:
        items = check_reach(environments, self.cutoff)
        if not items:
            return np.empty((0, 0)), []
        with_centers = self.center_weight != 0.0
        # Not by `_species`, which would find the whole layout of the set, and check the environments once more.
        species = species_of(items, with_centers=with_centers) if self.species is None else self.species
        n_features = self._checked_size(len(species))
        features, jacobian, views = allocated(items, n_features, with_jacobian=with_jacobian)
        packed = pack(items, species, with_centers=with_centers)
        if features.size:
            self._evaluate(packed, len(species), features, jacobian)
        return features, views

    def _species(self, environments: Sequence[Environment] | None) -> tuple[str, ...]:
        """Species of the channels: as stated, else those of a set, else one named ``X``."""
        return Layout.of(environments, self.cutoff).species_for(self)

    def _density(self) -> Density:
        scaling = self.radial_scaling
        return Density(
            table=self.basis.table,
            norm=norms(self.l_max),
            n_max=self.n_max,
            l_max=self.l_max,
            cutoff=self.cutoff,
            cutoff_width=self.cutoff_width,
            center_weight=self.center_weight,
            scaling_rate=scaling.rate if scaling else 1.0,
            scaling_scale=scaling.scale if scaling else 1.0,
            scaling_exponent=scaling.exponent if scaling else 0.0,
        )
