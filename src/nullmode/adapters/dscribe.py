"""dscribe's local descriptors as descriptors."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, final

import numpy as np

from nullmode._support.types import Floats, InputError
from nullmode.adapters._base import Adapter, check_species, cluster, peer
from nullmode.geometry.environment import Environment

# Its compiled parts are objects with state, and nothing says that two threads may share one.
_LOCK = Lock()


@final
@dataclass(frozen=True, eq=False)
class FromDscribe(Adapter):
    """Features of ``dscribe.descriptors.SOAP`` or ``ACSF``, in dscribe's own layout.

    Derivatives are dscribe's where they are analytic (SOAP with GTOs, no weighting), else finite differences of ours;
    its own numerical ones have a fixed step and no estimate. SOAP has the centre's own Gaussian in the density, and no
    smooth cutoff: atoms count up to where their Gaussian ends, r_cut + 3.7 sigma.

    Parameters
    ----------
    descriptor
        Made with ``periodic=False`` (images are neighbours of their own here), ``average="off"``, double precision;
        its species include the centres'.
    cutoff, correlation_order, parity
        Read from the descriptor: up to where atoms count; 2, or 1 for ACSF without G4 and G5, or None for a compressed
        SOAP, whose features do not span the power spectrum; O3.

    Raises
    ------
    InputError
        If dscribe is not installed, for another descriptor, or a species that it was not made for.
    """

    # Not printed: an address in memory would differ from run to run.
    descriptor: Any = field(repr=False)

    def __post_init__(self) -> None:
        """Read the descriptor."""
        known = peer("dscribe.descriptors", "dscribe", "FromDscribe")
        made = self.descriptor
        if not isinstance(made, known.SOAP | known.ACSF):
            raise InputError(f"`descriptor` must be dscribe's SOAP or ACSF, got {made!r}. FromCallable takes others.")
        for name, wanted in (("periodic", False), ("average", "off"), ("dtype", "float64")):
            if getattr(made, name) != wanted:
                raise InputError(
                    f"`descriptor` must be made with {name}={wanted!r}, got {getattr(made, name)!r}. "
                    "An environment is one centre in a cluster, whose periodic images are neighbours of their own."
                )
        if isinstance(made, known.SOAP):
            cutoff = made._r_cut + made.get_cutoff_padding()
            if made._weighting.get("function") == "poly":
                # This weight is zero from r0 on.
                cutoff = min(cutoff, made._weighting["r0"])
            # Compressed features do not span the power spectrum, whatever the basis; a weight of a species may be zero,
            # or that of all.
            whole = made.compression.get("mode", "off") == "off" and not made.compression.get("species_weighting")
            whole = whole and made._weighting.get("c", 1) != 0
            order = 2 if whole else None
        else:
            cutoff, order = made.r_cut, 2 if len(made.g4_params) or len(made.g5_params) else 1
        # A copy: dscribe's objects can be changed, and these features would no longer be those that were checked.
        self._set(descriptor=deepcopy(made))
        self._settle(cutoff=float(cutoff), correlation_order=order, parity="O3")

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[int]:  # noqa: ARG002
        """Count the features, 0 … F - 1; ``get_location`` of dscribe's descriptor finds a pair of species."""
        return list(range(self.descriptor.get_number_of_features()))

    def _values(self, environment: Environment) -> Floats:
        self._check(environment)
        with _LOCK:
            return np.asarray(_dense(self.descriptor.create(cluster(environment), centers=[0]))[0])

    def _with_slopes(self, environment: Environment) -> tuple[Floats, Floats] | None:
        self._check(environment)
        if not self._analytic:
            return None
        # The neighbours alone: of the centre, dscribe would give the derivative with its own Gaussian left in place.
        neighbours = list(range(1, len(environment) + 1))
        with _LOCK:
            slopes, phi = self.descriptor.derivatives(
                cluster(environment), centers=[0], include=neighbours, method="analytical", return_descriptor=True
            )
        return _dense(phi)[0], np.ascontiguousarray(_dense(slopes)[0].transpose(2, 0, 1))

    @property
    def _analytic(self) -> bool:
        try:
            return bool(self.descriptor.validate_derivatives_method("analytical", attach=True) == "analytical")
        except ValueError:
            return False

    def _check(self, environment: Environment) -> None:
        check_species(environment, self.descriptor._atomic_numbers.tolist(), "Make the descriptor with them.")


def _dense(array: Any) -> Any:
    return array.todense() if hasattr(array, "todense") else array
