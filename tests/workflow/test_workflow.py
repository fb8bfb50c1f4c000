import os
import re
import shutil

import pandas as pd
import pytest
from configs import BAD, changed, lean
from projects import RESULTS

from nullmode.sweep.trace import trace
from nullmode.tables import parquet

pytestmark = pytest.mark.workflow
FIGURES = {f"figures/{name}.pdf" for name in lean()["figures"]}
SEARCHES = {f"searches/{name}/found.parquet" for name in lean()["searches"]}
CLAIMS = {"claims.parquet"}
OF_SEARCHES = {"figures/orbits.pdf"}
EXPLAINED = {"explanations/null_modes.parquet"}
TABLE = str(RESULTS / "tables/sensitivity.parquet")
# What follows whenever a row changes.
LATER = {"tables/sensitivity.parquet", "views/null_modes.html", *FIGURES - OF_SEARCHES, *EXPLAINED, *CLAIMS}
# All jobs, by the kind of descriptor and the radial bases that they use.
RADIAL = {"sensitivity/radial-spectrum_gto_all.parquet"}
POWER = {"sensitivity/power-spectrum_gto_all.parquet"}
BASES = {"sensitivity/power-spectrum_dvr+gto+optimal-contraction_all.parquet"}


LARGE = pytest.param("config/config.yaml config/large.yaml", marks=pytest.mark.slow)


@pytest.mark.parametrize("config", ["config/config.yaml", LARGE])
def test_dry_run_for_slurm_needs_none(fresh, config):
    planned = fresh.run("-n", config=config, profile="slurm")
    assert "This was a dry-run" in planned
    # Each job takes seconds to start; at full size there is more to compute.
    [total] = {int(total) for total in re.findall(r"^total +(\d+)$", planned, re.MULTILINE)}
    assert 50 < total <= 90 or "large" in config
    assert not (fresh.folder / "results").exists()
    # What each job asks for is known before SLURM is.
    jobs = re.findall(r"^rule (?!all)\w+:\n(?:    .*\n)*?    resources: (.*)\n", planned, re.MULTILINE)
    assert len(jobs) == planned.count("\nrule ") > 50
    for resources in jobs:
        asked = dict(re.findall(r"(\w+)=([^,]+)", resources))
        assert int(asked["mem_mb"]) >= 500
        assert int(asked["runtime"]) >= 1


# The other faults take the same way: tests/sweep/test_settings.py.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["smoothing wider than the cutoff"])
def test_bad_configuration_stops_before_any_job(fresh, name):
    place, value, message = BAD[name]
    fresh.configure(changed(place, value, lean()))
    stopped = fresh.start()
    assert stopped.returncode == 1
    assert f"The configuration cannot be run:\n{message}" in stopped.stdout
    assert "Traceback" not in stopped.stdout
    assert not (fresh.folder / "results").exists()


@pytest.mark.slow
def test_bad_claims_stop_before_any_job(fresh):
    file = fresh.folder / lean()["claims"]
    file.write_text(file.read_text().replace("comparison: at_most", "comparision: at_most"))
    stopped = fresh.start()
    assert stopped.returncode == 1
    assert "`singular_point.comparision` is not known. Did you mean `comparison`?" in stopped.stdout
    assert "Traceback" not in stopped.stdout
    assert not (fresh.folder / "results").exists()


def test_full_run_makes_tables_and_figures(finished):
    config, results = lean(), finished.folder / RESULTS
    drawn = {path.name for path in (results / "figures").iterdir()}
    assert drawn == {f"{name}.{ending}" for name in config["figures"] for ending in ("pdf", "svg", "png", "rst")}
    rows = parquet.read(results / "tables/sensitivity.parquet", "sensitivity")
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
        for basis in ("dvr", "gto", "optimal-contraction(n_primitives=5, random_methane)")
        for density in ("delta", "gaussian")
    ]
    for name in config["searches"]:
        found = parquet.read(results / f"searches/{name}/found.parquet", "search")
        assert set(found["structure"]) == {0, 1, 2}
        assert found["converged"].all()
        assert len(parquet.read(results / f"searches/{name}/steps.parquet", "search_steps"))
    summary = parquet.read(results / "tables/summary.parquet", "summary")
    assert summary["n_environments"].sum() == len(rows)


@pytest.mark.slow
def test_what_is_lost_of_a_finished_run_is_made_again(project):
    lost = {*RADIAL, "structures/random_methane.parquet"}
    for name in lost:
        (project.folder / RESULTS / name).unlink()
    assert lost <= project.jobs("-n")


def test_what_files_say_holds_whatever_snakemake_remembers(project):
    """A copied folder, a fresh clone, another spelling: nothing; another input with an older time: what follows."""
    shutil.rmtree(project.folder / ".snakemake")
    for file in [*project.folder.glob("workflow/**/*.*"), *project.folder.glob("tests/data/*")]:
        file.touch()
    config = lean() | {"results": f"./{RESULTS}/"}
    project.configure(config)
    said = project.run("-n")
    assert "Nothing to be done" in said
    assert "do not follow the Snakemake best practices" not in said
    file = project.folder / config["families"]["from_file"]["parameters"]["path"]
    file.write_text(file.read_text().replace("0.102", "0.112"))
    os.utime(file, (0, 0))
    project.configure(config | {"rtol": 1e-2})
    said = project.run("-n")
    assert "\n  content of tests/data/small.extxyz: structures/from_file.parquet\n" in said
    assert re.search(r"^  rtol 1e-09 → 0.01: \d+ files, such as sensitivity/", said, re.MULTILINE)
    assert max(map(len, said.partition("Building DAG")[0].splitlines())) < 300


@pytest.mark.slow
def test_edit_of_a_kernel_reruns_what_uses_it(project):
    # What is missing besides must not be forgotten.
    [lost] = RADIAL
    (project.folder / RESULTS / lost).unlink()
    project.edit("descriptors/power_spectrum.py", "features[row] *= sqrt(0.5)", "features[row] *= sqrt(1.0 / 2.0)")
    of_power_spectrum = {"structures/orbit.parquet"} | SEARCHES | OF_SEARCHES | POWER | BASES
    assert project.jobs("-n") == of_power_spectrum | RADIAL | LATER


@pytest.mark.law(cases=1, slow=["descriptor", "search", "figure", "family", "summary"])
@pytest.mark.parametrize(
    ("path", "old", "new", "jobs"),
    [
        (
            "descriptors/radial_spectrum.py",
            "features[i, q] = scratch.c[q, 0]",
            "features[i, q] = scratch.c[q, 0] + 0.0",
            RADIAL | LATER,
        ),
        (
            "search/_continuation.py",
            "_CORRECTIONS = 12",
            "_CORRECTIONS = 13",
            {"structures/orbit.parquet"} | SEARCHES | OF_SEARCHES | POWER | LATER,
        ),
        ("figures/truncation.py", "fontsize=6", "fontsize=7", {"figures/truncation.pdf"}),
        (
            "families/random_methane.py",
            "size=(len(waiting), 4, 3)",
            "size=(len(waiting), 4, 3)[:]",
            {"structures/random_methane.parquet", *POWER, *BASES, *LATER},
        ),
        ("sweep/summary.py", '"n_ok": len(ok)', '"n_ok": int(len(ok))', LATER),
        ("basis/radial/dvr.py", "[bool] = False", "[bool] = not True", BASES | LATER),
    ],
    ids=["descriptor", "search", "figure", "family", "summary", "radial basis"],
)
def test_edit_of_a_variant_reruns_what_uses_it(project, path, old, new, jobs):
    project.edit(path, old, new)
    assert project.jobs("-n") == jobs


# Of hashes: tests/_support/test_code_hash.py.
@pytest.mark.slow
def test_nothing_and_edits_of_comments_docstrings_and_tables_of_names_rerun_nothing(project):
    project.edit("descriptors/power_spectrum.py", "Fill the features (index", "Write the features (index")
    project.edit("basis/density.py", '"""\n', '"""\n# A comment.\n')
    project.edit("sweep/sensitivity.py", "\n\n\ndef ", "\n\n# Moved.\n\n\ndef ")
    project.edit("descriptors/__init__.py", "DESCRIPTORS = {\n", 'DESCRIPTORS = {\n    "mine": "nullmode.mine:Mine",\n')
    assert "Nothing to be done" in project.run("-n")


@pytest.mark.slow
def test_new_outer_point_runs_the_job_that_takes_it_in(project):
    config = lean()
    config["descriptors"]["soap_swept"]["grid"]["width"].append(0.4)
    project.configure(config)
    assert project.jobs("-n") == POWER | LATER
    assert project.jobs(TABLE) == POWER | {"tables/sensitivity.parquet"}
    rows = parquet.read(project.folder / TABLE, "sensitivity")
    assert set(rows.loc[rows["descriptor"] == "soap_swept", "width"]) == {0.3, 0.4, 0.5}
    assert "Nothing to be done" in project.run("-n", TABLE)


@pytest.mark.slow
def test_new_outer_point_of_many_jobs_runs_its_own_alone(project):
    """Also, that rows do not depend on the jobs they come from."""
    whole = parquet.read(project.folder / TABLE, "sensitivity")
    config, name = lean(), "soap_swept"
    config = {key: config[key] for key in ("results", "rtol", "tolerance", "families")} | {
        "descriptors": {name: config["descriptors"][name]},
        "target_job_seconds": 1e-9,
    }
    for width in (0.3, 0.5):
        config["descriptors"][name]["grid"]["width"] = sorted({0.3, width})
        project.configure(config)
        jobs = {f"sensitivity/power-spectrum_gto_random_methane_{name}_width-{width}_from-{k}" for k in range(6)}
        layout = {"layouts/random_methane/environment_4.0.json"} if width == 0.3 else set()
        assert project.jobs(TABLE) == jobs | layout | {"tables/sensitivity.parquet"}
    split = parquet.read(project.folder / TABLE, "sensitivity")
    kept = whole[whole["descriptor"] == name].reset_index(drop=True)
    coordinates = [column for column in kept if column not in split]
    # Beside rows without theory, whole numbers are read as floats.
    pd.testing.assert_frame_equal(split, kept.drop(columns=coordinates), check_exact=True, check_dtype=False)


@pytest.mark.slow
def test_new_inner_point_reruns_the_jobs_that_hold_it(project):
    config = lean()
    config["descriptors"]["soap_swept"]["grid"]["n_max"].append(4)
    project.configure(config)
    assert project.jobs("-n") == POWER | LATER


@pytest.mark.slow
def test_new_family_runs_the_job_that_takes_it_in(project):
    config = lean()
    config["families"]["another"] = {"kind": "random_methane", "parameters": {"n_structures": 2, "seed": 5}}
    config["descriptors"]["soap"]["families"].append("another")
    project.configure(config)
    assert project.jobs("-n") == {"structures/another.parquet"} | POWER | LATER


@pytest.mark.slow
def test_changed_expectation_reruns_the_ledger_alone(project):
    file = project.folder / lean()["claims"]
    file.write_text(file.read_text().replace("Cs: 6", "Cs: 5"))
    assert project.jobs() == CLAIMS
    rows = parquet.read(project.folder / RESULTS / "claims.parquet", "claims").set_index("quantity")["verdict"]
    assert rows[rows != "pass"].to_dict() == {"Cs": "fail"}


@pytest.mark.slow
def test_changed_structure_file_reruns_its_family(project):
    file = project.folder / lean()["families"]["from_file"]["parameters"]["path"]
    file.write_text(file.read_text().replace("0.102", "0.112"))
    assert project.jobs("-n") == {"structures/from_file.parquet"} | RADIAL | POWER | LATER


@pytest.mark.slow
def test_two_runs_from_scratch_give_the_same_bytes(finished, project):
    shutil.rmtree(project.folder / RESULTS)
    project.run()
    results = finished.digests("parquet", "pdf", "svg", "png", "rst", "html")
    # Structures, jobs, tables, searches, explanations, claims; figures; pages.
    assert len(results) == 4 + 3 + 2 + 2 + 1 + 1 + 4 * 3 + 2
    assert project.digests("parquet", "pdf", "svg", "png", "rst", "html") == results


@pytest.mark.slow
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
    rows = parquet.read(project.folder / RESULTS / "own/tables/sensitivity.parquet", "sensitivity")
    # Neither sees the difference of two equal bonds; on a line, the bend changes no distance to first order.
    ranks = rows.groupby(["descriptor", "parameters", "angle"])["rank"].first().groupby("angle").agg(list)
    assert ranks.to_dict() == {90.0: [2, 2, 2], 104.5: [2, 2, 2], 180.0: [1, 1, 1]}
    own = project.folder / "docs/examples/my_descriptor.py"
    own.write_text(own.read_text().replace("(1 + np.cos(phase)) / 2", "(1 + np.cos(phase)) / 2.0 + 0"))
    assert {re.sub("-[0-9a-f]{6}_", "_", name) for name in project.jobs("-n")} == {
        "own/sensitivity/InverseMoments_water_moments_n_moments-3",
        "own/sensitivity/InverseMoments_water_moments_n_moments-6",
        "own/tables/sensitivity.parquet",
    }


def test_failed_job_says_why_and_leaves_nothing(project):
    config = lean()
    config["families"]["from_file"]["parameters"]["centers"] = "Xe"
    project.configure(config)
    stopped = project.start()
    assert stopped.returncode == 1
    # The job's log is shown, without a traceback of nullmode's.
    assert "nullmode: `centers` must occur in tests/data/small.extxyz, got 'Xe'" in stopped.stdout
    assert not (project.folder / RESULTS / "structures/from_file.parquet").exists()


# Where results come from.


def test_every_result_is_traced_to_its_jobs(finished):
    results = finished.folder / RESULTS
    behind = {}
    for path in [path for ending in ("parquet", "pdf", "svg", "png", "html") for path in results.rglob(f"*.{ending}")]:
        found = trace(path)
        assert found["differs"] == {}, path
        behind[path.relative_to(results).as_posix()] = [job["log"] for job in found["jobs"]]
        assert behind[path.relative_to(results).as_posix()], path
        measured = {job["log"].split("/")[0] for job in found["jobs"] if "benchmark" in job}
        assert measured == {"sensitivity", "searches", "explanations"} & {
            log.split("/")[0] for log in behind[path.relative_to(results).as_posix()]
        }
    # The figure, the summary, three jobs, four families.
    assert [len(behind[f"figures/truncation.{ending}"]) for ending in ("pdf", "svg", "png")] == [9] * 3
    assert behind["tables/summary.parquet"][0] == "summary.log"
    assert "seed: 1" in str(trace(results / "figures/truncation.svg")["content"]).replace("'", "")


@pytest.fixture
def upgraded(project, tmp_path):
    """A finished run whose spglib says that it is another version."""
    fake = tmp_path / "upgraded/spglib-99.0.dist-info"
    fake.mkdir(parents=True)
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: spglib\nVersion: 99.0\n")
    project.source = f"{fake.parent}{os.pathsep}{project.source}"
    return project


@pytest.mark.slow
def test_upgraded_library_reruns_what_imports_it(upgraded):
    # Whatever Snakemake is told to look at.
    assert upgraded.jobs("-n", "--rerun-triggers", "mtime") == RADIAL | POWER | BASES | LATER
