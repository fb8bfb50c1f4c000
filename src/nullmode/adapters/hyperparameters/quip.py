"""QUIP's descriptor strings as descriptors."""

from collections.abc import Iterable
from typing import Any

from nullmode._support.elements import atomic_number, known_number, symbol
from nullmode._support.types import InputError
from nullmode.adapters.hyperparameters._quip_words import Values, words, written
from nullmode.adapters.hyperparameters._record import (
    Given,
    Translation,
    Use,
    check_use,
    check_writable,
    near,
    replaced,
)
from nullmode.adapters.quippy import KEYS, WHOLE, FromQuippy
from nullmode.basis.radial.gto import GTO
from nullmode.basis.radial.quip_gaussians import QuipGaussians
from nullmode.basis.scaling import RadialScaling
from nullmode.descriptors.power_spectrum import PowerSpectrum

# Of pairs and triplets (QUIP 0.10.3 prints them for `--help`).
FEW_BODY = {
    kind: set(keys.split())
    for kind, keys in {
        "distance_2b": "cutoff cutoff_transition_width resid_name only_intra only_inter Z1 Z2 n_exponents exponents "
        "tail_range tail_exponent",
        "angle_3b": "cutoff cutoff_transition_width Z Z_center Z1 Z2",
        "distance_Nb": "cutoff cutoff_transition_width order compact_clusters Z xml_version",
    }.items()
}
# From this version of GAP's files on, other radial functions are QUIP's default; before the other, another weight of l.
_GTO_VERSION, _WEIGHT_VERSION = 1987654320, 1423143769
_NORMALISED = (
    "QUIP divides the features by their norm (normalise=T), this descriptor does not: QUIP is also blind to a "
    "displacement that only scales the features, and its singular values are others."
)
_ONE_SPECIES = (
    "QUIP counts neighbours of all species as one, since species_Z is not given; this descriptor tells them apart, and "
    "differs where there is more than one."
)


def from_quip(arguments: str, *, use: Use = "nullmode") -> Translation:
    """Make a descriptor of QUIP's string, such as ``soap cutoff=5 n_max=8 l_max=4 atom_sigma=0.5 Z=6 species_Z={1 6}``.

    Of ``soap``, the power spectrum with QUIP's radial functions. Descriptors without one of ours (``soap_turbo``,
    compressed ``soap``, …) become :class:`nullmode.FromQuippy`, which needs quippy.

    Parameters
    ----------
    arguments
        One descriptor, with keys that QUIP reads; strings of gap_fit are for :func:`nullmode.from_gap`.
    use
        ``nullmode``; ``peer`` for QUIP itself, by quippy; ``gto`` for nullmode's GTO in place of QUIP's functions.

    Raises
    ------
    InputError
        For a key or value that QUIP does not read, or a descriptor that only QUIP can compute where quippy is missing.
    """
    check_use(use)
    if not isinstance(arguments, str):
        raise InputError(f"`arguments` must be QUIP's string, got {arguments!r}.")
    kind, values = parsed(arguments)
    return translated(kind, values, use, add_species=False)


def translated(kind: str, values: Values, use: Use, *, add_species: bool) -> Translation:
    """Translate one parsed descriptor; with `add_species`, gap_fit names the species."""
    source = written(kind, values)
    if kind in FEW_BODY:
        Given(values, sorted(FEW_BODY[kind]), f"QUIP's {kind}")
        return Translation(source=source, descriptor=None, differences=(_few_body(kind),))
    given = Given(values, sorted(KEYS[kind]), f"QUIP's {kind}")
    if given.flag("average", False) if "average" in given else False:
        given.refuse("average", "F, since an average is no descriptor of a centre")
    reason = _only_quip(given) if kind == "soap" else f"nullmode has no {kind}"
    if kind == "soap":
        check_soap(given)
    if reason or use == "peer":
        if add_species:
            raise InputError(
                f"`species_Z` must be given where QUIP itself is used ({reason or 'use=peer'}), got {source!r}, to "
                "which gap_fit adds species. Add Z, n_species and species_Z, and add_species=F."
            )
        why = f", since {reason}" if reason else ""
        return Translation(
            source=source,
            descriptor=FromQuippy(source),
            differences=(f"The descriptor is QUIP itself, by quippy{why}: its features are not changed.",),
        )
    return _soap(source, given, use, add_species=add_species)


def _soap(source: str, given: Given, use: Use, *, add_species: bool) -> Translation:
    width = given.real("atom_gaussian_width", given.values.get("atom_sigma"), above=0)
    species, centres = numbers(given, "species_Z"), numbers(given, "Z")
    differences = [replaced("QUIP's equispaced Gaussians")] if use == "gto" else []
    weight = given.real("central_weight", 1.0)
    if not species and not add_species:
        differences.append(_ONE_SPECIES)
    elif add_species:
        differences.append(
            "gap_fit has a channel for each species of its training file, this descriptor for each species of the data "
            "that is analysed (species=None)."
        )
    if given.flag("normalise", given.flag("normalize", True)):
        differences.append(_NORMALISED)
    if centres:
        named = ", ".join(map(symbol, centres))
        differences.append(f"QUIP describes centres of {named} alone (Z), this descriptor all that are chosen.")
    outside = set(centres) - set(species) if species else set()
    if outside and outside == set(centres):
        # QUIP has no channel for the centre's own Gaussian, and leaves it out.
        weight = 0.0
    elif outside:
        differences.append(
            f"QUIP leaves out the Gaussian of a centre outside species_Z ({', '.join(map(symbol, sorted(outside)))}), "
            "which this descriptor refuses."
        )
    scaling = None
    if given.whole("cutoff_dexp", 0, least=-(10**6)) > 0:
        scaling = RadialScaling(
            rate=given.real("cutoff_rate", 1.0, above=0),
            scale=given.real("cutoff_scale", 1.0, above=0),
            exponent=given.whole("cutoff_dexp", least=1),
        )
    own = QuipGaussians(width=width, error_exponent=given.real("basis_error_exponent", 10.0, above=0))
    descriptor = PowerSpectrum(
        n_max=given.whole("n_max", least=1),
        l_max=given.whole("l_max", least=0),
        cutoff=given.real("cutoff", above=0),
        cutoff_width=given.real("cutoff_transition_width", 0.5, least=0),
        width=width,
        center_weight=weight,
        radial_scaling=scaling,
        radial_basis=GTO() if use == "gto" else own,
        species=tuple(map(symbol, species)) or None,
    )
    return Translation(source=source, descriptor=descriptor, differences=tuple(differences))


def check_soap(given: Given) -> None:
    """Refuse values of ``soap`` that QUIP does not read, or that contradict each other."""
    if "atom_sigma" in given and "atom_gaussian_width" in given:
        raise InputError("`atom_sigma` and `atom_gaussian_width` must not both be given: they are one. Remove one.")
    if "atom_gaussian_width" not in given:
        given.real("atom_sigma", above=0)
    for count, names in (("n_species", "species_Z"), ("n_Z", "Z")):
        listed = numbers(given, names)
        if count in given and given.whole(count, least=1) != max(len(listed), 1):
            given.refuse(count, f"the number of entries of {names}, {len(listed)}")
        if count not in given and len(listed) > 1:
            raise InputError(
                f"`{count}` must be given with {names} of {len(listed)} entries. Add {count}={len(listed)}."
            )
    if "radial_basis" in given:
        given.choice("radial_basis", ("EQUISPACED_GAUSS", "POLY", "GTO"))
    for key, least in (("n_max", 1), ("l_max", 0)):
        given.whole(key, least=least)
    if given.real("cutoff_transition_width", 0.5, least=0) > given.real("cutoff", above=0):
        given.refuse("cutoff_transition_width", "at most the cutoff")


def _only_quip(given: Given) -> str:
    """Why only QUIP itself computes a ``soap``; empty if nullmode does."""
    for key, usual in WHOLE.items():
        if key in given and key != "compress_file":
            value = given.flag(key, False) if isinstance(usual, bool) and key != "Z_map" else given.take(key)
            if value != usual:
                return f"{key}={given.take(key)} compresses or mixes the power spectrum"
    if given.flag("central_reference_all_species", False):
        return "central_reference_all_species=T puts the centre's Gaussian into every channel"
    version = given.whole("xml_version", 1426512068, least=0)
    if version < _WEIGHT_VERSION:
        return "an xml_version as old as this weighs angular momenta otherwise"
    basis = str(given.take("radial_basis", "GTO" if version > _GTO_VERSION else "EQUISPACED_GAUSS"))
    if basis != "EQUISPACED_GAUSS":
        return f"nullmode has no radial_basis={basis}"
    if given.whole("cutoff_dexp", 0, least=-(10**6)) > 0 and given.real("cutoff_rate", 1.0, least=0) == 0:
        return "cutoff_rate=0 weighs neighbours by a pure power of their distance"
    return ""


def _few_body(kind: str) -> str:
    return (
        f"{kind} describes pairs, triplets or tuples of atoms, not centres, and nullmode has no counterpart: it is "
        "left out. A model that has it may see displacements that its other descriptors do not."
    )


def numbers(given: Given, key: str) -> list[int]:
    """Atomic numbers at a key; none for 0 and where it is not given."""
    value = given.take(key, 0)
    listed = value if isinstance(value, list) else [value]
    if listed == [0]:
        return []
    if not listed:
        given.refuse(key, "atomic numbers such as {1 6}")
    for item in listed:
        if isinstance(item, bool) or not isinstance(item, int) or not known_number(item):
            given.refuse(key, "atomic numbers such as {1 6}")
    if len(set(listed)) < len(listed):
        given.refuse(key, "different atomic numbers")
    return listed


def parsed(text: str, extra: Iterable[str] = (), *, last_counts: bool = False) -> tuple[str, Values]:
    """Kind and values of one descriptor.

    Parameters
    ----------
    text
        The string.
    extra
        More keys that count as known.
    last_counts
        Whether a key may be given twice.
    """
    kinds = [*KEYS, *FEW_BODY]
    every = {key for keys in (*KEYS.values(), *FEW_BODY.values(), extra) for key in keys}
    values: Values = {}
    found: list[str] = []
    for key, value in words(text):
        match = [kind for kind in kinds if kind.lower() == key.lower()]
        if value is None and match:
            found += match
        elif value is None and key.lower() not in {each.lower() for each in every}:
            raise InputError(f"`{key}` is not a descriptor of QUIP that nullmode knows. {near(key, kinds)}")
        elif key.lower() in {each.lower() for each in values} and not last_counts:
            raise InputError(f"`{key}` must be given once, got {text.strip()!r}. Remove one.")
        else:
            values[key] = "T" if value is None else value
    if len(found) != 1:
        raise InputError(
            f"`arguments` must name one descriptor of QUIP, got {len(found)} in {text.strip()!r}. Known: "
            f"{', '.join(kinds)}. nullmode.from_gap reads several."
        )
    [kind] = found
    # QUIP does not tell capitals from small letters.
    known = {key.lower(): key for key in (*extra, *KEYS.get(kind, FEW_BODY.get(kind, set())))}
    return kind, {known.get(key.lower(), key): value for key, value in values.items()}


def to_quip(descriptor: Any) -> str:
    """Write a power spectrum with QUIP's radial functions as :func:`from_quip` reads it; refuse any other."""
    check_writable(descriptor, (PowerSpectrum,), QuipGaussians, "QUIP")
    basis, scaling = descriptor.radial_basis, descriptor.radial_scaling
    if basis.width != descriptor.width or (scaling is not None and scaling.exponent != int(scaling.exponent)):
        raise InputError(
            f"`descriptor` must have functions as wide as the density, and a whole exponent of its radial scaling, for "
            f"QUIP, got {descriptor!r}."
        )
    values: Values = {
        "cutoff": descriptor.cutoff,
        "cutoff_transition_width": descriptor.cutoff_width,
        "n_max": descriptor.n_max,
        "l_max": descriptor.l_max,
        "atom_sigma": descriptor.width,
        "central_weight": descriptor.center_weight,
        **({} if basis.error_exponent == 10.0 else {"basis_error_exponent": basis.error_exponent}),
    }
    if scaling is not None:
        values |= {"cutoff_dexp": int(scaling.exponent), "cutoff_scale": scaling.scale, "cutoff_rate": scaling.rate}
    if descriptor.species:
        species = [atomic_number(each) for each in descriptor.species]
        values |= {"n_species": len(species), "species_Z": species}
    return written("soap", values)
