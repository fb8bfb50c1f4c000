"""The small configuration, and ways to spoil it: each with the place that the message has to name."""

from copy import deepcopy
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
ABSENT = object()
INF, NAN = float("inf"), float("nan")
_SMALL = yaml.safe_load((CHECKOUT / "config/test.yaml").read_text())


def small():
    return deepcopy(_SMALL)


def lean():
    """What tests run: the small configuration with one job of each kind; test_module.py runs regressions."""
    config, kept = small(), ("random_methane", "point_groups", "orbit", "from_file")
    config["families"] = {name: config["families"][name] for name in kept}
    for entry in config["descriptors"].values():
        entry["families"] = [name for name in entry["families"] if name in kept]
    # Causes take long to find in the crystal of the file.
    seen = config["descriptors"]["soap"]["families"] = ["point_groups", "random_methane"]
    config["searches"] = {"orbit": config["searches"]["orbit"]}
    config["figures"] = {name: config["figures"][name] for name in ("truncation", "null_modes", "orbits")}
    config["views"]["null_modes"]["families"] = [*seen]
    del config["regressions"]
    return config


def changed(place, value, config=None):
    """Put a value at a dotted place of a configuration, by default the small one, or take out what is there."""
    config = config or small()
    *parents, last = place.split(".")
    inner = config
    for parent in parents:
        inner = inner.setdefault(parent, {})
    if value is ABSENT:
        del inner[last]
    else:
        inner[last] = value
    return config


# Place, value, and what the message must hold.
BAD = {
    "a resolution of what has no limit": (
        "descriptors.bases",
        {"kind": "power-spectrum", "parameters": {"density": "delta"}, "resolution": True},
        "`descriptors.bases.resolution` must be false for a descriptor without a limit",
    ),
    "no for a symbol": (
        "families.from_file.parameters.centers",
        ["N", False],
        "`families.from_file.parameters.centers`: must not be true",
    ),
    "true for a number": (
        "descriptors.soap.parameters.n_max",
        True,
        "`descriptors.soap.n_max`: must not be true or false",
    ),
    "true for a length": ("tolerance", True, "`tolerance`: must not be true or false"),
    "true in a grid": (
        "descriptors.soap_swept.grid.n_max",
        [True, 2],
        "`descriptors.soap_swept.grid.n_max`: values must be all",
    ),
    "true alone in a grid": (
        "descriptors.soap_swept.grid.n_max",
        [True],
        "`descriptors.soap_swept.n_max`: must not be true",
    ),
    "a text among numbers": (
        "descriptors.soap_swept.grid.n_max",
        ["2", 4],
        "`descriptors.soap_swept.grid.n_max`: values must be all",
    ),
    "one number in two spellings": (
        "descriptors.soap_swept.grid.width",
        ["3e-1", 0.3],
        "`descriptors.soap_swept.grid.width`: values must be distinct, got 0.3 twice",
    ),
    "no folder": ("results", " ", "`results`: must name a folder"),
    "folder with braces": ("results", "a{b}c", "`results`: must be a folder without '{'"),
    "folder elsewhere": ("results", "s3://bucket/x", "`results`: must be a folder without '://'"),
    "no file of claims": ("claims", "", "`claims`: must name a file"),
    "unknown key": ("result", "x", "`result` is not known. Did you mean `results`?"),
    "unknown family key": ("families.pair_map.parameter", {}, "`families.pair_map.parameter` is not known"),
    "unknown descriptor key": ("descriptors.soap.grids", {}, "`descriptors.soap.grids` is not known"),
    "unknown figure key": ("figures.pair_map.title", "x", "`figures.pair_map.title` is not known"),
    "unknown family parameter": (
        "families.pair_map.parameters.w",
        [1.0],
        "`families.pair_map.parameters.w` is not known",
    ),
    "unknown descriptor parameter": ("descriptors.soap.parameters.sigma", 0.3, "`descriptors.soap.sigma` is not known"),
    "unknown figure parameter": (
        "figures.pair_map.parameters.dpi",
        300,
        "`figures.pair_map.parameters.dpi` is not known",
    ),
    "unknown view key": ("views.null_modes.family", "x", "`views.null_modes.family` is not known"),
    "view of an unknown family": (
        "views.null_modes.families",
        ["groups"],
        "`views.null_modes.families` must name what",
    ),
    "view of no family": ("views.null_modes.families", [], "`views.null_modes.families`"),
    "view by an unknown descriptor": ("views.null_modes.descriptor", "soup", "`views.null_modes.descriptor` must name"),
    "view by a swept descriptor": (
        "views.null_modes",
        {"families": ["random_methane"], "descriptor": "soap_swept"},
        "`views.null_modes.descriptor` must have one truncation each, got 'soap_swept' swept over l_max, n_max, width",
    ),
    "view by a descriptor that was not run": (
        "views.null_modes.families",
        ["random_methane"],
        "`views.null_modes.descriptor` must be run on the family, got 'soap' not run on 'random_methane'",
    ),
    "view of nothing": ("views.null_modes.most", 0, "`views.null_modes.most`"),
    "unknown key of a range": ("families.pair_map.parameters.v.end", 1, "`families.pair_map.parameters.v.end`"),
    "grid over no parameter": ("descriptors.soap_swept.grid.depth", [1, 2], "`descriptors.soap_swept.depth`"),
    "no radial function": ("descriptors.soap.parameters.n_max", 0, "`descriptors.soap.n_max`"),
    "no radial function in a grid": ("descriptors.soap_swept.grid.n_max", [0, 1], "`descriptors.soap_swept.n_max`"),
    "negative l_max": ("descriptors.soap.parameters.l_max", -1, "`descriptors.soap.l_max`"),
    "no width": ("descriptors.soap.parameters.width", 0, "`descriptors.soap.width`"),
    "no cutoff": ("descriptors.soap.parameters.cutoff", 0, "`descriptors.soap.cutoff`"),
    "smoothing wider than the cutoff": (
        "descriptors.soap.parameters.cutoff_width",
        5.0,
        "`descriptors.soap`: `cutoff_width` must not",
    ),
    "text for a number": ("descriptors.soap.parameters.cutoff", "far", "`descriptors.soap.cutoff`"),
    "fixed and swept": ("descriptors.soap_swept.grid.cutoff", [3.0], "`descriptors.soap_swept.grid.cutoff`"),
    "empty grid": ("descriptors.soap_swept.grid.width", [], "`descriptors.soap_swept.grid.width`"),
    "uneven range": (
        "descriptors.soap_swept.grid.l_max.step",
        3,
        "`descriptors.soap_swept.grid.l_max`: `stop` must be",
    ),
    "rtol of one": ("rtol", 1.0, "`rtol`"),
    "name with a slash": ("families", {"a/b": {"kind": "random_methane"}}, "`families.a/b`"),
    "no family": ("families", {}, "`families`"),
    "families missing": ("families", ABSENT, "`families` is required and missing"),
    "inner axis that is not swept": ("descriptors.soap_swept.inner", ["n_maxx"], "`descriptors.soap_swept.inner`"),
    "unknown family kind": ("families.pair_map.kind", "degenerate_pairs", "`families.pair_map.kind` must be a known"),
    "unknown descriptor kind": ("descriptors.soap.kind", "soap", "`descriptors.soap.kind` must be a known descriptor"),
    "unknown figure kind": ("figures.pair_map.kind", "map", "`figures.pair_map.kind` must be a known figure"),
    "missing structure file": (
        "families.from_file.parameters.path",
        "nowhere.xyz",
        "`families.from_file.parameters.path` must be an existing file",
    ),
    "missing family file": ("families.pair_map.kind", "nowhere.py:structures", "`families.pair_map.kind` must name an"),
    "family file without the function": (
        "families.pair_map.kind",
        "docs/examples/my_family.py:water",
        "`families.pair_map.kind` must name a function or class in docs/examples/my_family.py",
    ),
    "family file without a function named": (
        "families.pair_map.kind",
        "docs/examples/my_family.py",
        "`families.pair_map.kind` must name the object in the file",
    ),
    "descriptor on an unknown family": (
        "descriptors.soap.families",
        ["distortion"],
        "`descriptors.soap.families` must name what the configuration declares, got 'distortion'. Did you mean",
    ),
    "infinite end of a range": (
        "families.pair_map.parameters.v.stop",
        INF,
        "`families.pair_map.parameters.v`: `start`, `stop` and `step` must be finite",
    ),
    "step that is no number": ("families.pair_map.parameters.v.step", NAN, "`families.pair_map.parameters.v"),
    "end beyond all numbers": (
        "families.pair_map.parameters.v.stop",
        10**400,
        "`families.pair_map.parameters.v`: `start`, `stop` and `step` must be finite",
    ),
    "range that is not listed in a lifetime": (
        "families.pair_map.parameters.v.step",
        1e-9,
        "`families.pair_map.parameters.v`: a range must have at most 100000 values",
    ),
    "range of a grid that is too long": (
        "descriptors.soap_swept.grid.l_max.stop",
        10**7,
        "`descriptors.soap_swept.grid.l_max`: a range must have at most 100000 values",
    ),
    "grid that is too large": (
        "descriptors.soap_swept.grid.center_weight",
        {"start": 0, "stop": 99_999},
        "`descriptors.soap_swept.grid` must span at most 100000 points, got 1200000",
    ),
    "map that is too large": (
        "families.pair_map.parameters",
        {"u": {"start": 0, "stop": 1, "step": 0.0005}, "v": {"start": -1, "stop": 1, "step": 0.002}},
        "`families.pair_map.parameters.v`: `u` and `v` must span at most 100000 points, got 2003001",
    ),
    **{
        f"{word} in {axis}": (
            f"families.{family}.parameters.{axis}",
            [0.5, value],
            f"`families.{family}.parameters.{axis}.1` must be a finite number, got ",
        )
        for family, axis in [
            *(("pair_map", axis) for axis in ("u", "v")),
            *(("distortions", axis) for axis in ("stretch", "flatten", "twist", "umbrella", "noise")),
        ]
        for word, value in [("infinity", INF), ("no number", NAN)]
    },
    "value twice": (
        "families.pair_map.parameters.u",
        [0.8, 0.7, 0.8],
        "`families.pair_map.parameters.u`: values must be",
    ),
    "value twice in a grid": (
        "descriptors.soap_swept.grid.n_max",
        [1, 3, 1.0],
        "`descriptors.soap_swept.grid.n_max`: values must be distinct, got 1.0 twice",
    ),
    "path twice": (
        "families.distortions.parameters.paths",
        ["twist", "twist"],
        "`families.distortions.parameters.paths`",
    ),
    "bond of no length": (
        "families.distortions.parameters.stretch",
        {"start": 0, "stop": 1, "step": 0.5},
        "`families.distortions.parameters.stretch`: values must be greater than 0, got 0",
    ),
    "infinite bond": ("families.distortions.parameters.bond", INF, "`families.distortions.parameters.bond`"),
    "noise of a universe": ("families.distortions.parameters.noise", [400], "`families.distortions.parameters.noise`"),
    "no room for hydrogens": (
        "families.random_methane.parameters.min_distance",
        3.0,
        "`families.random_methane.parameters.min_distance`: `min_distance` must leave space",
    ),
    "no room for hydrogens at the default": (
        "families.random_methane.parameters.radius",
        0.5,
        "`families.random_methane.parameters.min_distance`: `min_distance` must leave space",
    ),
    "width that no table holds": (
        "descriptors.soap.parameters.width",
        0.005,
        "`descriptors.soap`: `width` must be broad enough to be tabulated up to the cutoff, got width=0.005 at",
    ),
    "width that no table holds in a grid": (
        "descriptors.soap_swept.grid.width",
        [0.3, 1e-308],
        "`descriptors.soap_swept`: `width` must be broad enough",
    ),
    "unknown radial basis": (
        "descriptors.soap.parameters.radial_basis",
        "legendr",
        "`descriptors.soap.radial_basis`: `kind` must be a known radial basis, got 'legendr'. Did you mean `legendre`?",
    ),
    "parameter of no radial basis": (
        "descriptors.soap.parameters.radial_basis",
        {"kind": "legendre", "transfrm": "inverse"},
        "`descriptors.soap.radial_basis`: `radial_basis.transfrm` is not known. Did you mean `transform`?",
    ),
    "radial basis without its kind in a grid": (
        "descriptors.soap_swept.grid.radial_basis",
        ["gto", {"transform": "inverse"}],
        "`descriptors.soap_swept.radial_basis`: `kind` must be a known radial basis, got None",
    ),
    "fewer primitives than functions": (
        "descriptors.soap.parameters.radial_basis",
        {"kind": "optimal-contraction", "n_primitives": 3},
        "`descriptors.soap`: `n_max` must not exceed `n_primitives`, got 4 > 3",
    ),
    "range of radial bases": (
        "descriptors.soap_swept.grid.radial_basis",
        {"kind": "gto", "start": 0, "stop": 1},
        "`descriptors.soap_swept.grid.radial_basis.kind` is not known. Remove it.",
    ),
    "inner axis of no grid": (
        "descriptors.soap.inner",
        ["width"],
        "`descriptors.soap.inner` must name what the configuration declares, got 'width'. Known: none.",
    ),
    "more features than fit into memory": (
        "descriptors.soap",
        {"kind": "trispectrum", "parameters": {"n_max": 6, "l_max": 8, "species": ["H", "C"]}},
        "`descriptors.soap`: `n_max`, `l_max` must leave at most 1000000 features, got 8963037 for 2 species",
    ),
    "more features in a grid than fit into memory": (
        "descriptors.soap_swept",
        {"kind": "bispectrum", "grid": {"n_max": [1, 17], "l_max": [25]}},
        "`descriptors.soap_swept`: `n_max`, `l_max` must leave at most 1000000 features, got 3848494 for 1 species",
    ),
    "scaling without a length": (
        "descriptors.soap.parameters.radial_scaling",
        {"rate": 1.0, "exponent": 2},
        "`descriptors.soap.radial_scaling.scale` is required and missing",
    ),
    "centre of a delta density": (
        "descriptors.soap.parameters",
        {"density": "delta", "center_weight": 1.0},
        "`descriptors.soap`: `center_weight` must be 0 for a delta density",
    ),
    "figure of a swept descriptor": (
        "figures.pair_map.parameters",
        {"family": "random_methane", "descriptors": ["soap_swept"]},
        "`figures.pair_map.parameters.descriptors` must have one truncation each, got 'soap_swept' swept over",
    ),
    "figure of a descriptor that was not run": (
        "figures.pair_map.parameters.family",
        "random_methane",
        "`figures.pair_map.parameters.descriptors` must be run on the family, got 'soap' not run on 'random_methane'",
    ),
    "descriptors of orbits that are not one a family": (
        "figures.four_body.parameters.descriptors",
        ["fine", "soap"],
        "`figures.four_body.parameters.descriptors` must be one for each family, got 2 for 1",
    ),
    "descriptor of another orbit": (
        "figures.four_body.parameters.descriptors",
        ["soap"],
        "`figures.four_body.parameters.descriptors` must be run on the family, got 'soap' not run on 'orbit'",
    ),
    "title of an unknown family": (
        "figures.truncation.parameters.labels",
        {"random_methanes": "a"},
        "`figures.truncation.parameters.labels` must name what the figure draws, got 'random_methanes'. Did you",
    ),
    "figure that fills its own structures": (
        "figures.null_modes.parameters.structures",
        {},
        "`figures.null_modes.parameters.structures` is not known",
    ),
    "figure of environments of a whole structure": (
        "descriptors.soap.scope",
        "structure",
        "`figures.null_modes.parameters.descriptors` must be of scope environment, got 'soap' of scope structure",
    ),
    "centres of environments": (
        "descriptors.soap.centers",
        ["H"],
        "`descriptors.soap.centers` must be left out for scope environment",
    ),
    "equal features by no number": (
        "descriptors.soap.feature_tolerance",
        0,
        "`descriptors.soap.feature_tolerance` must be greater than 0",
    ),
    "figure fitted to nothing": (
        "figures.selection_rules.parameters.samples",
        0,
        "`figures.selection_rules.parameters.samples`",
    ),
    "unknown search kind": (
        "searches.orbit.kind",
        "orbits",
        "`searches.orbit.kind` must be a known search, got 'orbits'",
    ),
    "unknown search key": (
        "searches.orbit.familys",
        "a",
        "`searches.orbit.familys` is not known. Did you mean `family`",
    ),
    "search from an unknown family": ("searches.orbit.family", "orbits", "`searches.orbit.family` must name what the"),
    "search by an unknown descriptor": ("searches.orbit.descriptor", "x", "`searches.orbit.descriptor` must name what"),
    "search by whole structures": (
        "searches.orbit.descriptor",
        "whole",
        "`searches.orbit.descriptor` must be of scope",
    ),
    "search by a swept descriptor": (
        "searches.orbit.descriptor",
        "soap_swept",
        "`searches.orbit.descriptor` must have one truncation each, got 'soap_swept' swept over l_max, n_max, width",
    ),
    "search without a family": ("searches.orbit.family", ABSENT, "`searches.orbit.family` is required and missing"),
    "unknown search parameter": (
        "searches.orbit.parameters.lenght",
        1.0,
        "`searches.orbit.parameters.lenght` is not known. Did you mean `length`? Known: scheme, length",
    ),
    "search that fills its own start": ("searches.orbit.parameters.environment", [], "`searches.orbit.parameters.env"),
    "search without starts": (
        "searches.partners.parameters.n_starts",
        0,
        "`searches.partners.parameters.n_starts` must be greater than or equal to 1, got 0",
    ),
    "search of no length": ("searches.orbit.parameters.length", 0, "`searches.orbit.parameters.length`"),
    "figure of an unknown search": ("figures.orbits.parameters.search", "x", "`figures.orbits.parameters` must name"),
    "figure of another kind of search": (
        "figures.orbits.parameters.search",
        "partners",
        "`figures.orbits.parameters.search` must be of kind orbit, got one of kind partners",
    ),
    "figure of an unknown family": ("figures.pair_map.parameters.family", "x", "`figures.pair_map.parameters"),
    "figure of an unknown descriptor": ("figures.pair_map.parameters.descriptors", ["x"], "`figures.pair_map.param"),
    "unknown regression key": ("regressions.ridge.tests", [], "`regressions.ridge.tests` is not known. Did you mean"),
    "unknown model": (
        "regressions.ridge.model",
        "rigde",
        "`regressions.ridge.model` must be a known model, got 'rigde'",
    ),
    "unknown parameter of a model": (
        "regressions.mlp.parameters.step",
        3,
        "`regressions.mlp.parameters.step` is not known. Did you mean `steps`",
    ),
    "model of no penalty": (
        "regressions.ridge.parameters",
        {"penalties": []},
        "`regressions.ridge.parameters.penalties`",
    ),
    "target that is not known": (
        "regressions.ridge.target",
        "energy",
        "`regressions.ridge.target` must be a known target",
    ),
    "regression fitted to an unknown family": (
        "regressions.ridge.training",
        ["pair_maps"],
        "`regressions.ridge.training` must name what the configuration declares, got 'pair_maps'. Did you mean",
    ),
    "regression fitted to nothing": ("regressions.ridge.training", [], "`regressions.ridge.training`"),
    "regression tested on what it is fitted to": (
        "regressions.ridge.test",
        ["orbit", "pair_map"],
        "`regressions.ridge.test` must name other families than `training`, got 'pair_map' in both",
    ),
    "regression by whole structures": (
        "regressions.ridge.descriptor",
        "whole",
        "`regressions.ridge.descriptor` must be of scope environment, got 'whole'",
    ),
    "regression by a swept descriptor": (
        "regressions.ridge.descriptor",
        "soap_swept",
        "`regressions.ridge.descriptor` must have one truncation each",
    ),
    "figure of an unknown regression": (
        "figures.learning.parameters.regressions",
        ["x"],
        "`figures.learning.parameters` must name what the configuration declares, got 'x'. Known: ridge, mlp",
    ),
}
