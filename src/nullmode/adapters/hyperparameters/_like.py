"""Hyperparameters of any known code: what is given says whose they are."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nullmode._support.types import InputError
from nullmode._support.variants import load
from nullmode.adapters.hyperparameters import READERS
from nullmode.adapters.hyperparameters._record import Translation, Use, document, is_file
from nullmode.adapters.hyperparameters.gap import FIT


def like(source: Any, *, use: Use = "nullmode") -> list[Translation]:
    """Make descriptors of hyperparameters of any code that nullmode knows; one for each descriptor that is named.

    Parameters
    ----------
    source
        A descriptor string of QUIP, taken as gap_fit takes it (which names the species, unless ``add_species=F``);
        several of them, or a command line of gap_fit; an ``.xml`` file of a GAP; a mapping, or a file of JSON or YAML,
        of featomic, dscribe, metatrain or nullmode; an object of featomic or dscribe.
    use
        As in :func:`nullmode.from_quip`.

    Raises
    ------
    InputError
        For what none of these codes writes, and as their readers.
    """
    kind, values = _recognised(source)
    result = load(kind, READERS, "reader")(values, use=use)
    return result if isinstance(result, list) else [result]


def _recognised(source: Any) -> tuple[str, Any]:
    if hasattr(source, "c_name"):
        return "featomic", source
    if hasattr(source, "get_number_of_features"):
        return "dscribe", source
    if isinstance(source, str | Path):
        exists = is_file(source)
        ending = Path(source).suffix.lower() if exists else ""
        if isinstance(source, str) and source.lstrip().startswith("{") and '"' in source:
            ending = ".json"
        if ending not in (".json", ".yaml", ".yml"):
            if not exists and not re.search(r"=|\s", str(source).strip()):
                raise InputError(
                    f"`source` must be hyperparameters or a file of them that exists, got {str(source)!r}."
                )
            return ("quip" if not exists and _names_species(str(source)) else "gap"), source
        source = document(source, "a known code")
    if not isinstance(source, Mapping):
        raise InputError(f"`source` must be hyperparameters or a file of them, got {source!r:.80}.")
    marks = {
        "metatrain": {"architecture"},
        "nullmode": {"kind"},
        "featomic": {"basis", "density", "cutoff_function", "atomic_gaussian_width"},
        "dscribe": {"r_cut", "sigma", "rbf", "descriptor", "g2_params", "weighting"},
    }
    found = [kind for kind, keys in marks.items() if keys & {*source}]
    if not found:
        raise InputError(
            f"`source` must have keys of featomic, dscribe, metatrain or nullmode, got {', '.join(map(str, source))}. "
            "nullmode's have a `kind`, metatrain's an `architecture`."
        )
    return found[0], source


def _names_species(text: str) -> bool:
    """Whether a text is one descriptor of QUIP's that says which species it is for, without a key of gap_fit's."""
    keys = set(re.findall(r"(?:^|\s)(\w+)", text))
    return bool(keys & {"species_Z", "Z"}) and not keys & {*FIT, "gap_fit", "gap"} and ":" not in text
