"""dscribe's SOAP and ACSF as descriptors."""

import json
from collections.abc import Mapping
from math import log, sqrt
from typing import Any

import numpy as np

from nullmode._support.arguments import listed
from nullmode._support.elements import numbers_of, symbol
from nullmode._support.types import InputError
from nullmode.adapters._base import peer
from nullmode.adapters.dscribe import FromDscribe
from nullmode.adapters.hyperparameters._record import (
    Given,
    Translation,
    Use,
    check_use,
    check_writable,
    document,
    replaced,
)
from nullmode.basis.radial.dscribe_gto import DscribeGTO
from nullmode.basis.radial.gto import GTO
from nullmode.basis.scaling import RadialScaling
from nullmode.descriptors.acsf import ACSF
from nullmode.descriptors.power_spectrum import PowerSpectrum

_KEYS = {
    kind: keys.split()
    for kind, keys in {
        "SOAP": "r_cut n_max l_max sigma rbf weighting average compression species periodic sparse dtype",
        "ACSF": "r_cut g2_params g3_params g4_params g5_params species periodic sparse dtype",
    }.items()
}
_WEIGHTS = {
    "poly": ("function", "c", "m", "r0", "w0"),
    "pow": ("function", "c", "d", "m", "r0", "threshold", "w0"),
    "exp": ("function", "c", "d", "r0", "threshold", "w0"),
}
_LARGEST_L = 20
PADDING = sqrt(-2 * log(1e-3))
"""Widths by which dscribe's Gaussians reach beyond r_cut: its threshold is 1e-3 (SOAP.get_cutoff_padding)."""
_PAIRS = (
    "dscribe holds each pair of radial functions or of species once, without the factor sqrt(2) that makes it count "
    "twice: singular values differ by up to this factor and a common one, null displacements do not."
)
_SINGLE = "dscribe rounds to single precision (dtype=float32), this descriptor does not."


def from_dscribe(source: Any, *, use: Use = "nullmode") -> Translation:
    """Make a descriptor of dscribe's ``SOAP`` or ``ACSF``, with dscribe's radial functions.

    Parameters
    ----------
    source
        An object of dscribe, a mapping of what makes one (``{"r_cut": 5, "n_max": 8, …}``, with ``descriptor: ACSF`` if
        it is no SOAP), a JSON text, or a file of YAML or JSON.
    use
        ``nullmode``; ``peer`` for :class:`nullmode.FromDscribe`; ``gto`` for nullmode's GTO in place of dscribe's.

    Raises
    ------
    InputError
        For a key or value that dscribe does not read, and where dscribe is needed and missing.
    """
    check_use(use)
    values = _of_object(source) if hasattr(source, "get_number_of_features") else document(source, "dscribe")
    if not isinstance(values, Mapping):
        raise InputError(f"`source` must be an object of dscribe or a mapping of what makes one, got {values!r}.")
    kind = Given({"descriptor": values.get("descriptor", "SOAP")}, ("descriptor",), "dscribe").choice(
        "descriptor", _KEYS
    )
    values = {key: value for key, value in values.items() if key != "descriptor"}
    given = Given(values, _KEYS[kind], f"dscribe's {kind}")
    species = tuple(symbol(number) for number in numbers_of(given.take("species")))
    given.choice("dtype", ("float64", "float32"), "float64")
    given.flag("periodic", False), given.flag("sparse", False)
    made = _soap if kind == "SOAP" else _acsf
    return made(given, species, use)


def _soap(given: Given, species: tuple[str, ...], use: Use) -> Translation:
    source = json.dumps({"descriptor": "SOAP", **given.values}, default=str)
    given.choice("average", ("off", "inner", "outer"), "off")
    if given.take("average", "off") != "off":
        given.refuse("average", "off", "Averages are features of whole structures: analyse these with scope=structure.")
    weighting, reason = _weighting(given)
    r_cut = given.real("r_cut", _inferred(weighting), above=0)
    n_max, l_max = given.whole("n_max", least=1), given.whole("l_max", least=0)
    if l_max > _LARGEST_L:
        given.refuse("l_max", f"at most {_LARGEST_L}, as dscribe's")
    width = given.real("sigma", 1.0, above=0)
    rbf = given.choice("rbf", ("gto", "polynomial"), "gto")
    if rbf == "gto" and r_cut <= 1:
        given.refuse("r_cut", "above 1 Å for rbf=gto")
    compression = given.inner("compression", ("mode", "species_weighting"), {})
    mode = compression.choice("mode", ("off", "mu2", "mu1nu1", "crossover"), "off")
    if mode != "off" or "species_weighting" in compression:
        reason = "it is compressed, or weighs species"
    if rbf != "gto":
        reason = "nullmode has no rbf=polynomial"
    differences = [_PAIRS] + ([_SINGLE] if given.take("dtype", "float64") == "float32" else [])
    if not reason and use == "nullmode":
        basis = DscribeGTO(r_cut=r_cut)
        try:
            basis.check(n_max, l_max, r_cut)
        except InputError:
            reason = "its radial functions resemble each other so much that its own rounding makes their difference"
    if reason or use == "peer":
        return _by_dscribe("SOAP", given, source, reason)
    scaling, front = None, 1.0
    if "function" in weighting:
        scaling = RadialScaling(
            rate=weighting.real("d"), scale=weighting.real("r0"), exponent=weighting.real("m", least=1)
        )
        front = weighting.real("c") / weighting.real("d")
    if use == "gto":
        differences.insert(0, replaced("dscribe's own GTO"))
    descriptor = PowerSpectrum(
        n_max=n_max,
        l_max=l_max,
        cutoff=r_cut + PADDING * width,
        cutoff_width=0.0,
        width=width,
        # dscribe's weight of the centre, over the constant factor of all other atoms.
        center_weight=weighting.real("w0", front, least=0) / front,
        radial_scaling=scaling,
        radial_basis=GTO() if use == "gto" else DscribeGTO(r_cut=r_cut),
        species=species,
    )
    return Translation(source=source, descriptor=descriptor, differences=tuple(differences))


def _weighting(given: Given) -> tuple[Given, str]:
    """Take the mapping of weights, and say why only dscribe computes them."""
    value = given.take("weighting", {})
    function = value.get("function") if isinstance(value, Mapping) else None
    weighting = given.inner("weighting", _WEIGHTS.get(str(function), ("function", "w0")), {})
    if function is None:
        return weighting, ""
    weighting.choice("function", _WEIGHTS)
    weighting.real("c", least=0), weighting.real("r0", above=0), weighting.real("w0", 0.0, least=0)
    if function != "exp":
        weighting.real("m", least=0)
    if function != "poly":
        weighting.real("d", least=0)
    if function == "pow" and weighting.real("c") > 0 and weighting.real("d") > 0 and 1 <= weighting.real("m") <= 100:
        return weighting, ""
    return weighting, f"nullmode has no weighting by {function} with these values"


def _inferred(weighting: Given) -> Any:
    """Find the cutoff that dscribe takes where none is given: where the weights end, or fall to the threshold."""
    function = weighting.take("function", None)
    if function is None:
        return None
    c, d, r0 = weighting.real("c"), weighting.real("d", 0.0), weighting.real("r0")
    threshold = weighting.real("threshold", 1e-2, above=0)
    if function == "poly":
        return r0
    power = weighting.real("m", 1.0)
    if c / threshold <= d or power == 0:
        return None
    return r0 * (c / threshold - d) ** (1 / power) if function == "pow" else r0 * log(c / threshold - d)


def _acsf(given: Given, species: tuple[str, ...], use: Use) -> Translation:
    source = json.dumps({"descriptor": "ACSF", **given.values}, default=str)
    if use == "peer":
        return _by_dscribe("ACSF", given, source, "")
    descriptor = ACSF(
        cutoff=given.real("r_cut", above=0),
        g2=_rows(given, "g2_params", 2),
        g3=tuple(row[0] for row in _rows(given, "g3_params", 1)),
        g4=_rows(given, "g4_params", 3),
        g5=_rows(given, "g5_params", 3),
        species=species,
    )
    differences = (_SINGLE,) if given.take("dtype", "float64") == "float32" else ()
    return Translation(source=source, descriptor=descriptor, differences=differences)


def _rows(given: Given, key: str, count: int) -> Any:
    rows = [tuple(listed(row)) for row in listed(given.take(key, ()))]
    if any(len(row) != count for row in rows):
        given.refuse(key, f"a list of {count} numbers each")
    return tuple(rows)


def _by_dscribe(kind: str, given: Given, source: str, reason: str) -> Translation:
    descriptors = peer("dscribe.descriptors", "dscribe", "from_dscribe")
    # An environment is a cluster, and nullmode analyses in double precision.
    values = given.values | {"periodic": False, "dtype": "float64"}
    try:
        made = getattr(descriptors, kind)(**values)
    except ValueError as error:
        raise InputError(f"`source` must be what dscribe takes, got {source}: {error}.") from None
    why = f", since {reason}" if reason else ""
    sentence = f"The descriptor is dscribe itself{why}: its features are not changed."
    return Translation(source=source, descriptor=FromDscribe(made), differences=(sentence,))


def _of_object(made: Any) -> dict[str, Any]:
    known = peer("dscribe.descriptors", "dscribe", "from_dscribe")
    common = {
        "species": [int(number) for number in made._atomic_numbers],
        "periodic": made.periodic,
        "dtype": made.dtype,
    }
    if isinstance(made, known.SOAP):
        return common | {
            "descriptor": "SOAP",
            "r_cut": made._r_cut,
            "n_max": made._n_max,
            "l_max": made._l_max,
            "sigma": made._sigma,
            "rbf": made._rbf,
            "weighting": dict(made._weighting),
            "average": made.average,
            "compression": dict(made.compression),
        }
    if isinstance(made, known.ACSF):
        parameters = {f"g{k}_params": getattr(made, f"g{k}_params") for k in (2, 3, 4, 5)}
        rows = {key: [] if rows is None else np.asarray(rows).tolist() for key, rows in parameters.items()}
        rows["g3_params"] = np.ravel(rows["g3_params"]).tolist()
        return common | {"descriptor": "ACSF", "r_cut": made.r_cut, **rows}
    raise InputError(
        f"`source` must be dscribe's SOAP or ACSF, got {made!r}. FromDscribe and FromCallable take others."
    )


def to_dscribe(descriptor: Any) -> str:
    """Write a power spectrum with dscribe's GTO as JSON that :func:`from_dscribe` reads.

    Raises
    ------
    InputError
        For a descriptor with other functions, a smoothing or a radial scaling, or without species.
    """
    check_writable(descriptor, (PowerSpectrum,), DscribeGTO, "dscribe", cutoff_width=0.0, radial_scaling=None)
    r_cut = descriptor.radial_basis.r_cut
    if abs(r_cut + PADDING * descriptor.width - descriptor.cutoff) > 1e-9 or not descriptor.species:
        raise InputError(
            "`descriptor` must state its species, and reach as far beyond its functions as dscribe's, got "
            f"{descriptor!r}."
        )
    values: dict[str, Any] = {
        "r_cut": r_cut,
        "n_max": descriptor.n_max,
        "l_max": descriptor.l_max,
        "sigma": descriptor.width,
        "species": list(descriptor.species),
    }
    if descriptor.center_weight != 1.0:
        values["weighting"] = {"w0": descriptor.center_weight}
    return json.dumps(values)
