"""The base class of adapters: checks, neighbours beyond the cutoff, finite differences if a peer has no derivatives."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from math import inf
from typing import Any

import numpy as np

from nullmode._support.arguments import as_real, as_whole, check_parity
from nullmode._support.elements import symbol
from nullmode._support.types import Floats, InputError, Parity
from nullmode.descriptors._base import InexactDescriptor
from nullmode.descriptors._layout import with_layout_of
from nullmode.descriptors._parameters import check_reach
from nullmode.geometry.cutoff import inside
from nullmode.geometry.environment import Environment, within

FIRST_STEP = 0.08
"""Widest step of a finite difference, in Å: well below the width of the Gaussians that represent atoms."""
_HALVINGS = 5
_ORDER = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Adapter(InexactDescriptor):
    """Features that another code, the *peer*, computes (abstract).

    The peer gets a cluster: the centre and its neighbours within the cutoff. Its features are not changed.

    Parameters
    ----------
    cutoff
        In Å; features do not depend on neighbours beyond it. None reads it from the peer.
    correlation_order
        Number of neighbours that are correlated; None reads it from the peer, and stays None if the peer has none.
    parity
        ``O3`` or ``SO3``; None as for `correlation_order`.
    """

    # None is replaced by the value of the peer on construction, before anything reads it. The base class has class
    # variables for the last two; mypy cannot express either.
    cutoff: float = None  # type: ignore[assignment]
    correlation_order: int | None = None  # type: ignore[misc]
    parity: Parity | None = None  # type: ignore[misc]

    @abstractmethod
    def _values(self, environment: Environment) -> Floats:
        """Features (F,) of neighbours within the cutoff, of which there may be none."""

    @abstractmethod
    def _with_slopes(self, environment: Environment) -> tuple[Floats, Floats] | None:
        """Features and the Jacobian (F, n, 3), n >= 1, of the peer; None if it has no Jacobian."""

    def compute_batch(self, environments: Sequence[Environment]) -> list[Floats]:
        """Features (F,) of each environment."""
        near = self._inside(environments)
        fixed = with_layout_of(self, near)
        return [fixed._values(environment) for environment in near]

    def compute_batch_with_jacobian(self, environments: Sequence[Environment]) -> list[tuple[Floats, Floats]]:
        """Features (F,) and Jacobian (F, n, 3), in 1/Å, of each environment."""
        return [(phi, jac) for phi, jac, _ in self.compute_batch_with_error(environments)]

    def compute_batch_with_error(self, environments: Sequence[Environment]) -> list[tuple[Floats, Floats, float]]:
        """Features, Jacobian, and the estimated error of the Jacobian: 0 if the peer differentiates."""
        cut = self._inside(environments)
        fixed = with_layout_of(self, cut)
        result = []
        for environment, near in zip(environments, cut, strict=True):
            phi, slopes, error = fixed._one(near)
            jacobian = np.zeros((len(phi), len(environment), 3))
            jacobian[:, inside(environment.vectors, self.cutoff)] = slopes
            result.append((phi, jacobian, error))
        return result

    def _one(self, environment: Environment) -> tuple[Floats, Floats, float]:
        if len(environment) == 0:
            phi = self._values(environment)
            return phi, np.zeros((len(phi), 0, 3)), 0.0
        exact = self._with_slopes(environment)
        if exact is not None:
            return *exact, 0.0
        return self._values(environment), *differences(self._values, environment)

    def _inside(self, environments: Sequence[Environment]) -> list[Environment]:
        return [within(environment, self.cutoff) for environment in check_reach(environments, self.cutoff)]

    def _settle(
        self, *, cutoff: float | None = None, correlation_order: int | None = None, parity: Parity | None = None
    ) -> None:
        """Take the values that are not given from the peer, and check them."""
        given: float | None = self.cutoff
        radius = cutoff if given is None else given
        order = correlation_order if self.correlation_order is None else self.correlation_order
        handed = parity if self.parity is None else self.parity
        if not 0 < as_real(radius) < inf:
            raise InputError(f"`cutoff` must be a positive length in Å, got {radius!r}.")
        if order is not None and (as_whole(order) or 0) < 1:
            raise InputError(f"`correlation_order` must be a whole number of at least 1 or None, got {order!r}.")
        if handed is not None:
            check_parity(handed)
        self._set(cutoff=as_real(radius), correlation_order=order, parity=handed)

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)


def differences(values: Callable[[Environment], Floats], environment: Environment) -> tuple[Floats, float]:
    """Jacobian (F, n, 3) by central differences of order eight, and an estimate of its error, both in 1/Å.

    For each entry, steps are halved from `FIRST_STEP` on as long as successive estimates approach each other; their
    last difference is the error of the entry (scipy.differentiate.jacobian). The Frobenius norm of these errors bounds
    the error of every singular value (Weyl).
    """
    from scipy.differentiate import jacobian

    def at(flat: Floats) -> Floats:
        return values(replace(environment, vectors=flat.reshape(-1, 3)))

    result = jacobian(
        lambda x: np.apply_along_axis(at, 0, x),
        environment.vectors.ravel(),
        tolerances={"atol": 0.0, "rtol": 0.0},
        initial_step=FIRST_STEP,
        maxiter=_HALVINGS,
        order=_ORDER,
    )
    slopes = np.asarray(result.df, dtype=np.float64)
    return slopes.reshape(len(slopes), len(environment), 3), float(np.linalg.norm(result.error))


def peer(module: str, package: str, who: str) -> Any:
    """Import an optional code; if it is missing, raise an InputError with the command that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"`{who}` must find {module.partition('.')[0]}, got: {error}. Run: pip install {package}"
        ) from None


def cluster(environment: Environment) -> Any:
    """Turn an environment into a molecule of ase.Atoms: the centre at the origin, then its neighbours."""
    from ase import Atoms

    numbers = np.concatenate([[environment.center_species], environment.species])
    return Atoms(numbers, positions=np.concatenate([np.zeros((1, 3)), environment.vectors]))


def check_species(environment: Environment, known: Sequence[int], remedy: str) -> None:
    """Refuse species of the centre or the neighbours that a peer does not support."""
    unknown = {environment.center_species, *environment.species.tolist()} - set(known)
    if unknown:
        names = ", ".join(symbol(number) for number in sorted(unknown))
        raise InputError(
            f"`species` must cover the environments, got {tuple(symbol(number) for number in known)} without {names}. "
            f"{remedy}"
        )
