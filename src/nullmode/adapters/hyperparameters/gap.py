"""GAP: strings and command lines of gap_fit, and the XML files that it writes, as descriptors."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nullmode._support.types import InputError
from nullmode.adapters.hyperparameters._quip_words import Values, written
from nullmode.adapters.hyperparameters._record import Given, Translation, Use, check_use, is_file, near
from nullmode.adapters.hyperparameters.quip import FEW_BODY, numbers, parsed, translated
from nullmode.adapters.quippy import KEYS

# gap_fit's own keys of a descriptor (gap_fit_module.F90 of GAP); it silently ignores what neither it nor QUIP reads.
FIT, _COMMAND = (
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
    groups: dict[str, list[tuple[str, Values, Values, bool]]] = {}
    for text, version in descriptors:
        # gap_fit writes the species that it adds after those that are there.
        kind, values = parsed(text, FIT, last_counts=version is not None)
        fit = {key: values.pop(key) for key in FIT if key in values}
        adds = Given(fit, FIT, "gap_fit").flag("add_species", True) and version is None
        _check_keys(kind, values)
        if version is not None and kind == "soap":
            values.setdefault("xml_version", version)
        few = kind in FEW_BODY
        overridden = {key: values.pop(key) for key in [*values] if adds and not few and key in _SPECIES_KEYS}
        centres = ("Z", "Z_center", "Z1", "Z2") if few else ("Z", "n_Z")
        same = {key: value for key, value in values.items() if key not in centres}
        members = groups.setdefault(f"{written(kind, same)} {adds}", [])
        members.append((kind, same if few and members else values, overridden, adds))
    return [_merged(group, use) for group in groups.values()]


def _merged(group: list[tuple[str, Values, Values, bool]], use: Use) -> Translation:
    kind, values, overridden, adds = group[-1] if group[-1][0] in FEW_BODY else group[0]
    if kind == "soap" and len(group) > 1:
        centres = sorted({z for _, each, _, _ in group for z in numbers(Given(each, each, "QUIP"), "Z")})
        values = values | {"Z": centres, "n_Z": len(centres)}
    made = translated(kind, values, use, add_species=adds)
    if overridden:
        named = " and ".join(written(kind, {key: value}).partition(" ")[2] for key, value in overridden.items())
        sentence = f"gap_fit overrides {named} by the species of its training file, unless add_species=F is given."
        made = replace(made, differences=(sentence, *made.differences))
    return made


def _check_keys(kind: str, values: Values) -> None:
    known = sorted(KEYS.get(kind, FEW_BODY.get(kind, set())))
    for key in values:
        if key not in known:
            raise InputError(
                f"`{key}` is not a key of QUIP's {kind}, nor of gap_fit, which ignore it. {near(key, [*known, *FIT])}"
            )


def _stored(path: Path) -> list[tuple[str, int | None]]:
    """Descriptors of a GAP's XML file, with the version of QUIP's format."""
    version, found = "", []
    try:
        # One element at a time: such a file may hold all training structures.
        for event, element in ElementTree.iterparse(path, events=("start", "end")):
            if event == "start" and element.tag == "GAP_params":
                version = element.get("gap_version", _VERSION)
            elif event == "end":
                found += [str(element.text or "")] if element.tag == "descriptor" else []
                element.clear()
    except ElementTree.ParseError as error:
        raise InputError(f"{path} must be an XML file that gap_fit wrote, got a fault: {error}.") from None
    if not version or not found:
        raise InputError(f"{path} must be an XML file that gap_fit wrote, got one without descriptors of a GAP.")
    if not version.isdecimal():
        raise InputError(f"{path} must have a number as gap_version, got {version!r}.")
    return [(each, int(version)) for each in found]


def _descriptors(text: str) -> list[str]:
    """Descriptors of a string or a command line of gap_fit, also in a script."""
    text = re.sub(r"(?m)^\s*#.*$", "", re.sub(r"\\[ \t]*\n", "", text)).strip()
    match = re.search(r"(?:^|[\s/])gap_fit(?=\s)", text)
    text = text[match.end() :] if match else text
    # A descriptor has no key of this name.
    if re.search(r"(?:^|[\s'\"])(?:gap|config_file)\s*=", text):
        text = _command(text, ends_with_a_line=match is not None)
    found = _pieces(text)
    if not found:
        raise InputError("`gap` must hold at least one descriptor, got none.")
    return found


def _pieces(text: str) -> list[str]:
    """Descriptors between colons, each of which, and all together, may stand in braces."""
    parts = [part.strip() for part in _split(_unquoted(text.strip()), ":;") if part.strip()]
    if len(parts) == 1:
        [part] = parts
        return _pieces(part[1:-1]) if part[0] == "{" and part[-1] == "}" else parts
    return [piece for part in parts for piece in _pieces(part)]


def _command(text: str, *, ends_with_a_line: bool) -> str:
    """Value of ``gap`` in a command line, or in a file of its arguments; the other keys are checked."""
    values: dict[str, Any] = {}
    for line in _split(text, "\n"):
        if "gap" in values and ends_with_a_line:
            break
        for argument in map(str.strip, _split(line, " \t")):
            plain = _unquoted(argument)
            if plain[:1] in ("|", ">", "<", "&", ";") or plain[:2] == "2>":
                break
            key, equals, value = plain.partition("=")
            if plain and not equals:
                raise InputError(
                    f"`gap_fit` must be given key=value, got {plain!r:.80}. Remove it, or close a quote or brace."
                )
            if plain and key not in _COMMAND:
                raise InputError(f"`{key}` is not a key of gap_fit. {near(key, _COMMAND)}")
            if key in values:
                raise InputError(f"`{key}` must be given once to gap_fit, got it twice. Remove one.")
            values |= {key: _unquoted(value)} if plain else {}
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
