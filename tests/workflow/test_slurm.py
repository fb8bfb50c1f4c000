"""The workflow on a real SLURM of one node; `make test-slurm`."""

import re
import shutil
import subprocess

import pytest
from one_node_slurm import missing, one_node
from projects import RESULTS

pytestmark = [pytest.mark.workflow, pytest.mark.slurm, pytest.mark.skipif(bool(missing()), reason=missing())]
# One node has no accounts and no database of jobs.
PLUGIN = ["--slurm-no-account", "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"]
ENDINGS = ("parquet", "pdf", "svg", "png")
TARGET = str(RESULTS / "tables/sensitivity.parquet")
LOST = "sensitivity/radial-spectrum_gto_all.parquet"


@pytest.fixture(scope="module")
def slurm():
    with one_node() as variables:
        yield variables


def states(slurm):
    """States of all jobs that SLURM has seen, by its number."""
    listed = subprocess.run(
        ["squeue", "--states=all", "--noheader", "--format=%i %T"],
        env=slurm,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split() for line in listed.stdout.splitlines())


def submitted(output):
    return re.findall(r"has been submitted with SLURM jobid (\d+)", output)


def lose(project):
    (project.folder / RESULTS / LOST).unlink()
    shutil.rmtree(project.folder / RESULTS / "tables")


def test_same_bytes_as_locally(finished, project, slurm, capsys):
    shutil.rmtree(project.folder / RESULTS)
    output = project.run(*PLUGIN, profile="slurm", variables=slurm)
    numbers = submitted(output)
    # All but the target itself.
    assert len(numbers) == len(set(numbers)) == len(re.findall(r"^rule \w+:", output, re.MULTILINE))
    assert {states(slurm)[number] for number in numbers} == {"COMPLETED"}
    local, cluster = finished.digests(*ENDINGS), project.digests(*ENDINGS)
    same = sum(local[name] == cluster.get(name) for name in local)
    with capsys.disabled():
        print(f"\n{len(numbers)} jobs through SLURM; {same} of {len(local)} files are the local run's, byte for byte")
    assert cluster == local
    assert "Nothing to be done" in project.run("-n")


def test_job_out_of_memory_gets_more(finished, project, slurm):
    lose(project)
    # Far too little, then enough.
    memory = ["--set-resources", "sensitivity:mem_mb=100 if attempt == 1 else 2000"]
    output = project.run(TARGET, *PLUGIN, *memory, profile="slurm", variables=slurm)
    assert "Trying to restart job" in output
    first, second, _ = submitted(output)
    assert states(slurm)[first] != "COMPLETED"
    assert states(slurm)[second] == "COMPLETED"
    logs = (project.folder / ".snakemake/slurm_logs").rglob(f"{first}.log")
    assert any("exceeded memory limit" in log.read_text() for log in logs)
    assert project.digests("parquet") == finished.digests("parquet")


def test_other_schedulers_through_the_generic_plugin(finished, project, slurm):
    lose(project)
    submit = "sbatch --parsable --cpus-per-task={threads} --mem={resources.mem_mb} --time={resources.runtime}"
    generic = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", submit]
    before = states(slurm)
    project.run(TARGET, *generic, profile="slurm", variables=slurm)
    after = states(slurm)
    assert [after[number] for number in after.keys() - before.keys()] == ["COMPLETED"] * 2
    assert project.digests("parquet") == finished.digests("parquet")
