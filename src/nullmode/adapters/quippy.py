"""QUIP's descriptors, through quippy, as descriptors."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, final

import numpy as np

from nullmode._support.elements import symbol
from nullmode._support.types import Floats, InputError
from nullmode._support.variants import suggest
from nullmode.adapters._base import Adapter, check_species, cluster, peer
from nullmode.geometry.environment import Environment

# Fortran modules have global state.
_LOCK = Lock()
_MASK = "nullmode_center"
# Keys that each kind of single centres reads (QUIP 0.10.3 prints them for `--help`); it ignores all others silently.
_NEIGHBOURS = "Z n_species species_Z w"
_ORDERED = f"cutoff min_cutoff l_max n_max {_NEIGHBOURS}"
_FOUR = f"cutoff z0_ratio j_max Z_center n_Z_environment Z_environment {_NEIGHBOURS}"
KEYS = {
    kind: set(keys.split())
    for kind, keys in {
        "soap": "cutoff cutoff_transition_width cutoff_dexp cutoff_scale cutoff_rate l_max n_max atom_gaussian_width "
        "atom_sigma central_weight central_reference_all_species average diagonal_radial covariance_sigma0 normalise "
        "normalize basis_error_exponent n_Z Z n_species species_Z xml_version nu_R nu_S Z_mix R_mix sym_mix coupling K "
        "mix_shift Z_map radial_basis",
        "soap_turbo": "rcut_hard cutoff_transition_width l_max n_species nf radial_enhancement basis scaling_mode "
        "compress_file compress_mode central_index alpha_max atom_sigma_r atom_sigma_t atom_sigma_r_scaling "
        "atom_sigma_t_scaling amplitude_scaling species_Z central_weight",
        "behler": "Z specification specification_file",
        "coordination": "cutoff transition_width Z_center",
        "rdf": "cutoff transition_width Z r_min r_max n_gauss w_gauss",
        "alex": "cutoff Z power_min power_max n_species species_Z",
        "cosnx": _ORDERED,
        "power_so3": _ORDERED,
        "power_so4": _FOUR,
        "bispectrum_so3": f"{_ORDERED} Z_center n_Z_environment Z_environment",
        "bispectrum_so4": _FOUR,
    }.items()
}
# Where one of these has another value, the features are a part of the power spectrum, or mixtures of its entries.
WHOLE = {"nu_R": 2, "nu_S": 2, "K": 0, "coupling": True} | dict.fromkeys(
    ("diagonal_radial", "Z_mix", "R_mix", "sym_mix", "Z_map", "compress_file", "compress_mode"), False
)
# What QUIP 0.10.3 stops the whole process for, or answers with zeros. As text: ASE reads 0_0 as the number 0.
_LEVELS = [f"{i}_{j}" for i in range(3) for j in range(3)]
_CHOICES = {"basis": ["poly3", "poly3gauss"], "scaling_mode": ["polynomial"], "compress_mode": ["trivial", *_LEVELS]}


@final
@dataclass(frozen=True, eq=False)
class FromQuippy(Adapter):
    """Features of a QUIP descriptor with one row per centre, with its own gradients.

    Features are those of QUIP: ``soap`` includes the Gaussian of the centre, has unit norm unless ``normalise=F``, and
    ends with a constant feature. Neighbours that are not in ``species_Z``, which QUIP ignores silently, are refused.

    Parameters
    ----------
    arguments
        QUIP's own string, for instance ``soap cutoff=4.0 cutoff_transition_width=0.5 n_max=8 l_max=8 atom_sigma=0.3
        n_Z=1 Z={6} n_species=2 species_Z={1 6}``.
    cutoff, correlation_order, parity
        Read from QUIP: the cutoff; for ``soap`` and ``soap_turbo`` 2 and O3, else None. The order is None, too, where
        the features do not span the power spectrum: with ``nu_R``, ``nu_S`` or another compression, and without
        ``species_Z``, where all neighbours count as one species.

    Raises
    ------
    InputError
        If quippy is not installed, for a string that QUIP refuses, a key that QUIP would ignore (also those of
        ``gap_fit``, such as ``add_species``), a descriptor of pairs or of whole structures, or a species that it was
        not made for.
    """

    arguments: str

    def __post_init__(self) -> None:
        """Let QUIP read the string."""
        if not isinstance(self.arguments, str):
            raise InputError(f"`arguments` must be QUIP's string, got {self.arguments!r}.")
        kind = self._checked_kind()
        if self._parsed.get("average"):
            # QUIP 0.10.3 writes outside of its memory if one of several centres is averaged.
            raise InputError(f"`arguments` must name a descriptor of single centres, got {self.arguments!r}.")
        soap = kind in ("soap", "soap_turbo")
        whole = all(key not in self._parsed or _equal(self._parsed[key], value) for key, value in WHOLE.items())
        order = 2 if soap and whole and self._species else None
        self._settle(cutoff=self._quip.cutoff(), correlation_order=order, parity="O3" if soap else None)

    def _checked_kind(self) -> str:
        """Name of the descriptor; refuse a string with keys that QUIP would ignore."""
        if re.search(r"=(\s|$)|\s=", self.arguments):
            raise InputError(f"`arguments` must have a value right after each `=`, got {self.arguments!r}.")
        given = [word for word in self._parsed if word in KEYS]
        if len(given) != 1:
            raise InputError(
                f"`arguments` must name a descriptor of single centres, and one only, got {self.arguments!r}. "
                f"Known: {', '.join(KEYS)}."
            )
        [kind] = given
        for key, count in Counter(re.findall(r"(?<!\S)(\w+)=", self.arguments)).items():
            if count > 1:
                raise InputError(f"`arguments` must give {key} once, got {self.arguments!r}. Remove one.")
        for key in sorted(self._parsed.keys() - KEYS[kind] - {kind}):
            # gap_fit expands this one before QUIP reads the string.
            remedy = "Name the species in n_species and species_Z. " if key == "add_species" else ""
            raise InputError(
                f"`arguments` must hold keys that QUIP reads for {kind}, got {key!r}, which it would ignore. "
                f"{remedy}{suggest(key, sorted(KEYS[kind]))}"
            )
        self._check_values()
        return kind

    def _check_values(self) -> None:
        """Refuse values that QUIP does not know and does not refuse itself."""
        for key, known in _CHOICES.items():
            found = re.search(rf"(?<!\S){key}=[\"'{{]?([^\s\"'}}]*)", self.arguments)
            if found and found[1] not in known:
                raise InputError(f"`arguments` must have a {key} of {', '.join(known)}, got {found[1]!r}.")
        path = self._parsed.get("compress_file")
        if path is not None and not Path(str(path)).is_file():
            raise InputError(f"`arguments` must have a compress_file that exists, got {path!r}.")
        for key, least in (("n_max", 1), ("l_max", 0), ("alpha_max", 1)):
            for value in np.ravel(self._parsed.get(key, least)).tolist():
                if isinstance(value, int | float) and value < least:
                    raise InputError(f"`arguments` must have a {key} of at least {least}, got {value!r}.")
        if len(set(self._species)) < len(self._species):
            raise InputError(f"`arguments` must name each species once in species_Z, got {self._species}. Remove one.")

    def feature_labels(self, environments: Sequence[Environment] | None = None) -> list[int]:  # noqa: ARG002
        """Count the features, 0 … F - 1."""
        return list(range(len(self._quip)))

    def _values(self, environment: Environment) -> Floats:
        return np.array(self._computed(environment, grad=False)["data"][0])

    def _with_slopes(self, environment: Environment) -> tuple[Floats, Floats]:
        result = self._computed(environment, grad=True)
        phi = np.array(result["data"][0])
        slopes = np.zeros((len(phi), len(environment) + 1, 3))
        # One row per pair (centre, atom); an atom may have several rows.
        for (_, atom), gradient in zip(result["grad_index_0based"], result["grad_data"], strict=True):
            slopes[:, atom] += gradient.T
        return phi, slopes[:, 1:]

    def _computed(self, environment: Environment, *, grad: bool) -> Any:
        if self._species:
            known = sorted({*self._species, environment.center_species})
            check_species(environment, known, "Name them in species_Z.")
        atoms = cluster(environment)
        # So wide that no image is within the cutoff.
        atoms.set_cell(np.ptp(atoms.positions, axis=0) + 3 * (self.cutoff + 1))
        atoms.set_array(_MASK, np.arange(len(atoms)) == 0)
        with _LOCK, _explained(self.arguments):
            result = self._quip.calc(atoms, grad=grad, args_str=f"atom_mask_name={_MASK}")
        if list(result.get("ci", [])) != [1]:
            raise InputError(
                f"`arguments` must name a descriptor of single centres that takes {symbol(environment.center_species)} "
                f"for one, got {self.arguments!r}. Name it in Z."
            )
        return result

    @cached_property
    def _quip(self) -> Any:
        descriptors = peer("quippy.descriptors", "quippy-ase", "FromQuippy")
        with _LOCK, _explained(self.arguments):
            return descriptors.Descriptor(self.arguments)

    @cached_property
    def _parsed(self) -> dict[str, Any]:
        from ase.io.extxyz import key_val_str_to_dict

        return dict(key_val_str_to_dict(self.arguments))

    @property
    def _species(self) -> list[int]:
        """Atomic numbers in ``species_Z``; empty if it is not given."""
        given = self._parsed.get("species_Z", [])
        try:
            numbers = np.atleast_1d(given).astype(int)
        except ValueError:
            raise InputError(f"`arguments` must have atomic numbers in species_Z, got {given!r}.") from None
        return [int(number) for number in numbers if number > 0]


def _equal(given: Any, wanted: int | bool) -> bool:
    """Whether a value that ASE read is a number, or a truth value, and this one."""
    return isinstance(given, bool) == isinstance(wanted, bool) and np.array_equal(np.squeeze(given), wanted)


@contextmanager
def _explained(arguments: str) -> Iterator[None]:
    """Turn an error of QUIP into an InputError with the one line that describes it."""
    try:
        yield
    except RuntimeError as error:
        # After the first source location; the text is padded with blanks and then with random bytes.
        text = str(error).partition("kind unspecified")[2].strip().partition("   ")[0].partition("\n")[0]
        raise InputError(f"`arguments` must be a descriptor that QUIP supports, got {arguments!r}: {text}.") from None
