import copy
import json
import math
from itertools import pairwise

import pandas as pd
import pytest
from configs import CHECKOUT, changed, small

from nullmode._support.variants import load, validated
from nullmode.families import FAMILIES
from nullmode.sweep.jobs import gathered, plan
from nullmode.sweep.sensitivity import layout, read_part, run_cell, united
from nullmode.sweep.settings import check
from nullmode.sweep.structures import make_structures
from nullmode.tables import parquet

OWN_FAMILY = {"kind": "docs/examples/my_family.py:structures", "parameters": {"angles": [90, 100, 110]}}
WIDTHS = {"start": 0.2, "stop": 0.5, "step": 0.01}
# Changes of the small configuration that make it large, or deal it otherwise.
CONFIGS = {
    "small": {},
    "many points": {"descriptors.soap_swept.grid.width": WIDTHS},
    "many points, each with its own cutoff": {
        "descriptors.soap_swept.parameters": {},
        "descriptors.soap_swept.grid.cutoff": {"start": 3.0, "stop": 5.0, "step": 0.5},
    },
    "many structures": {"families.random_methane.parameters.n_structures": 1003},
    "inner axes alone": {"descriptors.soap_swept.inner": ["n_max", "l_max", "width"]},
    "outer axes alone": {"descriptors.soap_swept.inner": []},
    "a family that does not tell its size": {"families.own": OWN_FAMILY, "descriptors.all": {"kind": "acsf"}},
    "a descriptor that does not tell its cost": {
        "descriptors.own": {
            "kind": "docs/examples/my_descriptor.py:InverseMoments",
            "grid": {"n_moments": [2, 3]},
            "families": ["random_methane", "pair_map"],
        }
    },
    "pairs": {"families.pair_map.parameters": {"v": WIDTHS}},
}
TARGETS = [1e-9, 1e-3, 0.1, 120.0, 1e9]
each_config = pytest.mark.parametrize("config", CONFIGS)
each_target = pytest.mark.parametrize("target", TARGETS)


@pytest.fixture(autouse=True)
def _in_checkout(monkeypatch):
    monkeypatch.chdir(CHECKOUT)


def made(name, target):
    config = small() | {"target_job_seconds": target}
    for place, value in CONFIGS[name].items():
        put(config, place, value)
    return config


def put(config, place, value):
    *parents, last = place.split(".")
    for parent in parents:
        config = config.setdefault(parent, {})
    config[last] = value


def jobs(config):
    return plan(check(config))


def contents(config):
    """What each job's file holds, by where it lies."""
    listed = jobs(config)
    result = {job[:3]: json.dumps(job.cell, sort_keys=True) for job in listed}
    assert len(result) == len(listed)
    return result


def n_structures(config, family):
    entry = config["families"][family]
    target = load(entry["kind"], FAMILIES, "family")
    return target.size(**validated(target, entry.get("parameters", {}), family)).structures


@each_config
@each_target
def test_every_point_of_every_structure_is_in_one_job(config, target):
    config = made(config, target)
    found = {}
    for job in jobs(config):
        for point in job.cell["points"]:
            place = job.family, job.descriptor, json.dumps(point, sort_keys=True)
            found.setdefault(place, []).append(job.cell["structures"])
    for (family, _, _), unsorted in found.items():
        if unsorted == [None]:
            continue
        parts = sorted(unsorted)
        assert parts[0][0] == 0
        assert parts[-1][0] < n_structures(config, family)
        assert parts[-1][1] is None
        assert all(one[1] == two[0] > one[0] for one, two in pairwise(parts))
        assert len({stop - start for start, stop in parts[:-1]}) <= 1
    settings = check(config)
    for name, entry in settings.descriptors.items():
        expected = math.prod(
            len(value) if isinstance(value, list) else len(value.values()) for value in entry.grid.values()
        )
        for family in settings.families:
            wanted = expected if family in (entry.families or settings.families) else 0
            assert sum(place[:2] == (family, name) for place in found) == wanted


@each_config
@each_target
def test_points_that_share_a_jacobian_stay_together_in_order(config, target):
    settings = check(made(config, target))
    for job in plan(settings):
        inner = settings.descriptors[job.descriptor].inner
        blocks = [
            job.cell["points"][start : start + job.cell["block"]]
            for start in range(0, len(job.cell["points"]), job.cell["block"])
        ]
        for block in blocks:
            outer = [{key: value for key, value in point.items() if key not in inner} for point in block]
            assert all(point == outer[0] for point in outer)
        assert len({len(block) for block in blocks}) == 1


@each_config
@each_target
def test_jobs_keep_to_the_target_and_are_few(config, target):
    gathered_jobs = {}
    for job in jobs(made(config, target)):
        part = job.cell["structures"]
        if job.seconds is None:
            assert part is None
        elif part is None:
            gathered_jobs.setdefault((job.family, job.descriptor), []).append(job)
        elif part[1] is not None:
            assert job.seconds <= target or part[1] - part[0] == 1
            assert math.log2(part[1] - part[0]).is_integer()
    for group in gathered_jobs.values():
        assert all(job.seconds <= target or len(job.cell["points"]) == job.cell["block"] for job in group)
        # Groups that differ in the last digit are more than a job together; the rest is chance.
        total = sum(job.seconds for job in group)
        items = sum(len(job.cell["points"]) // job.cell["block"] for job in group)
        assert len(group) <= min(items, 1 + 4 * total / target)


ADDITIONS = {
    "outer point": ("descriptors.soap_swept.grid.width", [0.3, 0.5, 0.42]),
    "outer point, first": ("descriptors.soap_swept.grid.width", [0.42, 0.3, 0.5]),
    "outer points turned": ("descriptors.soap_swept.grid.width", [0.5, 0.3]),
    "one of many": ("descriptors.soap_swept.grid.width", WIDTHS | {"stop": 0.51}),
    "descriptor": ("descriptors.another", {"kind": "radial-spectrum"}),
    "family": ("families.another", {"kind": "random_methane"}),
    "inner point": ("descriptors.soap_swept.grid.n_max", [1, 3, 5]),
}


@pytest.mark.parametrize("addition", ADDITIONS)
@each_target
def test_addition_changes_the_job_that_takes_it_in_alone(addition, target):
    config = made("many points" if addition == "one of many" else "small", target)
    before = contents(config)
    put(config, *ADDITIONS[addition])
    after = contents(config)
    touched = {place for place in before if after.get(place) != before[place]}
    new = {place for place in after if before.get(place) != after[place]}
    if addition in ("family", "descriptor", "outer points turned"):
        assert not touched
    elif addition == "inner point":
        assert {descriptor for _, descriptor, _ in touched} == {"soap_swept"}
    else:
        assert len(touched) <= 1
        # It may be long enough to be split by structures, into six, or to make a job fall into more.
        assert {descriptor for _, descriptor, _ in new} == {"soap_swept"}
        assert len(new) == (6 if target == 1e-9 else 1 if target >= 120 else len(new))


@pytest.mark.parametrize("target", [2.5, 3.5, 20])
def test_points_added_one_by_one_change_one_job_each(target):
    config = made("small", 1e9)
    widths = [round(0.2 + 0.01 * k, 2) for k in range(60)]
    put(config, "descriptors.soap_swept.grid.width", widths[:1])
    alone = next(job.seconds for job in jobs(config) if job.descriptor == "soap_swept")
    put(config, "target_job_seconds", target * alone)
    before, touched = contents(config), []
    for n in range(2, 61):
        put(config, "descriptors.soap_swept.grid.width", widths[:n])
        after = contents(config)
        touched.append(sum(after.get(place) != content for place, content in before.items()))
        before = after
    assert max(touched) == 1


def test_dealing_is_known():
    """If this fails, jobs are dealt anew: finished ones will run again. Say so in the change log, then change it."""
    names = {job.name.partition("_")[0] for job in jobs(made("many points", 0.3)) if job.descriptor == "soap_swept"}
    assert names == {f"batch-{prefix}" for prefix in ("00", "01", "10", "11")}


@pytest.mark.parametrize("most", [0.5, 1, 3, 10, 1000])
def test_groups_follow_from_their_members(most):
    keys = [f"{(37 * k * k + 11 * k) % 1009:04x}" for k in range(100)]
    keys = sorted(set(keys), key=lambda key: key[::-1])
    groups = dict(gathered(keys, str, len, most))
    assert groups == dict(gathered(keys[::-1], str, len, most))
    assert sorted(key for group in groups.values() for key in group) == sorted(keys)
    for prefix, group in groups.items():
        assert len(group) <= max(1, most)
        assert all(f"{int(key, 16):016b}".startswith(prefix) for key in group)
        # No group could be larger: what shares one digit less is more than fits.
        if prefix:
            wider = [key for key in keys if f"{int(key, 16):016b}".startswith(prefix[:-1])]
            assert len(wider) > max(1, most)


@pytest.mark.parametrize(
    ("place", "value", "kept"),
    [
        ("descriptors.soap_swept.grid.width", [0.3, 0.5, 0.7], True),
        ("descriptors.soap_swept.grid.n_max", [1, 3, 5], True),
        ("descriptors.another", {"kind": "radial-spectrum"}, True),
        ("families.another", {"kind": "random_methane"}, True),
        ("descriptors.soap_swept.parameters.cutoff", 5.0, False),
        ("descriptors.soap_swept.parameters.center_weight", 1.0, False),
    ],
)
@pytest.mark.parametrize("target", [1e-9, 1e9])
def test_name_of_a_job_changes_only_with_what_it_stands_for(place, value, kept, target):
    def names(config):
        return {job[:3] for job in jobs(config | {"target_job_seconds": target}) if job.descriptor == "soap_swept"}

    before, after = names(small()), names(changed(place, value))
    assert (before <= after) == kept
    assert kept or not before & after


@each_target
def test_names_of_jobs_suit_as_names_of_files(target):
    config = made("many points", target)
    config["descriptors"]["radial"] |= {"grid": {"species": [["H"], ["C", "H", "N", "O", "Na", "Cl"]]}}
    assert all(job.name.replace(".", "").replace("-", "").replace("_", "").isalnum() for job in jobs(config))


def test_jobs_cover_the_families_asked_for():
    config = small()
    assert {job.family for job in jobs(config) if job.descriptor == "radial"} == {"from_file"}
    del config["descriptors"]["radial"]["families"]
    assert {job.family for job in jobs(config) if job.descriptor == "radial"} == set(config["families"])


@each_target
def test_order_of_parameters_does_not_matter(target):
    def turned(value):
        return {key: turned(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    config = made("small", target)
    other = copy.deepcopy(config)
    for part in ("families", "descriptors", "figures"):
        for entry in other[part].values():
            entry["parameters"] = turned(entry["parameters"])
    assert json.dumps(other) != json.dumps(config)
    # As texts, since Snakemake compares them so.
    assert repr(jobs(other)) == repr(jobs(config))
    assert repr(check(other)) == repr(check(config))


def test_radial_bases_and_densities_are_swept():
    config = made("small", 1e-9)
    bases = ["gto", "dvr", {"kind": "legendre", "transform": "inverse"}]
    config["descriptors"]["soap_swept"]["grid"] |= {"radial_basis": bases, "density": ["gaussian", "delta"]}
    cells = [job.cell for job in jobs(config) if job.descriptor == "soap_swept" and job.cell["structures"][0] == 0]
    assert len(cells) == 2 * 3 * 2
    assert [cell["points"][0]["radial_basis"] for cell in cells[::2]] == 2 * bases


@each_config
def test_more_is_asked_for_at_each_attempt(config):
    for job in jobs(made(config, 120)):
        assert 0 < job.runtime() < job.runtime(2)
        assert 0 < job.mem_mb() < job.mem_mb(2)
        assert 60 * job.runtime() > (job.seconds or 0)
        assert 1e6 * job.mem_mb() >= (job.bytes or 0)


ROWS = {
    "pairs": {"pair_map": {"kind": "degenerate_pair", "parameters": {"u": [0.7, 0.8], "v": [-0.05, 0.0, 0.05]}}},
    # Not every structure has oxygen as a centre, or a neighbour in reach.
    "file": {"from_file": {"kind": "file", "parameters": {"path": "tests/data/small.extxyz", "centers": "O"}}},
}
SHORT = {"cutoff": 3.0, "cutoff_width": 0.5}
SWEEPS = {
    "radial": {"kind": "radial-spectrum", "parameters": SHORT, "grid": {"n_max": [2, 4], "width": [0.3, 0.5]}},
    "soap": {
        "kind": "power-spectrum",
        "parameters": SHORT | {"radial_basis": "laplacian-eigenstates"},
        "grid": {"n_max": [2, 3], "l_max": [0, 2], "width": [0.3, 0.5]},
    },
    "outer": {"kind": "power-spectrum", "parameters": SHORT, "grid": {"l_max": [2, 0], "n_max": [2]}, "inner": []},
    "with centre": {"kind": "power-spectrum", "parameters": SHORT | {"n_max": 2, "l_max": 1, "center_weight": 1.0}},
    "cutoffs": {"kind": "acsf", "grid": {"cutoff": [2.0, 3.0]}},
    "inner cutoffs": {"kind": "acsf", "grid": {"cutoff": [2.0, 3.0]}, "inner": ["cutoff"]},
    "sorted": {"kind": "coulomb-matrix", "parameters": {"cutoff": 2.0}},
    "whole": {"kind": "power-spectrum", "parameters": SHORT | {"n_max": 2, "l_max": 1}, "scope": "structure"},
}


def rows(config, folder):
    """All rows, by way of files as in the workflow, and the number of jobs."""
    settings, parts = check(config), []
    for family, entry in settings.families.items():
        parquet.write(make_structures(entry.kind, entry.parameters, family), folder / family, "structures", {})
    for job in plan(settings):
        layouts = {
            cutoff: json.loads(json.dumps(layout(parquet.read(folder / job.family), job.cell["scope"], cutoff)))
            for cutoff in job.cell["layouts"]
        }
        part = run_cell(read_part(folder / job.family, job.cell), job.cell, {}, layouts, threads=1)
        parquet.write(part, folder / "part", "sensitivity", {})
        parts.append(parquet.read(folder / "part"))
    return united(parts, list(settings.descriptors)), len(parts)


@pytest.mark.parametrize("family", ROWS)
@pytest.mark.parametrize("sweep", SWEEPS)
def test_rows_are_the_same_in_whatever_jobs(tmp_path, family, sweep):
    config = {"families": ROWS[family], "descriptors": {"swept": SWEEPS[sweep]}}
    alone, n_alone = rows(config | {"target_job_seconds": 1e9}, tmp_path)
    split, n_split = rows(config | {"target_job_seconds": 1e-9}, tmp_path)
    assert n_alone == 1 < n_split
    pd.testing.assert_frame_equal(alone, split, check_exact=True)
    for name, frame in (("alone", alone), ("split", split)):
        parquet.write(frame, tmp_path / name, "sensitivity", {})
    assert (tmp_path / "alone").read_bytes() == (tmp_path / "split").read_bytes()
    assert (alone["status"] == "ok").any()
