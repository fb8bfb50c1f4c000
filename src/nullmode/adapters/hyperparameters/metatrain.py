"""metatrain's options as descriptors."""

import json
from collections.abc import Mapping
from typing import Any

from nullmode._support.arguments import listed
from nullmode._support.elements import atomic_number
from nullmode._support.types import InputError
from nullmode.adapters.hyperparameters import featomic
from nullmode.adapters.hyperparameters._record import (
    Given,
    Translation,
    Use,
    check_use,
    check_writable,
    document,
    near,
    replaced,
)
from nullmode.basis.radial.gto import GTO
from nullmode.basis.radial.laplacian_eigenstates import LaplacianEigenstates
from nullmode.descriptors.power_spectrum import PowerSpectrum

_ARCHITECTURES = ("soap_bpnn", "gap", "experimental.soap_bpnn", "experimental.gap")
_MODEL = ("soap", "bpnn", "krr", "legacy", "add_lambda_basis", "heads", "zbl", "long_range")
_WHERE = "architecture.model.soap"
# Of default-hypers.yaml, both of the versions with featomic and of the later ones with torch-spex.
_DEFAULTS: dict[str, Any] = {
    "cutoff": {"radius": 5.0, "smoothing": {"type": "ShiftedCosine", "width": 1.0}},
    "density": {
        "type": "Gaussian",
        "width": 0.3,
        "center_atom_weight": 1.0,
        "scaling": {"type": "Willatt2018", "rate": 1.0, "scale": 2.0, "exponent": 7.0},
    },
    "basis": {"type": "TensorProduct", "max_angular": 6, "radial": {"type": "Gto", "max_radial": 7}},
}
_SPEX: dict[str, Any] = {"max_angular": 6, "max_radial": 7, "cutoff": {"radius": 5.0, "width": 0.5}}
_LAYERNORM = (
    "metatrain normalises the features of a centre before its network (bpnn.layernorm), this descriptor does not: the "
    "model is also blind to displacements that shift or scale all features alike."
)


def from_metatrain(options: Any, *, use: Use = "nullmode") -> Translation:
    """Make a descriptor of metatrain's ``options.yaml`` for the architectures ``soap_bpnn`` and ``gap``.

    Missing keys have metatrain's defaults. ``max_radial`` is the largest index: n_max = max_radial + 1.

    Parameters
    ----------
    options
        The file, or a mapping of what it holds.
    use
        ``nullmode``; ``peer`` for featomic itself, where metatrain uses it; ``gto`` for nullmode's GTO in place of
        torch-spex's Laplacian eigenstates.

    Raises
    ------
    InputError
        For another architecture, whose features are learned, and for a key or value that metatrain does not read.
    """
    check_use(use)
    values = document(options, "metatrain")
    if not isinstance(values, Mapping) or not isinstance(values.get("architecture"), Mapping):
        raise InputError(f"`options` must hold metatrain's `architecture`, got {values!r:.80}.")
    architecture = Given(
        values["architecture"], ("name", "model", "training", "atomic_types"), "metatrain", "architecture"
    )
    name = architecture.take("name")
    if name not in _ARCHITECTURES:
        raise InputError(
            f"`architecture.name` must be one whose features are fixed, got {name!r}. "
            f"{near(str(name), list(_ARCHITECTURES))}"
        )
    model = architecture.inner("model", _MODEL, {})
    soap = model.take("soap", {})
    if not isinstance(soap, Mapping):
        model.refuse("soap", "a mapping")
    by_featomic = name.endswith("gap") or bool(
        {"density", "basis", "cutoff_function", "atomic_gaussian_width"} & {*soap}
    )
    species = tuple(listed(architecture.values["atomic_types"])) if "atomic_types" in architecture else None
    if by_featomic:
        if not {"cutoff_function", "atomic_gaussian_width"} & {*soap}:
            soap = _filled(_DEFAULTS, soap)
            found = featomic.translated(soap, species, use, "metatrain", _WHERE)
        else:
            found = featomic.from_featomic(soap, species, use=use)
        differences = found.differences
        descriptor, source = found.descriptor, found.source
    else:
        descriptor, differences = _spex(Given(soap, (*_SPEX,), "metatrain", _WHERE), model, species, use)
        source = f"{name}: {dict(soap)}"
    if not name.endswith("gap"):
        bpnn = model.inner("bpnn", ("layernorm", "num_hidden_layers", "num_neurons_per_layer"), {})
        differences += (_LAYERNORM,) if bpnn.flag("layernorm", True) else ()
    inner = model.inner(
        "long_range", ("enable", "use_ewald", "smearing", "kspace_resolution", "interpolation_nodes"), {}
    )
    if inner.flag("enable", False):
        differences += ("metatrain adds long-range features (long_range.enable), this descriptor none.",)
    return Translation(source=source, descriptor=descriptor, differences=differences)


def _spex(
    soap: Given, model: Given, species: tuple[Any, ...] | None, use: Use
) -> tuple[PowerSpectrum, tuple[str, ...]]:
    """Power spectrum of torch-spex: a delta density in Laplacian eigenstates."""
    if use == "peer":
        raise InputError("`use` must be nullmode or gto for metatrain's torch-spex, got peer: it has no adapter.")
    cutoff = soap.inner("cutoff", ("radius", "width"), _SPEX["cutoff"])
    radius = cutoff.real("radius", 5.0, above=0)
    if cutoff.real("width", 0.5, least=0) > radius:
        cutoff.refuse("width", "at most the radius of the cutoff")
    differences = [replaced("torch-spex's Laplacian eigenstates")] if use == "gto" else []
    differences.append(
        "torch-spex keeps fewer radial functions at larger l (those up to one eigenvalue), this descriptor as many for "
        "every l: it sees at least what metatrain's features see."
    )
    differences.append(
        "torch-spex holds both of each pair of channels, and has other factors of each l: singular values differ."
    )
    if not model.flag("legacy", True):
        differences.append(
            "metatrain mixes the species into fewer channels (legacy: false), this descriptor has one of each species."
        )
    descriptor = PowerSpectrum(
        n_max=soap.whole("max_radial", 7, least=0) + 1,
        l_max=soap.whole("max_angular", 6, least=0),
        cutoff=radius,
        cutoff_width=cutoff.real("width", 0.5, least=0),
        density="delta",
        radial_basis=GTO() if use == "gto" else LaplacianEigenstates(),
        species=species,
    )
    return descriptor, tuple(differences)


def _filled(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults with what is given in their place, mapping by mapping."""
    result = dict(defaults)
    for key, value in given.items():
        old = result.get(key)
        result[key] = value
        # The other keys of another type have no defaults.
        if isinstance(old, Mapping) and isinstance(value, Mapping) and value.get("type") in (None, old.get("type")):
            result[key] = _filled(old, value)
    return result


def to_metatrain(descriptor: Any) -> str:
    """Write a power spectrum of GTOs as options of ``soap_bpnn`` with featomic, JSON, which YAML contains.

    Raises
    ------
    InputError
        For a descriptor that this architecture does not compute.
    """
    check_writable(descriptor, (PowerSpectrum,), GTO, "metatrain")
    soap = featomic.written(descriptor)
    # A missing key would have metatrain's default.
    soap["density"].setdefault("scaling", None)
    types = {"atomic_types": [atomic_number(each) for each in descriptor.species]} if descriptor.species else {}
    return json.dumps({"architecture": {"name": "soap_bpnn", "model": {"soap": soap}, **types}})
