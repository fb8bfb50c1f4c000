"""Some of the features of a descriptor, as a descriptor."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from nullmode._support.arguments import as_whole, listed
from nullmode._support.types import Floats, InputError, Parity
from nullmode.descriptors._base import D, Descriptor, InexactDescriptor, changed, check_descriptor, evaluate
from nullmode.descriptors._layout import is_open
from nullmode.geometry.environment import Environment


@final
@dataclass(frozen=True)
class Selected(InexactDescriptor):
    """Some of the features of a descriptor.

    The error of its Jacobian is that of the descriptor's, at least the rounding of that. Null values that all features
    of the descriptor, or of a larger truncation, see count as null by truncation.

    Parameters
    ----------
    descriptor
        With a layout of its own: where it has ``species`` or ``n_neighbours_max``, these are stated.
    features
        Indices of the features that are kept, in the order of ``descriptor.feature_labels()``.

    Raises
    ------
    InputError
        For an open layout, or indices that are not distinct whole numbers from 0 on; on use, for one beyond the
        features.
    """

    descriptor: Descriptor
    features: Sequence[int]
    # The base class has class variables for these; mypy cannot express either.
    cutoff: float = field(init=False, repr=False, compare=False)
    correlation_order: int | None = field(init=False, repr=False, compare=False)  # type: ignore[misc]
    parity: Parity | None = field(init=False, repr=False, compare=False)  # type: ignore[misc]
    rounding: float = field(init=False, repr=False, compare=False)  # type: ignore[misc]

    def __post_init__(self) -> None:
        """Check what is given, and take the rest from the descriptor."""
        check_descriptor(self.descriptor)
        if is_open(self.descriptor):
            raise InputError(
                f"`descriptor` must state its species and n_neighbours_max, got {self.descriptor!r}: which features it "
                "has would depend on the environments. Give it what it leaves open."
            )
        indices = [as_whole(each) for each in listed(self.features)]
        known = [each for each in indices if each is not None and each >= 0]
        if not indices or len(set(known)) < len(indices):
            raise InputError(
                f"`features` must be distinct whole numbers from 0 on, at least one, got {self.features!r:.80}."
            )
        values: dict[str, Any] = {"features": tuple(known)}
        values |= {name: getattr(self.descriptor, name) for name in ("cutoff", "correlation_order", "parity")}
        for name, value in (values | {"rounding": self.descriptor.rounding}).items():
            object.__setattr__(self, name, value)

    @property
    def cutoff_width(self) -> float:
        """Range below the cutoff in which neighbours fade out, in Å; no attribute where the descriptor has none."""
        anything: Any = self.descriptor
        width: float = anything.cutoff_width
        return width

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[Any]:
        """Name every feature, in order; as in :meth:`Descriptor.feature_labels`."""
        labels = self.descriptor.feature_labels(environments)
        return [labels[index] for index in self._indices(len(labels))]

    def compute_batch(self, environments: Sequence[Environment]) -> list[Floats]:
        """Features (F,) of each environment."""
        return [phi[self._indices(len(phi))] for phi in self.descriptor.compute_batch(environments)]

    def compute_batch_with_jacobian(self, environments: Sequence[Environment]) -> list[tuple[Floats, Floats]]:
        """Features (F,) and Jacobian (F, n, 3), in 1/Å, of each environment."""
        return [(phi, jacobian) for phi, jacobian, _ in self.compute_batch_with_error(environments)]

    def compute_batch_with_error(self, environments: Sequence[Environment]) -> list[tuple[Floats, Floats, float]]:
        """Features, Jacobian and its error, in 1/Å, of each environment."""
        result = []
        for phi, jacobian, error in evaluate(self.descriptor, environments):
            kept = self._indices(len(phi))
            slopes = jacobian[kept]
            # Where symmetry forbids all that is selected, what is left is the rounding of terms that others have.
            rounding = self.rounding * max(np.linalg.norm(phi), np.linalg.norm(jacobian)) if slopes.any() else 0.0
            result.append((phi[kept], slopes, max(error, float(rounding))))
        return result

    def _indices(self, n_features: int) -> list[int]:
        if max(self.features) >= n_features:
            raise InputError(
                f"`features` must be below {n_features}, the number of features of {self.descriptor!r}, got "
                f"{max(self.features)}."
            )
        return list(self.features)


def whole_of(descriptor: Descriptor) -> Descriptor:
    """Give the descriptor that features were selected from; any other as it is."""
    while isinstance(descriptor, Selected):
        descriptor = descriptor.descriptor
    return descriptor


def changed_whole(descriptor: D, **parameters: Any) -> D:
    """Make the same descriptor with other values of some parameters; of a selection, those of the whole."""
    if not isinstance(descriptor, Selected):
        return changed(descriptor, **parameters)
    return replace(descriptor, descriptor=changed_whole(descriptor.descriptor, **parameters))
