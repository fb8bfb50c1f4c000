"""nullmode's own parameters, as its configurations and tables hold them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from nullmode._support.types import JSON, InputError
from nullmode._support.variants import constructed, load, suggest
from nullmode.adapters.hyperparameters._record import Translation, Use, check_use, document
from nullmode.descriptors import DESCRIPTORS


def from_nullmode(source: Any, *, use: Use = "nullmode") -> Translation:
    """Make a descriptor of ``{"kind": "power-spectrum", "n_max": 8, …}``, a mapping or a file of JSON or YAML.

    The parameters may stand beside ``kind`` or, as in a configuration, in ``parameters``.

    Raises
    ------
    InputError
        For an unknown kind, and an unknown or impossible parameter.
    """
    check_use(use)
    values = document(source, "nullmode")
    if not isinstance(values, Mapping) or "kind" not in values:
        raise InputError(f"`source` must be a mapping with the `kind` of a descriptor, got {values!r:.80}.")
    parameters = {key: value for key, value in values.items() if key != "kind"}
    if isinstance(parameters.get("parameters"), Mapping):
        inner = parameters.pop("parameters")
        if parameters:
            raise InputError(f"`{next(iter(parameters))}` must stand in `parameters`, where the others are. Move it.")
        parameters = dict(inner)
    kind = values["kind"]
    if not isinstance(kind, str) or kind not in DESCRIPTORS:
        raise InputError(f"`kind` must be a descriptor, got {kind!r}. {suggest(str(kind), list(DESCRIPTORS))}")
    descriptor = constructed(load(kind, DESCRIPTORS, "descriptor"), parameters, "descriptor")
    return Translation(source=json.dumps(values, default=str), descriptor=descriptor, differences=())


def described(descriptor: Any) -> tuple[str, JSON]:
    """Kind of a descriptor, and its parameters that are not the defaults; of an adapter, its module and class alone."""
    kinds = [kind for kind in DESCRIPTORS if type(descriptor) is load(kind, DESCRIPTORS, "descriptor")]
    if not kinds:
        return f"{type(descriptor).__module__}:{type(descriptor).__name__}", {}
    values = {each.name: getattr(descriptor, each.name) for each in fields(descriptor)}
    defaults = {each.name: each.default for each in fields(descriptor)}
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    return kinds[0], {name: _plain(value) for name, value in changed.items()}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return list(value) if isinstance(value, tuple) else value


def to_nullmode(descriptor: Any) -> str:
    """Write a descriptor as JSON that :func:`from_nullmode` reads.

    Raises
    ------
    InputError
        For a descriptor that is not one of nullmode's.
    """
    kind, values = described(descriptor)
    if kind not in DESCRIPTORS:
        raise InputError(f"`descriptor` must be one of nullmode's, got {descriptor!r:.80}.")
    return json.dumps({"kind": kind, **values})
