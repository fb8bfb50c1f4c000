"""What a translation is, and how values are taken from hyperparameters so that nothing is passed over."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Literal, NoReturn

from nullmode._support.arguments import as_real, as_whole
from nullmode._support.types import InputError
from nullmode._support.variants import meant
from nullmode._support.yaml_file import read_yaml
from nullmode.descriptors._base import Descriptor

Use = Literal["nullmode", "peer", "gto"]
_USES = ("nullmode", "peer", "gto")
# What different codes call one thing.
_SAME = (
    {"n_max", "max_radial", "nmax", "alpha_max"},
    {"l_max", "max_angular", "lmax"},
    {"cutoff", "r_cut", "rcut", "radius", "rcut_hard", "r_max", "interaction_cutoff"},
    {"cutoff_transition_width", "cutoff_width", "smoothing", "cutoff_smooth_width"},
    {"atom_sigma", "sigma", "width", "atom_gaussian_width", "atomic_gaussian_width", "gaussian_sigma_constant"},
    {"central_weight", "center_atom_weight", "center_weight"},
    {"species", "species_Z", "elements", "Z"},
    {"radial_basis", "rbf", "radial"},
)
_REQUIRED: Any = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A descriptor of another code, as nullmode computes it.

    Attributes
    ----------
    source
        The hyperparameters that were read, in one line.
    descriptor
        Ours with the same functions, or an adapter of the other code; None for a descriptor of pairs or triplets, which
        no descriptor of centres stands for.
    differences
        Sentences: what of the other code's features or model `descriptor` does not do.
    """

    source: str
    descriptor: Descriptor | None
    differences: tuple[str, ...]


class Given:
    """Keys and values of one mapping of hyperparameters.

    Parameters
    ----------
    values, known
        The mapping, and the keys that its code reads; any other key is refused.
    who, where
        For messages: whose keys they are, and what stands before them, such as ``basis.radial``.
    """

    def __init__(self, values: Any, known: Iterable[str], who: str, where: str = "") -> None:
        self.who, self.where = who, where
        names = list(known)
        if not isinstance(values, Mapping):
            raise InputError(f"`{where or 'hyperparameters'}` must be a mapping of keys of {who}, got {values!r}.")
        for key in values:
            if key not in names:
                raise InputError(f"`{self.path(key)}` is not a key of {who}. {near(str(key), names)}")
        self.values = dict(values)

    def path(self, key: str) -> str:
        """Name of a key in messages."""
        return f"{self.where}.{key}" if self.where else key

    def __contains__(self, key: str) -> bool:
        """Whether a key is given, and not None."""
        return self.values.get(key) is not None

    def take(self, key: str, default: Any = _REQUIRED) -> Any:
        """Value of a key as it stands."""
        if key in self:
            return self.values[key]
        if default is _REQUIRED:
            raise InputError(f"`{self.path(key)}` is required by {self.who} and missing. Add it.")
        return default

    def real(self, key: str, default: Any = _REQUIRED, *, above: float = -inf, least: float = -inf) -> float:
        """Finite number above, or at least, a bound."""
        value = self.take(key, default)
        number = as_real(value)
        if not max(above, least) <= number < inf or number == above:
            bound = f" above {above:g}" if above > -inf else f" of at least {least:g}" if least > -inf else ""
            self.refuse(key, f"a number{bound}")
        return number

    def whole(self, key: str, default: Any = _REQUIRED, *, least: int) -> int:
        """Whole number of at least a bound."""
        value = as_whole(self.take(key, default))
        if value is None or value < least:
            self.refuse(key, f"a whole number of at least {least}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Truth value, also as QUIP writes it."""
        value = self.take(key, default)
        known = {"t": True, "true": True, "f": False, "false": False}
        found = value if isinstance(value, bool) else known.get(str(value).lower())
        if found is None:
            self.refuse(key, "T or F")
        return found

    def choice(self, key: str, known: Iterable[str], default: Any = _REQUIRED) -> str:
        """One of some names."""
        value, names = self.take(key, default), list(known)
        if value not in names:
            self.refuse(key, f"one of {', '.join(names)}", near(str(value), names).partition("Known")[0])
        return str(value)

    def inner(self, key: str, known: Iterable[str], default: Any = _REQUIRED) -> "Given":
        """Take the mapping at a key."""
        return Given(self.take(key, default), known, self.who, self.path(key))

    def refuse(self, key: str, wanted: str, remedy: str = "") -> NoReturn:
        """Raise the error that says what a value must be."""
        got = self.values.get(key)
        raise InputError(f"`{self.path(key)}` must be {wanted}, got {got!r}. {remedy}".rstrip())


def near(name: str, known: list[str]) -> str:
    """Name the known key that was probably meant, by what other codes call it too; without one, all known keys."""
    group: set[str] = next((same for same in _SAME if name in same), set())
    other = [key for key in known if key in group or key.lower() == name.lower()]
    close = other[0] if other else meant(name, known)
    return f"Did you mean `{close}`?" if close else f"Known: {', '.join(known)}."


def check_use(use: Any) -> None:
    """Refuse an unknown way to make the descriptor."""
    if use not in _USES:
        raise InputError(f"`use` must be one of {', '.join(_USES)}, got {use!r}.")


def replaced(whose: str) -> str:
    """Say that the radial functions are not those of the other code."""
    return (
        f"The radial functions are nullmode's GTO in place of {whose}, as asked for: this descriptor is another one, "
        "and what is found for it need not hold for the other code."
    )


def is_file(source: Any) -> bool:
    """Whether a text or path names a file; a long text is none."""
    try:
        return isinstance(source, str | Path) and Path(source).is_file()
    except (OSError, ValueError):
        return False


def document(source: Any, who: str) -> Any:
    """Read a JSON or YAML file, or JSON text; anything else but a path or a text as it is."""
    if not isinstance(source, str | Path):
        return source
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return _json(source, "hyperparameters")
    if not is_file(source):
        raise InputError(f"`source` must be the hyperparameters of {who} or a file that exists, got {str(source)!r}.")
    path = Path(source)
    if path.suffix == ".json":
        return _json(path.read_text(encoding="utf-8", errors="replace"), str(path))
    return read_yaml(path)


def _json(text: str, name: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise InputError(f"`{twice[0]}` must be given once in {name}, got it twice. Remove one.")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise InputError(f"{name} must be JSON, got a fault in line {error.lineno}: {error.msg}.") from None


def check_writable(descriptor: Any, kinds: tuple[type, ...], basis: type, who: str, **wanted: Any) -> None:
    """Refuse a descriptor that another code does not compute: its kind, its radial functions, or other values."""
    reason = f"a {' or '.join(kind.__name__ for kind in kinds)} of a Gaussian density in {basis.__name__} functions"
    fits = isinstance(descriptor, kinds) and isinstance(getattr(descriptor, "radial_basis", None), basis)
    values = {"density": "gaussian"} | wanted
    if not fits or any(getattr(descriptor, name) != value for name, value in values.items()):
        further = "".join(f", {name}={value!r}" for name, value in wanted.items())
        raise InputError(f"`descriptor` must be {reason}{further} for {who}, got {descriptor!r}.")
