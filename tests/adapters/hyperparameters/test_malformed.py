"""Hyperparameters that are not understood are refused in one line that names the key."""

import copy
import json

import pytest

import nullmode as nm
from nullmode.adapters.hyperparameters.own import from_nullmode

SOAP = "soap cutoff=5 n_max=8 l_max=4 atom_sigma=0.5"
HYPERS = {
    "cutoff": {"radius": 4.0, "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
    "density": {"type": "Gaussian", "width": 0.3},
    "basis": {"type": "TensorProduct", "max_angular": 4, "radial": {"type": "Gto", "max_radial": 5}},
}
RASCALINE = {
    "cutoff": 4.0,
    "max_radial": 6,
    "max_angular": 5,
    "atomic_gaussian_width": 0.3,
    "cutoff_function": {"Step": {}},
}
DSCRIBE = {"species": ["H"], "r_cut": 4.0, "n_max": 3, "l_max": 3}


def featomic(part, **values):
    """The hyperparameters with other values in one part; None takes a key out."""
    changed = {key: value for key, value in (HYPERS[part] | values).items() if value is not None}
    return HYPERS | {part: changed}


def metatrain(soap=None, name="soap_bpnn", **model):
    return {"architecture": {"name": name, "model": {"soap": soap or {}, **model}}}


QUIP, GAP = nm.from_quip, nm.from_gap
FEATOMIC, PEER, TRAIN = nm.from_featomic, nm.from_dscribe, nm.from_metatrain
# name -> reader, input, what the message says
MALFORMED = {
    "misspelt": (QUIP, f"{SOAP} central_wieght=0", r"`central_wieght` is not a key of .* mean `central_weight`"),
    "of featomic": (QUIP, "soap cutoff=5 max_radial=8 l_max=4", r"`max_radial` is not a key of .* mean `n_max`"),
    "of dscribe": (QUIP, "soap r_cut=5 n_max=8 l_max=4", r"`r_cut` is not a key of .* mean `cutoff`"),
    "of gap_fit": (QUIP, f"{SOAP} zeta=4", r"`zeta` is not a key of QUIP's soap\."),
    "no kind": (QUIP, "cutoff=5 n_max=8", r"`arguments` must name one descriptor of QUIP, got 0"),
    "two kinds": (QUIP, f"{SOAP} distance_2b", r"`arguments` must name one descriptor of QUIP, got 2"),
    "another kind": (QUIP, "saop cutoff=5", r"`saop` is not a descriptor of QUIP.* Did you mean `soap`"),
    "twice": (QUIP, f"{SOAP} N_max=3", r"`N_max` must be given once"),
    "blank": (QUIP, "soap cutoff = 5", r"`arguments` must consist of words and of key=value.* got '= 5'"),
    "open brace": (QUIP, f"{SOAP} species_Z={{1 6", r"`arguments` must consist of .*got 'species_Z={1 6'"),
    "no text": (QUIP, 7, r"`arguments` must be QUIP's string, got 7"),
    "missing": (QUIP, "soap cutoff=5 n_max=8 l_max=4", r"`atom_sigma` is required by QUIP's soap and missing"),
    "no number": (QUIP, "soap cutoff=five n_max=8 l_max=4 atom_sigma=0.5", r"`cutoff` must be a number .*, got 'five'"),
    "negative": (QUIP, "soap cutoff=-5 n_max=8 l_max=4 atom_sigma=0.5", r"`cutoff` must be a number above 0, got -5"),
    "no whole number": (QUIP, "soap cutoff=5 n_max=8.5 l_max=4 atom_sigma=1", r"`n_max` must be a whole .*, got 8.5"),
    "no function": (QUIP, "soap cutoff=5 n_max=0 l_max=4 atom_sigma=1", r"`n_max` must be .* at least 1, got 0"),
    "one width twice": (QUIP, f"{SOAP} atom_gaussian_width=0.5", r"`atom_sigma` and `atom_gaussian_width` must not"),
    "no element": (QUIP, f"{SOAP} n_species=2 species_Z={{1 900}}", r"`species_Z` must be atomic numbers"),
    "symbols": (QUIP, f"{SOAP} n_species=1 species_Z={{H}}", r"`species_Z` must be atomic numbers .* got 'H'"),
    "one element twice": (QUIP, f"{SOAP} n_species=2 species_Z={{1 1}}", r"`species_Z` must be different atomic"),
    "miscounted": (QUIP, f"{SOAP} n_species=3 species_Z={{1 6}}", r"`n_species` must be the number of .*, 2, got 3"),
    "uncounted": (QUIP, f"{SOAP} species_Z={{1 6}}", r"`n_species` must be given with species_Z.* Add n_species=2"),
    "no truth value": (QUIP, f"{SOAP} normalise=maybe", r"`normalise` must be T or F, got 'maybe'"),
    "average": (QUIP, f"{SOAP} average=T", r"`average` must be F"),
    "radial basis": (QUIP, f"{SOAP} radial_basis=GTOS", r"`radial_basis` must be one of .* got 'GTOS'"),
    "wide smoothing": (QUIP, f"{SOAP} cutoff_transition_width=6", r"`cutoff_transition_width` must be at most"),
    "pairs": (QUIP, "distance_2b cutoff=4 Z3=1", r"`Z3` is not a key of QUIP's distance_2b"),
    "large l": (QUIP, "soap cutoff=5 n_max=8 l_max=40 atom_sigma=0.5", r"`PowerSpectrum.l_max` must be .* got 40"),
    "similar": (QUIP, "soap cutoff=5 n_max=45 l_max=2 atom_sigma=1", r"`n_max` must leave the QUIP functions"),
    "gap, misspelt": (GAP, f"{SOAP} n_spars=5", r"`n_spars` is not .* nor of gap_fit, .* mean `n_sparse`"),
    "gap, peer": (lambda text: GAP(text, use="peer"), SOAP, r"`species_Z` must be given where QUIP itself is used"),
    "gap, command": (GAP, f"gap_fit at_fil=a gap={{{SOAP}}}", r"`at_fil` is not a key of .* mean `at_file`"),
    "gap, no gap": (GAP, "gap_fit config_file=fit.txt", r"`gap` is required by gap_fit and missing"),
    "gap, word": (GAP, f"gap_fit at_file=a gap={SOAP}", r"`cutoff` is not a key of gap_fit"),
    "gap, brace": (GAP, f"gap_fit at_file=a gap={{{SOAP}", r"`gap` must close each brace"),
    "gap, no brace": (GAP, f"gap={SOAP}}}", r"`gap` must have a brace { for each }"),
    "gap, empty": (GAP, "gap_fit gap={}", r"`gap` must hold at least one descriptor"),
    "gap, key twice": (GAP, f"gap_fit gap={{{SOAP}}} gap={{{SOAP}}}", r"`gap` must be given once"),
    "gap, no file": (GAP, "gap.xml", r"`source` must be gap_fit's descriptors.* a file that exists, got 'gap.xml'"),
    "hypers, no mapping": (FEATOMIC, [1], r"`hyperparameters` must be a mapping of keys of featomic, got \[1\]"),
    "hypers, misspelt": (FEATOMIC, featomic("basis", max_angula=3), r"`basis.max_angula` is not .* mean `max_angular`"),
    "hypers, of QUIP": (FEATOMIC, featomic("basis", l_max=3), r"`basis.l_max` is not a key of .* mean `max_angular`"),
    "hypers, missing": (FEATOMIC, featomic("density", width=None), r"`density.width` is required by featomic"),
    "hypers, no smoothing": (FEATOMIC, featomic("cutoff", smoothing=None), r"`cutoff.smoothing` is required"),
    "hypers, step": (
        FEATOMIC,
        featomic("cutoff", smoothing={"type": "Step", "width": 1}),
        r"`cutoff.smoothing.width` must be left",
    ),
    "hypers, wide": (
        FEATOMIC,
        featomic("cutoff", smoothing={"type": "ShiftedCosine", "width": 5}),
        r"`cutoff.smoothing.width` must be at most the radius of the cutoff, got 5",
    ),
    "hypers, type": (FEATOMIC, featomic("density", type="gaussian"), r"`density.type` must be .* mean `Gaussian`"),
    "hypers, basis": (FEATOMIC, HYPERS | {"basis": 5}, r"`basis` must be a mapping of keys of featomic, got 5"),
    "hypers, radius": (
        FEATOMIC,
        featomic("basis", radial={"type": "Gto", "max_radial": 4, "radius": 3}),
        r"`basis.radial.radius` must be the radius of the cutoff, 4, or left out, got 3",
    ),
    "hypers, index": (
        FEATOMIC,
        featomic("basis", radial={"type": "Gto", "max_radial": -1}),
        r"`basis.radial.max_radial` must be",
    ),
    "hypers, scaling": (
        FEATOMIC,
        featomic("density", scaling={"type": "Willatt2018", "rate": 1, "scale": 2, "power": 3}),
        r"`density.scaling.power` is not a key of featomic\. Known: type, rate, scale, exponent",
    ),
    "hypers, text": (FEATOMIC, '{"cutoff": {', r"hyperparameters must be JSON, got a fault in line 1"),
    "hypers, twice": (FEATOMIC, '{"cutoff": 1, "cutoff": 2}', r"`cutoff` must be given once in hyperparameters"),
    "rascaline": (FEATOMIC, RASCALINE | {"max_radia": 3}, r"`max_radia` is not .* mean `max_radial`"),
    "dscribe, misspelt": (PEER, DSCRIBE | {"sigm": 1}, r"`sigm` is not a key of dscribe's SOAP\. Did you mean `sigma`"),
    "dscribe, of QUIP": (PEER, DSCRIBE | {"cutoff": 4}, r"`cutoff` is not a key of .* mean `r_cut`"),
    "dscribe, missing": (PEER, {"species": ["H"], "r_cut": 4.0, "n_max": 3}, r"`l_max` is required by dscribe's SOAP"),
    "dscribe, no cutoff": (PEER, {"species": ["H"], "n_max": 3, "l_max": 3}, r"`r_cut` must be a number above 0"),
    "dscribe, short": (PEER, DSCRIBE | {"r_cut": 0.9}, r"`r_cut` must be above 1 Å for rbf=gto, got 0.9"),
    "dscribe, species": (PEER, DSCRIBE | {"species": ["H", "Xx"]}, r"`species` must be chemical symbols .* got 'Xx'"),
    "dscribe, l": (PEER, DSCRIBE | {"l_max": 21}, r"`l_max` must be at most 20, as dscribe's, got 21"),
    "dscribe, average": (PEER, DSCRIBE | {"average": "inner"}, r"`average` must be off, got 'inner'.*scope=structure"),
    "dscribe, rbf": (PEER, DSCRIBE | {"rbf": "gtos"}, r"`rbf` must be one of gto, polynomial, got 'gtos'"),
    "dscribe, weights": (
        PEER,
        DSCRIBE | {"weighting": {"function": "pow", "c": 1, "d": 1, "r0": 2}},
        r"`weighting.m` is required",
    ),
    "dscribe, of another weight": (
        PEER,
        DSCRIBE | {"weighting": {"function": "poly", "c": 1, "d": 1, "m": 1, "r0": 2}},
        r"`weighting.d` is not a key of dscribe's SOAP",
    ),
    "dscribe, kind": (PEER, DSCRIBE | {"descriptor": "SOPA"}, r"`descriptor` must be one of SOAP, ACSF, got 'SOPA'"),
    "dscribe, functions": (
        PEER,
        {"descriptor": "ACSF", "r_cut": 4, "species": ["H"], "g4_params": [[1, 2]]},
        r"`g4_params` must be a list",
    ),
    "dscribe, no mapping": (PEER, 5, r"`source` must be an object of dscribe or a mapping"),
    "metatrain, no architecture": (TRAIN, {"soap": {}}, r"`options` must hold metatrain's `architecture`"),
    "metatrain, another": (TRAIN, metatrain(name="pet"), r"`architecture.name` must be .*, got 'pet'"),
    "metatrain, misspelt": (
        TRAIN,
        metatrain({"max_radail": 3}),
        r"`architecture.model.soap.max_radail` is not .* mean `max_radial`",
    ),
    "metatrain, cutoff": (
        TRAIN,
        metatrain({"cutoff": 5.0}),
        r"`architecture.model.soap.cutoff` must be a mapping .*, got 5.0",
    ),
    "metatrain, model": (TRAIN, metatrain(bpn={}), r"`architecture.model.bpn` is not .* mean `bpnn`"),
    "metatrain, peer": (lambda o: TRAIN(o, use="peer"), metatrain(), r"`use` must be nullmode or gto for metatrain's"),
    "nullmode, kind": (from_nullmode, {"kind": "powerspectrum"}, r"`kind` must be a descriptor, got 'powerspectrum'"),
    "nullmode, parameter": (
        from_nullmode,
        {"kind": "power-spectrum", "nmax": 3},
        r"`descriptor.nmax` is not known\. Did you mean `n_max`",
    ),
    "nullmode, two places": (
        from_nullmode,
        {"kind": "power-spectrum", "n_max": 3, "parameters": {}},
        r"`n_max` must stand in `parameters`",
    ),
    "use": (lambda text: QUIP(text, use="ours"), SOAP, r"`use` must be one of nullmode, peer, gto, got 'ours'"),
    "like, unknown keys": (nm.like, {"cutoff": 3.0}, r"`source` must have keys of featomic, .* got cutoff"),
    "like, no file": (nm.like, "hypers.json", r"`source` must be hyperparameters or a file of them that exists"),
    "like, nothing": (nm.like, None, r"`source` must be hyperparameters or a file of them, got None"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_is_refused_in_one_line(name):
    reader, source, message = MALFORMED[name]
    with pytest.raises(nm.InputError, match=message) as caught:
        reader(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("gap.xml", "<GAP", r"gap\.xml must be an XML file that gap_fit wrote, got a fault"),
        ("other.xml", "<a><descriptor>soap</descriptor></a>", r"must be .* got one without descriptors of a GAP"),
        (
            "version.xml",
            "<a><GAP_params gap_version='x'/><descriptor>soap</descriptor></a>",
            r"a number as gap_version",
        ),
        ("hypers.json", '{"cutoff": ,}', r"hypers\.json must be JSON, got a fault in line 1"),
        ("options.yaml", "architecture: [", r"options\.yaml must be YAML"),
        ("options.yml", "architecture: {name: gap, name: gap}", r"`architecture.name` is given twice"),
        ("fit.txt", "gap_fit gap={soap cutof=5}", r"`cutof` is not a key of QUIP's soap, nor .* Did you mean `cutoff`"),
        ("numbers.json", json.dumps([1, 2]), r"`source` must be hyperparameters or a file of them, got \[1, 2\]"),
    ],
)
def test_a_file_is_named(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(nm.InputError, match=message):
        nm.like(path)


POSSIBLE = {("central_weight", "-1"), ("normalise", "T"), ("cutoff_dexp", "-1")}
KEYS = ("cutoff", "n_max", "l_max", "atom_sigma", "central_weight", "cutoff_dexp", "Z", "normalise")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", ["nan", "inf", "{}", "{1 2 3}", "1e400", "''", "T", "-1"])
def test_any_value_of_quip_is_taken_or_refused(key, value):
    text = " ".join(word for word in SOAP.split() if not word.startswith(f"{key}=")) + f" {key}={value}"
    if (key, value) in POSSIBLE:
        assert nm.from_quip(text).descriptor is not None
        return
    with pytest.raises(nm.InputError, match=f"`(n_)?{key}`|`arguments`") as caught:
        nm.from_quip(text)
    assert "\n" not in str(caught.value)


WHOLE = {
    "featomic": (nm.from_featomic, HYPERS),
    "rascaline": (
        nm.from_featomic,
        RASCALINE | {"radial_scaling": {"Willatt2018": {"rate": 1, "scale": 2, "exponent": 7}}},
    ),
    "dscribe": (
        nm.from_dscribe,
        DSCRIBE | {"weighting": {"function": "pow", "r0": 2.0, "c": 3.0, "d": 1.5, "m": 4.0}, "sigma": 0.4},
    ),
    "acsf": (nm.from_dscribe, {"descriptor": "ACSF", "r_cut": 4.0, "species": ["H"], "g3_params": [0.7]}),
    "metatrain": (
        nm.from_metatrain,
        {
            "architecture": {
                "name": "soap_bpnn",
                "atomic_types": [1, 6],
                "model": {"soap": {"max_radial": 3, "cutoff": {"radius": 5.0}}, "long_range": {"enable": False}},
            }
        },
    ),
    "nullmode": (from_nullmode, {"kind": "power-spectrum", "n_max": 3}),
}
ODD = [True, -1, 0, 1.5, "a", "", [], {}, [1], {"a": 1}, float("nan"), float("inf"), 10**400, (1, 2), object()]


def places(values, path=()):
    return [
        place
        for key, value in values.items()
        for place in [(*path, key), *(places(value, (*path, key)) if isinstance(value, dict) else [])]
    ]


@pytest.mark.parametrize("whose", WHOLE)
def test_odd_values_in_any_place_are_taken_or_refused(whose):
    reader, values = WHOLE[whose]
    refused = 0
    for place in places(values):
        for odd in ODD:
            changed = copy.deepcopy(values)
            inner = changed
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = odd
            try:
                reader(changed)
            except nm.InputError:
                refused += 1
    assert refused > 5 * len(places(values))


@pytest.mark.parametrize("part", ["cutoff", "density", "basis", "radial", "smoothing"])
@pytest.mark.parametrize("value", [None, 1, "a", [], {}, True])
def test_any_part_of_featomics_is_taken_or_refused(part, value):
    values = json.loads(json.dumps(HYPERS))
    where = {"radial": values["basis"], "smoothing": values["cutoff"]}.get(part, values)
    where[part] = value
    with pytest.raises(nm.InputError, match=rf"{part}"):
        nm.from_featomic(values)
