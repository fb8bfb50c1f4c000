import copy
import json
import math
import re
from itertools import pairwise

import pandas as pd
import pytest
import yaml
from configs import CHECKOUT, changed, small
from nasty import SKIPPED

from nullmode._support import axes
from nullmode._support.variants import load, validated
from nullmode.families import FAMILIES
from nullmode.sweep.jobs import gathered, plan
from nullmode.sweep.origins import sensitivity_code
from nullmode.sweep.sensitivity import layout, read_structures, run_tasks
from nullmode.sweep.settings import check
from nullmode.sweep.structures import make_structures
from nullmode.sweep.summary import united
from nullmode.sweep.tasks import SensitivityTask, as_json
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
    """What each job computes, by its name."""
    listed = jobs(config)
    result = {job.name: json.dumps([as_json(task) for task in job.tasks], sort_keys=True) for job in listed}
    assert len(result) == len(listed)
    return result


def tasks(config):
    return [task for job in jobs(config) for task in job.tasks]


def n_structures(config, family):
    entry = config["families"][family]
    target = load(entry["kind"], FAMILIES, "family")
    return target.size(**validated(target, entry.get("parameters", {}), family)).structures


@pytest.mark.law(cases=12)
@each_config
@each_target
def test_every_point_of_every_structure_is_in_one_job(config, target):
    config = made(config, target)
    found = {}
    for task in tasks(config):
        for point in task.points:
            key = task.family, task.descriptor, json.dumps(point, sort_keys=True)
            found.setdefault(key, []).append(task.structures)
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
            assert sum(key[:2] == (family, name) for key in found) == wanted


@pytest.mark.law(cases=16)
@each_config
@each_target
def test_points_that_share_a_jacobian_stay_together_in_order(config, target):
    settings = check(made(config, target))
    for job in plan(settings):
        for task in job.tasks:
            entry = settings.descriptors[task.descriptor]
            outer = [{key: value for key, value in point.items() if key not in entry.inner} for point in task.points]
            assert all(point == outer[0] for point in outer)
            assert len(task.points) == math.prod(
                len(axes.values(entry.grid[name])) for name in set(entry.inner) & set(entry.grid)
            )


@pytest.mark.law(cases=16)
@each_config
@each_target
def test_jobs_keep_to_the_target_and_are_few(config, target):
    gathered_jobs = {}
    for job in jobs(made(config, target)):
        part = job.tasks[0].structures
        if job.seconds is None or part is not None:
            assert len(job.tasks) == 1
        if job.seconds is None:
            assert part is None
        elif part is None:
            gathered_jobs.setdefault((job.kind, job.bases), []).append(job)
        elif part[1] is not None:
            assert job.seconds <= target or part[1] - part[0] == 1
            assert math.log2(part[1] - part[0]).is_integer()
    for group in gathered_jobs.values():
        assert all(job.seconds <= target or len(job.tasks) == 1 for job in group)
        # Groups that differ in the last digit are more than a job together; the rest is chance.
        total, items = sum(job.seconds for job in group), sum(len(job.tasks) for job in group)
        assert len(group) <= min(items, 1 + 4 * total / target)


BASES = ["gto", "dvr", {"kind": "legendre", "transform": "inverse"}]
CONTRACTED = {"kind": "optimal-contraction", "n_primitives": 5, "primitives": "dvr", "reference": "random_methane"}


@each_target
def test_jobs_are_of_one_kind_and_set_of_radial_bases(target):
    """So that an edit of one radial basis makes only those jobs out of date that use it."""
    config = made("small", target)
    put(config, "descriptors.soap_swept.grid.radial_basis", [*BASES, CONTRACTED])
    used = {}
    for job in jobs(config):
        assert {task.kind for task in job.tasks} == {job.kind}
        for task in job.tasks:
            bases = [point.get("radial_basis", "gto") for point in task.points]
            named = {basis if isinstance(basis, str) else basis["kind"] for basis in bases}
            named |= {"dvr"} if CONTRACTED in bases else set()
            named |= {"gto"} if task.descriptor == "bases" else set()  # the primitives, by default
            assert job.bases == tuple(f"nullmode.basis.radial.{name.replace('-', '_')}" for name in sorted(named))
            used.setdefault(job.bases, set()).add(task.descriptor)
        assert set(job.bases) < sensitivity_code(job.kind, job.bases)["code"].keys()
    assert len(used) == 5
    if target == 1e9:
        assert len(jobs(config)) == 1 + 5  # radial spectra, and power spectra in each set of bases


ADDITIONS = {
    "outer point": {"descriptors.soap_swept.grid.width": [0.3, 0.5, 0.42]},
    "outer point, first": {"descriptors.soap_swept.grid.width": [0.42, 0.3, 0.5]},
    "outer points turned": {"descriptors.soap_swept.grid.width": [0.5, 0.3]},
    "one of many": {"descriptors.soap_swept.grid.width": WIDTHS | {"stop": 0.51}},
    "descriptor": {"descriptors.another": {"kind": "power-spectrum", "families": ["from_file"]}},
    "family": {
        "families.another": {"kind": "random_methane"},
        "descriptors.soap.families": ["another", "distortions", "pair_map", "from_file", "point_groups"],
    },
    "family that no descriptor is run on": {"families.another": {"kind": "random_methane"}},
}


@pytest.mark.law(cases=12)
@pytest.mark.parametrize("addition", ADDITIONS)
@each_target
def test_addition_changes_the_job_that_takes_it_in_alone(addition, target):
    config = made("many points" if addition == "one of many" else "small", target)
    before = contents(config)
    for key, value in ADDITIONS[addition].items():
        put(config, key, value)
    after = contents(config)
    touched = {name for name in before if after.get(name) != before[name]}
    new = {name for name in after if before.get(name) != after[name]}
    if addition in ("outer points turned", "family that no descriptor is run on"):
        assert not touched | new
    else:
        # It is taken in by a job, which it may split, or is long enough to be split by structures.
        assert len(touched) <= 1
        assert new
        assert len(new) == 1 or target < 120


def test_inner_point_changes_the_jobs_of_its_descriptor_alone():
    config = made("many points", 0.1)
    put(config, "descriptors.soap_swept.grid.n_max", [1, 3, 5])
    before, after = contents(made("many points", 0.1)), contents(config)
    assert all("soap_swept" in before[name] for name in before if after.get(name) != before[name])


@pytest.mark.law(cases=1)
@pytest.mark.parametrize("target", [2.5, 3.5, 20])
def test_points_added_one_by_one_change_one_job_each(target):
    config = widths_alone()
    widths = [round(0.2 + 0.01 * k, 2) for k in range(60)]
    put(config, "descriptors.soap_swept.grid.width", widths[:1])
    [alone] = jobs(config)
    put(config, "target_job_seconds", target * alone.seconds)
    before, touched = contents(config), []
    for n in range(2, 61):
        put(config, "descriptors.soap_swept.grid.width", widths[:n])
        after = contents(config)
        touched.append(sum(after.get(name) != content for name, content in before.items()))
        before = after
    assert max(touched) == 1


def widths_alone():
    """A sweep over widths, which all take the same time."""
    config = small() | {"target_job_seconds": 1e9}
    config["descriptors"] = {"soap_swept": config["descriptors"]["soap_swept"]}
    return {key: config[key] for key in ("families", "descriptors", "target_job_seconds")}


def test_jobs_of_a_plan_are_known():
    """If this fails, work goes to other jobs, and finished ones will run again. Say so in the change log."""
    config = widths_alone()
    put(config, "descriptors.soap_swept.grid.width", WIDTHS)
    [whole] = jobs(config)
    put(config, "target_job_seconds", whole.seconds / 2.5)
    assert {job.name for job in jobs(config)} == {f"power-spectrum_gto_{prefix}" for prefix in ("00", "01", "10", "11")}


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
    ("key", "value"),
    [
        ("descriptors.soap_swept.grid.width", [0.3, 0.5, 0.7]),
        ("descriptors.soap_swept.grid.n_max", [1, 3, 5]),
        ("descriptors.soap_swept.parameters.cutoff", 5.0),
        ("descriptors.another", {"kind": "radial-spectrum"}),
        ("families.another", {"kind": "random_methane"}),
    ],
)
@pytest.mark.parametrize("target", [1e-9, 1e9])
def test_names_of_jobs_stay(key, value, target):
    """A changed job replaces the table that it made before."""
    before, after = (contents(config | {"target_job_seconds": target}) for config in (small(), changed(key, value)))
    assert before.keys() <= after.keys()
    assert before != after or key.startswith("families")


@each_target
def test_names_of_jobs_suit_as_names_of_files(target):
    config = made("many points", target)
    config["descriptors"]["radial"] |= {"grid": {"species": [["H"], ["C", "H", "N", "O", "Na", "Cl"]]}}
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", job.name) for job in jobs(config))


def test_jobs_cover_the_families_asked_for():
    config = small()
    assert {task.family for task in tasks(config) if task.descriptor == "radial"} == {"from_file"}
    del config["descriptors"]["radial"]["families"]
    assert {task.family for task in tasks(config) if task.descriptor == "radial"} == set(config["families"])


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


@pytest.mark.parametrize("target", [1e-9, 1e9])
def test_spelling_of_a_grid_does_not_matter(target):
    """Neither the order of axes and values, nor 3 for 3.0, nor a range for a list."""
    config = widths_alone() | {"target_job_seconds": target}
    config["descriptors"]["soap_swept"]["parameters"] = {}
    config["descriptors"]["soap_swept"]["grid"] = {"width": [0.3, 1, 2], "cutoff": [3, 4, 5], "n_max": [1, 2]}
    other = copy.deepcopy(config)
    other["descriptors"]["soap_swept"]["grid"] = {
        "n_max": [2.0, 1],
        "cutoff": {"start": 3.0, "stop": 5.0},
        "width": [2.0, 0.3, 1.0],
    }
    assert repr(jobs(other)) == repr(jobs(config))


def test_radial_bases_and_densities_are_swept():
    config = made("small", 1e9)
    config["descriptors"]["soap_swept"]["grid"] |= {"radial_basis": BASES, "density": ["gaussian", "delta"]}
    swept = [task for task in tasks(config) if task.descriptor == "soap_swept"]
    assert len(swept) == 2 * 3 * 2
    assert sum(task.points[0]["radial_basis"] == BASES[2] for task in swept) == 2 * 2


@pytest.mark.parametrize(("config", "most"), [("config", 13), ("test", 3)])
def test_sensitivities_of_a_configuration_take_few_jobs(config, most):
    assert len(jobs(yaml.safe_load((CHECKOUT / f"config/{config}.yaml").read_text()))) <= most


def test_tasks_are_plain_data():
    for task in tasks(made("many points", 120)):
        assert SensitivityTask(**json.loads(json.dumps(as_json(task)))) == task


@each_config
def test_more_is_asked_for_at_each_attempt(config):
    for job in jobs(made(config, 120)):
        assert 0 < job.runtime() < job.runtime(2)
        assert 0 < job.mem_mb() < job.mem_mb(2)
        assert 60 * job.runtime() > (job.seconds or 0)
        assert 1e6 * job.mem_mb() >= (job.bytes or 0)


ROWS = {
    "pairs": {"pair_map": {"kind": "degenerate_pair", "parameters": {"u": [0.8], "v": [-0.05, 0.0]}}},
    # Some have no neighbours, or cannot be analysed.
    "nasty": {"rare": {"kind": "tests/helpers/nasty.py:structures", "on_bad_structure": "skip"}},
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
        made = make_structures(entry.kind, entry.parameters, family, entry.on_bad_structure)
        parquet.write(made, folder / family, "structures", {})
    for job in plan(settings):
        task = job.tasks[0]
        layouts = {
            cutoff: json.loads(json.dumps(layout(parquet.read(folder / task.family), task.scope, cutoff)))
            for cutoff in task.layouts
        }
        structures = {each.family: read_structures(folder / each.family, each) for each in job.tasks}
        parquet.write_groups(run_tasks(job.tasks, structures, {}, layouts, 1), folder / "part", "sensitivity", {})
        parts.append(parquet.read(folder / "part"))
    return united(parts, list(settings.descriptors)), len(parts)


@pytest.mark.law(cases=1)
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
    skipped = alone[alone["status"] == "bad_structure"]
    assert set(skipped.get("name", [])) == (set(SKIPPED) if family == "nasty" else set())
    assert (skipped["n_dof"] == 0).all()
