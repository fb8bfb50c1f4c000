import sys

import nullmode.fingerprint
import nullmode.settings
import nullmode.types

try:
    SETTINGS = nullmode.settings.check(config)
except nullmode.types.InputError as error:
    sys.exit(f"The configuration cannot be run:\n{error}")

RESULTS = SETTINGS.results
JOBS = {(job.family, job.descriptor, job.name): job.cell for job in nullmode.settings.jobs(SETTINGS)}
SEARCHES = {name: nullmode.settings.search_cell(SETTINGS, name) for name in SETTINGS.searches}
FIGURES = expand(
    "{results}/figures/{figure}.{ending}", results=RESULTS, figure=SETTINGS.figures, ending=["pdf", "svg", "png"]
)


wildcard_constraints:
    family="[A-Za-z0-9][A-Za-z0-9_-]*",
    descriptor="[A-Za-z0-9][A-Za-z0-9_-]*",
    figure="[A-Za-z0-9][A-Za-z0-9_-]*",
    search="[A-Za-z0-9][A-Za-z0-9_-]*",


def family_file(wildcards):
    """Give the file that a family reads, if it reads one, so that a change of it makes its structures anew."""
    path = SETTINGS.families[wildcards.family].parameters.get("path")
    return [] if path is None else path


def kernels_of(descriptor):
    """Give the mark that a descriptor's kernels are compiled; a user's own file compiles in its jobs."""
    kind = SETTINGS.descriptors[descriptor].kind
    return [] if ".py" in kind else f"{RESULTS}/kernels/{kind}"
