"""What it takes to plan a sweep of 10² to 10⁵ points, and to start a job; run with ``make planning``.

Each line is a sweep of one family, every point an outer value of its own (the worst case): time to check the
configuration, to deal it to jobs, and of a dry run of Snakemake, which builds the graph of all jobs. Then jobs of next
to no work are run, to see what a job costs beyond its work. Times are CPU times, which other processes hardly disturb.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

from nullmode.sweep import jobs, settings

CHECKOUT = Path(__file__).resolve().parents[1]
# Points, and the target in seconds: a short one makes many jobs of few points.
SWEEPS = [(100, 120), (1_000, 120), (10_000, 120), (100_000, 120), (10_000, 0.2)]
TRIVIAL_JOBS = 20


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


def snakemake(folder, *arguments):
    """CPU seconds and largest memory in MB of Snakemake and its children, and its output."""
    profile = CHECKOUT / "workflow/profiles/default"
    command = [sys.executable, "-m", "snakemake", "--snakefile", CHECKOUT / "Snakefile", "--configfile", "config.yaml"]
    command += ["--workflow-profile", profile, "--cores", "1", *arguments]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        output.seek(0)
        if status:
            sys.exit(output.read())
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output.read()


def planned(points, target):
    chosen = config(points, 100, target)
    start = time.process_time()
    checked = settings.check(chosen)
    valid = time.process_time()
    plan = jobs.plan(checked)
    dealt = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_text(yaml.safe_dump(chosen))
        graph, megabytes, _ = snakemake(folder, "--dry-run", "--quiet", "all")
    return {
        "points": points,
        "target / s": target,
        "jobs": len(plan),
        "work per job / s": sum(job.seconds for job in plan) / len(plan),
        "check / s": valid - start,
        "deal / s": dealt - valid,
        "dry run / s": graph,
        "dry run / MB": megabytes,
    }


def overhead():
    """Seconds per job of one environment, and of starting with nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        # The first point compiles kernels and makes the structures.
        for points in (1, TRIVIAL_JOBS):
            (Path(folder) / "config.yaml").write_text(yaml.safe_dump(config(points, 1, 1e-9)))
            start, _, _ = snakemake(folder, "--dry-run", "--quiet", "all")
            run, _, text = snakemake(folder, "--until", "sensitivity")
    n_jobs = int(re.search(r"^sensitivity +(\d+)", text, flags=re.MULTILINE)[1])
    return start, (run - start) / n_jobs, n_jobs


if __name__ == "__main__":
    print(pd.DataFrame([planned(*sweep) for sweep in SWEEPS]).to_string(index=False, float_format="{:.3g}".format))
    start, each, n_jobs = overhead()
    print(f"start of Snakemake: {start:.2f} s; a job of one environment: {each:.2f} s (mean of {n_jobs})")
    print(f"overhead of a job at the default target of 120 s: {100 * each / 120:.1f} %")
