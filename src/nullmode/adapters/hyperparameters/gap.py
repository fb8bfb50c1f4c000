"""GAP: strings and command lines of gap_fit, and the XML files that it writes, as descriptors."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nullmode._support.types import InputError
from nullmode.adapters.hyperparameters._record import Given, Translation, Use, check_use, is_file, near
from nullmode.adapters.hyperparameters.quip import FEW_BODY, Values, numbers, parsed, translated, written
from nullmode.adapters.quippy import KEYS

# gap_fit's own keys of a descriptor (gap_fit_module.F90 of GAP); it silently ignores what neither it nor QUIP reads.
_FIT, _COMMAND = (
    sorted(keys.split())
    for keys in (
        "energy_scale delta f0 n_sparse config_type_n_sparse sparse_method lengthscale_factor theta_fac "
        "lengthscale_uniform theta_uniform lengthscale_file theta_file sparse_file mark_sparse_atoms add_species "
        "covariance_type soap_exponent zeta print_sparse_index unique_hash_tolerance unique_descriptor_tolerance",
        "config_file atoms_filename at_file gap e0 local_property0 e0_offset e0_method default_kernel_regularisation "
        "default_sigma default_kernel_regularisation_local_property default_local_property_sigma sparse_jitter "
        "hessian_displacement hessian_delta baseline_param_filename core_param_file baseline_ip_args core_ip_args "
        "energy_parameter_name local_property_parameter_name force_parameter_name virial_parameter_name "
        "stress_parameter_name hessian_parameter_name config_type_parameter_name sigma_parameter_name "
        "kernel_regularisation_parameter_name force_mask_parameter_name local_property_mask_parameter_name "
        "parameter_name_prefix config_type_kernel_regularisation config_type_sigma kernel_regularisation_is_per_atom "
        "sigma_per_atom do_copy_atoms_file do_copy_at_file sparse_separate_file sparse_use_actual_gpcov gap_file "
        "gp_file verbosity rnd_seed openmp_chunk_size do_ip_timing template_file sparsify_only_no_fit dryrun "
        "condition_number_norm linear_system_dump_file mpi_blocksize_rows mpi_blocksize_cols mpi_print_all "
        "export_covariance",
    )
)
# QUIP's own where a file does not state it.
_VERSION = "1426512068"
_SPECIES_KEYS = ("Z", "n_Z", "species_Z", "n_species")


def from_gap(source: str | Path, *, use: Use = "nullmode") -> list[Translation]:
    """Make a descriptor of each descriptor of a GAP; those that differ in the species of their centres alone are one.

    Parameters
    ----------
    source
        gap_fit's descriptors, ``distance_2b cutoff=5 … : soap n_max=8 …``; its whole command line, with ``gap={…}``; a
        file that holds either; or a GAP's ``.xml`` file.
    use
        As in :func:`nullmode.from_quip`.

    Raises
    ------
    InputError
        For a key that neither gap_fit nor QUIP reads, and as :func:`nullmode.from_quip`.
    """
    check_use(use)
    if not isinstance(source, str | Path):
        raise InputError(f"`source` must be gap_fit's text or a file, got {source!r:.80}.")
    if isinstance(source, str) and re.search(r"=|\s", source.strip()) and not is_file(source):
        return _translations([(each, None) for each in _descriptors(source)], use)
    if not is_file(source):
        raise InputError(
            f"`source` must be gap_fit's descriptors, its command line, or a file that exists, got {str(source)!r}."
        )
    path = Path(source)
    if path.suffix == ".xml":
        return _translations(_stored(path), use)
    text = path.read_text(encoding="utf-8", errors="replace")
    return _translations([(each, None) for each in _descriptors(text)], use)


def _translations(descriptors: list[tuple[str, int | None]], use: Use) -> list[Translation]:
    groups: dict[str, list[tuple[str, Values, bool]]] = {}
    for text, version in descriptors:
        kind, values = parsed(text, {key: key for key in _FIT})
        fit = {key: values.pop(key) for key in _FIT if key in values}
        adds = Given(fit, _FIT, "gap_fit").flag("add_species", True) and version is None
        _check_keys(kind, values)
        if adds and any(key in values for key in _SPECIES_KEYS):
            # gap_fit writes its own after them, and they would be given twice.
            named = ", ".join(key for key in _SPECIES_KEYS if key in values)
            raise InputError(
                f"`add_species` must be F where {named} are given, got {text.strip()!r}: gap_fit adds them itself. Add "
                f"add_species=F, or remove {named}."
            )
        if version is not None and kind == "soap":
            values.setdefault("xml_version", version)
        centres = ("Z", "n_Z") if kind in KEYS else ("Z", "Z_center", "Z1", "Z2")
        same = {key: value for key, value in values.items() if key not in centres}
        groups.setdefault(written(kind, same) + f" {adds}", []).append((kind, values, adds))
    return [_merged(group, use) for group in groups.values()]


def _merged(group: list[tuple[str, Values, bool]], use: Use) -> Translation:
    kind, values, adds = group[0]
    if kind == "soap" and len(group) > 1:
        centres = sorted({z for _, each, _ in group for z in numbers(Given(each, each, "QUIP"), "Z")})
        values = values | {"Z": centres, "n_Z": len(centres)}
    return translated(kind, values, use, add_species=adds)


def _check_keys(kind: str, values: Values) -> None:
    known = sorted(KEYS.get(kind, FEW_BODY.get(kind, set())))
    for key in values:
        if key not in known:
            raise InputError(f"`{key}` is not a key of QUIP's {kind}, nor of gap_fit. {near(key, [*known, *_FIT])}")


def _stored(path: Path) -> list[tuple[str, int | None]]:
    """Descriptors of a GAP's XML file, with the version of QUIP's format."""
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise InputError(f"{path} must be an XML file that gap_fit wrote, got a fault: {error}.") from None
    parameters = next(root.iter("GAP_params"), None)
    found = [str(each.text or "") for each in root.iter("descriptor")]
    if parameters is None or not found:
        raise InputError(f"{path} must be an XML file that gap_fit wrote, got one without descriptors of a GAP.")
    try:
        version = int(parameters.get("gap_version", _VERSION))
    except ValueError:
        raise InputError(f"{path} must have a number as gap_version, got {parameters.get('gap_version')!r}.") from None
    return [(each, version) for each in found]


def _descriptors(text: str) -> list[str]:
    """Descriptors of a string or a command line of gap_fit."""
    text = re.sub(r"\\[ \t]*\n", "", text).strip()
    if match := re.search(r"(?:^|[\s/])gap_fit(?=\s)", text):
        text = text[match.end() :]
    # A descriptor has no key of this name.
    if re.search(r"(?:^|[\s'\"])(?:gap|config_file)\s*=", text):
        text = _command(text)
    text = _unwrapped(text)
    found = [each for each in _split(text, ":;") if each.strip()]
    if not found:
        raise InputError("`gap` must hold at least one descriptor, got none.")
    return found


def _command(text: str) -> str:
    """Value of ``gap`` in a command line; the other keys are checked."""
    values: dict[str, Any] = {}
    for argument in _split(text, " \t\n"):
        plain = _unquoted(argument.strip())
        if not plain:
            continue
        key, equals, value = plain.partition("=")
        if not equals:
            raise InputError(
                f"`gap_fit` must be given key=value, got {plain!r:.80}. Remove it, or close a quote or brace."
            )
        if key not in _COMMAND:
            raise InputError(f"`{key}` is not a key of gap_fit. {near(key, _COMMAND)}")
        if key in values:
            raise InputError(f"`{key}` must be given once to gap_fit, got it twice. Remove one.")
        values[key] = _unquoted(value)
    if "gap" not in values:
        raise InputError("`gap` is required by gap_fit and missing; with config_file, give nullmode that file.")
    return str(values["gap"])


def _split(text: str, separators: str) -> list[str]:
    """Split at separators that stand outside of braces and quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        else:
            depth += (letter == "{") - (letter == "}")
        if depth < 0:
            raise InputError(f"`gap` must have a brace {{ for each }}, got {text!r:.80}.")
        if letter in separators and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    if depth or quote:
        raise InputError(f"`gap` must close each brace and quote, got {text!r:.80}.")
    return parts


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _unwrapped(text: str) -> str:
    text = _unquoted(text.strip()).strip()
    return text[1:-1] if text.startswith("{") and text.endswith("}") else text
