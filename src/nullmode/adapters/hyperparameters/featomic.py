"""featomic's hyperparameters as descriptors."""

import json
from collections.abc import Mapping
from typing import Any

from nullmode._support.types import InputError
from nullmode.adapters.featomic import FromFeatomic
from nullmode.adapters.hyperparameters._record import Given, Translation, Use, check_use, check_writable, document
from nullmode.basis.radial.gto import GTO
from nullmode.basis.scaling import RadialScaling
from nullmode.descriptors.power_spectrum import PowerSpectrum
from nullmode.descriptors.radial_spectrum import RadialSpectrum

_WHO = "featomic"
_CALCULATORS = {"soap_power_spectrum": True, "soap_radial_spectrum": False}
_RASCALINE = (
    *("cutoff", "max_radial", "max_angular", "atomic_gaussian_width", "center_atom_weight", "radial_basis"),
    *("cutoff_function", "radial_scaling", "gradients"),
)
_LONGEST = 400
_SPLINES = (
    "featomic interpolates radial integrals by splines of accuracy {:g}, this descriptor by ones of 1e-14: singular "
    "values near zero differ."
)


def from_featomic(hypers: Any, species: tuple[str, ...] | None = None, *, use: Use = "nullmode") -> Translation:
    """Make a descriptor of the hyperparameters of featomic's ``SoapPowerSpectrum`` or ``SoapRadialSpectrum``.

    featomic's power spectrum holds all pairs (n, n'): its singular values are ours. ``max_radial`` is the largest
    index, so that n_max = max_radial + 1. Hyperparameters of rascaline, featomic's predecessor, are read as well.

    Parameters
    ----------
    hypers
        A mapping, a calculator, a JSON text, or a file of JSON or YAML.
    species
        Symbols or atomic numbers of the channels; None takes those of the data.
    use
        ``nullmode``; ``peer`` for :class:`nullmode.FromFeatomic`; ``gto`` as ``nullmode``, whose GTO are featomic's.

    Raises
    ------
    InputError
        For a key or value that featomic does not read, and where featomic is needed and missing.
    """
    check_use(use)
    name = getattr(hypers, "c_name", None)
    if name is not None:
        if name not in _CALCULATORS:
            raise InputError(f"`hypers` must be of {' or '.join(_CALCULATORS)}, got {name}. FromFeatomic takes others.")
        hypers = json.loads(hypers.parameters)
    values = _plain(document(hypers, _WHO))
    if isinstance(values, Mapping) and ("atomic_gaussian_width" in values or "cutoff_function" in values):
        values = _from_rascaline(values)
    return translated(values, species, use, _WHO)


def translated(values: Any, species: tuple[str, ...] | None, use: Use, who: str, where: str = "") -> Translation:
    """Translate a mapping of hyperparameters; for messages, who reads it and where it stands."""
    given = Given(values, ("cutoff", "density", "basis"), who, where)
    cutoff = given.inner("cutoff", ("radius", "smoothing"))
    density = given.inner("density", ("type", "width", "scaling", "center_atom_weight"))
    basis = given.inner("basis", ("type", "max_angular", "radial", "spline_accuracy", "by_angular"))
    radial_only = not {"type", "max_angular", "by_angular"} & {*basis.values}
    kinds = {"Gto": ("max_radial", "radius"), "Tabulated": ("points", "center_contribution")}
    if not radial_only and basis.choice("type", ("TensorProduct", "Explicit")) == "Explicit":
        kind = "Tabulated"
    elif "by_angular" in basis:
        basis.refuse("by_angular", "left out for a TensorProduct")
    else:
        every = {"type", *kinds["Gto"], *kinds["Tabulated"]}
        kind = basis.inner("radial", every).choice("type", kinds)
        radial = basis.inner("radial", ("type", *kinds[kind]))
    density.choice("type", ("Gaussian", "DiracDelta") if kind == "Tabulated" else ("Gaussian",))
    radius = cutoff.real("radius", above=0)
    reason = "its radial functions are tabulated" if kind == "Tabulated" else ""
    if kind == "Gto" and radial.real("radius", radius, above=0) != radius:
        radial.refuse("radius", f"the radius of the cutoff, {radius:g}, or left out")
    source = json.dumps(values, default=repr)
    source = source if len(source) <= _LONGEST else f"{source[:_LONGEST]} …"
    if reason or use == "peer":
        return _by_featomic(values, species, radial_only, source, reason)
    spline = basis.real("spline_accuracy", 1e-8 if "spline_accuracy" not in basis.values else 0.0, least=0)
    parameters: dict[str, Any] = {
        "n_max": radial.whole("max_radial", least=0) + 1,
        "cutoff": radius,
        "cutoff_width": _smoothing(cutoff),
        "width": density.real("width", above=0),
        "center_weight": density.real("center_atom_weight", 1.0),
        "radial_scaling": _scaling(density),
        "species": species,
    }
    descriptor = (
        RadialSpectrum(**parameters)
        if radial_only
        else PowerSpectrum(l_max=basis.whole("max_angular", least=0), **parameters)
    )
    return Translation(
        source=source, descriptor=descriptor, differences=(_SPLINES.format(spline),) if spline > 0 else ()
    )


def _by_featomic(
    values: Any, species: tuple[str, ...] | None, radial_only: bool, source: str, reason: str
) -> Translation:
    from nullmode.adapters._base import peer

    calculators = peer("featomic", "featomic", "from_featomic")
    made = (calculators.SoapRadialSpectrum if radial_only else calculators.SoapPowerSpectrum)(**values)
    why = f", since {reason}" if reason else ""
    return Translation(
        source=source,
        descriptor=FromFeatomic(made, species),
        differences=(f"The descriptor is featomic itself{why}: its features are not changed.",),
    )


def _smoothing(cutoff: Given) -> float:
    smoothing = cutoff.inner("smoothing", ("type", "width"))
    if smoothing.choice("type", ("ShiftedCosine", "Step")) == "Step":
        if "width" in smoothing:
            smoothing.refuse("width", "left out for a Step")
        return 0.0
    width = smoothing.real("width", above=0)
    if width > cutoff.real("radius", above=0):
        smoothing.refuse("width", "at most the radius of the cutoff")
    return width


def _scaling(density: Given) -> RadialScaling | None:
    if "scaling" not in density:
        return None
    scaling = density.inner("scaling", ("type", "rate", "scale", "exponent"))
    scaling.choice("type", ("Willatt2018",))
    return RadialScaling(
        rate=scaling.real("rate", above=0),
        scale=scaling.real("scale", above=0),
        exponent=scaling.real("exponent", least=1),
    )


def _plain(values: Any) -> Any:
    """Put mappings in place of featomic's own objects, such as ``featomic.cutoff.Cutoff``."""
    values = values._featomic_hypers() if hasattr(values, "_featomic_hypers") else values
    return {key: _plain(value) for key, value in values.items()} if isinstance(values, Mapping) else values


def _from_rascaline(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write rascaline's hyperparameters as featomic's; its ``max_radial`` counts the functions."""
    given = Given(values, _RASCALINE, "rascaline")
    basis = given.inner("radial_basis", ("Gto",), {"Gto": {}})
    splines = basis.inner("Gto", ("spline_accuracy", "splined_radial_integral"), {})
    function = given.inner("cutoff_function", ("ShiftedCosine", "Step"))
    smooth = function.inner("ShiftedCosine", ("width",)) if "ShiftedCosine" in function.values else None
    scaling = given.inner("radial_scaling", ("Willatt2018", "None"), {})
    density: dict[str, Any] = {
        "type": "Gaussian",
        "width": given.real("atomic_gaussian_width", above=0),
        "center_atom_weight": given.real("center_atom_weight", 1.0),
    }
    if "Willatt2018" in scaling:
        weight = scaling.inner("Willatt2018", ("rate", "scale", "exponent"))
        density["scaling"] = {"type": "Willatt2018", **weight.values}
    exact = not splines.flag("splined_radial_integral", True)
    return {
        "cutoff": {
            "radius": given.real("cutoff", above=0),
            "smoothing": {"type": "ShiftedCosine", **smooth.values} if smooth else {"type": "Step"},
        },
        "density": density,
        "basis": {
            "type": "TensorProduct",
            "max_angular": given.whole("max_angular", least=0),
            "radial": {"type": "Gto", "max_radial": given.whole("max_radial", least=1) - 1},
            "spline_accuracy": None if exact else splines.real("spline_accuracy", 1e-8, above=0),
        },
    }


def to_featomic(descriptor: Any) -> str:
    """Write a power or radial spectrum of GTOs as JSON that :func:`from_featomic` reads; species are not part of it.

    Raises
    ------
    InputError
        For a descriptor that featomic does not compute.
    """
    return json.dumps(written(descriptor))


def written(descriptor: Any) -> dict[str, Any]:
    """Hyperparameters of featomic, as a mapping."""
    check_writable(descriptor, (PowerSpectrum, RadialSpectrum), GTO, _WHO)
    smooth, scaling = descriptor.cutoff_width, descriptor.radial_scaling
    density = {"type": "Gaussian", "width": descriptor.width, "center_atom_weight": descriptor.center_weight}
    if scaling is not None:
        named = {"rate": scaling.rate, "scale": scaling.scale, "exponent": scaling.exponent}
        density["scaling"] = {"type": "Willatt2018", **named}
    basis: dict[str, Any] = {"radial": {"type": "Gto", "max_radial": descriptor.n_max - 1}}
    if isinstance(descriptor, PowerSpectrum):
        basis = {"type": "TensorProduct", "max_angular": descriptor.l_max, **basis}
    return {
        "cutoff": {
            "radius": descriptor.cutoff,
            "smoothing": {"type": "ShiftedCosine", "width": smooth} if smooth else {"type": "Step"},
        },
        "density": density,
        "basis": basis,
    }
