import functools
import sys

import nullmode.fingerprint
import nullmode.jobs
import nullmode.settings
import nullmode.types

try:
    SETTINGS = nullmode.settings.check(config)
except nullmode.types.InputError as error:
    sys.exit(f"The configuration cannot be run:\n{error}")

RESULTS = SETTINGS.results
JOBS = {(job.family, job.descriptor, job.name): job for job in nullmode.jobs.plan(SETTINGS)}
# Asked for by every job: 5 ms each time would be a minute for 10 000 jobs.
kind_code = functools.cache(nullmode.settings.kind_code)
FIGURES = expand(
    "{results}/figures/{figure}.{ending}", results=RESULTS, figure=SETTINGS.figures, ending=["pdf", "svg", "png"]
)


wildcard_constraints:
    family="[A-Za-z0-9][A-Za-z0-9_-]*",
    descriptor="[A-Za-z0-9][A-Za-z0-9_-]*",
    figure="[A-Za-z0-9][A-Za-z0-9_-]*",


def family_file(wildcards):
    """Give the file that a family reads, if it reads one, so that a change of it makes its structures anew."""
    path = SETTINGS.families[wildcards.family].parameters.get("path")
    return [] if path is None else path


def compiled_kernels(wildcards):
    """Give the mark that a descriptor's kernels are compiled; a user's own file compiles in its jobs."""
    kind = SETTINGS.descriptors[wildcards.descriptor].kind
    return [] if ".py" in kind else f"{RESULTS}/kernels/{kind}"


def job_of(wildcards):
    """Give the job that makes a table of sensitivities."""
    return JOBS[wildcards.family, wildcards.descriptor, wildcards.job]
