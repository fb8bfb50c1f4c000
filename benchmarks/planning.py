"""What it takes to plan a sweep of 10² to 10⁵ points, and to start a job; run with ``make planning``.

Each line is a sweep of one family, every point an outer value of its own (the worst case): time to check the
configuration, to deal it to jobs, and of a dry run of Snakemake, which builds the graph of all jobs. Then jobs of next
to no work are run, to see what a job costs beyond its work. Times are CPU times, which other processes hardly disturb.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table

CHECKOUT = Path(__file__).resolve().parents[1]
# Points, structures, and the target in seconds: short ones make many jobs of few points.
SWEEPS = [
    (100, 100, 120),
    (1_000, 100, 120),
    (10_000, 100, 120),
    (100_000, 100, 120),
    (10_000, 100, 0.2),
]
TRIVIAL_JOBS = 20
PLAN = """
import json, resource, sys, time, yaml
start = time.process_time()
from nullmode.sweep import jobs, settings
imported = time.process_time()
checked = settings.check(yaml.safe_load(open(sys.argv[1])))
valid = time.process_time()
plan = jobs.plan(checked)
dealt = time.process_time()
work = sum(job.seconds for job in plan)
print(json.dumps([imported - start, valid - imported, dealt - valid, len(plan), work]))
"""

# Of a process of its own, since the memory of children is that of the largest so far.
CHILD = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print("USED", used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(done.returncode)
"""


def config(points, structures, target):
    steps = min(points, 1000)
    return {
        "results": "results",
        "target_job_seconds": target,
        "families": {"methane": {"kind": "random_methane", "parameters": {"n_structures": structures}}},
        "descriptors": {
            "soap": {
                "kind": "power-spectrum",
                "parameters": {"n_max": 6, "l_max": 6},
                "grid": {
                    "cutoff": {"start": 3.0, "stop": 3.0 + (points // steps - 1) / 100, "step": 0.01},
                    "width": {"start": 0.3, "stop": 0.3 + (steps - 1) / 10_000, "step": 0.0001},
                },
            }
        },
    }


def used(command, folder):
    """CPU seconds and largest memory in MB of a command and its children, and its output."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout)
    seconds, kilobytes = done.stdout.rpartition("USED ")[2].split()
    return float(seconds), int(kilobytes) / 1024, done.stdout


def snakemake(*arguments):
    profile = CHECKOUT / "workflow/profiles/default"
    common = [
        "--snakefile",
        str(CHECKOUT / "Snakefile"),
        "--configfile",
        "config.yaml",
        "--workflow-profile",
        str(profile),
    ]
    return [sys.executable, "-m", "snakemake", *common, "--cores", "1", *arguments]


def planned(points, structures, target):
    print(f"{points} points", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_text(yaml.safe_dump(config(points, structures, target)))
        _, _, text = used([sys.executable, "-c", PLAN, "config.yaml"], folder)
        imports, check, plan, n_jobs, work = json.loads(text.splitlines()[0])
        graph, megabytes, _ = used(snakemake("--dry-run", "--quiet", "all"), folder)
    return {
        "points": points,
        "structures": structures,
        "target / s": target,
        "jobs": n_jobs,
        "work per job / s": work / n_jobs,
        "import / s": imports,
        "check / s": check,
        "deal / s": plan,
        "dry run / s": graph,
        "dry run / MB": megabytes,
    }


def overhead():
    """Seconds per job of one environment, and of starting with nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_text(yaml.safe_dump(config(TRIVIAL_JOBS, 1, 1e-9)))
        (Path(folder) / "cache").mkdir()
        os.environ.setdefault("NULLMODE_CACHE", str(Path(folder) / "cache"))
        # Kernels are compiled once, before; then all jobs of the sweep.
        used(snakemake("--until", "kernels", "structures"), folder)
        start, _, _ = used(snakemake("--dry-run", "--quiet", "all"), folder)
        run, _, text = used(snakemake("--until", "sensitivity"), folder)
    n_jobs = int(re.search(r"^sensitivity +(\d+)", text, flags=re.MULTILINE)[1])
    return start, (run - start) / n_jobs, n_jobs


def shown(frame, title):
    table = Table(*frame.columns, title=title)
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row))
    Console().print(table)


def main(folder):
    frame = pd.DataFrame([planned(*sweep) for sweep in SWEEPS])
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(folder / "planning.parquet")
    shown(frame, "planning")
    start, each, n_jobs = overhead()
    print(f"start of Snakemake: {start:.2f} s; a job of one environment: {each:.2f} s (mean of {n_jobs})")
    print(f"overhead of a job at the default target of 120 s: {100 * each / 120:.1f} %")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results/benchmarks"))
