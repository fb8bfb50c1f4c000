"""Small real tables of every kind, and each figure drawn from them."""

import fcntl
import functools
import os
import pickle
from inspect import signature
from itertools import product
from pathlib import Path

import pandas as pd
import tasks

from nullmode._support.variants import load, validated
from nullmode.analysis.explanations import EXPLANATIONS
from nullmode.figures._figure import GIVEN, load_figure
from nullmode.sweep import structures

PARAMETERS = {
    "paths": {"family": "distortions", "descriptors": ["soap", "radial"]},
    "pair_map": {"family": "pairs", "descriptors": ["soap"]},
    "truncation": {"families": ["pairs"], "descriptor": "swept"},
    "null_causes": {"family": "groups", "descriptors": ["soap", "radial"]},
    "null_modes": {"family": "groups", "descriptors": ["soap", "radial"], "names": ["D2d", "X", "C1"]},
    "selection_rules": {"family": "groups", "descriptors": ["soap"], "names": ["D2d", "X"], "samples": 5},
    "merging": {"families": ["merging", "displaced"], "descriptors": ["soap", "three"]},
    "crossing": {"families": ["rings"], "descriptors": ["soap", "three"], "at": {"rings": {"psi": [0]}}},
    "scopes": {"families": ["groups", "merging", "points"], "descriptors": ["soap", "whole", "potential", "carbon"]},
    "convergence": {"search": "singular"},
    "orbits": {"search": "orbit"},
    "partner_pairs": {"search": "partners"},
    "distributions": {"families": ["groups"], "descriptors": ["soap", "radial"], "compared": ["soap", "radial"]},
    "spectra": {"family": "groups", "descriptors": ["soap", "radial"]},
    "bases": {"families": ["pairs"], "descriptor": "bases", "along": "l_max"},
    "four_body": {"families": ["orbit"], "descriptors": ["fine"]},
    "learning": {"regressions": ["ridge", "with orbit", "nu 3", "pairs"]},
    "near_singular": {"families": ["groups"], "descriptors": ["soap", "radial"], "explained": 2},
}
GROUPS = "point_groups", {"names": ["Td", "D2d", "planar", "C1", "X"], "four_body_forces": True}


def shared(make):
    """Make a value once for all workers of pytest-xdist."""

    @functools.cache
    @functools.wraps(make)
    def made():
        if (folder := os.environ.get("NULLMODE_TEST_LOCKS")) is None:
            return make()
        file = Path(folder) / f"{make.__name__}.pickle"
        with Path(folder, f"{make.__name__}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                file.write_bytes(pickle.dumps(make()))
            return pickle.loads(file.read_bytes())

    return made


def rows(
    family, kind, parameters, descriptor, points, descriptor_kind="power-spectrum", scope="environment", centers=None
):
    task = {"family": family, "descriptor": descriptor, "kind": descriptor_kind, "scope": scope, "points": points}
    task |= {"centers": centers} if centers else {}
    return tasks.sensitivities(structures.make_structures(kind, parameters, family), task, threads=1)


def groups():
    return structures.make_structures(*GROUPS, "groups")


@shared
def real():
    distortions = "distortions", "methane_distortion", {"paths": ["twist", "noise"], "twist": [0, 9], "noise": [-3, -1]}
    pairs = "pairs", "degenerate_pair", {"u": [0.75, 0.8], "v": [-0.05, 0, 0.05]}
    groups = "groups", *GROUPS
    merging = "merging", "degenerate_pair", {"u": [0.9808, 0.99, 0.999, 0.9997, 0.9999, 1.0], "v": [0.0]}
    displaced = "displaced", "mode_displacement", {"amplitudes": [-4, -3.5, -3, -1]}
    rings = "rings", "ring_pair", {"psi": [-10, -1, 0, 1, 10, 30], "azimuths": [0, 114, 212]}
    points = "points", "cone_point", {"theta": [70, 110]}
    every = merging, displaced, rings, points
    swept = [{"n_max": n, "l_max": l} for n in (1, 3) for l in (0, 2)]
    kinds = product(("gto", "dvr"), ("gaussian", "delta"), (0, 1, 5))
    bases = [{"n_max": 3, "radial_basis": basis, "density": density, "l_max": l} for basis, density, l in kinds]
    followed = {"t": [1.0, 0.5], "n_max": 4, "l_max": 6, "length": 0.03, "every": 5}
    orbit = "orbit", "quasi_constant_orbit", followed
    return pd.concat(
        [
            rows(*distortions, "soap", [{"n_max": 3, "l_max": 2}]),
            rows(*distortions, "radial", [{"n_max": 3}], "radial-spectrum"),
            rows(*pairs, "soap", [{"n_max": 3, "l_max": 2}]),
            rows(*pairs, "swept", swept),
            rows(*groups, "soap", [{"n_max": 8, "l_max": 8}]),
            rows(*groups, "radial", [{"n_max": 8}], "radial-spectrum"),
            *(rows(*family, "soap", [{"n_max": 8, "l_max": 8}]) for family in every),
            *(rows(*family, "three", [{"n_max": 3, "l_max": 4}], "bispectrum") for family in every[:3]),
            *(
                rows(*f, name, [{"n_max": 6, "l_max": 6}], scope=scope, centers=centers)
                for f in (groups, merging, points)
                for name, scope, centers in (
                    ("whole", "structure", None),
                    ("potential", "potential", None),
                    ("carbon", "potential", ["C"]),
                )
            ),
            rows(*pairs, "bases", bases),
            rows(*orbit, "fine", [{"n_max": 4, "l_max": 6, "cutoff": 2.5, "cutoff_width": 0.0, "width": 0.5}]),
        ],
        ignore_index=True,
    )


@shared
def searched():
    """Tables of searches of each kind from one pair of environments."""
    start = structures.make_structures("degenerate_pair", {"u": [0.8], "v": [0.0]}, "pair")
    result = {}
    for kind, options in (("singular", {}), ("orbit", {"length": 0.1}), ("partners", {"n_starts": 20})):
        task = {
            **{"search": kind, "search_kind": kind, "search_parameters": options, "family": "pair"},
            **{"descriptor": "soap", "kind": "power-spectrum", "parameters": {"n_max": 4, "l_max": 6}},
        }
        result[kind] = tasks.searched(start, task, threads=1)
    return result


@shared
def predicted():
    """Tables of regressions, by their names."""
    families = {
        "noise": structures.make_structures("methane_distortion", {"paths": ["noise"], "noise": [-0.8]}, "noise"),
        "more": structures.make_structures("random_methane", {"n_structures": 5, "radius": 1.5}, "more"),
        "pairs": structures.make_structures("degenerate_pair", {"u": [0.8, 0.9], "v": [0, 0.1]}, "pairs"),
        **{
            name: structures.make_structures("quasi_constant_orbit", {"t": t, "length": 0.03, "step": 0.01}, name)
            for name, t in (("orbit", [1.0]), ("orbits", [0.5, 1.5]))
        },
    }
    kinds = {
        "power-spectrum": {"n_max": 4, "l_max": 4, "cutoff": 2.5},
        "bispectrum": {"n_max": 2, "l_max": 3, "cutoff": 2.5},
    }
    result = {}
    for name, kind, training, test in (
        ("ridge", "power-spectrum", ["noise"], ["more", "orbits"]),
        ("with orbit", "power-spectrum", ["noise", "orbit"], ["more", "orbits"]),
        ("nu 3", "bispectrum", ["noise"], ["more", "orbits"]),
        ("pairs", "power-spectrum", ["orbit"], ["pairs"]),
        ("twin", "power-spectrum", ["orbit"], ["more"]),
    ):
        task = {
            **{"regression": name, "model": "ridge", "model_parameters": {}, "target": "four_body_energy"},
            **{"training": training, "test": test, "descriptor": kind, "kind": kind, "parameters": kinds[kind]},
        }
        given = {family: families[family] for family in (*training, *test)}
        result[name] = tasks.predicted(given, task)
    return result


def explained(kind, table, structures, kinds, parameters):
    """Table of the explanations of a figure, drawn with these parameters."""
    figure = load_figure(kind)
    explain = load(figure.explanation, EXPLANATIONS, "explanation")
    checked = validated(figure.draw, parameters, kind, GIVEN)
    return explain(table, structures, kinds, **{k: v for k, v in checked.items() if k in signature(explain).parameters})


def drawn(kind, table, **parameters):
    return drawing(kind, table, **parameters).figure


def drawing(kind, table, **parameters):
    figure, parameters = load_figure(kind), PARAMETERS[kind] | parameters
    kinds = {"soap": "power-spectrum", "radial": "radial-spectrum"}
    filled = {
        "table": lambda: table,
        "searches": searched,
        "predictions": predicted,
        "explanations": lambda: explained(kind, table, {"groups": groups()}, kinds, parameters),
    }
    return figure.draw(**{name: filled[name]() for name in figure.given}, **parameters)
