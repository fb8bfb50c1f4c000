"""Any function of positions as a descriptor, differentiated automatically or by finite differences."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Literal, final

import numpy as np

from nullmode._support.arguments import real_array
from nullmode._support.types import Floats, InputError
from nullmode.adapters._base import Adapter, peer
from nullmode.geometry.environment import Environment

Derivative = Literal["auto", "finite-differences", "jax", "torch"]
_WAYS = ("auto", "finite-differences", "jax", "torch")
# A user's function may not be thread-safe. Reentrant, since it may itself use such a descriptor.
_LOCK = RLock()


@final
@dataclass(frozen=True, eq=False)
class FromCallable(Adapter):
    """Features that a function computes.

    The function is called as ``function(vectors)``, ``function(vectors, species)`` or ``function(vectors, species,
    center_species)``: with as many of the three as it has parameters without default. `vectors` (n, 3) are the
    neighbours relative to the centre, in Å, those within the cutoff and in the order of the environment; `species`
    (n,) their atomic numbers; `center_species` a number. It returns F features, as many for every environment.

    Parameters
    ----------
    function
        Gives features (F,).
    jacobian
        Gives their derivatives (F, n, 3) in 1/Å; called as the function is. None differentiates the function.
    derivative
        How: ``finite-differences`` (with an estimate of their error), or automatically with ``jax`` or ``torch`` for a
        function written in it, which then gets `vectors` as an array or tensor of double precision. ``auto`` looks at
        what the function returns for NumPy's arrays: an array of JAX or a tensor of torch is differentiated by these.
    cutoff
        Features do not depend on neighbours beyond it, in Å. Required.
    correlation_order, parity
        As far as known. Without them, body order and truncation are one cause, and reflections count as a symmetry.

    Raises
    ------
    InputError
        For arguments as above; on use for single precision, a wrong shape, or a library that is not installed.
    """

    # Not printed: the address in memory differs from run to run.
    function: Callable[..., Any] = field(repr=False)
    jacobian: Callable[..., Any] | None = field(default=None, repr=False)
    derivative: Derivative = "auto"

    def __post_init__(self) -> None:
        """Check what is given."""
        if self.derivative not in _WAYS:
            raise InputError(f"`derivative` must be one of {', '.join(_WAYS)}, got {self.derivative!r}.")
        if self.jacobian is not None and self.derivative != "auto":
            raise InputError(f"`derivative` must be 'auto' where a jacobian is given, got {self.derivative!r}.")
        for name, called in (("function", self.function), ("jacobian", self.jacobian)):
            if called is not None:
                _arity(name, called)
        self._settle()

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[int]:
        """Count the features, 0 … F - 1, of the first environment."""
        if not environments:
            raise InputError(
                "`environments` must contain at least one, got none: only the function knows its features. Pass some."
            )
        return list(range(len(self.compute(environments[0]))))

    def _values(self, environment: Environment) -> Floats:
        # A function written in torch accepts only tensors.
        given = _tensor(environment.vectors) if self.derivative == "torch" else None
        return _features(self._called("function", environment, given))

    def _with_slopes(self, environment: Environment) -> tuple[Floats, Floats] | None:
        if self.jacobian is not None:
            phi = self._values(environment)
            return phi, _slopes("jacobian(...)", self._called("jacobian", environment), phi, environment)
        way: str = self.derivative
        if way == "auto":
            way = type(self._called("function", environment)).__module__.partition(".")[0]
        library = "jax" if way == "jaxlib" else way
        return self._automatic(library, environment) if library in ("jax", "torch") else None

    def _automatic(self, library: str, environment: Environment) -> tuple[Floats, Floats]:
        module = peer(library, library, "FromCallable")
        if library == "jax" and not module.config.jax_enable_x64:
            raise InputError(
                "`function` must compute in double precision, got single, JAX's default. "
                'Call jax.config.update("jax_enable_x64", True) before anything else of JAX.'
            )

        def at(x: Any) -> Any:
            return self._called("function", environment, x)

        x = module.numpy.asarray(environment.vectors) if library == "jax" else _tensor(environment.vectors)
        value = at(x)
        if str(getattr(value, "dtype", None)) != ("float64" if library == "jax" else "torch.float64"):
            raise InputError(
                f"`function` must compute in double precision, got {getattr(value, 'dtype', type(value).__name__)}. "
                "Make its constants and weights float64."
            )
        if library == "jax":
            slopes = (module.jacrev if value.size < x.size else module.jacfwd)(at)(x)
        else:
            slopes = module.autograd.functional.jacobian(at, x)
        phi = _features(value)
        return phi, _slopes("function(...)", slopes, phi, environment)

    def _called(self, name: str, environment: Environment, vectors: Any = None) -> Any:
        called = getattr(self, name)
        # Copies, since torch does not accept read-only arrays.
        given = environment.vectors.copy() if vectors is None else vectors
        arguments = (given, environment.species.copy(), environment.center_species)
        with _LOCK:
            return called(*arguments[: _arity(name, called)])


def _arity(name: str, called: Callable[..., Any]) -> int:
    if not callable(called):
        raise InputError(f"`{name}` must be callable, got {called!r}.")
    try:
        parameters = inspect.signature(called).parameters.values()
    except ValueError:
        raise InputError(f"`{name}` must have a signature, got {called!r}. Wrap it: lambda vectors: ...") from None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    count = sum(parameter.kind in positional and parameter.default is parameter.empty for parameter in parameters)
    if not 1 <= count <= 3:
        raise InputError(
            f"`{name}` must take vectors, and optionally species and center_species, got {count} parameters without "
            "default. Wrap it: lambda vectors, species: ..."
        )
    return count


def _tensor(vectors: Floats) -> Any:
    torch = peer("torch", "torch", "FromCallable")
    return torch.tensor(vectors, dtype=torch.float64)


def _numpy(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _features(value: Any) -> Floats:
    phi = real_array("function(...)", _numpy(value))
    if phi.ndim != 1:
        raise InputError(f"`function` must return features of shape (F,), got {phi.shape}.")
    return phi


def _slopes(argument: str, value: Any, phi: Floats, environment: Environment) -> Floats:
    slopes, wanted = real_array(argument, _numpy(value)), (len(phi), len(environment), 3)
    if slopes.shape != wanted:
        raise InputError(f"`jacobian` must return derivatives of shape (F, n, 3) = {wanted}, got {slopes.shape}.")
    return slopes
