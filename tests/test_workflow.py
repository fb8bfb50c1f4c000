import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from configs import BAD, CHECKOUT, changed, small

from nullmode import tables

pytestmark = pytest.mark.workflow
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--workflow-profile", "workflow/profiles/default", "--cores", "2"]
RESULTS = Path("results/test")
FIGURES = {f"figures/{name}.pdf" for name in small()["figures"]}
# What follows whenever a row changes.
LATER = {"tables/sensitivity.parquet", *FIGURES}
SOAP = {
    "sensitivity/family=distortions/descriptor=soap",
    "sensitivity/family=pair_map/descriptor=soap",
    "sensitivity/family=from_file/descriptor=soap",
    "sensitivity/family=point_groups/descriptor=soap",
}
# Both widths take less than a job's time.
SWEPT = {"sensitivity/family=random_methane/descriptor=soap_swept"}
RADIAL = {"sensitivity/family=from_file/descriptor=radial"}
BASES = {"sensitivity/family=point_groups/descriptor=bases"}
WHOLE = {"sensitivity/family=from_file/descriptor=whole"}


class Project:
    """A folder with the workflow, in which snakemake runs with a copy of the package."""

    def __init__(self, folder, source, cache):
        self.folder, self.source, self.cache = folder, source, cache

    @classmethod
    def new(cls, folder, cache):
        for name in ("workflow", "config", "src/nullmode", "tests/data", "docs/examples"):
            shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(CHECKOUT / "Snakefile", folder)
        return cls(folder, folder / "src", cache)

    def start(self, *arguments, config="config/test.yaml"):
        return subprocess.run(
            [*SNAKEMAKE, "--configfile", config, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.source), "NULLMODE_CACHE": str(self.cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def run(self, *arguments, **options):
        done = self.start(*arguments, **options)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def jobs(self, *arguments, **options):
        """First outputs of the jobs that a run would start or started, without the hash in a name."""
        outputs = re.findall(r"^    output: ([^,\n]+)", self.run(*arguments, **options), flags=re.MULTILINE)
        names = [Path(output).relative_to(RESULTS).as_posix() for output in outputs]
        assert len(names) == len(set(names))
        return {re.sub(r"(/all)?_[0-9a-f]{6}\.parquet$", "", name) for name in names}

    def configure(self, config):
        (self.folder / "config/test.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def edit(self, path, old, new):
        self.source = self.folder / "src"
        file = self.source / "nullmode" / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def digests(self, *endings):
        """Hashes of the results, by name."""
        folder = self.folder / RESULTS
        return {
            path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
            for ending in endings
            for path in folder.rglob(f"*.{ending}")
        }


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run; the workers of pytest-xdist share one."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    project, mark = Project(shared / "finished", shared / "finished/src", shared / "kernels"), shared / "finished.log"
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(project.folder, ignore_errors=True)
            Project.new(project.folder, project.cache)
            mark.write_text(project.run())
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished run, times included, to change."""
    shutil.copytree(finished.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    # The package stays where its kernels were compiled, until a test edits it.
    return Project(tmp_path / "copy", finished.source, finished.cache)


@pytest.fixture
def fresh(tmp_path):
    return Project.new(tmp_path / "fresh", tmp_path / "kernels")


@pytest.mark.parametrize("config", ["config/config.yaml", "config/test.yaml"])
def test_dry_run(fresh, config):
    assert "This was a dry-run" in fresh.run("-n", config=config)
    assert not (fresh.folder / "results").exists()


# The other faults take the same way: tests/test_settings.py.
@pytest.mark.parametrize(
    "name",
    [
        "unknown key",
        "unknown family key",
        "unknown descriptor key",
        "unknown figure key",
        "unknown family parameter",
        "unknown descriptor parameter",
        "unknown figure parameter",
        "grid over no parameter",
        "no radial function",
        "negative l_max",
        "no width",
        "no cutoff",
        "smoothing wider than the cutoff",
        "unknown family kind",
        "unknown descriptor kind",
        "unknown figure kind",
        "missing structure file",
        "family file without the function",
        "descriptor on an unknown family",
    ],
)
def test_bad_configuration_stops_before_any_job(fresh, name):
    place, value, message = BAD[name]
    fresh.configure(changed(place, value))
    stopped = fresh.start()
    assert stopped.returncode == 1
    assert f"The configuration cannot be run:\n{message}" in stopped.stdout
    assert "Traceback" not in stopped.stdout
    assert not (fresh.folder / "results").exists()


def test_full_run_makes_tables_and_figures(finished):
    config, results = small(), finished.folder / RESULTS
    drawn = {path.name for path in (results / "figures").iterdir()}
    assert drawn == {f"{name}.{ending}" for name in config["figures"] for ending in ("pdf", "svg", "png")}
    rows = tables.read(results / "tables/sensitivity.parquet", "sensitivity")
    assert set(rows["family"]) == set(config["families"])
    assert set(rows["descriptor"]) == set(config["descriptors"])
    points = rows[rows["descriptor"] == "soap_swept"].groupby(["n_max", "l_max", "width"]).size()
    assert (points == 6).all()
    assert len(points) == 2 * 3 * 2
    assert (rows["status"] == "ok").all()
    whole = rows[rows["scope"] == "structure"]
    assert set(whole["descriptor"]) == {"whole"}
    assert set(whole["center"]) == {-1}
    assert rows.groupby(["descriptor", "radial_basis", "density"])["rank"].count()["bases"].index.tolist() == [
        (basis, density)
        for basis in ("gto", "optimal-contraction(n_primitives=5, random_methane)")
        for density in ("delta", "gaussian")
    ]
    summary = tables.read(results / "tables/summary.parquet", "summary")
    assert summary["n_environments"].sum() == len(rows)


def test_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.run("-n")


def test_edit_of_a_kernel_reruns_what_uses_it(project):
    # What is missing besides must not be forgotten.
    shutil.rmtree(project.folder / RESULTS / "sensitivity/family=pair_map")
    project.edit("descriptors/power_spectrum.py", "total += c[q, lm] * c[p, lm]", "total += c[p, lm] * c[q, lm]")
    assert project.jobs("-n") == {"kernels/power-spectrum"} | SOAP | SWEPT | BASES | WHOLE | LATER


@pytest.mark.parametrize(
    ("path", "old", "new", "jobs"),
    [
        (
            "descriptors/radial_spectrum.py",
            "features[i] = scratch.c[:, 0]",
            "features[i] = scratch.c[:, 0] + 0",
            {"kernels/radial-spectrum", "sensitivity/family=from_file/descriptor=radial", *LATER},
        ),
        ("figures/paths.py", "linewidth=0.8", "linewidth=0.9", {"figures/distortion_paths.pdf"}),
        (
            "families/random_methane.py",
            "size=(4, 3)",
            "size=(4, 3)[:]",
            {"structures/random_methane.parquet", *SWEPT, *BASES, *LATER},
        ),
    ],
    ids=["descriptor", "figure", "family"],
)
def test_edit_of_a_variant_reruns_what_uses_it(project, path, old, new, jobs):
    project.edit(path, old, new)
    assert project.jobs("-n") == jobs


def test_edits_of_comments_docstrings_and_tables_of_names_rerun_nothing(project):
    project.edit("descriptors/power_spectrum.py", "Fill features, and the Jacobian", "Write features, and the Jacobian")
    project.edit("basis/density.py", '"""\n', '"""\n# A comment.\n')
    project.edit("study.py", "from nullmode import tables\n", "\n# Moved.\nfrom nullmode import tables\n")
    project.edit("descriptors/__init__.py", "DESCRIPTORS = {\n", 'DESCRIPTORS = {\n    "mine": "nullmode.mine:Mine",\n')
    assert "Nothing to be done" in project.run("-n")


def test_new_outer_point_runs_the_job_that_takes_it_in(project):
    config = small()
    config["descriptors"]["soap_swept"]["grid"]["width"].append(0.4)
    project.configure(config)
    assert project.jobs() == SWEPT | LATER
    rows = tables.read(project.folder / RESULTS / "tables/sensitivity.parquet", "sensitivity")
    assert set(rows.loc[rows["descriptor"] == "soap_swept", "width"]) == {0.3, 0.4, 0.5}
    assert "Nothing to be done" in project.run("-n")


def test_new_outer_point_of_many_jobs_runs_its_own_alone(project):
    """Also, that rows do not depend on the jobs they come from."""
    whole = tables.read(project.folder / RESULTS / "tables/sensitivity.parquet", "sensitivity")
    config = small() | {"target_job_seconds": 1e-9}
    # Without pairs, whose parts are computed twice, and other long families.
    for name in ("distortions", "pair_map"):
        del config["families"][name]
        config["descriptors"]["soap"]["families"].remove(name)
    config["figures"] = {"truncation": config["figures"]["truncation"]}
    project.configure(config)
    project.run()
    split = tables.read(project.folder / RESULTS / "tables/sensitivity.parquet", "sensitivity")
    kept = whole[whole["family"].isin(config["families"])].reset_index(drop=True)
    coordinates = [name for name in kept if name not in split]
    pd.testing.assert_frame_equal(split, kept.drop(columns=coordinates), check_exact=True)
    config["descriptors"]["soap_swept"]["grid"]["width"].append(0.4)
    project.configure(config)
    of_point = "sensitivity/family=random_methane/descriptor=soap_swept/width-0.4_from"
    new = {f"{of_point}-{structure}" for structure in range(6)}
    assert project.jobs() == new | {"tables/sensitivity.parquet", "figures/truncation.pdf"}
    assert "Nothing to be done" in project.run("-n")


def test_new_inner_point_reruns_the_jobs_that_hold_it(project):
    config = small()
    config["descriptors"]["soap_swept"]["grid"]["n_max"].append(4)
    project.configure(config)
    assert project.jobs("-n") == SWEPT | LATER


def test_changed_structure_file_reruns_its_family(project):
    file = project.folder / small()["families"]["from_file"]["parameters"]["path"]
    file.write_text(file.read_text().replace("0.102", "0.112"))
    of_file = {name for name in SOAP | RADIAL | WHOLE if "from_file" in name}
    assert project.jobs("-n") == {"structures/from_file.parquet"} | of_file | LATER


def test_two_runs_from_scratch_give_the_same_bytes(finished, project):
    shutil.rmtree(project.folder / RESULTS)
    project.run()
    results = finished.digests("parquet", "pdf", "svg", "png")
    assert len(results) == 5 + 8 + 2 + 18
    assert project.digests("parquet", "pdf", "svg", "png") == results


def test_users_own_family_and_descriptor(project):
    project.configure(
        {
            "results": str(RESULTS / "own"),
            "families": {
                "water": {
                    "kind": "docs/examples/my_family.py:structures",
                    "parameters": {"angles": [90, 104.5, 180]},
                },
            },
            "descriptors": {
                "moments": {"kind": "docs/examples/my_descriptor.py:InverseMoments", "grid": {"n_moments": [3, 6]}},
                "soap": {"kind": "power-spectrum", "parameters": {"n_max": 4, "l_max": 3}},
            },
        }
    )
    project.run()
    rows = tables.read(project.folder / RESULTS / "own/tables/sensitivity.parquet", "sensitivity")
    # Neither sees the difference of two equal bonds; on a line, the bend changes no distance to first order.
    ranks = rows.groupby(["descriptor", "parameters", "angle"])["rank"].first().groupby("angle").agg(list)
    assert ranks.to_dict() == {90.0: [2, 2, 2], 104.5: [2, 2, 2], 180.0: [1, 1, 1]}
    own = project.folder / "docs/examples/my_descriptor.py"
    own.write_text(own.read_text().replace("(1 + np.cos(phase)) / 2", "(1 + np.cos(phase)) / 2.0 + 0"))
    assert project.jobs("-n") == {
        "own/sensitivity/family=water/descriptor=moments/n_moments-3",
        "own/sensitivity/family=water/descriptor=moments/n_moments-6",
        "own/tables/sensitivity.parquet",
    }


def test_failed_job_says_why_and_leaves_nothing(project):
    config = small()
    config["families"]["from_file"]["parameters"]["centers"] = "Xe"
    project.configure(config)
    stopped = project.start()
    assert stopped.returncode == 1
    # The job's log is shown, without a traceback of nullmode's.
    assert "nullmode: `centers` must occur in tests/data/small.extxyz, got 'Xe'" in stopped.stdout
    assert not (project.folder / RESULTS / "structures/from_file.parquet").exists()
