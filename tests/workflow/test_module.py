"""The workflow as a module of another one, in a folder that has nothing of this checkout."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from configs import CHECKOUT

from nullmode.tables import parquet

pytestmark = pytest.mark.workflow
CONFIGURATION = {
    "claims": "data/claims.yaml",
    "families": {
        "water": {"kind": "file", "parameters": {"path": "data/water.xyz", "centers": ["O"]}},
        "methane": {"kind": "random_methane", "parameters": {"n_structures": 4}},
        "more": {"kind": "random_methane", "parameters": {"n_structures": 2, "seed": 1}},
    },
    "descriptors": {
        "soap": {
            "kind": "power-spectrum",
            "parameters": {"cutoff": 4.0},
            "grid": {"n_max": [1, 2], "l_max": [0, 2]},
            "families": ["water"],
        },
        "alone": {"kind": "power-spectrum", "parameters": {"n_max": 2, "l_max": 2}, "families": ["water"]},
    },
    "regressions": {"ridge": {"model": "ridge", "descriptor": "alone", "training": ["methane"], "test": ["more"]}},
    "figures": {"ranks": {"kind": "truncation", "parameters": {"families": ["water"], "descriptor": "soap"}}},
    "views": {"modes": {"families": ["water"], "descriptor": "alone"}},
}
CLAIMS = {
    "counts": {
        "claim": "Every row is there.",
        "source": "Counting",
        "kind": "rank",
        "comparison": "equal",
        "query": "SELECT 'rows' AS quantity, count(*) AS measured FROM sensitivity UNION ALL "
        "SELECT 'predictions', count(*) FROM regression",
        "expected": {"rows": 5, "predictions": 6},
    }
}
WATER = "3\n\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n"
# What the caller does with the tables: a rule of its own that takes one as input.
CALLER = """
configfile: "config/config.yaml"

module nullmode:
    snakefile: {snakefile!r}
    config: config["nullmode"]
{more}

use rule * from nullmode as nullmode_*

rule size:
    default_target: True
    input:
        rules.nullmode_all.input,
        table={table!r},
    output:
        "size.txt",
    shell:
        "wc -c < {{input.table}} > {{output}}"
"""


class Caller:
    """Another repository."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "data").mkdir()
        (folder / "data/water.xyz").write_text(WATER)
        (folder / "data/claims.yaml").write_text(yaml.safe_dump(CLAIMS))

    def write(self, results="results", prefix=""):
        configuration = {"nullmode": CONFIGURATION | {"results": results}}
        table = str(Path(prefix) / results / "tables/summary.parquet")
        more = f"    prefix: {prefix!r}" if prefix else ""
        text = CALLER.format(snakefile=str(CHECKOUT / "workflow/Snakefile"), more=more, table=table)
        for name, content in (("config/config.yaml", yaml.safe_dump(configuration)), ("workflow/Snakefile", text)):
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_text(content)
        return self.folder / table

    def run(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def caller(tmp_path):
    return Caller(tmp_path)


@pytest.mark.slow
def test_module_of_another_workflow(caller):
    results, prefix = "elsewhere/ranks", "nullmode"
    table = caller.write(results, prefix)
    output = caller.run()
    assert "rule nullmode_sensitivity:" in output
    assert (caller.folder / "size.txt").read_text().strip() == str(table.stat().st_size)
    rows = parquet.read(table, "summary")
    ranks = rows[rows["descriptor"] == "soap"].set_index(["n_max", "l_max"])["rank_max"]
    # Two distances and an angle; of one function without angles only the sum over the two distances is seen.
    assert ranks.to_dict() == {(1, 0): 1, (1, 2): 3, (2, 0): 2, (2, 2): 3}
    tops = {path.parts[0] for path in (path.relative_to(caller.folder) for path in caller.folder.rglob("*.parquet"))}
    assert tops == {prefix}
    made = {path.relative_to(table.parents[1]).as_posix() for path in table.parents[1].rglob("*.*")}
    assert made >= {"figures/ranks.pdf", "views/modes.html", "regressions/alone.parquet", "claims.html"}
    verdicts = parquet.read(table.parents[1] / "claims.parquet", "claims")["verdict"]
    assert verdicts.tolist() == ["pass", "pass"]
    assert "Nothing to be done" in caller.run("-n")


# What snakedeploy 0.17 writes, but for the place of the workflow.
DEPLOYED = """
from snakemake.utils import min_version

min_version("6.10.0")

configfile: "config/config.yaml"

module nullmode:
    snakefile:
        {snakefile!r}
    config:
        config

use rule * from nullmode
"""


@pytest.mark.slow
def test_deployed_workflow_runs_everything_by_default(caller):
    caller.write()
    (caller.folder / "config/config.yaml").write_text(yaml.safe_dump(CONFIGURATION))
    (caller.folder / "workflow/Snakefile").write_text(DEPLOYED.format(snakefile=str(CHECKOUT / "workflow/Snakefile")))
    planned = caller.run("-n")
    for rule in ("structures", "sensitivity", "regressions", "summary", "figure", "view", "claims", "all"):
        assert re.search(rf"rule {rule}:", planned), planned


def test_catalog_entry_is_what_the_catalog_reads():
    usage = yaml.safe_load((CHECKOUT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    # None of these has been run.
    assert not any(usage["software-stack-deployment"].values())
    assert (CHECKOUT / "workflow/Snakefile").exists()
    assert (CHECKOUT / "config/README.md").exists()
